"""What is wrong with a call's arguments, collected so that everything is said at once."""

from __future__ import annotations

from .errors import InvalidRequest, Problem


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
