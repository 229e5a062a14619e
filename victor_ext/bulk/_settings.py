"""The settings of a bulk sender, which are checked when they are made.

`Settings` is for a sender; `after` and `with_terms_of` add what a batch was begun with.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeGuard

from victor_ext import ConfigurationError, Problem
from victor_ext._settlement.key_age import LEAST_KEPT
from victor_ext._values.ids import in_one_form, unseen_in, words_of

from ._row_kind import RowKind

DAY = 24 * 3600.0
MAX_NAME = 100
"""Maximum characters of the name of a batch."""
_NAME = re.compile(rf"[^/\\]{{1,{MAX_NAME}}}")
PATIENCE = 120.0
"""Seconds for which a row is retried while the provider fails, unless a setting says otherwise."""
MAX_WORKERS = 100
MAX_RATE = 10_000.0
DEFAULTS = ("due_date", "payor_id")
"""Settings with the name of a column: their value is for rows without a value in this column."""
KEY_KIND = "invoice"
"""What the values of a key column name, unless a setting says otherwise."""
TERMS = ("key_retention", "patience")
"""Settings that are stored with a batch, and hold for it until a file comes with others."""


@dataclass(frozen=True, slots=True)
class BatchRecord:
    """What is stored of a batch beside its lines.

    Attributes:
        key_column: The column that tells the rows apart.
        key_kind: What the values of the key column name.
        columns: Extra columns, for the export.
        terms: The settings `TERMS` of its last file.
        rows: How many lines its last file has.
        form: How its last file is written: the arguments of a `RowFile`.
    """

    key_column: str
    key_kind: str
    columns: Sequence[str]
    terms: Mapping[str, Any]
    rows: int
    form: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings to read and send a batch. They are those of `BulkSender`, where they are described.

    None means the batch's own value or the default. Making settings raises `ConfigurationError` if
    one of them is not valid.
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
    other_payments: bool = False

    def __post_init__(self) -> None:
        for name in (
            "key_column",
            "key_kind",
            "by",
            "rate",
            "workers",
            "key_retention",
            "patience",
        ):
            check_setting(name, getattr(self, name))
        if self.key_column is not None:
            object.__setattr__(self, "key_column", in_one_form(self.key_column))  # as a heading is
        if self.key_column == "payee_account_number":
            message = (
                "key_column=payee_account_number does not tell rows apart: many go to one account."
            )
            raise refused_setting("key_column", message)

    @property
    def defaults(self) -> dict[str, str]:
        """The values for rows that have none in these columns."""
        values = {name: getattr(self, name) for name in DEFAULTS}
        return {name: value for name, value in values.items() if value is not None}

    def check_for(self, kind: type[RowKind]) -> None:
        """Check that these settings are for rows of this kind. Raises `ConfigurationError`."""
        for name in self.defaults.keys() - kind.columns:
            raise refused_setting(name, f"{name} is no column of these rows: leave it out.")
        if kind.rows_per_call == 1:
            return
        if self.key_column not in (None, kind.reference):
            message = (
                f"key_column={self.key_column} cannot be: these rows are told apart by "
                f"{kind.reference}."
            )
            raise refused_setting("key_column", message)
        if self.key_kind is not None:
            message = (
                f"key_kind={self.key_kind} cannot be: these rows are told apart by payor_id and "
                f"{kind.reference}."
            )
            raise refused_setting("key_kind", message)

    def after(self, last: BatchRecord) -> Settings:
        """Return the settings, with the terms of the batch's last file where none are given.

        Raises `ConfigurationError` for another key column: it would give other keys, and duplicate
        requests.
        """
        batch_column = last.key_column
        if self.key_column not in (None, batch_column):
            message = (
                f"key_column is {self.key_column}, and this batch has the key column "
                f"{batch_column} (by another one the same rows have other keys, and would be sent "
                "again)."
            )
            hint = (
                f"write key_column={batch_column!r}, or leave it out, and give the column of the "
                "file this name again"
            )
            raise ConfigurationError.of([Problem("key_column", "changed", message, hint=hint)])
        return self.with_terms_of(last)

    def with_terms_of(self, last: BatchRecord) -> Settings:
        """Return the settings, with the terms of the batch's last file where none are given."""
        missing = [name for name in TERMS if getattr(self, name) is None]
        return replace(self, **{name: last.terms[name] for name in missing})

    @property
    def key_retention_seconds(self) -> float:
        """Seconds for which the provider keeps a key: the setting, or a day."""
        return self.key_retention or DAY

    @property
    def patience_seconds(self) -> float:
        """Seconds for which sending goes on while nothing is settled."""
        return PATIENCE if self.patience is None else self.patience


def refused_setting(name: str, message: str, code: str = "setting") -> ConfigurationError:
    """Return the error for the setting or argument with this name."""
    return ConfigurationError.of([Problem(name, code, message)])


def day_of(value: date | str | None) -> str | None:
    """Return the setting `due_date` as `YYYY-MM-DD`; `today` and `tomorrow` are in UTC.

    Raises `ConfigurationError`.
    """
    day = in_utc(value)
    if day is None:
        return None
    if isinstance(day, date) and not isinstance(day, datetime):
        return day.isoformat()
    with suppress(ValueError):
        # `fromisoformat` takes other forms, too, such as 20260304.
        if isinstance(day, str) and date.fromisoformat(day).isoformat() == day:
            return day
    message = f"due_date={value!r} is not a date: write YYYY-MM-DD, today or tomorrow."
    raise refused_setting("due_date", message)


def in_utc(day: Any) -> Any:
    """Return the date that `today` or `tomorrow` is in UTC; any other value as it is.

    It is UTC because the provider does not document its time zone.
    """
    today = datetime.now(UTC).date()
    if day == "today":
        return today.isoformat()
    if day == "tomorrow":
        return (today + timedelta(days=1)).isoformat()
    return day


def _is_words(text: object) -> bool:
    """Whether this is text with at least one word."""
    return isinstance(text, str) and bool(words_of(text))


def _is_whole(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: object) -> TypeGuard[float]:
    return _is_whole(value) or isinstance(value, float)


_RULES: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "key_column": (lambda name: isinstance(name, str) and name != "", "the name of a column"),
    "key_kind": (
        lambda text: _is_words(text) and not unseen_in(text),
        "text: what the key column names, such as invoice or subscription-2026-11",
    ),
    "by": (_is_words, "the name of a person"),
    "rate": (
        lambda rate: _is_number(rate) and 0 < rate <= MAX_RATE,
        "a number of rows a second, above 0 and at most 10000",
    ),
    "workers": (
        lambda number: _is_whole(number) and 1 <= number <= MAX_WORKERS,
        f"a whole number from 1 to {MAX_WORKERS}",
    ),
    "key_retention": (
        lambda seconds: _is_number(seconds) and seconds >= LEAST_KEPT,
        (
            f"a number of seconds, at least {LEAST_KEPT:g}: a call and its repeats must end before "
            "their key"
        ),
    ),
    "patience": (
        lambda seconds: _is_number(seconds) and 0 <= seconds <= DAY,
        "a number of seconds, at least 0 and at most 86400",
    ),
    "expect_rows": (
        lambda rows: _is_whole(rows) and rows > 0,
        "a number of rows, whole and above 0",
    ),
}
"""When a setting is valid, and what a message says that it must be."""


def check_setting(name: str, value: object) -> None:
    """Raise `ConfigurationError` if a setting is not what `_RULES` says. None is valid, but for
    `workers`, which have no other default.
    """
    is_valid, expected = _RULES[name]
    if (value is None and name != "workers") or is_valid(value):
        return
    raise refused_setting(name, f"{name}={value!r} must be {expected}.")


def checked_batch(name: object) -> str:
    """Return the name of a batch, in one Unicode form. Raises `ConfigurationError` if it is not
    valid.
    """
    if (
        isinstance(name, str)
        and name.isprintable()
        and name == name.strip()
        and _NAME.fullmatch(name)
    ):
        # macOS writes the umlaut in the file name `März.csv` as two characters.
        return in_one_form(name)
    message = (
        f"batch={name!r:.{MAX_NAME}} is not a valid name of a batch: write at most {MAX_NAME} "
        "visible characters, without a slash, and without a space at either end."
    )
    raise refused_setting("batch", message, "name")
