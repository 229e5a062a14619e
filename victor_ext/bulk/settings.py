"""Validated settings of a bulk sender, and what its worker needs."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx

from victor_ext import ConfigurationError, InvalidRequest, Problem, money
from victor_ext.health import Heartbeat
from victor_ext.ids import in_one_form, words_of
from victor_ext.settlement.key_age import LEAST_KEPT
from victor_ext.systems import System

from .layout import CHUNK_ROWS
from .row_kind import RowKind
from .rows import RowOutcome
from .state import State
from .store import BatchRecord, Store, no_such_batch
from .vault import Vault

DAY = 24 * 3600.0
PATIENCE = 120.0
MAX_WORKERS = 100
MAX_RATE = 10_000.0
DEFAULTS = ("due_date", "payor_id")
"""Settings that are the values of a column for rows without one."""
TERMS = ("rate", "key_retention", "patience")
PERSONS = ("by", "not_by_sender")
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings to read and send a batch, which are checked.

    None means the batch's own value or the default.
    """

    key_column: str | None
    rate: float | None
    workers: int
    key_retention: float | None
    patience: float | None
    due_date: str | None
    skip_invalid: bool
    encoding: str | None
    key_kind: str | None = None
    payor_id: str | None = None
    by: str | None = None
    not_by_sender: bool = False

    def __post_init__(self) -> None:
        if self.key_column is not None:
            if not isinstance(self.key_column, str) or not self.key_column:
                raise _refused("key_column", "key_column must be the name of a column.")
            object.__setattr__(self, "key_column", in_one_form(self.key_column))  # as a heading is
        if self.key_column == "payee_account_number":
            message = (
                "key_column=payee_account_number does not tell rows apart: many go to one account."
            )
            raise _refused("key_column", message)
        if self.key_kind is not None and not (
            isinstance(self.key_kind, str) and words_of(self.key_kind)
        ):
            message = (
                f"key_kind={self.key_kind!r} must be text: what the key column names, such as "
                "invoice or subscription-2026-11."
            )
            raise _refused("key_kind", message)
        if self.by is not None and not (isinstance(self.by, str) and words_of(self.by)):
            raise _refused("by", f"by={self.by!r} must be the name of a person.")
        if self.not_by_sender and self.by is None:
            message = (
                "by is missing: name the person who does this, so that another person has "
                "to take the next step."
            )
            raise _refused("by", message)
        _number(
            "rate",
            self.rate,
            lambda rate: 0 < rate <= MAX_RATE,
            "rows a second, above 0 and at most 10000",
        )
        bounds = (
            f"seconds, at least {LEAST_KEPT:g}: a call and its repeats must end before their key"
        )
        _number("key_retention", self.key_retention, lambda seconds: seconds >= LEAST_KEPT, bounds)
        _number(
            "patience",
            self.patience,
            lambda seconds: 0 <= seconds <= DAY,
            "seconds, at least 0 and at most 86400",
        )
        if (
            isinstance(self.workers, bool)
            or not isinstance(self.workers, int)
            or not 1 <= self.workers <= MAX_WORKERS
        ):
            raise _refused(
                "workers",
                f"workers={self.workers!r} must be a whole number from 1 to {MAX_WORKERS}.",
            )

    @property
    def defaults(self) -> dict[str, str]:
        """The values for rows that have none in these columns."""
        return {name: value for name in DEFAULTS if (value := getattr(self, name)) is not None}

    def check_for(self, kind: type[RowKind]) -> None:
        """Check that these are settings of such rows. Raises `ConfigurationError`."""
        for name in self.defaults.keys() - kind.columns:
            raise _refused(name, f"{name} is no column of these rows: leave it out.")
        if kind.together > 1 and self.key_column not in (None, kind.reference):
            message = (
                f"key_column={self.key_column} cannot be: these rows are told apart by "
                f"{kind.reference}."
            )
            raise _refused("key_column", message)
        if kind.together > 1 and self.key_kind is not None:
            message = (
                f"key_kind={self.key_kind} cannot be: these rows are told apart by payor_id and "
                f"{kind.reference}."
            )
            raise _refused("key_kind", message)

    def check_person(self, persons: Sequence[Mapping[str, Any]]) -> None:
        """Check that who takes a step is not who sent the rows, if that is wanted.

        Raises `ConfigurationError`.
        """
        senders = {person["by"] for person in persons}
        if not (self.not_by_sender or needs_another_person(persons)):
            return
        if self.by is None:
            raise _refused(
                "by",
                "by is missing: another person than who sent the rows takes this step. Name this "
                "person.",
            )
        if None in senders:
            message = (
                "not_by_sender cannot be checked: some of the rows were sent without the name of a "
                "person. Leave it out if the team accepts that."
            )
            raise _refused("not_by_sender", message)
        if words_of(self.by).casefold() in {words_of(sender).casefold() for sender in senders}:
            raise _refused(
                "by",
                f"by={self.by}: who sent these rows may not take this step. Another person has to.",
            )

    def check_sender(self, persons: Sequence[Mapping[str, Any]]) -> None:
        """Check that it stays known who sent the rows, where another person takes the next step.

        Raises `ConfigurationError`.
        """
        if self.by is None and needs_another_person(persons):
            raise _refused(
                "by",
                "by is missing: rows of this batch were sent with not_by_sender, so it has to be "
                "known who sends it. Name this person. Nothing was stored.",
            )
        if self.not_by_sender and any(person["by"] is None for person in persons):
            raise _refused(
                "not_by_sender",
                "not_by_sender cannot hold for this batch: rows of it were sent without the name "
                "of a person. Leave it out, or send new rows as a batch of their own. Nothing was "
                "stored.",
            )

    @property
    def slots(self) -> int:
        """Chunks per process: one more than the calls need, so that calls do not wait for the
        database.
        """
        return 1 + math.ceil(self.workers / CHUNK_ROWS)

    def after(self, last: BatchRecord) -> Settings:
        """Return the settings, with the terms of the batch's last file where none are given.

        Raises `ConfigurationError` for another key column: it would give other keys, and duplicate
        requests.
        """
        known = last.key_column
        if self.key_column not in (None, known):
            message = (
                f"key_column is {self.key_column}, and this batch has the key column {known} (by "
                "another one the same rows have other keys, and would be sent again)."
            )
            hint = (
                f"write key_column={known!r}, or leave it out, and give the column of the file "
                "this name again"
            )
            raise ConfigurationError.of([Problem("key_column", "changed", message, hint=hint)])
        return self.with_terms_of(last)

    def with_terms_of(self, last: BatchRecord) -> Settings:
        """Return the settings, with the terms of the batch's last file where none are given."""
        missing = [name for name in TERMS if getattr(self, name) is None]
        return replace(self, **{name: last.terms[name] for name in missing})

    @property
    def kept(self) -> float:
        """Seconds for which the provider keeps a key."""
        return self.key_retention or DAY

    def chunk_terms(self) -> dict[str, float]:
        """Return the terms that a chunk is stored with."""
        return self.of_chunk({"retention": self.kept, "patience": PATIENCE})

    def of_chunk(self, stored: Mapping[str, Any]) -> dict[str, float]:
        """Return the terms of a chunk: those it is stored with, or these where they are given.

        Of two lives of a key the shorter one counts.
        """
        patience = stored["patience"] if self.patience is None else self.patience
        kept = stored["retention"] if self.key_retention is None else self.key_retention
        return {"retention": min(kept, stored["retention"]), "patience": patience}


def needs_another_person(persons: Sequence[Mapping[str, Any]]) -> bool:
    """Whether another person than these has to take the next step."""
    return any(person["not_by_sender"] for person in persons)


@dataclass(frozen=True, slots=True)
class Expected:
    """Control totals of a source, which are known from elsewhere: its rows, and their amounts
    together.
    """

    rows: int | None = None
    total: Decimal | None = None

    @classmethod
    def of(cls, rows: int | None, total: Decimal | str | int | None) -> Expected:
        """Return checked control totals. None is not compared. Raises `ConfigurationError`."""
        _number(
            "expect_rows",
            rows,
            lambda count: isinstance(count, int) and count > 0,
            "rows, whole and above 0",
        )
        try:
            return cls(rows, None if total is None else money.to_decimal(total))
        except InvalidRequest:
            message = f"expect_total={total!r} is not an exact amount above zero: write '1250.00'."
            raise _refused("expect_total", message) from None

    def differences(
        self, rows: int, totals: Mapping[str, Decimal], without_amount: int
    ) -> Iterator[str]:
        """Yield a sentence for each difference. `without_amount` rows have no valid amount, and are
        in no total.

        One total is expected in one currency: amounts of several ones have no sum.
        """
        total = next(iter(totals.values()), Decimal(0))
        if self.total is not None and len(totals) > 1:
            found = " and ".join(totals)
            yield (
                f"the amounts are in {found}, and a total in one currency is expected: nothing "
                "was stored."
            )
        elif self.total is not None and (without_amount or total != self.total):
            missing = (
                f" ({without_amount:,} of the rows have no valid amount)" if without_amount else ""
            )
            yield (
                f"the amounts are {total:.2f} in all{missing}, and {self.total:.2f} is "
                "expected: nothing was stored."
            )
        if self.rows not in (None, rows):
            yield (
                f"the number of rows is {rows:,}, and {self.rows:,} is expected: nothing was "
                "stored."
            )


@dataclass(frozen=True, slots=True)
class WorkerContext:
    """What one sender works with.

    Attributes:
        secret: What the key of the state is wrapped with.
    """

    client: Any
    kind: RowKind
    state: State
    vault: Vault
    settings: Settings
    heartbeat: Heartbeat
    tried: Counter[RowOutcome]
    secret: bytes = field(repr=False)

    @property
    def account(self) -> str:
        return self.vault.account(self.client.caller)

    @property
    def owner(self) -> str:
        """The system and the environment: with its key they are a payment."""
        return f"{self.client.system.name} {self.client.environment}".rstrip()

    @contextmanager
    def open(self, batch: str = "") -> Generator[Store]:
        """Open a batch."""
        with self.state.engine() as engine, self.state.client(self.vault, engine) as client:
            yield Store(client, engine, self.vault, self.owner, batch, self.account)

    @contextmanager
    def open_present(self, batch: str) -> Generator[Store]:
        """Open a batch of a state that has to be there. Raises as `State.errors` does."""
        if not self.state.exists() and not batch:
            raise ConfigurationError(f"There is no state {self.state}: nothing was stored there.")
        if not self.state.exists():
            raise no_such_batch(batch, str(self.state))
        # a process that was killed meanwhile, or an older DBOS, may have created it
        self.state.prepare()
        with self.state.errors(), self.open(batch) as store:
            yield store


def _refused(name: str, message: str) -> ConfigurationError:
    return ConfigurationError.of([Problem(name, "setting", message)])


def day_of(value: date | str | None) -> str | None:
    """Return a due date as `YYYY-MM-DD`; `today` and `tomorrow` are in UTC.

    Raises `ConfigurationError`.
    """
    day = in_utc(value)
    if isinstance(day, date) and not isinstance(day, datetime):
        return day.isoformat()
    with suppress(ValueError):
        if day is None or (isinstance(day, str) and date.fromisoformat(day).isoformat() == day):
            return day
    raise _refused(
        "due_date", f"due_date={value!r} is not a date: write YYYY-MM-DD, today or tomorrow."
    )


def in_utc(day: Any) -> Any:
    """Return the date for `today` and `tomorrow`, in UTC: the provider does not document its time
    zone.
    """
    if day in ("today", "tomorrow"):
        return (datetime.now(UTC).date() + timedelta(days=day == "tomorrow")).isoformat()
    return day


def system_of(client: Any) -> System:
    """Return the system of a client with blocking calls, which has rows to send.

    Raises `ConfigurationError`.
    """
    system: object = getattr(client, "system", None)
    if isinstance(system, System) and (why := system.why_not_bulk):
        raise ConfigurationError(why)
    if isinstance(system, System) and not client.is_awaited:
        return system
    raise ConfigurationError(
        f"client must be one with blocking calls, not {type(client).__name__}: bulk sending uses "
        "threads, and is faster so."
    )


def provider_of(client: Any) -> str:
    """Identify the provider of a client.

    All sandboxes on this machine count as one: their ports change.
    """
    url = httpx.URL(client.base_url)
    address = "this machine" if url.host in _LOOPBACK else str(url).rstrip("/")
    return f"{client.system.name} {client.environment} {address}"


def _number(name: str, value: object, is_valid: Callable[[float], bool], bounds: str) -> None:
    """Raise `ConfigurationError` if a setting is not a number within its bounds. None is valid."""
    if value is None or (
        isinstance(value, int | float) and not isinstance(value, bool) and is_valid(value)
    ):
        return
    raise _refused(name, f"{name}={value!r} must be a number of {bounds}.")
