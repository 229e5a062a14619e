"""What is wrong with a call's arguments, collected so that everything is said at once."""

from __future__ import annotations

from .errors import InvalidRequest, Problem

_LONGEST = 40


def shown(value: object, longest: int = _LONGEST) -> str:
    """A value for a message: short, whatever it is."""
    try:
        text = repr(value)
    except Exception:  # noqa: BLE001 - a huge int, a list in itself, an object that cannot be shown
        return f"something of type {type(value).__name__}"
    return text if len(text) <= longest else text[:longest] + "..."


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
