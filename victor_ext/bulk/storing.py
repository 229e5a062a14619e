"""Write what is decided about the rows of a source: their payments with the entries that ask for
them (`store_payments`), and the lines of the batch (`replace_lines`).

`EntryMaker` makes the entries. Rows that are sent in one call, such as the payments of a payout,
are a unit. A unit that waits is taken apart when one of its rows is replaced or left out, and the
others are sent in a new one.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from victor_ext.event_queue.databases import Condition
from victor_ext.event_queue.rows import change_rows, delete_rows, put_rows
from victor_ext.outbox.files import (
    ENTRIES,
    FileTerms,
    clear_restored,
    entry_values,
    lock_entries,
    put_entries,
    remove_entries,
    sent_since,
)
from victor_ext.settlement.key_age import SentSince

from .deciding import Act
from .payments import (
    ASKED,
    IN_DOUBT,
    LEFT_OUT,
    LINES,
    NEVER_LEFT,
    PAYMENT_COLUMNS,
    STATE,
    UNREADABLE,
    WITH_ENTRIES,
    KeyOrigin,
    RequestedPayment,
    lock_payments,
    pages,
)
from .row_kind import RowKind
from .rows import Arguments, FileRow, Result, RowContent, RowOutcome, own_values, row_of
from .source_rows import SourceRow, SourceRows
from .store import Store
from .vault import RowVault


@dataclass(frozen=True, slots=True)
class EntryMaker:
    """Makes the entries for rows of one kind.

    Attributes:
        terms: What the entries have in common.
    """

    kind: RowKind
    vault: RowVault
    terms: FileTerms

    @property
    def are_shared(self) -> bool:
        """Whether several rows are sent in one call."""
        return self.kind.rows_per_call > 1

    def for_row(self, arguments: Arguments, key: str) -> dict[str, Any]:
        """Return the columns of the entry that sends one row, with their values, from its stored
        arguments. Raises `InvalidRequest`.
        """
        return self.for_rows([arguments], key)

    def for_rows(self, rows: Sequence[Arguments], key: str) -> dict[str, Any]:
        """As `for_row`, of the entry that sends these rows in one call."""
        checked = [self.kind.checked_arguments(arguments) for arguments in rows]
        call = self.kind.call_for(checked, key)
        look_up_by = self.kind.look_up_by(checked[0])
        return entry_values(call, self.kind.client, key, self.vault, self.terms, look_up_by)


def take_from_entries(
    connection: Connection, store: Store, maker: EntryMaker, keys: Sequence[str]
) -> None:
    """Let payments that wait be asked for by no entry. The other rows of their units get new ones.

    The payments are without a state then, until the caller stores one.
    """
    columns = ASKED.c
    query = sa.select(columns.entry).select_from(WITH_ENTRIES)
    # Nothing was sent for a refused entry. That of several payments stays: its other payments would
    # be sent once more.
    waits = ENTRIES.c.state.in_(["waiting"] if maker.are_shared else ["waiting", "refused"])
    entries = list(connection.execute(query.where(store.has_key(keys), waits)).scalars())
    others: list[Any] = []
    if maker.are_shared and entries:
        own = (ENTRIES.c.sender, ENTRIES.c.kept, ENTRIES.c.batch.label("entry_batch"))
        shared = sa.select(*PAYMENT_COLUMNS, *own).select_from(WITH_ENTRIES)
        in_units = sa.and_(columns.owner == store.owner, columns.entry.in_(entries))
        others = [*connection.execute(shared.where(in_units, columns.key.not_in(keys))).all()]
    for page in pages(entries):
        remove_entries(connection, store.owner, page)
    is_in_units = sa.and_(store.has_key(keys), columns.entry.in_(entries))
    change_rows(connection, ASKED, is_in_units, entry=None)
    _put_again(connection, store, maker, others)


def _put_again(
    connection: Connection, store: Store, maker: EntryMaker, payments: Iterable[Any]
) -> None:
    """Store new entries, on the old terms, for payments whose units were taken apart."""
    by_terms: dict[FileTerms, dict[str, Arguments]] = {}
    for payment in payments:
        terms = FileTerms(store.owner, payment.sender, payment.entry_batch, payment.kept)
        arguments = row_of(store.vault, payment).arguments or {}
        by_terms.setdefault(terms, {})[payment.key] = arguments
    for terms, rows in by_terms.items():
        put_units(connection, store, replace(maker, terms=terms), rows)


def put_units(
    connection: Connection, store: Store, maker: EntryMaker, rows: Mapping[str, Arguments]
) -> None:
    """Store the entries that ask for payments in as few calls as they take. `rows` has what each
    asks for, by its key.
    """
    groups: dict[Hashable, list[str]] = {}
    for key, arguments in rows.items():
        groups.setdefault(maker.kind.group(arguments), []).append(key)
    for group in groups.values():
        for keys in pages(group, maker.kind.rows_per_call):
            put_unit(connection, store, maker, {key: rows[key] for key in keys})


def put_unit(
    connection: Connection,
    store: Store,
    maker: EntryMaker,
    rows: Mapping[str, Arguments],
    since: Mapping[str, Any] = MappingProxyType({}),
) -> None:
    """Store the entry that asks for payments in one call. `rows` is as of `put_units`, and `since`
    as of `sent_since`, for payments that may have been sent.
    """
    key = str(uuid.uuid4())  # it is not sent: what takes several rows takes no key
    entry = {**maker.for_rows([*rows.values()], key), **since}
    put_entries(connection, [entry])
    change_rows(connection, ASKED, store.has_key([*rows]), entry=key)


def new_payment(
    store: Store,
    asked: RequestedPayment,
    origin: str,
    stored: str,
    *,
    again: int = 0,
    is_shared: bool = False,
) -> dict[str, Any]:
    """Return the columns of a payment, with their values, that a new entry of its own asks for.

    Args:
        origin: What its key is made of, as it is stored: `KeyOrigin.text`.
        stored: When it is stored, as JSON of a `SentSince`.
    """
    return {
        "owner": store.owner,
        "key": asked.key,
        "entry": FileRow.key_after(asked.key, again),
        "shared": is_shared,
        "state": None,
        "batch": store.batch,
        "again": again,
        "allowed": False,
        "account": store.account,
        "kind": origin,
        "values_digest": asked.values_digest,
        "skeleton_digest": asked.skeleton_digest,
        "reference_digest": asked.reference_digest,
        "due_date": None if asked.due_date == UNREADABLE else asked.due_date,
        "row": asked.row,
        "result": None,
        "made": None,
        "stored_at": time.time(),
        "stored": stored,
        "forgotten": False,
        "restored": False,
    }


def lock_unsent(connection: Connection, store: Store) -> None:
    """Let no worker begin the entries of the batch that wait, until the transaction ends."""
    lock_entries(connection, sa.and_(store.is_entry(), ENTRIES.c.state == "waiting"))


def store_payments(
    connection: Connection,
    store: Store,
    rows: SourceRows,
    maker: EntryMaker,
    origin: KeyOrigin,
    now: SentSince,
) -> None:
    """Store the payments of the rows that are sent, or are stored as refused, and the entries that
    ask for those that are sent.
    """
    for page in pages(rows.to_store()):
        taken = [row for row in page if maker.are_shared or row.act == Act.REFUSE.name]
        take_from_entries(connection, store, maker, [str(row.key) for row in taken])
    for page in pages(rows.to_store()):
        payments: list[dict[str, Any]] = []
        for row in page:
            payment = new_payment(
                store,
                row.payment(),
                origin.text,
                row.since or json.dumps(now),
                again=row.again,
                is_shared=maker.are_shared,
            )
            payments.append(payment | _values_decided(store, row))
        put_rows(connection, ASKED, payments, ("owner", "key"))
        if not maker.are_shared:
            sent = (row for row in page if row.act == Act.STORE.name)
            put_entries(connection, [_entry_values(maker, row) for row in sent])
        # What the earlier key of a row that is asked once more can create is not in doubt.
        earlier_keys = [
            FileRow.key_after(row.key, row.again - 1) for row in page if row.again and row.key
        ]
        clear_restored(connection, store.owner, earlier_keys)
    for unit in rows.units():
        rows_of_unit = {str(row.key): _arguments(store.vault, row) for row in unit}
        put_unit(connection, store, maker, rows_of_unit, _values_since(unit[0].since))


def _values_decided(store: Store, row: SourceRow) -> dict[str, Any]:
    """Return the columns of a row's payment that differ from those of a new one that is sent."""
    restored = {"restored": row.since is not None}
    if row.act != Act.REFUSE.name:
        return restored
    # Its problems say why it is refused, or else the message of its notice.
    reasons = row._replace(message=None).reasons() or row.message or ""
    refusal = own_values(store.vault, Result(RowOutcome.REFUSED, error=reasons))
    return restored | refusal | {"entry": None}


def _entry_values(maker: EntryMaker, row: SourceRow) -> dict[str, Any]:
    """Return the columns of the entry that asks for a row, with their values."""
    if row.again == 0 and row.entry is not None:
        entry = json.loads(row.entry)
    else:
        key = FileRow.key_after(row.payment().key, row.again)
        entry = maker.for_row(_arguments(maker.vault, row), key)
    return {**entry, **_values_since(row.since)}


def _arguments(vault: RowVault, row: SourceRow) -> Arguments:
    """Return what a row that is sent asks for."""
    arguments = RowContent.of_stored(vault, row.payment().row).arguments
    assert arguments is not None  # no invalid row is sent
    return arguments


def _values_since(since: str | None) -> dict[str, Any]:
    """Return the column values of an entry that may have been sent since a moment; None: it was
    not.
    """
    return {} if since is None else sent_since(SentSince(*json.loads(since)))


def replace_lines(
    connection: Connection,
    store: Store,
    maker: EntryMaker,
    rows: SourceRows,
) -> int:
    """Replace the lines of the batch by the rows of this source.

    A payment of the batch that the source lacks is left out if it was never sent. If it is in
    doubt, it gets an unlisted line, with a number below 0, which stays after it is created.

    Returns how many payments are left out.
    """
    query = sa.select(LINES.c.key).where(store.is_line(), LINES.c.number < 0)
    unlisted_before = list(connection.execute(query).scalars())
    delete_rows(connection, LINES, store.is_line())
    for page in pages(rows.all()):
        connection.execute(sa.insert(LINES), [_line_values(store, row) for row in page])
    never_left = STATE.in_(NEVER_LEFT - {LEFT_OUT})
    left_out = locked_keys(connection, store, sa.and_(_is_lacking(store), never_left))
    leave_out(connection, store, maker, left_out)
    unlisted_keys = _unlisted_keys(connection, store, unlisted_before)
    place = {"owner": store.owner, "batch": store.batch}
    unlisted = [
        {**place, "number": -number, "key": key} for number, key in enumerate(unlisted_keys, 1)
    ]
    for lines in pages(unlisted):
        connection.execute(sa.insert(LINES), lines)
    return len(left_out)


def leave_out(connection: Connection, store: Store, maker: EntryMaker, keys: Sequence[str]) -> None:
    """Let payments that were never sent be asked for by no entry."""
    for page in pages(keys):
        take_from_entries(connection, store, maker, page)
        values = {"state": LEFT_OUT, "entry": None, "result": None, "made": None}
        change_rows(connection, ASKED, store.has_key(page), **values)


def _unlisted_keys(
    connection: Connection,
    store: Store,
    unlisted_before: list[str],
) -> list[str]:
    """Return the keys of the payments that get an unlisted line: those that the source lacks and
    that are in doubt, or had such a line before and are created now.
    """
    keys = set(_lacking(connection, store, STATE.in_(IN_DOUBT)))
    is_created = STATE.in_([RowOutcome.CREATED])
    for page in pages(unlisted_before):
        keys.update(_lacking(connection, store, sa.and_(is_created, ASKED.c.key.in_(page))))
    return sorted(keys)


def locked_keys(connection: Connection, store: Store, chosen: Condition) -> list[str]:
    """Lock the payments that are chosen, and return the keys of those that are chosen still: a
    worker may have begun some since they were read.
    """
    query = sa.select(ASKED.c.key).select_from(WITH_ENTRIES).where(chosen)
    keys: list[str] = []
    for page in pages(sorted(connection.execute(query).scalars())):
        lock_payments(connection, store.owner, page)
        keys += connection.execute(query.where(ASKED.c.key.in_(page))).scalars()
    return keys


def _lacking(connection: Connection, store: Store, chosen: Condition) -> list[str]:
    """Return the keys of the chosen payments of the batch that no line of the batch has."""
    query = sa.select(ASKED.c.key).select_from(WITH_ENTRIES)
    return list(connection.execute(query.where(_is_lacking(store), chosen)).scalars())


def _is_lacking(store: Store) -> Condition:
    """Whether a payment is of the batch, and no line of the batch has it."""
    listed_keys = sa.select(LINES.c.key).where(store.is_line(), LINES.c.key.is_not(None))
    return sa.and_(store.is_of_batch(), ASKED.c.key.not_in(listed_keys))


def _line_values(store: Store, row: SourceRow) -> dict[str, Any]:
    """Return the columns of the line of a row, with their values."""
    message = row.message
    if row.key is None or row.act == Act.SKIP.name:
        # No payment has the problems of this row: the line says them.
        message = row.reasons()
    has_own_row = row.has_own or row.key is None
    return {
        "owner": store.owner,
        "batch": store.batch,
        "number": row.number,
        "key": row.key,
        "code": row.code,
        "row": row.payment().row if has_own_row else None,
        "message": None if message is None else store.vault.sealed(message),
    }
