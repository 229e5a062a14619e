"""What DBOS needs of SQLite and older releases lack.

On Python 3.12 and newer, DBOS takes its times from `unixepoch('subsec')`, which SQLite knows since 3.42. An older one
answers NULL, or has no such function, and each write fails at `NOT NULL`. Python often uses the SQLite of its system:
that of Debian 12 is 3.40.
"""

from __future__ import annotations

import sqlite3
import time
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.dialects import plugins
from sqlalchemy.engine import CreateEnginePlugin

from victor_ext import ConfigurationError, Problem

PLUGIN = "victor_bulk_older_sqlite"
"""Name of the SQLAlchemy plugin. In the URL, it reaches the engines that DBOS creates itself."""
_SUBSECONDS = (3, 42, 0)
_RETURNING = (3, 35, 0)


def check_version() -> None:
    """Refuse an SQLite without `RETURNING`, which DBOS uses for its queues.

    Raises:
        ConfigurationError: The SQLite of this Python is older than 3.35.
    """
    if sqlite3.sqlite_version_info < _RETURNING:
        message = (
            f"state is an SQLite file, and the SQLite of this Python is {sqlite3.sqlite_version}: 3.35 is the oldest "
            "that works. Use a Python with a newer one, or write postgresql://user@host/database."
        )
        raise ConfigurationError.of([Problem("state", "sqlite_version", message)])


def add_subseconds(connection: Any, _record: object = None) -> None:
    """Add `unixepoch('subsec')` to a connection whose SQLite lacks it."""
    if sqlite3.sqlite_version_info < _SUBSECONDS:
        connection.create_function("unixepoch", 1, _unixepoch)


def _unixepoch(modifier: object) -> float | None:
    # As in SQLite, milliseconds: DBOS multiplies by 1000 and stores an integer. NULL: not what DBOS asks for.
    return time.time_ns() // 1_000_000 / 1000 if modifier == "subsec" else None


class OlderSqlite(CreateEnginePlugin):
    """Calls `add_subseconds` for each connection of an engine."""

    def update_url(self, url: sa.URL) -> sa.URL:
        """Return the URL, which has no options of this plugin."""
        return url

    def engine_created(self, engine: sa.Engine) -> None:
        """Listen for new connections."""
        event.listen(engine, "connect", add_subseconds)


plugins.register(PLUGIN, __name__, OlderSqlite.__name__)
