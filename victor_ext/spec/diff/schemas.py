"""What differs between two schemas.

Each pair is compared once: schemas of one name with each other, wherever they are referred to; and what is written out
at a place with what is at that place in the new document. A reference that leads to another schema than before is one
change of the place that has it, unless the earlier schema is gone: then it was renamed, or written out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from victor_ext.spec.components import Component
from victor_ext.spec.tree import Tree, members, named_schemas

from .changes import SCHEMAS, Change, Reach, Sides
from .entry import LEVELS, RULES, worst
from .keywords import Difference, canonical
from .shape import Part, Shape, child_part, keyword_differences, label
from .unions import compare_unions

_OTHER_STEPS = {
    ".items": ("items-described", "items-not-described"),
    ".additionalProperties": ("items-described", "items-not-described"),
    ".unevaluatedProperties": ("items-described", "items-not-described"),
    ".prefixItems": ("position-added", "position-removed"),
    ".patternProperties": ("pattern-property-added", "pattern-property-removed"),
}


@dataclass(frozen=True)
class _Difference:
    """What differs between two schemas themselves, and the pairs of schemas that they refer to."""

    changes: tuple[Change, ...] = ()
    links: tuple[tuple[Tree, Tree], ...] = ()


class SchemaComparison:
    """Compares schemas, and adds what it finds to `sides`."""

    def __init__(self, sides: Sides) -> None:
        self.sides = sides
        self._instead: dict[str, str] = {}
        """The places of schemas that are gone, each with the place of what is used instead; "" for what is inline."""
        self._visited: set[tuple[int, int]] = set()
        self._known: dict[tuple[int, int], _Difference] = {}
        self._links: list[tuple[Tree, Tree]] | None = None
        """Collects pairs while two schemas are compared apart from any place; None otherwise."""

    def named(self) -> None:
        """Compare the schemas that have one place in both documents, and find those that are gone."""
        old, new = self.sides.old.by_place, self.sides.new.by_place
        named = [f"{SCHEMAS}{name}" for name, _ in members(named_schemas(self.sides.old.document))]
        referenced = [place for place, each in old.items() if self.sides.old.is_referenced(each)]
        for place in dict.fromkeys([*named, *referenced]):
            if place in new and old[place].kind == new[place].kind == "schema":
                self.compare(self._part(old[place], place), self._part(new[place], place))
        equal = {canonical(each): f"{SCHEMAS}{name}" for name, each in members(named_schemas(self.sides.new.document))}
        for place in named:
            if place not in new:
                self._gone(place, old[place], equal.get(canonical(old[place].tree)))

    def _gone(self, place: str, component: Component, equal: str | None) -> None:
        successor = self._instead.get(place, equal)
        if successor and successor.startswith(SCHEMAS) and successor not in self.sides.old.by_place:
            reach = self.sides.reach(component, self.sides.new.by_place[successor])
            names = place.removeprefix(SCHEMAS), successor.removeprefix(SCHEMAS)
            self.sides.add("schema-renamed", place, reach, *names)
            self.sides.moves.add(place, successor)
        elif place not in self._instead:
            reach = self.sides.reach(component, None)
            if not reach.sent and not reach.received:  # what used it was compared with what is there now
                self.sides.add("schema-removed", place, reach)

    def _replaces(self, before: str, after: str) -> None:
        """Note what is used instead of a schema, if that is gone; a schema with a name first."""
        if before not in self.sides.new.by_place and not self._instead.get(before):
            self._instead[before] = after

    def _part(self, component: Component, place: str) -> Part:
        return Part(component.tree, place, place, component)

    def compare(self, old: Part, new: Part) -> None:
        """Compare two schemas; `old` says what the place is called."""
        old_end, old_referred = self.sides.old_shapes.end(old.tree)
        new_end, new_referred = self.sides.new_shapes.end(new.tree)
        before = self.sides.old_shapes.place(old_end, old.place)
        after = self.sides.new_shapes.place(new_end, new.place)
        if old_referred and new_referred and before == after:
            return  # compared by name
        if self._links is not None and (old_referred or new_referred):
            self._links.append((old_end, new_end))
            return
        if old_referred:
            self._replaces(before, after if new_referred else "")
            if before in self.sides.new.by_place:
                self._replaced(old, new, old_end, new_end)
                return
            old = self._part(self.sides.old.by_place[before], before)
            new = self._part(self.sides.new.by_place[after], after) if new_referred else new
        pair = (id(old_end), id(new_end))
        if pair not in self._visited:
            self._visited.add(pair)
            self._walk(old, new, old_end, new_end)

    def compare_with_member(self, old: Part, new: Part) -> None:
        """Compare a single schema with the member of a union that it became, or was. Null is said of the whole."""
        old_end, new_end = self.sides.old_shapes.end(old.tree)[0], self.sides.new_shapes.end(new.tree)[0]
        before, after = self.sides.old_shapes.shape(old_end), self.sides.new_shapes.shape(new_end)
        named = before.place.startswith(SCHEMAS) and before.place == after.place
        pair = (id(old_end), id(new_end))
        if named or before.unions or after.unions or pair in self._visited:
            return
        self._visited.add(pair)
        self._note(old, new, keyword_differences(before, after).only(null=False))
        self._properties(old, new, before, after)
        self._others(old, new, before, after)

    def same(self, old: Tree, new: Tree) -> bool:
        """Whether two schemas mean the same on the wire."""
        ends = self.sides.old_shapes.end(old)[0], self.sides.new_shapes.end(new)[0]
        return next(self._differences([ends]), None) is None

    def _replaced(self, old: Part, new: Part, old_end: Tree, new_end: Tree) -> None:
        """Note a reference that leads to something else, if that differs."""
        pairs = [(old_end, new_end)]
        changes = list(self._differences(pairs))
        for pair in pairs[1:]:
            first, second = self.sides.old.of(pair[0]), self.sides.new.of(pair[1])
            if first is not None and second is not None:
                self._replaces(first.place, second.place)
        if changes:
            levels = worst(each.levels[0] for each in changes), worst(each.levels[1] for each in changes)
            names = label(self.sides.old_shapes, old.tree), label(self.sides.new_shapes, new.tree)
            reach = self.sides.reach(old.component, new.component)
            absorbed = max(changes, key=lambda each: LEVELS.index(each.levels[1])).absorbed
            detail = summary(changes)
            self.sides.add("replaced", old.place, reach, *names, levels=levels, detail=detail, absorbed=absorbed)

    def _differences(self, pairs: list[tuple[Tree, Tree]]) -> Iterator[Change]:
        """The changes of a pair of schemas, and of those that they refer to by different names, which are added."""
        seen = {(id(old), id(new)) for old, new in pairs}
        for pair in pairs:  # it grows
            difference = self._difference(*pair)
            yield from difference.changes
            for link in difference.links:
                if (id(link[0]), id(link[1])) not in seen:
                    seen.add((id(link[0]), id(link[1])))
                    pairs.append(link)

    def _difference(self, old: Tree, new: Tree) -> _Difference:
        pair = (id(old), id(new))
        if pair not in self._known:
            self._known[pair] = _Difference()  # until it is known: a cycle adds nothing
            kept = self.sides.changes, self.sides.documentation, self._visited, self._links
            self.sides.changes, self._visited, self._links = {}, {pair}, []
            try:
                self._walk(Part(old, "", "", None), Part(new, "", "", None), old, new)
                self._known[pair] = _Difference(tuple(self.sides.changes), tuple(self._links))
            finally:
                self.sides.changes, self.sides.documentation, self._visited, self._links = kept
        return self._known[pair]

    def _walk(self, old: Part, new: Part, old_end: Tree, new_end: Tree) -> None:
        self.sides.document(old_end, new_end)
        before, after = self.sides.old_shapes.shape(old_end), self.sides.new_shapes.shape(new_end)
        self._bases(before, after)
        if before.unions or after.unions:
            compare_unions(self.sides, self, old, new, before, after)
        differences = keyword_differences(before, after)
        if bool(before.unions) != bool(after.unions):
            self._note(old, new, differences.only(null=True))
            return
        self._note(old, new, differences.items)
        if not differences.other_type:
            self._properties(old, new, before, after)
            self._others(old, new, before, after)

    def _bases(self, before: Shape, after: Shape) -> None:
        """Compare the bases that have other names, which are common ones then."""
        gone = [place for place in before.bases if place not in self.sides.new.by_place]
        fresh = [place for place in after.bases if place not in self.sides.old.by_place]
        for first, second in zip(gone, fresh, strict=True) if len(gone) == len(fresh) else ():
            old, new = self.sides.old.by_place[first], self.sides.new.by_place[second]
            before.bases[second] = after.bases[first] = None
            if self._links is None:
                self._replaces(first, second)
                self.compare(self._part(old, first), self._part(new, second))
            else:
                self._links.append((old.tree, new.tree))

    def _note(self, old: Part, new: Part, differences: list[Difference]) -> None:
        reach = self.sides.reach(old.component, new.component)
        either = self.sides.reach_of_either(old.component, new.component)
        for kind, former, latter in differences:
            if kind == "no-longer-read-only" and new.required:
                kind = "required-no-longer-read-only"  # noqa: PLW2901 - the same change of a required property
            self.sides.add(
                kind, old.place, either if kind.endswith(("read-only", "write-only")) else reach, former, latter
            )

    def _properties(self, old: Part, new: Part, before: Shape, after: Shape) -> None:
        bases, prefix = before.common(after), ".properties."
        names = {step[len(prefix) :] for shape in (before, after) for step in shape.children if step.startswith(prefix)}
        for name in sorted(names | set(before.required) | set(after.required)):
            first, second = before.children.get(prefix + name), after.children.get(prefix + name)
            homes = {each.home for each in (first, second) if each is not None}
            place = old.below + prefix + name
            old_part = old if first is None else child_part(self.sides.old, old, first, place)
            new_part = new if second is None else child_part(self.sides.new, new, second, place)
            reach = self.sides.reach(old_part.component, new_part.component)
            if first is None and second is not None:
                if not homes <= bases:
                    kind = "required-property-added" if name in after.required else "optional-property-added"
                    self.sides.add(kind, place, reach)
                continue
            if first is not None and second is None:
                if not homes <= bases:
                    self.sides.add("property-undeclared" if after.value("open") else "property-removed", place, reach)
                continue
            self._requiredness(name, before, after, place, reach)
            if homes and not homes <= bases:
                self.compare(old_part, replace(new_part, required=name in after.required))

    def _requiredness(self, name: str, before: Shape, after: Shape, place: str, reach: Reach) -> None:
        bases = before.common(after)
        if name in after.required and name not in before.required and after.required[name] not in bases:
            self.sides.add("became-required", place, reach)
        if name in before.required and name not in after.required and before.required[name] not in bases:
            self.sides.add("became-optional", place, reach)

    def _others(self, old: Part, new: Part, before: Shape, after: Shape) -> None:
        bases = before.common(after)
        steps = {step for shape in (before, after) for step in shape.children if not step.startswith(".properties.")}
        for step in sorted(steps):
            first, second = before.children.get(step), after.children.get(step)
            homes = {each.home for each in (first, second) if each is not None}
            place = old.below + step
            if homes <= bases:
                continue
            if first is not None and second is not None:
                old_part = child_part(self.sides.old, old, first, place)
                self.compare(old_part, child_part(self.sides.new, new, second, place))
                continue
            gone_with_flag = step == ".additionalProperties" and bool(before.value("closed")) != bool(
                after.value("closed")
            )
            if not gone_with_flag:
                added, removed = next(kinds for start, kinds in _OTHER_STEPS.items() if step.startswith(start))
                reach = self.sides.reach(old.component, new.component)
                self.sides.add(added if first is None else removed, place, reach)


def summary(changes: Sequence[Change], most: int = 3) -> str:
    """The worst of some changes in words."""
    ordered = sorted(changes, key=lambda each: -max(LEVELS.index(level) for level in each.levels))
    words = [f"{each.place.removeprefix('.')}: {words_of(each)}".removeprefix(": ") for each in ordered[:most]]
    return "; ".join(words) + (f"; and {len(changes) - most} more" if len(changes) > most else "")


def words_of(change: Change) -> str:
    """A change in words."""
    words = RULES[change.kind].words.replace("{old}", change.old).replace("{new}", change.new)
    return f"{change.detail} ({words})" if change.detail else words
