"""What shows which workers are alive: a lock that the kernel (`FilePresence`, for SQLite) or the
PostgreSQL server (`ServerPresence`) frees when the process ends.

A lease ends by the clock of the database, whatever becomes of its worker. Whoever gets the presence
of a dead worker may end its leases at once. There are no heartbeats, which cannot tell a dead
worker from a slow one, and no process ids, which containers on one kernel do not share.
"""

from __future__ import annotations

import hashlib
import os
import socket
import sys
import uuid
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from victor_ext import ConfigurationError

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

_TCP = {
    "connect_timeout": 10,
    "keepalives": 1,
    "keepalives_idle": 15,
    "keepalives_interval": 5,
    "keepalives_count": 3,
}
"""Options of the connection that holds a lock: half a minute after the server is gone, it fails."""


def new_worker_name() -> str:
    """A name for a worker that no other one has."""
    return f"{socket.gethostname()[:40]}-{os.getpid()}-{uuid.uuid4().hex[:8]}"


class FilePresence:
    """The presence of the one worker of an SQLite file: whoever had a lease before is dead.

    The lock is a separate file next to the database, because SQLite locks the database file itself.
    The file stays: only its lock counts.
    """

    def __init__(self, database: Path) -> None:
        path = database.resolve()
        self.name = new_worker_name()
        self._file = path.with_name(path.name + "-lock")
        self._lock: int | None = None

    def acquire(self) -> bool:
        """Acquire the lock if it is free.

        Raises `ConfigurationError` if its file cannot be opened, such as a link.
        """
        assert self._lock is None
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
        try:
            self._lock = os.open(self._file, flags, 0o600)
            if _lock_file(self._lock):
                return True
        except OSError as error:
            self.close()
            reason = f"{self._file}, the lock of the state, cannot be used: {error.strerror}."
            raise ConfigurationError(reason) from None
        self.close()
        return False

    def renew(self) -> bool:
        """As of `ServerPresence`: it is never lost. The kernel keeps the lock for a process that is
        stopped, and while the machine sleeps.
        """
        return False

    @contextmanager
    def lock_of(self, name: str) -> Generator[bool]:  # noqa: ARG002 - as of `ServerPresence`
        """As of `ServerPresence`: while this worker has the one lock, every other one is dead."""
        yield True

    def close(self) -> None:
        """Close the file, which frees the lock."""
        lock = self._lock
        self._lock = None
        if lock is not None:
            os.close(lock)


_HELD_BY_ANOTHER = PermissionError if sys.platform == "win32" else BlockingIOError
"""What the system raises if another process has locked a file."""


def _lock_file(descriptor: int) -> bool:
    """Lock an open file, unless another process has locked it. Return whether it is locked now."""
    try:
        if sys.platform == "win32":
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except _HELD_BY_ANOTHER:
        return False
    return True


class ServerPresence:
    """The presence of a worker on a PostgreSQL server, which any number of workers can use.

    Each worker has an advisory lock of its own, which belongs to its connection. The connection has
    to lead to the server itself: pgbouncer keeps no advisory locks.
    """

    def __init__(self, url: sa.URL) -> None:
        self.name = new_worker_name()
        self._engine = sa.create_engine(url, poolclass=NullPool, connect_args=_TCP)
        self._connection: Connection | None = None

    def acquire(self) -> bool:
        """Connect, and acquire the lock of this worker: no other worker has the same one."""
        connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        key = {"key": _key_of(self.name)}
        connection.execute(sa.text("SELECT pg_advisory_lock(:key)"), key)
        self._connection = connection
        return True

    def renew(self) -> bool:
        """Reconnect if the connection was lost, or if its server takes no writes any more.

        A server that takes no writes was replaced by another primary, whose workers do not see this
        lock.

        The server also drops the connection of a machine that sleeps, and another worker ends its
        leases.

        Returns whether the lock was lost. Raises `SQLAlchemyError` during an outage.
        """
        if self._connection is not None:
            try:
                query = sa.text("SELECT current_setting('transaction_read_only')")
                takes_writes = self._connection.execute(query).scalar() == "off"
            except SQLAlchemyError:
                takes_writes = False
            if takes_writes:
                return False
            self._disconnect()
        self.acquire()
        return True

    @contextmanager
    def lock_of(self, name: str) -> Generator[bool]:
        """Hold the lock of another worker in the block, if it is free: then that worker is dead.

        Yields whether the other worker is dead.
        """
        connection = self._connection
        if connection is None:  # this worker has ended meanwhile
            yield False
            return
        key = {"key": _key_of(name)}
        attempt = connection.execute(sa.text("SELECT pg_try_advisory_lock(:key)"), key)
        is_free = bool(attempt.scalar())
        try:
            yield is_free
        finally:
            # If the connection was closed meanwhile, the server has freed the lock.
            if is_free and self._connection is connection:
                connection.execute(sa.text("SELECT pg_advisory_unlock(:key)"), key)

    def close(self) -> None:
        """Close the connection, which frees the lock."""
        self._disconnect()
        self._engine.dispose()

    def _disconnect(self) -> None:
        """Close the connection, also if it is broken."""
        connection = self._connection
        self._connection = None
        if connection is not None:
            with suppress(SQLAlchemyError):
                connection.invalidate()
                connection.close()


def _key_of(name: str) -> int:
    """The number of a worker's advisory lock: PostgreSQL takes a signed 64-bit integer."""
    digest = hashlib.sha256(b"victor-ext worker\0" + name.encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


Presence = FilePresence | ServerPresence
