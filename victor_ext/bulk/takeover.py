"""What happens to the rows of a dead worker, and to those of an older release: a living worker takes their chunks over.

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

from victor_ext.settlement import Moment

from .layout import CHUNK, OLDER_VERSION, batch_of, queue_of, version_for
from .notices import report
from .worker_lock import WorkerLock

if TYPE_CHECKING:
    from dbos import DBOSClient

    from .settings import WorkerContext

_ROUND = 2.0
"""Seconds between two looks."""
_LOOKS = 3
"""Consecutive looks after which a claimed chunk that is not running is queued again."""
_GRACE = 10.0
"""Seconds after a server outage before other workers count as dead: they need time to reconnect."""
_OLDER = "chunks of older releases"
"""Name of the lock of the process that takes them over."""
_AFTER_ALL_STEPS = 3
"""A chunk has two steps, and DBOS counts them from 1."""

_logger = logging.getLogger("victor_ext.bulk")


class TakeOver(threading.Thread):
    """Keeps the lock of this worker, and takes chunks over, until `stop` is set.

    Args:
        queues: Queues that the worker serves; None for all.
        running: The chunks that the worker runs.
    """

    def __init__(
        self,
        context: WorkerContext,
        worker_lock: WorkerLock,
        account: str,
        queues: Collection[str] | None,
        stop: threading.Event,
        running: Collection[str],
    ) -> None:
        super().__init__(name="victor-bulk-keeper", daemon=True)
        self._state, self._vault = context.state, context.vault
        self._worker_lock = worker_lock
        self._account = account
        self._queues = queues
        self._stop_event = stop
        self._running = running
        self._lost_at = -math.inf
        self._present: Moment | None = None
        """The last moment at which this worker still had its lock, by a look at the server."""
        self.losses = 0
        """How often this worker has lost its lock."""

    def alone_since(self, began: Moment, losses: int) -> Moment:
        """Return when this worker was last known to be the only one with a chunk.

        Args:
            began: When it began the chunk.
            losses: `losses` at that time.
        """
        present = self._present
        if present is None or self.losses != losses:
            return began
        return max(began, present, key=lambda moment: moment.monotonic)

    def run(self) -> None:
        """Look again and again."""
        stalled: dict[str, int] = {}
        with self._state.engine() as engine, self._state.client(self._vault, engine) as client:
            while True:
                try:
                    # Before the look: this machine may be suspended until the answer is read.
                    moment = Moment(time.time(), time.monotonic())
                    if self._worker_lock.renew():
                        self.losses += 1
                        self._lost_at = time.monotonic()
                    else:
                        self._present = moment
                    self.from_older_releases(client)
                    stalled = self._from_workers(client, stalled)
                except SQLAlchemyError as error:
                    report(error)
                except Exception:
                    _logger.exception("Looking for chunks that were left stalled failed; it is tried again.")
                if self._stop_event.wait(_ROUND):
                    return

    def _from_workers(self, client: DBOSClient, stalled: Mapping[str, int]) -> dict[str, int]:
        """Queue again what dead workers had, and what this one was given without being told.

        Returns:
            This worker's stalled chunks, with the number of consecutive looks that have shown them.
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
        if time.monotonic() - self._lost_at >= _GRACE:
            for executor in {info.executor_id for info in pending} - {mine, None}:
                self._from_worker(client, str(executor))
        return still_stalled

    def _from_worker(self, client: DBOSClient, executor: str) -> None:
        """Queue the chunks of another worker again if it is dead: if its lock is free."""
        if not self._worker_lock.claim(executor):
            return
        try:
            for info in client.list_workflows(status="PENDING", executor_id=executor, load_input=False):
                client.resume_workflow(info.workflow_id, queue_name=info.queue_name)
        finally:
            self._worker_lock.release(executor)

    def from_older_releases(self, client: DBOSClient) -> None:
        """Assign the chunks of older releases to this one, unless another process is doing it.

        DBOS gives a chunk only to workers of its version, and only `rewind_workflow` changes the version, of a workflow
        that has ended: so a chunk is cancelled first, and waits for `resume` if this is interrupted. A chunk that an
        older worker is running is left to it: this release can read its result.
        """
        claimed = self._worker_lock.claim(_OLDER)
        if not claimed and self._worker_lock.can_be_lost:
            return
        try:
            unfinished = client.list_workflows(
                name=CHUNK,
                app_version=OLDER_VERSION,
                status=["ENQUEUED", "PENDING"],
                load_input=False,
                load_output=False,
            )
            for info in unfinished:
                # This release runs no older chunk: those of this worker's name are of an earlier process.
                is_run = info.status == "PENDING" and info.executor_id != self._worker_lock.executor
                queue = queue_of(self._vault.application, batch_of(info.workflow_id))
                if is_run or (self._queues is not None and queue not in self._queues):
                    continue
                now = client.retrieve_workflow(info.workflow_id).get_status()
                if (now.status, now.executor_id) != (info.status, info.executor_id):
                    continue  # an older worker has begun it meanwhile
                client.cancel_workflow(info.workflow_id)
                version = version_for(self._account)
                client.rewind_workflow(
                    info.workflow_id, start_step=_AFTER_ALL_STEPS, application_version=version, queue_name=queue
                )
        finally:
            if claimed:
                self._worker_lock.release(_OLDER)
