"""What users see of a state that cannot be used, or was deleted, and what the log has of it."""

from __future__ import annotations

import logging
import sqlite3
import time
from typing import ClassVar, Self

from victor_ext import ConfigurationError, Outcome, VictorError
from victor_ext._exit_status import FOR_NOW, UNKNOWN

PASSING = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_NOMEM,
    }
)
"""Errors of SQLite that say nothing of the file itself."""
BROKEN = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
"""Errors of SQLite for a file that was overwritten or cut."""
NOTICE = {"notice": True}
"""The `extra` of log records that the command line shows."""
_FULL = ("database or disk is full", "No space left on device")
"""Messages of SQLite and PostgreSQL for a full disk."""
_BROKEN_WORDS = ("database disk image is malformed", "file is not a database")
"""Messages of SQLite for a file that was overwritten or cut."""
broken_for_dbos = set[str]()
"""Which of them DBOS has logged. Shared by the process, as DBOS is."""
_AGAIN_AFTER = 30.0
_reported_at: dict[str, float] = {}
"""When each reason was logged. Shared by the process, as DBOS is."""
_logger = logging.getLogger("victor_ext.bulk")


class StateUnavailable(VictorError):
    """The database of the state cannot be used now: it restarts, is out of reach, busy or full.

    Run the same again later: rows that are stored are kept, and none is sent twice.
    """

    exit_status: ClassVar = FOR_NOW
    """Exit status of the command."""


class StateMade(ConfigurationError):
    """Another process has made the state, and its key, since it was looked for."""


class StateLost(VictorError):
    """The state, or what it has of the batch, was deleted while rows were sent, and with it what
    became of them.
    """

    exit_status: ClassVar = UNKNOWN
    """Exit status of the command."""

    @classmethod
    def deleted(cls, what: str) -> Self:
        return cls(
            f"{what} was deleted while rows were sent, and with it what became of them. The "
            "provider may have executed what was sent. Put a copy of the state back and resume; "
            "without one, reconcile your rows with the provider before any of them is sent again.",
            outcome=Outcome.UNKNOWN,
        )


def reason_of(error: BaseException) -> str:
    """Return the first line of a database driver's message, without the SQL statement."""
    origin = getattr(error, "orig", None) or error
    text = str(origin).strip() or type(origin).__name__
    return text.splitlines()[0].rstrip(".")


def report(error: BaseException | str) -> None:
    """Log why the database cannot be used, each reason at most twice a minute: it is tried
    again.
    """
    reason = error if isinstance(error, str) else reason_of(error)
    now = time.monotonic()
    if now - _reported_at.get(reason, -_AGAIN_AFTER) < _AGAIN_AFTER:
        return
    _reported_at[reason] = now
    message = (
        "The state cannot be used (%s). It is tried again, and the rows that wait for "
        "it are sent then."
    )
    _logger.warning(message, reason, extra=NOTICE)


class _ToOurLog(logging.Handler):
    """Forwards DBOS log records to `victor_ext.bulk`."""

    def emit(self, record: logging.LogRecord) -> None:
        message = record.getMessage()
        is_loud = record.levelno >= logging.WARNING
        _logger.log(logging.INFO if is_loud else logging.DEBUG, "DBOS: %s", message)
        # DBOS tries again when the disk is full or the file is broken, and reports this only in
        # its log.
        text = f"{message} {record.exc_info[1] if record.exc_info else ''}"
        broken_for_dbos.update(words for words in _BROKEN_WORDS if words in text)
        for words in _FULL:
            if words in text:
                report(words)


def begin_notices() -> None:
    """Forget logged reasons, for a new database, and redirect the DBOS log from the terminal to
    `victor_ext.bulk`.
    """
    _reported_at.clear()
    broken_for_dbos.clear()
    log = logging.getLogger("dbos")
    # Existing handlers belong to a program that uses DBOS itself.
    if not log.handlers:
        log.addHandler(_ToOurLog())
        log.propagate = False
        log.setLevel(logging.WARNING)


def sqlite_code(error: BaseException | None) -> int | None:
    """Return the primary code of an error of SQLite; 0: it has none; None: it is another error."""
    origin = getattr(error, "orig", None) or error
    return (
        getattr(origin, "sqlite_errorcode", 0) & 0xFF if isinstance(origin, sqlite3.Error) else None
    )
