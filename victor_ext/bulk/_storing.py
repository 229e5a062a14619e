"""Store a sheet as it was read (`add_sheet`), and make what it wants into what is asked (`apply`).

`apply` alone makes the entries of rows, and pulls back those that wait and that the latest sheet
does not want. It touches no entry that may have been sent. `EntryMaker` makes the entries. Rows
that are sent in one call, such as the payments of a payout, are a unit. A unit that waits is taken
apart when one of its rows is replaced or pulled back, and the others are sent in a new one.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection

from victor_ext._event_queue.databases import Condition
from victor_ext._event_queue.rows import change_rows, insert_rows, put_rows
from victor_ext._event_queue.vault import Vault
from victor_ext._settlement.key_age import SentSince
from victor_ext.outbox._files import (
    ENTRIES,
    FileTerms,
    clear_restored,
    entry_values,
    lock_waiting,
    put_entries,
    remove_entries,
    sent_since,
)

from ._deciding import NEW, Verdict
from ._joining import Joined, Numbers, StoredRows, joined
from ._payments import (
    DIGESTS,
    LINES,
    NEVER_LEFT,
    PAYMENT_COLUMNS,
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
from ._row_kind import RowKind
from ._rows import NOTHING_OWN, Arguments, content_of, key_after
from ._source_rows import SourceRow, SourceRows
from ._store import Store


@dataclass(frozen=True, slots=True)
class EntryMaker:
    """Makes the entries for rows of one kind.

    Attributes:
        terms: What the entries have in common.
    """

    kind: RowKind
    vault: Vault
    terms: FileTerms

    @property
    def are_shared(self) -> bool:
        """Whether several rows are sent in one call."""
        return self.kind.rows_per_call > 1

    def for_rows(self, rows: Sequence[Arguments], key: str) -> dict[str, Any]:
        """Return the columns of the entry that sends rows in one call, with their values, from
        their stored arguments. Raises `InvalidRequest`.
        """
        checked = [self.kind.checked_arguments(arguments) for arguments in rows]
        call = self.kind.call_for(checked, key)
        look_up_by = self.kind.look_up_by(checked[0])
        return entry_values(
            call,
            self.kind.client,
            key,
            self.vault,
            self.terms,
            look_up_by,
            shared=self.are_shared,
        )


# Sheets


def insert_sheet(connection: Connection, store: Store, *, digest: str, now: SentSince) -> int:
    """Store a sheet without its lines. Returns its number. `digest` is equal for equal sheets."""
    values = {
        "owner": store.owner,
        "batch": store.batch,
        "account": store.account,
        "digest": digest,
        "person": store.vault.sealed(store.settings.by),
        "stored_at": time.time(),
        "stored": json.dumps(now),
    }
    inserted = connection.execute(sa.insert(SHEETS).values(values)).inserted_primary_key
    assert inserted is not None
    return int(inserted[0])


def add_sheet(
    connection: Connection,
    store: Store,
    rows: SourceRows,
    *,
    digest: str,
    now: SentSince,
) -> int:
    """Store a sheet and its lines. Returns its number."""
    sheet = insert_sheet(connection, store, digest=digest, now=now)
    for page in pages(rows.all()):
        insert_rows(connection, LINES, [_line_values(store, sheet, row) for row in page])
    return sheet


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
    maker: EntryMaker,
    now: SentSince,
    chosen: Iterable[Sequence[RequestedPayment]],
    rows: SourceRows | StoredRows,
    note: Callable[[Sequence[Joined]], None] | None = None,
) -> None:
    """Let what the latest sheet of the batch wants be asked for, and pull back what waits and is
    not wanted.

    Args:
        sheet: The latest sheet of the batch.
        now: The present time of the provider.
        chosen: The rows of the sheet with a key, in the order of their keys.
        rows: Has them by their numbers; with the entries that were made when a source was read.
        note: Called with all rows, in pages.
    """
    lock_waiting(connection, store.is_entry())
    asked = _Asked(Numbers(), {})
    pulled: list[str] = []
    all_joins = joined(connection, store.owner, sheet, chosen, lock=True)
    for joins in pages(all_joins):
        if note is not None:
            note(joins)
        for each in joins:
            if each.verdict.asks:
                asked.add(each.row.number, each.verdict)
            elif each.payment is not None and _is_to_pull(store, each):
                pulled.append(each.payment.key)
    pulled += locked_keys(connection, store, _waits_unwanted(store, sheet))
    for page in pages(pulled):
        take_from_entries(connection, store, maker, page)
    _ask(connection, store, sheet, maker, now, rows, asked)


class _Asked(NamedTuple):
    """The rows that are asked for.

    Attributes:
        numbers: Their numbers.
        again: What is decided about those that are no first request, by their numbers.
    """

    numbers: Numbers
    again: dict[int, Verdict]

    def add(self, number: int, verdict: Verdict) -> None:
        self.numbers.add(number)
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


def _waits_unwanted(store: Store, sheet: Sheet) -> Condition:
    """Whether a payment of the batch waits, and its latest sheet lacks it."""
    waits = sa.and_(PAYMENTS.c.entry.is_not(None), STATE.in_(NEVER_LEFT))
    return sa.and_(store.is_lacking(sheet.id), waits)


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
    maker: EntryMaker,
    now: SentSince,
    rows: SourceRows | StoredRows,
    asked: _Asked,
) -> None:
    """Store the payments of rows, in their order, and the entries that ask for them."""
    common = _common_columns(store, sheet, maker)
    stored_now = json.dumps(now)
    for numbers in pages(asked.numbers):
        page = rows.with_numbers(numbers)
        if maker.are_shared:  # an entry of its own is replaced where it stands
            take_from_entries(connection, store, maker, [row.key for row in page])
        payments: list[dict[str, Any]] = []
        entries: list[dict[str, Any]] = []
        earlier: list[str] = []
        made = rows.entries(numbers) if isinstance(rows, SourceRows) else {}
        for row in page:
            verdict = asked.again.get(row.number, NEW)
            since, again = verdict.since, verdict.again
            key = key_after(row.key, again)
            times = {"stored": since or stored_now, "restored": since is not None}
            payments.append(common | _own_columns(row, key, again, maker) | times)
            if again:
                earlier.append(key_after(row.key, again - 1))
            if not maker.are_shared:
                if again == 0 and row.number in made:
                    entry = made[row.number].values()
                else:
                    entry = maker.for_rows([_arguments(store, row)], key)
                entries.append({**entry, **_values_since(since)})
        put_rows(connection, PAYMENTS, payments, ("owner", "key"))
        put_entries(connection, entries)
        # What the earlier key of a row that is asked once more can create is not in doubt.
        clear_restored(connection, store.owner, earlier)
    if maker.are_shared:
        _ask_in_units(connection, store, maker, rows, asked)


def _ask_in_units(
    connection: Connection,
    store: Store,
    maker: EntryMaker,
    rows: SourceRows | StoredRows,
    asked: _Asked,
) -> None:
    """Store the entries that ask for rows in as few calls as they take. A row that is only looked
    up is in no call with rows that are sent.
    """
    for since in {None, *(verdict.since for verdict in asked.again.values())}:
        numbers = (number for number in asked.numbers if asked.since(number) == since)
        contents = (
            (row.key, _arguments(store, row))
            for page in map(rows.with_numbers, pages(numbers))
            for row in page
        )
        put_units(connection, store, maker, contents, _values_since(since))


def _common_columns(store: Store, sheet: Sheet, maker: EntryMaker) -> dict[str, Any]:
    """Return the columns, with their values, that all payments of a sheet have in common which are
    asked for at once.
    """
    return {
        **NOTHING_OWN,
        "owner": store.owner,
        "shared": maker.are_shared,
        "batch": store.batch,
        "sheet": sheet.id,
        "account": store.account,
        "stored_at": time.time(),
    }


def _own_columns(row: RequestedPayment, key: str, again: int, maker: EntryMaker) -> dict[str, Any]:
    """Return the columns of its own, with their values, of a payment that a new entry asks for.

    Args:
        key: The key of the entry, if it asks for this payment alone.
    """
    return {
        "key": row.key,
        "entry": None if maker.are_shared else key,
        "number": row.number,
        "again": again,
        **{name: getattr(row, name) for name in DIGESTS},
        "due_date": None if row.due_date == UNREADABLE else row.due_date,
    }


def _arguments(store: Store, row: RequestedPayment) -> Arguments:
    """Return what a row that is asked for asks for."""
    arguments = content_of(store.vault, row.row).arguments
    assert arguments is not None  # no invalid or forgotten row is asked for
    return arguments


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


def take_from_entries(
    connection: Connection, store: Store, maker: EntryMaker, keys: Sequence[str]
) -> None:
    """Let payments that wait, or were refused here, be asked for by no entry. The other rows of
    their units get new ones.
    """
    columns = PAYMENTS.c
    query = sa.select(columns.entry).select_from(WITH_ENTRIES)
    # Nothing was sent for a refused entry. That of several payments stays: its other payments would
    # be sent once more.
    waits = ENTRIES.c.state.in_(["waiting"] if maker.are_shared else ["waiting", "refused"])
    entries = list(connection.execute(query.where(store.has_key(keys), waits)).scalars())
    others: list[Any] = []
    if maker.are_shared and entries:
        own = (ENTRIES.c.sender, ENTRIES.c.kept, ENTRIES.c.batch.label("entry_batch"))
        shared = sa.select(*PAYMENT_COLUMNS, *own).select_from(WITH_ROWS)
        in_units = sa.and_(columns.owner == store.owner, columns.entry.in_(entries))
        others = [*connection.execute(shared.where(in_units, columns.key.not_in(keys))).all()]
    for page in pages(entries):
        remove_entries(connection, store.owner, page)
    is_refused = columns.state == "refused"
    is_free = sa.and_(store.has_key(keys), sa.or_(columns.entry.in_(entries), is_refused))
    change_rows(connection, PAYMENTS, is_free, entry=None, **NOTHING_OWN)
    _put_again(connection, store, maker, others)


def _put_again(
    connection: Connection, store: Store, maker: EntryMaker, payments: Iterable[Any]
) -> None:
    """Store new entries, on the old terms, for payments whose units were taken apart."""
    by_terms: dict[FileTerms, dict[str, Arguments]] = {}
    for payment in payments:
        terms = FileTerms(store.owner, payment.sender, payment.entry_batch, payment.kept)
        arguments = content_of(store.vault, payment.row).arguments or {}
        by_terms.setdefault(terms, {})[payment.key] = arguments
    for terms, rows in by_terms.items():
        put_units(connection, store, replace(maker, terms=terms), rows.items())


def put_units(
    connection: Connection,
    store: Store,
    maker: EntryMaker,
    rows: Iterable[tuple[str, Arguments]],
    since: Mapping[str, Any] = MappingProxyType({}),
) -> None:
    """Store the entries that ask for payments in as few calls as they take.

    Args:
        rows: The keys of the payments, and what each asks for.
        since: The column values of entries that may have been sent since a moment; empty: they
            were not.
    """
    groups: dict[Hashable, dict[str, Arguments]] = {}

    def put(unit: dict[str, Arguments]) -> None:
        entry = str(uuid.uuid4())  # it is not sent: what takes several rows takes no key
        values = maker.for_rows([*unit.values()], entry)
        put_entries(connection, [{**values, **since}])
        for keys in pages(unit):
            change_rows(connection, PAYMENTS, store.has_key(keys), entry=entry)

    for key, arguments in rows:
        group = maker.kind.group(arguments)
        unit = groups.setdefault(group, {})
        unit[key] = arguments
        if len(unit) == maker.kind.rows_per_call:
            put(groups.pop(group))
    for unit in groups.values():
        put(unit)
