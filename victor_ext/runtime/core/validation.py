"""Checks of a call's arguments. All problems are collected and raised in one error."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Any

from victor_ext.errors import InvalidRequest, Problem
from victor_ext.privacy import kind_of, mask_digits

MOST_SECONDS = 30 * 86_400.0
"""Thirty days. Locks, sockets and sleeps of every system can count this many seconds, and not any number of them."""

_LONGEST = 40


def shown(value: object, longest: int = _LONGEST) -> str:
    """A value for a message: short, whatever it is."""
    try:
        text = repr(value)
    except Exception:  # noqa: BLE001 - a huge int, a list in itself, an object that cannot be shown
        return f"something of type {type(value).__name__}"
    return text if len(text) <= longest else text[:longest] + "..."


def are_seconds(value: object, *, above_zero: bool = True) -> bool:
    """Whether a value is a number of seconds up to `MOST_SECONDS`; `above_zero=False` allows 0."""
    # Compared as it is: an int may be larger than any float.
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= MOST_SECONDS:
        return False
    return value > 0 or not above_zero


def seconds_complaint(name: str, value: object, wanted: str) -> str:
    """The message for a value that `are_seconds` refuses; `wanted` says what to write."""
    beyond = isinstance(value, int | float) and value > MOST_SECONDS and value != float("inf")
    limit = f" (at most {MOST_SECONDS:.0f}, which is 30 days)" if beyond else ""
    return f"{name}={shown(value)} must be seconds {wanted}{limit}."


def moment_problem(field: str, moment: object) -> Problem | None:
    """What is wrong with an argument that must be an aware datetime, or None."""
    if not isinstance(moment, datetime):
        hint = " (a date alone is not a moment)" if isinstance(moment, date) else ""
        message = f"{field} must be an aware datetime, not {type(moment).__name__}{hint}: "
        return Problem(field, "type", f"{message}write datetime(2026, 3, 4, tzinfo=UTC).")
    if moment.tzinfo is None or moment.utcoffset() is None:
        message = f"{field} is a naive datetime, which could mean any zone: write datetime(..., tzinfo=UTC)."
        return Problem(field, "naive", message)
    try:
        moment.astimezone(UTC)
    except OverflowError:
        return Problem(field, "range", f"{field} lies outside of the years 1 to 9999 in UTC.")
    return None


def is_encodable(text: str) -> bool:
    """Whether UTF-8 has bytes for the text; it has none for half of a character (a lone surrogate)."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


class Validation:
    """The problems of a call's arguments. Each provider adds its checks in a subclass.

    A method checks one argument, and returns it. No message shows a text, which may be a secret by mistake.
    """

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def add(self, problem: Problem | None) -> None:
        if problem is not None:
            self.problems.append(problem)

    def note(self, field: str, code: str, message: str) -> None:
        """Add a problem. The message is a sentence that begins with the field and says what to write instead."""
        self.problems.append(Problem(field, code, message))

    def text(
        self, field: str, value: Any, longest: int | None = None, *, shortest: int = 1, required: bool = True
    ) -> Any:
        """Text with a number of characters; None too, if it is not required."""
        limits = f" of {shortest} to {longest} characters" if longest is not None else ""
        if value is None and not required:
            return None
        if not isinstance(value, str):
            self.note(field, "type", f"{field} must be text{limits}, not {kind_of(value)}.")
        elif len(value.strip()) < shortest or (longest is not None and len(value) > longest):
            what = f"has {len(value)}" if value.strip() else "is empty"
            self.note(field, "length", f"{field} must be text{limits}, and {what}.")
        elif not is_encodable(value):
            self.note(field, "characters", f"{field} holds half of a character, which UTF-8 has no bytes for.")
        return value

    def reference(self, field: str, value: Any, longest: int) -> Any:
        """A reference of the caller's own, by which a payment is searched for: it must come back unchanged."""
        before = len(self.problems)
        self.text(field, value, longest)
        if len(self.problems) == before and not (value == value.strip() and value.isprintable()):
            message = f"{field} must be printable and have no blanks around it, so that it can be searched for."
            self.note(field, "characters", message)
        return value

    def matching(self, field: str, value: Any, form: re.Pattern[str], wanted: str, *, required: bool = True) -> Any:
        """Text that matches a form; None too, if it is not required. `wanted` says what to write."""
        if value is None and not required:
            return None
        if not isinstance(value, str):
            self.note(field, "type", f"{field} must be text, not {kind_of(value)}: it must be {wanted}.")
        elif not form.fullmatch(value):
            self.note(field, "format", f"{field} must be {wanted}.")
        return value

    def integer(self, field: str, value: Any, least: int, most: int) -> Any:
        """A whole number, or None."""
        if value is not None and (isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most):
            given = mask_digits(shown(value)) if isinstance(value, int) else kind_of(value)
            message = f"{field} must be a whole number from {least} to {most}, or left out, and is {given}."
            self.note(field, "range", message)
        return value

    def flag(self, field: str, value: Any) -> Any:
        """True or False, or None."""
        if value is not None and not isinstance(value, bool):
            self.note(field, "type", f"{field} is of type {kind_of(value)}: write True or False, or leave it out.")
        return value

    def request(self, field: str, value: Any, kind: type[Any], *, required: bool = True, **context: Any) -> None:
        """A part of the request, which checks itself; None too, if it is not required."""
        if isinstance(value, kind):
            value.check(self, field, **context)
        elif value is not None or required:
            self.note(field, "type", f"{field} must be {kind.__name__}(...), not {kind_of(value)}.")

    def finish(self, doing: str = "") -> None:
        """Raise `InvalidRequest` with all problems, if there are any. `doing` says what was not done."""
        if self.problems:
            raise InvalidRequest.of(self.problems, doing=doing)
