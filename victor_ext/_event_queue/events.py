"""The events that are not handled yet: their states, their table, and what people do with those
whose handlers have failed too often, the dead letters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from victor_ext import InvalidRequest, Problem

from .databases import ROW_ID, Condition, DatabaseTime, table_of
from .rows import change_rows, count_by_state
from .transactions import Box, Work, operation

_ID_LIMIT = 2**63
"""Ids of events are below this."""


class EventState(StrEnum):
    """What is known of an event that is stored. An event that was handled is deleted."""

    WAITING = "waiting"
    """It is handled by the next pass, or tried again at its `due_at`."""
    DEAD = "dead"
    """Its handler has failed too often. It is tried again after `retry_dead_letters`."""
    DISCARDED = "discarded"
    """Somebody has given it up by `discard`: its error says who, and why."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """An event whose handler has failed too often.

    Attributes:
        id: Its number, for `retry_dead_letters` and `discard`.
        name: What happened: `completed`, `payment.paid`.
        source: The operation of an entry (`payouts.submit`), or the source of what was received.
        subject: The key of the entry, or the id of what was received.
        tries: How often it was tried.
        error: What its handler raised at last, without long numbers.
        stored_at: When it was stored, aware.
        provider: The name of the system that it is of.
    """

    id: int
    name: str
    source: str
    subject: str
    tries: int
    error: str
    stored_at: datetime
    provider: str


def event_table(name: str, metadata: sa.MetaData) -> sa.Table:
    """The table of the events of an outbox or inbox. Times are epoch seconds by the clock of the
    database; `data` is the notification of an inbox, and empty in an outbox: its entries are read
    when they are handled.

    `once` is unique: while an event waits, no other event with the same text there is stored.
    """
    return table_of(
        name,
        metadata,
        sa.Column("id", ROW_ID, primary_key=True, autoincrement=True),
        sa.Column("provider", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("once", sa.Text, unique=True),
        sa.Column("data", sa.Text, nullable=False),
        sa.Column("state", sa.String(16), nullable=False, index=True),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("due_at", sa.Double, nullable=False),
        sa.Column("stored_at", sa.Double, nullable=False),
        sa.Column("error", sa.Text),
    )


class DeadLetters(Box):
    """Reads dead letters, lets them be tried again, or discards them."""

    events: sa.Table

    @operation
    def dead_letters(self, state: EventState | str = EventState.DEAD) -> Work[list[DeadLetter]]:
        """The events whose handlers have failed too often, oldest first.

        Args:
            state: Those in this state, such as `discarded`, in place of `dead`.
        """
        events = self.events
        is_in_state = events.c.state == EventState(state).value
        query = sa.select(events).where(is_in_state).order_by(events.c.id)
        return lambda connection: [*map(_letter_of, connection.execute(query))]

    @operation
    def retry_dead_letters(self, *ids: int) -> Work[int]:
        """Let dead letters be tried again, those with these ids or else all. Returns how many."""
        chosen = self._chosen(ids) if ids else self.events.c.state == EventState.DEAD
        values = {"state": EventState.WAITING, "tries": 0, "due_at": DatabaseTime()}
        return lambda connection: change_rows(connection, self.events, chosen, **values)

    @operation
    def discard(self, *ids: int, by: str, why: str) -> Work[int]:
        """Give up dead letters: no handler is called for them any more.

        The data of the event is deleted. That it was discarded, by whom and why is kept:
        `dead_letters("discarded")`. Returns the number of the discarded events.

        Args:
            ids: Their numbers.
            by: Who gives them up.
            why: Why nothing is lost.

        Raises:
            InvalidRequest: There is no id; or `by` or `why` is empty.
        """
        if not ids:
            raise _empty_error("ids")
        for name, text in (("by", by), ("why", why)):
            if not text.strip():
                raise _empty_error(name)
        words = f"Discarded by {by.strip()}: {why.strip()} It had failed: "
        error = sa.literal(words, sa.Text) + sa.func.coalesce(self.events.c.error, "")
        values = {"state": EventState.DISCARDED, "data": "", "error": error}
        chosen = self._chosen(ids)
        return lambda connection: change_rows(connection, self.events, chosen, **values)

    def _chosen(self, ids: Sequence[int]) -> Condition:
        """Holds for the dead letters with these ids."""
        columns = self.events.c
        # PostgreSQL would raise an error for a number beyond 64 bits.
        known = [number for number in ids if 0 < number < _ID_LIMIT]
        return sa.and_(columns.state == EventState.DEAD, columns.id.in_(known))

    @operation
    def event_counts(self) -> Work[dict[EventState, int]]:
        """The number of events in each state, such as for `/metrics`."""
        return count_by_state(self.events.c.state, EventState)


def _letter_of(row: Any) -> DeadLetter:
    """The dead letter in a row."""
    return DeadLetter(
        id=row.id,
        name=row.name,
        source=row.source,
        subject=row.subject,
        tries=row.tries,
        error=row.error,
        stored_at=datetime.fromtimestamp(row.stored_at, UTC),
        provider=row.provider,
    )


def _empty_error(name: str) -> InvalidRequest:
    message = f"{name} is empty: name what is given up, by whom, and why."
    return InvalidRequest.of([Problem(name, "required", message)])
