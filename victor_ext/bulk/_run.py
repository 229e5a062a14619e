"""Run a batch to its end, with one worker in this process, and count its rows meanwhile.

`run_batch` lets what is unsettled be taken up, and lets `serve` run a worker until `_Watch` says
that the batch is over. `status_of` counts the rows (`BatchStatus`).
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from victor_ext._settlement.flow import MAY_EXIST, SETTLED
from victor_ext._values.exit_status import FAILED, FOR_NOW, UNKNOWN
from victor_ext.outbox._files import (
    SETTLE_FOR,
    adopt,
    held_since,
    let_go_on,
    named_entries,
    open_entries,
)

from ._check import Check, Notice
from ._lines import counts_of
from ._payments import LINES, PAYMENTS
from ._rows import RowOutcome
from ._state import NOTICE, may_be_temporary, report
from ._store import Store
from ._worker import BulkStopped, Worker, undecided_units

_FIRST_LOOK = 0.02
_LOOK_EVERY = 0.3
"""Seconds between two looks at a batch. The first ones are shorter: a small batch ends soon."""
_COUNT_SHARE = 5
"""A count of a large batch is long: the next count waits this many times as long as it took."""
_logger = logging.getLogger("victor_ext.bulk")


@dataclass(frozen=True, slots=True)
class BatchStatus:
    """Status of a batch.

    Attributes:
        rows: Number of rows.
        counts: Rows by outcome; rows that have not been sent are `waiting`.
        under_way: Of the rows that are `unknown`, those that a worker has begun with: they are
            being sent, or it was interrupted.
        over: Whether workers have nothing left to do. Rows may still be unsettled.
        noticed: The number of rows by the code that says why they are not simply sent.
        check: Result of checking the source, if this call checked it.
        payments: Created requests by what the provider says of them now (`completed` is paid), if
            this call read that.
        units: What the provider says now of each payout, by its id, if this call read that.
        held_since: When the state was held, an aware time: nothing is sent; None: it is not held.
    """

    batch: str
    rows: int
    counts: Mapping[RowOutcome, int]
    over: bool
    noticed: Mapping[str, int] = field(default_factory=dict[str, int])
    check: Check | None = field(default=None, repr=False)
    payments: Mapping[str, int] | None = None
    units: Mapping[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])
    under_way: int = 0
    held_since: datetime | None = None

    @property
    def notices(self) -> Sequence[Notice]:
        """Why rows of the source were not simply sent, if this call checked the source: the first
        100 notices of each code.
        """
        return () if self.check is None else self.check.notices

    @property
    def settled(self) -> int:
        """Number of rows that a retry cannot change."""
        return sum(self.counts.get(outcome, 0) for outcome in SETTLED)

    @property
    def unsettled(self) -> int:
        """Number of rows that `resume` would retry: all except `created`, `rejected`, `refused` and
        `to_decide`.
        """
        return self.rows - self.settled

    @property
    def to_decide(self) -> int:
        """Number of rows about which a person has to decide: they were not sent as the latest sheet
        has them.
        """
        return self.counts.get(RowOutcome.TO_DECIDE, 0)

    @property
    def exit_status(self) -> int:
        """Exit status of the command.

        0 if all rows are created, 3 if the outcome of some is unknown, 75 if some are not sent yet
        (`resume` sends them), and 1 if some are refused or rejected, if a person has to decide
        about some, or if the state is held.
        """
        counts = Counter(self.counts)
        if any(counts[outcome] for outcome in MAY_EXIST):
            return UNKNOWN
        if self.held_since is not None:
            return FAILED
        if self.unsettled:
            return FOR_NOW
        return 0 if counts[RowOutcome.CREATED] == counts.total() else FAILED


Progress = Callable[[BatchStatus], None]
"""Called with the status of a batch, again and again while it is sent."""


def run_batch(store: Store, on_progress: Progress | None) -> BatchStatus:
    """Retry unsettled rows and send until nothing is left to do. `on_progress` is called with each
    status. Raises as `serve` does; a `BulkStopped` has the exit status of the batch.
    """
    store.transact(partial(_go_on, store))
    watch = _Watch(store, on_progress)
    try:
        if not watch.is_over(None):
            serve(store, watch.is_over)
            _serve_what_others_left(store, watch)
    except BulkStopped as error:
        with suppress(SQLAlchemyError):
            is_unknown = MAY_EXIST & status_of(store).counts.keys()
            error.exit_status = UNKNOWN if is_unknown else FAILED
        raise
    with store.state.errors():
        return watch.count(is_over=True)


def _serve_what_others_left(store: Store, watch: _Watch) -> None:
    """Go on with the entries that other workers have, once their calls must have ended: a worker
    may have been killed. No worker of this process has one.
    """
    with store.state.errors(), store.engine.connect() as connection:
        left = open_entries(connection, store.is_entry())
    if not left.live:
        return
    _logger.info(
        "%d calls are under way, or were begun by a process that was ended: these are gone on "
        "with in %.0f s, once they must have ended.",
        left.live,
        left.live_for,
        extra=NOTICE,
    )
    ends_at = time.monotonic() + left.live_for
    while time.monotonic() < ends_at:
        if watch.is_over(None):
            return
        time.sleep(_LOOK_EVERY)
    serve(store, watch.is_over)


def _go_on(store: Store, connection: Connection) -> None:
    """Let workers go on at once with all entries that the batch has not settled: those of its
    payments, and those in doubt of payments that its sheet has, whichever batch has sent them.
    """
    if held_since(connection) is not None:
        return
    columns = PAYMENTS.c
    listed_keys = sa.select(LINES.c.key).where(store.is_listed())
    listed = sa.select(columns.entry).where(
        columns.owner == store.owner, columns.key.in_(listed_keys), columns.entry.is_not(None)
    )
    is_listed = named_entries(store.owner, listed)
    adopt(connection, sa.or_(is_listed, store.is_entry()), store.address, store.batch)
    let_go_on(connection, store.is_entry())


class _Watch:
    """Looks at a batch again and again, until no worker has or will have an entry of it, or nothing
    was settled for as long as there is patience.
    """

    def __init__(self, store: Store, on_progress: Progress | None) -> None:
        self._store = store
        self._on_progress = on_progress
        self._next_count = 0.0
        """When the next count may be, by the monotonic clock."""
        self._unsettled: object = None
        """What was not settled at the last look that showed a progress."""
        self._progress_at = time.monotonic()

    def is_over(self, worker: Worker | None) -> bool:
        """Look at the batch. Return whether workers have nothing left to do.

        A failure of the database is reported: the batch is looked at again later.

        Args:
            worker: The worker of this process; None: there is none yet.

        Raises `SQLAlchemyError` if the database will not work again.
        """
        try:
            if self._is_done(worker):
                return True
            if time.monotonic() >= self._next_count:
                self.count(is_over=False)
        except SQLAlchemyError as error:
            if not may_be_temporary(error):
                raise
            report(error)
            self._progress_at = time.monotonic()
        return False

    def _is_done(self, worker: Worker | None) -> bool:
        """Whether nothing is left to do, or patience has ended."""
        with self._store.engine.connect() as connection:
            left = open_entries(connection, self._store.is_entry())
            is_held = held_since(connection) is not None
            units = undecided_units(connection, self._store)
        if not left.due and not units:
            return True
        if is_held and not left.live:  # it was found to be another copy, and nothing is sent
            return True
        unsettled = left.due, left.are_looked_up, frozenset(units)
        if unsettled != self._unsettled:
            self._unsettled = unsettled
            self._progress_at = time.monotonic()
        if worker is None or not worker.passes:
            return False
        patience = self._store.settings.patience
        if left.are_looked_up and self._store.kind.rows_per_call > 1:
            patience = max(patience, SETTLE_FOR)
        return time.monotonic() - self._progress_at >= patience

    def count(self, *, is_over: bool) -> BatchStatus:
        """Count the rows, and report the progress."""
        began = time.monotonic()
        status = replace(status_of(self._store), over=is_over)
        took = time.monotonic() - began
        self._next_count = time.monotonic() + _COUNT_SHARE * took
        if self._on_progress is not None:
            self._on_progress(status)
        return status


def status_of(store: Store) -> BatchStatus:
    """Return the status of a batch. Rows under way count as `unknown`: their worker may be dead."""
    with store.engine.connect() as connection:
        is_over = not open_entries(connection, store.is_entry()).due
        since = held_since(connection)
    lines = counts_of(store)
    counts = {
        outcome: lines.outcomes[outcome] for outcome in RowOutcome if lines.outcomes[outcome] > 0
    }
    return BatchStatus(
        store.batch,
        lines.outcomes.total(),
        counts,
        over=is_over,
        noticed=dict(lines.codes),
        under_way=lines.under_way,
        held_since=since,
    )


def serve(store: Store, is_over: Callable[[Worker], bool]) -> None:
    """Run a worker until `is_over` returns true.

    Args:
        store: The batch to send; without one, all of the state, also future ones.

    Raises:
        BulkStopped: The provider rejects the client.
        StateLost: The state was deleted.
        StateUnavailable: The database cannot be used at the beginning.
    """
    with store.state.errors(), Worker(store) as worker:
        pause = _FIRST_LOOK
        ends = False
        while not ends:
            time.sleep(pause)
            pause = min(_LOOK_EVERY, 1.5 * pause)
            ends = is_over(worker)
            failure = store.state.loss() or worker.failure
            if failure is not None:
                raise failure
