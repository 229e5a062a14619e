"""Remove what settled payments asked for (`forget_settled`). What protects from asking twice
stays.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from victor_ext._event_queue.databases import Condition
from victor_ext._event_queue.rows import change_rows
from victor_ext._event_queue.vault import Vault
from victor_ext._settlement.flow import SETTLED
from victor_ext.outbox._files import ENTRIES, forget_entries

from ._payments import (
    LATEST_SHEETS,
    LINES,
    PAGE,
    PAYMENT_COLUMNS,
    PAYMENTS,
    SHEETS,
    STATE,
    WITH_ENTRIES,
    WITH_ROWS,
    lock_payments,
)
from ._rows import RowOutcome, own_values, result_of
from ._store import Store


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
    return count + _forget_lines(store, stored_before)


def _forget_page(store: Store, stored_before: float) -> int:
    """Forget at most `PAGE` payments, in one transaction. Return their number.

    One that was not created, and that may have been asked since the backup of the state, keeps what
    it asked for: a person has to look for it.
    """
    columns, lines = PAYMENTS.c, LINES.c
    is_there = sa.exists().where(
        lines.sheet == columns.sheet, lines.number == columns.number, lines.row.is_not(None)
    )
    is_old = sa.and_(
        columns.owner == store.owner,
        columns.stored_at < stored_before,
        STATE.in_(SETTLED),
        sa.or_(STATE.in_([RowOutcome.CREATED]), columns.restored.is_(False)),
        is_there,
    )
    query = sa.select(columns.key).select_from(WITH_ENTRIES).where(is_old)
    with store.transaction() as connection:
        keys = list(connection.execute(query.order_by(columns.key).limit(PAGE)).scalars())
        lock_payments(connection, store.owner, keys)
        are_old = sa.and_(is_old, columns.key.in_(keys))
        payments = sa.select(*PAYMENT_COLUMNS).select_from(WITH_ROWS).where(are_old)
        for payment in connection.execute(payments).all():
            values = _values_without_data(store.vault, payment)
            if values:
                change_rows(connection, PAYMENTS, store.has_key([payment.key]), **values)
            _empty_lines(connection, _is_of_owner(store, lines.key == payment.key))
    return len(keys)


def _values_without_data(vault: Vault, payment: Any) -> dict[str, Any]:
    """Return the column values that keep the ids of a payment, and no data."""
    if payment.own_state is None:
        return {}
    return own_values(vault, result_of(vault, payment)._replace(status=None, error=None))


def _is_of_owner(store: Store, chosen: Condition) -> Condition:
    """Whether a line is chosen, and its sheet is of this system and environment."""
    sheets = sa.select(SHEETS.c.id).where(SHEETS.c.owner == store.owner)
    return sa.and_(chosen, LINES.c.sheet.in_(sheets))


def _forget_entries(store: Store, stored_before: float) -> None:
    """Remove the calls of old settled entries that no payment with its data has: those of forgotten
    payments, and of their earlier keys.
    """
    columns, lines = PAYMENTS.c, LINES.c
    # PostgreSQL would search all of these payments for each entry with NOT IN.
    has_data = sa.exists().where(
        columns.owner == store.owner,
        columns.entry == ENTRIES.c.key,
        lines.sheet == columns.sheet,
        lines.number == columns.number,
        lines.row.is_not(None),
    )
    chosen = sa.and_(ENTRIES.c.stored_at < stored_before, sa.not_(has_data))
    count = PAGE
    while count == PAGE:
        with store.transaction() as connection:
            count = forget_entries(connection, store.owner, chosen, PAGE)


def _forget_lines(store: Store, stored_before: float) -> int:
    """Empty the lines of sheets that were stored before this epoch time, and that nothing needs:
    they are not valid, or not of the latest sheet of a batch, or their payment is forgotten.
    Returns how many rows with a key were refused.
    """
    columns, lines, sheets = PAYMENTS.c, LINES.c, SHEETS.c
    latest = LATEST_SHEETS
    is_old = sa.select(sheets.id).where(
        sheets.owner == store.owner, sheets.stored_at < stored_before
    )
    is_asked = sa.exists().where(columns.sheet == lines.sheet, columns.number == lines.number)
    asked = LINES.alias()
    has_forgotten = sa.exists().where(
        columns.owner == store.owner,
        columns.key == lines.key,
        asked.c.sheet == columns.sheet,
        asked.c.number == columns.number,
        asked.c.row.is_(None),
    )
    is_needless = sa.and_(lines.sheet.in_(is_old), lines.row.is_not(None), sa.not_(is_asked))
    is_refused = sa.and_(lines.is_valid.is_(False), lines.key.is_not(None), lines.sheet.in_(latest))
    with store.transaction() as connection:
        of_others = sa.or_(lines.sheet.not_in(latest), lines.key.is_(None), has_forgotten)
        _empty_lines(connection, sa.and_(is_needless, of_others))
        return _empty_lines(connection, sa.and_(is_needless, is_refused))


def _empty_lines(connection: Connection, is_chosen: Condition) -> int:
    """Remove the data of lines. The lines stay, with their numbers, keys and digests. Returns how
    many there are.
    """
    return change_rows(connection, LINES, is_chosen, row=None, problems=None)
