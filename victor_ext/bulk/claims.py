"""A chunk at work: a worker takes its payments up, marks them before they leave, and stores what
became of them.

Each run of a chunk has a name of its own (`worker`), and each of its transactions looks whether a
payment is still its own: another worker may have taken it up, a file may have replaced it, or a
person may have asked once more. What is certain is stored all the same, and by its try: a payment
that was asked once more has had another key.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TypeAlias

import sqlalchemy as sa
from sqlalchemy import Connection

from victor_ext.settlement.flow import MAY_EXIST
from victor_ext.settlement.key_age import Sent

from .chunks import enqueue, move
from .contents import row_of, values_of
from .holding import is_held
from .layout import ChunkTerms, next_try
from .payments import ENDED, IN_DOUBT, LINES, PAYMENTS, UNDER_WAY, Condition, is_in, lock_payments
from .rows import Result, Row, RowOutcome
from .state_errors import StateLost
from .store import Store

RowResults: TypeAlias = Sequence[tuple[Row, Result]]
"""Rows as they were taken up, and what became of each."""
_WAS_SENT = MAY_EXIST | {RowOutcome.CREATED, RowOutcome.REJECTED}
_OF_KEY = "of_key"
_OF_TRY = "of_try"
"""Parameters of a statement for many payments: the key of each, and how many it had before."""
_Values: TypeAlias = dict[str, Any]
_LOCKED = (PAYMENTS.c.key, PAYMENTS.c.place, PAYMENTS.c.worker, PAYMENTS.c.state)
"""Who has a payment, and its state, without what it asks for."""


def claim(
    store: Store,
    chunk: str,
    worker: str,
) -> list[Row]:
    """Take up the payments of a chunk: from now on no other worker stores anything of them."""
    is_open = sa.and_(PAYMENTS.c.chunk == chunk, PAYMENTS.c.state.not_in(ENDED))
    with store.transaction() as connection:
        if is_held(connection):
            return []
        stored = lock_payments(connection, is_open)
        connection.execute(sa.update(PAYMENTS).where(is_open).values(worker=worker))
        unlisted = _unlisted(connection, is_open)
    rows = [row_of(store.vault, payment) for payment in stored]
    return [_looked_up(row) if row.payment in unlisted else row for row in rows]


def _unlisted(connection: Connection, chosen: Condition) -> set[str]:
    """Return the keys of those payments that the latest file of no batch has."""
    lines, columns = LINES.c, PAYMENTS.c
    is_its = sa.and_(lines.owner == columns.owner, lines.key == columns.key, lines.number > 0)
    query = sa.select(columns.key).where(chosen, sa.not_(sa.exists().where(is_its)))
    return set(connection.execute(query).scalars())


def _looked_up(row: Row) -> Row:
    """Return a row that no file has: if it may have been sent, it is only looked up."""
    return row if row.sent is None else replace(row, sent=row.sent._replace(looked_up=True))


def begin(
    store: Store,
    worker: str,
    keys: Sequence[str],
    sent: Sent | None,
    results: RowResults,
) -> set[str]:
    """Store results, and that these payments may have been sent from now on.

    Returns the keys that are still this worker's, and whose row no other file has replaced.
    """
    with store.transaction() as connection:
        locked = _lock(store, connection, keys, results)
        _save_results(store, connection, worker, results)
        if is_held(connection):
            return set()
        own = {row.key for row in locked if row.worker == worker and row.state not in ENDED}
        still = own.intersection(keys)
        if still:
            is_new = sa.and_(store.has_key(still), PAYMENTS.c.sent.is_(None))
            values = {"state": UNDER_WAY, "sent": json.dumps(sent)}
            connection.execute(sa.update(PAYMENTS).where(is_new).values(values))
    return still


def _lock(
    store: Store,
    connection: Connection,
    keys: Sequence[str],
    results: RowResults,
) -> list[Any]:
    """Lock payments, and return who has them, and their states.

    Raises `StateLost` if one with a result that was sent is not in the table any more.
    """
    settled = [row.payment for row, _ in results]
    locked = lock_payments(connection, store.has_key([*keys, *settled]), columns=_LOCKED)
    sent = {row.payment for row, result in results if result.outcome in _WAS_SENT}
    if sent - {row.key for row in locked}:
        raise StateLost.deleted("What the state has of payments")
    return locked


def finish(
    store: Store,
    worker: str,
    results: RowResults,
    chunk: str,
    left: Sequence[str],
    terms: ChunkTerms,
) -> None:
    """Store the last results of a chunk; what is `left` of it goes to its next try."""
    with store.transaction() as connection:
        _lock(store, connection, left, results)
        _save_results(store, connection, worker, results)
        if left:
            is_left = sa.and_(store.has_key(left), PAYMENTS.c.chunk == chunk, _is_held_by(worker))
            _try_again(store, connection, is_left, next_try(chunk), terms)


def _try_again(
    store: Store,
    connection: Connection,
    is_left: Condition,
    chunk: str,
    terms: ChunkTerms,
) -> None:
    query = sa.select(PAYMENTS.c.key).where(is_left).order_by(PAYMENTS.c.place)
    keys = list(connection.execute(query).scalars())
    if keys:
        move(connection, is_left, chunk)
        enqueue(store, connection, chunk, {**terms, "keys": keys})


def _is_held_by(worker: str) -> Condition:
    """Whether a payment is still this worker's, and has not ended."""
    return sa.and_(PAYMENTS.c.worker == worker, sa.not_(is_in(ENDED)))


def _save_results(
    store: Store,
    connection: Connection,
    worker: str,
    results: RowResults,
) -> None:
    created = list[_Values]()
    certain = list[_Values]()
    thought = list[_Values]()
    for row, result in results:
        values = {_OF_KEY: row.payment, _OF_TRY: row.again, **values_of(store.vault, result)}
        if result.outcome is RowOutcome.CREATED:
            created.append(values)
        elif result.is_certain:
            certain.append(values)
        else:
            thought.append(values)
    # It is so for certain, whoever has the payment, and whatever was thought of it.
    _update(store, connection, PAYMENTS.c.state != RowOutcome.CREATED.value, created)
    # So is what its payout says of it: else rows of one payout would know other things.
    _update(store, connection, is_in(IN_DOUBT), certain)
    _update(store, connection, _is_held_by(worker), thought)


def _update(
    store: Store,
    connection: Connection,
    chosen: Condition,
    values: list[_Values],
) -> None:
    """Change those of some payments that are chosen: one statement for all of them.

    Each of the values has the key of its payment as `_OF_KEY`, and how many keys it had before as
    `_OF_TRY`: a person may have asked once more meanwhile.
    """
    if not values:
        return
    columns = PAYMENTS.c
    is_its = sa.and_(
        columns.owner == store.owner,
        columns.key == sa.bindparam(_OF_KEY),
        columns.again == sa.bindparam(_OF_TRY),
    )
    connection.execute(sa.update(PAYMENTS).where(is_its, chosen), values)
