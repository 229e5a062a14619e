"""Remove what settled payments asked for (`forget_settled`). What protects from asking twice
stays.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from victor_ext.event_queue.databases import Condition
from victor_ext.event_queue.rows import change_rows
from victor_ext.outbox.files import ENTRIES, forget_entries
from victor_ext.settlement.flow import SETTLED

from .payments import (
    ASKED,
    BATCHES,
    LINES,
    PAGE,
    PAYMENT_COLUMNS,
    STATE,
    WITH_ENTRIES,
    lock_payments,
)
from .rows import RowOutcome, own_values, result_of, row_of
from .store import Store
from .vault import RowVault


def forget_settled(store: Store, stored_before: float) -> int:
    """Remove what settled payments asked for, if they were stored before this epoch time.

    Their keys, states, ids and digests stay. A payment that was created is settled, whether or not
    it is paid: its id is known, so its status can still be read.

    Returns:
        The number of payments.
    """
    count = 0
    page_count = PAGE
    while page_count == PAGE:
        page_count = _forget_page(store, stored_before)
        count += page_count
    _forget_entries(store, stored_before)
    _forget_lines(store, stored_before)
    return count


def _forget_page(store: Store, stored_before: float) -> int:
    """Forget at most `PAGE` payments, in one transaction. Return their number.

    One that was not created, and that may have been asked since the backup of the state, keeps what
    it asked for: a person has to look for it.
    """
    asked, lines = ASKED.c, LINES.c
    is_old = sa.and_(
        asked.owner == store.owner,
        asked.stored_at < stored_before,
        STATE.in_(SETTLED),
        sa.or_(STATE.in_([RowOutcome.CREATED]), asked.restored.is_(False)),
        asked.forgotten.is_(False),
    )
    query = sa.select(*PAYMENT_COLUMNS).select_from(WITH_ENTRIES).where(is_old)
    old_keys = query.with_only_columns(asked.key).order_by(asked.key).limit(PAGE)
    with store.transaction() as connection:
        keys = list(connection.execute(old_keys).scalars())
        lock_payments(connection, store.owner, keys)
        payments = connection.execute(query.where(asked.key.in_(keys))).all()
        for payment in payments:
            values = _values_without_data(store.vault, payment)
            change_rows(connection, ASKED, store.has_key([payment.key]), **values)
        forgotten = lines.key.in_([payment.key for payment in payments])
        _empty_lines(connection, sa.and_(lines.owner == store.owner, forgotten))
    return len(keys)


def _values_without_data(vault: RowVault, payment: Any) -> dict[str, Any]:
    """Return the column values that keep the row number and the ids of a payment, and no data."""
    number = row_of(vault, payment).number
    values = {"row": vault.sealed([number, None, None, {}]), "forgotten": True}
    if payment.own_state is not None:
        result = result_of(vault, payment)
        values |= own_values(vault, result._replace(status=None, error=None))
    return values


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


def _forget_lines(store: Store, stored_before: float) -> None:
    """Empty the lines of files that were stored before this epoch time, if the payment of the line
    is already forgotten, or the line has no key, and so no payment.
    """
    asked, batches, lines = ASKED.c, BATCHES.c, LINES.c
    is_forgotten = sa.and_(asked.owner == store.owner, asked.forgotten.is_(True))
    is_old = sa.and_(batches.owner == store.owner, batches.stored_at < stored_before)
    chosen = sa.and_(
        lines.owner == store.owner,
        sa.or_(lines.key.is_(None), lines.key.in_(sa.select(asked.key).where(is_forgotten))),
        lines.batch.in_(sa.select(batches.batch).where(is_old)),
    )
    with store.transaction() as connection:
        _empty_lines(connection, chosen)


def _empty_lines(connection: Connection, is_chosen: Condition) -> None:
    """Remove the data of lines. The lines stay, with their numbers, keys and codes."""
    change_rows(connection, LINES, is_chosen, row=None, message=None)
