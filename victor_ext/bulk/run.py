"""Run a batch to its end, with one worker in this process, and count its rows meanwhile.

`run_batch` queues what is unsettled, and lets `serve` run a worker until `_Watch` says that the
batch is over. `status_of` counts the rows (`BatchStatus`).
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy.exc import SQLAlchemyError

from victor_ext import Outcome, VictorError
from victor_ext._exit_status import FAILED, FOR_NOW, UNKNOWN
from victor_ext.settlement.flow import MAY_EXIST, SETTLED

from .check import Check, Notice
from .chunks import close_queue, is_idle, is_open, open_queue, retry_unsettled
from .context import WorkerContext
from .deciding import TO_DECIDE
from .holding import held_since
from .lines import counts_of
from .rows import RowOutcome
from .state_errors import NOTICE, report
from .store import BatchRecord, Store
from .worker_lock import FileLock, ServerLock, WorkerLock

if TYPE_CHECKING:
    from .worker import Worker

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
        left_out: Of the rows that are `refused`, those that another batch had taken over and whose
            latest file leaves out. A file that has them sends them; `resume` never.
        over: Whether workers have nothing left to do. Rows may still be unsettled.
        noticed: The number of rows by the code of their notice: why they were not simply sent.
        check: Result of checking the source, if this call checked it.
        payments: Created requests by what the provider says of them now (`completed` is paid), if
            this call read that.
        units: What the provider says now of each payout, by its id, if this call read that.
        steps: The steps that were taken with the payouts, by name: who took them, payouts by
            outcome, how many are unsettled, and `reasons`.
        reasons: In the status of a step: why the step was not taken, by the payout's id.
        held_since: When the state was held, an aware time: nothing is sent; None: it is not held.
        next_step: The step that can follow for the payouts of this batch, such as `instruct`; None:
            the provider has accepted none of them.
    """

    batch: str
    rows: int
    counts: Mapping[RowOutcome, int]
    over: bool
    noticed: Mapping[str, int] = field(default_factory=dict[str, int])
    check: Check | None = field(default=None, repr=False)
    payments: Mapping[str, int] | None = None
    units: Mapping[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])
    steps: Mapping[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])
    reasons: Mapping[str, str] = field(default_factory=dict[str, str])
    under_way: int = 0
    left_out: int = 0
    held_since: datetime | None = None
    next_step: str | None = None

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
        """Number of rows of the latest file that were not sent as it has them: a person has to
        decide about them.
        """
        return sum(self.noticed[code] for code in TO_DECIDE & self.noticed.keys())

    @property
    def exit_status(self) -> int:
        """Exit status of the command.

        0 if all rows are created, 3 if the outcome of some is unknown, 75 if some are not sent yet
        (`resume` sends them), and 1 if some are refused or rejected, if a person has to decide
        about some, or if the state is held. Steps count as rows do.
        """
        counts = Counter(self.counts)
        for step in self.steps.values():
            counts.update(step["counts"])
        if any(counts[outcome] for outcome in MAY_EXIST):
            return UNKNOWN
        if self.held_since is not None:
            return FAILED
        if self.unsettled or any(step["unsettled"] for step in self.steps.values()):
            return FOR_NOW
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
    context: WorkerContext,
    store: Store,
    record: BatchRecord,
    on_progress: Progress | None,
) -> BatchStatus:
    """Retry unsettled rows and send until nothing is left to do. Raises as `serve` does.

    Args:
        record: The record of the batch.
        on_progress: Called with each status.
    """
    settings = context.settings
    retry_unsettled(store, settings.with_terms_of(record).new_chunk_terms())
    rate = settings.rate or record.terms["rate"]
    if settings.rate is not None or not is_open(store):
        open_queue(store, rate, settings.slots)
    watch = _Watch(context, store, rate, on_progress)
    if not watch.is_over():
        _serve_batch(context, store, watch)
    with suppress(SQLAlchemyError):  # an empty queue is harmless, and the next `resume` closes it
        close_queue(store)
    assert watch.latest is not None
    return watch.latest


def _serve_batch(
    context: WorkerContext,
    store: Store,
    watch: _Watch,
) -> None:
    """Run a worker for the batch. `BulkStopped` gets the exit status of the batch."""
    try:
        serve(context, [store.queue], watch.is_over)
    except BulkStopped as error:
        with suppress(SQLAlchemyError):
            is_unknown = MAY_EXIST & status_of(store).counts.keys()
            error.exit_status = UNKNOWN if is_unknown else FAILED
        raise


class _Watch:
    """Looks at a batch again and again, until no worker has or will have a chunk of it.

    Attributes:
        latest: The status of the last count.
    """

    def __init__(
        self,
        context: WorkerContext,
        store: Store,
        rate: float | None,
        on_progress: Progress | None,
    ) -> None:
        self._context, self._store, self._rate = context, store, rate
        self._on_progress = on_progress
        self._next_count = 0.0
        """When the next count may be, by the monotonic clock."""
        self.latest: BatchStatus | None = None

    def is_over(self) -> bool:
        """Look at the batch. Return whether workers have nothing left to do.

        A failure of the database is reported: the batch is looked at again later.

        Raises `StateLost` if the state was deleted.
        """
        try:
            is_over = is_idle(self._store)
            if is_over or time.monotonic() >= self._next_count:
                self._count(is_over=is_over)
            if not is_over and not is_open(self._store):
                # Another sender of this batch finished its rows and closed the queue.
                open_queue(self._store, self._rate, self._context.settings.slots)
        except SQLAlchemyError as error:
            loss = self._context.state.loss(error)
            if loss is not None:
                raise loss from error
            report(error)
            return False
        return is_over

    def _count(self, *, is_over: bool) -> None:
        """Count the rows, and report the progress."""
        began = time.monotonic()
        self.latest = replace(status_of(self._store), over=is_over)
        took = time.monotonic() - began
        self._next_count = time.monotonic() + _COUNT_SHARE * took
        if self._on_progress is not None:
            self._on_progress(self.latest)


def status_of(store: Store) -> BatchStatus:
    """Return the status of a batch. Rows under way count as `unknown`: their worker may be dead."""
    is_over = is_idle(store)
    lines = counts_of(store)
    counts = {
        outcome: lines.outcomes[outcome] for outcome in RowOutcome if lines.outcomes[outcome] > 0
    }
    with store.engine.connect() as connection:
        since = held_since(connection)
    return BatchStatus(
        store.batch,
        lines.outcomes.total(),
        counts,
        over=is_over,
        noticed=dict(lines.codes),
        under_way=lines.under_way,
        left_out=lines.left_out,
        held_since=since,
    )


def serve(
    context: WorkerContext,
    queues: Sequence[str] | None,
    is_over: Callable[[], bool],
) -> None:
    """Run a worker until `is_over` returns true.

    While another process works on an SQLite file, there is no worker here, and `is_over` is called
    all the same.

    Args:
        queues: The queues to serve; None: all of the state, also future ones.

    Raises:
        BulkStopped: The provider rejects the client.
        StateLost: The state was deleted.
        StateUnavailable: The database cannot be used at the beginning.
    """
    lock = FileLock(context.state) if context.state.is_sqlite else ServerLock(context.state)
    with context.state.errors(), closing(lock), ExitStack() as stack:
        own_worker = _OwnWorker(context, lock, queues, stack)
        pause = _FIRST_LOOK
        while True:
            own_worker.start()
            time.sleep(pause)
            pause = min(_LOOK_EVERY, 1.5 * pause)
            ends = is_over()
            own_worker.refuse_lost()
            if ends:
                return
            own_worker.refuse_rejected()


class _OwnWorker:
    """The worker of this process, once it has the lock of the state."""

    def __init__(
        self,
        context: WorkerContext,
        lock: WorkerLock,
        queues: Sequence[str] | None,
        stack: ExitStack,
    ) -> None:
        self._context, self._lock, self._queues = context, lock, queues
        self._stack = stack
        self._worker: Worker | None = None
        self._is_announced = False

    def start(self) -> None:
        """Start the worker, unless it runs already, or another process has the lock."""
        from .worker import Worker  # noqa: PLC0415 - it needs all of DBOS, which takes half of the start

        if self._worker is not None:
            return
        if self._lock.acquire():
            worker = Worker(self._context, self._lock, self._queues)
            self._worker = self._stack.enter_context(worker)
        elif not self._is_announced:
            self._is_announced = True
            state = self._context.state
            _logger.info("Another process works on %s: waiting for it.", state, extra=NOTICE)

    def refuse_lost(self) -> None:
        """Raise `StateLost` if the state, or a payment that was sent, is not there any more."""
        loss = None
        if self._worker is not None:
            loss = self._worker.state_lost or self._worker.take_over.state_lost
        loss = loss or self._context.state.loss()
        if loss is not None:
            raise loss

    def refuse_rejected(self) -> None:
        """Raise `BulkStopped` if the provider rejects this client."""
        reason = None if self._worker is None else self._worker.given_up
        if reason is not None:
            message = (
                f"Nothing more can be sent with this client: {reason} The rows that are "
                "left wait for resume."
            )
            raise BulkStopped(message, outcome=Outcome.NOT_SENT)
