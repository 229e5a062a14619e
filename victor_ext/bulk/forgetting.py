"""What leaves the database: what never left goes from a batch, and what is settled loses its data
and keeps what protects from a repeat.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from .contents import result_of
from .payments import (
    BATCHES,
    LEFT_OUT,
    LINES,
    NEVER_LEFT,
    PAGE,
    PAYMENTS,
    SETTLED_STATES,
    Condition,
    lock_payments,
    pages,
)
from .store import Store
from .vault import Vault


def drop(store: Store, keys: Sequence[str] | None = None) -> int:
    """Remove what never left, of these payments or of the batch, from all batches that list it:
    return how many.
    """
    is_chosen = sa.and_(store.is_of_batch(), PAYMENTS.c.state.in_(NEVER_LEFT))
    if keys is not None:
        is_chosen = sa.and_(is_chosen, PAYMENTS.c.key.in_(keys))
    with store.transaction() as connection:
        dropped = [payment.key for payment in lock_payments(connection, is_chosen)]
        for page in pages(dropped):
            _drop(store, connection, page)
        return len(dropped) + (_drop_unnamed(store, connection) if keys is None else 0)


def _drop(
    store: Store,
    connection: Connection,
    keys: Sequence[str],
) -> None:
    """Remove payments with their lines. One that was rejected before, or restored, stays known: it
    would be asked under a key that is spent.
    """
    chosen = store.has_key(keys)
    stays = sa.or_(PAYMENTS.c.again > 0, PAYMENTS.c.restored)
    connection.execute(sa.update(PAYMENTS).where(chosen, stays).values(state=LEFT_OUT))
    connection.execute(sa.delete(PAYMENTS).where(chosen, sa.not_(stays)))
    connection.execute(sa.delete(LINES).where(_has_line(store, keys)))


def _drop_unnamed(store: Store, connection: Connection) -> int:
    """Remove the lines of the batch that have no key: return how many."""
    unnamed = sa.delete(LINES).where(store.is_line(), LINES.c.key.is_(None))
    return connection.execute(unnamed).rowcount


def forget(store: Store, before: float) -> int:
    """Remove what settled payments asked for, if they were stored before that epoch time.

    What protects stays: their keys, states, ids and digests. Returns their number. What was created
    is settled, whether or not it is paid: by its id it can be read.
    """
    count = 0
    while True:
        forgotten = _forget_some(store, before)
        count += forgotten
        if forgotten < PAGE:
            break
    _forget_lines(store, before)
    return count


def _forget_some(store: Store, before: float) -> int:
    columns = PAYMENTS.c
    is_old = sa.and_(
        columns.owner == store.owner,
        columns.stored_at < before,
        columns.state.in_(SETTLED_STATES),
        columns.forgotten.is_(False),
    )
    with store.transaction() as connection:
        old = lock_payments(connection, is_old, limit=PAGE)
        for payment in old:
            change = sa.update(PAYMENTS).where(store.has_key([payment.key]))
            connection.execute(change.values(_without_data(store.vault, payment)))
        _empty_lines(connection, _has_line(store, [payment.key for payment in old]))
    return len(old)


def _without_data(vault: Vault, payment: Any) -> dict[str, Any]:
    """Return the values of a payment of which its number and ids are left."""
    number = vault.deserialize(payment.row)[0]
    result = result_of(vault, payment)
    ids = None if result is None else vault.serialize([result.id, None, None, result.unit])
    return {
        "row": vault.serialize([number, None, None, {}]),
        "result": ids,
        "forgotten": True,
    }


def _forget_lines(store: Store, before: float) -> None:
    """Remove what files of that time say of payments that were forgotten before, or of none."""
    lines, owner = LINES.c, store.owner
    forgotten = sa.select(PAYMENTS.c.key).where(
        PAYMENTS.c.owner == owner, PAYMENTS.c.forgotten.is_(True)
    )
    old = sa.select(BATCHES.c.batch).where(BATCHES.c.owner == owner, BATCHES.c.stored_at < before)
    has_none = sa.or_(lines.key.is_(None), lines.key.in_(forgotten))
    with store.transaction() as connection:
        _empty_lines(connection, sa.and_(lines.owner == owner, has_none, lines.batch.in_(old)))


def _has_line(store: Store, keys: Sequence[str]) -> Condition:
    """Whether a line, of any batch, has one of these keys."""
    return sa.and_(LINES.c.owner == store.owner, LINES.c.key.in_(keys))


def _empty_lines(connection: Connection, chosen: Condition) -> None:
    connection.execute(sa.update(LINES).where(chosen).values(row=None, message=None))
