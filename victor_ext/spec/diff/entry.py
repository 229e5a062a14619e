"""One changed component of a document, what the change does (docs/changes.md), and the rule for each kind of change."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

import yaml

Level = Literal["breaks", "look", "fine", "none"]
"""What a change does: it breaks something; a person has to look; it does no harm; it does nothing."""
Column = Literal["wire", "python"]

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
        names = {name for each in changes for name in each.names}
        what = "; ".join(dict.fromkeys(each.what for each in changes))
        return cls(worst(each.level for each in changes), tuple(sorted(names)), what)


@dataclass(frozen=True)
class Entry:
    place: str
    """The dotted path of the component: `components.schemas.Card.properties.price`. See `spec.components`."""
    operations: tuple[str, ...]
    """The operations that it reaches, sorted: `get /v1/cards`."""
    direction: Literal["sent", "received", "both"]
    what: str
    wire: Level
    python: Level
    names: tuple[str, ...]
    fingerprint: str
    """It stays the same when other components, texts or versions change."""

    def level(self, column: Column) -> Level:
        return self.wire if column == "wire" else self.python

    def shortened(self, most: int = 10) -> str:
        """What changed, at most in so many sentences; those that follow are counted."""
        sentences = self.what.split("; ")
        rest = [f"and {len(sentences) - most} more"] if len(sentences) > most else []
        return "; ".join([*sentences[:most], *rest])

    def reached_by(self, most: int = 5) -> str:
        """The operations that it reaches, and in which direction."""
        if not self.operations:
            return "reached by no operation"
        shown = ", ".join(self.operations[:most])
        rest = f" and {len(self.operations) - most} more" if len(self.operations) > most else ""
        verb = {"sent": "sent by", "received": "received by", "both": "sent and received by"}[self.direction]
        return f"{verb} {shown}{rest}"


class Rule(NamedTuple):
    """What a kind of change does."""

    sent: Level
    received: Level
    words: str
    """With `{old}` and `{new}`."""
    absorbed: str = ""
    """How the generated package reads such a response all the same."""


_TABLE = Path(__file__).with_name("rules.yaml").read_text(encoding="utf-8")
RULES: dict[str, Rule] = {kind: Rule(*row) for kind, row in yaml.load(_TABLE, Loader=yaml.CSafeLoader).items()}
"""By the kind of change."""
