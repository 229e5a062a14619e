"""Write what is decided about the rows of a source: their payments with the entries that ask for
them (`store_payments`), and the lines of the batch (`replace_lines`).
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from victor_ext.event_queue.databases import Condition
from victor_ext.event_queue.rows import change_rows, delete_rows, put_rows
from victor_ext.outbox.files import (
    ENTRIES,
    clear_restored,
    lock_entries,
    put_entries,
    sent_since,
)
from victor_ext.settlement.key_age import Sent

from .deciding import Act
from .payments import (
    ASKED,
    IN_DOUBT,
    LEFT_OUT,
    LINES,
    NEVER_LEFT,
    STATE,
    UNREADABLE,
    WITH_ENTRIES,
    RequestedPayment,
    lock_payments,
    pages,
)
from .rows import Result, Row, RowOutcome, own_values
from .source_rows import SourceRow, SourceRows
from .store import Store
from .units import Calls, put_unit, take_from_entries


@dataclass(frozen=True, slots=True)
class PaymentTerms:
    """What all payments that are stored by one transaction have in common.

    Attributes:
        key_origin: What their keys are made of, as it is stored: `KeyOrigin.text`.
        stored: When the payments are stored, as JSON of a `Sent`.
    """

    key_origin: str
    stored: str


def new_payment(
    store: Store,
    asked: RequestedPayment,
    terms: PaymentTerms,
    *,
    again: int = 0,
    is_shared: bool = False,
) -> dict[str, Any]:
    """Return the columns of a payment, with their values, that a new entry of its own asks for."""
    return {
        "owner": store.owner,
        "key": asked.key,
        "entry": Row.key_after(asked.key, again),
        "shared": is_shared,
        "state": None,
        "batch": store.batch,
        "again": again,
        "allowed": False,
        "account": store.account,
        "kind": terms.key_origin,
        "values_digest": asked.values_digest,
        "skeleton_digest": asked.skeleton_digest,
        "reference_digest": asked.reference_digest,
        "due_date": None if asked.due_date == UNREADABLE else asked.due_date,
        "row": asked.row,
        "result": None,
        "made": None,
        "stored_at": time.time(),
        "stored": terms.stored,
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
    calls: Calls,
    terms: PaymentTerms,
) -> None:
    """Store the payments of the rows that are sent, or are stored as refused, and the entries that
    ask for those that are sent.
    """
    for page in pages(rows.to_store()):
        taken = [row for row in page if calls.are_shared or row.act == Act.REFUSE.name]
        take_from_entries(connection, store, calls, [str(row.key) for row in taken])
    for page in pages(rows.to_store()):
        payments = [_payment_values(store, row, calls, terms) for row in page]
        put_rows(connection, ASKED, payments, ("owner", "key"))
        if not calls.are_shared:
            sent = (row for row in page if row.act == Act.STORE.name)
            put_entries(connection, [_entry_values(calls, row) for row in sent])
        # What the earlier key of a row that is asked once more can create is not in doubt.
        earlier_keys = [
            Row.key_after(row.key, row.again - 1) for row in page if row.again and row.key
        ]
        clear_restored(connection, store.owner, earlier_keys)
    for unit in rows.units():
        rows_of_unit = {str(row.key): store.vault.deserialize(row.payment().row)[2] for row in unit}
        put_unit(connection, store, calls, rows_of_unit, _values_since(unit[0].since))


def _payment_values(
    store: Store, row: SourceRow, calls: Calls, terms: PaymentTerms
) -> dict[str, Any]:
    """Return the columns of a row's payment, with their values."""
    asked = row.payment()
    payment = new_payment(store, asked, terms, again=row.again, is_shared=calls.are_shared)
    if row.since is not None:
        payment |= {"restored": True, "stored": row.since}
    if row.act != Act.REFUSE.name:
        return payment
    # Its problems say why it is refused, or else the message of its notice.
    reasons = row._replace(message=None).reasons() or row.message or ""
    refusal = own_values(store.vault, Result(RowOutcome.REFUSED, error=reasons))
    return payment | refusal | {"entry": None}


def _entry_values(calls: Calls, row: SourceRow) -> dict[str, Any]:
    """Return the columns of the entry that asks for a row, with their values."""
    if row.again == 0 and row.entry is not None:
        entry = json.loads(row.entry)
    else:
        asked = row.payment()
        arguments = calls.vault.deserialize(asked.row)[2]
        entry = calls.for_row(arguments, Row.key_after(asked.key, row.again))
    return {**entry, **_values_since(row.since)}


def _values_since(since: str | None) -> dict[str, Any]:
    """Return the column values of an entry that may have been sent since a moment; None: it was
    not.
    """
    return {} if since is None else sent_since(Sent(*json.loads(since)))


def replace_lines(
    connection: Connection,
    store: Store,
    calls: Calls,
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
    leave_out(connection, store, calls, left_out)
    unlisted_keys = _unlisted_keys(connection, store, unlisted_before)
    place = {"owner": store.owner, "batch": store.batch}
    unlisted = [
        {**place, "number": -number, "key": key} for number, key in enumerate(unlisted_keys, 1)
    ]
    for lines in pages(unlisted):
        connection.execute(sa.insert(LINES), lines)
    return len(left_out)


def leave_out(connection: Connection, store: Store, calls: Calls, keys: Sequence[str]) -> None:
    """Let payments that were never sent be asked for by no entry."""
    for page in pages(keys):
        take_from_entries(connection, store, calls, page)
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
