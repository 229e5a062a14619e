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
from victor_ext._event_queue.transactions import Box, Pass, operation

from ._digests import FORGOTTEN, reference_digest
from ._engine import OutboxEngine
from ._entries import EntryState, is_surely_not_done, refusal, sent_values
from ._sealing import clear_row

_BATCH = 500
"""The maximum number of entries that one transaction forgets."""
FORGOTTEN_VALUES: Mapping[str, Any] = {
    "call": FORGOTTEN,
    "look_up_by": "{}",
    **dict.fromkeys(
        ("more_references", "send_before", "settle_until", "error", "resolved_by", "resolved_why")
    ),
    **sent_values(None),
}
"""The column values of a forgotten entry, as far as they change, also of one of a file."""


class Forgetting(Box):
    """Deletes what an outbox stores of people."""

    client: Any
    events: sa.Table
    _parts: OutboxEngine

    @operation
    def forget(self, *, older_than: timedelta) -> Pass[int]:
        """Forget the data of entries that are settled, and have been for longer than this.

        An entry keeps its key, the provider's id, its state and status, and a digest of its
        reference: nothing is added under its key any more. Its request, errors, who has resolved it
        and why, and its discarded events are deleted. What may have been sent, or has not ended, or
        has an event that waits or is a dead letter, is not forgotten.

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
        seconds = older_than.total_seconds()
        forgotten = 0
        last: int | None = 0
        while last is not None:
            number, last = yield from self._transactions.transact(
                partial(self._forget_batch, seconds, last)
            )
            forgotten += number
        return forgotten

    def _forget_batch(
        self, seconds: float, last: int, connection: Connection
    ) -> tuple[int, int | None]:
        """Forget entries after the id `last` that have not changed for so many seconds. Returns
        their number, and the last id that was read; None: none was left.
        """
        columns, events = self.table.c, self.events.c
        before = earliest_time(connection, self.client) - seconds
        is_old = sa.and_(
            columns.changed_at < before, sa.func.coalesce(columns.first_sent_at, 0.0) < before
        )
        due = sa.and_(self._is_settled(), is_old, columns.id > last)
        query = sa.select(self.table).where(due).order_by(columns.id).limit(_BATCH)
        rows = connection.execute(query).all()
        count = 0
        for row in rows:
            values = self._values_of(row)
            is_as_read = sa.and_(due, columns.id == row.id, columns.state == row.state)
            if change_rows(connection, self.table, is_as_read, **values):
                count += 1
                # The discarded ones: a settled entry has no others.
                own = sa.and_(events.provider == row.provider, events.subject == row.key)
                delete_rows(connection, self.events, own)
        return count, rows[-1].id if rows else None

    def _is_settled(self) -> Condition:
        """Holds for entries that no call or handler will change, and that still have their data:
        none of their events waits or is a dead letter.
        """
        columns, events = self.table.c, self.events.c
        has_event = sa.exists().where(
            events.provider == columns.provider,
            events.subject == columns.key,
            events.state.in_([EventState.WAITING, EventState.DEAD]),
        )
        is_sent = sa.and_(columns.state == EntryState.SENT, columns.ended.is_(True))
        return sa.and_(
            sa.or_(is_sent, is_surely_not_done(columns)),
            columns.call != FORGOTTEN,
            sa.not_(has_event),
        )

    def _values_of(self, stored: Any) -> dict[str, Any]:
        """The column values of a stored entry that is forgotten."""
        row = clear_row(self._parts.vault, stored)
        reference = reference_digest(row.prepared.subject or row.key)
        return {**FORGOTTEN_VALUES, "reference": reference}
