"""What an outbox has to know of rows (`RowOutbox`): how one is sent, which are only looked up, and
when each has its turn. All machines together send so many rows of a batch a second.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from math import inf
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from victor_ext import PreparedCall
from victor_ext.event_queue.databases import database_time
from victor_ext.event_queue.rows import change_rows
from victor_ext.outbox.files import LONGEST_TURN, FileOutbox, SenderTerms, end_leases_of
from victor_ext.settlement.flow import PaymentOutcome

from .context import BulkContext
from .naming import name_of_entry
from .payments import ASKED, BATCHES, LINES
from .state import may_pass, report
from .store import Store

_LAST_STORING = 10.0
"""Seconds after a stop for which results are tried to be stored while the database is away."""


class RowOutbox(FileOutbox):
    """The outbox of a worker that sends rows.

    Args:
        batch: The batch that is sent; None: all of this account and environment.
        worker: The name of the presence of the worker.
        stop: Set when nothing more is to be sent.
    """

    def __init__(
        self,
        context: BulkContext,
        store: Store,
        batch: str | None,
        worker: str,
        stop: threading.Event,
    ) -> None:
        settings = context.settings
        terms = SenderTerms(
            scope=store.owner,
            sender=store.sender,
            batch=batch,
            kept=inf if settings.key_retention is None else settings.key_retention,
            workers=settings.workers,
            worker=worker,
        )
        super().__init__(store.engine, context.client, context.secret, context.vault, terms, stop)
        self._context, self._rows = context, store
        self._stopped_at = inf
        """When the worker was stopped, by the monotonic clock."""
        self._had_outage = False
        """Whether the database was away since the worker has last ended its leases."""

    def stop_at_once(self) -> None:
        """Begin nothing more, and wait for the database only for some seconds."""
        self._stopped_at = time.monotonic()
        self._stop_event.set()

    def send_due(self) -> None:
        """Make passes, if something is due."""
        with self._rows.engine.connect() as connection:
            has_due = self.has_due(connection)
        if has_due:
            self.send_for_a_while()
        if self._had_outage and not self.is_in_round:
            # A transaction may have been committed although its end was not seen: then this worker
            # has leases that it does not know.
            with self._rows.transaction() as connection:
                end_leases_of(connection, self._terms.worker)
            self._had_outage = False

    def _make_call(self, client: Any, call: PreparedCall, *, is_repeat: bool) -> Any:
        return self._context.kind.send(client, call, is_repeat=is_repeat)

    def _note(self, row: Any, outcome: PaymentOutcome) -> None:
        self._context.tried[outcome] += max(1, len(row.prepared.payments))

    def _name_of(self, row: Any, connection: Connection) -> str:
        return name_of_entry(self._rows, connection, row.key)

    def _only_looked_up(self, connection: Connection, keys: Sequence[str]) -> set[str]:
        """A payment that no file asks for any more, or that a restored state has, may exist under
        a later key, or with other values.
        """
        if not keys:
            return set()
        columns = ASKED.c
        is_line = sa.and_(
            LINES.c.owner == columns.owner, LINES.c.key == columns.key, LINES.c.number > 0
        )
        is_left = sa.or_(columns.restored, sa.not_(sa.exists().where(is_line)))
        named = sa.and_(columns.owner == self._rows.owner, columns.entry.in_(keys))
        query = sa.select(columns.entry).where(named, is_left)
        return set(connection.execute(query).scalars())

    def _reserve_turns(self, connection: Connection, batches: Sequence[str]) -> list[float]:
        """By the clock of the database, which all machines share. Other machines get their turns
        between those of one worker: none far ahead is reserved.
        """
        columns = BATCHES.c
        query = sa.select(columns.batch, columns.rate, columns.next_turn).where(
            columns.owner == self._rows.owner,
            columns.rate.is_not(None),
            columns.batch.in_(sorted(set(batches))),
        )
        paced = connection.execute(query.order_by(columns.batch).with_for_update()).all()
        if not paced:
            return [0.0] * len(batches)
        now = database_time(connection)
        gaps = {batch: 1.0 / rate for batch, rate, _ in paced}
        turns = {batch: _next_turn(turn, now, gaps[batch]) for batch, _, turn in paced}
        waits: list[float] = []
        for batch in batches:
            wait = turns.get(batch, now) - now
            waits.append(wait)
            if batch in gaps and wait <= LONGEST_TURN:
                turns[batch] += gaps[batch]
        for batch, turn in turns.items():
            named = sa.and_(columns.owner == self._rows.owner, columns.batch == batch)
            change_rows(connection, BATCHES, named, next_turn=turn)
        return waits

    def _wait_for_database(self, error: DBAPIError) -> None:
        state = self._context.state
        loss = state.loss(error)
        if loss is not None:
            raise loss from error
        if not may_pass(error) or time.monotonic() - self._stopped_at > _LAST_STORING:
            raise error
        self._had_outage = True
        report(error)
        time.sleep(0.5)


def _next_turn(stored: float, now: float, gap: float) -> float:
    """The next turn of a batch, whose turns are `gap` seconds apart."""
    # A turn that is further away than any worker can have reserved is of a clock that was ahead.
    was_ahead = stored > now + LONGEST_TURN + 2 * gap
    return now + gap if was_ahead else max(stored, now)
