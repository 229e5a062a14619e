"""The file of accepted losses: what a package lacks, why that is right, and since when.

    - place: "POST /charge: the form's field bank is an object, whose form is not defined, and is refused when called"
      reason: we send charges as JSON
      since: 2026-03-04

An entry stands for one loss, by its whole text: there is no pattern, so that a new loss is never accepted by an old
entry.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from victor_ext.spec.tree import is_list, is_mapping

from .problems import Problem

KEYS = ("place", "reason", "since")


class AcceptanceError(Exception):
    """The file is not a list of accepted losses; the message says where, and what to write."""


@dataclass(frozen=True)
class Entry:
    """One accepted loss."""

    place: str
    reason: str
    since: str


def default_path(document: Path) -> Path:
    """`velo.yaml` has `velo.accepted.yaml` beside it."""
    return document.with_name(f"{document.stem}.accepted.yaml")


def place_of(problem: Problem) -> str:
    """The words that stand for a loss in the file."""
    return f"{problem.place}: {problem.what}" if problem.what else problem.place


def load(path: Path) -> list[Entry]:
    """The entries of a file; none when it does not exist. Raises AcceptanceError."""
    try:
        written: Any = yaml.load(path.read_text(encoding="utf-8"), yaml.BaseLoader)  # noqa: S506 - it makes only texts
    except FileNotFoundError:
        return []
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise AcceptanceError(f"{path} cannot be read: {error}") from error
    if written in (None, ""):
        return []
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
    unknown = [key for key in written if key not in KEYS]
    if unknown:
        raise AcceptanceError(f"{where} has {', '.join(map(repr, unknown))}: write {', '.join(KEYS)} and nothing else.")
    for key in KEYS:
        if not isinstance(written.get(key), str) or not written[key].strip():
            wanted = "why this loss is right" if key == "reason" else f"its {key}"
            raise AcceptanceError(f"{where} has no {key}: write {wanted}, as a text.")
    try:
        datetime.date.fromisoformat(written["since"])
    except ValueError:
        raise AcceptanceError(f"{where}: since is {written['since']!r}: write a date, as 2026-03-04.") from None
    return Entry(*(written[key].strip() for key in KEYS))


def judge(path: Path, entries: Sequence[Entry], problems: Sequence[Problem]) -> tuple[list[Problem], list[Entry]]:
    """The problems that are left, with one for each entry that matches nothing, and the entries that were used."""
    accepted = {entry.place: entry for entry in entries}
    losses = {place_of(problem) for problem in problems if problem.acceptable}
    left = [problem for problem in problems if not (problem.acceptable and place_of(problem) in accepted)]
    stale = [
        Problem("acceptance", f"{path}: {entry.place}", "it matches nothing any more")
        for entry in entries
        if entry.place not in losses
    ]
    return [*left, *stale], [entry for entry in entries if entry.place in losses]


def add(path: Path, reason: str, problems: Sequence[Problem], today: datetime.date) -> list[Entry]:
    """Add an entry for each loss that has none. Raises AcceptanceError, also for an empty reason, and OSError."""
    if not reason.strip():
        raise AcceptanceError("--accept needs a reason: why is it right that this is left out?")
    known = {entry.place for entry in load(path)}
    places = dict.fromkeys(place_of(problem) for problem in problems if problem.acceptable)
    new = [Entry(place, reason.strip(), today.isoformat()) for place in places if place not in known]
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
