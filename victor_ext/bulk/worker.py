"""The worker of a process: it receives chunks from DBOS, and has their rows sent.

`Worker.__enter__` starts DBOS. DBOS calls `_chunk` for each chunk, which calls `Worker.send`.
"""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from typing import Any, Self, cast

import sqlalchemy as sa
from dbos import DBOS, DBOSConfig
from sqlalchemy.exc import SQLAlchemyError

from victor_ext import ConfigurationError
from victor_ext.event_queue.databases import reconnecting_engine
from victor_ext.settlement.key_age import LAST_CALLS, Moment

from .chunk_run import ChunkRun
from .contents import rivals
from .context import WorkerContext
from .delivery import Checkpoints, Delivery
from .layout import CHUNK, VERSION, ChunkTerms, batch_of, step_of
from .row_kind import LaterStep, Sendable
from .rows import Result, Row
from .state_errors import NOTICE, StateLost, report
from .take_over import TakeOver
from .unit_sender import SendTerms
from .worker_lock import WorkerLock

_logger = logging.getLogger("victor_ext.bulk")
_one_at_a_time = threading.Lock()
"""Held by the worker of this process: DBOS can be there once in a process."""
_current: Worker | None = None
"""The worker that `_chunk` sends with."""


class Worker:
    """Takes chunks from queues and sends them until it is stopped.

    A process can have only one worker, because it can have only one DBOS instance.

    Args:
        worker_lock: Acquired lock that shows that the worker is alive.
        queues: Queues to serve; None for all of this key and provider.
    """

    def __init__(
        self,
        context: WorkerContext,
        worker_lock: WorkerLock,
        queues: Sequence[str] | None,
    ) -> None:
        self._context, self._vault = context, context.vault
        self._worker_lock = worker_lock
        self._queues = queues
        self._stop = threading.Event()
        self._deliveries = {
            name: Delivery(kind, context.settings.workers, self._stop)
            for name, kind in _kinds_of(context).items()
        }
        """By the later step that a chunk takes (`step_of`); the empty name: it sends rows."""
        self._name = f"{worker_lock.executor}/{uuid.uuid4().hex[:8]}"
        """Marks the payments that this worker has claimed."""
        self._unstored: dict[str, dict[str, Result]] = {}
        """Results that could not be stored yet, by chunk and payment: their rows are not sent
        again.
        """
        self.state_lost: StateLost | None = None
        """The error to end with, if payments that were sent are not in the state any more."""
        self.take_over = TakeOver(context, worker_lock, self._stop)
        self._resources = ExitStack()

    def __enter__(self) -> Self:
        """Start DBOS, and take chunks.

        Raises `ConfigurationError` if this process has a worker already.
        """
        if not _one_at_a_time.acquire(blocking=False):
            raise ConfigurationError(
                "Another bulk sender runs in this process: let it finish, or use another process."
            )
        state = self._context.state
        with ExitStack() as stack:
            stack.callback(_one_at_a_time.release)
            for delivery in self._deliveries.values():
                stack.callback(delivery.close)
            self._store = stack.enter_context(self._context.open())
            self._launch(stack.enter_context(state.engine()) if state.is_sqlite else None)
            self.take_over.start()
            self._resources = stack.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, *exc: object) -> None:
        """Stop taking chunks, finish the calls in progress, and store their results."""
        if kind is not None and issubclass(kind, KeyboardInterrupt):
            _logger.info(
                "Stopping. Calls under way end first; Ctrl-C again stops at once.", extra=NOTICE
            )
        global _current  # noqa: PLW0603 - DBOS is there once in a process, and so is this
        self._stop.set()
        is_lost = kind is not None and issubclass(kind, StateLost)
        is_lost = is_lost or self.take_over.state_lost is not None
        # In a state that was deleted, no result can be stored: nothing is waited for.
        waits_for_chunks = self.take_over.running and not is_lost
        try:
            DBOS.destroy(workflow_completion_timeout_sec=LAST_CALLS if waits_for_chunks else 0)
        finally:
            _current = None
            self.take_over.join()
            self.take_over.heartbeat.stop()
            self._resources.close()

    @property
    def given_up(self) -> str | None:
        """Why nothing can be sent with this client, or None."""
        reasons = (delivery.contact.given_up for delivery in self._deliveries.values())
        return next(filter(None, reasons), None)

    def _launch(self, sqlite: sa.Engine | None) -> None:
        """Start DBOS. Raises `ConfigurationError` if this process runs DBOS for something else."""
        global _current  # noqa: PLW0603 - see `__exit__`
        version = f"{VERSION}/{self._context.account}"
        dbos = self._make_dbos(sqlite, version)
        if DBOS.application_version != version:
            raise ConfigurationError(
                "This process runs DBOS for something else: send from a process of its own "
                "(victor bulk send)."
            )
        _current = self
        try:
            DBOS.workflow(name=CHUNK, max_recovery_attempts=None)(_chunk)
            if self._queues is not None:
                DBOS.listen_queues(list(self._queues))
            DBOS.launch()
            # The engine that DBOS has made for a server: it has no public name.
            reconnecting_engine(dbos._sys_db.engine)  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] - a test notices another name
        except BaseException:
            _current = None
            DBOS.destroy()
            raise

    def _make_dbos(self, sqlite: sa.Engine | None, version: str) -> DBOS:
        """Make the DBOS instance of this process.

        Args:
            sqlite: The engine for an SQLite file. For a server, DBOS makes its own engine, and adds
                a time-out for idle transactions.
        """
        # The URL is in no variable: it may contain a password, which a traceback would show.
        state = self._context.state
        return DBOS(
            config=DBOSConfig(
                name=self._vault.application,
                system_database_url=state.connection_string if sqlite is None else None,
                system_database_engine=sqlite,
                application_version=version,
                executor_id=self._worker_lock.executor,
                serializer=cast("Any", self._vault),
                log_level="WARNING",
                enable_otlp=False,
                run_migrations=False,
                notification_listener_polling_interval_sec=0.1,
                scheduler_polling_interval_sec=3600.0,
            )
        )

    def send(self, workflow_id: str, data: ChunkTerms) -> None:
        """Send one chunk. After a crash, DBOS calls this again: it goes on with what is stored."""
        self.take_over.running.append(workflow_id)
        self.take_over.begun.add(workflow_id)
        try:
            self._send(workflow_id, data)
            self.take_over.begun.discard(workflow_id)
        except StateLost as error:
            self.state_lost = error
            raise _WorkerGone from None
        except SQLAlchemyError as error:
            report(error)
            # An ordinary exception would end the chunk as failed. This one leaves the chunk
            # pending, and `TakeOver` queues it again.
            raise _WorkerGone from None
        finally:
            self.take_over.running.remove(workflow_id)

    def _send(self, workflow_id: str, data: ChunkTerms) -> None:
        """Run a chunk: claim its rows, send them, and store their results."""
        if self._stop.is_set():
            raise _WorkerGone
        batch = replace(self._store, batch=batch_of(workflow_id))
        run = ChunkRun.of_worker(batch, workflow_id, self._name)
        run.add_results(self._unstored.pop(workflow_id, {}))
        try:
            run.store_checkpoints(self._checkpoints(workflow_id, data, run.rows, run.results))
            terms = {name: data[name] for name in ("retention", "patience")}
            run.finish(terms, is_stopped=self._stop.is_set())
        except BaseException:
            can_be_lost = self._worker_lock.can_be_lost
            self._unstored[workflow_id] = run.results_for_next_run(can_be_lost=can_be_lost)
            raise
        self._context.tried.update(result.outcome for result in run.results.values())

    def _checkpoints(
        self,
        workflow_id: str,
        data: ChunkTerms,
        rows: Mapping[int, Row],
        results: dict[int, Result],
    ) -> Checkpoints:
        """Send the rows without a result. The arguments are those of `Delivery.deliver`, whose
        checkpoints are returned.
        """
        delivery = self._deliveries[step_of(workflow_id)]
        chunk_terms = self._context.settings.terms_of_chunk(data)
        terms = SendTerms(
            retention=chunk_terms["retention"],
            patience=chunk_terms["patience"],
            rate=_rate_of(workflow_id),
            rivals=partial(rivals, self._store),
            alone_since=self._alone_since(workflow_id, delivery),
        )
        return delivery.deliver(rows, terms, results)

    def _alone_since(self, chunk: str, delivery: Delivery) -> Callable[[], Moment] | None:
        """Return a function that says since when this worker is alone with a chunk that begins now;
        None: it always is.
        """
        is_step = bool(step_of(chunk))
        if not (is_step or self._worker_lock.can_be_lost):
            return None
        losses = self.take_over.losses  # read before the time: a loss between them counts
        began, _ = delivery.contact.sent_now()
        if is_step:
            # Who finds later that the step was not taken counts from its beginning, and takes it
            # again: the lock of this worker does not say when the step is sent.
            return lambda: began
        return partial(self.take_over.alone_since, began, losses)


def _kinds_of(context: WorkerContext) -> dict[str, Sendable]:
    """Return what the chunks of each later step send, by its name, and of rows, by the empty
    name.
    """
    kinds: dict[str, Sendable] = {"": context.kind}
    for name, write_name in context.kind.steps.items():
        kinds[name] = LaterStep(context.client, write_name)
    return kinds


def _rate_of(workflow_id: str) -> float | None:
    """Return the rate of the queue of a chunk, in rows per second; None: the queue has none."""
    queue = DBOS.retrieve_queue(workflow_id.rpartition("/")[0])
    if queue is None or not queue.limiter:
        return None
    return queue.limiter["limit"] / queue.limiter["period"]


def _chunk(data: ChunkTerms) -> None:
    """Send a chunk: the workflow that DBOS runs, under the name `CHUNK`."""
    worker = _current
    workflow_id = DBOS.workflow_id
    if worker is None or workflow_id is None:
        raise _WorkerGone
    worker.send(workflow_id, data)


class _WorkerGone(BaseException):
    """The worker does not go on with a chunk. The chunk stays pending, and is taken over later.

    DBOS ends a chunk that raises an `Exception` as failed; this is none.
    """
