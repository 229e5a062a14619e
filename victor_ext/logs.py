"""Logs of this package: JSON for `logging.config`, and VICTOR_LOG, which writes to standard
error.
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
_OF_EVERY_RECORD = {*vars(logging.makeLogRecord({})), "message", "asctime", "taskName"}


class JsonFormatter(logging.Formatter):
    """One JSON object on a line for each record, with `"()": "victor_ext.logs.JsonFormatter"` of
    any logger.

    It has `time` (UTC), `level`, `logger`, `message`, `exception` if there is one, and what the
    record was given as `extra`, such as `call_id` and `call_seconds`.
    """

    def format(self, record: logging.LogRecord) -> str:
        """The record as a line."""
        at = (
            datetime.fromtimestamp(record.created, UTC)
            .isoformat(timespec="milliseconds")
            .replace("+00:00", "Z")
        )
        line = {
            "time": at,
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        given = {
            name: value for name, value in vars(record).items() if name not in _OF_EVERY_RECORD
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(given | line, default=str)


class _Formatter(logging.Formatter):
    """One line for each record, with the id of its call."""

    def format(self, record: logging.LogRecord) -> str:
        call = getattr(record, "call_id", None)
        return super().format(record) + (f" [call {call}]" if call else "")


def log_to_stderr(setting: str) -> None:
    """Write the package's log to standard error.

    Args:
        setting: `debug` (each call), `info` (retries), `warning` or `error`; `json` (of level
            info), or both, such as `json,debug`. Another word is warned of.
    """
    words = {word.strip() for word in setting.lower().split(",")}
    is_json = "json" in words
    level = (words - {"json"} or {"info"}).pop()
    if len(words) > 1 + is_json or level not in _LEVELS:
        text = (
            f"VICTOR_LOG={setting!r} is not a level: write debug, info, warning or error, or "
            "json,debug."
        )
        warnings.warn(text, stacklevel=3)
        return
    handler = logging.StreamHandler()
    handler.setFormatter(
        JsonFormatter()
        if is_json
        else _Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s")
    )
    logger = logging.getLogger("victor_ext")
    logger.addHandler(handler)
    logger.setLevel(_LEVELS[level])
