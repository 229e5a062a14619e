"""A hold of an outbox: nothing is sent or handled, and entries of a restored database are marked.

A restored database does not know what was sent after its backup was made. So each of its entries
that was not sent, as far as it knows, is marked as `restored`: it may have been sent.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from victor_ext._event_queue.databases import (
    Condition,
    DatabaseTime,
    table_of,
)
from victor_ext._event_queue.rows import change_rows, delete_rows, insert_once
from victor_ext._settlement.key_age import Now

from ._entries import (
    EntryState,
    free_values,
    is_surely_not_done,
    new_number,
)
from ._life import Life, Loss
from ._policy import PaymentRegister

_log = logging.getLogger("victor_ext.outbox")

HOLD = "hold"
"""The name of the row of the table of control that is there while the outbox is held."""
TIME_OF = "time of "
"""The beginning of the name of the row that has the last known time of a provider."""
_NOTED_EACH = 60.0
"""Seconds after which a worker stores the time of its provider again."""


def control_table(name: str, metadata: sa.MetaData) -> sa.Table:
    """The table of control, which has what concerns an outbox as a whole: since when the outbox is
    held, the last known time of each provider, whom its entries belong to (`Scope`), and the row of
    life (`Life`).

    The time of a provider is by its own clock: entries that a backup has as not sent were not sent
    before that time.
    """
    return table_of(
        name,
        metadata,
        sa.Column("name", sa.String(128), primary_key=True),
        sa.Column("moment", sa.Double, nullable=False),
        sa.Column("text", sa.Text),
        sa.Column("marks", sa.BigInteger),
    )


class Holding:
    """Holds and releases an outbox.

    Args:
        entries: The table of its entries.
        control: The table of control.
        life: Of its database.
        settle_for: The longest gap, in seconds, after which another copy of the database is not
            held.
        payments: What the entries are for.
    """

    def __init__(
        self,
        entries: sa.Table,
        control: sa.Table,
        life: Life,
        settle_for: float,
        payments: PaymentRegister,
    ) -> None:
        self._payments = payments
        self._entries = entries
        self._control = control
        self.life = life
        self._settle_for = settle_for

    def may_work(self) -> Condition:
        """The condition that the outbox is not held, as part of a statement that takes something
        up.
        """
        held = sa.select(self._control.c.name).where(self._control.c.name == HOLD)
        return sa.not_(sa.exists(held))

    def note_time(self, connection: Connection, now: Now, provider: str) -> None:
        """Store the provider's time, if it is known: entries that wait now are not sent before that
        time.
        """
        if not now.provider.is_known:
            return
        moment = now.by_provider()
        stored = moment_of(connection, self._control, TIME_OF + provider)
        if stored is None or abs(moment - stored) > _NOTED_EACH:
            store_time(connection, self._control, provider, moment)

    def mark_lost(self, connection: Connection, loss: Loss, caller: str | None) -> None:
        """Mark what was not sent, as far as this copy of the database knows. `caller` is the digest
        of the credentials with which this worker sends.

        After a short gap, each such entry counts as sent at some time since: it is sent again only
        under a key that still holds, or else looked up. After a long one, the outbox is held.
        """
        lost = (
            f"This is another copy of the database than before: {loss.why}. What was stored since "
            "its last beat may be missing, also that an entry was sent."
        )
        if loss.gap > self._settle_for:
            hold(connection, self._entries, self._control, self.life)
            self._payments.hold(connection)
            _log.error("%s It is held: reconcile it, then release it.", lost)
            return
        # What was rejected or refused is marked, too: somebody may have let it be sent again.
        waited, _ = _mark_not_sent(connection, self._entries, self._control, sent_by=caller)
        _log.error("%s %d entries that waited count as possibly sent.", lost, waited)


def hold(connection: Connection, entries: sa.Table, control: sa.Table, life: Life) -> int:
    """Let workers take up nothing, and mark the entries of all systems that may have been sent
    since the backup. Returns how many of them were stored as not sent.

    Each hold marks what is stored: what is held may be a copy of a database that was held.
    """
    insert_once(connection, control, name=HOLD, moment=DatabaseTime())
    life.begin_anew(connection)
    # They may have been sent with other credentials.
    is_sending = entries.c.state == EntryState.SENDING
    nobodys = {"worker": None, "had_by": new_number()}
    change_rows(connection, entries, is_sending, sent_by=None, **nobodys)
    waited, refused = _mark_not_sent(connection, entries, control, restored=True, sent_by=None)
    return waited + refused


def held_since(connection: Connection, control: sa.Table) -> datetime | None:
    """When it was held, aware; None: it is not."""
    moment = moment_of(connection, control, HOLD)
    return None if moment is None else datetime.fromtimestamp(moment, UTC)


def moment_of(connection: Connection, control: sa.Table, name: str) -> float | None:
    """The moment in a row of the table of control; None: there is no such row."""
    query = sa.select(control.c.moment).where(control.c.name == name)
    moment: float | None = connection.execute(query).scalar()
    return moment


def store_time(connection: Connection, control: sa.Table, provider: str, moment: float) -> None:
    """Store the time of a provider, before which entries that wait now are not sent."""
    name = TIME_OF + provider
    if insert_once(connection, control, name=name, moment=moment) is None:
        change_rows(connection, control, control.c.name == name, moment=moment)


def end_hold(connection: Connection, control: sa.Table) -> bool:
    """End a hold. Returns whether there was one."""
    return bool(delete_rows(connection, control, control.c.name == HOLD))


def _mark_not_sent(
    connection: Connection, table: sa.Table, control: sa.Table, **of_waiting: Any
) -> tuple[int, int]:
    """Mark the entries of all systems that are stored as not sent. Returns how many waited, and of
    how many nothing was done.

    `of_waiting` are more column values of those that wait.
    """
    columns = table.c
    waited = refused = 0
    for provider in connection.execute(sa.select(columns.provider).distinct()).scalars().all():
        moment = moment_of(connection, control, TIME_OF + provider)
        since: dict[str, Any] = {
            # Without a known time of the provider, that of each entry.
            "first_sent_at": columns.stored_at if moment is None else moment,
            "by_provider_clock": moment is not None,
        }
        own = columns.provider == provider
        waiting = sa.and_(own, columns.state == EntryState.WAITING)
        begun = {"state": EntryState.SENDING, **free_values()}
        waited += change_rows(connection, table, waiting, **begun, **since, **of_waiting)
        not_done = sa.and_(own, is_surely_not_done(columns))
        restored = {"restored": True, "sent_by": None}
        refused += change_rows(connection, table, not_done, **since, **restored)
    return waited, refused
