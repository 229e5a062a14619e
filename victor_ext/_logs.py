"""Logs of this package: JSON for `logging.config` (`JsonFormatter`), and what the variable
VICTOR_LOG turns on (`log_to_stderr`).
"""

import json
import logging
import warnings
from datetime import UTC, datetime

__all__ = ("JsonFormatter",)

_LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}
_USUAL_ATTRIBUTES = {*vars(logging.makeLogRecord({})), "message", "asctime", "taskName"}


class JsonFormatter(logging.Formatter):
    """One JSON object on a line for each record, with `"()": "victor_ext.JsonFormatter"` of
    any logger.

    It has `time` (UTC), `level`, `logger`, `message`, `exception` if there is one, and what the
    record was given as `extra`, such as `call_id` and `call_seconds`.
    """

    def format(self, record: logging.LogRecord) -> str:
        """The record as a line."""
        created = datetime.fromtimestamp(record.created, UTC)
        line = {
            "time": created.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        extra = {
            name: value for name, value in vars(record).items() if name not in _USUAL_ATTRIBUTES
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(extra | line, default=str)


class _LineFormatter(logging.Formatter):
    """A line for each record, which ends with the id of the record's call, if it has one."""

    def format(self, record: logging.LogRecord) -> str:
        line = super().format(record)
        call_id = getattr(record, "call_id", None)
        return f"{line} [call {call_id}]" if call_id else line


def log_to_stderr(setting: str) -> None:
    """Write the package's log to standard error.

    Args:
        setting: `debug` (each call), `info` (retries), `warning` or `error`; `json` (of level
            info), or both, such as `json,debug`. Another word is warned of.
    """
    words = {word.strip() for word in setting.lower().split(",")}
    levels = words - {"json"} or {"info"}
    level = levels.pop()
    if levels or level not in _LEVELS:
        text = (
            f"VICTOR_LOG={setting!r} is not a level: write debug, info, warning or error, or "
            "json,debug."
        )
        warnings.warn(text, stacklevel=3)
        return
    handler = logging.StreamHandler()
    if "json" in words:
        handler.setFormatter(JsonFormatter())
    else:
        handler.setFormatter(_LineFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logger = logging.getLogger("victor_ext")
    logger.addHandler(handler)
    logger.setLevel(_LEVELS[level])
