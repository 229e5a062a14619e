"""Checks of a call's arguments. All problems are collected and raised in one error."""

from __future__ import annotations

from datetime import UTC, date, datetime

from victor_ext.errors import InvalidRequest, Problem

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
    """The problems of a call's arguments. Each provider adds its checks in a subclass."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def add(self, problem: Problem | None) -> None:
        if problem is not None:
            self.problems.append(problem)

    def note(self, field: str, code: str, message: str) -> None:
        """Add a problem. The message is a sentence that begins with the field and says what to write instead."""
        self.problems.append(Problem(field, code, message))

    def finish(self, doing: str = "") -> None:
        """Raise `InvalidRequest` with all problems, if there are any. `doing` says what was not done."""
        if self.problems:
            raise InvalidRequest.of(self.problems, doing=doing)
