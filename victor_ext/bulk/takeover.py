"""What happens to the rows of a dead worker: a living worker takes its chunks over.

All stored steps of a chunk are kept, so that no row is sent a second time.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from sqlalchemy.exc import SQLAlchemyError

from victor_ext.settlement.key_age import Moment

from .layout import CHUNK
from .notices import report
from .state import StateLost
from .worker_lock import ServerLock, WorkerLock

if TYPE_CHECKING:
    from dbos import DBOSClient

    from .settings import WorkerContext

_ROUND = 2.0
"""Seconds between two looks."""
_LOOKS = 3
"""Consecutive looks after which a claimed chunk that is not running is queued again."""
_GRACE = 10.0
"""Seconds after a server outage before other workers count as dead: they need time to reconnect."""

_logger = logging.getLogger("victor_ext.bulk")


class TakeOver(threading.Thread):
    """Keeps the lock of this worker, and takes chunks over, until `stop` is set.

    `running` are the chunks that the worker runs, `begun` those that it has begun and did not end.
    """

    def __init__(
        self,
        context: WorkerContext,
        worker_lock: WorkerLock,
        stop: threading.Event,
        running: Collection[str],
        begun: Collection[str],
    ) -> None:
        super().__init__(name="victor-bulk-keeper", daemon=True)
        self._state, self._vault = context.state, context.vault
        self._worker_lock = worker_lock
        self._stop_event = stop
        self._running, self._begun = running, begun
        self._lost_at = -math.inf
        self._present: Moment | None = None
        """The last moment at which this worker still had its lock, by a look at the server."""
        self.losses = 0
        """How often this worker has lost its lock."""
        self.state_lost: StateLost | None = None
        """The error to end with, if the database, or a chunk that was begun, was deleted."""

    def alone_since(self, began: Moment, losses: int) -> Moment:
        """Return when this worker was last known to be alone with a chunk that it `began` after so many `losses`."""
        present = self._present
        if present is None or self.losses != losses:
            return began
        return max(began, present, key=lambda moment: moment.monotonic)

    def run(self) -> None:
        stalled: dict[str, int] = {}
        with self._state.engine() as engine, self._state.client(self._vault, engine) as client:
            while True:
                failure: SQLAlchemyError | None = None
                gone: StateLost | None = None
                try:
                    # Before the look: this machine may be suspended until the answer is read.
                    moment = Moment(time.time(), time.monotonic())
                    if isinstance(self._worker_lock, ServerLock) and self._worker_lock.renew():
                        self.losses += 1
                        self._lost_at = time.monotonic()
                    else:
                        self._present = moment
                    stalled = self._from_workers(client, stalled)
                    gone = self._gone(client)
                except SQLAlchemyError as error:
                    report(failure := error)
                except Exception:
                    _logger.exception("Looking for chunks that were left stalled failed; it is tried again.")
                self.state_lost = gone or self._state.loss(failure)
                if self._stop_event.wait(_ROUND):
                    return

    def _gone(self, client: DBOSClient) -> StateLost | None:
        if not (begun := list(self._begun)):
            return None
        stored = client.list_workflows(workflow_ids=begun, load_input=False, load_output=False)
        gone = set(begun) - {info.workflow_id for info in stored}
        return StateLost.deleted(f"What {self._state} has of {', '.join(sorted(gone))}") if gone else None

    def _from_workers(self, client: DBOSClient, stalled: Mapping[str, int]) -> dict[str, int]:
        """Queue again what dead workers had, and what this one was given without being told: its stalled chunks.

        Returns them, with the number of consecutive looks that have shown them.
        """
        pending = client.list_workflows(status="PENDING", load_input=False, load_output=False)
        still_stalled: dict[str, int] = {}
        mine = self._worker_lock.executor
        for info in pending:
            if info.executor_id == mine and info.name == CHUNK and info.workflow_id not in self._running:
                still_stalled[info.workflow_id] = stalled.get(info.workflow_id, 0) + 1
                if still_stalled[info.workflow_id] >= _LOOKS:
                    # The claim was stored but its response was lost, for example in a server crash.
                    client.resume_workflow(info.workflow_id, queue_name=info.queue_name)
                    del still_stalled[info.workflow_id]
        lock = self._worker_lock
        if isinstance(lock, ServerLock) and time.monotonic() - self._lost_at >= _GRACE:
            for executor in {info.executor_id for info in pending} - {mine, None}:
                _take_over(client, lock, str(executor))
        return still_stalled


def _take_over(client: DBOSClient, lock: ServerLock, executor: str) -> None:
    """Queue the chunks of another worker again if it is dead: if its lock is free."""
    if not lock.claim(executor):
        return
    try:
        for info in client.list_workflows(status="PENDING", executor_id=executor, load_input=False):
            client.resume_workflow(info.workflow_id, queue_name=info.queue_name)
    finally:
        lock.release(executor)
