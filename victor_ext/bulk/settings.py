"""Validated settings of a bulk sender, and what its worker needs."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

import httpx

from victor_ext import ConfigurationError, Problem, Victor
from victor_ext.systems import System, titles

from .layout import CHUNK_ROWS, Submission
from .state import State
from .vault import Vault

KEY_COLUMN = "client_reference_id"
DAY = 24 * 3600.0
PATIENCE = 120.0
MAX_WORKERS = 100
MAX_RATE = 10_000.0
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings to read and send a batch. None means the batch's own value or the default.

    Raises:
        ConfigurationError: A value is invalid.
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
        """Chunks per process: one more than the calls need, so that calls do not wait for the database."""
        return 1 + math.ceil(self.workers / CHUNK_ROWS)

    def continuing(self, load: Submission) -> Settings:
        """Return the settings to read the source of a submission again. It was decided that its rows are sent."""
        return replace(
            self,
            ask_again=True,
            key_column=load.key_column,
            encoding=load.encoding,
            skip_invalid=load.skip_invalid,
            due_date=load.due_date,
            rate=self.rate or load.rate,
            key_retention=self.key_retention or load.retention,
            patience=load.patience if self.patience is None else self.patience,
        )


@dataclass(frozen=True, slots=True)
class WorkerContext:
    """Client, database, encryption and settings of a worker."""

    victor: Victor
    state: State
    vault: Vault
    settings: Settings


def _refused(name: str, message: str) -> ConfigurationError:
    return ConfigurationError.of([Problem(name, "setting", message)])


def seconds_of(value: float | timedelta | None) -> float | None:
    """Return a duration in seconds."""
    return value.total_seconds() if isinstance(value, timedelta) else value


def day_of(value: date | str | None) -> str | None:
    """Return a due date as `YYYY-MM-DD`; `today` and `tomorrow` are in UTC.

    Raises:
        ConfigurationError: The value is not a date.
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
    raise _refused("due_date", f"due_date={value!r} is not a date: write YYYY-MM-DD, today or tomorrow.")


def _in_days(days: int) -> str:
    return (datetime.now(UTC).date() + timedelta(days=days)).isoformat()


DAYS: Mapping[object, Callable[[], str]] = {"today": lambda: _in_days(0), "tomorrow": lambda: _in_days(1)}
"""Words for due dates, in UTC. The provider does not document its time zone."""


def checked_client(victor: object) -> Victor | None:
    """Return a client with blocking calls of a system that bulk sending knows. Raises `ConfigurationError`."""
    if victor is None or isinstance(victor, Victor):
        return victor
    system: object = getattr(victor, "system", None)
    if isinstance(system, System) and not system.bulk:
        raise ConfigurationError(f"victor is a client of {system.title}: bulk sending is for {titles('bulk')} only.")
    raise ConfigurationError(
        f"victor must be a Victor, not {type(victor).__name__}: bulk sending uses threads, and is faster so."
    )


def provider_of(victor: Victor) -> str:
    """Identify the provider of a client. All sandboxes on this machine count as one: their ports change."""
    url = httpx.URL(victor.base_url)
    address = "this machine" if url.host in _LOOPBACK else str(url).rstrip("/")
    return f"{victor.environment} {address}"


def _number(
    name: str, value: object, *, unit: str, above: float | None = None, least: float | None = None, most: float
) -> None:
    """Raise `ConfigurationError` if a setting is not a number within its bounds. None is valid."""
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
