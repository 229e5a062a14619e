"""The changes that a comparison finds, and the operations that they reach."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from victor_ext.spec.components import Component, Components
from victor_ext.spec.tree import Tree

from .entry import RULES, Level
from .keywords import DOCUMENTATION, as_json
from .moves import moves_of, same_operations
from .shape import Shapes

Names = frozenset[str]
NOBODY: Names = frozenset()
SCHEMAS = "components.schemas."


@dataclass(frozen=True)
class Reach:
    """The operations whose requests (sent) and responses (received) a change is in."""

    sent: Names = NOBODY
    received: Names = NOBODY

    def __or__(self, other: Reach) -> Reach:
        return Reach(self.sent | other.sent, self.received | other.received)


@dataclass(frozen=True)
class Change:
    """One difference at one place."""

    place: str
    kind: str
    """A key of `RULES`."""
    old: str
    new: str
    levels: tuple[Level, Level]
    """When it is sent, and when it is received."""
    detail: str = ""
    """What differs, where the values do not say it."""
    absorbed: str = ""
    """How the generated package reads such a response all the same."""


@dataclass
class Sides:
    """Both documents, and what differs so far."""

    old: Components
    new: Components
    changes: dict[Change, Reach] = field(default_factory=dict[Change, Reach])
    documentation: int = 0
    """Changed texts and examples."""

    def __post_init__(self) -> None:
        self.old_shapes, self.new_shapes = Shapes(self.old), Shapes(self.new)
        self.same_operations = same_operations(self.old, self.new)
        """The operations of the new document that are in the old one too, by their old names."""
        self.moves = moves_of(self.old, self.same_operations)
        self._old_names = {new.name: old for old, new in self.same_operations.items()}
        self._translated: dict[Names, Names] = {}

    def add(
        self,
        kind: str,
        place: str,
        reach: Reach,
        old: str = "",
        new: str = "",
        *,
        levels: tuple[Level, Level] | None = None,
        detail: str = "",
        absorbed: str = "",
    ) -> None:
        """Note a change. What is not given is what the rule says."""
        rule = RULES[kind]
        levels = levels or (rule.sent, rule.received)
        change = Change(place, kind, old, new, levels, detail, absorbed or rule.absorbed)
        self.changes[change] = self.changes.get(change, Reach()) | reach

    def document(self, old: Tree, new: Tree, keys: Iterable[str] = DOCUMENTATION) -> None:
        """Count the texts that differ."""
        for key in keys:
            if (key in old or key in new) and as_json(old.get(key)) != as_json(new.get(key)):
                self.documentation += 1

    def reach(self, old: Component | None, new: Component | None) -> Reach:
        """The operations of both documents that reach both parts; None stands for what a document does not have."""
        if old is None or new is None:
            return self.reach_of_either(old, new)
        first, second = self._of_old(old), self._of_new(new)
        return Reach(first.sent & second.sent, first.received & second.received)

    def reach_of_either(self, old: Component | None, new: Component | None) -> Reach:
        """The operations of both documents that reach one of both parts."""
        either, common = self._of_old(old) | self._of_new(new), frozenset(self.same_operations)
        return Reach(either.sent & common, either.received & common)

    def reach_alone(self, old: Component | None, new: Component | None) -> Reach:
        """The operations that reach what one document alone has, also those that the other one lacks."""
        if new is None:
            return self._of_old(old)
        sent, received = (
            frozenset(self._old_names.get(name, name) for name in names) for names in (new.sent, new.received)
        )
        return Reach(sent, received)

    def _of_old(self, component: Component | None) -> Reach:
        return Reach() if component is None else Reach(component.sent, component.received)

    def _of_new(self, component: Component | None) -> Reach:
        if component is None:
            return Reach()
        return Reach(self._translate(component.sent), self._translate(component.received))

    def _translate(self, names: Names) -> Names:
        """Names of operations in the new document as names in the old one."""
        if names not in self._translated:
            self._translated[names] = frozenset(self._old_names[name] for name in names if name in self._old_names)
        return self._translated[names]
