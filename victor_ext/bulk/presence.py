"""Who is at work, so that the chunks of a process that died are taken over, and those of a live one are not.

DBOS takes up what its own process left behind when that starts again under the same name; that another process
is dead it is told by a paid service only. Here the system tells: each worker holds a lock that the kernel, or
the PostgreSQL server, frees when the process is gone, however it went.
"""

from __future__ import annotations

import hashlib
import os
import socket
import sqlite3
import tempfile
import uuid
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from .state import State

_OPTIONS = {
    "connect_timeout": 10,
    "keepalives": 1,
    "keepalives_idle": 15,
    "keepalives_interval": 5,
    "keepalives_count": 3,
}


class Presence(Protocol):
    """One worker's sign of life."""

    @property
    def executor(self) -> str:
        """The name under which DBOS notes what this worker took."""
        ...

    def begin(self) -> bool:
        """Give the sign; False when this worker has to wait for another one to end."""
        ...

    def renew(self) -> bool:
        """See that the sign is still given, and give it anew if not; whether it had been lost."""
        ...

    def claim(self, executor: str) -> bool:
        """Whether another worker is dead; True at most for one asker at a time, until `release`."""
        ...

    def release(self, executor: str) -> None:
        """What the dead worker left has been taken over."""
        ...

    def end(self) -> None:
        """Take the sign away."""
        ...


def presence_in(state: State) -> Presence:
    """The kind of presence that the database permits."""
    return FilePresence(state) if state.is_sqlite else ServerPresence(state)


class FilePresence:
    """One worker at a time for one SQLite file. It is on one machine, so the machine's kernel keeps the lock.

    All of them have one name for DBOS, which therefore takes up what the last one left when the next one starts.
    The lock is a locked file of its own in the folder for temporary files: that of the state is SQLite's.
    """

    executor = "local"

    def __init__(self, state: State) -> None:
        digest = hashlib.sha256(os.fsencode(state.path.resolve())).hexdigest()[:20]
        user = os.getuid() if hasattr(os, "getuid") else 0
        self._file = Path(tempfile.gettempdir()) / f"victor-bulk-{user}-{digest}.lock"
        self._lock: sqlite3.Connection | None = None

    def begin(self) -> bool:
        """Take the lock, if it is free."""
        lock = sqlite3.connect(self._file, isolation_level=None, timeout=0, check_same_thread=False)
        try:
            lock.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError:
            lock.close()
            return False
        self._lock = lock
        return True

    def renew(self) -> bool:
        """The kernel keeps it."""
        return False

    def claim(self, executor: str) -> bool:  # noqa: ARG002 - the shape of the protocol
        """There is no other one."""
        return False

    def release(self, executor: str) -> None:
        """Nothing was claimed."""

    def end(self) -> None:
        """Free the lock."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None


class ServerPresence:
    """Any number of workers on a PostgreSQL server, each with an advisory lock that ends with its connection."""

    def __init__(self, state: State) -> None:
        self.executor = f"{socket.gethostname()[:40]}-{os.getpid()}-{uuid.uuid4().hex[:8]}"
        self._engine = sa.create_engine(state.url, poolclass=NullPool, connect_args=_OPTIONS)
        self._connection: sa.Connection | None = None

    def begin(self) -> bool:
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
        self.begin()
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

    def end(self) -> None:
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
