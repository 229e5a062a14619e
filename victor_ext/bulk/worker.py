"""One process at work on batches: DBOS hands it chunks, and it sends their rows."""

from __future__ import annotations

import logging
import math
import threading
import time
import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import partial
from typing import Any, Self

from dbos import DBOS, DBOSClient, DBOSConfig
from dbos import error as dbos_error
from sqlalchemy.exc import SQLAlchemyError

from victor_ext import ConfigurationError, Victor

from .batch_store import BatchStore
from .delivery import Delivery, SendTerms
from .layout import (
    BEGIN_STEP,
    CHUNK,
    LOAD,
    SEND_STEP,
    VERSION,
    Chunk,
    batch_of,
    loads_queue_of,
    next_try,
    priority_of,
    queue_of,
    sent_since,
)
from .notices import NOTICE, database_notices
from .ownership import take_over_older
from .pacing import pause_after
from .reconciliation import shared_references
from .rows import Result, RowOutcome
from .settings import caller_of
from .state import State
from .vault import SealedValues, Vault
from .worker_lock import WorkerLock

_ROUND = 2.0
"""Seconds between two looks for what has been left stalled."""
_LOOKS = 3
"""Looks in a row after which a chunk that was claimed, and does not run, is handed out anew."""
_GRACE = 10.0
"""Seconds after the server was away before other workers are thought dead: they come back, too."""
_LAST_CALLS = 120
"""Seconds at most for which calls under way are waited for in the end; a call's own deadline is shorter."""

_logger = logging.getLogger("victor_ext.bulk")
_one_at_a_time = threading.Lock()
_current: Worker | None = None


class Worker:
    """Takes chunks from the queues, and sends them, until it is stopped.

    DBOS can be there once in a process, so there can be one worker in it.

    Args:
        victor: Sends.
        state: Where the batches are; it must have been prepared.
        vault: Opens them.
        worker_lock: The sign of life, which must have begun.
        workers: How many calls may be under way.
        retention: Seconds for which the provider keeps a key; None: as the batch was begun.
        patience: Seconds for which a row is tried; None: as the batch was begun.
        queues: Which queues to serve; None: all of this key and provider.
    """

    def __init__(
        self,
        victor: Victor,
        state: State,
        vault: Vault,
        worker_lock: WorkerLock,
        *,
        workers: int,
        retention: float | None,
        patience: float | None,
        queues: Sequence[str] | None,
    ) -> None:
        self._state = state
        self._vault = vault
        self._worker_lock = worker_lock
        self._retention = retention
        self._patience = patience
        self._queues = None if queues is None else [*queues, loads_queue_of(vault.application)]
        self._stop = threading.Event()
        self._delivery = Delivery(victor, workers, self._stop, caller_of(victor))
        self._lock = threading.Lock()
        self._running: list[str] = []
        self._unstored: dict[str, list[Any]] = {}
        """What was sent and could not be stored, by chunk: it is not sent again for that."""
        self._supervisor = threading.Thread(target=self._supervise, name="victor-bulk-keeper", daemon=True)
        self._away_since = -math.inf

    @property
    def given_up(self) -> str | None:
        """Why nothing can be sent with this client, once that is known. The worker has stopped then."""
        return self._delivery.given_up

    def __enter__(self) -> Self:
        if not _one_at_a_time.acquire(blocking=False):
            raise ConfigurationError(
                "Another bulk sender is at work in this process: let it finish, or use another process."
            )
        try:
            self._launch()
        except BaseException:
            self._delivery.close()
            _one_at_a_time.release()
            raise
        self._supervisor.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *exc: object) -> None:
        """Take no more chunks, let the calls under way end, store what is known, and go."""
        if kind is not None and issubclass(kind, KeyboardInterrupt):
            _logger.info("Stopping. Calls under way end first; Ctrl-C again stops at once.", extra=NOTICE)
        global _current  # noqa: PLW0603 - DBOS is there once in a process, and so is this
        self._stop.set()
        try:
            DBOS.destroy(workflow_completion_timeout_sec=_LAST_CALLS if self._running else 0)
        finally:
            _current = None
            self._supervisor.join()
            self._delivery.close()
            _one_at_a_time.release()

    def _launch(self) -> None:
        global _current  # noqa: PLW0603 - see `__exit__`
        # In no variable: the URL in it may have a password.
        DBOS(
            config=DBOSConfig(
                name=self._vault.application,
                system_database_url=self._state.connection_string,
                application_version=VERSION,
                executor_id=self._worker_lock.executor,
                serializer=SealedValues(self._vault),
                log_level="WARNING",
                enable_otlp=False,
                run_migrations=False,
                notification_listener_polling_interval_sec=0.1,
                scheduler_polling_interval_sec=3600.0,
            )
        )
        if DBOS.application_version != VERSION:
            raise ConfigurationError(
                "This process runs DBOS for something else: send from a process of its own (victor bulk send)."
            )
        _current = self
        try:
            DBOS.workflow(name=CHUNK, max_recovery_attempts=None)(_chunk)
            DBOS.workflow(name=LOAD, max_recovery_attempts=None)(_load)
            if self._queues is not None:
                DBOS.listen_queues(self._queues)
            with self._state.engine() as engine:
                # Before DBOS takes up again what a process of this name left behind.
                take_over_older(engine, self._vault.application, self._queues)
            DBOS.launch()
        except BaseException:
            _current = None
            DBOS.destroy()
            raise

    def send(self, workflow_id: str, data: Mapping[str, Any]) -> dict[str, int]:
        """The work of one chunk. DBOS calls it again after a crash, with the steps that were stored in place."""
        with self._lock:
            # A list: while one execution waits for another one that took its chunk over, both have the same name.
            self._running.append(workflow_id)
        try:
            return self._send(workflow_id, queue_of(self._vault.application, batch_of(workflow_id)), data)
        except SQLAlchemyError as error:
            database_notices.report(error)
            # Not as a failure of the chunk, which would end it: it stays as it is, and is handed out anew.
            raise _WorkerGone from None
        finally:
            with self._lock:
                self._running.remove(workflow_id)

    def _send(self, workflow_id: str, queue: str, data: Mapping[str, Any]) -> dict[str, int]:
        if self._stop.is_set():
            raise _WorkerGone
        run = uuid.uuid4().hex
        # Stored before the first row is sent: whoever reads another run's name there does not know what was sent.
        began: dict[str, Any] = DBOS.run_step(
            {"name": BEGIN_STEP}, lambda: {"sent": self._delivery.begin().to_json(), "run": run}
        )
        chunk = Chunk.from_json(data)
        sent = sent_since(began) if began["run"] != run else None

        def send() -> list[Any]:
            if workflow_id in self._unstored:
                return self._unstored[workflow_id]
            retention = chunk.retention if self._retention is None else self._retention
            patience = chunk.patience if self._patience is None else self._patience
            rate = _rate_of(queue, self._stop)
            shared = partial(self._shared, batch_of(workflow_id))
            terms = SendTerms(retention, patience, rate, sent, shared)
            found = [result.to_json() for result in self._delivery.deliver(chunk.rows, terms)]
            self._unstored[workflow_id] = found
            return found

        results = [Result.from_json(result) for result in DBOS.run_step({"name": SEND_STEP}, send)]
        self._unstored.pop(workflow_id, None)
        left = chunk.unsettled(results)
        if left.rows and (self._stop.is_set() or any(result.outcome is RowOutcome.WAITING for result in results)):
            # It was stopped: others may go on with what is left at once.
            self._pass_on(workflow_id, queue, left)
        return dict(Counter(result.outcome.value for result in results))

    def _shared(self, batch: str, references: AbstractSet[str]) -> AbstractSet[str]:
        with self._state.engine() as engine, self._state.client(self._vault, engine) as client:
            return shared_references(BatchStore(client, engine, self._vault.application, batch), references)

    def _pass_on(self, workflow_id: str, queue: str, chunk: Chunk) -> None:
        DBOS.enqueue_workflow_with_options(
            {
                "workflow_name": CHUNK,
                "queue_name": queue,
                "workflow_id": next_try(workflow_id),
                "app_version": VERSION,
                "priority": priority_of(workflow_id),
            },
            chunk.to_json(),
        )

    def _supervise(self) -> None:
        """Every now and then, take over what the dead have left, and what was lost on the way to this worker."""
        stalled: dict[str, int] = {}
        with self._state.engine() as engine, self._state.client(self._vault, engine) as client:
            while not self._stop.wait(_ROUND):
                try:
                    if self._worker_lock.renew():
                        self._away_since = time.monotonic()
                    take_over_older(engine, self._vault.application, self._queues)
                    stalled = self._recover_chunks(client, stalled)
                except SQLAlchemyError as error:
                    database_notices.report(error)
                except Exception:
                    _logger.exception("Looking for chunks that were left stalled failed; it is tried again.")

    def _recover_chunks(self, client: DBOSClient, stalled: Mapping[str, int]) -> dict[str, int]:
        """Take over chunks; return those of this worker that should be running and are not, with how often in a row."""
        pending = client.list_workflows(status="PENDING", load_input=False, load_output=False)
        found: dict[str, int] = {}
        for info in pending:
            if (
                info.executor_id == self._worker_lock.executor
                and info.name == CHUNK
                and not self._runs(info.workflow_id)
            ):
                found[info.workflow_id] = stalled.get(info.workflow_id, 0) + 1
                if found[info.workflow_id] >= _LOOKS:
                    # The claim was stored and its answer lost, as when the server dies at that moment.
                    client.resume_workflow(info.workflow_id, queue_name=info.queue_name)
                    del found[info.workflow_id]
        if time.monotonic() - self._away_since >= _GRACE:
            for executor in {info.executor_id for info in pending} - {self._worker_lock.executor, None}:
                self._take_over(client, str(executor))
        return found

    def _take_over(self, client: DBOSClient, executor: str) -> None:
        """Hand the chunks of another worker to those who live, if it does not."""
        if not self._worker_lock.claim(executor):
            return
        try:
            for info in client.list_workflows(status="PENDING", executor_id=executor, load_input=False):
                client.resume_workflow(info.workflow_id, queue_name=info.queue_name)
        finally:
            self._worker_lock.release(executor)

    def _runs(self, workflow_id: str) -> bool:
        with self._lock:
            return workflow_id in self._running


def _chunk(data: Mapping[str, Any]) -> dict[str, int]:
    """The workflow of a chunk."""
    worker, workflow_id = _current, DBOS.workflow_id
    if worker is None or workflow_id is None:
        raise _WorkerGone
    return worker.send(workflow_id, data)


def _load(_data: Mapping[str, Any]) -> None:
    """The workflow of a handing-over: it is a record, and there is nothing to do."""


class _WorkerGone(BaseException):
    """The worker has gone: the chunk stays as it is, and is taken over."""


def _rate_of(queue: str, stop: threading.Event) -> float | None:
    """The pace of a batch, as its queue says now. A database that is away is waited for."""
    failures = 0
    while not stop.is_set():
        try:
            found = DBOS.retrieve_queue(queue)
            limiter = None if found is None else found.limiter
        except (SQLAlchemyError, dbos_error.DBOSException) as error:
            database_notices.report(error)
            failures += 1
            stop.wait(pause_after(failures))
            continue
        return None if limiter is None else limiter["limit"] / limiter["period"]
    return None
