"""The file of accepted losses: what a package lacks, why that is right, and since when.

    - place: "POST /charge: the form's field bank is an object, whose form is not defined, and is refused when called"
      reason: we send charges as JSON
      since: 2026-03-04

An entry with `place` stands for one loss, by its whole text. One with `places` stands for all losses of one kind: `*`
is any place before the first `: `, and one word behind it, where at least two words must be literal. So an old entry
never accepts a loss of another kind:

    - places: "*: the form's field * is an object, whose form is not defined, and is refused when called"
      reason: we send JSON
      since: 2026-03-04
      expires: 2027-03-04

`expires`, which may be left out, is the last day on which the entry counts.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from victor_ext.spec.document import read_entries
from victor_ext.spec.tree import is_list, is_mapping

from .problems import Problem

KEYS = ("place", "reason", "since")
OTHER_KEYS = ("places", "expires")
LITERAL_WORDS = 2
"""What a pattern says of the loss at least."""


class AcceptanceError(Exception):
    """The file is not a list of accepted losses; the message says where, and what to write."""


@dataclass(frozen=True)
class Entry:
    """One accepted loss, or the losses of one kind."""

    place: str
    """The whole text of the loss, or the pattern."""
    reason: str
    since: str
    expires: str = ""
    """The last day on which it counts; "" when it has none."""
    pattern: re.Pattern[str] | None = None

    def matches(self, loss: str) -> bool:
        """Whether it is about a loss."""
        return self.place == loss if self.pattern is None else self.pattern.fullmatch(loss) is not None


def default_path(document: Path) -> Path:
    """`velo.yaml` has `velo.accepted.yaml` beside it."""
    return document.with_name(f"{document.stem}.accepted.yaml")


def place_of(problem: Problem) -> str:
    """The words that stand for a loss in the file."""
    return f"{problem.place}: {problem.what}" if problem.what else problem.place


def load(path: Path) -> list[Entry]:
    """The entries of a file; none when it does not exist. Raises AcceptanceError."""
    written = read_entries(path, AcceptanceError)
    if not is_list(written):
        raise AcceptanceError(f"{path} must be a list of entries, each with {', '.join(KEYS)}.")
    entries = [_entry(path, number, each) for number, each in enumerate(written, 1)]
    places = [entry.place for entry in entries]
    for place in places:
        if places.count(place) > 1:
            raise AcceptanceError(f"{path}: two entries have the place {place!r}: remove one.")
    return entries


def _entry(path: Path, number: int, written: Any) -> Entry:
    where = f"{path}, entry {number}"
    if not is_mapping(written):
        raise AcceptanceError(f"{where} must have {', '.join(KEYS)}.")
    unknown = [key for key in written if key not in (*KEYS, *OTHER_KEYS)]
    if unknown:
        known = ", ".join((*KEYS, *OTHER_KEYS))
        raise AcceptanceError(f"{where} has {', '.join(map(repr, unknown))}: write some of {known} and nothing else.")
    if "place" in written and "places" in written:
        raise AcceptanceError(f"{where} has place and places: write place for one loss, places for all of one kind.")
    keys = ("places" if "places" in written else "place", *KEYS[1:])
    for key in keys:
        if not isinstance(written.get(key), str) or not written[key].strip():
            wanted = "why this loss is right" if key == "reason" else f"its {key}"
            raise AcceptanceError(f"{where} has no {key}: write {wanted}, as a text.")
    for key in ("since", "expires") if "expires" in written else ("since",):
        try:
            datetime.date.fromisoformat(written[key])
        except (TypeError, ValueError):
            raise AcceptanceError(f"{where}: {key} is {written[key]!r}: write a date, as 2026-03-04.") from None
    place, reason, since = (written[key].strip() for key in keys)
    pattern = _pattern(where, place) if "places" in written else None
    return Entry(place, reason, since, written.get("expires", ""), pattern)


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
    path: Path, entries: Sequence[Entry], problems: Sequence[Problem], today: datetime.date
) -> tuple[list[Problem], list[Entry]]:
    """The problems that are left, with one for each entry that is of no use, and the entries that were used."""
    ended = [entry for entry in entries if entry.expires and datetime.date.fromisoformat(entry.expires) < today]
    valid = [entry for entry in entries if entry not in ended]
    losses = [place_of(problem) for problem in problems if problem.acceptable]
    used = [entry for entry in valid if any(entry.matches(loss) for loss in losses)]
    left = [
        problem
        for problem in problems
        if not (problem.acceptable and any(entry.matches(place_of(problem)) for entry in used))
    ]
    told = [Problem("acceptance", f"{path}: {each.place}", "it matches nothing") for each in valid if each not in used]
    told += [Problem("ended", f"{path}: {entry.place}", f"it counted until {entry.expires}") for entry in ended]
    return [*left, *told], used


def add(path: Path, reason: str, problems: Sequence[Problem], today: datetime.date) -> list[Entry]:
    """Add an entry for each loss that has none. Raises AcceptanceError, also for an empty reason, and OSError."""
    if not reason.strip():
        raise AcceptanceError("--accept needs a reason: why is it right that this is left out?")
    known = load(path)
    places = dict.fromkeys(place_of(problem) for problem in problems if problem.acceptable)
    new = [
        Entry(place, reason.strip(), today.isoformat())
        for place in places
        if not any(entry.matches(place) for entry in known)
    ]
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
