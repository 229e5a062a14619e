"""A hold of an outbox: nothing is sent or handled, and entries of a restored database are marked.

A restored database does not know what was sent after its backup was made. So each of its entries
that was not sent, as far as it knows, is marked as `restored`: it may have been sent.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from victor_ext.event_queue.databases import (
    Condition,
    DatabaseTime,
    database_time,
    table_of,
)
from victor_ext.event_queue.queue import EventQueue
from victor_ext.event_queue.rows import change_rows, count_rows, delete_rows, insert_once
from victor_ext.event_queue.transactions import Work, operation
from victor_ext.settlement.key_age import Now

from .entries import (
    EntryState,
    OutboxEvent,
    free_values,
    is_surely_not_done,
    is_under_call,
    new_number,
)
from .life import Life, Loss

_log = logging.getLogger("victor_ext.outbox")

RESTORED = " It may have been sent since its backup was made."
"""A sentence after the error of a restored entry that was rejected or refused."""
HOLD = "hold"
"""The name of the row of the table of control that is there while the outbox is held."""
TIME_OF = "time of "
"""The beginning of the name of the row that has the last known time of a provider."""
_NOTED_EACH = 60.0
"""Seconds after which a worker stores the time of its provider again."""


def control_table(name: str, metadata: sa.MetaData) -> sa.Table:
    """The table of control, which has what concerns an outbox as a whole: since when the outbox is
    held, the last known time of each provider, and the key of an encrypted outbox, `wrapped` by a
    secret.

    The time of a provider is by its own clock: entries that a backup has as not sent were not sent
    before that time.
    """
    return table_of(
        name,
        metadata,
        sa.Column("name", sa.String(128), primary_key=True),
        sa.Column("moment", sa.Double, nullable=False),
        sa.Column("wrapped", sa.Text),
    )


@dataclass(frozen=True, slots=True)
class Hold:
    """What `hold` has found.

    Attributes:
        since: When the outbox was first held, aware.
        marked: The number of entries that the outbox had as not sent, and that may have been sent
            since its backup was made.
        under_way: The number of entries that a worker has taken up and may be sending now.
        is_first: Whether it was not held before.
        were_sent: The number of entries that were being sent when the backup was made, if the
            database shows that it is one: they are looked up, too.
    """

    since: datetime
    marked: int
    under_way: int
    is_first: bool = True
    were_sent: int = 0


class Holding(EventQueue[OutboxEvent]):
    """Holds and releases an outbox."""

    control: sa.Table
    _life: Life
    _settle_for: float

    def _may_work(self) -> Condition:
        """The condition that the outbox is not held, as part of a statement that takes something
        up.
        """
        held = sa.select(self.control.c.name).where(self.control.c.name == HOLD)
        return sa.not_(sa.exists(held))

    def _note_time(self, connection: Connection, now: Now, provider: str) -> None:
        """Store the provider's time, if it is known: entries that wait now are not sent before that
        time.
        """
        if not now.provider.is_known:
            return
        moment = now.by_provider()
        stored = moment_of(connection, self.control, TIME_OF + provider)
        if stored is None or abs(moment - stored) > _NOTED_EACH:
            store_time(connection, self.control, provider, moment)

    def _tell_handlers(
        self, connection: Connection, error: Exception | None = None, **values: Any
    ) -> None:
        """As of every queue. While the outbox is held, the event is stored, and no handler is
        called: the change is of a call that had begun before.
        """
        if self._handlers and moment_of(connection, self.control, HOLD) is not None:
            self._store_event(connection, **values)
        else:
            super()._tell_handlers(connection, error, **values)

    @operation
    def hold(self) -> Work[Hold]:
        """Let workers take up nothing more, such as in a restored database: nothing is sent, read
        or handled until `release`. What is added meanwhile waits.

        Each entry that is stored now and was not sent is marked: it may have been sent since its
        backup was made. It is not sent again, but looked up after `release`, until `settle_for` has
        passed. A call that has begun ends, and its result is stored.

        To pause an outbox that was not restored, stop its workers.
        """
        return self._hold

    @operation
    def release(self) -> Work[bool]:
        """End a hold. Returns whether there was one."""
        return lambda connection: end_hold(connection, self.control)

    @operation
    def held_since(self) -> Work[datetime | None]:
        """When the outbox was held, aware; None: it is not."""

        def read(connection: Connection) -> datetime | None:
            moment = moment_of(connection, self.control, HOLD)
            return None if moment is None else datetime.fromtimestamp(moment, UTC)

        return read

    def _mark_lost(self, connection: Connection, loss: Loss) -> None:
        """Mark what was not sent, as far as this copy of the database knows.

        After a short gap, each such entry counts as sent at some time since: it is sent again only
        under a key that still holds, or else looked up. After a long one, the outbox is held.
        """
        lost = (
            f"This is another copy of the database than before: {loss.why}. What was stored since "
            f"its last beat, {loss.gap:.0f} s ago, may be missing, also that an entry was sent."
        )
        if loss.gap > self._settle_for:
            self._hold_lost(connection)
            _log.error("%s It is held: reconcile it, then release it.", lost)
            return
        marked = mark_possibly_sent(connection, self.table, self.control, loss.sent_by)
        _log.error("%s %d entries that waited count as possibly sent.", lost, marked)

    def _hold_lost(self, connection: Connection) -> None:
        """Hold a database that is another copy, which may have a hold of its own time."""
        insert_once(connection, self.control, name=HOLD, moment=DatabaseTime())
        mark_restored(connection, self.table, self.control)

    def _hold(self, connection: Connection) -> Hold:
        """As `hold`, in a transaction. Only the first hold marks entries."""
        is_first = (
            insert_once(connection, self.control, name=HOLD, moment=DatabaseTime()) is not None
        )
        is_another = self._life.begin_anew(connection)
        is_sending = self.table.c.state == EntryState.SENDING
        were_sent = count_rows(connection, self.table, is_sending)
        now = database_time(connection)
        under_way = count_rows(
            connection, self.table, sa.and_(is_sending, is_under_call(self.table.c, now))
        )
        marked = mark_restored(connection, self.table, self.control) if is_first else 0
        since = moment_of(connection, self.control, HOLD) or now
        return Hold(
            datetime.fromtimestamp(since, UTC),
            marked,
            under_way=0 if is_another else under_way,
            is_first=is_first,
            were_sent=were_sent if is_another else 0,
        )


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


def mark_restored(connection: Connection, table: sa.Table, control: sa.Table) -> int:
    """Mark the entries of all systems that may have been sent since the backup; returns how many
    were stored as not sent.

    They may have been sent with other credentials: `sent_by` is emptied.
    """
    is_sending = table.c.state == EntryState.SENDING
    nobodys = {"worker": None, "had_by": new_number()}
    change_rows(connection, table, is_sending, sent_by=None, **nobodys)
    waited, refused = _mark_not_sent(connection, table, control, restored=True, sent_by=None)
    return waited + refused


def mark_possibly_sent(
    connection: Connection, table: sa.Table, control: sa.Table, sent_by: str | None
) -> int:
    """Mark the entries of all systems that wait as ones that may have been sent, and those that
    were rejected or refused as restored: somebody may have let them be sent again. Returns how many
    waited.

    `sent_by` is the digest of the credentials with which they may have been sent; None: of several.
    """
    waited, _ = _mark_not_sent(connection, table, control, sent_by=sent_by)
    return waited


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
        error = sa.func.coalesce(columns.error, "") + RESTORED
        refused += change_rows(connection, table, not_done, error=error, **since, **restored)
    return waited, refused
