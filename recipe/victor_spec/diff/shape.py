"""What a schema says, however it is written: references are followed, `allOf` is merged, 3.0 and
3.1 become one.

Each keyword and property keeps the place of the schema that gives it: a change of a common base is
reported there.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

from victor_spec.components import Component, Components
from victor_spec.tree import (
    Tree,
    is_null,
    list_at,
    mapping_at,
    named_schemas,
    schema_at,
    schema_list_at,
    schemas_at,
)

from .keywords import (
    DOCUMENTATION,
    Difference,
    canonical,
    join,
    keyword_changes,
    keywords,
    types_text,
)

SCHEMAS = "components.schemas."
_PLAIN = {"integer", "number", "boolean"}
_NO_MEANING = {*DOCUMENTATION, "$schema", "$id", "$anchor", "$defs", "definitions"}


class Given(NamedTuple):
    """A keyword's value, and the place of the schema that gives it."""

    value: Any
    home: str


@dataclass(frozen=True)
class Part:
    """A schema at a place of the comparison."""

    tree: Tree
    place: str
    below: str
    """What the places of its children begin with."""
    component: Component | None
    """What knows the operations that reach it; None while two schemas are compared apart from any
    operation.
    """
    required: bool = False
    """Whether it is a property that has to be there."""
    as_text: bool = False
    """Whether its values are written as plain text, as in a query: 5 and "5" are the same there."""


@dataclass(frozen=True, eq=False)
class Child:
    """A schema within another, with the place of the schema that declares it."""

    tree: Tree
    home: str
    step: str


class Union(NamedTuple):
    """`oneOf` or `anyOf` with at least two members that are not null."""

    keyword: str
    """"" for a single schema, which stands for a union of itself."""
    home: str
    members: list[Child]
    discriminated: bool


@dataclass(eq=False)
class Shape:
    place: str
    keywords: dict[str, Given] = field(default_factory=dict[str, Given])
    children: dict[str, Child] = field(default_factory=dict[str, Child])
    """By step: `.properties.price`, `.items`."""
    required: dict[str, str] = field(default_factory=dict[str, str])
    """The required properties, with the place of the schema that says so."""
    unions: list[Union] = field(default_factory=list[Union])
    bases: dict[str, None] = field(default_factory=dict[str, None])
    """The places of the schemas that it is composed of by reference, in order."""
    inferred: bool = False
    """Whether it says its type by other keywords only."""

    def value(self, keyword: str) -> Any:
        given = self.keywords.get(keyword)
        return None if given is None else given.value

    def common(self, other: Shape) -> set[str]:
        return self.bases.keys() & other.bases.keys()


class Shapes(Components):
    """The parts of a document, and what its schemas say."""

    def __init__(self, document: Tree) -> None:
        super().__init__(document)
        self._both: dict[frozenset[int], Tree] = {}

    @cached_property
    def _of_bodies(self) -> set[int]:
        """The ids of the schemas that some request has where values are not written as text."""
        holders = [
            each
            for each in self.by_id.values()
            if each.kind != "schema" and each.sent and not is_text(each)
        ]
        pending = [
            schema for each in holders if (schema := schema_at(each.tree, "schema")) is not None
        ]
        seen: set[int] = set()
        while pending:
            tree = pending.pop()
            if id(tree) not in seen:
                seen.add(id(tree))
                pending += [self.resolve(tree), *(child for _, child in self._children(tree))]
        return seen

    def part(self, place: str) -> Part:
        """The schema at its own place."""
        component = self.by_place[place]
        as_text = bool(component.sent) and id(component.tree) not in self._of_bodies
        return Part(component.tree, place, place, component, as_text=as_text)

    @cached_property
    def users(self) -> dict[str, list[str]]:
        """The places of what refers to a part, by its place."""
        users: dict[str, list[str]] = {}
        for part in self.by_id.values():
            if "$ref" in part.tree:
                users.setdefault(self.place(self.resolve(part.tree), ""), []).append(part.place)
        return users

    def end(self, tree: Tree) -> tuple[Tree, bool]:
        """The schema that an alias stands for, and whether a reference leads there."""
        referred, seen = False, set[int]()
        while id(tree) not in seen:
            seen.add(id(tree))
            keys = meaning(tree)
            parts = [
                each
                for key in ("allOf", "oneOf", "anyOf")
                if key in keys
                for each in schema_list_at(tree, key)
            ]
            if keys == {"$ref"}:
                target = self.resolve({"$ref": tree["$ref"]})
                if "$ref" in target:
                    break
                tree, referred = target, True
            elif len(keys) == 1 and len(parts) == 1:
                tree = parts[0]
            else:
                break
        return tree, referred

    def place(self, tree: Tree, default: str) -> str:
        component = self.of(tree)
        return default if component is None else component.place

    def shape(self, tree: Tree) -> Shape:
        """What a schema says. Each part of it is read once: a schema adds nothing to itself."""
        shape = Shape(self.place(tree, "?"))
        self._fold(shape, tree, shape.place, set())
        if shape.value("type") is None and (inferred := _inferred(shape)):
            shape.keywords["type"], shape.inferred = inferred, True
        return shape

    def child_part(self, parent: Part, child: Child, place: str) -> Part:
        component = None if parent.component is None else self.of(child.tree) or parent.component
        return Part(child.tree, place, place, component, as_text=parent.as_text)

    def label(self, tree: Tree) -> str:
        """What to call a schema: its name, or its types and properties."""
        end, referred = self.end(tree)
        if referred:
            return self.place(end, "?").removeprefix(SCHEMAS)
        shape = self.shape(end)
        properties = sorted(
            step.removeprefix(".properties.")
            for step in shape.children
            if step.startswith(".properties.")
        )
        words = "a union" if shape.unions else types_text(shape.value("type"))
        return f"{words} of {', '.join(properties)}" if properties else words

    def identity(self, member: Tree) -> str:
        """The place of a member that has a name, whether or not a reference led there; the meaning
        of an inline one.
        """
        end, referred = self.end(member)
        place = self.place(end, "")
        named = named_schemas(self.document).get(place.removeprefix(SCHEMAS)) is end
        return place if referred or named else canonical(end)

    def mapping_of(self, schema: Tree) -> dict[str, str]:
        """The place of the schema that each value of a discriminator selects; its own name where
        none is mapped.
        """
        discriminator = mapping_at(schema, "discriminator")
        mapped = {
            value: self._selected(to) for value, to in mapping_at(discriminator, "mapping").items()
        }
        members = [
            each
            for key in ("oneOf", "anyOf")
            if discriminator
            for each in schema_list_at(schema, key)
        ]
        places = [
            self.place(self.end(each)[0], "") for each in members or self.heirs.get(id(schema), [])
        ]
        named = [
            each for each in places if each.startswith(SCHEMAS) and each not in mapped.values()
        ]
        return {each.removeprefix(SCHEMAS): each for each in named} | mapped

    def default_of(self, schema: Tree) -> str:
        """The place of the schema for any other value: that of `defaultMapping`, or one without
        members; else "".
        """
        default = mapping_at(schema, "discriminator").get("defaultMapping")
        if default is None and not {"oneOf", "anyOf"} & schema.keys():
            return self.place(schema, "")
        return "" if default is None else self._selected(default)

    def _selected(self, target: object) -> str:
        """The place that a value of `mapping` leads to: a reference, or the name of a schema."""
        reference = str(target)
        reference = reference if "/" in reference else f"#/components/schemas/{reference}"
        return self.place(self.end({"$ref": reference})[0], reference)

    def _fold(self, shape: Shape, tree: Tree, home: str, seen: set[int]) -> None:
        if id(tree) in seen:
            return
        seen.add(id(tree))
        if "$ref" in tree:
            target = self.resolve({"$ref": tree["$ref"]})
            if "$ref" not in target:
                base = self.place(target, home)
                shape.bases[base] = None
                self._fold(shape, target, base, seen)
        for part in schema_list_at(tree, "allOf"):
            self._fold(shape, part, home, seen)
        for keyword in ("oneOf", "anyOf"):
            self._union(shape, tree, keyword, home, seen)
        self._fold_children(shape, tree, home)
        for name in list_at(tree, "required"):
            shape.required.setdefault(str(name), home)
        self._keywords(shape, tree, home)

    def _union(self, shape: Shape, tree: Tree, keyword: str, home: str, seen: set[int]) -> None:
        members = schema_list_at(tree, keyword)
        valued = [(number, each) for number, each in enumerate(members) if not is_null(each)]
        if len(valued) < len(members):
            shape.keywords["null"] = Given(True, home)  # noqa: FBT003 - the value of the keyword
        if len(valued) == 1:
            self._fold(shape, valued[0][1], home, seen)
        elif all(
            keywords(each).get("enum") and meaning(each) <= {"const", "enum", "type"}
            for _, each in valued
        ):
            values = dict.fromkeys(value for _, each in valued for value in keywords(each)["enum"])
            shape.keywords |= {"enum": Given((*values,), home)} if values else {}
        else:
            children = [Child(each, home, f".{keyword}[{number}]") for number, each in valued]
            shape.unions.append(
                Union(keyword, home, children, discriminated="discriminator" in tree)
            )

    def _fold_children(self, shape: Shape, tree: Tree, home: str) -> None:
        children = [(f".{key}.{name}", child) for key in ("properties", "patternProperties")
                 for name, child in schemas_at(tree, key)]  # fmt: skip
        children += [
            (f".prefixItems[{n}]", child)
            for n, child in enumerate(schema_list_at(tree, "prefixItems"))
        ]
        keys = ("items", "additionalProperties", "unevaluatedProperties")
        children += [(f".{key}", child) for key in keys if (child := schema_at(tree, key))]
        for step, child in children:
            earlier = shape.children.get(step)
            if earlier is None:
                shape.children[step] = Child(child, home, step)
            elif self.end(earlier.tree)[0] is not self.end(child)[0]:
                # Two members of `allOf` define it: the same object for the same two, so that cycles
                # end.
                key = frozenset((id(earlier.tree), id(child)))
                merged = self._both.setdefault(key, {"allOf": [earlier.tree, child]})
                shape.children[step] = Child(merged, home, step)

    def _keywords(self, shape: Shape, tree: Tree, home: str) -> None:
        for keyword, value in keywords(tree).items():
            earlier = shape.keywords.get(keyword)
            joined = value if earlier is None else join(keyword, earlier.value, value)
            if earlier is None or joined != earlier.value:
                shape.keywords[keyword] = Given(joined, home)


def keyword_differences(old: Shape, new: Shape, *, as_text: bool = False) -> list[Difference]:
    """What differs between the keywords of two schemas, without what a common base gives; little
    beside other types.

    `as_text` is that of `Part`.
    """
    bases = old.common(new)
    differences: list[Difference] = []
    for keyword in sorted({*old.keywords, *new.keywords}):
        given = [shape.keywords.get(keyword) for shape in (old, new)]
        first, second = (each and each.value for each in given)
        nowhere = keyword == "type" and None in (first, second) and (old.inferred or new.inferred)
        if first != second and not nowhere and not {each.home for each in given if each} <= bases:
            differences += keyword_changes(keyword, first, second)
    if as_text and new.value("type") == {"string"} and (old.value("type") or {"array"}) <= _PLAIN:
        differences = [
            ("type-as-text", *each[1:]) if each[0] == "type-changed" else each
            for each in differences
        ]
    if any(kind == "type-changed" for kind, _, _ in differences):
        kept = (
            "type-changed",
            "null-admitted",
            "null-refused",
            "became-read-only",
            "became-write-only",
        )
        return [each for each in differences if each[0] in kept]
    return differences


def is_text(part: Component) -> bool:
    """Whether the values of what has a schema are written as plain text."""
    return part.kind == "parameter" or part.place.endswith(
        ".content.application/x-www-form-urlencoded"
    )


def meaning(tree: Tree) -> set[str]:
    """The keys of a schema that say something about values."""
    return {key for key in tree if key not in _NO_MEANING and not key.startswith("x-")}


def _inferred(shape: Shape) -> Given | None:
    for step, child in shape.children.items():
        return Given(
            frozenset({"array" if step.startswith((".items", ".prefixItems")) else "object"}),
            child.home,
        )
    enum = shape.keywords.get("enum")
    if enum and enum.value and all(each.startswith('"') for each in enum.value):
        return Given(frozenset({"string"}), enum.home)
    return None
