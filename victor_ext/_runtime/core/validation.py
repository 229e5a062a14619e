"""Checks of a call's arguments. All problems are collected and raised in one error.

In this order: values in messages; seconds, moments and dates; `Validation`, which checks; arguments
that a function does not have.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from enum import Enum
from typing import Any, Self, TypeGuard

from victor_ext._privacy import is_sequence, kind_of, mask_digits
from victor_ext._values.ids import HALF_CHARACTER, says_nothing
from victor_ext._values.words import Word
from victor_ext.errors import InvalidRequest, Problem

MOST_SECONDS = 30 * 86_400.0
"""Thirty days. Locks, sockets and sleeps of every system can count so many, and may count no more.
"""

_LONGEST = 40
_ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def shown(value: object, longest: int = _LONGEST) -> str:
    """A value for a message, as Python writes it, cut after so many characters."""
    try:
        text = repr(spelled(value))
    except Exception:  # noqa: BLE001 - a huge int, a list in itself, an object that cannot be shown
        return f"something of type {type(value).__name__}"
    return text if len(text) <= longest else text[:longest] + "..."


def spelled(value: object) -> Any:
    """A value as it is sent: of a member of an Enum, its value."""
    return value.value if isinstance(value, Enum) else value


def are_seconds(value: object, *, above_zero: bool = True) -> bool:
    """Whether a value is a number of seconds up to `MOST_SECONDS`; `above_zero=False` allows 0."""
    # Compared as it is: an int may be larger than any float.
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float)
        or not 0 <= value <= MOST_SECONDS
    ):
        return False
    return value > 0 or not above_zero


def is_whole(value: object, least: int) -> TypeGuard[int]:
    """Whether a value is a whole number, and so many or more."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def seconds_complaint(name: str, value: object, wanted: str) -> str:
    """The message for a value that `are_seconds` refuses; `wanted` says what to write."""
    return (
        f"{name}={shown(value)} must be seconds {wanted} (at most {MOST_SECONDS:.0f}, which is 30 "
        "days)."
    )


def moment_problem(field: str, moment: object) -> Problem | None:
    """What is wrong with an argument that must be an aware datetime, or None."""
    if not isinstance(moment, datetime):
        hint = " (a date alone is not a moment)" if isinstance(moment, date) else ""
        message = f"{field} must be an aware datetime, not {type(moment).__name__}{hint}: "
        return Problem(field, "type", f"{message}write datetime(2026, 3, 4, tzinfo=UTC).")
    if moment.tzinfo is None or moment.utcoffset() is None:
        message = (
            f"{field} is a naive datetime, which could mean any zone: write datetime(..., "
            "tzinfo=UTC)."
        )
        return Problem(field, "naive", message)
    try:
        moment.astimezone(UTC)
    except OverflowError:
        return Problem(field, "range", f"{field} lies outside of the years 1 to 9999 in UTC.")
    return None


def as_date(value: object) -> date | None:
    """A date, also from a text `YYYY-MM-DD`; None for any other value."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if isinstance(value, str) and _ISO_DATE.fullmatch(value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            return None
    return None


def is_encodable(text: str) -> bool:
    """Whether UTF-8 has bytes for the text; it has none for half of a character (a lone
    surrogate).
    """
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


class Form:
    """A form that a text has as a whole, with the words for a message."""

    __slots__ = ("pattern", "wanted")

    def __init__(self, whole: str, wanted: str) -> None:
        self.pattern = re.compile(whole, re.ASCII)
        self.wanted = wanted


class Validation:
    """The problems of a call's arguments.

    A method checks one argument, and returns what is sent for it. No message shows a free text,
    which may be a secret by mistake. None is refused where the argument is required. A `with` block
    raises at its end what `finish` does.
    """

    def __init__(self, doing: str = "") -> None:
        self.problems: list[Problem] = []
        self._doing = doing

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.finish()

    def add(self, problem: Problem | None) -> None:
        """Add a problem; None adds nothing."""
        if problem is not None:
            self.problems.append(problem)

    def note(self, field: str, code: str, message: str) -> None:
        """Add a problem.

        The message is a sentence that begins with the field and says what to write instead.
        """
        self.problems.append(Problem(field, code, message))

    def text(
        self,
        field: str,
        value: Any,
        longest: int | None = None,
        *,
        shortest: int = 1,
        form: Form | None = None,
        required: bool = True,
        printable: bool = False,
    ) -> Any:
        """Text with a number of characters, and of a form; `printable` text can be shown."""
        code = what = ""
        if value is None:
            if required:
                code, what = "required", "is missing"
        elif not isinstance(value, str):
            kind = kind_of(value)
            advice = ": put it in quotes, leading zeros and all" if kind == "int" else ""
            code, what = "type", f"is {kind}{advice}"
        elif len(value.strip()) < shortest or (longest is not None and len(value) > longest):
            code, what = "length", f"has {len(value)}" if value.strip() else "is empty"
        elif form is not None and not form.pattern.fullmatch(value):
            code, what = "format", "has another form"
        elif not is_encodable(value):
            code, what = "characters", HALF_CHARACTER
        elif printable and not value.isprintable():
            code, what = "characters", "cannot be printed"
        if what:
            wanted = _kind_of_text(longest, shortest) if form is None else form.wanted
            self.note(field, code, f"{field} must be {wanted}, and {what}.")
        return value

    def comparable(self, field: str, value: object) -> None:
        """Text with which a response is compared: more than blanks and stars, so that a response
        can repeat it. Nothing is said twice of one argument.
        """
        if says_nothing(value) and all(problem.field != field for problem in self.problems):
            message = (
                f"{field} is empty, or has blanks or stars alone, so that no response can be "
                "compared with it: write its text."
            )
            self.note(field, "length", message)

    def reference(self, field: str, value: Any, longest: int | None) -> Any:
        """A reference of the caller's own, by which a payment is searched for: it must come back
        unchanged.
        """
        before = len(self.problems)
        self.text(field, value, longest)
        if len(self.problems) == before and not (value == value.strip() and value.isprintable()):
            message = (
                f"{field} must be printable and have no blanks around it, so that it can be "
                "searched for."
            )
            self.note(field, "characters", message)
        return value

    def choice(self, field: str, value: Any, words: Sequence[str]) -> Any:
        """One of the document's words. A `Word` is only checked for being a word."""
        word = spelled(value)
        is_word = isinstance(value, Word) and value.strip() and value.isprintable()
        if not (is_word and is_encodable(value)) and word not in words:
            code = "required" if word is None else "choice"
            wanted = ", ".join(words)
            self.note(field, code, f"{field} is {shown(value)} and must be one of: {wanted}.")
        return word

    def numbers(
        self, field: str, value: Any, names: Mapping[str, int], least: int, most: int
    ) -> list[int] | None:
        """One whole number from `least` to `most`, or several; or names of them, in any letter
        case. None: no number was given.
        """
        is_list = is_sequence(value)
        items: Sequence[object] = value if is_list else (value,)
        numbers: list[int] = []
        for item in () if value is None else items:
            number = names.get(item.strip().upper()) if isinstance(item, str) else item
            if is_whole(number, least) and number <= most:
                numbers.append(int(number))
        if value is not None and (not items or len(numbers) < len(items)):
            known = ", ".join(names)
            self.note(field, "choice", f"{field} must be numbers, or names among: {known}.")
        return numbers or None

    def integer(self, field: str, value: Any, least: int, most: int) -> Any:
        """A whole number from `least` to `most`."""
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            what = mask_digits(shown(value)) if isinstance(value, int) else kind_of(value)
            message = (
                f"{field} must be a whole number from {least} to {most}, or left out, and "
                f"is {what}."
            )
            self.note(field, "range", message)
        return value

    def flag(self, field: str, value: Any) -> Any:
        """True or False."""
        if not isinstance(value, bool):
            message = f"{field} is of type {kind_of(value)}: write True or False."
            self.note(field, "type", message)
        return value

    def day(self, field: str, value: Any) -> str | None:
        """A date, or a text such as 2026-03-04; returns the text."""
        day = as_date(value)
        if day is not None:
            return day.isoformat()
        code, what = "type", f"of type {kind_of(value)}"
        if value is None:
            code, what = "required", "missing"
        elif isinstance(value, str):
            what = shown(value)
        message = f"{field} is {what} and must be a date."
        hint = "pass a date, such as date(2026, 3, 4)"
        self.add(Problem(field, code, message, hint=hint))
        return None

    def moment(self, field: str, value: Any, *, required: bool = True) -> Any:
        """An aware datetime."""
        if value is not None or required:
            self.add(moment_problem(field, value))
        return value

    def range(self, first: str, begins: Any, last: str, ends: Any) -> None:
        """A range of days, aware moments or whole numbers that does not end before it begins.

        Both ends have been checked before; None is an open end.
        """
        has_problems = not {first, last}.isdisjoint(problem.field for problem in self.problems)
        if begins is None or ends is None or has_problems:
            return
        if _comparable_end(ends) < _comparable_end(begins):
            message = f"{last} is before {first}, so nothing can match: swap them."
            self.note(last, "range", message)

    def finish(self) -> None:
        """Raise `InvalidRequest` with all problems, if there are any. Its message begins with the
        `doing` of this object.
        """
        if self.problems:
            raise InvalidRequest.of(self.problems, doing=self._doing)


def _comparable_end(value: Any) -> Any:
    """An end of a range in a form for comparison: a day that is text is a date. It was checked."""
    return value if isinstance(value, datetime | int) else as_date(value)


def _kind_of_text(longest: int | None, shortest: int) -> str:
    """What a text has to be, for a message. Empty text may be taken; it is no length to advise."""
    if longest is None:
        return "text"
    return f"text of {max(shortest, 1)} to {longest} characters"


def refuse_unknown(function: str, options: Iterable[str], known: Collection[str]) -> None:
    """Raise `TypeError`, in Python's words, for the first option that a function does not have."""
    for name in options:
        if name not in known:
            raise TypeError(f"{function}() got an unexpected keyword argument {name!r}")
