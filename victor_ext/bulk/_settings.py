"""The settings of a bulk sender, which are checked when they are made."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from math import inf
from typing import Any, cast

from victor_ext import ConfigurationError, Problem
from victor_ext._settlement.key_age import LEAST_KEPT
from victor_ext._values.ids import in_one_form

from ._row_kind import RowKind

DAY = 24 * 3600.0
MAX_NAME = 100
"""Maximum characters of the name of a batch."""
_NAME = re.compile(rf"[^/\\]{{1,{MAX_NAME}}}")
DEFAULTS = ("due_date", "payor_id")
"""Settings with the name of a column: their value is for rows without a value in this column."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings to read and send a batch. They are those of `BulkSender`, where they are described.

    None means the batch's own value or the default. Making settings raises `ConfigurationError` if
    one of them is not valid.
    """

    key_column: str | None
    rate: float | None
    workers: int
    keys_kept: float | None
    patience: float
    due_date: str | None
    skip_invalid: bool
    encoding: str | None
    payor_id: str | None = None
    other_payments: int | None = None
    new_state: bool = False

    def __post_init__(self) -> None:
        for name in ("rate", "workers", "keys_kept", "patience", "other_payments"):
            check_number(name, getattr(self, name))
        if self.key_column in ("", "payee_account_number"):
            message = (
                f"key_column={self.key_column!r} must be the name of a column that tells the rows "
                "apart."
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

    def require_key_column(self, batch_column: str) -> None:
        """Raise `ConfigurationError` for another key column than the batch has: it would give
        other keys, and duplicate requests.
        """
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


_NUMBERS: Mapping[str, tuple[float, float, str]] = {
    "rate": (0.001, 10_000, "a number of rows a second"),
    "workers": (1, 100, "a whole number"),
    "keys_kept": (LEAST_KEPT, inf, "a number of seconds"),
    "patience": (0, DAY, "a number of seconds"),
    "expect_rows": (1, inf, "a whole number of rows"),
    "other_payments": (1, inf, "a whole number of rows"),
}
"""The least and the greatest value of a setting, and what a message says that it must be."""


def check_number(name: str, value: object) -> None:
    """Raise `ConfigurationError` if a setting is not what `_NUMBERS` says. None is valid, but for
    `workers`, which have no other default.
    """
    if value is None and name != "workers":
        return
    least, greatest, expected = _NUMBERS[name]
    kinds = int if "whole" in expected else int | float
    is_number = isinstance(value, kinds) and not isinstance(value, bool)
    if is_number and least <= cast("float", value) <= greatest:
        return
    limit = "" if greatest == inf else f" and at most {greatest:g}"
    message = f"{name}={value!r} must be {expected}, at least {least:g}{limit}."
    raise refused_setting(name, message)


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
