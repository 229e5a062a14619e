"""The changes that a comparison finds, and what each does and reaches (recipe/docs/changes.md)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Literal, NamedTuple

import yaml

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

SENT = 1
RECEIVED = 2
BOTH = 3
"""The directions in which something is there: a read-only property is not sent."""

Names = frozenset[str]


@dataclass(frozen=True)
class Reach:
    """The operations whose requests (sent) and responses (received) a change is in."""

    sent: Names = frozenset()
    received: Names = frozenset()

    def __bool__(self) -> bool:
        return bool(self.sent or self.received)

    def __or__(self, other: Reach) -> Reach:
        return Reach(self.sent | other.sent, self.received | other.received)

    def renamed(self, names: Mapping[str, str]) -> Reach:
        """The operations with other names: those in `names`."""
        sent = frozenset(names.get(name, name) for name in self.sent)
        received = frozenset(names.get(name, name) for name in self.received)
        return Reach(sent, received)


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
