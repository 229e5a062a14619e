"""Worker process: receives chunks from DBOS and sends their rows."""

from __future__ import annotations

import logging
import threading
import uuid
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
from victor_ext.settlement.flow import SETTLED
from victor_ext.settlement.key_age import LAST_CALLS

from .claims import begin, claim, finish
from .contents import rivals
from .delivery import Delivery, SendTerms
from .layout import CHUNK, VERSION, batch_of, step_of
from .row_kind import LaterStep, Sendable
from .rows import Result, Row, RowOutcome, Step
from .settings import WorkerContext
from .state import NOTICE, StateLost, report
from .store import Store
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
        self._name = f"{worker_lock.executor}/{uuid.uuid4().hex[:8]}"
        """What payments that it has taken up are marked with."""
        self._unstored: dict[str, dict[str, Result]] = {}
        """Results by chunk and payment that could not be stored yet.

        Their rows are not sent again.
        """
        self.state_lost: StateLost | None = None
        """The error to end with, if what was sent is not in the state any more."""
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
            (
                delivery.contact.given_up
                for delivery in self._deliveries.values()
                if delivery.contact.given_up
            ),
            None,
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

    def send(self, workflow_id: str, data: Mapping[str, Any]) -> None:
        """Send one chunk. After a crash, DBOS calls this again: what is stored is known then."""
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
            # Do not fail the chunk, which would end it: it stays pending and is queued again.
            raise _WorkerGone from None
        finally:
            self.take_over.running.remove(workflow_id)

    def _send(self, workflow_id: str, data: Mapping[str, Any]) -> None:
        if self._stop.is_set():
            raise _WorkerGone
        batch = replace(self._store, batch=batch_of(workflow_id))
        # One of this run alone: a chunk that was taken over may come back to this very worker.
        holder = f"{self._name}/{uuid.uuid4().hex[:8]}"
        rows = dict(enumerate(claim(batch, workflow_id, holder)))
        unstored = self._unstored.pop(workflow_id, {})
        results = {
            index: unstored[row.payment] for index, row in rows.items() if row.payment in unstored
        }
        stored = dict[int, Result]()
        try:
            self._store_steps(
                batch, holder, rows, self._steps(workflow_id, data, rows, results), stored
            )
            self._finish(batch, holder, workflow_id, data, rows, results, stored)
        except BaseException:
            # Only what is true also if another worker has the chunk in between.
            can_be_lost = self._worker_lock.can_be_lost
            self._unstored[workflow_id] = {
                rows[index].payment: result
                for index, result in results.items()
                if not can_be_lost or result.is_certain
            }
            raise
        self._context.tried.update(result.outcome for result in results.values())

    def _steps(
        self,
        workflow_id: str,
        data: Mapping[str, Any],
        rows: Mapping[int, Row],
        results: dict[int, Result],
    ) -> Generator[Step, Collection[int] | None, None]:
        """Send what has no result, and yield the steps to store."""
        delivery = self._deliveries[step_of(workflow_id)]
        queue = DBOS.retrieve_queue(workflow_id.rpartition("/")[0])
        limiter = queue and queue.limiter
        rate = limiter["limit"] / limiter["period"] if limiter else None
        alone_since = None
        if self._worker_lock.can_be_lost:
            losses = self.take_over.losses
            alone_since = partial(
                self.take_over.alone_since, delivery.contact.sent_now()[0], losses
            )
        others = partial(rivals, self._store, self._context.kind.reference)
        chosen = self._context.settings.of_chunk(data)
        terms = SendTerms(chosen["retention"], chosen["patience"], rate, others, alone_since)
        return delivery.deliver(rows, terms, results)

    def _store_steps(
        self,
        batch: Store,
        holder: str,
        rows: Mapping[int, Row],
        steps: Generator[Step, Collection[int] | None, None],
        stored: dict[int, Result],
    ) -> None:
        """Store each step before the next one is asked for, and leave alone what is not ours."""
        lost: Collection[int] | None = None
        try:
            while True:
                step = steps.send(lost)
                results = [(rows[index], result) for index, result in step.results.items()]
                begun = {rows[index].payment: index for index in step.begun}
                held = begin(batch, holder, list(begun), step.sent, results)
                stored |= step.results
                lost = [index for payment, index in begun.items() if payment not in held]
        except StopIteration:
            pass
        finally:
            steps.close()

    def _finish(
        self,
        batch: Store,
        holder: str,
        workflow_id: str,
        data: Mapping[str, Any],
        rows: Mapping[int, Row],
        results: Mapping[int, Result],
        stored: Mapping[int, Result],
    ) -> None:
        """Store the last results.

        What waits, and after a stop what is left, goes to the next try: another worker can send it
        at once.
        """
        changed = [
            (rows[index], result)
            for index, result in results.items()
            if stored.get(index) != result
        ]
        unsettled = [
            rows[index].payment
            for index, result in results.items()
            if result.outcome not in SETTLED
        ]
        goes_on = self._stop.is_set() or any(
            result.outcome is RowOutcome.WAITING for result in results.values()
        )
        left = unsettled if goes_on else []
        terms = {name: data[name] for name in ("retention", "patience")}
        finish(batch, holder, changed, workflow_id, left, terms)


def _chunk(data: Mapping[str, Any]) -> None:
    worker, workflow_id = _current, DBOS.workflow_id
    if worker is None or workflow_id is None:
        raise _WorkerGone
    worker.send(workflow_id, data)


class _WorkerGone(BaseException):
    """The worker has stopped. The chunk stays pending and is taken over later."""
