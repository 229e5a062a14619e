"""Run a batch to its end: one worker in this process, and regular status reads."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress

from sqlalchemy.exc import SQLAlchemyError

from victor_ext import Outcome, VictorError

from .batch_store import BatchStore
from .layout import Submission, queue_of
from .loading import retry_unsettled
from .notices import NOTICE, database_notices
from .settings import WorkerContext
from .status import BatchStatus, StatusReader
from .worker_lock import lock_in

_FIRST_LOOK = 0.02
_LOOK_EVERY = 0.3
"""Seconds between two reads of the status, after shorter ones: a small batch ends soon."""
_logger = logging.getLogger("victor_ext.bulk")

Progress = Callable[[BatchStatus], None]


class BulkStopped(VictorError):
    """The provider rejects this client. The remaining rows wait for `resume`."""


def run_batch(
    context: WorkerContext, store: BatchStore, loads: Sequence[Submission], on_progress: Progress | None
) -> BatchStatus:
    """Retry unsettled rows and send until nothing is left to do.

    Raises:
        BulkStopped: The provider rejects this client.
    """
    settings = context.settings
    retry_unsettled(store, loads, settings)
    rate = settings.rate or loads[-1].rate
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
            database_notices.report(error)
            return False
        if on_progress is not None:
            on_progress(latest)
        return latest.over

    if not over():
        serve(context, [queue_of(context.vault.application, store.batch)], over)
    with suppress(SQLAlchemyError):
        # An empty queue is harmless, and `resume` closes it too.
        store.close_queue()
    assert latest is not None
    return latest


def serve(context: WorkerContext, queues: Sequence[str] | None, over: Callable[[], bool]) -> None:
    """Run a worker until `over` returns true. While another process holds an SQLite database, only watch.

    Raises:
        BulkStopped: The provider rejects this client.
    """
    from .worker import Worker  # noqa: PLC0415 - it needs all of DBOS, which takes half of the start

    worker_lock = lock_in(context.state)
    notified = False
    pause = _FIRST_LOOK
    try:
        with ExitStack() as stack:
            worker: Worker | None = None
            while True:
                if worker is None and worker_lock.acquire():
                    worker = stack.enter_context(Worker(context, worker_lock, queues))
                elif worker is None and not notified:
                    notified = True
                    _logger.info("Another process works on %s: waiting for it.", context.state, extra=NOTICE)
                time.sleep(pause)
                pause = min(_LOOK_EVERY, 1.5 * pause)
                if over():
                    return
                if worker is not None and worker.given_up is not None:
                    raise BulkStopped(
                        f"Nothing more can be sent with this client: {worker.given_up} The rows that are left wait for "
                        "resume.",
                        outcome=Outcome.NOT_SENT,
                    )
    finally:
        worker_lock.close()
