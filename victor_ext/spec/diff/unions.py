"""What differs between the members of two unions, or between a union and a single schema."""

from __future__ import annotations

from typing import Protocol

from victor_ext.spec.tree import Tree, mapping_at, named_schemas

from .changes import SCHEMAS, Sides
from .keywords import as_json, canonical
from .shape import Child, Part, Shape, Shapes, Union, child_part, label


class SchemaComparer(Protocol):
    """What compares two schemas."""

    def compare(self, old: Part, new: Part) -> None:
        """Compare two schemas."""
        ...

    def compare_with_member(self, old: Part, new: Part) -> None:
        """Compare a single schema with the member of a union that it became, or was."""
        ...

    def same(self, old: Tree, new: Tree) -> bool:
        """Whether two schemas mean the same on the wire."""
        ...


Pairs = list[tuple[Child, Child]]


def compare_unions(sides: Sides, comparer: SchemaComparer, old: Part, new: Part, before: Shape, after: Shape) -> None:
    """Compare the unions of two schemas. What has no union counts as a union of itself."""
    bases = before.common(after)
    first, second = _own(before, bases), _own(after, bases)
    if not first and not second:
        return
    for number in range(max(len(first), len(second))):
        former = first[number] if number < len(first) else _single(old.tree, before)
        latter = second[number] if number < len(second) else _single(new.tree, after)
        _compare_union(sides, comparer, old, new, former, latter)


def _own(shape: Shape, bases: set[str]) -> list[Union]:
    return [union for union in shape.unions if union.home not in bases]


def _single(tree: Tree, shape: Shape) -> Union:
    return Union("", shape.place, (Child(tree, shape.place, ""),))


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

    for identity in (_identity, _meaning):
        known: dict[str, list[Child]] = {}
        for each in new:
            known.setdefault(identity(sides.new_shapes, each), []).append(each)
        for first in list(old):
            alike = known.get(identity(sides.old_shapes, first))
            if alike:
                take(first, alike.pop(0))
    for first in list(old):
        second = next((each for each in new if comparer.same(first.tree, each.tree)), None)
        if second is not None:
            take(first, second)
    for first in list(old):
        second = next((each for each in new if _may_be(sides, first, each)), None)
        if second is not None:
            take(first, second)
    return pairs


def _identity(shapes: Shapes, member: Child) -> str:
    """The name of a member, or its text."""
    end, referred = shapes.end(member.tree)
    return _named(shapes, end, referred=referred) or as_json(end)


def _meaning(shapes: Shapes, member: Child) -> str:
    """The name of a member, or its text without documentation."""
    end, referred = shapes.end(member.tree)
    return _named(shapes, end, referred=referred) or canonical(end)


def _named(shapes: Shapes, tree: Tree, *, referred: bool) -> str:
    """The place of a schema that has a name, whether or not a reference led there; "" for what is written inline."""
    place = shapes.place(tree, "")
    named = named_schemas(shapes.components.document).get(place.removeprefix(SCHEMAS)) is tree
    return place if referred or named else ""


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
    """Compare the values of the discriminator that select the members which both unions have."""
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
    mapped = [
        value
        for value, reference in mapping_at(discriminator, "mapping").items()
        if isinstance(reference, str) and _target(shapes, reference) is end
    ]
    return mapped or [shapes.place(end, "?").rpartition(".")[2]]


def _target(shapes: Shapes, reference: str) -> Tree:
    """What a value maps to: a reference, or the name of a schema."""
    written = reference if "/" in reference or "#" in reference else f"#/components/schemas/{reference}"
    return shapes.end({"$ref": written})[0]
