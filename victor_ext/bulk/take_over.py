"""The thread of a worker that keeps its lock, queues abandoned chunks again, and notices that the
state was deleted.

`TakeOver.run` looks at the database every two seconds; `_look` says what it does there.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from typing import TYPE_CHECKING, Any

from sqlalchemy.exc import SQLAlchemyError

from victor_ext.settlement.key_age import Moment

from .layout import CHUNK
from .state_errors import StateLost, report
from .worker_lock import ServerLock, WorkerLock

if TYPE_CHECKING:
    from dbos import DBOSClient

    from .context import WorkerContext

_ROUND = 2.0
"""Seconds between two looks at the database."""
_LOOKS = 3
"""Consecutive looks after which a claimed chunk that is not running is queued again."""
_GRACE = 10.0
"""Seconds after a server outage before other workers count as dead: they need time to reconnect."""
_logger = logging.getLogger("victor_ext.bulk")


class TakeOver(threading.Thread):
    """Keeps the lock of this worker, and takes over the chunks of dead workers, until `stop` is
    set.
    """

    def __init__(
        self,
        context: WorkerContext,
        worker_lock: WorkerLock,
        stop: threading.Event,
    ) -> None:
        super().__init__(name="victor-bulk-keeper", daemon=True)
        self._context, self._state = context, context.state
        self._worker_lock = worker_lock
        self._stop_event = stop
        self.heartbeat = context.heartbeat
        self._stalled: dict[str, int] = {}
        """In how many consecutive looks each stalled chunk was seen, by its id."""
        self.running: list[str] = []
        """The ids of the chunks that the worker runs. An id can be here twice: DBOS may start a
        chunk again while its first execution has not ended.
        """
        self.begun: set[str] = set()
        """The ids of the chunks of which the worker may have sent rows, and that did not end."""
        self._lost_at = -math.inf
        """When the lock was last lost, by the monotonic clock."""
        self._last_held_at: Moment | None = None
        """The last moment at which a look at the server showed that this worker has its lock."""
        self._journal: tuple[int, int] | None = None
        """The write-ahead log that the first look showed: see `State.journal`."""
        self.losses = 0
        """How often this worker has lost its lock."""
        self.state_lost: StateLost | None = None
        """The error to end with, if the database, or a chunk that was begun, was deleted."""

    def alone_since(self, chunk_began: Moment, losses_then: int) -> Moment:
        """Return the last moment at which surely no other worker had a chunk.

        That is the last look that showed the lock of this worker, or the beginning of the chunk if
        it is later. If the lock was lost since the chunk began, only its beginning is sure.

        Args:
            losses_then: What `losses` was when the chunk began.
        """
        last_held_at = self._last_held_at
        if last_held_at is None or self.losses != losses_then:
            return chunk_began
        return max(chunk_began, last_held_at, key=lambda moment: moment.monotonic)

    def run(self) -> None:
        """Look at the database every two seconds, until `stop` is set."""
        self.heartbeat.start("bulk.state")
        with self._context.open() as store:
            while True:
                failure = self._look(store.client)
                self.heartbeat.failing = {"bulk.state": type(failure).__name__} if failure else {}
                self.heartbeat.step()
                if self._stop_event.wait(_ROUND):
                    return

    def _look(self, client: DBOSClient) -> SQLAlchemyError | None:
        """Look at the database once, and set `state_lost`.

        Returns why the database could not be used; None: it could.
        """
        failure: SQLAlchemyError | None = None
        lost_chunks: StateLost | None = None
        try:
            self._keep_lock()
            self._queue_abandoned(client)
            lost_chunks = self._loss_of_begun_chunks(client)
        except SQLAlchemyError as error:
            report(error)
            failure = error
        except Exception:
            _logger.exception(
                "Looking for chunks that were left stalled failed; it is tried again."
            )
        self.state_lost = lost_chunks or self._state.loss(failure) or self._loss_of_journal()
        return failure

    def _keep_lock(self) -> None:
        """Note that the lock is held, or that it was lost and is held again."""
        # The time is read before the lock: this machine may sleep until the response is read.
        moment = Moment(time.time(), time.monotonic())
        if isinstance(self._worker_lock, ServerLock) and self._worker_lock.renew():
            self.losses += 1
            self._lost_at = time.monotonic()
        else:
            self._last_held_at = moment

    def _loss_of_journal(self) -> StateLost | None:
        """Return the error to end with if the write-ahead log was deleted or replaced.

        What is stored from then on is lost when this process ends. SQLite itself does not replace
        the log between two looks: a connection stays open.
        """
        try:
            journal = self._state.journal()
        except OSError:
            return None  # it cannot be seen now
        if self._journal is None:
            self._journal = journal
        if journal == self._journal:
            return None
        return StateLost.deleted(f"The write-ahead log of {self._state}")

    def _loss_of_begun_chunks(self, client: DBOSClient) -> StateLost | None:
        """Return the error to end with if a chunk that was begun was deleted."""
        begun = set(self.begun)
        if not begun:
            return None
        stored = client.list_workflows(
            workflow_ids=list(begun),
            load_input=False,
            load_output=False,
        )
        missing = begun - {workflow.workflow_id for workflow in stored}
        if not missing:
            return None
        return StateLost.deleted(f"What {self._state} has of {', '.join(sorted(missing))}")

    def _queue_abandoned(self, client: DBOSClient) -> None:
        """Queue again the chunks that this worker has claimed and does not run, and those of dead
        workers.

        That another worker is dead can be told only by its lock on a server.
        """
        pending = client.list_workflows(
            status="PENDING",
            load_input=False,
            load_output=False,
        )
        own = self._worker_lock.executor
        self._queue_stalled(client, [flow for flow in pending if flow.executor_id == own])
        executors = {str(flow.executor_id) for flow in pending if flow.executor_id is not None}
        if isinstance(self._worker_lock, ServerLock) and self._grace_is_over():
            for executor in executors - {own}:
                self._queue_chunks_of_dead(client, self._worker_lock, executor)

    def _grace_is_over(self) -> bool:
        """Whether the other workers have had time to reconnect after an outage."""
        return time.monotonic() - self._lost_at >= _GRACE

    def _queue_stalled(self, client: DBOSClient, own_chunks: list[Any]) -> None:
        """Queue again the chunks that this worker has claimed, and does not run.

        The claim was stored, and the response to it was lost, for example in a server crash. A
        chunk counts as stalled after some looks: its execution may be about to start.
        """
        looks: dict[str, int] = {}
        for workflow in own_chunks:
            chunk = workflow.workflow_id
            if workflow.name != CHUNK or chunk in self.running:
                continue
            looks[chunk] = self._stalled.get(chunk, 0) + 1
            if looks[chunk] >= _LOOKS:
                client.resume_workflow(chunk, queue_name=workflow.queue_name)
                del looks[chunk]
        self._stalled = looks

    def _queue_chunks_of_dead(
        self,
        client: DBOSClient,
        lock: ServerLock,
        executor: str,
    ) -> None:
        """Queue again the chunks of another worker, if that worker is dead."""
        with lock.held_for(executor) as is_dead:
            if not is_dead:
                return
            chunks = client.list_workflows(
                status="PENDING",
                executor_id=executor,
                load_input=False,
            )
            for chunk in chunks:
                client.resume_workflow(chunk.workflow_id, queue_name=chunk.queue_name)
