"""Worker process: receives chunks from DBOS and sends their rows."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Collection, Generator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from typing import Any, Self, cast

import sqlalchemy as sa
from dbos import DBOS, DBOSConfig
from sqlalchemy.exc import SQLAlchemyError

from victor_ext import ConfigurationError
from victor_ext.event_queue.databases import renewed
from victor_ext.ids import reference_of
from victor_ext.settlement.flow import MAY_EXIST, Rival
from victor_ext.settlement.key_age import LAST_CALLS

from .delivery import Delivery, SendTerms
from .layout import CHUNK, VERSION, Chunk, batch_of, next_try, queue_of, record_of
from .results import stored_rows
from .row_kind import LaterStep, Sendable
from .rows import SEND_STEP, Progress, Result, RowOutcome, Step
from .settings import WorkerContext
from .state import NOTICE, StateLost, report
from .worker_lock import TakeOver, WorkerLock

_logger = logging.getLogger("victor_ext.bulk")
_one_at_a_time = threading.Lock()
_current: Worker | None = None


class Worker:
    """Takes chunks from queues and sends them until it is stopped.

    A process can have only one worker, because it can have only one DBOS instance.

    Args:
        worker_lock: Acquired lock that shows that the worker is alive.
        queues: Queues to serve; None for all of this key and provider.
    """

    def __init__(
        self, context: WorkerContext, worker_lock: WorkerLock, queues: Sequence[str] | None
    ) -> None:
        self._context, self._vault = context, context.vault
        self._worker_lock = worker_lock
        self._queues = queues
        self._stop = threading.Event()
        later = {
            name: LaterStep(context.client, write) for name, write in context.kind.steps.items()
        }
        kinds: dict[str, Sendable] = {"": context.kind, **later}
        self._deliveries = {
            name: Delivery(kind, context.settings.workers, self._stop)
            for name, kind in kinds.items()
        }
        """By the step that a batch is of: one of what was sent before has its name after a slash.
        """
        self._unstored: dict[str, dict[int, Result]] = {}
        """Results by chunk and place in it that could not be stored yet.

        Their rows are not sent again.
        """
        self.take_over = TakeOver(context, worker_lock, self._stop)
        self._resources = ExitStack()

    def __enter__(self) -> Self:
        if not _one_at_a_time.acquire(blocking=False):
            raise ConfigurationError(
                "Another bulk sender runs in this process: let it finish, or use another process."
            )
        state = self._context.state
        with ExitStack() as stack:
            stack.callback(_one_at_a_time.release)
            for delivery in self._deliveries.values():
                stack.callback(delivery.close)
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
        try:
            is_lost = self.take_over.state_lost is not None or (
                kind is not None and issubclass(kind, StateLost)
            )
            is_waited_for = self.take_over.running and not is_lost
            DBOS.destroy(workflow_completion_timeout_sec=LAST_CALLS if is_waited_for else 0)
        finally:
            _current = None
            self.take_over.join()
            self.take_over.heartbeat.stop()
            self._resources.close()

    @property
    def given_up(self) -> str | None:
        """Why nothing can be sent with this client, or None."""
        return next(
            (delivery.given_up for delivery in self._deliveries.values() if delivery.given_up), None
        )

    def _launch(self, sqlite: sa.Engine | None) -> None:
        global _current  # noqa: PLW0603 - see `__exit__`
        version = f"{VERSION}/{self._context.account}"
        # Do not store the URL in a variable: it may contain a password. DBOS adds a time-out for
        # idle transactions to the connections of an engine that it makes for a server.
        dbos = DBOS(
            config=DBOSConfig(
                name=self._vault.application,
                system_database_url=self._context.state.connection_string
                if sqlite is None
                else None,
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
            renewed(dbos._sys_db.engine)  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] - a test notices another name
        except BaseException:
            _current = None
            DBOS.destroy()
            raise

    def send(self, workflow_id: str, data: Mapping[str, Any]) -> dict[str, int]:
        """Send one chunk. After a crash, DBOS calls this again and replays the stored steps."""
        self.take_over.running.append(workflow_id)
        self.take_over.begun.add(workflow_id)
        try:
            counts = self._send(workflow_id, data)
            self.take_over.begun.discard(workflow_id)
            return counts
        except SQLAlchemyError as error:
            report(error)
            # Do not fail the chunk, which would end it: it stays pending and is queued again.
            raise _WorkerGone from None
        finally:
            self.take_over.running.remove(workflow_id)

    def _send(self, workflow_id: str, data: Mapping[str, Any]) -> dict[str, int]:
        if self._stop.is_set():
            raise _WorkerGone
        chunk, progress = Chunk.from_json(data), Progress()
        # Not within a step: its error would be stored as the result of the step.
        queue = DBOS.retrieve_queue(queue_of(self._vault.application, batch_of(workflow_id)))
        limiter = queue and queue.limiter
        rate = limiter["limit"] / limiter["period"] if limiter else None
        # it begins when a step is not stored
        steps = self._steps(workflow_id, rate, chunk, progress)
        # DBOS returns the steps that are stored, and runs the others. It stores nothing of a worker
        # whose chunk was taken over: from then on it counts as another one's, and no further row of
        # it is sent here.
        try:
            while not progress.is_over:
                progress.add(
                    Step.from_json(DBOS.run_step({"name": SEND_STEP}, lambda: next(steps)))
                )
        finally:
            steps.close()
        self._unstored.pop(workflow_id, None)
        results = [progress.results[index] for index in range(len(chunk.rows))]
        left = chunk.unsettled(results)
        if left.rows and (
            self._stop.is_set() or any(result.outcome is RowOutcome.WAITING for result in results)
        ):
            # After a stop, other workers can continue with the remaining rows at once.
            record: Any = record_of(
                self._vault.application, self._context.account, CHUNK, next_try(workflow_id)
            )
            DBOS.enqueue_workflow_with_options(record, left.to_json())
        self._context.tried.update(result.outcome for result in results)
        return dict(Counter(result.outcome.value for result in results))

    def _steps(
        self, workflow_id: str, rate: float | None, chunk: Chunk, progress: Progress
    ) -> Generator[Step]:
        """Send what has no stored result, and yield the steps to store.

        `progress` has those that are stored.
        """
        delivery = self._deliveries[batch_of(workflow_id).partition("/")[2]]
        can_be_lost, losses = self._worker_lock.can_be_lost, self.take_over.losses
        alone_since = (
            partial(self.take_over.alone_since, delivery.now()[0], losses) if can_be_lost else None
        )
        rivals, chosen = (
            partial(self._rivals, batch_of(workflow_id)),
            self._context.settings.of_chunk(chunk),
        )
        terms = SendTerms(chosen.retention, chosen.patience, rate, rivals, alone_since)
        results = self._unstored.pop(workflow_id, {})
        units = {
            index: one.unit
            for index, one in progress.results.items()
            if one.outcome is RowOutcome.ACCEPTED
        }
        rows = {
            index: replace(
                row, sent=row.sent or progress.sent(index), unit=row.unit or units.get(index)
            )
            if index < progress.begun
            else row
            for index, row in enumerate(chunk.rows)
            if index not in results and (index not in progress.results or units.get(index))
        }
        try:
            yield from delivery.deliver(rows, terms, progress.begun, results)
            changed = {
                index: each
                for index, each in results.items()
                if progress.results.get(index) != each
            }
            yield Step(progress.begun, None, changed, is_last=True)
        except BaseException:
            # Only what is true also if another worker has the chunk in between.
            self._unstored[workflow_id] = {
                index: one
                for index, one in results.items()
                if not can_be_lost or one.outcome is RowOutcome.CREATED
            }
            raise

    def _rivals(self, batch: str, references: Collection[str], ids: Collection[str]) -> list[Rival]:
        """Return the rows of all batches with these references or ids that may have made a
        request.
        """
        column, rivals = self._context.kind.reference, list[Rival]()
        with self._context.open(to_read=True) as state:
            for name in state.batches("The state"):
                store = replace(state, batch=name)
                loads = store.loads()
                # A batch has no two rows with one value of its key column: its other rows need not
                # be read.
                if name == batch and {load.key_column for load in loads} == {column}:
                    continue
                for _, row, result in stored_rows(store, loads):
                    reference = reference_of((row.arguments or {}).get(column))
                    id_ = result and (result.unit or result.id)
                    if result is not None and (reference in references or id_ in ids):
                        rivals.append(Rival(row.key, reference, id_, result.outcome in MAY_EXIST))
        return rivals


def _chunk(data: Mapping[str, Any]) -> dict[str, int]:
    worker, workflow_id = _current, DBOS.workflow_id
    if worker is None or workflow_id is None:
        raise _WorkerGone
    return worker.send(workflow_id, data)


class _WorkerGone(BaseException):
    """The worker has stopped. The chunk stays pending and is taken over later."""
