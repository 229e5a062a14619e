"""What differs between the members of two unions, or between a union and a single schema."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Protocol

from victor_ext.spec.tree import Tree, mapping_at, named_schemas

from .changes import SCHEMAS, Sides
from .keywords import as_json, canonical
from .shape import Child, Part, Shape, Shapes, Union, child_part, label

Pairs = list[tuple[Child, Child]]


class SchemaComparer(Protocol):
    """The methods of `schemas.SchemaComparison` that compare the members of unions."""

    def compare(self, old: Part, new: Part) -> None: ...
    def compare_with_member(self, old: Part, new: Part) -> None: ...
    def same(self, old: Tree, new: Tree) -> bool: ...


def compare_unions(sides: Sides, comparer: SchemaComparer, old: Part, new: Part, before: Shape, after: Shape) -> None:
    """Compare the unions of two schemas. What has no union counts as a union of itself."""
    bases = before.common(after)
    first, second = ([union for union in shape.unions if union.home not in bases] for shape in (before, after))
    wholes = (old.tree, before), (new.tree, after)
    single = [Union("", shape.place, (Child(tree, shape.place, ""),)) for tree, shape in wholes]
    for number in range(max(len(first), len(second))):
        former = first[number] if number < len(first) else single[0]
        latter = second[number] if number < len(second) else single[1]
        _compare_union(sides, comparer, old, new, former, latter)


def _compare_union(sides: Sides, comparer: SchemaComparer, old: Part, new: Part, former: Union, latter: Union) -> None:
    reach = sides.reach(old.component, new.component)
    pairs = _paired(sides, comparer, former.members, latter.members)
    if former.keyword and latter.keyword and former.keyword != latter.keyword:
        sides.add("union-kind", old.place, reach, former.keyword, latter.keyword)
    for member in former.members:
        if all(member is not each for each, _ in pairs):
            sides.add("member-removed", old.place, reach, label(sides.old_shapes, member.tree))
    for member in latter.members:
        if all(member is not each for _, each in pairs):
            sides.add("member-added", old.place, reach, "", label(sides.new_shapes, member.tree))
    for first, second in pairs:
        place = old.below + first.step
        old_part = child_part(sides.old, old, first, place) if first.step else old
        new_part = child_part(sides.new, new, second, place) if second.step else new
        if first.step and second.step:
            comparer.compare(old_part, new_part)
        else:
            comparer.compare_with_member(old_part, new_part)
    _compare_values(sides, old, new, pairs)


def _paired(sides: Sides, comparer: SchemaComparer, former: tuple[Child, ...], latter: tuple[Child, ...]) -> Pairs:
    """The members that stand for each other: of one name, of one text, of one meaning, of one kind."""
    pairs: Pairs = []
    old, new = list(former), list(latter)

    def take(first: Child, second: Child) -> None:
        pairs.append((first, second))
        old.remove(first)
        new.remove(second)

    for text in (as_json, canonical):  # `canonical` leaves out documentation
        known: dict[str, list[Child]] = {}
        for member in new:
            known.setdefault(_identity(sides.new_shapes, member, text), []).append(member)
        for first in list(old):
            alike = known.get(_identity(sides.old_shapes, first, text))
            if alike:
                take(first, alike.pop(0))
    ways: tuple[Callable[[Child, Child], bool], ...] = (
        lambda one, other: comparer.same(one.tree, other.tree),
        partial(_may_be, sides),
    )
    for is_pair in ways:
        for first in list(old):
            second = next((member for member in new if is_pair(first, member)), None)
            if second is not None:
                take(first, second)
    return pairs


def _identity(shapes: Shapes, member: Child, text: Callable[[Tree], str]) -> str:
    """The place of a member that has a name, whether or not a reference led there; the text of an inline one."""
    end, referred = shapes.end(member.tree)
    place = shapes.place(end, "")
    named = named_schemas(shapes.components.document).get(place.removeprefix(SCHEMAS)) is end
    return place if referred or named else text(end)


def _may_be(sides: Sides, old: Child, new: Child) -> bool:
    """Whether an inline member may be another one, changed: both are objects that share a property."""
    first, old_referred = sides.old_shapes.end(old.tree)
    second, new_referred = sides.new_shapes.end(new.tree)
    if old_referred or new_referred:
        gone = sides.old_shapes.place(first, "?") not in sides.new.by_place
        if not (gone and sides.new_shapes.place(second, "?") not in sides.old.by_place):
            return False
    before, after = sides.old_shapes.shape(first), sides.new_shapes.shape(second)
    shared = before.children.keys() & after.children.keys()
    return 2 * len(shared) >= max(len(before.children), len(after.children)) > 0


def _compare_values(sides: Sides, old: Part, new: Part, pairs: Pairs) -> None:
    before, after = (
        shapes.shape(shapes.end(part.tree)[0]).value("discriminator")
        for shapes, part in ((sides.old_shapes, old), (sides.new_shapes, new))
    )
    if before is None or after is None or before["propertyName"] != after["propertyName"]:
        return
    reach = sides.reach(old.component, new.component)
    former = {value: number for number, (each, _) in enumerate(pairs)
              for value in _values(sides.old_shapes, before, each)}  # fmt: skip
    latter = {value: number for number, (_, each) in enumerate(pairs)
              for value in _values(sides.new_shapes, after, each)}  # fmt: skip
    for value in sorted({*former, *latter}):
        if value not in latter:
            sides.add("discriminator-value-removed", old.place, reach, value)
        elif value not in former:
            sides.add("discriminator-value-added", old.place, reach, "", value)
        elif former[value] != latter[value]:
            target = label(sides.new_shapes, pairs[latter[value]][1].tree)
            sides.add("discriminator-value-changed", old.place, reach, value, target)


def _values(shapes: Shapes, discriminator: Tree, member: Child) -> list[str]:
    """The values that select a member: those that map to it, else its name."""
    end, referred = shapes.end(member.tree)
    if not referred:
        return []
    mapped: list[str] = []
    for value, to in mapping_at(discriminator, "mapping").items():  # to a reference, or to the name of a schema
        reference = to if "/" in str(to) or "#" in str(to) else f"#/components/schemas/{to}"
        if shapes.end({"$ref": reference})[0] is end:
            mapped.append(value)
    return mapped or [shapes.place(end, "?").rpartition(".")[2]]
