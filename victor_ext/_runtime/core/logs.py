"""The log that a variable turns on: VICTOR_LOG the lines of this package on standard error,
VICTOR_LOG_CONFIG whatever its file says.
"""

import json
import logging
import logging.config
import warnings
from pathlib import Path

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


def log_by_file(path: str) -> None:
    """Set up the logs of this process as a file says, with the handlers and formatters of anybody.

    Args:
        path: A JSON file with what `logging.config.dictConfig` takes. Loggers that it does not name
            stay as they are, unless it says otherwise. Of a file that cannot be used, it is warned.
    """
    try:
        config = json.loads(Path(path).read_text("utf-8"))
        logging.config.dictConfig({"disable_existing_loggers": False, **config})
    except Exception as error:  # noqa: BLE001 - the code of others runs here
        reason = error.__cause__ or error
        warnings.warn(
            f"VICTOR_LOG_CONFIG={path!r} sets up no log ({reason}): write the path of a JSON file "
            "with what logging.config.dictConfig takes.",
            stacklevel=3,
        )
