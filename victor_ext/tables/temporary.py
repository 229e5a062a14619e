"""A temporary database for more rows than fit into memory, which no other program can open."""

import sqlite3
import tempfile
from collections.abc import Callable
from typing import Any

from victor_ext import ConfigurationError


class TemporaryDatabase(sqlite3.Connection):
    """An SQLite database without a name. The system removes its file when the process ends, however
    it ends.

    Methods raise `ConfigurationError` if the disk is full.
    """

    def __init__(self, schema: str) -> None:
        # An async client uses it from worker threads, one after the other.
        super().__init__("", isolation_level=None, check_same_thread=False)
        # The cache is 4,096 KiB.
        settings = "PRAGMA journal_mode=OFF; PRAGMA temp_store=FILE; PRAGMA cache_size=-4096;"
        self.executescript(f"{settings} {schema} BEGIN")

    # Overridden for the error of a full disk.

    def execute(self, *arguments: Any) -> sqlite3.Cursor:
        return _run(super().execute, arguments)

    def executemany(self, *arguments: Any) -> sqlite3.Cursor:
        return _run(super().executemany, arguments)

    def executescript(self, *arguments: Any) -> sqlite3.Cursor:
        return _run(super().executescript, arguments)


def _run(method: Callable[..., sqlite3.Cursor], arguments: Any) -> sqlite3.Cursor:
    """Call a method of the connection. Raises `ConfigurationError` in place of its error."""
    try:
        return method(*arguments)
    except sqlite3.OperationalError as error:
        raise ConfigurationError(
            f"The folder for temporary files, {tempfile.gettempdir()}, cannot be used: {error}. "
            "Make room in it, or name another one by TMPDIR."
        ) from None
