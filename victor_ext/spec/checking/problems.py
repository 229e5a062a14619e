"""What is wrong with a package, and the counts of what was tried."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["left out", "missing", "wrong", "differs", "acceptance", "ended"]

ADVICE: dict[Kind, str] = {
    "left out": "do without it, and accept it with a reason",
    "missing": "do without it, and accept it with a reason",
    "wrong": "do not use it; it cannot be accepted",
    "differs": "generate the package again",
    "acceptance": "remove the entry",
    "ended": "look at it again: write a later day for `expires`, or remove the entry",
}
"""What to do about a problem of each kind, unless it says so itself."""


@dataclass(frozen=True)
class Problem:
    """Something wrong at one place of the document."""

    kind: Kind
    place: str
    """The dotted path in the document (`paths./x.get.responses.200`); for "left out", the whole line."""
    what: str = ""
    words: tuple[str, ...] = ()
    """What a line about something left out contains when it is about the same thing."""

    @property
    def acceptable(self) -> bool:
        """Whether an entry of the acceptance file can make it green: a loss can, a wrong request cannot."""
        return self.kind in ("left out", "missing")

    def line(self) -> str:
        """`place: what is wrong; what to do`."""
        if self.kind == "differs":
            return self.place
        what = f": {self.what}" if self.what else ""
        head = "" if self.kind in ("acceptance", "ended") else f"{self.kind}: "
        return f"{head}{self.place}{what}; {ADVICE[self.kind]}"


@dataclass
class Findings:
    """What a check found: counts of what is declared and what is there, and the problems."""

    declared: Counter[str] = field(default_factory=Counter[str])
    found: Counter[str] = field(default_factory=Counter[str])
    calls: int = 0
    """Generated functions that were called."""
    decoded: int = 0
    """Answers that were read."""
    problems: dict[tuple[str, str], Problem] = field(default_factory=dict[tuple[str, str], Problem])
    notes: dict[str, None] = field(default_factory=dict[str, None])
    """What is no fault of the package: an example that contradicts its schema."""

    def count(self, kind: str, *, found: bool) -> None:
        """Count one declared thing, and whether the package has it."""
        self.declared[kind] += 1
        self.found[kind] += found

    def missing(self, place: str, what: str, *words: str) -> None:
        """Note a part of the document that the package lacks."""
        self._add(Problem("missing", place, what, words))

    def wrong(self, place: str, what: str, *words: str) -> None:
        """Note something that the package does otherwise than the document says."""
        self._add(Problem("wrong", place, what, words))

    def beside(self, left_out: list[str]) -> list[Problem]:
        """The lines about what was left out, and the problems that none of them is about."""
        named = [Problem("left out", " ".join(line.split())) for line in dict.fromkeys(left_out)]
        return named + [each for each in self.problems.values() if not any(_is_about(line, each) for line in left_out)]

    def note(self, place: str, what: str) -> None:
        """Note something in the document that is no fault of the package."""
        self.notes[f"{place}: {what}"] = None

    def _add(self, problem: Problem) -> None:
        """Add a problem, unless the same one is known: two values that are sent wrong begin with the same words."""
        what = " ".join(problem.what.split()[:3]) if problem.kind == "wrong" else problem.what
        self.problems.setdefault((problem.place, what), problem)


def _is_about(line: str, problem: Problem) -> bool:
    """Whether every word of a problem stands in a line, and not as a part of another word."""
    words = [rf"(?<![\w-]){re.escape(word)}(?![\w/{{-])" for word in problem.words]
    return bool(words) and all(re.search(word, line, re.IGNORECASE) for word in words)
