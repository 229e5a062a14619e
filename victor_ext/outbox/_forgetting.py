"""`forget`: the data of settled entries is deleted, and what protects from a repeat is kept."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from victor_ext._event_queue.databases import Condition, earliest_time
from victor_ext._event_queue.events import EventState
from victor_ext._event_queue.rows import change_rows, delete_rows
from victor_ext._event_queue.transactions import Box, Work, operation

from ._digests import FORGOTTEN
from ._entries import EntryState, is_surely_not_done, refusal, sent_values

_FORGOTTEN_VALUES: Mapping[str, Any] = {
    "call": FORGOTTEN,
    "look_up_by": "{}",
    **dict.fromkeys(
        ("more_references", "send_before", "settle_until", "error", "resolved_by", "resolved_why")
    ),
    **sent_values(None),
}
"""The column values of a forgotten entry, as far as they change, beside its reference."""


def forget_entries(connection: Connection, table: sa.Table, chosen: Condition) -> int:
    """Delete what is stored of the chosen entries, as far as it is certain whether they were done.
    Their keys, states, statuses and ids stay. Returns how many there were.
    """
    columns = table.c
    is_over = sa.or_(columns.state == EntryState.SENT, is_surely_not_done(columns))
    has_call = columns.call != FORGOTTEN
    values = {**_FORGOTTEN_VALUES, "reference": columns.key}
    return change_rows(connection, table, sa.and_(chosen, is_over, has_call), **values)


class Forgetting(Box):
    """Deletes what an outbox stores of people."""

    client: Any
    events: sa.Table

    @operation
    def forget(self, *, older_than: timedelta) -> Work[int]:
        """Forget the data of entries that are settled, and have been for longer than this.

        An entry keeps its key, the provider's id, its state and status: nothing is added under its
        key any more. Its request, its reference, errors, who has resolved it and why, and its
        discarded events are deleted. What may have been sent, or has not ended, or has an event
        that waits or is a dead letter, is not forgotten.

        Args:
            older_than: How long ago its state or status last changed, by the database's clock, and
                it was first sent, by the provider's: a clock may have been behind.

        Returns:
            How many entries it has forgotten.

        Raises:
            InvalidRequest: The time is negative.
        """
        if older_than < timedelta(0):
            message = f"older_than={older_than!r} is negative: write the days."
            raise refusal(None, "older_than", "range", message)
        return partial(self._forget, older_than.total_seconds())

    def _forget(self, seconds: float, connection: Connection) -> int:
        """Forget the settled entries that have not changed for so many seconds."""
        columns, events = self.table.c, self.events.c
        before = earliest_time(connection, self.client) - seconds
        is_old = sa.and_(
            columns.changed_at < before, sa.func.coalesce(columns.first_sent_at, 0.0) < before
        )
        has_ended = sa.or_(columns.state != EntryState.SENT, columns.ended)
        is_its_event = sa.and_(events.provider == columns.provider, events.subject == columns.key)
        is_open = events.state.in_([EventState.WAITING, EventState.DEAD])
        has_open_event = sa.exists().where(is_its_event, is_open)
        chosen = sa.and_(is_old, has_ended, sa.not_(has_open_event))
        count = forget_entries(connection, self.table, chosen)
        # The discarded ones: a settled entry has no others.
        is_of_forgotten = sa.exists().where(is_its_event, columns.call == FORGOTTEN)
        delete_rows(connection, self.events, is_of_forgotten)
        return count
