"""Locks that show which workers are alive: a living one takes the chunks of dead ones over, with
their stored steps.

DBOS recovers the work of its own process after a restart under the same name, but detects dead
processes only with a paid service. Here each worker holds a lock that the kernel or the PostgreSQL
server frees when the process ends.
"""

from __future__ import annotations

import hashlib
import logging
import math
import os
import socket
import sys
import threading
import time
import uuid
from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from victor_ext import ConfigurationError
from victor_ext.settlement.key_age import Moment

from .layout import CHUNK
from .state import State
from .state_errors import StateLost, report

if TYPE_CHECKING:
    from dbos import DBOSClient

    from .settings import WorkerContext

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

_ROUND = 2.0
"""Seconds between two looks."""
_LOOKS = 3
"""Consecutive looks after which a claimed chunk that is not running is queued again."""
_GRACE = 10.0
"""Seconds after a server outage before other workers count as dead: they need time to reconnect."""
_logger = logging.getLogger("victor_ext.bulk")
_TCP = {
    "connect_timeout": 10,
    "keepalives": 1,
    "keepalives_idle": 15,
    "keepalives_interval": 5,
    "keepalives_count": 3,
}


class FileLock:
    """Lock of an SQLite database: one worker at a time, on one machine.

    All workers have the same DBOS name, so each one recovers the work of the previous one. The lock
    is a separate file next to the database, because SQLite locks the database file itself. The file
    stays: only its lock counts.
    """

    executor = "local"
    can_be_lost = False
    """The kernel keeps it for a process that is stopped, and through a sleep of the machine."""

    def __init__(self, state: State) -> None:
        path = state.path.resolve()
        self._file = path.with_name(path.name + "-lock")
        self._lock: int | None = None

    def acquire(self) -> bool:
        """Acquire the lock if it is free.

        Raises `ConfigurationError` if its file cannot be opened, such as a link.
        """
        assert self._lock is None
        try:
            self._lock = os.open(
                self._file, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600
            )
            if _take(self._lock):
                return True
        except OSError as error:
            self.close()
            reason = f"{self._file}, the lock of the state, cannot be used: {error.strerror}."
            raise ConfigurationError(reason) from None
        self.close()
        return False

    def close(self) -> None:
        lock, self._lock = self._lock, None
        if lock is not None:
            os.close(lock)


_HELD_BY_ANOTHER = PermissionError if sys.platform == "win32" else BlockingIOError


def _take(lock: int) -> bool:
    try:
        if sys.platform == "win32":
            msvcrt.locking(lock, msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except _HELD_BY_ANOTHER:
        return False
    return True


class ServerLock:
    """Lock of a PostgreSQL database, for any number of workers.

    It is an advisory lock of the worker's connection.
    """

    can_be_lost = True
    """The server drops the connection of a machine that sleeps, and another worker takes over its
    chunks.
    """

    def __init__(self, state: State) -> None:
        self.executor = f"{socket.gethostname()[:40]}-{os.getpid()}-{uuid.uuid4().hex[:8]}"
        self._engine = sa.create_engine(state.url, poolclass=NullPool, connect_args=_TCP)
        self._connection: sa.Connection | None = None

    def acquire(self) -> bool:
        connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        connection.execute(
            sa.text("SELECT pg_advisory_lock(:key)"), {"key": _key_of(self.executor)}
        )
        self._connection = connection
        return True

    def renew(self) -> bool:
        """Reconnect if the connection was lost, or its server takes no writes any more: another one
        is the primary, and its workers do not see this lock. Return whether it was.

        Raises `SQLAlchemyError` during an outage.
        """
        if self._connection is not None:
            try:
                query = sa.text("SELECT current_setting('transaction_read_only')")
                takes_writes = self._connection.execute(query).scalar() == "off"
            except SQLAlchemyError:
                takes_writes = False
            if takes_writes:
                return False
            self._drop()
        self.acquire()
        return True

    @contextmanager
    def claimed(self, executor: str) -> Generator[bool]:
        """Hold another worker's lock in the block, if it is free: that worker is dead.

        Yields whether it is.
        """
        connection, key = self._connection, {"key": _key_of(executor)}
        if connection is None:  # it was closed meanwhile
            yield False
            return
        is_free = bool(
            connection.execute(sa.text("SELECT pg_try_advisory_lock(:key)"), key).scalar()
        )
        try:
            yield is_free
        finally:
            if is_free and self._connection is connection:  # a closed one has freed it
                connection.execute(sa.text("SELECT pg_advisory_unlock(:key)"), key)

    def close(self) -> None:
        """Close the connection, which frees the lock."""
        self._drop()
        self._engine.dispose()

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(SQLAlchemyError):
                connection.invalidate()
                connection.close()


def _key_of(executor: str) -> int:
    digest = hashlib.sha256(b"victor-ext bulk worker\0" + executor.encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


WorkerLock = FileLock | ServerLock


class TakeOver(threading.Thread):
    """Keeps the lock of this worker, and takes chunks over, until `stop` is set."""

    def __init__(
        self, context: WorkerContext, worker_lock: WorkerLock, stop: threading.Event
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
                    self._queue_again(store.client)
                    gone = self._gone(store.client)
                except SQLAlchemyError as error:
                    report(failure := error)
                except Exception:
                    _logger.exception(
                        "Looking for chunks that were left stalled failed; it is tried again."
                    )
                self.state_lost = gone or self._state.loss(failure) or self._journal_gone()
                self.heartbeat.failing = {"bulk.state": type(failure).__name__} if failure else {}
                self.heartbeat.step()
                if self._stop_event.wait(_ROUND):
                    return

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
        if not (begun := list(self.begun)):
            return None
        stored = client.list_workflows(workflow_ids=begun, load_input=False, load_output=False)
        gone = set(begun) - {info.workflow_id for info in stored}
        return (
            StateLost.deleted(f"What {self._state} has of {', '.join(sorted(gone))}")
            if gone
            else None
        )

    def _queue_again(self, client: DBOSClient) -> None:
        """Queue again what dead workers had, and what this one was given without being told: its
        stalled chunks.
        """
        pending = client.list_workflows(status="PENDING", load_input=False, load_output=False)
        mine = self._worker_lock.executor
        own = {
            info.workflow_id: info
            for info in pending
            if info.executor_id == mine and info.name == CHUNK
        }
        self._stalled = {
            each: self._stalled.get(each, 0) + 1 for each in own if each not in self.running
        }
        for each in [each for each, looks in self._stalled.items() if looks >= _LOOKS]:
            # The claim was stored but its response was lost, for example in a server crash.
            client.resume_workflow(each, queue_name=own[each].queue_name)
            del self._stalled[each]
        lock = self._worker_lock
        if isinstance(lock, ServerLock) and time.monotonic() - self._lost_at >= _GRACE:
            for executor in map(str, {info.executor_id for info in pending} - {mine, None}):
                with lock.claimed(executor) as is_dead:
                    if is_dead:
                        for info in client.list_workflows(
                            status="PENDING", executor_id=executor, load_input=False
                        ):
                            client.resume_workflow(info.workflow_id, queue_name=info.queue_name)
