"""Remove data from the database.

`drop_unsent` removes rows that were never sent; `forget_settled` removes what settled payments
asked for. What protects from asking twice stays.
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


def drop_unsent(store: Store, keys: Sequence[str] | None = None) -> int:
    """Remove the payments of the batch that were never sent, with their lines in all batches.

    Args:
        keys: The keys of the payments to remove; None: all of them, and the lines without a key.

    Returns:
        How many rows were removed.
    """
    is_chosen = sa.and_(store.is_of_batch(), PAYMENTS.c.state.in_(NEVER_LEFT))
    if keys is not None:
        is_chosen = sa.and_(is_chosen, PAYMENTS.c.key.in_(keys))
    with store.transaction() as connection:
        dropped_keys = [payment.key for payment in lock_payments(connection, is_chosen)]
        for page in pages(dropped_keys):
            _drop_payments(store, connection, page)
        count = len(dropped_keys)
        if keys is None:
            count += _drop_lines_without_key(store, connection)
        return count


def _drop_payments(
    store: Store,
    connection: Connection,
    keys: Sequence[str],
) -> None:
    """Remove payments with their lines.

    A payment that had an earlier key, or whose state was restored, stays as left out: if it were
    new in the next file, it would be sent under a key that is spent.
    """
    is_chosen = store.has_key(keys)
    stays = sa.or_(PAYMENTS.c.again > 0, PAYMENTS.c.restored)
    connection.execute(sa.update(PAYMENTS).where(is_chosen, stays).values(state=LEFT_OUT))
    connection.execute(sa.delete(PAYMENTS).where(is_chosen, sa.not_(stays)))
    connection.execute(sa.delete(LINES).where(_line_has_key(store, keys)))


def _drop_lines_without_key(store: Store, connection: Connection) -> int:
    """Remove the lines of the batch that have no key. Return their number."""
    removal = sa.delete(LINES).where(store.is_line(), LINES.c.key.is_(None))
    return connection.execute(removal).rowcount


def forget_settled(store: Store, stored_before: float) -> int:
    """Remove what settled payments asked for, if they were stored before this epoch time.

    Their keys, states, ids and digests stay. A payment that was created is settled, whether or not
    it is paid: its id is known, so its status can still be read.

    Returns:
        The number of payments.
    """
    count = 0
    while True:
        page_count = _forget_page(store, stored_before)
        count += page_count
        if page_count < PAGE:
            break
    _forget_lines(store, stored_before)
    return count


def _forget_page(store: Store, stored_before: float) -> int:
    """Forget at most `PAGE` payments, in one transaction. Return their number."""
    columns = PAYMENTS.c
    is_old = sa.and_(
        columns.owner == store.owner,
        columns.stored_at < stored_before,
        columns.state.in_(SETTLED_STATES),
        columns.forgotten.is_(False),
    )
    with store.transaction() as connection:
        payments = lock_payments(connection, is_old, limit=PAGE)
        for payment in payments:
            change = sa.update(PAYMENTS).where(store.has_key([payment.key]))
            connection.execute(change.values(_values_without_data(store.vault, payment)))
        _empty_lines(connection, _line_has_key(store, [payment.key for payment in payments]))
    return len(payments)


def _values_without_data(vault: Vault, payment: Any) -> dict[str, Any]:
    """Return the column values that keep the row number and the ids of a payment, and no data."""
    number = vault.deserialize(payment.row)[0]
    result = result_of(vault, payment)
    ids = None if result is None else vault.serialize([result.id, None, None, result.unit])
    return {
        "row": vault.serialize([number, None, None, {}]),
        "result": ids,
        "forgotten": True,
    }


def _forget_lines(store: Store, stored_before: float) -> None:
    """Empty the lines of files that were stored before this epoch time, if the payment of the line
    is already forgotten, or the line has no key, and so no payment.
    """
    lines = LINES.c
    owner = store.owner
    forgotten_keys = sa.select(PAYMENTS.c.key).where(
        PAYMENTS.c.owner == owner, PAYMENTS.c.forgotten.is_(True)
    )
    old_batches = sa.select(BATCHES.c.batch).where(
        BATCHES.c.owner == owner, BATCHES.c.stored_at < stored_before
    )
    is_needless = sa.or_(lines.key.is_(None), lines.key.in_(forgotten_keys))
    is_old = lines.batch.in_(old_batches)
    with store.transaction() as connection:
        _empty_lines(connection, sa.and_(lines.owner == owner, is_needless, is_old))


def _line_has_key(store: Store, keys: Sequence[str]) -> Condition:
    """Whether a line, of any batch, has one of these keys."""
    return sa.and_(LINES.c.owner == store.owner, LINES.c.key.in_(keys))


def _empty_lines(connection: Connection, is_chosen: Condition) -> None:
    """Remove the data of lines. The lines stay, with their numbers, keys and codes."""
    connection.execute(sa.update(LINES).where(is_chosen).values(row=None, message=None))
