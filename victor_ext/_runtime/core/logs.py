"""The log of this package that the variable VICTOR_LOG turns on."""

import logging
import warnings

_LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}


class _LineFormatter(logging.Formatter):
    """A line for each record, which ends with the id of the record's call, if it has one."""

    def format(self, record: logging.LogRecord) -> str:
        line = super().format(record)
        call_id = getattr(record, "call_id", None)
        return f"{line} [call {call_id}]" if call_id else line


def log_to_stderr(setting: str) -> None:
    """Write the package's log to standard error.

    Args:
        setting: `debug` (each call), `info` (retries), `warning` or `error`. Another word is warned
            of.
    """
    level = _LEVELS.get(setting.strip().lower())
    if level is None:
        warnings.warn(
            f"VICTOR_LOG={setting!r} is not a level: write debug, info, warning or error.",
            stacklevel=3,
        )
        return
    handler = logging.StreamHandler()
    handler.setFormatter(_LineFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logger = logging.getLogger("victor_ext")
    logger.addHandler(handler)
    logger.setLevel(level)
