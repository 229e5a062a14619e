"""How a file writes amounts and dates: what is named is read, and nothing is guessed."""

import re
from contextlib import suppress
from datetime import date
from typing import Self

from victor_ext import Problem
from victor_ext.privacy import NumberText

from .texts import is_error_value

DECIMALS = ("comma", "point")
DATE_FORMATS = ("DMY", "MDY", "YMD")

_MARKS = {"comma": (",", ".", "1.234,56"), "point": (".", ",", "1,234.56")}
"""The decimal mark, the mark between groups of three digits, and an example."""
_OTHER_GROUPS = " \u00a0\u202f'\N{RIGHT SINGLE QUOTATION MARK}"
_AMOUNTS = {
    name: re.compile(
        r"-?(?:[0-9]+|[0-9]{1,3}"
        rf"(?P<group>[{re.escape(group)}{_OTHER_GROUPS}])[0-9]{{3}}(?:(?P=group)[0-9]{{3}})*)"
        rf"(?:{re.escape(mark)}[0-9]+)?"
    )
    for name, (mark, group, _) in _MARKS.items()
}
_DATE = re.compile(r"([0-9]+)([./-])([0-9]+)\2([0-9]+)")
_EXAMPLES = {"DMY": "25.11.2026", "MDY": "11/25/2026", "YMD": "2026/11/25"}
_LENGTHS = [{"D": day, "M": month, "Y": 4} for day in (1, 2) for month in (1, 2)]
"""How many digits the parts of a date may have."""
_ALWAYS_READ = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}|today|tomorrow")
_SHOWN = 40
"""The most characters of a value in a message."""


class UnreadableCell(str):
    """A value that is not written as its file writes such values. It is sent to nobody.

    The text itself might be right by other rules: `12.50` is no amount with a decimal comma.
    """

    __slots__ = ("problem",)
    problem: Problem

    def __new__(cls, text: str, problem: Problem) -> Self:
        cell = super().__new__(cls, f"unreadable: {text}")
        cell.problem = problem
        return cell


def read_amount(name: str, value: object, decimal: str | None) -> object:
    """Return an amount as `1234.56`, from text with this decimal mark; else an `UnreadableCell`.

    Without a mark, and what is no text, comes back as it is; so do empty text and an error value,
    which others refuse.
    """
    if decimal is None or not _is_text(value):
        return value
    text = str(value).strip()
    if not _AMOUNTS[decimal].fullmatch(text):
        mark, _, example = _MARKS[decimal]
        message = (
            f"{name} is {_shown(text)} and must be digits with a decimal {decimal} ({mark}) and no "
            f"currency, such as {example}."
        )
        return UnreadableCell(text, Problem(name, "format", message))
    mark, group, _ = _MARKS[decimal]
    digits = re.sub(f"[{re.escape(group)}{_OTHER_GROUPS}]", "", text)
    return digits.replace(mark, ".")


def read_date(name: str, value: object, date_format: str | None) -> object:
    """Return a date as `YYYY-MM-DD`, from text in this order of day, month and year; else an
    `UnreadableCell`.

    `YYYY-MM-DD`, `today` and `tomorrow` are read as well. Without an order, and what is no text,
    comes back as it is; so do empty text and an error value.
    """
    if date_format is None or not _is_text(value):
        return value
    text = str(value).strip()
    if _ALWAYS_READ.fullmatch(text):
        return text
    match = _DATE.fullmatch(text)
    parts = {} if match is None else dict(zip(date_format, match.group(1, 3, 4), strict=True))
    if {letter: len(digits) for letter, digits in parts.items()} in _LENGTHS:
        with suppress(ValueError):
            return date(int(parts["Y"]), int(parts["M"]), int(parts["D"])).isoformat()
        reason = f", and there is no such day in the order {date_format}."
    else:
        reason = (
            f" and must be a date in the order {date_format}, with four digits of the year, such "
            f"as {_EXAMPLES[date_format]}."
        )
    return UnreadableCell(text, Problem(name, "format", f"{name} is {_shown(text)}{reason}"))


def _is_text(value: object) -> bool:
    if not isinstance(value, str) or isinstance(value, NumberText):
        return False
    return value != "" and not is_error_value(value)


def _shown(text: str) -> str:
    return repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}...")
