"""The component of the documents that is the cause of a change in the packages.

Names of packages come from places in the documents (`origins`). When such a name changes, the cause is the place
itself, something around it that is gone, or something that it refers to.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from functools import cached_property

from victor_ext.spec.components import Components
from victor_ext.spec.origins import Origins
from victor_ext.spec.tree import Tree, place_of, placed, trees_at

from .compare import compared

_SHAPE = (
    *("type", "format", "nullable", "enum", "const", "required", "readOnly", "writeOnly", "in", "name", "style"),
    *("explode", "contentEncoding", "contentMediaType", "x-enum-varnames"),
)
"""The keys that decide types and names, where a part does not contain others."""


class Side:
    """One of the two documents: its components, and the places of the names of its package."""

    def __init__(self, document: Tree, found: Origins) -> None:
        self.components = Components(placed(document, document))
        self._exact = {place: each.place for each in self.components.all() for place in place_of(each.tree)}
        self.functions = {module: self._place(place) for module, place in found.functions.items()}
        self.arguments = {name: self._places(places) for name, places in found.arguments.items()}
        self.classes = {name: self._places(places) for name, places in found.classes.items()}
        self.attributes = {name: self._places(places) for name, places in found.attributes.items()}
        self._sorted = sorted(self.components.by_place)

    def __contains__(self, place: str) -> bool:
        return place in self.components.by_place

    def tree(self, place: str) -> Tree:
        """What the document has at a place; {} when there is nothing."""
        found = self.components.by_place.get(place)
        return found.tree if found is not None else {}

    def below(self, place: str) -> Iterator[str]:
        """A place, and the places inside it."""
        if place in self:
            yield place
        for mark in (".", "["):
            for number in range(bisect_left(self._sorted, place + mark), len(self._sorted)):
                if not self._sorted[number].startswith(place + mark):
                    break
                yield self._sorted[number]

    def _places(self, places: Iterable[str]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(self._place(place) for place in places))

    def _place(self, place: str) -> str:
        """A place of `origins` as `components` writes it: a member of `allOf` has the place of its schema."""
        return self._exact.get(place, place)


class Blame:
    """Finds the cause of a change."""

    def __init__(self, old: Side, new: Side) -> None:
        self.old = old
        self.new = new
        self.moves = compared(old.components, new.components).moves
        self.moved = self.moves.now

    def cause(self, places: Iterable[str], default: str) -> str:
        """The component whose change changed a name that comes from some places of the old document."""
        known = [place for place in places if place in self.old]
        gone = next((place for place in known if self.moved(place) not in self.new), None)
        if gone is not None:
            return self.outermost_gone(gone)
        return next((found for place in known if (found := self._changed(place, set()))), default)

    def outermost_gone(self, place: str) -> str:
        """The largest part around a place that the new document lacks."""
        around = [place[: found.start()] for found in re.finditer(r"[.\[]", place)]
        return next((each for each in around if each in self.old and self.moved(each) not in self.new), place)

    def outermost_new(self, place: str) -> str:
        """The largest part around a place of the new document that the old one lacks, in the names of the old one."""
        around = [place[: found.start()] for found in re.finditer(r"[.\[]", place)]
        found = (each for each in around if each in self.new and each not in self._earlier)
        return self.moves.before(next(found, place))

    def new_around(self, place: str) -> str | None:
        """As `outermost_new`; None when nothing at or around the place is new."""
        return None if place not in self.new or place in self._earlier else self.outermost_new(place)

    @cached_property
    def _earlier(self) -> set[str]:
        """The places in the new document of all that the old one has."""
        return {self.moved(each) for each in self.old.components.by_place}

    def _changed(self, place: str, seen: set[str]) -> str | None:
        """The first part at or inside a place that decides types and differs; then what those parts refer to."""
        if place in seen:
            return None
        seen.add(place)
        inside = list(self.old.below(place))
        for each in inside:
            there = self.moved(each)
            if there not in self.new or self._differs(each, there):
                return each
        earlier = {self.moved(each) for each in inside}
        for each in self.new.below(self.moved(place)):
            if each not in earlier:
                return each
        for each in inside:
            for target in _targets(self.old, self.old.tree(each)):
                if target not in self._classes and (found := self._changed(target, seen)):
                    return found
        return None

    @cached_property
    def _classes(self) -> set[str]:
        """The places whose class has the same name before and after: a type that names it does not change."""
        return {
            place
            for name, places in self.old.classes.items()
            for place in places
            if self.moved(place) in self.new.classes.get(name, ())
        }

    def _differs(self, before: str, after: str) -> bool:
        old, new = self.old.tree(before), self.new.tree(after)
        if {self.moved(each) for each in _targets(self.old, old)} != set(_targets(self.new, new)):
            return True
        return any(old.get(key) != new.get(key) for key in _SHAPE)


def _targets(side: Side, tree: Tree) -> list[str]:
    """The places that a part refers to directly, or by way of `allOf`."""
    parts = [tree, *trees_at(tree, "allOf")]
    found = [side.components.of(side.components.resolve(each)) for each in parts if "$ref" in each]
    return [each.place for each in found if each is not None]
