"""The operations of people on events whose handlers have failed too often: dead letters."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from victor_ext import InvalidRequest, Problem

from .databases import Condition, DatabaseTime
from .events import DeadLetter, EventState
from .rows import count_by_state
from .transactions import Engine, Transactions, Work, operation

_ID_LIMIT = 2**63
"""Ids of events are below this."""


class DeadLetters(Transactions[Engine]):
    """Reads dead letters, lets them be tried again, or discards them."""

    events: sa.Table

    @operation
    def dead_letters(self, state: EventState | str = EventState.DEAD) -> Work[list[DeadLetter]]:
        """The events whose handlers have failed too often, oldest first.

        Args:
            state: Those in this state, such as `not_found` or `discarded`, in place of `dead`.
        """
        events = self.events
        is_in_state = events.c.state == EventState(state).value
        query = sa.select(events).where(is_in_state).order_by(events.c.id)
        return lambda connection: [*map(_letter_of, connection.execute(query))]

    @operation
    def retry_dead_letters(self, *ids: int) -> Work[int]:
        """Let dead letters be tried again, those with these ids or else all. Returns their number.

        With its id, an event in the state `not_found` is tried again, too.
        """
        chosen = self._chosen(ids) if ids else self.events.c.state == EventState.DEAD.value
        values = {"state": EventState.WAITING.value, "tries": 0, "due_at": DatabaseTime()}
        return _count_of(sa.update(self.events).where(chosen).values(values))

    @operation
    def discard(self, *ids: int, by: str, why: str) -> Work[int]:
        """Give up dead letters, or events that were not found: no handler is called for them any
        more.

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
        values = {"state": EventState.DISCARDED.value, "data": "", "error": error}
        return _count_of(sa.update(self.events).where(self._chosen(ids)).values(values))

    def _chosen(self, ids: Sequence[int]) -> Condition:
        """Holds for the events with these ids that are not tried any more and not discarded."""
        columns = self.events.c
        ended = (EventState.DEAD.value, EventState.NOT_FOUND.value)
        # PostgreSQL would raise an error for a number beyond 64 bits.
        known = [number for number in ids if 0 < number < _ID_LIMIT]
        return sa.and_(columns.state.in_(ended), columns.id.in_(known))

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


def _count_of(update: sa.Update) -> Work[int]:
    """The work that makes a change, and returns how many rows it has changed."""
    return lambda connection: int(connection.execute(update).rowcount)
