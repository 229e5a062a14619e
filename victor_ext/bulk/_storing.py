"""Store a sheet as it was read (`add_sheet`), and make what it wants into what is asked (`apply`).

`apply` alone makes the entries of rows, and pulls back those that wait and that the latest sheet
does not want. What may have been sent with other values is not sent later. Rows that are sent in
one call, such as the payments of a payout, are a unit. An entry has no call before a worker takes
it up: then `prepared_calls` makes it of what the payments ask for that are left in it.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Hashable, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection

from victor_ext import InvalidRequest
from victor_ext._event_queue.databases import Condition
from victor_ext._event_queue.rows import change_rows, insert_rows, put_rows
from victor_ext._settlement.flow import MAY_EXIST
from victor_ext._settlement.key_age import SentSince
from victor_ext._values.ids import reference_of
from victor_ext.outbox._files import (
    ENTRIES,
    FileCall,
    FileTerms,
    clear_restored,
    end_sending,
    entry_values,
    lock_waiting,
    put_entries,
    remove_entries,
    renew_entries,
    sent_since,
)

from ._deciding import NEW, Verdict
from ._joining import Joined, joined
from ._payments import (
    ASKED_ROW,
    DIGESTS,
    LINES,
    NEVER_LEFT,
    PAYMENTS,
    SHEETS,
    STATE,
    TO_BE_SENT,
    UNREADABLE,
    WITH_ENTRIES,
    WITH_ROWS,
    RequestedPayment,
    Sheet,
    lock_payments,
    pages,
)
from ._rows import NOTHING_OWN, Arguments, content_of, key_after
from ._source_rows import SourceRow, SourceRows
from ._store import Store

# Sheets


def insert_sheet(
    connection: Connection, store: Store, sheet: Sheet, *, digest: str, now: SentSince
) -> int:
    """Store a sheet without its lines. Returns its number. `digest` is equal for equal sheets."""
    values = {
        "owner": store.owner,
        "batch": store.batch,
        "address": store.address,
        "details": store.vault.sealed([sheet.key_column, sheet.headings]),
        "digest": digest,
        "stored_at": time.time(),
        "stored": json.dumps(now),
    }
    inserted = connection.execute(sa.insert(SHEETS).values(values)).inserted_primary_key
    assert inserted is not None
    return int(inserted[0])


def add_sheet(
    connection: Connection,
    store: Store,
    sheet: Sheet,
    rows: SourceRows,
    *,
    digest: str,
    now: SentSince,
) -> int:
    """Store a sheet and its lines. Returns its number."""
    number = insert_sheet(connection, store, sheet, digest=digest, now=now)
    for page in pages(rows.all()):
        insert_rows(connection, LINES, [_line_values(store, number, row) for row in page])
    return number


def _line_values(store: Store, sheet: int, row: SourceRow) -> dict[str, Any]:
    """Return the columns of the line of a row, with their values."""
    problems = None if row.problems is None else store.vault.sealed(json.loads(row.problems))
    return {
        **row.asked._asdict(),
        "sheet": sheet,
        "line": row.line,
        "key": row.asked.key or None,
        "is_valid": bool(row.asked.is_valid),  # of SQLite, which has numbers
        "problems": problems,
    }


# What a sheet wants becomes what is asked


def apply(
    connection: Connection,
    store: Store,
    sheet: Sheet,
    now: SentSince,
    rows: SourceRows,
    note: Callable[[Sequence[Joined]], None],
) -> None:
    """Let what the latest sheet of the batch wants be asked for, and pull back what waits and is
    not wanted. What is under way with other values is not sent later.

    Args:
        sheet: The latest sheet of the batch.
        now: The present time of the provider.
        rows: The rows of the sheet.
        note: Called with all rows that have a key, in pages.
    """
    lock_waiting(connection, store.is_entry())
    asked = _Asked([], {})
    pulled: list[str] = []
    all_joins = joined(connection, store.owner, sheet, rows.pages_by_key(), lock=True)
    for joins in pages(all_joins):
        note(joins)
        for each in joins:
            if each.verdict.asks:
                asked.add(each.row.number, each.verdict)
            elif each.payment is not None and _is_to_pull(store, each):
                pulled.append(each.payment.key)
        outdated = [each.payment.entry for each in joins if each.payment and _is_outdated(each)]
        end_sending(connection, store.owner, outdated)
    for page in pages(pulled):
        take_from_entries(connection, store, page)
    pull_back_unlisted(connection, store, sheet.id)
    asked.numbers.sort()
    _ask(connection, store, sheet, now, rows, asked)


class _Asked(NamedTuple):
    """The rows that are asked for.

    Attributes:
        numbers: Their numbers, in the end in their order.
        again: What is decided about those that are no first request, by their numbers.
    """

    numbers: list[int]
    again: dict[int, Verdict]

    def add(self, number: int, verdict: Verdict) -> None:
        self.numbers.append(number)
        if verdict.again or verdict.since is not None:
            self.again[number] = verdict

    def since(self, number: int) -> str | None:
        """The time since which it may have been sent: as of `Verdict`."""
        return self.again[number].since if number in self.again else None


def _is_to_pull(store: Store, each: Joined) -> bool:
    """Whether the payment of a row waits in this batch, and the row is not asked for."""
    payment, outcome = each.payment, each.verdict.outcome
    assert payment is not None
    is_waiting = payment.entry is not None and payment.state in NEVER_LEFT
    return is_waiting and payment.batch == store.batch and outcome != payment.state


def _is_outdated(each: Joined) -> bool:
    """Whether the payment of a row may be under way with other values, or be repeated with them."""
    return each.verdict.outcome in MAY_EXIST and each.verdict.code is not None


def pull_back_unlisted(connection: Connection, store: Store, sheet: int | None) -> None:
    """Let nothing of the batch be asked for that waits, and that this sheet lacks."""
    waits = sa.and_(PAYMENTS.c.entry.is_not(None), STATE.in_(NEVER_LEFT))
    unlisted = sa.and_(store.is_lacking(sheet), waits)
    for page in pages(locked_keys(connection, store, unlisted)):
        take_from_entries(connection, store, page)


def waits_outdated(store: Store, sheet: Sheet) -> Condition:
    """Whether a payment of the batch waits with other values than its latest sheet has: it was in
    doubt when that was stored.
    """
    lines, columns = LINES.c, PAYMENTS.c
    is_wanted = sa.exists().where(
        lines.key == columns.key,
        lines.sheet == sheet.id,
        lines.is_valid,
        lines.values_digest == columns.values_digest,
        lines.due_date.is_not_distinct_from(columns.due_date),
    )
    waits = sa.and_(columns.entry.is_not(None), STATE.in_(TO_BE_SENT))
    return sa.and_(store.is_of_batch(), waits, sa.not_(is_wanted.correlate(PAYMENTS)))


def _ask(
    connection: Connection,
    store: Store,
    sheet: Sheet,
    now: SentSince,
    rows: SourceRows,
    asked: _Asked,
) -> None:
    """Store the payments of rows, in their order, and the entries that ask for them."""
    are_shared = store.kind.are_shared
    common = _common_columns(store, sheet)
    terms = _terms(store)
    stored_now = json.dumps(now)
    for numbers in pages(asked.numbers):
        page = rows.with_numbers(numbers)
        if are_shared:  # an entry of its own is replaced where it stands
            take_from_entries(connection, store, [row.key for row in page])
        payments: list[dict[str, Any]] = []
        entries: list[dict[str, Any]] = []
        earlier: list[str] = []
        for row in page:
            verdict = asked.again.get(row.number, NEW)
            since, again = verdict.since, verdict.again
            key = key_after(row.key, again)
            own = {"key": row.key, "entry": None if are_shared else key, "again": again}
            times = {"stored": since or stored_now, "restored": since is not None}
            payments.append(common | _columns_of(row) | own | times)
            if again:
                earlier.append(key_after(row.key, again - 1))
            if not are_shared:
                values = entry_values(terms, key, _reference(store, row, key))
                entries.append(values | _values_since(since))
        put_rows(connection, PAYMENTS, payments, ("owner", "key"))
        put_entries(connection, entries)
        # What the earlier key of a row that is asked once more can create is not in doubt.
        clear_restored(connection, store.owner, earlier)
    if are_shared:
        _ask_in_units(connection, store, rows, asked)


def _terms(store: Store) -> FileTerms:
    """Return what the entries of a batch have in common."""
    kind, provider = store.kind, str(store.client.provider)
    batch = store.owner, store.address, store.batch
    return FileTerms(provider, kind.operation, *batch, shared=kind.are_shared)


def _reference(store: Store, row: RequestedPayment, key: str) -> str:
    """Return the digest of the reference of a row; of its key, if it has none."""
    has_none = row.reference_digest == store.vault.fingerprint(reference_of(None))
    return store.vault.fingerprint(key) if has_none else row.reference_digest


def _ask_in_units(connection: Connection, store: Store, rows: SourceRows, asked: _Asked) -> None:
    """Store the entries that ask for rows in as few calls as they take. A row that is only looked
    up is in no call with rows that are sent.
    """
    units: dict[tuple[str | None, Hashable], list[str]] = {}

    def put(unit: Sequence[str], since: str | None) -> None:
        entry = str(uuid.uuid4())  # it is not sent: what takes several rows takes no key
        values = entry_values(_terms(store), entry, store.vault.fingerprint(entry))
        put_entries(connection, [values | _values_since(since)])
        for keys in pages(unit):
            change_rows(connection, PAYMENTS, store.has_key(keys), entry=entry)

    for page in map(rows.with_numbers, pages(asked.numbers)):
        for row in page:
            arguments = content_of(store.vault, row.row).arguments
            assert arguments is not None  # no invalid or forgotten row is asked for
            since = asked.since(row.number)
            group = since, store.kind.group(arguments)
            unit = units.setdefault(group, [])
            unit.append(row.key)
            if len(unit) == store.kind.rows_per_call:
                put(units.pop(group), since)
    for (since, _), unit in units.items():
        put(unit, since)


def _common_columns(store: Store, sheet: Sheet) -> dict[str, Any]:
    """Return the columns, with their values, that all payments of a sheet have in common which are
    asked for at once.
    """
    return {
        **NOTHING_OWN,
        "owner": store.owner,
        "shared": store.kind.are_shared,
        "batch": store.batch,
        "sheet": sheet.id,
        "stored_at": time.time(),
    }


def _columns_of(row: RequestedPayment) -> dict[str, Any]:
    """Return the columns of a payment, with their values, that its row has, too."""
    return {
        "number": row.number,
        **{name: getattr(row, name) for name in DIGESTS},
        "due_date": None if row.due_date == UNREADABLE else row.due_date,
    }


def _values_since(since: str | None) -> dict[str, Any]:
    """Return the column values of an entry that may have been sent since a moment; None: it was
    not.
    """
    return {} if since is None else sent_since(SentSince(*json.loads(since)))


def locked_keys(connection: Connection, store: Store, chosen: Condition) -> list[str]:
    """Lock the payments that are chosen, and return the keys of those that are chosen still: a
    worker may have begun some since they were read.
    """
    query = sa.select(PAYMENTS.c.key).select_from(WITH_ENTRIES).where(chosen)
    keys: list[str] = []
    for page in pages(sorted(connection.execute(query).scalars())):
        lock_payments(connection, store.owner, page)
        keys += connection.execute(query.where(PAYMENTS.c.key.in_(page))).scalars()
    return keys


# Entries


def take_from_entries(connection: Connection, store: Store, keys: Sequence[str]) -> None:
    """Let payments that wait, or were refused here, be asked for by no entry. The other rows of
    their units stay.
    """
    columns = PAYMENTS.c
    query = sa.select(columns.entry).select_from(WITH_ENTRIES)
    # Nothing was sent for a refused entry. That of several payments stays: its other payments would
    # be sent once more.
    waits = ENTRIES.c.state.in_(["waiting"] if store.kind.are_shared else ["waiting", "refused"])
    entries = set(connection.execute(query.where(store.has_key(keys), waits)).scalars())
    is_refused = columns.state == "refused"
    is_free = sa.and_(store.has_key(keys), sa.or_(columns.entry.in_(entries), is_refused))
    change_rows(connection, PAYMENTS, is_free, entry=None, **NOTHING_OWN)
    is_asked = sa.and_(columns.owner == store.owner, columns.entry.in_(entries))
    smaller = set(connection.execute(sa.select(columns.entry).where(is_asked)).scalars())
    renew_entries(connection, store.owner, smaller)
    remove_entries(connection, store.owner, entries - smaller)


def prepared_calls(
    connection: Connection, store: Store, keys: Sequence[str]
) -> dict[str, FileCall | InvalidRequest]:
    """Return the calls of entries by their keys, made of what their payments ask for; or why one
    cannot be made.
    """
    columns = PAYMENTS.c
    is_asked = sa.and_(columns.owner == store.owner, columns.entry.in_(keys))
    query = sa.select(columns.entry, ASKED_ROW).select_from(WITH_ROWS).where(is_asked)
    rows: dict[str, list[Arguments]] = {}
    for entry, row in connection.execute(query.order_by(columns.sheet, columns.number)):
        arguments = content_of(store.vault, row).arguments or {}
        rows.setdefault(entry, []).append(store.kind.checked_arguments(arguments))
    calls: dict[str, FileCall | InvalidRequest] = {}
    for key, asked in rows.items():
        try:
            call = store.kind.call_for(asked, key)
            calls[key] = FileCall(call, store.kind.look_up_by(asked[0]))
        except InvalidRequest as error:
            calls[key] = error
    return calls
