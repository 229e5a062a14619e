"""Remove what settled payments asked for (`forget_settled`). What protects from asking twice
stays.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Connection

from victor_ext._event_queue.rows import change_rows
from victor_ext._settlement.flow import SETTLED
from victor_ext.outbox._files import ENTRIES, forget_entries

from ._payments import IS_ITS_ENTRY, LINES, PAYMENTS, RESTORED, SHEETS, STATE, WITH_ENTRIES
from ._rows import RowOutcome
from ._store import Store


def forget_settled(store: Store, stored_before: float) -> int:
    """Remove what the rows of sheets ask for that were stored before this epoch time, and whose
    payments are settled.

    Their keys, states, ids and digests stay. A payment that was created is settled, whether or not
    it is paid: its id is known, so its status can still be read. One that was not created, and that
    may have been asked since the backup of the state, is not: a person has to look for it.

    Returns:
        The number of rows.
    """

    def forget(connection: Connection) -> int:
        columns, lines = PAYMENTS.c, LINES.c
        old_sheets = sa.select(SHEETS.c.id).where(
            SHEETS.c.owner == store.owner, SHEETS.c.stored_at < stored_before
        )
        is_settled = sa.and_(
            sa.func.coalesce(STATE, "").in_(SETTLED),
            sa.or_(STATE == RowOutcome.CREATED, sa.not_(RESTORED)),
        )
        open_payment = (
            sa.exists()
            .select_from(WITH_ENTRIES)
            .where(columns.owner == store.owner, columns.key == lines.key, sa.not_(is_settled))
        )
        is_over = sa.and_(lines.row.is_not(None), sa.not_(open_payment.correlate(LINES)))
        is_old = lines.sheet.in_(old_sheets)
        count = change_rows(connection, LINES, sa.and_(is_old, is_over), row=None, problems=None)
        has_data = sa.exists().where(
            lines.sheet == columns.sheet, lines.number == columns.number, lines.row.is_not(None)
        )
        is_own = sa.and_(columns.owner == store.owner, columns.error.is_not(None))
        change_rows(connection, PAYMENTS, sa.and_(is_own, sa.not_(has_data)), error=None)
        asks_with_data = sa.exists().where(IS_ITS_ENTRY, has_data.correlate(PAYMENTS))
        chosen = sa.and_(
            ENTRIES.c.scope == store.owner,
            ENTRIES.c.stored_at < stored_before,
            sa.not_(asks_with_data),
        )
        forget_entries(connection, ENTRIES, chosen)
        return count

    return store.transact(forget)
