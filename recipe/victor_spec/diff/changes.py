"""The changes that a comparison finds, what each does and reaches (recipe/docs/changes.md), and
what moved.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal, NamedTuple

import yaml

from victor_spec.components import Component, Components, Operation
from victor_spec.tree import around

from .keywords import keyword_changes
from .shape import Shapes

Level = Literal["breaks", "look", "fine", "none"]
"""What a change does: it breaks something; a person has to look; it does no harm; it does nothing.
"""
Column = Literal["wire", "python"]
Direction = Literal["sent", "received", "both"]

LEVELS: tuple[Level, ...] = ("none", "fine", "look", "breaks")
"""From the least to the worst."""


def worst(levels: Iterable[Level]) -> Level:
    """The worst of some levels; "none" when there are none."""
    return LEVELS[max(map(LEVELS.index, levels), default=0)]


@dataclass(frozen=True)
class PythonChange:
    """What a change does to the code that uses the generated package."""

    level: Level
    names: tuple[str, ...]
    """The Python names that are gone, renamed or retyped: `pkg.models.Card.price`."""
    what: str
    """What happened to them, in sentences without a full stop, joined by `; `."""

    @classmethod
    def joined(cls, changes: Sequence[PythonChange]) -> PythonChange:
        """Several changes as one."""
        names: set[str] = set()
        for change in changes:
            names.update(change.names)
        level = worst(change.level for change in changes)
        sentences = dict.fromkeys(change.what for change in changes)
        return cls(level, tuple(sorted(names)), "; ".join(sentences))


@dataclass(frozen=True)
class Entry:
    place: str
    """The dotted path of the component: `components.schemas.Card.properties.price`.

    See `spec.components`.
    """
    operations: tuple[str, ...]
    """The operations that it reaches, sorted: `get /v1/cards`."""
    direction: Direction
    what: str
    wire: Level
    python: Level
    names: tuple[str, ...]
    fingerprint: str
    """It stays the same when other components, texts or versions change."""

    def level(self, column: Column) -> Level:
        """What the entry does to requests and responses, or to the code that uses the package."""
        return self.wire if column == "wire" else self.python

    def shortened(self, most: int = 10) -> str:
        """What changed, at most in so many sentences; those that follow are counted."""
        sentences = self.what.split("; ")
        if len(sentences) > most:
            sentences = [*sentences[:most], f"and {len(sentences) - most} more"]
        return "; ".join(sentences)

    def reached_by(self, most: int = 5) -> str:
        """The operations that it reaches, and in which direction."""
        if not self.operations:
            return "reached by no operation"
        verb = "sent and received" if self.direction == "both" else self.direction
        shown = ", ".join(self.operations[:most])
        count = len(self.operations) - most
        return f"{verb} by {shown} and {count} more" if count > 0 else f"{verb} by {shown}"


class Rule(NamedTuple):
    """What a kind of change does."""

    sent: Level
    received: Level
    words: str
    """With `{old}` and `{new}`."""
    absorbed: str = ""
    """How the generated package reads such a response all the same."""


_TABLE = (files("victor_spec.diff") / "rules.yaml").read_text(encoding="utf-8")
RULES: dict[str, Rule] = {
    kind: Rule(*row) for kind, row in yaml.load(_TABLE, Loader=yaml.CSafeLoader).items()
}
"""By the kind of change."""

_VERSION = re.compile(r"v?(\d[\d.-]*)((?:alpha|beta|rc|preview)\d*)?", re.IGNORECASE)
"""A segment of a path that is a version: `v1`, `2.1`, `v2beta3`, `2026-01-31`."""


_Version = tuple[list[int], bool, str]
"""The numbers of a version; whether it is no preview; and the word of a preview."""


class Moves:
    """The places of the old document that have another name in the new one, in both directions."""

    def __init__(self) -> None:
        self._now: dict[str, str] = {}
        self._before: dict[str, str] = {}

    def add(self, before: str, after: str) -> None:
        """Note the two names of one part. What is below it has them too."""
        if before != after:
            self._now.setdefault(before, after)
            self._before.setdefault(after, before)

    def now(self, place: str) -> str:
        """The place in the new document of a part of the old one, if the part is still there."""
        return _renamed(place, self._now)

    def before(self, place: str) -> str:
        """A place of the new document in the names of the old one."""
        return _renamed(place, self._before)

    def part(self, place: str) -> str | None:
        """The part at or around a place of the old document that has another name now; None when
        nothing has.
        """
        return _part(place, self._now)


def _part(place: str, names: dict[str, str]) -> str | None:
    """The innermost part at or around a place that `names` has; None without one."""
    if not names:
        return None
    for part in reversed(around(place)):
        if part in names:
            return part
    return None


def _renamed(place: str, names: dict[str, str]) -> str:
    """A place with the other name of the innermost part at or around it that `names` has."""
    part = _part(place, names)
    return place if part is None else names[part] + place[len(part) :]


def same_operations(old: Components, new: Components) -> dict[str, Operation]:
    """The operations of both documents, by their old names.

    An operation is the same when its method and path are (names of path parameters make no
    difference); otherwise when its operationId is; otherwise when its method is, and its path
    without versions.
    """
    pairs: dict[str, Operation] = {}
    for key in (wire_name, _id, _without_version):
        paired = {operation.name for operation in pairs.values()}
        earlier = _by_key(old, key, pairs)
        later = _by_key(new, key, paired)
        for value, before in earlier.items():
            after = later.get(value, [])
            is_ambiguous = len(before) > 1 or len(after) > 1
            if key is _id and is_ambiguous:
                continue  # an operationId that stands twice names nothing
            for operation, successor in zip(before, after, strict=False):
                pairs[operation.name] = successor
    return {name: pairs[name] for name in old.operations if name in pairs}


def _by_key(
    components: Components, key: Callable[[Operation], str], paired: Container[str]
) -> dict[str, list[Operation]]:
    """The operations that have no pair, by one of their keys; of several the one to use comes
    first.
    """
    groups: dict[str, list[Operation]] = {}
    for operation in sorted(components.operations.values(), key=_rank, reverse=True):
        value = key(operation)
        if value and operation.name not in paired:
            groups.setdefault(value, []).append(operation)
    return groups


def _id(operation: Operation) -> str:
    """The `operationId`, apart for requests of the provider; empty without one."""
    name = operation.tree.get("operationId")
    return f"{operation.incoming} {name}" if name else ""


def wire_name(operation: Operation) -> str:
    """The method and the path; names of path parameters make no difference."""
    return re.sub(r"{[^{}]*}", "{}", operation.name)


def _without_version(operation: Operation) -> str:
    """The method and the path, without the segments that are a version."""
    segments = wire_name(operation).split("/")
    return "/".join(segment for segment in segments if not _VERSION.fullmatch(segment))


def _rank(operation: Operation) -> tuple[bool, list[_Version]]:
    """Among operations that differ in their version only, a greater value for the one to use."""
    versions: list[_Version] = []
    for segment in operation.name.split("/"):
        version = _VERSION.fullmatch(segment)
        if version is not None:
            numbers = [int(number) for number in re.findall(r"\d+", version[1])]
            preview = version[2] or ""
            versions.append((numbers, not preview, preview))
    is_deprecated = operation.tree.get("deprecated") is True
    return not is_deprecated, versions


def renamed_parameters(old: Operation, new: Operation) -> dict[str, str]:
    """The new names of path parameters: by position in paths of one shape, else first by their
    names.
    """
    before = re.findall(r"{([^{}]*)}", old.name)
    after = re.findall(r"{([^{}]*)}", new.name)
    if _without_version(old) != _without_version(new):
        common = [name for name in before if name in after]
        before = [*dict.fromkeys([*common, *before])]
        after = [*dict.fromkeys([*common, *after])]
    return dict(zip(before, after, strict=False))


def moves_of(old: Components, same: dict[str, Operation]) -> Moves:
    """The places of operations that moved, and of path parameters with other names."""
    moves = Moves()
    items = {each.item_place for each in same.values()}
    for name, new in same.items():
        before = old.operations[name]
        for start, end in ((before.place, new.place), (before.item_place, new.item_place)):
            for first, second in renamed_parameters(before, new).items():
                moves.add(f"{start}.parameters.path:{first}", f"{end}.parameters.path:{second}")
        moves.add(before.place, new.place)
        if before.item_place not in items:
            for part in ("parameters", "servers"):
                moves.add(f"{before.item_place}.{part}", f"{new.item_place}.{part}")
    return moves


Names = frozenset[str]


@dataclass(frozen=True)
class Reach:
    """The operations whose requests (sent) and responses (received) a change is in."""

    sent: Names = frozenset()
    received: Names = frozenset()

    def __or__(self, other: Reach) -> Reach:
        return Reach(self.sent | other.sent, self.received | other.received)

    def __and__(self, other: Reach) -> Reach:
        return Reach(self.sent & other.sent, self.received & other.received)


@dataclass(frozen=True)
class Change:
    place: str
    kind: str
    """A key of `RULES`."""
    old: str
    new: str
    rule: Rule
    detail: str = ""
    """What differs, where the values do not say it."""

    def words(self) -> str:
        """The change in a sentence without a full stop."""
        words = self.rule.words.replace("{old}", self.old).replace("{new}", self.new)
        return f"{self.detail} ({words})" if self.detail else words


class Sides:
    """Both documents, and what differs so far."""

    def __init__(self, old: Shapes, new: Shapes) -> None:
        self.old = old
        self.new = new
        self.changes: dict[Change, Reach] = {}
        self.same_operations = same_operations(self.old, self.new)
        """The operations of the new document that are in the old one too, by their old names."""
        self.moves = moves_of(self.old, self.same_operations)
        old_names = {new.name: old for old, new in self.same_operations.items()}
        self.added = [name for name in self.new.operations if name not in old_names]

        @cache
        def with_old_names(names: Names) -> Names:
            return frozenset(old_names.get(name, name) for name in names)

        for component in self.new.by_id.values():
            component.sent = with_old_names(component.sent)
            component.received = with_old_names(component.received)

    def add(self, kind: str, place: str, reach: Reach, old: str = "", new: str = "") -> None:
        """Note a change that does what its rule says."""
        self.note(Change(place, kind, old, new, RULES[kind]), reach)

    def differ(self, kind: str, place: str, reach: Reach, old: str, new: str) -> None:
        """Note a change of a text, if it is another one now."""
        if old != new:
            self.add(kind, place, reach, old, new)

    def differ_in(
        self, old: Mapping[str, Any], new: Mapping[str, Any], place: str, reach: Reach
    ) -> None:
        """Note the changes of some keywords."""
        for keyword in sorted({*old, *new}):
            before = old.get(keyword)
            after = new.get(keyword)
            if before != after:
                for kind, *values in keyword_changes(keyword, before, after):
                    self.add(kind, place, reach, *values)

    def note(self, change: Change, reach: Reach) -> None:
        """Add a change, or what it reaches, if the same change was added before."""
        self.changes[change] = self.changes.get(change, Reach()) | reach

    def reach(self, old: Component | None, new: Component | None, *, either: bool = False) -> Reach:
        """The operations of both documents that reach both parts, or `either`; None is what a
        document lacks.
        """
        first = reach_of(old)
        second = reach_of(new)
        if old is not None and new is not None and not either:
            return first & second
        common = frozenset(self.same_operations)
        return (first | second) & Reach(common, common)


def reach_of(component: Component | None) -> Reach:
    """The operations that reach a part of one document, also those that the other document
    lacks.
    """
    return Reach() if component is None else Reach(component.sent, component.received)
