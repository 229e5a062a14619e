"""Write what is decided about the rows of a source: their payments, and the lines of the batch."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from victor_ext.settlement.key_age import Sent

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
    lock_payments,
    pages,
    upsert,
)
from .rows import RowOutcome
from .source_rows import SourceRow, SourceRows
from .store import Store


@dataclass(frozen=True, slots=True)
class PaymentTerms:
    """What payments have in common that are stored together.

    Attributes:
        kind: What their keys are made of: see `key_origin`.
        key_retention: Seconds for which the provider keeps a key.
        stored: When they are stored, as a time of sending, as JSON.
    """

    kind: str
    key_retention: float
    stored: str


def new_payment(
    store: Store,
    asked: RequestedPayment,
    terms: PaymentTerms,
) -> dict[str, Any]:
    """Return the values of a payment that waits for its chunk: nothing of it was sent."""
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
        "kind": terms.kind,
        "values_digest": asked.values_digest,
        "spelling_digest": asked.spelling_digest,
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
    """Let nobody send anything of the batch that has not left until the transaction ends."""
    is_unsent = sa.and_(store.is_of_batch(), PAYMENTS.c.state.in_(NEVER_LEFT))
    lock_payments(connection, is_unsent, columns=(PAYMENTS.c.key, PAYMENTS.c.place))


def store_payments(
    connection: Connection,
    store: Store,
    rows: SourceRows,
    terms: PaymentTerms,
) -> None:
    """Store the payments of the rows that are sent, or refused."""
    for page in pages(rows.to_store()):
        upsert(connection, PAYMENTS, [_payment(store, row, terms) for row in page])


def _payment(
    store: Store,
    row: SourceRow,
    terms: PaymentTerms,
) -> dict[str, Any]:
    payment = new_payment(store, row.payment(), terms) | {"again": row.again}
    if row.since is not None:
        payment |= {"restored": True, "stored": row.since}
    if row.act == Act.REFUSE.name:
        return payment | _refusal(store, row)
    assert row.chunk is not None
    payment |= {"chunk": store.chunk(row.chunk), "place": row.place}
    if row.since is not None:
        payment |= {"state": UNDER_WAY, "sent": _only_looked_up(row.since)}
    return payment


def _refusal(store: Store, row: SourceRow) -> dict[str, Any]:
    """Return what became of a row that is not sent: its problems say why, or else its notice."""
    reasons = row._replace(message=None).reasons() or row.message or ""
    result = store.vault.serialize([None, None, reasons, None])
    return {"state": RowOutcome.REFUSED.value, "result": result}


def _only_looked_up(since: str) -> str:
    """Return a time of sending as that of a payment that is never sent again."""
    sent = Sent.from_json(json.loads(since))
    return json.dumps(None if sent is None else sent._replace(looked_up=True))


def replace_lines(
    connection: Connection,
    store: Store,
    rows: SourceRows,
) -> int:
    """Make the rows of this source the lines of the batch. What never left, and is not among them,
    is left out. What is in doubt gets lines of its own, which stay once it is created.

    Returns how many payments are left out.
    """
    before = sa.select(LINES.c.key).where(store.is_line(), LINES.c.number < 0)
    unlisted_before = list(connection.execute(before).scalars())
    connection.execute(sa.delete(LINES).where(store.is_line()))
    for page in pages(rows.all()):
        connection.execute(sa.insert(LINES), [_line(store, row) for row in page])
    left_out = _leave_out(connection, store)
    unlisted = _unlisted(connection, store, unlisted_before)
    for lines in pages(_unlisted_lines(store, unlisted)):
        connection.execute(sa.insert(LINES), lines)
    return left_out


def _leave_out(connection: Connection, store: Store) -> int:
    """Leave out what never left, and is in no line. Return how many are."""
    never_left = PAYMENTS.c.state.in_(NEVER_LEFT - {LEFT_OUT})
    is_left_out = sa.and_(_is_lacking(store), never_left)
    change = sa.update(PAYMENTS).where(is_left_out).values(state=LEFT_OUT)
    return connection.execute(change).rowcount


def _unlisted(
    connection: Connection,
    store: Store,
    before: list[str],
) -> list[str]:
    """Return the keys of what the source lacks, and is in doubt; or was, and is created now."""
    columns = PAYMENTS.c
    lacking = sa.select(columns.key).where(_is_lacking(store))
    in_doubt = connection.execute(lacking.where(columns.state.in_(IN_DOUBT)))
    keys = set(in_doubt.scalars())
    created = lacking.where(columns.state == RowOutcome.CREATED.value)
    for page in pages(before):
        keys.update(connection.execute(created.where(columns.key.in_(page))).scalars())
    return sorted(keys)


def _is_lacking(store: Store) -> Condition:
    """Whether a payment is of the batch, and in none of its lines."""
    listed = sa.select(LINES.c.key).where(store.is_line(), LINES.c.key.is_not(None))
    return sa.and_(store.is_of_batch(), PAYMENTS.c.key.not_in(listed))


def _unlisted_lines(store: Store, keys: list[str]) -> Iterator[dict[str, Any]]:
    for number, key in enumerate(keys, 1):
        yield {"owner": store.owner, "batch": store.batch, "number": -number, "key": key}


def _line(store: Store, row: SourceRow) -> dict[str, Any]:
    message = row.message
    if row.key is None or row.act == Act.SKIP.name:
        message = row.reasons()
    has_own = row.has_own or row.key is None
    return {
        "owner": store.owner,
        "batch": store.batch,
        "number": row.number,
        "key": row.key,
        "code": row.code,
        "row": row.payment().row if has_own else None,
        "message": None if message is None else store.vault.serialize(message),
    }
