"""Which members of two unions stand for each other, and which schema each value of a discriminator selects."""

from __future__ import annotations

from collections.abc import Callable

from victor_ext.spec.tree import Tree, mapping_at, named_schemas, schema_list_at

from .changes import SCHEMAS
from .keywords import canonical
from .shape import Child, Shapes, Union

Test = Callable[[Tree, Tree], bool]


def paired(
    old: Shapes, new: Shapes, former: Union, latter: Union, is_same: Test, admits: Test
) -> list[tuple[Child, Child]]:
    """The members that stand for each other: of one name or text, of one meaning, of one kind.

    A single schema is also paired with a member that admits all that it does, or that it admits all of.
    """
    before, after = [*former.members], [*latter.members]
    names = {each: _identity(side, each) for side, own in ((old, before), (new, after)) for each in own}
    is_single = not (former.keyword and latter.keyword)
    ways: tuple[Callable[[Child, Child], bool], ...] = (
        lambda one, other: names[one] == names[other],
        lambda one, other: is_same(one.tree, other.tree),
        lambda one, other: is_single and admits(one.tree, other.tree),
        lambda one, other: _could_be(old, new, one, other),
    )
    pairs: list[tuple[Child, Child]] = []
    for is_pair in ways:
        for first in [*before]:
            second = next((member for member in after if is_pair(first, member)), None)
            if second is not None:
                pairs.append((first, second))
                before.remove(first)
                after.remove(second)
    return pairs


def _identity(shapes: Shapes, member: Child) -> str:
    """The place of a member that has a name, whether or not a reference led there; the meaning of an inline one."""
    end, referred = shapes.end(member.tree)
    place = shapes.place(end, "")
    named = named_schemas(shapes.document).get(place.removeprefix(SCHEMAS)) is end
    return place if referred or named else canonical(end)


def _could_be(old: Shapes, new: Shapes, one: Child, other: Child) -> bool:
    """Whether an inline member may be another one, changed: objects with half of their properties in common."""
    (first, old_referred), (second, new_referred) = old.end(one.tree), new.end(other.tree)
    kept = old.place(first, "?") in new.by_place or new.place(second, "?") in old.by_place
    if (old_referred or new_referred) and kept:
        return False
    before, after = old.shape(first), new.shape(second)
    shared = before.children.keys() & after.children.keys()
    return 2 * len(shared) >= max(len(before.children), len(after.children)) > 0


def mapping_of(shapes: Shapes, schema: Tree) -> dict[str, str]:
    """The place of the schema that each value of a discriminator selects; one that is not mapped has its own name."""
    discriminator = mapping_at(schema, "discriminator")
    mapped = {value: _selected(shapes, to) for value, to in mapping_at(discriminator, "mapping").items()}
    members = [each for key in ("oneOf", "anyOf") if discriminator for each in schema_list_at(schema, key)]
    places = [shapes.place(shapes.end(each)[0], "") for each in members or shapes.heirs.get(id(schema), [])]
    named = [each for each in places if each.startswith(SCHEMAS) and each not in mapped.values()]
    return {each.removeprefix(SCHEMAS): each for each in named} | mapped


def default_of(shapes: Shapes, schema: Tree) -> str:
    """The place of the schema that any other value selects: by `defaultMapping`, else a schema without members itself.

    "" where there is none.
    """
    default = mapping_at(schema, "discriminator").get("defaultMapping")
    if default is None and not {"oneOf", "anyOf"} & schema.keys():
        return shapes.place(schema, "")
    return "" if default is None else _selected(shapes, default)


def _selected(shapes: Shapes, target: object) -> str:
    """The place that a value of `mapping` leads to: a reference, or the name of a schema."""
    reference = str(target)
    reference = reference if "/" in reference else f"#/components/schemas/{reference}"
    return shapes.place(shapes.end({"$ref": reference})[0], reference)
