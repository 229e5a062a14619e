"""Compare two documents."""

import hashlib
import re
import sys
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from victor_spec.tree import Tree, around, mapping_at, placed

from .access import compare_access
from .changes import (
    LEVELS,
    Change,
    Direction,
    Entry,
    Level,
    PythonChange,
    Reach,
    Sides,
    reach_of,
    worst,
)
from .keywords import DOCUMENTATION, as_json
from .operations import OperationComparison
from .shape import Shapes

MAX_FRAMES = 50_000
"""Schemas refer to each other in chains of hundreds, and each takes some calls."""


@dataclass(frozen=True)
class Comparison:
    entries: list[Entry] = field(default_factory=list[Entry])
    documentation: int = 0
    """Changed texts and examples."""
    added: Sequence[str] = ()
    """The operations that only the new document has."""
    moved: Mapping[str, str] = field(default_factory=dict[str, str])
    """The new name of each operation that moved."""


def comparison(sides: Sides, python: Mapping[str, PythonChange] | None = None) -> Comparison:
    """The entries of two documents that were compared.

    `python` has the changes of the generated packages by place; None leaves that column empty.
    """
    by_place: dict[str, dict[Change, Reach]] = {}
    moved: dict[str, str] = {}
    for change, reach in sides.changes.items():
        by_place.setdefault(change.place, {})[change] = reach
        if change.kind == "operation-moved":
            moved[change.old] = change.new
    by_home = _python_by_cause(sides, python or {})
    entries: list[Entry] = []
    for place in sorted({*by_place, *by_home}):
        changes = by_place.get(place, {})
        entries.append(_entry(sides, place, changes, by_home.get(place)))
    return Comparison(entries, _documentation(sides), sides.added, moved)


def compare(old: Tree, new: Tree) -> Sides:
    """Compare two documents that `victor_spec.document.load` has read, and that stay as they are.

    The parts of both sides know their places (see `placed`).
    """
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(max(limit, MAX_FRAMES))
    try:
        sides = OperationComparison(Shapes(placed(old, old)), Shapes(placed(new, new)))
        sides.run()
        sides.named()
        compare_access(sides)
    finally:
        sys.setrecursionlimit(limit)
    return sides


def _documentation(sides: Sides) -> int:
    """The number of texts and examples that differ."""
    old_info = mapping_at(sides.old.document, "info")
    new_info = mapping_at(sides.new.document, "info")
    count = _differing_texts(old_info, new_info)
    for place, part in sides.old.by_place.items():
        other = sides.new.by_place.get(sides.moves.now(place))
        if other is not None:
            count += _differing_texts(part.tree, other.tree)
    return count


def _differing_texts(old: Tree, new: Tree) -> int:
    """How many texts and examples of a part are other ones."""
    return len([key for key in DOCUMENTATION if old.get(key) != new.get(key)])


def _python_by_cause(sides: Sides, python: Mapping[str, PythonChange]) -> dict[str, PythonChange]:
    """The changes of the packages by the place where the document describes what changed."""
    by_place: dict[str, list[PythonChange]] = {}
    of_names = ("schema-removed", "schema-renamed")  # which have other causes
    changed = {change.place for change in sides.changes if change.kind not in of_names}
    for place in python:
        if place in sides.old.by_place and _stays(sides, place):
            changed.add(place)
    for place, change in sorted(python.items()):
        is_known = place in changed or _stays(sides, place)
        home = place if is_known else sides.old.home(place)
        cause = _cause(sides, home, changed)
        by_place.setdefault(cause, []).append(change)
    return {place: PythonChange.joined(changes) for place, changes in by_place.items()}


def _stays(sides: Sides, place: str) -> bool:
    """Whether the new document has a place."""
    return sides.moves.now(place) in sides.new.by_place


def _cause(sides: Sides, place: str, changed: Container[str]) -> str:
    """The changed part that brought, or took, what one document alone has: a member of a union, or
    a named schema.
    """
    is_old = place in sides.old.by_place
    if is_old and _stays(sides, place):
        return place
    users = sides.old.users if is_old else sides.new.users
    pending = [place]
    seen: set[str] = set()
    for holder in pending:  # it grows
        for part in reversed(around(holder)):
            name = part if is_old else sides.moves.before(part)
            if name in changed:
                return name
            if part not in seen:
                seen.add(part)
                pending += users.get(part, ())
    return place


def _entry(
    sides: Sides, place: str, changes: Mapping[Change, Reach], python: PythonChange | None
) -> Entry:
    """The entry of one place: its changes on the wire, and what happened to names in Python."""
    reach = _reach(sides, place, changes)
    levels: dict[Change, Level] = {}
    for change, own in changes.items():
        levels[change] = _level(change, own)
    ordered = sorted(changes, key=lambda change: _order(change, levels[change]))
    words = [*dict.fromkeys(_words(ordered, changes))]
    wire = worst(levels.values())
    decisive = [change for change in ordered if levels[change] == wire]
    level: Level = "none"
    names: tuple[str, ...] = ()
    if python is not None:
        level = python.level
        names = python.names
        words.append(f"in Python: {python.what}" if words else python.what)
    return Entry(
        place=place,
        operations=tuple(sorted(reach.sent | reach.received)),
        direction=_direction(reach),
        what="; ".join(words),
        wire=wire,
        python=level,
        names=names,
        fingerprint=_fingerprint(place, wire, decisive, python),
    )


def _reach(sides: Sides, place: str, changes: Mapping[Change, Reach]) -> Reach:
    """The operations that some changes of a place reach.

    Where they reach none, the part counts: for what one document alone has, the operations of that
    document.
    """
    reach = Reach()
    for own in changes.values():
        reach |= own
    if reach != Reach():
        return reach
    old = sides.old.by_place.get(place)
    new = sides.new.by_place.get(sides.moves.now(place))
    return sides.reach(old, new) if old and new else reach_of(old or new)


def _level(change: Change, reach: Reach) -> Level:
    """What a change does, where it reaches operations."""
    levels: list[Level] = []
    if reach.sent:
        levels.append(change.rule.sent)
    if reach.received:
        levels.append(change.rule.received)
    return worst(levels)


def _order(change: Change, level: Level) -> tuple[int, str, str, str]:
    """The worst changes of a place come first."""
    return -LEVELS.index(level), change.kind, change.old, change.new


def _direction(reach: Reach) -> Direction:
    """Whether a change is in requests, in responses, or in both, as one that reaches nothing is."""
    if bool(reach.sent) == bool(reach.received):
        return "both"
    return "sent" if reach.sent else "received"


def _words(changes: list[Change], reaches: Mapping[Change, Reach]) -> Iterator[str]:
    """Changes in words, with what the generated package makes of those that are received: once for
    what is alike.
    """
    seen = {""}
    for change in changes:
        absorbed = change.rule.absorbed if reaches[change].received else ""
        if absorbed in seen:
            yield change.words()
        else:
            yield f"{change.words()} ({absorbed})"
        seen.add(absorbed)


def _fingerprint(
    place: str, wire: Level, changes: Iterable[Change], python: PythonChange | None
) -> str:
    """A hash of the place and of what the worst changes there are: not of texts, versions and
    harmless changes.

    The index of a server is left out: another server before it makes no difference.
    """
    essence: list[list[str]] = []
    for change in changes:
        words = [change.kind, change.old, change.new]
        if change.detail:
            words.append(change.detail)
        essence.append(words)
    if not essence and python is not None:
        essence.append(["python", python.level, *python.names])
    unnumbered = re.sub(r"servers\[\d+\]", "servers[]", place)
    text = as_json([unnumbered, wire, essence])
    data = text.encode("utf-8", "backslashreplace")
    return hashlib.sha256(data).hexdigest()[:16]
