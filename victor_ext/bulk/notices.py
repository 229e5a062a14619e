"""Log entries for people who wait: what is wrong with the database."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

NOTICE = {"notice": True}
"""The `extra` of log records that the command shows to people."""

_FULL = ("disk is full", "No space left on device")
"""How SQLite and PostgreSQL say that a disk is full."""
_AGAIN_AFTER = 30.0
_logger = logging.getLogger("victor_ext.bulk")


def reason_of(error: BaseException) -> str:
    """The first line of what a database driver says, without the statement it was given."""
    origin = getattr(error, "orig", None) or error
    text = str(origin).strip() or type(origin).__name__
    return text.splitlines()[0].rstrip(".")


class DatabaseNotices:
    """Logs why the database cannot be used, each reason twice a minute at most."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._reported_at: dict[str, float] = {}

    def reset(self) -> None:
        """Forget what was logged: another database is used."""
        with self._lock:
            self._reported_at.clear()

    def report(self, error: BaseException) -> None:
        """Log an error of the database, which is tried again."""
        self._log(reason_of(error))

    def report_if_full(self, text: str) -> None:
        """Log that the disk is full, if this text of DBOS says so."""
        found = next((words for words in _FULL if words in text), None)
        if found is not None:
            self._log("database or disk is full" if found == _FULL[0] else found)

    def _log(self, reason: str) -> None:
        with self._lock:
            now = self._monotonic()
            if now - self._reported_at.get(reason, -_AGAIN_AFTER) < _AGAIN_AFTER:
                return
            self._reported_at[reason] = now
        hint = " Free some space." if any(words in reason for words in _FULL) else ""
        _logger.warning(
            "The state cannot be used (%s).%s It is tried again, and what waits for it goes on then.",
            reason,
            hint,
            extra=NOTICE,
        )


database_notices = DatabaseNotices()
"""One for the process, as DBOS is."""
