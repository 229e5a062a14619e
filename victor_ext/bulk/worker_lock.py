"""Locks that show which workers are alive, so that only the chunks of dead ones are taken over.

DBOS takes up what its own process left behind when that starts again under the same name; that another process
is dead it is told by a paid service only. Here the system tells: each worker holds a lock that the kernel, or
the PostgreSQL server, frees when the process is gone, however it went.
"""

from __future__ import annotations

import errno
import hashlib
import os
import socket
import stat
import sys
import uuid
from contextlib import suppress

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from victor_ext import ConfigurationError

from .state import State

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

_OPTIONS = {
    "connect_timeout": 10,
    "keepalives": 1,
    "keepalives_idle": 15,
    "keepalives_interval": 5,
    "keepalives_count": 3,
}


_TRIES = 1000
"""How often a lock may have been taken away by its last holder while it was opened."""


class FileLock:
    """One worker at a time for one SQLite file. It is on one machine, so the machine's kernel keeps the lock.

    All of them have one name for DBOS, which therefore takes up what the last one left when the next one starts. The
    lock is a locked file beside that of the state, whose own locks are SQLite's: whoever has the one finds the other.
    """

    executor = "local"

    def __init__(self, state: State) -> None:
        path = state.path.resolve()
        self._file = path.with_name(path.name + "-lock")
        self._lock: int | None = None

    def acquire(self) -> bool:
        """Take the lock, if it is free.

        Raises:
            ConfigurationError: It cannot be made, or something else lies in its place.
        """
        for _ in range(_TRIES):
            lock = self._opened()
            try:
                if not _take(lock):
                    os.close(lock)
                    return False
                if self._is_in_place(lock):
                    self._lock = lock
                    return True
            except OSError as error:
                os.close(lock)
                raise self._impossible(error.strerror) from None
            # Its last holder took it away in between.
            os.close(lock)
        raise self._impossible("it is never the file that was opened")

    def renew(self) -> bool:
        """The kernel keeps it."""
        return False

    def claim(self, executor: str) -> bool:  # noqa: ARG002 - the shape of the other lock
        """There is no other one."""
        return False

    def release(self, executor: str) -> None:
        """Nothing was claimed."""

    def close(self) -> None:
        """Free the lock, and take its file away."""
        lock, self._lock = self._lock, None
        if lock is None:
            return
        # Before it is freed: afterwards it may be somebody else's. Some systems keep a file that is open.
        with suppress(OSError):
            if self._is_in_place(lock):
                self._file.unlink()
        os.close(lock)

    def _opened(self) -> int:
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
        try:
            lock = os.open(self._file, flags, 0o600)
        except OSError as error:
            raise self._impossible("it is a link" if error.errno == errno.ELOOP else error.strerror) from None
        if not stat.S_ISREG(os.fstat(lock).st_mode):
            os.close(lock)
            raise self._impossible("it is no file")
        return lock

    def _is_in_place(self, lock: int) -> bool:
        """Whether the file that is open is still the one that others find."""
        try:
            return os.path.samestat(os.fstat(lock), os.stat(self._file, follow_symlinks=False))
        except FileNotFoundError:
            return False

    def _impossible(self, reason: str | None) -> ConfigurationError:
        return ConfigurationError(f"{self._file}, the lock of the state, cannot be used: {reason}.")


if sys.platform == "win32":

    def _take(lock: int) -> bool:
        """Lock an open file, unless somebody else has."""
        try:
            msvcrt.locking(lock, msvcrt.LK_NBLCK, 1)
        except PermissionError:
            return False
        return True

else:

    def _take(lock: int) -> bool:
        """Lock an open file, unless somebody else has."""
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


class ServerLock:
    """Any number of workers on a PostgreSQL server, each with an advisory lock that ends with its connection."""

    def __init__(self, state: State) -> None:
        self.executor = f"{socket.gethostname()[:40]}-{os.getpid()}-{uuid.uuid4().hex[:8]}"
        self._engine = sa.create_engine(state.url, poolclass=NullPool, connect_args=_OPTIONS)
        self._connection: sa.Connection | None = None

    def acquire(self) -> bool:
        """Take the lock of this worker's name, which nobody else has."""
        connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        connection.execute(sa.text("SELECT pg_advisory_lock(:key)"), {"key": _key_of(self.executor)})
        self._connection = connection
        return True

    def renew(self) -> bool:
        """Connect again when the server went away. Raises `SQLAlchemyError` as long as it is."""
        if self._connection is not None:
            try:
                self._connection.execute(sa.text("SELECT 1"))
            except SQLAlchemyError:
                self._drop()
            else:
                return False
        self.acquire()
        return True

    def claim(self, executor: str) -> bool:
        """Take the lock of another worker's name: it is free when that one is gone."""
        if self._connection is None:
            return False
        found = self._connection.execute(sa.text("SELECT pg_try_advisory_lock(:key)"), {"key": _key_of(executor)})
        return bool(found.scalar())

    def release(self, executor: str) -> None:
        """Free the lock again."""
        if self._connection is not None:
            self._connection.execute(sa.text("SELECT pg_advisory_unlock(:key)"), {"key": _key_of(executor)})

    def close(self) -> None:
        """Close the connection, and the lock with it."""
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
"""One worker's lock: others see by it that the worker lives."""


def lock_in(state: State) -> WorkerLock:
    """The kind of lock that the database permits."""
    return FileLock(state) if state.is_sqlite else ServerLock(state)
