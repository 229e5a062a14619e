"""What is wrong with a package, and the counts of what was tried."""

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["left out", "missing", "wrong", "plain", "differs", "acceptance"]

ADVICE: dict[str, str] = {
    "left out": "do without it, and accept it with a reason",
    "missing": "do without it, and accept it with a reason",
    "wrong": "do not use it; it cannot be accepted",
    "acceptance": "remove the entry",
}


@dataclass(frozen=True)
class Problem:
    kind: Kind
    place: str
    """The dotted path in the document (`paths./x.get.responses.200`); for "left out", the whole
    line.
    """
    what: str = ""
    words: tuple[str, ...] = ()
    """What a line about something left out contains when it is about the same thing."""

    @property
    def acceptable(self) -> bool:
        """Whether an entry of the acceptance file can accept the problem: a loss, but no wrong
        request.
        """
        return self.kind in ("left out", "missing")

    @property
    def loss(self) -> str:
        """The words that stand for this problem in the acceptance file."""
        return f"{self.place}: {self.what}" if self.what else self.place

    def is_in(self, line: str) -> bool:
        """Whether a line is about this problem: the line has each word of the problem, and not as a
        part of another word.
        """
        words = [rf"(?<![\w-]){re.escape(word)}(?![\w/{{-])" for word in self.words]
        return bool(words) and all(re.search(word, line, re.IGNORECASE) for word in words)

    def line(self) -> str:
        """`place: what is wrong; what to do`."""
        head = "" if self.kind in ("differs", "acceptance") else f"{self.kind}: "
        advice = f"; {ADVICE[self.kind]}" if self.kind in ADVICE else ""
        return f"{head}{self.loss}{advice}"


@dataclass
class Findings:
    """The result of a check: counts of what is declared and what is there, and the problems."""

    declared: Counter[str] = field(default_factory=Counter[str])
    present: Counter[str] = field(default_factory=Counter[str])
    calls: int = 0
    decoded: int = 0
    problems: dict[tuple[str, str], Problem] = field(default_factory=dict[tuple[str, str], Problem])
    plain: dict[str, Problem] = field(default_factory=dict[str, Problem])
    """What has no attribute or no enum in Python, by place and words: it is no problem."""

    def count(self, kind: str, *, present: bool) -> None:
        """Count one part that is declared, and whether the package has it."""
        self.declared[kind] += 1
        self.present[kind] += present

    def missing(self, place: str, what: str, *words: str) -> None:
        """Add a part of the document that the package lacks."""
        self.add(Problem("missing", place, what, words))

    def wrong(self, place: str, what: str, *words: str) -> None:
        """Add what the package does otherwise than the document says."""
        self.add(Problem("wrong", place, what, words))

    def beside(self, left_out: list[str]) -> list[Problem]:
        """A problem for each line about what was left out, and the problems that no such line is
        about.
        """
        problems = [Problem("left out", " ".join(line.split())) for line in dict.fromkeys(left_out)]
        others = self.problems.values()
        problems += [problem for problem in others if not any(map(problem.is_in, left_out))]
        return problems

    def add_plain(self, place: str, what: str) -> None:
        """Add a part of the document that is read and sent as plain JSON."""
        problem = Problem("plain", place, what)
        self.plain.setdefault(problem.loss, problem)

    def add(self, problem: Problem) -> None:
        """Add a problem, unless the same one is known: two values that are sent wrong begin with
        the same words.
        """
        what = " ".join(problem.what.split()[:3]) if problem.kind == "wrong" else problem.what
        self.problems.setdefault((problem.place, what), problem)
