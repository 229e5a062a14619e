"""The options of connections to an SQLite state (`sqlite_options`), and the function that an older
SQLite lacks for DBOS (`subseconds_in_all_pools`). Both listen to events of SQLAlchemy.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event

_SUBSECONDS = (3, 42, 0)
"""The first SQLite with `unixepoch('subsec')`, from which DBOS takes its times on Python 3.12 and
newer. An older one answers NULL, or has no such function, and each write fails at `NOT NULL`: that
of Debian 12 is 3.40."""


def sqlite_options(connection: Any, _record: object) -> None:
    """Set the options of a new connection to a state."""
    # As in DBOS: a transaction waits for other writers when it starts.
    connection.isolation_level = "IMMEDIATE"
    connection.execute("PRAGMA busy_timeout=30000")
    connection.execute("PRAGMA foreign_keys=ON")
    # Each connection has its own cache; the system caches the file anyway.
    connection.execute("PRAGMA cache_size=-512")
    _add_subseconds(connection)


@contextmanager
def subseconds_in_all_pools() -> Generator[None]:
    """Call `_add_subseconds` for each connection of this process that is opened in the block."""

    # A listener of this block alone: another thread may remove its own one meanwhile.
    def add_subseconds(connection: Any, _record: object) -> None:
        _add_subseconds(connection)

    event.listen(sa.Pool, "connect", add_subseconds)
    try:
        yield
    finally:
        event.remove(sa.Pool, "connect", add_subseconds)


def _add_subseconds(connection: Any) -> None:
    """Add `unixepoch('subsec')` to a connection whose SQLite lacks it."""
    if isinstance(connection, sqlite3.Connection) and sqlite3.sqlite_version_info < _SUBSECONDS:

        def unixepoch(modifier: object) -> float | None:
            if modifier != "subsec":  # DBOS asks for nothing else
                return None
            # Milliseconds, as in SQLite: DBOS multiplies by 1000 and stores an integer.
            return time.time_ns() // 1_000_000 / 1000

        connection.create_function("unixepoch", 1, unixepoch)
