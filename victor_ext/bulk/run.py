"""Run a batch to its end, with one worker in this process, and count its rows meanwhile."""

import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from victor_ext import Outcome, VictorError
from victor_ext._exit_status import FAILED, FOR_NOW, UNKNOWN
from victor_ext.settlement.flow import MAY_EXIST, SETTLED

from .batch_store import BatchStore, Try
from .layout import Submission, next_try, numbers_of, queue_of
from .results import latest_results
from .rows import Check, RowOutcome
from .settings import Settings, WorkerContext
from .state import NOTICE, report
from .worker_lock import FileLock, ServerLock

_FIRST_LOOK = 0.02
_LOOK_EVERY = 0.3
"""Seconds between two reads of the status, after shorter ones: a small batch ends soon."""
_WINDOW = 200
"""Unfinished chunks to read at once: more than all workers take."""
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
        check: Result of checking the source, if this call checked it.
        payments: Created requests by what the provider says of them now (`completed` is paid), if
            this call read that.
        units: What the provider says now of each payout, by its id, if this call read that.
        steps: The steps that were taken with the payouts, by name: who took them, and payouts by
            outcome.
    """

    batch: str
    rows: int
    counts: Mapping[RowOutcome, int]
    over: bool
    check: Check | None = field(default=None, repr=False)
    payments: Mapping[str, int] | None = None
    units: Mapping[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])
    steps: Mapping[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])
    under_way: int = 0

    @property
    def settled(self) -> int:
        """Number of rows that a retry cannot change."""
        return sum(self.counts.get(outcome, 0) for outcome in SETTLED)

    @property
    def unsettled(self) -> int:
        """Number of rows that `resume` would retry: all except `created`, `rejected` and
        `refused`.
        """
        return self.rows - self.settled

    @property
    def exit_status(self) -> int:
        """Exit status of the command.

        0 if all rows are created, 3 if the outcome of some is unknown, 75 if some are not sent yet
        (`resume` sends them), and 1 if some are refused or rejected.
        """
        if any(self.counts.get(outcome, 0) for outcome in MAY_EXIST):
            return UNKNOWN
        if self.unsettled:
            return FOR_NOW
        changed = self.check is not None and self.check.changed
        return 0 if not changed and self.counts.get(RowOutcome.CREATED, 0) == self.rows else FAILED


Progress = Callable[[BatchStatus], None]


class BulkStopped(VictorError):
    """The provider rejects this client. The remaining rows wait for `resume`.

    Attributes:
        exit_status: Exit status of the command: 3 if the outcome of some rows is unknown, else 1.
    """

    exit_status = FAILED


def run_batch(
    context: WorkerContext,
    store: BatchStore,
    loads: Sequence[Submission],
    on_progress: Progress | None,
) -> BatchStatus:
    """Retry unsettled rows and send until nothing is left to do. Raises as `serve` does."""
    settings = context.settings
    _retry_unsettled(store, loads, settings)
    rate = settings.rate or loads[-1].settings["rate"]
    if settings.rate is not None or not store.is_open():
        store.open_queue(rate, settings.slots)
    reader = StatusReader(store, loads)
    latest: BatchStatus | None = None

    def over() -> bool:
        nonlocal latest
        try:
            latest = reader.read()
            if not latest.over and not store.is_open():
                # Another sender of this batch finished its rows and closed the queue.
                store.open_queue(rate, settings.slots)
        except SQLAlchemyError as error:
            if (lost := context.state.loss(error)) is not None:
                raise lost from error
            report(error)
            return False
        if on_progress is not None:
            on_progress(latest)
        return latest.over

    if not over():
        try:
            serve(context, [queue_of(context.vault.application, store.batch)], over)
        except BulkStopped as error:
            with suppress(SQLAlchemyError):
                error.exit_status = UNKNOWN if MAY_EXIST & reader.read().counts.keys() else FAILED
            raise
    with suppress(SQLAlchemyError):
        # An empty queue is harmless, and `resume` closes it too.
        store.close_queue()
    assert latest is not None
    return latest


def _retry_unsettled(store: BatchStore, loads: Sequence[Submission], settings: Settings) -> None:
    """Add a retry for all unsettled rows whose last attempt has ended."""
    for number, attempts in store.chunks(loads):
        if attempts[-1].over and attempts[-1].unsettled != 0:
            tries = store.tries([number], rows=True)[number]
            last, known = tries[-1], latest_results(store, tries)
            left = last.chunk.unsettled([known[row.place] for row in last.chunk.rows])
            if last.over and left.rows:
                store.add_try(next_try(last.id), settings.of_chunk(left))


def serve(context: WorkerContext, queues: Sequence[str] | None, over: Callable[[], bool]) -> None:
    """Run a worker until `over` returns true. While another process holds an SQLite database, only
    watch.

    Raises `BulkStopped`; `StateLost`; and `StateUnavailable` if the database could not be used at
    the beginning.
    """
    from .worker import Worker  # noqa: PLC0415 - it needs all of DBOS, which takes half of the start

    lock = FileLock(context.state) if context.state.is_sqlite else ServerLock(context.state)
    notified, pause = False, _FIRST_LOOK
    with context.state.errors(), closing(lock), ExitStack() as stack:
        worker: Worker | None = None
        while True:
            if worker is None and lock.acquire():
                worker = stack.enter_context(Worker(context, lock, queues))
            elif worker is None and not notified:
                notified = True
                _logger.info(
                    "Another process works on %s: waiting for it.", context.state, extra=NOTICE
                )
            time.sleep(pause)
            pause = min(_LOOK_EVERY, 1.5 * pause)
            is_over = over()
            lost = (None if worker is None else worker.take_over.state_lost) or context.state.loss()
            if lost is not None:
                raise lost
            if is_over:
                return
            if worker is not None and (reason := worker.given_up) is not None:
                what = (
                    f"Nothing more can be sent with this client: {reason} The rows that are "
                    "left wait for resume."
                )
                raise BulkStopped(what, outcome=Outcome.NOT_SENT)


class StatusReader:
    """Counts a batch repeatedly. Finished chunks are read once; of the others, only the next ones
    are read.

    Rows in progress are `unknown`: their sender may have died.
    """

    def __init__(self, store: BatchStore, loads: Sequence[Submission]) -> None:
        self._store, self._loads = store, loads
        self._sizes = numbers_of(loads)
        self._open: dict[int, int] = {}
        self._read: Counter[RowOutcome] = Counter()
        self._begun = 0
        """The rows that are under way, at the last look."""

    def read(self) -> BatchStatus:
        """Read the database and return the status.

        Raises `StateLost` if records of the batch were deleted.
        """
        self._store.check_load(self._loads[-1])
        unfinished: Counter[RowOutcome] = Counter()
        while True:
            self._open.update(islice(self._sizes, _WINDOW - len(self._open)))
            unfinished.clear()
            self._begun = 0
            attempts = self._store.tries(list(self._open))
            over = [number for number, tries in attempts.items() if tries[-1].over]
            for number, tries in attempts.items():
                counts = _counts(self._open[number], tries)
                if tries[-1].taken and not tries[-1].over:
                    counts = self._under_way(self._open[number], tries, counts)
                (self._read if tries[-1].over else unfinished).update(counts)
            for number in over:
                del self._open[number]
            if len(over) < _WINDOW:
                return self._status(unfinished)

    def _under_way(
        self, size: int, tries: Sequence[Try], counts: Counter[RowOutcome]
    ) -> Counter[RowOutcome]:
        progress = self._store.progress(tries[-1])
        if not progress.begun:
            return counts
        settled = Counter(
            {outcome: count for outcome, count in counts.items() if outcome in SETTLED}
        )
        known = settled + Counter(result.outcome for result in progress.results.values())
        # Of a retry that has not begun with them, rows may have been sent before.
        begun = {*range(progress.begun)} - progress.results.keys()
        self._begun += len(begun)
        left = len(begun) if len(tries) == 1 else size - known.total()
        return known + Counter({RowOutcome.UNKNOWN: left})

    def _status(self, unfinished: Counter[RowOutcome]) -> BatchStatus:
        counts, replaced = self._read + unfinished, sum(load.replaced for load in self._loads)
        rows = sum(load.rows for load in self._loads)
        counts[RowOutcome.WAITING] += rows - counts.total()
        counts[RowOutcome.REFUSED] -= replaced
        # A chunk that is not over does not tell which of its rows are refused.
        counts[RowOutcome.WAITING] += min(0, counts[RowOutcome.REFUSED])
        shown = {outcome: counts[outcome] for outcome in RowOutcome if counts[outcome] > 0}
        is_over = not self._open
        return BatchStatus(
            self._store.batch, rows - replaced, shown, over=is_over, under_way=self._begun
        )


def _counts(size: int, tries: Sequence[Try]) -> Counter[RowOutcome]:
    """Count the rows of one chunk by outcome. During a retry, the previous result counts."""
    counts: Counter[RowOutcome] = Counter()
    for attempt in tries:
        if attempt.counts is not None:
            counts.update(
                {outcome: count for outcome, count in attempt.counts.items() if outcome in SETTLED}
            )
    known = [attempt for attempt in tries if attempt.over and attempt.taken]
    if known and known[-1].counts is not None:
        counts.update(
            {
                outcome: count
                for outcome, count in known[-1].counts.items()
                if outcome not in SETTLED
            }
        )
    # The chunk has no result: it failed, or has not finished.
    counts[RowOutcome.UNKNOWN if known else RowOutcome.WAITING] += size - counts.total()
    return +counts
