"""A worker keeps its lock, takes the chunks of dead workers over, and notices that the state is
gone.
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
"""Seconds between two looks."""
_LOOKS = 3
"""Consecutive looks after which a claimed chunk that is not running is queued again."""
_GRACE = 10.0
"""Seconds after a server outage before other workers count as dead: they need time to reconnect."""
_logger = logging.getLogger("victor_ext.bulk")


class TakeOver(threading.Thread):
    """Keeps the lock of this worker, and takes chunks over, until `stop` is set."""

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
        """The number of consecutive looks that have shown each stalled chunk."""
        self.running: list[str] = []
        """The chunks that the worker runs: an execution can wait for another one of the same chunk,
        with its id.
        """
        self.begun: set[str] = set()
        """The chunks of which the worker may have sent rows, and did not end."""
        self._lost_at = -math.inf
        self._present: Moment | None = None
        """The last moment at which this worker still had its lock, by a look at the server."""
        self._journal: tuple[int, int] | None = None
        """The write-ahead log, since the first look."""
        self.losses = 0
        """How often this worker has lost its lock."""
        self.state_lost: StateLost | None = None
        """The error to end with, if the database, or a chunk that was begun, was deleted."""

    def alone_since(self, began: Moment, losses: int) -> Moment:
        """Return when this worker was last known to be alone with a chunk that it `began` after so
        many `losses`.
        """
        present = self._present
        if present is None or self.losses != losses:
            return began
        return max(began, present, key=lambda moment: moment.monotonic)

    def run(self) -> None:
        self.heartbeat.start("bulk.state")
        with self._context.open() as store:
            while True:
                failure, gone = self._look(store.client)
                self.state_lost = gone or self._state.loss(failure) or self._journal_gone()
                self.heartbeat.failing = {"bulk.state": type(failure).__name__} if failure else {}
                self.heartbeat.step()
                if self._stop_event.wait(_ROUND):
                    return

    def _look(self, client: DBOSClient) -> tuple[SQLAlchemyError | None, StateLost | None]:
        """Look at the database once. Return why it could not be seen, and what is gone of it."""
        try:
            self._keep_lock()
            self._queue_again(client)
            return None, self._gone(client)
        except SQLAlchemyError as error:
            report(error)
            return error, None
        except Exception:
            _logger.exception(
                "Looking for chunks that were left stalled failed; it is tried again."
            )
            return None, None

    def _keep_lock(self) -> None:
        """Note that the lock is held, or that it was lost and is held again."""
        # Before the look: this machine may be suspended until the answer is read.
        moment = Moment(time.time(), time.monotonic())
        if isinstance(self._worker_lock, ServerLock) and self._worker_lock.renew():
            self.losses += 1
            self._lost_at = time.monotonic()
        else:
            self._present = moment

    def _journal_gone(self) -> StateLost | None:
        """Return the error to end with if the write-ahead log was deleted or replaced: what is
        stored from then on is lost when this process ends. A connection is open between two looks.
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

    def _gone(self, client: DBOSClient) -> StateLost | None:
        begun = set(self.begun)
        if not begun:
            return None
        stored = client.list_workflows(
            workflow_ids=list(begun),
            load_input=False,
            load_output=False,
        )
        gone = begun - {workflow.workflow_id for workflow in stored}
        if not gone:
            return None
        return StateLost.deleted(f"What {self._state} has of {', '.join(sorted(gone))}")

    def _queue_again(self, client: DBOSClient) -> None:
        """Queue again what dead workers had, and what this one was given without being told: its
        stalled chunks.
        """
        pending = client.list_workflows(
            status="PENDING",
            load_input=False,
            load_output=False,
        )
        own = self._worker_lock.executor
        self._queue_stalled(client, [flow for flow in pending if flow.executor_id == own])
        others = {str(flow.executor_id) for flow in pending if flow.executor_id is not None}
        if isinstance(self._worker_lock, ServerLock) and self._is_graced():
            for executor in others - {own}:
                self._take_over(client, self._worker_lock, executor)

    def _is_graced(self) -> bool:
        """Whether the others have had time to reconnect after an outage."""
        return time.monotonic() - self._lost_at >= _GRACE

    def _queue_stalled(self, client: DBOSClient, own: list[Any]) -> None:
        """Queue chunks again that are this worker's, and that it does not run.

        The claim was stored but its response was lost, for example in a server crash.
        """
        looks: dict[str, int] = {}
        for workflow in own:
            chunk = workflow.workflow_id
            if workflow.name != CHUNK or chunk in self.running:
                continue
            looks[chunk] = self._stalled.get(chunk, 0) + 1
            if looks[chunk] >= _LOOKS:
                client.resume_workflow(chunk, queue_name=workflow.queue_name)
                del looks[chunk]
        self._stalled = looks

    def _take_over(
        self,
        client: DBOSClient,
        lock: ServerLock,
        executor: str,
    ) -> None:
        """Queue again what another worker has, if it is dead."""
        with lock.claimed(executor) as is_dead:
            if not is_dead:
                return
            chunks = client.list_workflows(
                status="PENDING",
                executor_id=executor,
                load_input=False,
            )
            for chunk in chunks:
                client.resume_workflow(chunk.workflow_id, queue_name=chunk.queue_name)
