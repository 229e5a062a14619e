"""What is wrong with a call's arguments, collected so that everything is said at once."""

from __future__ import annotations

from datetime import UTC, date, datetime

from victor_ext.errors import InvalidRequest, Problem

_LONGEST = 40


def shown(value: object, longest: int = _LONGEST) -> str:
    """A value for a message: short, whatever it is."""
    try:
        text = repr(value)
    except Exception:  # noqa: BLE001 - a huge int, a list in itself, an object that cannot be shown
        return f"something of type {type(value).__name__}"
    return text if len(text) <= longest else text[:longest] + "..."


def moment_problem(field: str, moment: object) -> Problem | None:
    """What is wrong with an argument that should be a moment, or None."""
    if not isinstance(moment, datetime):
        hint = " (a date alone is no moment)" if isinstance(moment, date) else ""
        return Problem(
            field, "type", f"{field} must be an aware datetime, not {type(moment).__name__}{hint}: "
            "write datetime(2026, 3, 4, tzinfo=UTC).",
        )  # fmt: skip
    if moment.tzinfo is None or moment.utcoffset() is None:
        return Problem(
            field,
            "naive",
            f"{field} is a naive datetime, which could mean any zone: write datetime(..., tzinfo=UTC).",
        )
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


class Findings:
    """Problems found so far; the checks of each provider add to it."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def add(self, problem: Problem | None) -> None:
        """Note a problem, if it is one."""
        if problem is not None:
            self.problems.append(problem)

    def note(self, field: str, code: str, message: str) -> None:
        """Note one. The message is a sentence that begins with the field, and says what to write instead."""
        self.problems.append(Problem(field, code, message))

    def finish(self, doing: str = "") -> None:
        """Raise `InvalidRequest` with all problems, if there are any; `doing` says what was not done."""
        if self.problems:
            raise InvalidRequest.of(self.problems, doing=doing)
