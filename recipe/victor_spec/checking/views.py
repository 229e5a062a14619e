"""The schemas of a document: references followed, `allOf` merged, and one view for each alternative
of a union.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, NamedTuple
from urllib.parse import unquote

from victor_spec.tree import (
    Tree,
    families,
    followed,
    is_among,
    is_list,
    is_mapping,
    is_null,
    list_at,
    mapping_at,
    named_schemas,
    types_of,
    words_as,
)

MAX_VIEWS = 64
"""Alternatives of one schema that are looked at; more are nested unions, whose members have views
of their own.
"""
MAX_ORDERED = 2
"""Definitions of one property whose order counts: where they contradict each other, the later one
holds. Of more, there would be a composition for each order in which schemas that contain each other
can be merged.
"""


class Node(NamedTuple):
    tree: Tree
    place: str

    def child(self, key: str) -> Node:
        """The part under a key; an empty mapping when it is no mapping."""
        return Node(mapping_at(self.tree, key), f"{self.place}.{key}")

    def mapping(self, key: str) -> dict[str, Node]:
        inner = self.child(key)
        return {name: inner.child(name) for name in inner.tree}

    def items(self, key: str) -> list[Node]:
        items = enumerate(list_at(self.tree, key))
        return [
            Node(each if is_mapping(each) else {}, f"{self.place}.{key}.{number}")
            for number, each in items
        ]


@dataclass
class View:
    """What a schema says of a value, without references and unions."""

    place: str
    types: tuple[str, ...] = ()
    """Without "null"; empty when any type is allowed."""
    nullable: bool = False
    enum: list[Any] | None = None
    format: str | None = None
    properties: dict[str, Node] = field(default_factory=dict[str, Node])
    required: frozenset[str] = frozenset()
    items: Node | None = None
    prefix: list[Node] = field(default_factory=list[Node])
    additional: Node | None = None
    closed: bool = False
    """No other properties are allowed."""
    tags: dict[str, list[str | int]] = field(default_factory=dict[str, list[str | int]])
    """The values of discriminators that select this alternative of a union."""
    limits: Tree = field(default_factory=dict[str, Any])
    only_null: bool = False
    impossible: bool = False
    """Whether what it is merged of contradicts itself, so that no value has all of it."""

    @property
    def binary(self) -> bool:
        """Whether the value is bytes, outside of JSON."""
        media = "contentMediaType" in self.limits and "contentEncoding" not in self.limits
        return self.format == "binary" or (
            media and self.types in ((), ("string",)) and not self.enum
        )

    def words(self) -> list[Any]:
        """The values of an enum that has members in Python: texts or integers, not both."""
        values = [value for value in self.enum or [] if value is not None]
        kinds: set[type[Any]] = {type(value) for value in values}
        return (
            list(dict.fromkeys(values))
            if kinds in ({str}, {int}) and "const" not in self.limits
            else []
        )


WORDS = {
    "description",
    "title",
    "nullable",
    "example",
    "examples",
    "deprecated",
    "readOnly",
    "writeOnly",
}
"""What a schema says beside the type of a value."""
LIMITS = ("const", "minItems", "contentMediaType", "contentEncoding")


class Document:
    def __init__(self, tree: Tree) -> None:
        self.root = Node(tree, "")
        self._views: dict[
            int, tuple[Tree, list[View]]
        ] = {}  # with the tree, so that no other one gets its id
        self._composed: dict[tuple[int, ...] | frozenset[int], Tree] = {}
        """The compositions of several definitions of one property, by the ids of the definitions.
        """
        self._parts: dict[int, list[Tree]] = {}
        self._targets: dict[int, tuple[Tree, Node]] = {}
        """By the id of each schema: the schema, and what it refers to; without a place, itself."""
        self._families = self._find_families()
        self._alternatives: dict[int, list[View]] = {}

    def follow(self, node: Node) -> Node:
        """The target of a reference, with its place; an empty mapping when there is none."""
        key = id(node.tree)
        if key not in self._targets:
            tree, reference = followed(self.root.tree, node.tree)
            place = unquote(reference[2:]).replace("/", ".").replace("~1", "/").replace("~0", "~")
            self._targets[key] = node.tree, Node({} if "$ref" in tree else tree, place)
        _, target = self._targets[key]
        return target if target.place else Node(target.tree, node.place)

    def views(self, node: Node) -> list[View]:
        """One view for each alternative of a schema: a single one when it has no union, and no
        children.
        """
        whole = self.follow(node)
        if id(whole.tree) not in self._families:
            return self._plain(node)
        if id(whole.tree) not in self._alternatives:
            owner, members = self._families[id(whole.tree)]
            alternatives = [
                view for each in members for view in self._tagged(owner, each, self._plain(each))
            ]
            self._alternatives[id(whole.tree)] = alternatives[:MAX_VIEWS]
        return self._alternatives[id(whole.tree)]

    def _find_families(self) -> dict[int, tuple[Node, list[Node]]]:
        """By the id of each schema that has children: whose discriminator tells them apart, and
        they and the schema.
        """
        named = named_schemas(self.root.tree)
        found: dict[int, tuple[Node, list[Node]]] = {}
        for root, family in families(named).items():
            for parent, below in family.items():
                nodes = [
                    Node({"$ref": f"#/components/schemas/{each}"}, f"components.schemas.{each}")
                    for each in dict.fromkeys([*below, parent])
                ]
                if len(nodes) > 1 or parent != root:
                    found[id(named[parent])] = (
                        Node(named[root], f"components.schemas.{root}"),
                        nodes,
                    )
        return found

    def _plain(self, node: Node) -> list[View]:
        """The same without the children of a schema with a discriminator."""
        whole = self.follow(node)
        key = id(whole.tree)
        if key not in self._views:
            # a schema that is a part of itself adds nothing
            self._views[key] = (
                whole.tree,
                [View(whole.place)],
            )
            try:
                self._views[key] = whole.tree, self._build(whole)
            except BaseException:
                del self._views[key]
                raise
        return self._views[key][1]

    def _build(self, node: Node) -> list[View]:
        own = _own(node)
        views, parts = [own], node.items("allOf")
        named = node.place.startswith("components.schemas.") and node.place.count(".") == 2
        alias = (
            not named
            and not own.properties
            and sum(bool(part.tree.keys() - WORDS) for part in parts) == 1
        )
        for part in parts:
            others = self.views(part) if alias else self._plain(part)
            views = _possible([self._merge(one, other) for one in views for other in others])
        # another name of the same schema
        if len(parts) == 1 and not own.properties and not own.types:
            views = [
                replace(view, place=other.place)
                for view, other in zip(views, self.views(parts[0]), strict=False)
            ]
        for key in ("oneOf", "anyOf"):
            members = [
                view
                for part in node.items(key)
                for view in self._tagged(node, part, self.views(part))
            ]
            valued = [
                view for view in members if view.types or not view.nullable or len(members) == 1
            ]
            if len(valued) < len(members):
                views = [replace(view, nullable=True) for view in views]
            if valued:
                merged = [
                    replace(
                        self._merge(one, other),
                        place=one.place if one.properties else other.place,
                        closed=other.closed and not one.properties,
                    )
                    for one in views
                    for other in valued
                ]
                views = _possible(merged)
        return views

    def _tagged(self, node: Node, part: Node, views: list[View]) -> Iterator[View]:
        """The alternatives of a member of a union, with the words of the discriminator that select
        it.
        """
        discriminator = node.child("discriminator").tree
        name, mapping = discriminator.get("propertyName"), discriminator.get("mapping")
        reference = str(part.tree.get("$ref", ""))
        called = reference.rpartition("/")[2]
        words = [
            word
            for word, to in (mapping if is_mapping(mapping) else {}).items()
            if to in (reference, called)
        ]
        # without a mapping, the word is the name of the schema
        words = words or [called] * bool(called)
        for view in views:
            # A mapping that has other values than the property's enum contradicts it.
            declared = (
                self.views(view.properties[name])
                if isinstance(name, str) and name in view.properties
                else []
            )
            own = [
                value
                for each in declared
                for value in each.enum or []
                if isinstance(value, str | int)
            ]
            typed = words_as(map(str, words), {kind for each in declared for kind in each.types})
            tags = [word for word in typed if word in own] or own or typed
            yield (
                replace(view, tags={**view.tags, name: tags})
                if isinstance(name, str) and words and tags
                else view
            )

    def _merge(self, one: View, other: View) -> View:
        """What both say; where they contradict each other, what the second says."""
        common = _common(other.types, one.types)
        enum, both = other.enum if one.enum is None else one.enum, True
        if one.enum is not None and other.enum is not None:
            shared = [value for value in one.enum if value in other.enum]
            enum, both = shared or other.enum, bool(shared)
        twice = [name for name in other.properties if name in one.properties]
        redefined = {
            name: self._both(one.properties[name], other.properties[name]) for name in twice
        }
        merged = {
            each.name: getattr(other, each.name) or getattr(one, each.name) for each in fields(View)
        }
        merged |= {
            "place": one.place,
            "types": common or other.types or one.types,
            "enum": enum,
            "closed": False,
        }
        merged |= {
            name: {**getattr(one, name), **getattr(other, name)}
            for name in ("properties", "tags", "limits")
        }
        merged["properties"] |= redefined
        merged["required"] |= one.required
        merged["impossible"] |= not both
        return View(**merged)

    def _both(self, earlier: Node, later: Node) -> Node:
        """One schema of two; the same one for the same definitions, so that schemas can contain
        themselves.
        """
        parts = {
            id(part): part
            for node in (earlier, later)
            for part in self._parts.get(id(node.tree), [node.tree])
        }
        if len(parts) == 1:
            return later
        key = tuple(parts) if len(parts) <= MAX_ORDERED else frozenset(parts)
        if key not in self._composed:
            self._composed[key] = {"allOf": [*parts.values()]}
            self._parts[id(self._composed[key])] = [*parts.values()]
        return Node(self._composed[key], later.place)


def _own(node: Node) -> View:
    tree = node.tree
    nullable = bool(tree.get("nullable")) or "null" in types_of(tree)
    types = [
        kind
        for kind in types_of(tree)
        if kind in ("object", "array", "string", "integer", "number", "boolean")
    ]
    if not types and not nullable:
        types = (
            ["object"]
            if is_mapping(tree.get("properties"))
            else ["array"]
            if "items" in tree
            else []
        )
    additional, required, enum = (
        tree.get("additionalProperties"),
        tree.get("required"),
        tree.get("enum"),
    )
    if "const" in tree:
        enum = [tree["const"]]
    if is_list(enum) and types == ["string"]:  # YAML reads `737` and `true` as no texts
        enum = [
            json.dumps(value) if isinstance(value, (bool, int, float)) else value for value in enum
        ]
    declared = node.child("properties").tree
    return View(
        node.place,
        tuple(types),
        nullable=nullable,
        enum=enum if is_list(enum) else None,
        format=tree["format"] if isinstance(tree.get("format"), str) else None,
        # A property whose schema is `false` never occurs.
        properties={
            name: each
            for name, each in node.mapping("properties").items()
            if declared[name] is not False
        },
        required=frozenset(str(name) for name in required) if is_list(required) else frozenset(),
        items=node.child("items") if "items" in tree else None,
        prefix=node.items("prefixItems"),
        additional=node.child("additionalProperties")
        if is_mapping(additional) and additional
        else None,
        closed=additional is False,
        limits={key: tree[key] for key in LIMITS if key in tree},
        only_null=is_null(tree),
    )


def _common(types: Sequence[str], others: Sequence[str]) -> tuple[str, ...]:
    """The types that are in both."""
    both = [
        each
        for these, those in ((types, others), (others, types))
        for each in these
        if is_among(each, those)
    ]
    return tuple(dict.fromkeys(both))


def _possible(views: list[View]) -> list[View]:
    """The alternatives without those that contradict themselves; all of them, when each does."""
    return ([view for view in views if not view.impossible] or views)[:MAX_VIEWS]
