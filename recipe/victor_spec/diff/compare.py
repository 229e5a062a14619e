"""Compare two documents."""

from __future__ import annotations

import hashlib
import re
import sys
from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from victor_spec.tree import Tree, around, mapping_at, placed

from .changes import (
    BOTH,
    LEVELS,
    RECEIVED,
    SENT,
    Change,
    Direction,
    Entry,
    Level,
    PythonChange,
    Reach,
    worst,
)
from .facts import SCHEMAS, Version
from .keywords import DOCUMENTATION, as_json, canonical
from .operations import OperationComparison
from .pairs import Pair, nothing, reached

OF_NAMES = ("schema-removed", "schema-renamed")
"""The kinds of changes that have other causes."""
MAX_FRAMES = 50_000
"""Unions and bases refer to each other in chains of hundreds, and each takes some calls."""


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
    by_cause = python or {}
    entries: list[Entry] = []
    for place in sorted({*by_place, *by_cause}):
        changes = by_place.get(place, {})
        entries.append(_entry(sides, place, changes, by_cause.get(place)))
    return Comparison(entries, _documentation(sides), sides.added, moved)


def compare(old: Tree, new: Tree) -> Sides:
    """Compare two documents that `victor_spec.document.load` has read, and that stay as they are.

    The parts of both sides know their places (see `placed`).
    """
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(max(limit, MAX_FRAMES))
    try:
        return Sides(Version(placed(old, old)), Version(placed(new, new)))
    finally:
        sys.setrecursionlimit(limit)


class Sides(OperationComparison):
    """Both documents, what differs on the wire, and the operations that it reaches."""

    def __init__(self, old: Version, new: Version) -> None:
        super().__init__(old, new)
        self._sent: dict[Pair, set[str]] = {}
        """The pairs that were found, each with the operations that send it."""
        self._received = defaultdict[Pair, set[str]](set)
        self._place_now: dict[str, str] = {}
        """By the place of a schema that a reference led to, the place where it leads now; empty for
        what is written out. A schema with a name comes first.
        """
        self._places_with_kept_name: set[str] = set()
        """The places of schemas that some reference leads to in both documents."""
        for name, root in self.operations().items():
            for pair in self._note_reached(root, SENT):
                self._sent[pair].add(name)
            for pair in self._note_reached(root, RECEIVED):
                self._received[pair].add(name)
        self._compare_named()
        self.changes: dict[Change, Reach] = {}
        for pair in self._sent:
            for change, directions in pair.changes.items():
                sent = self._sent[pair] if directions & SENT else ()
                received = self._received[pair] if directions & RECEIVED else ()
                reach = Reach(frozenset(sent), frozenset(received))
                self.changes[change] = self.changes.get(change, Reach()) | reach

    def _note_reached(self, root: Pair, direction: int) -> list[Pair]:
        """All that a pair leads to, after noting it, and what references lead to now."""
        found = [*reached(root, direction)]
        for pair in found:
            if pair in self._sent:
                continue
            self._sent[pair] = set()
            for edge in pair.edges:
                if edge.keeps_name():
                    self._places_with_kept_name.add(edge.before)
                elif edge.before and not self._place_now.get(edge.before):
                    self._place_now[edge.before] = edge.after
        return found

    # ---- Schemas with a name ----

    def _compare_named(self) -> None:
        """Compare the named schemas that no operation reaches.

        A schema whose name is gone is renamed if a new name has its content, or all references lead
        to it; else it is removed.
        """
        gone = self._compare_kept_names()
        self._note_gone(gone)

    def _compare_kept_names(self) -> list[str]:
        """Compare the schemas whose names are in both documents; return the places of the others.

        A schema is renamed if all that refers to it refers to it under another name now.
        """
        gone: list[str] = []
        for place in self.old.named:
            if place not in self.new.by_place:
                gone.append(place)
            elif self._is_renamed(place):
                self._rename(place, self._place_now[place])
            else:
                self._note_reached(self.by_name(place), BOTH)
        return gone

    def _note_gone(self, gone: list[str]) -> None:
        """Note of each schema whose name is gone that it is renamed or removed."""
        equal: dict[str, str] = {}
        for place, schema in self.new.named.items():
            equal[canonical(schema)] = place
        for place in gone:
            schema = self.old.named[place]
            successor = self._place_now.get(place, equal.get(canonical(schema), ""))
            # Its name is new, or the schema that had it has another one.
            is_free = successor not in self.old.by_place or self.moves.now(successor) != successor
            if successor.startswith(SCHEMAS) and is_free:
                self._rename(place, successor)
            elif place not in self._place_now and not self._is_used(place, schema):
                self._note("schema-removed", place)

    def _is_renamed(self, place: str) -> bool:
        """Whether all that refers to a schema refers to the same one under another name now."""
        successor = self._place_now.get(place, "")
        if not successor.startswith(SCHEMAS) or place in self._places_with_kept_name:
            return False
        schema = self.old.named[place]
        later = self.new.by_place[successor].tree
        namesake = self.new.by_place[place].tree
        return self.is_same(schema, later) and not self.is_same(schema, namesake)

    def _is_used(self, place: str, schema: Tree) -> bool:
        """Whether an operation of both documents has a schema in the old one; or what it is only
        another name of.
        """
        if self.old.end(schema) is not schema:
            return True
        reach = self.old.reach(place)
        return not self.same_operations.keys().isdisjoint(reach.sent | reach.received)

    def _rename(self, place: str, successor: str) -> None:
        """Note that a schema has another name, and that all below it moved."""
        former = place.removeprefix(SCHEMAS)
        latter = successor.removeprefix(SCHEMAS)
        self._note("schema-renamed", place, former, latter)
        self.moves.add(place, successor)

    def _note(self, kind: str, place: str, old: str = "", new: str = "") -> None:
        """Note a change that reaches nothing."""
        pair = Pair(place, nothing)
        pair.say(kind, old, new)
        self._sent[pair] = set()

    @cached_property
    def _first_inside(self) -> dict[str, str]:
        """By each place around a change, the first place with a change at or inside it."""
        first: dict[str, str] = {}
        for change in self.changes:
            if change.kind not in OF_NAMES:
                for part in around(change.place):
                    first[part] = min(first.get(part, change.place), change.place)
        return first

    def stays(self, place: str) -> bool:
        """Whether the new document has a place of the old one, too."""
        return place in self.old.by_place and self.moves.now(place) in self.new.by_place

    def cause_around(self, place: str, known: Container[str]) -> str:
        """The part with a change, or known to have one, that brought or took what one document
        alone has: a member of a union, or a named schema. Else the place itself.
        """
        if self.stays(place):
            return place
        is_old = place in self.old.by_place
        users = self.old.users if is_old else self.new.users
        pending = [place]
        seen: set[str] = set()
        for holder in pending:  # it grows
            for part in reversed(around(holder)):
                name = part if is_old else self.moves.before(part)
                if name in known or self._first_inside.get(name) == name:
                    return name
                if part not in seen:
                    seen.add(part)
                    pending += users.get(part, ())
        return place

    def cause_below(self, place: str, apart: Container[str]) -> str | None:
        """The first place with a change at or inside a place, or in what it refers to, unless that
        is apart; None without one.
        """
        pending = [place]
        seen: set[str] = set()
        for part in pending:  # it grows
            if part in seen:
                continue
            seen.add(part)
            if self._leads_elsewhere(part):
                return part
            if part in self._first_inside:
                return self._first_inside[part]
            for user in self.old.references_inside.get(part, ()):
                if self._leads_elsewhere(user):
                    return user
                if self.old.references[user] not in apart:
                    pending.append(self.old.references[user])
        return None

    def _leads_elsewhere(self, place: str) -> bool:
        """Whether a reference is another one now, or is there in one document only."""
        before = self.old.references.get(place, "")
        after = self.new.references.get(self.moves.now(place), "")
        return self.moves.now(before) != after

    # ---- Reach ----

    def reach(self, place: str) -> Reach:
        """The operations that reach a place, by their names in the old document: those of the old
        document, or else those of the new one, such as for a place that is new.
        """
        place_now = self.moves.now(place)
        is_new = place_now in self.new.by_place and place not in self.old.by_place
        old_reach = Reach() if is_new else self.old.reach(place)
        if old_reach:
            return old_reach
        old_names = {new.name: name for name, new in self.same_operations.items()}
        return self.new.reach(place_now).renamed(old_names)


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


def _entry(
    sides: Sides, place: str, changes: Mapping[Change, Reach], python: PythonChange | None
) -> Entry:
    """The entry of one place: its changes on the wire, and what happened to names in Python."""
    reach = Reach()
    for own in changes.values():
        reach |= own
    reach = reach or sides.reach(place)
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
