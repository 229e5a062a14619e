"""Pairs of parts of both documents: what differs in each, and the pairs that it leads to.

A pair is compared once, whatever refers to it, and when it is first asked. What a change reaches is
found by a walk from each operation, in each direction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from .changes import BOTH, RULES, Change


@dataclass(eq=False)
class Pair:
    """A part of the old document, and the one that stands for it in the new document."""

    place: str
    _compare: Callable[..., None]
    """Adds to a pair what differs, and where it leads."""
    changes: dict[Change, int] = field(default_factory=dict[Change, int])
    """With the directions in which each is there."""
    edges: list[Edge] = field(default_factory=list["Edge"])
    _is_compared: bool = False

    def compared(self) -> Pair:
        """The pair itself, after it was compared."""
        if not self._is_compared:
            self._is_compared = True
            self._compare(self)
        return self

    def say(
        self,
        kind: str,
        old: str = "",
        new: str = "",
        *,
        at: str | None = None,
        directions: int = BOTH,
    ) -> None:
        """Add a change that does what its rule says; `at` is its place, if not that of the pair."""
        place = self.place if at is None else at
        change = Change(place, kind, old, new, RULES[kind])
        self.changes[change] = self.changes.get(change, 0) | directions

    def differ(self, kind: str, old: str, new: str, *, at: str | None = None) -> None:
        """Add a change of a text, if it is another one now."""
        if old != new:
            self.say(kind, old, new, at=at)


@dataclass(eq=False)
class Edge:
    """The way from a pair to another one."""

    pair: Pair
    directions: int = BOTH
    before: str = ""
    """The place of what a reference leads to in the old document; empty without a reference."""
    after: str = ""
    summary: Pair | None = None
    """What is shown in the place of the pair, where a reference leads to something else now."""

    def keeps_name(self) -> bool:
        """Whether a reference leads to the part of the same name."""
        return bool(self.before) and self.before == self.after

    def is_by_itself(self) -> bool:
        """Whether a reference leads to what is reported at a place of its own."""
        return bool(self.before) and self.summary is None


def nothing(_: Pair) -> None:
    """Compares a pair whose changes are known."""


def reached(root: Pair, direction: int) -> Iterator[Pair]:
    """All pairs that a pair leads to in a direction, and itself."""
    pending = [root]
    seen: set[Pair] = set()
    while pending:
        pair = pending.pop()
        if pair in seen:
            continue
        seen.add(pair)
        yield pair.compared()
        onward = [edge for edge in pair.edges if edge.directions & direction]
        pending += [edge.summary or edge.pair for edge in onward]


def inside(root: Pair, is_apart: Callable[[Edge], bool]) -> list[Pair]:
    """A pair, and all that it leads to by edges that are not apart."""
    pairs = [root]
    seen = {root}
    for pair in pairs:  # it grows
        for edge in pair.compared().edges:
            if edge.pair not in seen and not is_apart(edge):
                seen.add(edge.pair)
                pairs.append(edge.pair)
    return pairs
