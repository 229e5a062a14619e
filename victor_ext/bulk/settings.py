"""What a bulk sender is told, checked."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import httpx

from victor_ext import ConfigurationError, Problem, Victor

from .layout import CHUNK_ROWS

KEY_COLUMN = "client_reference_id"
DAY = 24 * 3600.0
PATIENCE = 120.0
MAX_WORKERS = 100
MAX_RATE = 10_000.0
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class Settings:
    """How a batch is read and sent. None: as the batch was begun, or the default.

    Raises:
        ConfigurationError: A value that cannot be.
    """

    key_column: str | None
    rate: float | None
    workers: int
    key_retention: float | None
    patience: float | None
    due_date: str | None
    skip_invalid: bool
    encoding: str | None
    ask_again: bool = False

    def __post_init__(self) -> None:
        if self.key_column is not None and (not isinstance(self.key_column, str) or not self.key_column):
            raise _refused("key_column", "key_column must be the name of a column.")
        if self.key_column == "payee_account_number":
            raise _refused(
                "key_column", "key_column=payee_account_number does not tell rows apart: many go to one account."
            )
        _number("rate", self.rate, above=0, most=MAX_RATE, unit="rows a second")
        _number("key_retention", self.key_retention, above=0, most=math.inf, unit="seconds")
        _number("patience", self.patience, least=0, most=DAY, unit="seconds")
        if isinstance(self.workers, bool) or not isinstance(self.workers, int) or not 1 <= self.workers <= MAX_WORKERS:
            raise _refused("workers", f"workers={self.workers!r} must be a whole number from 1 to {MAX_WORKERS}.")

    @property
    def slots(self) -> int:
        """Chunks that a process takes at once: one more than its calls need, so that none waits for the database."""
        return 1 + math.ceil(self.workers / CHUNK_ROWS)


def _refused(name: str, message: str) -> ConfigurationError:
    return ConfigurationError.of([Problem(name, "setting", message)])


def seconds_of(value: float | timedelta | None) -> float | None:
    """A span of time in seconds."""
    return value.total_seconds() if isinstance(value, timedelta) else value


def day_of(value: date | str | None) -> str | None:
    """A due date as `YYYY-MM-DD`; `today` and `tomorrow` are those of UTC.

    Raises:
        ConfigurationError: It is no day.
    """
    if value is None:
        return None
    if isinstance(value, str) and value in DAYS:
        return DAYS[value]()
    if isinstance(value, date) and not isinstance(value, datetime):
        return value.isoformat()
    try:
        if isinstance(value, str) and date.fromisoformat(value).isoformat() == value:
            return value
    except ValueError:
        pass
    raise _refused("due_date", f"due_date={value!r} is no day: write YYYY-MM-DD, today or tomorrow.")


def _in_days(days: int) -> str:
    return (datetime.now(UTC).date() + timedelta(days=days)).isoformat()


DAYS: Mapping[object, Callable[[], str]] = {"today": lambda: _in_days(0), "tomorrow": lambda: _in_days(1)}
"""Words for due dates. Whose midnight counts the provider does not say; these are days in UTC."""


def provider_of(victor: Victor) -> str:
    """Whom a client talks to. All sandboxes of this machine are one: their ports change."""
    url = httpx.URL(victor.base_url)
    address = "this machine" if url.host in _LOOPBACK else str(url).rstrip("/")
    return f"{victor.environment} {address}"


def caller_of(victor: Victor) -> str | None:
    """Whose credentials a client has, by a digest: providers may keep the keys of each caller apart."""
    return victor.caller


def batch_named_by(source: object) -> str | None:
    """The name of a batch whose file names it."""
    return os.path.basename(os.fspath(source)) if isinstance(source, str | os.PathLike) else None


def _number(
    name: str, value: object, *, unit: str, above: float | None = None, least: float | None = None, most: float
) -> None:
    """Raise `ConfigurationError` when a setting is no number within its bounds; None is one that was not given."""
    if value is None:
        return
    too_small = isinstance(value, int | float) and (
        (above is not None and not value > above) or (least is not None and not value >= least)
    )
    if isinstance(value, bool) or not isinstance(value, int | float) or too_small or not value <= most:
        bounds = [] if above is None else [f"above {above:g}"]
        bounds += [] if least is None else [f"at least {least:g}"]
        bounds += [f"at most {most:g}"] if most < math.inf else []
        raise _refused(name, f"{name}={value!r} must be a number of {unit}, {' and '.join(bounds)}.")
