"""VICTOR_LOG: the package's log on standard error, for a look at what a program does."""

from __future__ import annotations

import logging
import warnings

_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


class _Formatter(logging.Formatter):
    """One line for each record, with the id of its call."""

    def format(self, record: logging.LogRecord) -> str:
        call = getattr(record, "call_id", None)
        return super().format(record) + (f" [call {call}]" if call else "")


def log_to_stderr(level: str) -> None:
    """Write the package's log to standard error.

    Args:
        level: `debug` (each call), `info` (retries), `warning` or `error`. Another word is warned of.
    """
    chosen = _LEVELS.get(level.strip().lower())
    if chosen is None:
        warnings.warn(f"VICTOR_LOG={level!r} is not a level: write debug, info, warning or error.", stacklevel=3)
        return
    handler = logging.StreamHandler()
    handler.setFormatter(_Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logger = logging.getLogger("victor_ext")
    logger.addHandler(handler)
    logger.setLevel(chosen)
