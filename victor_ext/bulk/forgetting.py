"""Remove data from the database.

`drop_unsent` removes rows that were never sent; `forget_settled` removes what settled payments
asked for. What protects from asking twice stays.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from victor_ext.event_queue.databases import Condition
from victor_ext.outbox.files import ENTRIES, forget_entries

from .payments import (
    ASKED,
    BATCHES,
    LINES,
    NEVER_LEFT,
    PAGE,
    PAYMENT_COLUMNS,
    SETTLED_STATES,
    STATE,
    WITH_ENTRIES,
    lock_payments,
    pages,
)
from .store import Store
from .storing import leave_out, locked_keys
from .units import Calls
from .vault import Vault


def drop_unsent(store: Store, calls: Calls, keys: Sequence[str] | None = None) -> int:
    """Remove the payments of the batch that were never sent, with their lines in all batches.

    Args:
        keys: The keys of the payments to remove; None: all of them, and the lines without a key.

    Returns:
        How many rows were removed.
    """
    chosen = sa.and_(store.is_of_batch(), STATE.in_(NEVER_LEFT))
    if keys is not None:
        chosen = sa.and_(chosen, ASKED.c.key.in_(keys))

    def drop(connection: Connection) -> int:
        dropped_keys = locked_keys(connection, store, chosen)
        for page in pages(dropped_keys):
            _drop_payments(store, connection, calls, page)
        count = len(dropped_keys)
        if keys is None:
            count += _drop_lines_without_key(store, connection)
        return count

    return store.transact(drop)


def _drop_payments(store: Store, connection: Connection, calls: Calls, keys: Sequence[str]) -> None:
    """Remove payments with their lines.

    A payment that had an earlier key, or whose state was restored, stays as left out: if it were
    new in the next file, it would be sent under a key that is spent.
    """
    leave_out(connection, store, calls, keys)
    stays = sa.or_(ASKED.c.again > 0, ASKED.c.restored)
    connection.execute(sa.delete(ASKED).where(store.has_key(keys), sa.not_(stays)))
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
    _forget_entries(store, stored_before)
    _forget_lines(store, stored_before)
    return count


def _forget_page(store: Store, stored_before: float) -> int:
    """Forget at most `PAGE` payments, in one transaction. Return their number."""
    is_old = sa.and_(
        ASKED.c.owner == store.owner,
        ASKED.c.stored_at < stored_before,
        STATE.in_(SETTLED_STATES),
        ASKED.c.forgotten.is_(False),
    )
    query = sa.select(*PAYMENT_COLUMNS).select_from(WITH_ENTRIES).where(is_old)
    keys = sa.select(ASKED.c.key).select_from(WITH_ENTRIES).where(is_old).order_by(ASKED.c.key)
    with store.transaction() as connection:
        named = list(connection.execute(keys.limit(PAGE)).scalars())
        lock_payments(connection, store.owner, named)
        payments = connection.execute(query.where(ASKED.c.key.in_(named))).all()
        for payment in payments:
            change = sa.update(ASKED).where(store.has_key([payment.key]))
            connection.execute(change.values(_values_without_data(store.vault, payment)))
        _empty_lines(connection, _line_has_key(store, [payment.key for payment in payments]))
    return len(named)


def _forget_entries(store: Store, stored_before: float) -> None:
    """Remove the calls of old settled entries that no payment with its data has: those of forgotten
    payments, and of their earlier keys.
    """
    others = sa.select(ASKED.c.entry).where(
        ASKED.c.owner == store.owner, ASKED.c.forgotten.is_(False), ASKED.c.entry.is_not(None)
    )
    chosen = sa.and_(ENTRIES.c.stored_at < stored_before, ENTRIES.c.key.not_in(others))
    count = PAGE
    while count == PAGE:
        with store.transaction() as connection:
            count = forget_entries(connection, store.owner, chosen, store.vault, PAGE)


def _values_without_data(vault: Vault, payment: Any) -> dict[str, Any]:
    """Return the column values that keep the row number and the ids of a payment, and no data."""
    number = vault.deserialize(payment.row)[0]
    values = {"row": vault.sealed([number, None, None, {}]), "forgotten": True}
    if payment.own_state is None or payment.result is None:
        return values
    id_, _, _, unit = vault.deserialize(payment.result)
    return {**values, "result": vault.sealed([id_, None, None, unit])}


def _forget_lines(store: Store, stored_before: float) -> None:
    """Empty the lines of files that were stored before this epoch time, if the payment of the line
    is already forgotten, or the line has no key, and so no payment.
    """
    lines = LINES.c
    owner = store.owner
    forgotten_keys = sa.select(ASKED.c.key).where(
        ASKED.c.owner == owner, ASKED.c.forgotten.is_(True)
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
