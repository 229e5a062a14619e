"""A temporary database for more rows than fit into memory, which no other program can open."""

import sqlite3
import tempfile
from collections.abc import Callable
from typing import Any

from victor_ext import ConfigurationError

from .interruption import SignalWatch


class TemporaryDatabase(sqlite3.Connection):
    """An SQLite database without a name. The system removes its file when the process ends, however
    it ends.

    Methods raise `ConfigurationError` if the disk is full.
    """

    def __init__(self, schema: str) -> None:
        # An async client uses it from worker threads, one after the other.
        super().__init__("", isolation_level=None, check_same_thread=False)
        # The cache is 4,096 KiB.
        self._signals = SignalWatch(self)
        settings = "PRAGMA journal_mode=OFF; PRAGMA temp_store=FILE; PRAGMA cache_size=-4096;"
        self.executescript(f"{settings} {schema} BEGIN")

    # Overridden for the errors of a full disk and of an interruption.

    def execute(self, *arguments: Any) -> sqlite3.Cursor:
        return self._run(super().execute, arguments)

    def executemany(self, *arguments: Any) -> sqlite3.Cursor:
        return self._run(super().executemany, arguments)

    def executescript(self, *arguments: Any) -> sqlite3.Cursor:
        return self._run(super().executescript, arguments)

    def _run(self, method: Callable[..., sqlite3.Cursor], arguments: Any) -> sqlite3.Cursor:
        """Call a method of the connection. Raises `ConfigurationError` in place of its error, or
        what the handler of a signal has raised.
        """
        try:
            return method(*arguments)
        except sqlite3.OperationalError as error:
            raised = self._signals.taken()
            if raised is not None:
                raise raised from None
            raise ConfigurationError(
                f"The folder for temporary files, {tempfile.gettempdir()}, cannot be used: "
                f"{error}. Make room in it, or name another one by TMPDIR."
            ) from None
