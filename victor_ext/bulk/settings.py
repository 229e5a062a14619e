"""Validated settings of a bulk sender, and what its worker needs."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx

from victor_ext import ConfigurationError, InvalidRequest, Problem, Victor, money
from victor_ext.ids import in_one_form
from victor_ext.settlement.key_age import LEAST_KEPT
from victor_ext.systems import System, titles

from .layout import CHUNK_ROWS, Chunk, Submission
from .state import State
from .vault import Vault

KEY_COLUMN = "client_reference_id"
DAY = 24 * 3600.0
PATIENCE = 120.0
MAX_WORKERS = 100
MAX_RATE = 10_000.0
READING = ("encoding", "skip_invalid", "due_date")
TERMS = ("rate", "key_retention", "patience")
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings to read and send a batch, which are checked. None means the batch's own value or the default."""

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
        if self.key_column is not None:
            if not isinstance(self.key_column, str) or not self.key_column:
                raise _refused("key_column", "key_column must be the name of a column.")
            object.__setattr__(self, "key_column", in_one_form(self.key_column))  # as a heading is
        if self.key_column == "payee_account_number":
            message = "key_column=payee_account_number does not tell rows apart: many go to one account."
            raise _refused("key_column", message)
        _number("rate", self.rate, lambda rate: 0 < rate <= MAX_RATE, "rows a second, above 0 and at most 10000")
        bounds = f"seconds, at least {LEAST_KEPT:g}: a call and its repeats must end before their key"
        _number("key_retention", self.key_retention, lambda seconds: seconds >= LEAST_KEPT, bounds)
        _number("patience", self.patience, lambda seconds: 0 <= seconds <= DAY, "seconds, at least 0 and at most 86400")
        if isinstance(self.workers, bool) or not isinstance(self.workers, int) or not 1 <= self.workers <= MAX_WORKERS:
            raise _refused("workers", f"workers={self.workers!r} must be a whole number from 1 to {MAX_WORKERS}.")

    @property
    def slots(self) -> int:
        """Chunks per process: one more than the calls need, so that calls do not wait for the database."""
        return 1 + math.ceil(self.workers / CHUNK_ROWS)

    def after(self, last: Submission) -> Settings:
        """Return the settings, with the terms of the last submission where none are given."""
        terms = {name: getattr(self, name) for name in TERMS}
        return replace(self, **{name: last.settings[name] if term is None else term for name, term in terms.items()})

    def of_chunk(self, chunk: Chunk) -> Chunk:
        """Return the chunk, with these terms where they are given."""
        patience = chunk.patience if self.patience is None else self.patience
        return replace(chunk, retention=self.key_retention or chunk.retention, patience=patience)


@dataclass(frozen=True, slots=True)
class Expected:
    """Control totals of a source, which are known from elsewhere: its rows, and their amounts together."""

    rows: int | None = None
    total: Decimal | None = None

    @classmethod
    def of(cls, rows: int | None, total: Decimal | str | int | None) -> Expected:
        """Return checked control totals. None is not compared. Raises `ConfigurationError`."""
        _number("expect_rows", rows, lambda count: isinstance(count, int) and count > 0, "rows, whole and above 0")
        try:
            return cls(rows, None if total is None else money.to_decimal(total))
        except InvalidRequest:
            message = f"expect_total={total!r} is not an exact amount above zero: write '1250.00'."
            raise _refused("expect_total", message) from None

    def differences(self, rows: int, total: Decimal, without_amount: int) -> Iterator[str]:
        """Yield a sentence for each difference. `without_amount` rows have no valid amount, and are not in `total`."""
        if self.total is not None and (without_amount or total != self.total):
            missing = f" ({without_amount:,} of the rows have no valid amount)" if without_amount else ""
            yield f"the amounts are {total:.2f} in all{missing}, and {self.total:.2f} is expected: nothing was stored."
        if self.rows not in (None, rows):
            yield f"there are {rows:,} rows, and {self.rows:,} are expected: nothing was stored."


@dataclass(frozen=True, slots=True)
class WorkerContext:
    victor: Victor
    state: State
    vault: Vault
    settings: Settings


def _refused(name: str, message: str) -> ConfigurationError:
    return ConfigurationError.of([Problem(name, "setting", message)])


def day_of(value: date | str | None) -> str | None:
    """Return a due date as `YYYY-MM-DD`; `today` and `tomorrow` are in UTC. Raises `ConfigurationError`."""
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
