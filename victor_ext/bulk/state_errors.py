"""The errors of a state that cannot be used, or was deleted, and what is logged about them."""

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
_REPORT_EVERY = 30.0
"""Seconds between two reports of one reason."""
_reported_at: dict[str, float] = {}
"""When each reason was reported, by the monotonic clock."""
_logger = logging.getLogger("victor_ext.bulk")


class StateUnavailable(VictorError):
    """The database of the state cannot be used now: it restarts, is out of reach, busy or full.

    Run the same again later: rows that are stored are kept, and none is sent twice.
    """

    exit_status: ClassVar = FOR_NOW
    """Exit status of the command."""


class StateMade(ConfigurationError):
    """Another process has made the state, with another key, since this process looked for it."""


class StateLost(VictorError):
    """The state, or what it has of the batch, was deleted while rows were sent, and with it what
    became of them.
    """

    exit_status: ClassVar = UNKNOWN
    """Exit status of the command."""

    @classmethod
    def deleted(cls, what: str) -> Self:
        """Return the error if this was deleted; `what` is the subject of a sentence."""
        return cls(
            f"{what} was deleted while rows were sent, and with it what became of them. The "
            "provider may have executed what was sent. If you have a copy of the state, restore it "
            "as a backup: `hold`, reconcile, `release`. Without one, reconcile your rows with the "
            "provider before any of them is sent again.",
            outcome=Outcome.UNKNOWN,
        )


def reason_of(error: BaseException) -> str:
    """Return the first line of a database driver's message, without the SQL statement."""
    origin = getattr(error, "orig", None) or error
    text = str(origin).strip() or type(origin).__name__
    return text.splitlines()[0].rstrip(".")


def report(error: BaseException | str) -> None:
    """Log why the database cannot be used and is tried again: each reason at most twice a minute.

    Args:
        error: The error of the database, or its reason.
    """
    reason = error if isinstance(error, str) else reason_of(error)
    now = time.monotonic()
    if now - _reported_at.get(reason, -_REPORT_EVERY) < _REPORT_EVERY:
        return
    _reported_at[reason] = now
    message = (
        "The state cannot be used (%s). It is tried again, and the rows that wait for "
        "it are sent then."
    )
    _logger.warning(message, reason, extra=NOTICE)


def begin_notices() -> None:
    """Start the notices about a new database: forget the reported reasons."""
    _reported_at.clear()


def sqlite_code(error: BaseException | None) -> int | None:
    """Return the primary code of an error of SQLite; 0: the error has no code; None: the error is
    not SQLite's.
    """
    origin = getattr(error, "orig", None) or error
    if not isinstance(origin, sqlite3.Error):
        return None
    # The low byte is the primary code; the others say more about the error.
    return int(getattr(origin, "sqlite_errorcode", 0)) & 0xFF
