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

from victor_ext import Outcome, VictorError
from victor_ext._settlement.flow import MAY_EXIST, SETTLED
from victor_ext._values.exit_status import FAILED, FOR_NOW, UNKNOWN
from victor_ext.outbox._files import (
    SETTLE_FOR,
    OpenEntries,
    adopt,
    held_since,
    let_go_on,
    named_entries,
    open_entries,
)

from ._check import Check, Notice
from ._deciding import TO_DECIDE
from ._lines import counts_of
from ._payments import LINES, PAYMENTS
from ._rows import RowOutcome
from ._settings import BatchRecord
from ._state import NOTICE, may_be_temporary, report
from ._store import Store
from ._worker import Worker, undecided_units

_FIRST_LOOK = 0.02
_LOOK_EVERY = 0.3
"""Seconds between two looks at a batch. The first ones are shorter: a small batch ends soon."""
_QUIET = 5.0
"""Seconds without a result after which it is said for what it waits."""
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
        replaced: After `send`: rows of its sheet that were not created as it has them, and that a
            newer sheet of the batch lacks or changes, by their values in the key column.
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
    replaced: Sequence[str] = ()
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
        of_rows = sum(self.noticed[code] for code in TO_DECIDE & self.noticed.keys())
        return max(of_rows, self.counts.get(RowOutcome.TO_DECIDE, 0))

    @property
    def exit_status(self) -> int:
        """Exit status of the command.

        0 if all rows are created, 3 if the outcome of some is unknown, 75 if some are not sent yet
        (`resume` sends them), and 1 if some are refused or rejected, if a person has to decide
        about some, if a newer sheet has replaced some, or if the state is held.
        """
        counts = Counter(self.counts)
        if any(counts[outcome] for outcome in MAY_EXIST):
            return UNKNOWN
        if self.held_since is not None:
            return FAILED
        if self.unsettled:
            return FOR_NOW
        if self.replaced:
            return FAILED
        return 0 if counts[RowOutcome.CREATED] == counts.total() else FAILED


Progress = Callable[[BatchStatus], None]
"""Called with the status of a batch, again and again while it is sent."""


class BulkStopped(VictorError):
    """The provider rejects this client. The remaining rows wait for `resume`.

    Attributes:
        exit_status: Exit status of the command: 3 if the outcome of some rows is unknown, else 1.
    """

    exit_status = FAILED


def run_batch(
    store: Store,
    record: BatchRecord,
    on_progress: Progress | None,
    status: Callable[[], BatchStatus],
) -> BatchStatus:
    """Retry unsettled rows and send until nothing is left to do. Raises as `serve` does; a
    `BulkStopped` has the exit status of the batch.

    Args:
        record: The record of the batch.
        on_progress: Called with each status.
        status: Returns the status of the batch.
    """
    settings = store.settings
    store.transact(partial(_go_on, store))
    patience = settings.with_terms_of(record).patience_seconds
    watch = _Watch(store, patience, on_progress, status)
    if not watch.is_over(None):
        try:
            serve(store, watch.is_over)
            with store.state.errors():
                watch.count_last_calls()
        except BulkStopped as error:
            with suppress(SQLAlchemyError):
                is_unknown = MAY_EXIST & status().counts.keys()
                error.exit_status = UNKNOWN if is_unknown else FAILED
            raise
    assert watch.latest is not None
    return watch.latest


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
    adopt(connection, sa.or_(is_listed, store.is_entry()), store.sender, store.batch)
    let_go_on(connection, store.is_entry())


class _Watch:
    """Looks at a batch again and again, until no worker has or will have an entry of it, or nothing
    was settled for as long as there is patience.

    Attributes:
        latest: The status of the last count.
    """

    def __init__(
        self,
        store: Store,
        patience: float,
        on_progress: Progress | None,
        status: Callable[[], BatchStatus],
    ) -> None:
        self._store, self._patience = store, patience
        self._on_progress, self._status = on_progress, status
        self._next_count = 0.0
        """When the next count may be, by the monotonic clock."""
        self._unsettled: object = None
        """What was not settled at the last look that showed a progress."""
        self._progress_at = time.monotonic()
        self._has_told = False
        """Whether it was said why nothing goes on."""
        self._others_end_at = 0.0
        """When what other workers had at the beginning is free, by the monotonic clock."""
        self._are_calls_under_way = False
        """Whether a worker had entries at the last look."""
        self._least_passes = 1
        """After so many passes, all that no other worker has was tried."""
        self.latest: BatchStatus | None = None

    def is_over(self, worker: Worker | None) -> bool:
        """Look at the batch. Return whether workers have nothing left to do.

        A failure of the database is reported: the batch is looked at again later.

        Args:
            worker: The worker of this process; None: there is none, or not yet.

        Raises `SQLAlchemyError` if the database will not work again.
        """
        try:
            is_over = self._is_done(worker)
            if is_over or time.monotonic() >= self._next_count:
                self._count(is_over=is_over)
        except SQLAlchemyError as error:
            if not may_be_temporary(error):
                raise
            report(error)
            return False
        return is_over

    def _is_done(self, worker: Worker | None) -> bool:
        """Whether nothing is left to do, or patience has ended."""
        with self._store.engine.connect() as connection:
            left = open_entries(connection, self._store.is_entry())
            is_held = held_since(connection) is not None
            units: Mapping[str, list[Any]] = {}
            if self._has_units:
                units = undecided_units(connection, self._store)
        if not left.due and not units:
            return True
        if is_held and not left.live:  # it was found to be another copy, and nothing is sent
            return True
        unsettled = left.due, left.are_looked_up, frozenset(units)
        if unsettled != self._unsettled:
            self._unsettled = unsettled
            self._progress_at = time.monotonic()
        self._are_calls_under_way = left.live > 0
        if worker is None:
            self._others_end_at = time.monotonic() + (left.live_for if left.live else 0.0)
            return False
        if left.live and not self._has_told:
            self._tell_why_it_waits(left)
        if left.live and time.monotonic() < self._others_end_at:
            # What others had is free then at the earliest, for a pass that begins later.
            self._least_passes = worker.begun + 1
            return False
        if worker.given_up or worker.passes < self._least_passes:
            return False
        waited = time.monotonic() - self._progress_at
        return waited >= self._patience_with(left)

    def count_last_calls(self) -> None:
        """Count the rows once more if calls were under way at the end: they have ended since."""
        if self._are_calls_under_way:
            self._count(is_over=True)

    def _tell_why_it_waits(self, left: OpenEntries) -> None:
        """Say once that calls may be under way, if nothing was settled for some seconds."""
        if time.monotonic() - self._progress_at < _QUIET:
            return
        self._has_told = True
        _logger.info(
            "%d calls are under way, or were begun by a process that was ended: these are gone on "
            "with in up to %.0f s, once they must have ended.",
            left.live,
            left.live_for,
            extra=NOTICE,
        )

    @property
    def _has_units(self) -> bool:
        return self._store.kind.rows_per_call > 1

    def _patience_with(self, left: OpenEntries) -> float:
        """The seconds for which a batch with such entries is waited for."""
        if self._has_units and left.are_looked_up:
            return max(self._patience, SETTLE_FOR)
        return self._patience

    def _count(self, *, is_over: bool) -> None:
        """Count the rows, and report the progress."""
        began = time.monotonic()
        self.latest = replace(self._status(), over=is_over)
        took = time.monotonic() - began
        self._next_count = time.monotonic() + _COUNT_SHARE * took
        if self._on_progress is not None:
            self._on_progress(self.latest)


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


def serve(store: Store, is_over: Callable[[Worker | None], bool]) -> None:
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
        while True:
            time.sleep(pause)
            pause = min(_LOOK_EVERY, 1.5 * pause)
            ends = is_over(worker)
            loss = store.state.loss()
            if loss is not None:
                raise loss
            if worker.failure is not None:
                raise worker.failure
            if ends:
                return
            if worker.given_up is not None:
                message = (
                    f"Nothing more can be sent with this client: {worker.given_up} The rows that "
                    "are left wait for resume. Those that are unknown are looked up then, or "
                    "repeated under their keys."
                )
                raise BulkStopped(message, outcome=Outcome.NOT_SENT)
