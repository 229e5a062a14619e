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
from victor_ext.spec.tree import Tree, mapping_at, named_schemas, place_of, placed, trees_at

SCHEMAS = "components.schemas."
REFERENCE = "#/components/schemas/"
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
        self._moved: list[tuple[str, str]] = [*_renamed_paths(old, new)]
        self.schemas: dict[str, str] = {}
        """The new name of each schema that was renamed."""
        while found := _renamed_schema(self):
            self.schemas[found[0]] = found[1]
            self._moved.append((SCHEMAS + found[0], SCHEMAS + found[1]))

    def moved(self, place: str) -> str:
        """The place in the new document of a part of the old one, if it is still there."""
        for before, after in self._moved:
            if place == before or (place.startswith(before) and place[len(before)] in ".["):
                return after + place[len(before) :]
        return place

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
        """The largest part around a place of the new document that the old one lacks."""
        around = [place[: found.start()] for found in re.finditer(r"[.\[]", place)]
        return next((each for each in around if each in self.new and each not in self._earlier), place)

    def new_around(self, place: str) -> str | None:
        """The largest part that is new, at or around a place of the new document; None when nothing is."""
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


def _renamed_paths(old: Side, new: Side) -> Iterator[tuple[str, str]]:
    """The places that moved because a path names its parameters anew, the longest first."""
    before, after = mapping_at(old.components.document, "paths"), mapping_at(new.components.document, "paths")
    bare = {re.sub(r"{[^}]*}", "{}", path): path for path in after if path not in before}
    found: list[tuple[str, str]] = []
    for path in before:
        other = bare.get(re.sub(r"{[^}]*}", "{}", path))
        if path in after or other is None:
            continue
        found.append((f"paths.{path}", f"paths.{other}"))
        names = zip(re.findall(r"{([^}]*)}", path), re.findall(r"{([^}]*)}", other), strict=True)
        for name, another in names:
            for item in old.below(f"paths.{path}"):
                if item.endswith(f".parameters.path:{name}"):
                    moved = f"paths.{other}{item[len(f'paths.{path}') :]}"
                    found.append((item, f"{moved.removesuffix(f'path:{name}')}path:{another}"))
    yield from sorted(found, key=lambda pair: -len(pair[0]))


def _renamed_schema(blame: Blame) -> tuple[str, str] | None:
    """One more schema that has another name now: all that referred to it refers to one new schema."""
    before, after = named_schemas(blame.old.components.document), named_schemas(blame.new.components.document)
    gone = {name for name in before if name not in after and name not in blame.schemas}
    fresh = {name for name in after if name not in before and name not in blame.schemas.values()}
    for name, others in _referred_now(blame, gone).items():
        if len(others) == 1 and others <= fresh and _alike(before[name], after[next(iter(others))]):
            return name, others.pop()
    for name in sorted(gone):
        for other in sorted(fresh):
            if before[name] == after[other]:
                return name, other
    return None


def _referred_now(blame: Blame, gone: set[str]) -> dict[str, set[str]]:
    """What the parts that referred to schemas that are gone refer to now."""
    found: dict[str, set[str]] = {}
    for place, component in blame.old.components.by_place.items():
        now = blame.new.tree(blame.moved(place))
        for one, other in zip(_references(component.tree), _references(now), strict=False):
            if one in gone:
                found.setdefault(one, set()).add(other)
    return dict(sorted(found.items()))


def _references(tree: Tree) -> list[str]:
    """The names of the schemas that a part refers to directly, or in a list of members."""
    parts = [tree, *(each for key in ("allOf", "oneOf", "anyOf") for each in trees_at(tree, key))]
    return [str(each["$ref"]).removeprefix(REFERENCE) for each in parts if "$ref" in each]


def _alike(old: Tree, new: Tree) -> bool:
    """Whether two schemas may be one: their properties overlap, or none has properties and the types are equal."""
    before, after = set(mapping_at(old, "properties")), set(mapping_at(new, "properties"))
    return bool(before & after) or (not before and not after and old.get("type") == new.get("type"))
