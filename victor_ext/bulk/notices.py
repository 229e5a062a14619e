"""What users are shown of problems with the database, and the log of DBOS."""

from __future__ import annotations

import logging
import threading
import time

NOTICE = {"notice": True}
"""The `extra` of log records that the command line shows."""

_FULL = ("disk is full", "No space left on device")
"""Messages of SQLite and PostgreSQL for a full disk."""
_AGAIN_AFTER = 30.0
_logger = logging.getLogger("victor_ext.bulk")


def reason_of(error: BaseException) -> str:
    """Return the first line of a database driver's message, without the SQL statement."""
    origin = getattr(error, "orig", None) or error
    text = str(origin).strip() or type(origin).__name__
    return text.splitlines()[0].rstrip(".")


class DatabaseNotices:
    """Logs why the database cannot be used: each reason at most twice a minute."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._reported_at: dict[str, float] = {}

    def reset(self) -> None:
        """Forget logged reasons, for a new database."""
        with self._lock:
            self._reported_at.clear()

    def report(self, error: BaseException) -> None:
        """Log a database error that will be retried."""
        self._log(reason_of(error))

    def report_if_full(self, text: str) -> None:
        """Log that the disk is full, if this DBOS message says so."""
        reason = next((words for words in _FULL if words in text), None)
        if reason is not None:
            self._log("database or disk is full" if reason == _FULL[0] else reason)

    def _log(self, reason: str) -> None:
        with self._lock:
            now = time.monotonic()
            if now - self._reported_at.get(reason, -_AGAIN_AFTER) < _AGAIN_AFTER:
                return
            self._reported_at[reason] = now
        hint = " Free some space." if any(words in reason for words in _FULL) else ""
        _logger.warning(
            "The state cannot be used (%s).%s It is retried, and the rows that wait for it are sent then.",
            reason,
            hint,
            extra=NOTICE,
        )


database_notices = DatabaseNotices()
"""Shared by the process, as DBOS is."""


class _ToOurLog(logging.Handler):
    """Forwards DBOS log records to `victor_ext.bulk`."""

    def emit(self, record: logging.LogRecord) -> None:
        message = record.getMessage()
        _logger.log(logging.INFO if record.levelno >= logging.WARNING else logging.DEBUG, "DBOS: %s", message)
        # DBOS waits when the disk is full, and reports this only in its log.
        database_notices.report_if_full(f"{message} {record.exc_info[1] if record.exc_info else ''}")


def route_dbos_log() -> None:
    """Redirect the DBOS log from the terminal to `victor_ext.bulk`."""
    log = logging.getLogger("dbos")
    # Existing handlers belong to a program that uses DBOS itself.
    if not log.handlers:
        log.addHandler(_ToOurLog())
        log.propagate = False
        log.setLevel(logging.WARNING)
