"""Amounts and dates in the form that a `RowFile` names. No form is guessed."""

import re
from contextlib import suppress
from datetime import date
from decimal import Decimal
from typing import Self

from victor_ext import Problem
from victor_ext._privacy import NumberText
from victor_ext.money import Money

from .texts import is_error_value

DECIMALS = ("comma", "point")
DATE_FORMATS = ("DMY", "MDY", "YMD")

_GROUP_SEPARATORS = " \u00a0\u202f'\N{RIGHT SINGLE QUOTATION MARK}"


class _Decimal:
    """The form of amounts with one decimal mark. `group` is the other mark, which may stand between
    groups of three digits.
    """

    def __init__(self, mark: str, group: str, example: str) -> None:
        self.mark, self.group = mark, group
        self.example = example
        groups = re.escape(group) + _GROUP_SEPARATORS
        grouped = rf"[0-9]{{1,3}}(?P<group>[{groups}])[0-9]{{3}}(?:(?P=group)[0-9]{{3}})*"
        fraction = rf"(?:{re.escape(mark)}[0-9]+)?"
        self._amount = re.compile(rf"-?(?:[0-9]+|{grouped}){fraction}")
        self._groups = re.compile(f"[{groups}]")

    def is_amount(self, text: str) -> bool:
        """Whether a text is an amount in this form."""
        return self._amount.fullmatch(text) is not None

    def written(self, number: str) -> str:
        """A number such as `1,234.56` in this form."""
        return number.translate({ord(","): self.group, ord("."): self.mark})

    def to_plain(self, text: str) -> str:
        """An amount in this form as `1234.56`."""
        digits = self._groups.sub("", text)
        return digits.replace(self.mark, ".")


_DECIMALS = {"comma": _Decimal(",", ".", "1.234,56"), "point": _Decimal(".", ",", "1,234.56")}
_DATE_PARTS = {"D": "(?P<D>[0-9]{1,2})", "M": "(?P<M>[0-9]{1,2})", "Y": "(?P<Y>[0-9]{4})"}


def _date_pattern(date_format: str) -> re.Pattern[str]:
    """Return the form of a date in this order."""
    first, second, third = (_DATE_PARTS[letter] for letter in date_format)
    return re.compile(f"{first}(?P<mark>[./-]){second}(?P=mark){third}")


_DATES = {date_format: _date_pattern(date_format) for date_format in DATE_FORMATS}
_EXAMPLES = {"DMY": "25.11.2026", "MDY": "11/25/2026", "YMD": "2026/11/25"}
AMOUNT_EXAMPLE, DATE_EXAMPLE = "44.23", "YYYY-MM-DD"
"""How a message shows an amount and a date of a file that names no form."""
_ALWAYS_READ = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}|today|tomorrow")
_MOST_QUOTED = 40
"""The maximum number of characters of a value that a message quotes."""


class UnreadableCell(str):
    """A value that is not in the form that its file names. It is sent to nobody.

    The text itself might be right by other rules: `12.50` is no amount with a decimal comma.
    """

    __slots__ = ("problem",)
    problem: Problem

    def __new__(cls, text: str, problem: Problem) -> Self:
        unreadable = super().__new__(cls, f"unreadable: {text}")
        unreadable.problem = problem
        return unreadable


def read_amount(name: str, value: object, decimal: str | None) -> object:
    """Return an amount as `1234.56`, from text with this decimal mark; else an `UnreadableCell`.

    Without a mark, the value is returned as it is. So are values that are no text, empty text, and
    error values of spreadsheets, which later checks refuse.
    """
    if decimal is None or not _is_text(value):
        return value
    text = str(value).strip()
    form = _DECIMALS[decimal]
    if form.is_amount(text):
        return form.to_plain(text)
    message = (
        f"{name} is {_excerpt(text)} and must be digits with a decimal {decimal} ({form.mark}) and "
        f"no currency, such as {form.example}."
    )
    return UnreadableCell(text, Problem(name, "format", message))


def written_amount(amount: Decimal, currency: str, decimal: str | None) -> str:
    """Return an amount with groups of three digits, the decimals of its currency and the decimal
    mark of its file: `1.234,50` with a comma; else `1,234.50`.
    """
    exponent = int(amount.as_tuple().exponent)
    places = max(Money(0, currency).decimals, -exponent)
    return _DECIMALS[decimal or "point"].written(f"{amount:,.{places}f}")


def in_own_form(hint: str, decimal: str | None, date_format: str | None) -> str:
    """Return a hint with the examples of an amount and of a date as a file writes them."""
    if decimal is not None:
        hint = hint.replace(AMOUNT_EXAMPLE, _DECIMALS[decimal].example)
    if date_format is not None:
        hint = hint.replace(DATE_EXAMPLE, _EXAMPLES[date_format])
    return hint


def read_date(name: str, value: object, date_format: str | None) -> object:
    """Return a date as `YYYY-MM-DD`, from text in this order of day, month and year; else an
    `UnreadableCell`.

    `YYYY-MM-DD`, `today` and `tomorrow` are read as well. Without an order, the value is returned
    as it is, and so are the values that `read_amount` returns as they are.
    """
    if date_format is None or not _is_text(value):
        return value
    text = str(value).strip()
    if _ALWAYS_READ.fullmatch(text):
        return text
    match = _DATES[date_format].fullmatch(text)
    if match is None:
        reason = (
            f" and must be a date in the order {date_format}, with four digits of the year, such "
            f"as {_EXAMPLES[date_format]}."
        )
    else:
        with suppress(ValueError):
            return date(int(match["Y"]), int(match["M"]), int(match["D"])).isoformat()
        reason = f", and there is no such day in the order {date_format}."
    return UnreadableCell(text, Problem(name, "format", f"{name} is {_excerpt(text)}{reason}"))


def _is_text(value: object) -> bool:
    """Whether a value is text that has to be in the form of the file."""
    if not isinstance(value, str) or isinstance(value, NumberText):
        return False
    return value != "" and not is_error_value(value)


def _excerpt(text: str) -> str:
    """The text in quotes, shortened, for a message."""
    if len(text) > _MOST_QUOTED:
        text = f"{text[:_MOST_QUOTED]}..."
    return repr(text)
