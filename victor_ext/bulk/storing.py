"""Write what is decided about the rows of a source: their payments (`store_payments`), and the
lines of the batch (`replace_lines`).
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from .deciding import Act
from .payments import (
    IN_DOUBT,
    LEFT_OUT,
    LINES,
    NEVER_LEFT,
    PAYMENTS,
    UNDER_WAY,
    UNREADABLE,
    Condition,
    RequestedPayment,
    keep_ids,
    lock_payments,
    pages,
    upsert,
)
from .rows import RowOutcome
from .source_rows import SourceRow, SourceRows
from .store import Store


@dataclass(frozen=True, slots=True)
class PaymentTerms:
    """What all payments that are stored by one transaction have in common.

    Attributes:
        key_origin: What their keys are made of beside their values: see `deciding.key_origin`.
        key_retention: Seconds for which the provider keeps a key.
        stored: When the payments are stored, as JSON of a `Sent`.
    """

    key_origin: str
    key_retention: float
    stored: str


def new_payment(
    store: Store,
    asked: RequestedPayment,
    terms: PaymentTerms,
) -> dict[str, Any]:
    """Return the columns of a new payment, with their values: it waits, and is in no chunk yet."""
    return {
        "owner": store.owner,
        "key": asked.key,
        "batch": store.batch,
        "account": store.account,
        "chunk": None,
        "worker": None,
        "place": 0,
        "state": RowOutcome.WAITING.value,
        "again": 0,
        "allowed": False,
        "kind": terms.key_origin,
        "values_digest": asked.values_digest,
        "skeleton_digest": asked.skeleton_digest,
        "reference_digest": asked.reference_digest,
        "made_digest": None,
        "due_date": None if asked.due_date == UNREADABLE else asked.due_date,
        "row": asked.row,
        "sent": None,
        "result": None,
        "kept": terms.key_retention,
        "stored_at": time.time(),
        "stored": terms.stored,
        "forgotten": False,
        "restored": False,
    }


def lock_unsent(connection: Connection, store: Store) -> None:
    """Lock the payments of the batch that were never sent: no worker begins them until the
    transaction ends.
    """
    is_unsent = sa.and_(store.is_of_batch(), PAYMENTS.c.state.in_(NEVER_LEFT))
    lock_payments(connection, is_unsent, columns=(PAYMENTS.c.key, PAYMENTS.c.place))


def store_payments(
    connection: Connection,
    store: Store,
    rows: SourceRows,
    terms: PaymentTerms,
) -> None:
    """Store the payments of the rows that are sent, or are stored as refused."""
    for page in pages(rows.to_store()):
        values = [_payment_values(store, row, terms) for row in page]
        keep_ids(connection, store.has_key([payment["key"] for payment in values]))
        upsert(connection, PAYMENTS, values)


def _payment_values(
    store: Store,
    row: SourceRow,
    terms: PaymentTerms,
) -> dict[str, Any]:
    """Return the columns of a row's payment, with their values."""
    payment = new_payment(store, row.payment(), terms) | {"again": row.again}
    if row.since is not None:
        payment |= {"restored": True, "stored": row.since}
    if row.act == Act.REFUSE.name:
        return payment | _refusal_values(store, row)
    assert row.chunk is not None
    payment |= {"chunk": store.chunk(row.chunk), "place": row.place}
    if row.since is not None:
        payment |= {"state": UNDER_WAY, "sent": row.since}
    return payment


def _refusal_values(store: Store, row: SourceRow) -> dict[str, Any]:
    """Return the columns that differ for a refused payment. Its problems say why it is refused, or
    else the message of its notice.
    """
    reasons = row._replace(message=None).reasons() or row.message or ""
    result = store.vault.serialize([None, None, reasons, None])
    return {"state": RowOutcome.REFUSED.value, "result": result}


def replace_lines(
    connection: Connection,
    store: Store,
    rows: SourceRows,
) -> int:
    """Replace the lines of the batch by the rows of this source.

    A payment of the batch that the source lacks is left out if it was never sent. If it is in
    doubt, it gets an unlisted line, with a number below 0, which stays after it is created.

    Returns how many payments are left out.
    """
    query = sa.select(LINES.c.key).where(store.is_line(), LINES.c.number < 0)
    unlisted_before = list(connection.execute(query).scalars())
    connection.execute(sa.delete(LINES).where(store.is_line()))
    for page in pages(rows.all()):
        connection.execute(sa.insert(LINES), [_line_values(store, row) for row in page])
    left_out_count = _leave_out(connection, store)
    unlisted_keys = _unlisted_keys(connection, store, unlisted_before)
    for lines in pages(_unlisted_lines(store, unlisted_keys)):
        connection.execute(sa.insert(LINES), lines)
    return left_out_count


def _leave_out(connection: Connection, store: Store) -> int:
    """Mark the payments of the batch that were never sent and have no line as left out. Return
    their number.
    """
    never_left = PAYMENTS.c.state.in_(NEVER_LEFT - {LEFT_OUT})
    is_left_out = sa.and_(_is_lacking(store), never_left)
    change = sa.update(PAYMENTS).where(is_left_out).values(state=LEFT_OUT)
    return connection.execute(change).rowcount


def _unlisted_keys(
    connection: Connection,
    store: Store,
    unlisted_before: list[str],
) -> list[str]:
    """Return the keys of the payments that get an unlisted line: those that the source lacks and
    that are in doubt, or had such a line before and are created now.
    """
    columns = PAYMENTS.c
    lacking = sa.select(columns.key).where(_is_lacking(store))
    in_doubt = connection.execute(lacking.where(columns.state.in_(IN_DOUBT)))
    keys = set(in_doubt.scalars())
    created = lacking.where(columns.state == RowOutcome.CREATED.value)
    for page in pages(unlisted_before):
        keys.update(connection.execute(created.where(columns.key.in_(page))).scalars())
    return sorted(keys)


def _is_lacking(store: Store) -> Condition:
    """Whether a payment is of the batch, and no line of the batch has it."""
    listed_keys = sa.select(LINES.c.key).where(store.is_line(), LINES.c.key.is_not(None))
    return sa.and_(store.is_of_batch(), PAYMENTS.c.key.not_in(listed_keys))


def _unlisted_lines(store: Store, keys: list[str]) -> Iterator[dict[str, Any]]:
    """Yield the columns of an unlisted line for each key, with their values."""
    for number, key in enumerate(keys, 1):
        yield {"owner": store.owner, "batch": store.batch, "number": -number, "key": key}


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
        "message": None if message is None else store.vault.serialize(message),
    }
