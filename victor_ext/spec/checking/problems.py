"""What is wrong with a package, the counts of what was tried, and the file of accepted losses (openapi/README.md)."""

from __future__ import annotations

import datetime
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import yaml

from victor_ext.spec.document import read_entries
from victor_ext.spec.tree import is_list, is_mapping

Kind = Literal["left out", "missing", "wrong", "differs", "acceptance", "ended"]

ADVICE: dict[str, str] = {
    "left out": "do without it, and accept it with a reason",
    "missing": "do without it, and accept it with a reason",
    "wrong": "do not use it; it cannot be accepted",
    "acceptance": "remove the entry",
    "ended": "look at it again: write a later day for `expires`, or remove the entry",
}


@dataclass(frozen=True)
class Problem:
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

    @property
    def loss(self) -> str:
        """The words that stand for it in the acceptance file."""
        return f"{self.place}: {self.what}" if self.what else self.place

    def is_in(self, line: str) -> bool:
        """Whether a line is about it: it has each of its words, and not as a part of another word."""
        words = [rf"(?<![\w-]){re.escape(word)}(?![\w/{{-])" for word in self.words]
        return bool(words) and all(re.search(word, line, re.IGNORECASE) for word in words)

    def line(self) -> str:
        """`place: what is wrong; what to do`."""
        if self.kind == "differs":
            return f"{self.place}: {self.what}"
        what = f": {self.what}" if self.what else ""
        head = "" if self.kind in ("acceptance", "ended") else f"{self.kind}: "
        return f"{head}{self.place}{what}; {ADVICE[self.kind]}"


@dataclass
class Findings:
    """The result of a check: counts of what is declared and what is there, and the problems."""

    declared: Counter[str] = field(default_factory=Counter[str])
    present: Counter[str] = field(default_factory=Counter[str])
    calls: int = 0
    decoded: int = 0
    problems: dict[tuple[str, str], Problem] = field(default_factory=dict[tuple[str, str], Problem])

    def count(self, kind: str, *, present: bool) -> None:
        self.declared[kind] += 1
        self.present[kind] += present

    def missing(self, place: str, what: str, *words: str) -> None:
        self.add(Problem("missing", place, what, words))

    def wrong(self, place: str, what: str, *words: str) -> None:
        self.add(Problem("wrong", place, what, words))

    def beside(self, left_out: list[str]) -> list[Problem]:
        """The lines about what was left out, and the problems that none of them is about."""
        named = [Problem("left out", " ".join(line.split())) for line in dict.fromkeys(left_out)]
        return named + [problem for problem in self.problems.values() if not any(map(problem.is_in, left_out))]

    def add(self, problem: Problem) -> None:
        """Add a problem, unless the same one is known: two values that are sent wrong begin with the same words."""
        what = " ".join(problem.what.split()[:3]) if problem.kind == "wrong" else problem.what
        self.problems.setdefault((problem.place, what), problem)


LITERAL_WORDS = 2
"""What a pattern says of the loss at least."""


class AcceptanceError(Exception):
    """The file is not a list of accepted losses; the message says where, and what to write."""


@dataclass(frozen=True)
class Acceptance:
    """One accepted loss, or the losses of one kind."""

    place: str
    """The whole text of the loss, or the pattern."""
    reason: str
    since: str
    expires: str = ""
    """The last day on which it counts; "" when it has none."""
    pattern: re.Pattern[str] | None = None

    def has_ended(self, today: datetime.date) -> bool:
        return bool(self.expires) and datetime.date.fromisoformat(self.expires) < today

    def matches(self, loss: str) -> bool:
        return self.place == loss if self.pattern is None else self.pattern.fullmatch(loss) is not None


def default_path(document: Path) -> Path:
    """`shop.yaml` has `shop.accepted.yaml` beside it."""
    return document.with_name(f"{document.stem}.accepted.yaml")


def read_accepted(path: Path) -> list[Acceptance]:
    """The entries of a file; none when it does not exist. Raises AcceptanceError."""
    written = read_entries(path, AcceptanceError)
    if not is_list(written):
        raise AcceptanceError(f"{path} must be a list of entries.")
    entries = [_acceptance(f"{path}, entry {number}", each) for number, each in enumerate(written, 1)]
    for place, times in Counter(entry.place for entry in entries).items():
        if times > 1:
            raise AcceptanceError(f"{path}: two entries have the place {place!r}: remove one.")
    return entries


def _acceptance(where: str, written: Any) -> Acceptance:
    entry: dict[str, Any] = written if is_mapping(written) else {}
    place, *others = entry.keys() & {"place", "places"} or {""}
    keys = {place, "reason", "since"}
    texts = all(isinstance(each, str) and each.strip() for each in entry.values())
    if others or not texts or not keys <= entry.keys() <= keys | {"expires"}:
        raise AcceptanceError(
            f"{where} must have `place` (of one loss) or `places` (of all losses of one kind), `reason`, `since` and "
            "perhaps `expires`, each with a text, and nothing else."
        )
    for key in ("since", "expires"):
        try:
            datetime.date.fromisoformat(entry.get(key, "2026-03-04"))
        except ValueError:
            raise AcceptanceError(f"{where}: {key} is {entry[key]!r}: write a date, as 2026-03-04.") from None
    what = entry[place].strip()
    pattern = _pattern(where, what) if place == "places" else None
    return Acceptance(what, entry["reason"].strip(), entry["since"], entry.get("expires", ""), pattern)


def _pattern(where: str, places: str) -> re.Pattern[str]:
    place, _, what = places.partition(": ")
    words = what.split()
    if sum("*" not in word for word in words) < LITERAL_WORDS:
        raise AcceptanceError(
            f"{where}: places is {places!r}: write the text of a loss, `place: words`, with `*` for what differs; at "
            f"least {LITERAL_WORDS} of its words are no `*`."
        )
    any_place = r"(?:(?!: ).)+"
    ways = [re.escape(place).replace(r"\*", any_place), *(re.escape(word).replace(r"\*", r"\S+") for word in words)]
    return re.compile(f"{ways[0]}: {' '.join(ways[1:])}")


def judge(
    path: Path, entries: Sequence[Acceptance], problems: Sequence[Problem], today: datetime.date
) -> tuple[list[Problem], list[Acceptance]]:
    """The problems that are left, with one for each entry that is of no use, and the entries that were used."""
    ended = [entry for entry in entries if entry.has_ended(today)]
    valid = [entry for entry in entries if entry not in ended]
    losses = [problem.loss for problem in problems if problem.acceptable]
    used = [entry for entry in valid if any(entry.matches(loss) for loss in losses)]
    left = [each for each in problems if not (each.acceptable and any(one.matches(each.loss) for one in used))]
    left += [Problem("acceptance", f"{path}: {each.place}", "it matches nothing") for each in valid if each not in used]
    left += [Problem("ended", f"{path}: {entry.place}", f"it counted until {entry.expires}") for entry in ended]
    return left, used


def unaccepted(left_out: Sequence[str], entries: Sequence[Acceptance], today: datetime.date) -> list[str]:
    """What was left out that no entry accepts on this day."""
    valid = [entry for entry in entries if not entry.has_ended(today)]
    return [line for line in left_out if not any(entry.matches(" ".join(line.split())) for entry in valid)]


def add_accepted(path: Path, reason: str, problems: Sequence[Problem], today: datetime.date) -> list[Acceptance]:
    """Add an entry for each loss that has none. Raises AcceptanceError, also for an empty reason, and OSError."""
    if not reason.strip():
        raise AcceptanceError("--accept needs a reason: why is it right that this is left out?")
    known = read_accepted(path)
    losses = dict.fromkeys(problem.loss for problem in problems if problem.acceptable)
    places = [loss for loss in losses if not any(entry.matches(loss) for entry in known)]
    new = [Acceptance(place, reason.strip(), today.isoformat()) for place in places]
    if new:
        written = [{"place": each.place, "reason": each.reason, "since": today} for each in new]
        text = yaml.safe_dump(written, sort_keys=False, allow_unicode=True, width=1_000_000)
        before = path.read_text(encoding="utf-8") if path.exists() else ""
        before = "" if before.strip() in ("", "[]") else before.rstrip("\n") + "\n"
        if before and not re.search(r"^- ", before, re.MULTILINE):
            raise AcceptanceError(
                f"{path}: write its entries as `- place: ...`, so that others can be added below them."
            )
        path.write_text(before + text, encoding="utf-8", newline="\n")
    return new
