"""What users are shown of problems with the database, and the log of DBOS."""

from __future__ import annotations

import logging
import time

NOTICE = {"notice": True}
"""The `extra` of log records that the command line shows."""

_FULL = ("database or disk is full", "No space left on device")
"""Messages of SQLite and PostgreSQL for a full disk."""
_AGAIN_AFTER = 30.0
_reported_at: dict[str, float] = {}
"""When each reason was logged. Shared by the process, as DBOS is."""
_logger = logging.getLogger("victor_ext.bulk")


def reason_of(error: BaseException) -> str:
    """Return the first line of a database driver's message, without the SQL statement."""
    origin = getattr(error, "orig", None) or error
    text = str(origin).strip() or type(origin).__name__
    return text.splitlines()[0].rstrip(".")


def report(error: BaseException | str) -> None:
    """Log why the database cannot be used, each reason at most twice a minute: it is tried again."""
    reason, now = error if isinstance(error, str) else reason_of(error), time.monotonic()
    if now - _reported_at.get(reason, -_AGAIN_AFTER) >= _AGAIN_AFTER:
        _reported_at[reason] = now
        message = "The state cannot be used (%s). It is tried again, and the rows that wait for it are sent then."
        _logger.warning(message, reason, extra=NOTICE)


class _ToOurLog(logging.Handler):
    """Forwards DBOS log records to `victor_ext.bulk`."""

    def emit(self, record: logging.LogRecord) -> None:
        message = record.getMessage()
        _logger.log(logging.INFO if record.levelno >= logging.WARNING else logging.DEBUG, "DBOS: %s", message)
        # DBOS waits when the disk is full, and reports this only in its log.
        text = f"{message} {record.exc_info[1] if record.exc_info else ''}"
        for words in _FULL:
            if words in text:
                report(words)


def begin_notices() -> None:
    """Forget logged reasons, for a new database, and redirect the DBOS log from the terminal to `victor_ext.bulk`."""
    _reported_at.clear()
    log = logging.getLogger("dbos")
    # Existing handlers belong to a program that uses DBOS itself.
    if not log.handlers:
        log.addHandler(_ToOurLog())
        log.propagate = False
        log.setLevel(logging.WARNING)
