"""What a schema says, however it is written: references are followed, `allOf` is merged, 3.0 and
3.1 become one.

Each keyword and property keeps the place of the base that gives it: a change of a common base is
one change, whatever has it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

from victor_spec.components import Components, Operation
from victor_spec.tree import (
    Tree,
    around,
    is_null,
    list_at,
    mapping_at,
    members,
    named_schemas,
    schema_at,
    schema_list_at,
    schemas_at,
)

from .changes import BOTH, RECEIVED, SENT, Reach
from .keywords import DOCUMENTATION, join, keywords, says_something, types_text

SCHEMAS = "components.schemas."
PROPERTY = ".properties."
"""What the step to a property begins with."""
OTHERS = "\0"
"""Stands for all values of a discriminator that no schema has."""
_NO_MEANING = {*DOCUMENTATION, "$schema", "$id", "$anchor", "$defs", "definitions"}


class Said(NamedTuple):
    """The value of a keyword."""

    value: Any
    home: str
    """The place of the base that says it; empty for what the schema says itself."""


class Child(NamedTuple):
    """A schema within another one."""

    tree: Tree
    home: str
    """The place of the base that declares it; empty for what the schema declares itself."""
    step: str
    """`.properties.price`, `.items`, `.oneOf[0]`."""


class Union(NamedTuple):
    """`oneOf` or `anyOf` with at least two members that are not null."""

    keyword: str
    """Empty for a single schema, which stands for a union of itself."""
    home: str
    members: list[Child]
    discriminated: bool

    @property
    def is_single(self) -> bool:
        """Whether this is a single schema in the place of a union."""
        return not self.keyword


@dataclass(eq=False)
class Facts:
    """What a schema says."""

    keywords: dict[str, Said] = field(default_factory=dict[str, Said])
    children: dict[str, Child] = field(default_factory=dict[str, Child])
    """By step."""
    required: dict[str, str] = field(default_factory=dict[str, str])
    """The required properties, with the place of the base that says so."""
    unions: list[Union] = field(default_factory=list[Union])
    bases: dict[str, Tree] = field(default_factory=dict[str, Tree])
    """The schemas that it is composed of by reference, by their places."""
    is_inferred: bool = False
    """Whether it says its type by other keywords only."""

    def value(self, keyword: str) -> Any:
        """The value of a keyword; None when nothing gives one."""
        said = self.keywords.get(keyword)
        return None if said is None else said.value

    @property
    def stated_types(self) -> frozenset[str] | None:
        """The types that it says by `type`; None where it does not."""
        types: frozenset[str] | None = self.value("type")
        return None if self.is_inferred else types

    def drop_unsaid(self) -> None:
        """Drop the children that no value of its types has: properties of a list."""
        for step in [*self.children]:
            keyword = re.split(r"[.\[]", step)[1]
            if not says_something(keyword, self.stated_types):
                del self.children[step]
        if not says_something("required", self.stated_types):
            self.required.clear()


class Version(Components):
    """One of the two documents, and what its schemas say."""

    def __init__(self, document: Tree) -> None:
        super().__init__(document)
        self._facts: dict[int, Facts] = {}
        self._merged: dict[frozenset[int], Tree] = {}

    @cached_property
    def named(self) -> dict[str, Tree]:
        """The named schemas by their places."""
        return {SCHEMAS + name: schema for name, schema in members(named_schemas(self.document))}

    @cached_property
    def references(self) -> dict[str, str]:
        """The place that each reference leads to, by the place of the reference."""
        references: dict[str, str] = {}
        for part in self.by_id.values():
            if "$ref" in part.tree:
                references[part.place] = self.place(self.resolve(part.tree), "")
        return references

    @cached_property
    def users(self) -> dict[str, list[str]]:
        """The places of what refers to a part, by its place."""
        users: dict[str, list[str]] = {}
        for user, target in self.references.items():
            users.setdefault(target, []).append(user)
        for operation in self.operations.values():
            for key, tree in self.parameters(operation).items():
                user = f"{operation.place}.parameters.{key}"
                users.setdefault(self.place(tree, ""), []).append(user)
        for parent, heirs in self.heirs.items():
            places = [self.place(heir, "") for heir in heirs]
            parents = users.get(self.by_id[parent].place, [])
            # What an heir is composed of is not read in its place.
            values = [user for user in parents if user not in places]
            for place in places:
                users.setdefault(place, []).extend(values)
        return users

    @cached_property
    def references_inside(self) -> dict[str, list[str]]:
        """The places of the references at and inside each place."""
        inside: dict[str, list[str]] = {}
        for user in self.references:
            for part in around(user):
                inside.setdefault(part, []).append(user)
        return inside

    # ---- Directions ----

    def directions(self, tree: Tree) -> int:
        """The directions in which a property is there."""
        both = tree, self.resolve(tree)
        directions = BOTH
        if any(part.get("readOnly") is True for part in both):
            directions &= RECEIVED
        if any(part.get("writeOnly") is True for part in both):
            directions &= SENT
        return directions

    def reach(self, place: str) -> Reach:
        """The operations that send and receive a part, found by a walk to all that leads to it."""
        operations = {operation.place: operation for operation in self.operations.values()}
        reach = Reach()
        pending = [(place, BOTH)]
        seen: set[tuple[str, int]] = set()
        for inner, directions in pending:  # it grows
            left = directions
            for part in reversed(around(inner)):
                if part in self.by_place:
                    left &= self.directions(self.by_place[part].tree)
                if (part, left) not in seen:
                    seen.add((part, left))
                    pending += [(user, left) for user in self.users.get(part, ())]
                if part in operations:
                    reach |= _reach_of(operations[part], inner, left)
        return reach

    # ---- What a schema stands for ----

    def end(self, tree: Tree) -> Tree:
        """The schema that a schema stands for: itself, unless it is an alias."""
        return self._aliases(tree)[-1]

    def referred(self, tree: Tree) -> str:
        """The place where a reference leads from a schema; empty if it is written out."""
        *aliases, end = self._aliases(tree)
        is_referred = any("$ref" in alias for alias in aliases)
        return self.place(end, "?") if is_referred else ""

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
        keys = _meaning(tree)
        if len(keys) != 1:
            return None
        [key] = keys
        if key == "$ref":
            target = self.resolve(tree)
            return None if "$ref" in target else target
        members = schema_list_at(tree, key) if key in ("allOf", "oneOf", "anyOf") else []
        return members[0] if len(members) == 1 else None

    def name(self, tree: Tree) -> str:
        """The place of a schema that has a name, whether or not a reference led there; else
        empty.
        """
        end = self.end(tree)
        place = self.place(end, "")
        return place if self.named.get(place) is end else self.referred(tree)

    def label(self, tree: Tree) -> str:
        """What to call a schema: its name, or its types and properties."""
        referred = self.referred(tree)
        if referred:
            return referred.removeprefix(SCHEMAS)
        facts = self.facts(self.end(tree))
        words = "a union" if facts.unions else types_text(facts.value("type"))
        steps = sorted(step for step in facts.children if step.startswith(PROPERTY))
        properties = ", ".join(step.removeprefix(PROPERTY) for step in steps)
        return f"{words} of {properties}" if properties else words

    # ---- Discriminators ----

    def variants(self, schema: Tree) -> dict[str, str]:
        """The place of the schema that each value of a discriminator selects: its own name where
        none is mapped. OTHERS has that of `defaultMapping`, or of a schema without members.
        """
        discriminator = mapping_at(schema, "discriminator")
        mapped: dict[str, str] = {}
        for value, target in mapping_at(discriminator, "mapping").items():
            mapped[value] = self._selected(target)
        by_name: dict[str, str] = {}
        members = [*schema_list_at(schema, "oneOf"), *schema_list_at(schema, "anyOf")]
        for member in members or self.heirs.get(id(schema), []):
            place = self.place(self.end(member), "")
            if place.startswith(SCHEMAS) and place not in mapped.values():
                by_name[place.removeprefix(SCHEMAS)] = place
        default = discriminator.get("defaultMapping")
        if default is not None:
            mapped[OTHERS] = self._selected(default)
        elif not ("oneOf" in schema or "anyOf" in schema):
            mapped[OTHERS] = self.place(schema, "")
        return by_name | mapped

    def _selected(self, target: object) -> str:
        """The place that a value of `mapping` leads to: a reference, or the name of a schema."""
        reference = str(target)
        if "/" not in reference:
            reference = f"#/components/schemas/{reference}"
        return self.place(self.end({"$ref": reference}), reference)

    # ---- What a schema says ----

    def facts(self, tree: Tree) -> Facts:
        """What a schema says. Each part of it is read once: a schema adds nothing to itself."""
        if id(tree) not in self._facts:
            facts = self._facts[id(tree)] = Facts()
            self._fold(facts, tree, "", set())
            if facts.value("type") is None:
                inferred = _inferred_type(facts)
                if inferred is not None:
                    facts.keywords["type"] = inferred
                    facts.is_inferred = True
            facts.drop_unsaid()
        return self._facts[id(tree)]

    def _fold(self, facts: Facts, tree: Tree, home: str, seen: set[int]) -> None:
        """Add all that a schema says, with what it refers to and its `allOf`.

        `home` is the place of the base that it is a part of, and `seen` has the ids of the schemas
        that were added.
        """
        if id(tree) in seen:
            return
        seen.add(id(tree))
        if "$ref" in tree:
            target = self.resolve({"$ref": tree["$ref"]})  # without what stands beside it
            if "$ref" not in target:  # else it leads nowhere
                base = self.place(target, home)
                facts.bases[base] = target
                self._fold(facts, target, base, seen)
        for part in schema_list_at(tree, "allOf"):
            self._fold(facts, part, home, seen)
        for keyword in ("oneOf", "anyOf"):
            self._add_union(facts, tree, keyword, home, seen)
        for step, schema in _children(tree):
            self._add_child(facts, Child(schema, home, step))
        for name in list_at(tree, "required"):
            facts.required.setdefault(str(name), home)
        for keyword, value in keywords(tree).items():
            said = facts.keywords.get(keyword)
            joined = value if said is None else join(keyword, said.value, value)
            if said is None or joined != said.value:
                facts.keywords[keyword] = Said(joined, home)

    def _add_union(self, facts: Facts, tree: Tree, keyword: str, home: str, seen: set[int]) -> None:
        """Add a union: as null, as its only member, as an enum, or as a union."""
        members: list[Child] = []
        for number, member in enumerate(schema_list_at(tree, keyword)):
            if is_null(member):
                facts.keywords["null"] = Said(value=True, home=home)
            else:
                members.append(Child(member, home, f".{keyword}[{number}]"))
        if len(members) == 1:
            self._fold(facts, members[0].tree, home, seen)
        elif all(_has_values_only(member.tree) for member in members):
            values: list[str] = []
            for each in members:
                values += keywords(each.tree)["enum"]
            if values:
                facts.keywords["enum"] = Said((*dict.fromkeys(values),), home)
        else:
            is_discriminated = "discriminator" in tree
            facts.unions.append(Union(keyword, home, members, discriminated=is_discriminated))

    def _add_child(self, facts: Facts, child: Child) -> None:
        """Add a property, or the items. What two define is one schema of both: the same object for
        the same two, so that cycles end.
        """
        earlier = facts.children.get(child.step)
        if earlier is not None:
            if self.end(earlier.tree) is self.end(child.tree):
                return
            both = [earlier.tree, child.tree]
            key = frozenset(map(id, both))
            child = child._replace(tree=self._merged.setdefault(key, {"allOf": both}))
        facts.children[child.step] = child


def is_incoming(place: str) -> bool:
    """Whether the provider calls the operation at, or around, a place: in a webhook or a callback;
    a callback of a webhook is a call to the provider.
    """
    return (place.count(".callbacks.") + place.startswith("webhooks.")) % 2 == 1


def _reach_of(operation: Operation, place: str, directions: int) -> Reach:
    """The reach of a place in an operation."""
    inner = place.removeprefix(operation.place)
    request, answer = (RECEIVED, SENT) if is_incoming(place) else (SENT, RECEIVED)
    if ".responses" in inner:
        directions &= answer
    elif ".requestBody" in inner or ".parameters." in inner:
        directions &= request
    names = frozenset([operation.name])
    return Reach(
        names if directions & SENT else frozenset(), names if directions & RECEIVED else frozenset()
    )


def _meaning(tree: Tree) -> set[str]:
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
    return bool(keywords(member).get("enum")) and _meaning(member) <= {"const", "enum", "type"}


def _inferred_type(facts: Facts) -> Said | None:
    """The type of a schema that says it by its children, or by its values."""
    for step, child in facts.children.items():
        is_list = step.startswith((".items", ".prefixItems"))
        return Said(frozenset({"array" if is_list else "object"}), child.home)
    enum = facts.keywords.get("enum")
    if enum and enum.value and all(value.startswith('"') for value in enum.value):
        return Said(frozenset({"string"}), enum.home)
    return None
