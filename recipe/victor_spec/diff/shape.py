"""What a schema says, however it is written: references are followed, `allOf` is merged, 3.0 and
3.1 become one.

Each keyword and property keeps the place of the schema that gives it: a change of a common base is
reported there.
"""

from __future__ import annotations

from collections.abc import Iterator
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
PROPERTY = ".properties."
"""What the step to a property begins with."""
FORM = "application/x-www-form-urlencoded"
_PLAIN = {"integer", "number", "boolean"}
_NO_MEANING = {*DOCUMENTATION, "$schema", "$id", "$anchor", "$defs", "definitions"}


class KeywordValue(NamedTuple):
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

    @property
    def is_single(self) -> bool:
        """Whether this is a single schema in the place of a union."""
        return not self.keyword


@dataclass(eq=False)
class Shape:
    place: str
    keywords: dict[str, KeywordValue] = field(default_factory=dict[str, KeywordValue])
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
        """The value of a keyword; None when nothing gives one."""
        given = self.keywords.get(keyword)
        return None if given is None else given.value

    def common(self, other: Shape) -> set[str]:
        """The places of the schemas that both are composed of."""
        return self.bases.keys() & other.bases.keys()


class Shapes(Components):
    """The parts of a document, and what its schemas say."""

    def __init__(self, document: Tree) -> None:
        super().__init__(document)
        self._both: dict[frozenset[int], Tree] = {}

    @cached_property
    def _of_bodies(self) -> set[int]:
        """The ids of the schemas that some request has where values are not written as text."""
        pending: list[Tree] = []
        for part in self.by_id.values():
            if part.kind != "schema" and part.sent and not is_text(part):
                schema = schema_at(part.tree, "schema")
                pending += [] if schema is None else [schema]
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
                target = self.resolve(part.tree)
                place = self.place(target, "")
                users.setdefault(place, []).append(part.place)
        return users

    def end(self, tree: Tree) -> Tree:
        """The schema that a schema stands for: itself, unless it is an alias."""
        return self._aliases(tree)[-1]

    def is_referred(self, tree: Tree) -> bool:
        """Whether a reference leads from a schema to its end."""
        *aliases, _ = self._aliases(tree)
        return any("$ref" in alias for alias in aliases)

    def _aliases(self, tree: Tree) -> list[Tree]:
        """A schema, what it is an alias of, what that is an alias of, and so on.

        In a circle of aliases, the last is the first of them that is met again.
        """
        chain = [tree]
        seen: set[int] = set()
        while id(chain[-1]) not in seen:
            seen.add(id(chain[-1]))
            target = self._target_of_alias(chain[-1])
            if target is not None:
                chain.append(target)
        return chain

    def _target_of_alias(self, tree: Tree) -> Tree | None:
        """What a schema stands for that has one reference, or one member of `allOf` or of a union,
        and says nothing else; None for any other one.
        """
        keys = meaning(tree)
        if len(keys) != 1:
            return None
        [key] = keys
        if key == "$ref":
            target = self.resolve(tree)
            return None if "$ref" in target else target
        members = schema_list_at(tree, key) if key in ("allOf", "oneOf", "anyOf") else []
        return members[0] if len(members) == 1 else None

    def place(self, tree: Tree, default: str) -> str:
        """The place of a schema in the document; `default` for one that was made of others."""
        component = self.of(tree)
        return default if component is None else component.place

    def shape(self, tree: Tree) -> Shape:
        """What a schema says. Each part of it is read once: a schema adds nothing to itself."""
        shape = Shape(self.place(tree, "?"))
        self._fold(shape, tree, shape.place, set())
        if shape.value("type") is None:
            inferred = _inferred(shape)
            if inferred is not None:
                shape.keywords["type"] = inferred
                shape.inferred = True
        return shape

    def child_part(self, parent: Part, child: Child | None, place: str) -> Part:
        """The part of a child, at a place; without a child, that of its parent."""
        if child is None:
            return parent
        component = parent.component
        if component is not None:
            component = self.of(child.tree) or component
        return Part(child.tree, place, place, component, as_text=parent.as_text)

    def label(self, tree: Tree) -> str:
        """What to call a schema: its name, or its types and properties."""
        end = self.end(tree)
        if self.is_referred(tree):
            return self.place(end, "?").removeprefix(SCHEMAS)
        shape = self.shape(end)
        words = "a union" if shape.unions else types_text(shape.value("type"))
        properties = sorted(
            step.removeprefix(PROPERTY) for step in shape.children if step.startswith(PROPERTY)
        )
        return f"{words} of {', '.join(properties)}" if properties else words

    def identity(self, member: Tree) -> str:
        """The place of a member that has a name, whether or not a reference led there; the meaning
        of an inline one.
        """
        end = self.end(member)
        place = self.place(end, "")
        namesake = named_schemas(self.document).get(place.removeprefix(SCHEMAS))
        has_name = self.is_referred(member) or namesake is end
        return place if has_name else canonical(end)

    def mapping_of(self, schema: Tree) -> dict[str, str]:
        """The place of the schema that each value of a discriminator selects; its own name where
        none is mapped.
        """
        discriminator = mapping_at(schema, "discriminator")
        mapped = {
            value: self._selected(target)
            for value, target in mapping_at(discriminator, "mapping").items()
        }
        members: list[Tree] = []
        if discriminator:
            members = [*schema_list_at(schema, "oneOf"), *schema_list_at(schema, "anyOf")]
        by_name: dict[str, str] = {}
        for member in members or self.heirs.get(id(schema), []):
            place = self.place(self.end(member), "")
            if place.startswith(SCHEMAS) and place not in mapped.values():
                by_name[place.removeprefix(SCHEMAS)] = place
        return by_name | mapped

    def default_of(self, schema: Tree) -> str:
        """The place of the schema for any other value: that of `defaultMapping`, or one without
        members; else "".
        """
        default = mapping_at(schema, "discriminator").get("defaultMapping")
        if default is not None:
            return self._selected(default)
        is_union = "oneOf" in schema or "anyOf" in schema
        return "" if is_union else self.place(schema, "")

    def _selected(self, target: object) -> str:
        """The place that a value of `mapping` leads to: a reference, or the name of a schema."""
        reference = str(target)
        if "/" not in reference:
            reference = f"#/components/schemas/{reference}"
        return self.place(self.end({"$ref": reference}), reference)

    def _fold(self, shape: Shape, tree: Tree, home: str, seen: set[int]) -> None:
        """Add to a shape all that a schema says, with what it refers to and its `allOf`.

        `home` is the place of the named schema that has it, and `seen` has the ids of the schemas
        that were added.
        """
        if id(tree) in seen:
            return
        seen.add(id(tree))
        if "$ref" in tree:
            target = self.resolve({"$ref": tree["$ref"]})  # without what stands beside it
            if "$ref" not in target:  # else it leads nowhere
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
        """Add a union to a shape: as null, as its only member, as an enum, or as a union."""
        valued: list[Child] = []
        for number, member in enumerate(schema_list_at(tree, keyword)):
            if is_null(member):
                shape.keywords["null"] = KeywordValue(value=True, home=home)
            else:
                valued.append(Child(member, home, f".{keyword}[{number}]"))
        if len(valued) == 1:
            [only] = valued
            self._fold(shape, only.tree, home, seen)
        elif all(_has_values_only(child.tree) for child in valued):
            values: list[str] = []
            for child in valued:
                values += keywords(child.tree)["enum"]
            if values:
                shape.keywords["enum"] = KeywordValue((*dict.fromkeys(values),), home)
        else:
            union = Union(keyword, home, valued, discriminated="discriminator" in tree)
            shape.unions.append(union)

    def _fold_children(self, shape: Shape, tree: Tree, home: str) -> None:
        """Add the properties and items of a schema to a shape; what two define is merged."""
        for step, child in _children(tree):
            earlier = shape.children.get(step)
            if earlier is None:
                shape.children[step] = Child(child, home, step)
            elif self.end(earlier.tree) is not self.end(child):
                merged = self._merged(earlier.tree, child)
                shape.children[step] = Child(merged, home, step)

    def _merged(self, first: Tree, second: Tree) -> Tree:
        """One schema of two that define the same property: the same object for the same two, so
        that cycles end.
        """
        key = frozenset((id(first), id(second)))
        return self._both.setdefault(key, {"allOf": [first, second]})

    def _keywords(self, shape: Shape, tree: Tree, home: str) -> None:
        """Add the keywords of a schema to a shape; a keyword that both have is joined."""
        for keyword, value in keywords(tree).items():
            earlier = shape.keywords.get(keyword)
            if earlier is None:
                shape.keywords[keyword] = KeywordValue(value, home)
                continue
            joined = join(keyword, earlier.value, value)
            if joined != earlier.value:
                shape.keywords[keyword] = KeywordValue(joined, home)


def keyword_differences(old: Shape, new: Shape, *, as_text: bool = False) -> list[Difference]:
    """What differs between the keywords of two schemas, without what a common base gives; little
    beside other types.

    `as_text` is that of `Part`.
    """
    differences: list[Difference] = []
    for keyword in sorted({*old.keywords, *new.keywords}):
        if _is_changed(keyword, old, new):
            differences += keyword_changes(keyword, old.value(keyword), new.value(keyword))
    if all(kind != "type-changed" for kind, _, _ in differences):
        return differences
    was_plain = (old.value("type") or {"array"}) <= _PLAIN
    if not as_text or not was_plain or new.value("type") != {"string"}:
        return [difference for difference in differences if difference[0] in _BESIDE_TYPES]
    texts: list[Difference] = []
    for kind, former, latter in differences:
        is_type = kind == "type-changed"
        texts.append(("type-as-text" if is_type else kind, former, latter))
    return texts


_BESIDE_TYPES = {
    "type-changed",
    "null-admitted",
    "null-refused",
    "became-read-only",
    "became-write-only",
}
"""The differences that mean something beside another type."""


def _is_changed(keyword: str, old: Shape, new: Shape) -> bool:
    """Whether a keyword has another value, by what is not in a common base."""
    before = old.value(keyword)
    after = new.value(keyword)
    if before == after:
        return False
    # One that does not declare its type, and one whose type follows from other keywords.
    if keyword == "type" and None in (before, after) and (old.inferred or new.inferred):
        return False
    homes: set[str] = set()
    for shape in (old, new):
        if keyword in shape.keywords:
            homes.add(shape.keywords[keyword].home)
    return not homes <= old.common(new)


def is_text(part: Component) -> bool:
    """Whether the values of what has a schema are written as plain text."""
    return part.kind == "parameter" or part.place.endswith(f".content.{FORM}")


def meaning(tree: Tree) -> set[str]:
    """The keys of a schema that say something about values."""
    return {key for key in tree if key not in _NO_MEANING and not key.startswith("x-")}


def _children(tree: Tree) -> Iterator[tuple[str, Tree]]:
    """The schemas within a schema that its values have, by step."""
    for key in ("properties", "patternProperties"):
        for name, child in schemas_at(tree, key):
            yield f".{key}.{name}", child
    for number, child in enumerate(schema_list_at(tree, "prefixItems")):
        yield f".prefixItems[{number}]", child
    for key in ("items", "additionalProperties", "unevaluatedProperties"):
        schema = schema_at(tree, key)
        if schema:
            yield f".{key}", schema


def _has_values_only(member: Tree) -> bool:
    """Whether a member of a union lists its values, and says nothing else."""
    return bool(keywords(member).get("enum")) and meaning(member) <= {"const", "enum", "type"}


def _inferred(shape: Shape) -> KeywordValue | None:
    """The type of a schema that says it by its children, or by its values."""
    for step, child in shape.children.items():
        is_list = step.startswith((".items", ".prefixItems"))
        return KeywordValue(frozenset({"array" if is_list else "object"}), child.home)
    enum = shape.keywords.get("enum")
    if enum and enum.value and all(value.startswith('"') for value in enum.value):
        return KeywordValue(frozenset({"string"}), enum.home)
    return None
