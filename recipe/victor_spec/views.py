"""The schemas of a document: references followed, `allOf` merged, and one view for each alternative
of a union.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple
from urllib.parse import unquote

from victor_spec.tree import (
    SCHEMAS,
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
    unescaped,
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
        """The members of the mapping under a key, each with its place."""
        inner = self.child(key)
        return {name: inner.child(name) for name in inner.tree}

    def items(self, key: str) -> list[Node]:
        """The items of the list under a key, each with its place."""
        nodes: list[Node] = []
        for number, item in enumerate(list_at(self.tree, key)):
            tree = item if is_mapping(item) else {}
            nodes.append(Node(tree, f"{self.place}.{key}.{number}"))
        return nodes


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
        if self.format == "binary":
            return True
        is_medium = "contentMediaType" in self.limits and "contentEncoding" not in self.limits
        return is_medium and self.types in ((), ("string",)) and not self.enum

    def words(self) -> list[Any]:
        """The values of an enum that has members in Python: texts or integers, not both."""
        values = [value for value in self.enum or [] if value is not None]
        kinds = set(map(type, values))
        has_members = kinds in ({str}, {int}) and "const" not in self.limits
        return list(dict.fromkeys(values)) if has_members else []


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
TYPES = ("object", "array", "string", "integer", "number", "boolean")
_NO_TARGET: Tree = {}


class _Family(NamedTuple):
    """A schema that others extend, which its discriminator tells apart."""

    owner: Node
    """The schema that has the discriminator."""
    members: list[Node]
    """References to the schemas that extend it, and to the schema itself."""


class Document:
    """A document, and what a value of each of its schemas may be.

    `views` has the alternatives of a schema: a union has one for each member, a schema that others
    extend has one for each of these, and any other schema has one. What is below an alternative,
    as its properties, are `Node`s, whose own views are made when they are asked for. `follow` leads
    from a reference to its target.
    """

    def __init__(self, tree: Tree) -> None:
        self.root = Node(tree, "")
        self._families = _families(tree)
        """By the id of the schema that others extend."""
        self._views_of_families: dict[int, list[View]] = {}
        self._own: dict[int, tuple[Tree, list[View]]] = {}
        """By the id of each schema: the schema, so that no other one gets its id, and its views
        without those of the schemas that extend it.
        """
        self._redefinitions = _Redefinitions()

    def follow(self, node: Node) -> Node:
        """The target of a reference, with its place; an empty mapping when there is none."""
        tree, reference = followed(self.root.tree, node.tree)
        place = node.place
        if reference:
            place = unescaped(unquote(reference[2:]).replace("/", "."))
        return Node(_NO_TARGET if "$ref" in tree else tree, place)

    def views(self, node: Node) -> list[View]:
        """The alternatives of a schema, or of what it refers to."""
        key = id(self.follow(node).tree)
        if key not in self._families:
            return self._own_views(node)
        if key not in self._views_of_families:
            family = self._families[key]
            views: list[View] = []
            for member in family.members:
                views += self._views_with_tags(family.owner, member, self._own_views(member))
            self._views_of_families[key] = views[:MAX_VIEWS]
        return self._views_of_families[key]

    def _own_views(self, node: Node) -> list[View]:
        """The alternatives of a schema without those of the schemas that extend it."""
        whole = self.follow(node)
        key = id(whole.tree)
        if key not in self._own:
            # Until they are known: a schema that is a part of itself adds nothing.
            self._own[key] = whole.tree, [View(whole.place)]
            try:
                self._own[key] = whole.tree, self._alternatives(whole)
            except BaseException:
                del self._own[key]
                raise
        _, views = self._own[key]
        return views

    def _alternatives(self, node: Node) -> list[View]:
        """The alternatives of a schema that is no reference: one for each way to choose a member of
        its `oneOf` and a member of its `anyOf`, each with all that its `allOf` says.
        """
        views = self._with_parts(node)
        for key in ("oneOf", "anyOf"):
            views = self._with_union(node, key, views)
        return views

    def _with_parts(self, node: Node) -> list[View]:
        """What a schema says itself, with what the parts of its `allOf` say."""
        own = _view_without_parts(node)
        parts = node.items("allOf")
        read = self.views if _is_alias(node, own, parts) else self._own_views
        views = [own]
        for part in parts:
            others = read(part)
            merged = [self._merge(view, other) for view in views for other in others]
            views = _possible_views(merged)
        if len(parts) == 1 and not own.properties and not own.types:
            # another name of the same schema
            targets = self.views(parts[0])
            pairs = zip(views, targets, strict=False)
            return [replace(view, place=target.place) for view, target in pairs]
        return views

    def _with_union(self, node: Node, key: str, views: list[View]) -> list[View]:
        """Each view with each member of a union; null is no member, but makes them nullable."""
        members: list[View] = []
        for part in node.items(key):
            members += self._views_with_tags(node, part, self.views(part))
        valued = members
        if len(members) > 1:
            valued = [member for member in members if member.types or not member.nullable]
        if len(valued) < len(members):
            views = [replace(view, nullable=True) for view in views]
        if not valued:
            return views
        united: list[View] = []
        for view in views:
            united += [self._view_of_member(view, member) for member in valued]
        return _possible_views(united)

    def _view_of_member(self, beside: View, member: View) -> View:
        """A member of a union, with what stands beside the union."""
        merged = self._merge(beside, member)
        if beside.properties:
            return merged
        return replace(merged, place=member.place, closed=member.closed)

    def _views_with_tags(self, owner: Node, member: Node, views: list[View]) -> list[View]:
        """The views of a member, with the words by which the owner's discriminator selects it."""
        discriminator = owner.child("discriminator").tree
        name = discriminator.get("propertyName")
        reference = str(member.tree.get("$ref", ""))
        words = _words_of_member(discriminator, reference)
        if not isinstance(name, str) or not words:
            return views
        return [self._with_tag(view, name, words) for view in views]

    def _with_tag(self, view: View, name: str, words: list[str]) -> View:
        """A view whose property has one of some words, which are numbers where its schema wants
        these.
        """
        kinds: set[str] = set()
        admitted: list[str | int] = []
        if name in view.properties:
            for alternative in self.views(view.properties[name]):
                kinds.update(alternative.types)
                values = alternative.enum or []
                admitted += [value for value in values if isinstance(value, str | int)]
        typed = words_as(words, kinds)
        # A mapping that has other values than the property's enum contradicts it.
        tags = [word for word in typed if word in admitted] or admitted or typed
        if not tags:
            return view
        return replace(view, tags={**view.tags, name: tags})

    def _merge(self, earlier: View, later: View) -> View:
        """What both say; where they contradict each other, what the later one says."""
        enum = later.enum if earlier.enum is None else earlier.enum
        is_contradiction = False
        if earlier.enum is not None and later.enum is not None:
            shared = [value for value in earlier.enum if value in later.enum]
            enum = shared or later.enum
            is_contradiction = not shared
        properties = {**earlier.properties, **later.properties}
        for name, node in later.properties.items():
            if name in earlier.properties:
                properties[name] = self._redefinitions.both(earlier.properties[name], node)
        types = _common_types(later.types, earlier.types) or later.types or earlier.types
        return View(
            place=earlier.place,
            types=types,
            nullable=later.nullable or earlier.nullable,
            enum=enum,
            format=later.format or earlier.format,
            properties=properties,
            required=earlier.required | later.required,
            items=later.items or earlier.items,
            prefix=later.prefix or earlier.prefix,
            additional=later.additional or earlier.additional,
            tags={**earlier.tags, **later.tags},
            limits={**earlier.limits, **later.limits},
            only_null=later.only_null or earlier.only_null,
            impossible=later.impossible or earlier.impossible or is_contradiction,
        )


class _Redefinitions:
    """Properties that several parts of a schema define: one schema of all their definitions.

    The same definitions make the same schema, so that schemas can contain themselves.
    """

    def __init__(self) -> None:
        self._composed: dict[tuple[int, ...] | frozenset[int], Tree] = {}
        """By the ids of the definitions."""
        self._definitions: dict[int, list[Tree]] = {}
        """What each composition is made of, by its id."""

    def both(self, earlier: Node, later: Node) -> Node:
        """One schema of two, which may be compositions themselves."""
        parts: dict[int, Tree] = {}
        for node in (earlier, later):
            for part in self._definitions.get(id(node.tree), [node.tree]):
                parts.setdefault(id(part), part)
        if len(parts) == 1:
            return later
        key = tuple(parts) if len(parts) <= MAX_ORDERED else frozenset(parts)
        whole = self._composed.get(key)
        if whole is None:
            whole = {"allOf": [*parts.values()]}
            self._composed[key] = whole
            self._definitions[id(whole)] = [*parts.values()]
        return Node(whole, later.place)


def _families(document: Tree) -> dict[int, _Family]:
    """The families of a document by the id of each schema that others extend."""
    named = named_schemas(document)
    by_id: dict[int, _Family] = {}
    for family in families(named):
        owner = _named_node(named, family.root)
        for parent, below in family.below.items():
            names = dict.fromkeys([*below, parent])
            if len(names) > 1 or parent != family.root:
                members: list[Node] = []
                for name in names:
                    reference = {"$ref": SCHEMAS + name}
                    members.append(Node(reference, f"components.schemas.{name}"))
                by_id[id(named[parent])] = _Family(owner, members)
    return by_id


def _named_node(named: Tree, name: str) -> Node:
    """A named schema, at its place."""
    return Node(named[name], f"components.schemas.{name}")


def _is_alias(node: Node, own: View, parts: list[Node]) -> bool:
    """Whether an inline schema only refers to another one, with words beside it."""
    is_named = node.place.startswith("components.schemas.") and node.place.count(".") == 2
    if is_named or own.properties:
        return False
    telling = [part for part in parts if part.tree.keys() - WORDS]
    return len(telling) == 1


def _words_of_member(discriminator: Tree, reference: str) -> list[str]:
    """The words that a discriminator maps to a member; without any, the name of the schema."""
    _, _, name = reference.rpartition("/")
    mapping = mapping_at(discriminator, "mapping")
    words = [word for word, target in mapping.items() if target in (reference, name)]
    if not words and name:
        words.append(name)
    return words


def _view_without_parts(node: Node) -> View:
    """What a schema says itself."""
    tree = node.tree
    is_nullable = bool(tree.get("nullable")) or "null" in types_of(tree)
    types = _types(tree, is_nullable=is_nullable)
    additional = tree.get("additionalProperties")
    is_schema = is_mapping(additional) and bool(additional)
    properties = node.mapping("properties")
    for name, schema in node.child("properties").tree.items():
        if schema is False:  # such a property never occurs
            del properties[name]
    return View(
        node.place,
        types,
        nullable=is_nullable,
        enum=_enum(tree, types),
        format=tree["format"] if isinstance(tree.get("format"), str) else None,
        properties=properties,
        required=frozenset(map(str, list_at(tree, "required"))),
        items=node.child("items") if "items" in tree else None,
        prefix=node.items("prefixItems"),
        additional=node.child("additionalProperties") if is_schema else None,
        closed=additional is False,
        limits={key: tree[key] for key in LIMITS if key in tree},
        only_null=is_null(tree),
    )


def _types(tree: Tree, *, is_nullable: bool) -> tuple[str, ...]:
    """The types of a schema without null; of one that has none, what its keywords are about."""
    types = tuple(kind for kind in types_of(tree) if kind in TYPES)
    if types or is_nullable:
        return types
    if is_mapping(tree.get("properties")):
        return ("object",)
    return ("array",) if "items" in tree else ()


def _enum(tree: Tree, types: tuple[str, ...]) -> list[Any] | None:
    """The values that a schema is restricted to; None when it is not."""
    values = [tree["const"]] if "const" in tree else tree.get("enum")
    if not is_list(values):
        return None
    if types == ("string",):  # YAML reads `737` and `true` as no texts
        return [value if isinstance(value, str | None) else json.dumps(value) for value in values]
    return values


def _common_types(types: Sequence[str], others: Sequence[str]) -> tuple[str, ...]:
    """The types that are in both."""
    both = [kind for kind in types if is_among(kind, others)]
    both += [kind for kind in others if is_among(kind, types)]
    return tuple(dict.fromkeys(both))


def _possible_views(views: list[View]) -> list[View]:
    """The alternatives without those that contradict themselves; all of them, when each does."""
    possible = [view for view in views if not view.impossible] or views
    return possible[:MAX_VIEWS]
