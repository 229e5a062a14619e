"""Worker process: receives chunks from DBOS and sends their rows."""

from __future__ import annotations

import logging
import math
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import ExitStack
from functools import partial
from typing import Any, Self

import sqlalchemy as sa
from dbos import DBOS, DBOSClient, DBOSConfig
from sqlalchemy.exc import SQLAlchemyError

from victor_ext import ConfigurationError
from victor_ext.settlement import Moment

from .batch_store import BatchStore
from .delivery import Delivery, SendTerms
from .layout import (
    BEGIN_STEP,
    CHUNK,
    LOAD,
    SEND_STEP,
    Chunk,
    batch_of,
    loads_queue_of,
    next_try,
    priority_of,
    queue_of,
    sent_since,
    version_for,
)
from .notices import NOTICE, database_notices
from .ownership import batches_of, batches_of_others, take_over_older
from .pacing import rate_of
from .reconciliation import Rival, rivals_in
from .rows import Result, RowOutcome
from .sealed_values import SealedValues
from .settings import WorkerContext
from .worker_lock import WorkerLock

_ROUND = 2.0
"""Seconds between checks for stalled chunks."""
_LOOKS = 3
"""Consecutive checks after which a claimed chunk that is not running is queued again."""
_GRACE = 10.0
"""Seconds after a server outage before other workers count as dead: they need time to reconnect."""
_OLDER = "chunks of older releases"
"""Name of the lock of the process that takes them over."""
_LAST_CALLS = 300
"""Maximum seconds to wait for calls in progress at the end. None takes longer than 290 (`longest_call`)."""

_logger = logging.getLogger("victor_ext.bulk")
_one_at_a_time = threading.Lock()
_current: Worker | None = None


class Worker:
    """Takes chunks from queues and sends them until it is stopped.

    A process can have only one worker, because it can have only one DBOS instance.

    Args:
        context: The client, the prepared database and the settings.
        worker_lock: Acquired lock that shows that the worker is alive.
        queues: Queues to serve; None for all of this key and provider.
    """

    def __init__(self, context: WorkerContext, worker_lock: WorkerLock, queues: Sequence[str] | None) -> None:
        victor, settings, vault = context.victor, context.settings, context.vault
        self._state = context.state
        self._vault = vault
        self._worker_lock = worker_lock
        self._retention = settings.key_retention
        self._patience = settings.patience
        self._queues = None if queues is None else [*queues, loads_queue_of(vault.application)]
        self._stop = threading.Event()
        self._account = vault.account(victor.caller)
        self._delivery = Delivery(victor, settings.workers, self._stop, victor.caller)
        self._lock = threading.Lock()
        self._running: list[str] = []
        self._unstored: dict[str, dict[int, Result]] = {}
        """Results by chunk and place in it that could not be stored yet. Their rows are not sent again."""
        self._supervisor = threading.Thread(target=self._supervise, name="victor-bulk-keeper", daemon=True)
        self._away_since = -math.inf
        self._present: Moment | None = None
        """The last moment at which this worker still had its lock, by a look at the server."""
        self._losses = 0
        self._resources = ExitStack()

    @property
    def given_up(self) -> str | None:
        """Why this client cannot send anything, or None. The worker has stopped if it is set."""
        return self._delivery.given_up

    def __enter__(self) -> Self:
        if not _one_at_a_time.acquire(blocking=False):
            raise ConfigurationError("Another bulk sender runs in this process: let it finish, or use another process.")
        with ExitStack() as stack:
            stack.callback(_one_at_a_time.release)
            stack.callback(self._delivery.close)
            self._launch(stack.enter_context(self._state.engine()) if self._state.is_sqlite else None)
            self._supervisor.start()
            self._resources = stack.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, *exc: object) -> None:
        """Stop taking chunks, finish the calls in progress, and store their results."""
        if kind is not None and issubclass(kind, KeyboardInterrupt):
            _logger.info("Stopping. Calls under way end first; Ctrl-C again stops at once.", extra=NOTICE)
        global _current  # noqa: PLW0603 - DBOS is there once in a process, and so is this
        self._stop.set()
        try:
            DBOS.destroy(workflow_completion_timeout_sec=_LAST_CALLS if self._running else 0)
        finally:
            _current = None
            self._supervisor.join()
            self._resources.close()

    def _launch(self, sqlite: sa.Engine | None) -> None:
        global _current  # noqa: PLW0603 - see `__exit__`
        # Do not store the URL in a variable: it may contain a password. DBOS adds a time-out for idle transactions to
        # the connections of an engine that it makes for a server.
        DBOS(
            config=DBOSConfig(
                name=self._vault.application,
                system_database_url=self._state.connection_string if sqlite is None else None,
                system_database_engine=sqlite,
                application_version=version_for(self._account),
                executor_id=self._worker_lock.executor,
                serializer=SealedValues(self._vault),
                log_level="WARNING",
                enable_otlp=False,
                run_migrations=False,
                notification_listener_polling_interval_sec=0.1,
                scheduler_polling_interval_sec=3600.0,
            )
        )
        if DBOS.application_version != version_for(self._account):
            raise ConfigurationError(
                "This process runs DBOS for something else: send from a process of its own (victor bulk send)."
            )
        _current = self
        try:
            DBOS.workflow(name=CHUNK, max_recovery_attempts=None)(_chunk)
            DBOS.workflow(name=LOAD, max_recovery_attempts=None)(_load)
            if self._queues is not None:
                DBOS.listen_queues(self._queues)
            with self._state.engine() as engine, self._state.client(self._vault, engine) as client:
                self._take_over_older(client)
                for batch, owner in batches_of_others(client, self._account).items():
                    _logger.info("%s belongs to the account %s, and is left alone.", batch, owner, extra=NOTICE)
            DBOS.launch()
        except BaseException:
            _current = None
            DBOS.destroy()
            raise

    def send(self, workflow_id: str, data: Mapping[str, Any]) -> dict[str, int]:
        """Send one chunk. After a crash, DBOS calls this again and replays the stored steps."""
        with self._lock:
            # A list: an execution can wait for another one of the same chunk, with the same id.
            self._running.append(workflow_id)
        try:
            return self._send(workflow_id, queue_of(self._vault.application, batch_of(workflow_id)), data)
        except SQLAlchemyError as error:
            database_notices.report(error)
            # Do not fail the chunk, which would end it: it stays pending and is queued again.
            raise _WorkerGone from None
        finally:
            with self._lock:
                self._running.remove(workflow_id)

    def _send(self, workflow_id: str, queue: str, data: Mapping[str, Any]) -> dict[str, int]:
        if self._stop.is_set():
            raise _WorkerGone
        run = uuid.uuid4().hex
        alone_since: Callable[[], Moment] | None = None

        def begin() -> dict[str, Any]:
            nonlocal alone_since
            losses = self._losses
            now, sent = self._delivery.begin()
            alone_since = partial(self._alone_since, now, losses) if self._worker_lock.can_be_lost else None
            return {"sent": sent.to_json(), "run": run}

        # Stored before the first row is sent: a `run` of another execution means that rows may have been sent.
        began: dict[str, Any] = DBOS.run_step({"name": BEGIN_STEP}, begin)
        chunk = Chunk.from_json(data)
        sent = sent_since(began) if began["run"] != run else None

        def send() -> list[Any]:
            results = self._unstored.pop(workflow_id, {})
            places = [place for place in range(len(chunk.rows)) if place not in results]
            retention = chunk.retention if self._retention is None else self._retention
            patience = chunk.patience if self._patience is None else self._patience
            rate = rate_of(queue, self._stop)
            rivals = partial(self._rivals, batch_of(workflow_id))
            terms = SendTerms(retention, patience, rate, sent, rivals, alone_since)
            results |= zip(places, self._delivery.deliver([chunk.rows[place] for place in places], terms), strict=True)
            self._unstored[workflow_id] = {place: one for place, one in results.items() if self._is_lasting(one)}
            return [results[place].to_json() for place in range(len(chunk.rows))]

        # DBOS stores nothing of a worker whose chunk was taken over: from then on it counts as another one's.
        results = [Result.from_json(result) for result in DBOS.run_step({"name": SEND_STEP}, send)]
        self._unstored.pop(workflow_id, None)
        left = chunk.unsettled(results)
        if left.rows and (self._stop.is_set() or any(result.outcome is RowOutcome.WAITING for result in results)):
            # After a stop, other workers can continue with the remaining rows at once.
            self._pass_on(workflow_id, queue, left)
        return dict(Counter(result.outcome.value for result in results))

    def _is_lasting(self, result: Result) -> bool:
        """Whether a result that is not stored yet is true also if other workers have the chunk in between."""
        return result.outcome is RowOutcome.CREATED or not self._worker_lock.can_be_lost

    def _alone_since(self, began: Moment, losses: int) -> Moment:
        """Return when this worker was last known to be the only one with a chunk that it began then."""
        present = self._present
        if present is None or self._losses != losses:
            return began
        return max(began, present, key=lambda moment: moment.monotonic)

    def _rivals(self, batch: str, references: AbstractSet[str], ids: AbstractSet[str]) -> list[Rival]:
        application = self._vault.application
        with self._state.engine() as engine, self._state.client(self._vault, engine) as client:
            names = batches_of(client, engine, application, "The state")
            stores = [BatchStore(client, engine, application, name) for name in names]
            # A batch has no two rows with one value of its key column: its other rows need not be read.
            return rivals_in(
                (store for store in stores if store.batch != batch or not store.is_keyed_by("client_reference_id")),
                references,
                ids,
            )

    def _pass_on(self, workflow_id: str, queue: str, chunk: Chunk) -> None:
        DBOS.enqueue_workflow_with_options(
            {
                "workflow_name": CHUNK,
                "queue_name": queue,
                "workflow_id": next_try(workflow_id),
                "app_version": version_for(self._account),
                "priority": priority_of(workflow_id),
            },
            chunk.to_json(),
        )

    def _supervise(self) -> None:
        """Regularly take over the chunks of dead workers and the lost claims of this worker."""
        stalled: dict[str, int] = {}
        with self._state.engine() as engine, self._state.client(self._vault, engine) as client:
            while True:
                try:
                    # Before the look: this machine may be suspended until the answer is read.
                    moment = Moment(time.time(), time.monotonic())
                    if self._worker_lock.renew():
                        self._losses += 1
                        self._away_since = time.monotonic()
                    else:
                        self._present = moment
                    self._take_over_older(client)
                    stalled = self._recover_chunks(client, stalled)
                except SQLAlchemyError as error:
                    database_notices.report(error)
                except Exception:
                    _logger.exception("Looking for chunks that were left stalled failed; it is tried again.")
                if self._stop.wait(_ROUND):
                    return

    def _recover_chunks(self, client: DBOSClient, stalled: Mapping[str, int]) -> dict[str, int]:
        """Recover chunks. Returns this worker's stalled chunks with their number of consecutive checks."""
        pending = client.list_workflows(status="PENDING", load_input=False, load_output=False)
        still_stalled: dict[str, int] = {}
        for info in pending:
            if (
                info.executor_id == self._worker_lock.executor
                and info.name == CHUNK
                and not self._runs(info.workflow_id)
            ):
                still_stalled[info.workflow_id] = stalled.get(info.workflow_id, 0) + 1
                if still_stalled[info.workflow_id] >= _LOOKS:
                    # The claim was stored but its response was lost, for example in a server crash.
                    client.resume_workflow(info.workflow_id, queue_name=info.queue_name)
                    del still_stalled[info.workflow_id]
        if time.monotonic() - self._away_since >= _GRACE:
            for executor in {info.executor_id for info in pending} - {self._worker_lock.executor, None}:
                self._take_over(client, str(executor))
        return still_stalled

    def _take_over_older(self, client: DBOSClient) -> None:
        """Assign the chunks of older releases to this one, unless another process is doing it."""
        claimed = self._worker_lock.claim(_OLDER)
        if not claimed and self._worker_lock.can_be_lost:
            return
        try:
            executor, application = self._worker_lock.executor, self._vault.application
            take_over_older(client, executor, application, self._account, self._queues)
        finally:
            if claimed:
                self._worker_lock.release(_OLDER)

    def _take_over(self, client: DBOSClient, executor: str) -> None:
        """Requeue the chunks of another worker if it is dead."""
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
    worker, workflow_id = _current, DBOS.workflow_id
    if worker is None or workflow_id is None:
        raise _WorkerGone
    return worker.send(workflow_id, data)


def _load(_data: Mapping[str, Any]) -> None:
    """Run the DBOS workflow of a submission, which is only a record."""


class _WorkerGone(BaseException):
    """The worker has stopped. The chunk stays pending and is taken over later."""
