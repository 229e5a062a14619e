"""Validated settings of a bulk sender, and what its worker needs."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

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
        _number("rate", self.rate, lambda rate: 0 < rate <= MAX_RATE, "rows a second, above 0 and at most 10000")
        _number("key_retention", self.key_retention, lambda seconds: seconds > 0, "seconds, above 0")
        _number("patience", self.patience, lambda seconds: 0 <= seconds <= DAY, "seconds, at least 0 and at most 86400")
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


def day_of(value: date | str | None) -> str | None:
    """Return a due date as `YYYY-MM-DD`; `today` and `tomorrow` are in UTC.

    Raises:
        ConfigurationError: The value is not a date.
    """
    day = in_utc(value)
    if isinstance(day, date) and not isinstance(day, datetime):
        return day.isoformat()
    with suppress(ValueError):
        if day is None or (isinstance(day, str) and date.fromisoformat(day).isoformat() == day):
            return day
    raise _refused("due_date", f"due_date={value!r} is not a date: write YYYY-MM-DD, today or tomorrow.")


def in_utc(day: Any) -> Any:
    """Return the date for `today` and `tomorrow`, in UTC: the provider does not document its time zone."""
    if day in ("today", "tomorrow"):
        return (datetime.now(UTC).date() + timedelta(days=day == "tomorrow")).isoformat()
    return day


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


def _number(name: str, value: object, is_valid: Callable[[float], bool], bounds: str) -> None:
    """Raise `ConfigurationError` if a setting is not a number within its bounds. None is valid."""
    if value is None or (isinstance(value, int | float) and not isinstance(value, bool) and is_valid(value)):
        return
    raise _refused(name, f"{name}={value!r} must be a number of {bounds}.")
