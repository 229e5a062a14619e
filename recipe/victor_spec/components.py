"""Every part of a document that can change: its place, and the operations that reach it.

A place is the dotted path of a part. A method is a step below its path: `paths./p/{id}.get`. A
parameter is named by where it is sent and its name: `paths./p.get.parameters.query:ids`. Its
schema, as that of a header, has the same place, and what is below it begins with `.schema`:
`....query:ids.schema.items`. Lists have indexes: `servers[0].url`. An inline member of `allOf` has
the place of its schema, because both describe one value; so has the only member of `oneOf` or
`anyOf` that is not null.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal

from .tree import (
    Tree,
    around,
    families,
    followed,
    is_list,
    is_mapping,
    is_null,
    mapping_at,
    mappings_at,
    members,
    methods,
    named_schemas,
    parameter_key,
    parameters,
    path_item,
    schema_at,
    schema_list_at,
    schemas_at,
    target,
    trees_at,
    unescaped,
)

Kind = Literal[
    "operation", "parameter", "body", "response", "header", "content", "schema", "security scheme"
]

_NAMED: dict[str, Kind] = {
    "parameters": "parameter",
    "headers": "header",
    "requestBodies": "body",
    "responses": "response",
    "securitySchemes": "security scheme",
}
_SENT, _RECEIVED, _BOTH = 1, 2, 3
_SCHEMA_MAPS = ("properties", "patternProperties", "$defs", "dependentSchemas")
_SCHEMA_LISTS = ("oneOf", "anyOf", "prefixItems")
_SCHEMAS = (
    *("items", "additionalProperties", "not", "contains", "propertyNames", "if", "then", "else"),
    *("unevaluatedProperties", "unevaluatedItems", "contentSchema"),
)


@dataclass(eq=False)
class Component:
    place: str
    kind: Kind
    tree: Tree
    """What the document says there; `{"$ref": ...}` where it refers to another part."""
    sent: frozenset[str] = frozenset()
    """The operations whose requests contain it: `post /v1/cards`."""
    received: frozenset[str] = frozenset()
    """The operations whose responses contain it."""


@dataclass(eq=False)
class _Reach:
    """The operations that reach a part, one bit each, and what is reached from it."""

    sent: int = 0
    received: int = 0
    onward: list[tuple[_Reach, int]] = field(default_factory=list["tuple[_Reach, int]"])
    """With the directions in which it exists there: a read-only property is not sent."""


@dataclass(eq=False)
class Operation:
    """One method of one path, or of one webhook."""

    name: str
    """`get /v1/cards`; `post webhooks.paid` for a webhook."""
    place: str
    tree: Tree
    item: Tree
    item_place: str
    incoming: bool = False
    """Whether the provider calls it: its bodies are received, and its answers are sent."""


class Components:
    """The parts of a document that `load` has read: no two of them share an object.

    Boolean schemas become mappings.
    """

    def __init__(self, document: Tree) -> None:
        self.document = document
        self.by_place: dict[str, Component] = {}
        """Each part by its place. Where two have one place (members of `allOf`), the first."""
        self.operations: dict[str, Operation] = {}
        """Each operation by its name, in the order of the document; without callbacks."""
        self.by_id: dict[int, Component] = {}
        """Every part once, by the id of its tree, in the order of the document."""
        self._reaches = defaultdict[int, _Reach](_Reach)
        """By the ids of the parts."""
        self._sources: list[_Reach] = []
        self._targets = self._find_targets()
        self.referenced = {id(tree) for tree in self._targets.values()}
        """The ids of the parts that a reference leads to."""
        named = named_schemas(document)
        self.heirs: dict[int, list[Tree]] = {}
        """By the id of a schema that is read as one of those that have it in their `allOf`: these.
        """
        for family in families(named):
            for parent, below in family.below.items():
                self.heirs[id(named[parent])] = [named[name] for name in below]
        self._extending = {
            id(part) for _, schema in members(named) for part in schema_list_at(schema, "allOf")
        }
        self._walk_document()
        self._walk_other_targets()
        self._spread()

    def of(self, tree: Tree) -> Component | None:
        """The part that is this very object of the document."""
        return self.by_id.get(id(tree))

    def resolve(self, tree: Tree) -> Tree:
        """What a part refers to, after all references; the last one whose target does not exist."""
        return followed(self.document, tree)[0]

    def home(self, place: str) -> str:
        """The place where the document describes what is at a place that follows references.

        `paths./cards.get.responses.200.content.application/json.schema.properties.price` is
        `components.schemas.Card.properties.price` if the answer refers to `Card`.
        """
        seen: set[str] = set()
        while place not in seen:
            seen.add(place)
            # What is written out inside a part is described there, wherever the part itself refers
            # to.
            known = [part for part in around(place) if part in self.by_place]
            if not known:
                break
            part = known[-1]
            whole = self.of(self.resolve(_only_reference(self.by_place[part].tree)))
            if whole is not None:
                place = whole.place + place[len(part) :]
        return place

    def _find_targets(self) -> dict[str, Tree]:
        """The targets of all references, by the references."""
        schemas_at(mapping_at(self.document, "components"), "schemas")
        targets: dict[str, Tree] = {}
        pending: list[Any] = [self.document]
        for tree in pending:  # it grows
            if is_list(tree):
                pending += tree
            if not is_mapping(tree):
                continue
            pending += tree.values()
            if "$ref" in tree:
                whole = target(self.document, str(tree["$ref"]))
                if is_mapping(whole):
                    targets[str(tree["$ref"])] = whole
        return targets

    def _walk_document(self) -> None:
        named = mapping_at(self.document, "components")
        for name, schema in schemas_at(named, "schemas"):
            self._schema(schema, f"components.schemas.{name}", _Reach())
        for key, kind in _NAMED.items():
            for name, part in mappings_at(named, key):
                self._part(part, f"components.{key}.{name}", _Reach(), kind)
        for path, item in mappings_at(self.document, "paths"):
            self._path(item, f"paths.{path}", path, incoming=False)
        for name, item in mappings_at(self.document, "webhooks"):
            self._path(item, f"webhooks.{name}", f"webhooks.{name}", incoming=True)

    def _path(self, item: Tree, place: str, path: str, *, incoming: bool) -> None:
        item = path_item(self.document, item)
        shared = self._source()
        self._parameters(item, place, shared)
        for method, step, tree in methods(item):
            name = f"{method} {path}"
            self.operations[name] = Operation(name, f"{place}.{step}", tree, item, place, incoming)
            bit = 1 << (len(self.operations) - 1)
            if incoming:
                shared.received |= bit
            else:
                shared.sent |= bit
            self._operation(tree, f"{place}.{step}", bit, incoming=incoming)

    def _operation(self, tree: Tree, place: str, bit: int, *, incoming: bool) -> None:
        sent, received = self._source(sent=bit), self._source(received=bit)
        request, response = (received, sent) if incoming else (sent, received)
        self._add(tree, place, self._source(bit, bit), "operation")
        self._parameters(tree, place, request)
        if is_mapping(tree.get("requestBody")):
            self._part(tree["requestBody"], f"{place}.requestBody", request, "body")
        for status, answer in mappings_at(tree, "responses"):
            self._part(answer, f"{place}.responses.{status}", response, "response")
        for step, called in self.callbacks(tree).items():
            if self.of(called) is None:
                self._operation(called, f"{place}.callbacks.{step}", bit, incoming=not incoming)

    def _parameters(self, owner: Tree, place: str, above: _Reach) -> None:
        for parameter in trees_at(owner, "parameters"):
            key = parameter_key(self.document, parameter) or parameter.get("$ref")
            self._part(parameter, f"{place}.parameters.{key}", above, "parameter")

    def callbacks(self, operation: Tree) -> dict[str, Tree]:
        """The operations of callbacks by what their places end with."""
        callbacks: dict[str, Tree] = {}
        for name, callback in mappings_at(operation, "callbacks"):
            for expression, item in members(self.resolve(callback)):
                for _, step, tree in methods(path_item(self.document, item)):
                    callbacks[f"{name}.{expression}.{step}"] = tree
        return callbacks

    def parameters(self, operation: Operation) -> dict[str, Tree]:
        """The parameters of an operation, those of its path included, by their keys."""
        return parameters(self.document, operation.item, operation.tree)

    def _source(self, sent: int = 0, received: int = 0) -> _Reach:
        self._sources.append(_Reach(sent, received))
        return self._sources[-1]

    def _part(self, tree: Tree, place: str, above: _Reach, kind: Kind) -> None:
        """Add a parameter, header, body or response, and what is written out in it."""
        reach = self._add(tree, place, above, kind)
        self._schema_of(tree, place, f"{place}.schema", reach)
        if kind != "parameter":
            for name, header in mappings_at(tree, "headers"):
                self._part(header, f"{place}.headers.{name}", reach, "header")
        for content_type, medium in mappings_at(tree, "content"):
            here = f"{place}.content.{content_type}"
            within = self._add(medium, here, reach, "content")
            self._schema_of(medium, f"{here}.schema", f"{here}.schema", within)
            for form_field, encoding in mappings_at(medium, "encoding"):
                start = f"{here}.encoding.{form_field}.headers"
                for name, header in mappings_at(encoding, "headers"):
                    self._part(header, f"{start}.{name}", within, "header")

    def _schema_of(self, owner: Tree, place: str, below: str, above: _Reach) -> None:
        schema = schema_at(owner, "schema")
        if schema is not None:
            self._schema(schema, place, above, below=below)

    def _schema(
        self, tree: Tree, place: str, above: _Reach, directions: int = _BOTH, *, below: str = ""
    ) -> None:
        """Add a schema and all that is written out below it, whose places begin with `below`."""
        is_new = id(tree) not in self.by_id
        reach = self._add(tree, place, above, "schema", directions)
        below = below or place
        for step, child in self._children(tree) if is_new else ():
            self._schema(child, below + step, reach, self._directions(child), below=below + step)

    def _children(self, tree: Tree) -> Iterator[tuple[str, Tree]]:
        for part in schema_list_at(tree, "allOf"):
            yield "", part
        for key in _SCHEMA_MAPS:
            for name, child in schemas_at(tree, key):
                yield f".{key}.{name}", child
        for key in _SCHEMA_LISTS:
            children = schema_list_at(tree, key)
            only = key != "prefixItems" and sum(not is_null(each) for each in children) == 1
            for number, child in enumerate(children):
                yield "" if only and not is_null(child) else f".{key}[{number}]", child
        for key in _SCHEMAS:
            if (schema := schema_at(tree, key)) is not None:
                yield f".{key}", schema

    def _directions(self, schema: Tree) -> int:
        """The directions in which a property is there."""
        both = schema, self.resolve(schema)
        directions = _BOTH
        if any(tree.get("readOnly") is True for tree in both):
            directions &= _RECEIVED
        if any(tree.get("writeOnly") is True for tree in both):
            directions &= _SENT
        return directions

    def _add(
        self, tree: Tree, place: str, above: _Reach, kind: Kind, directions: int = _BOTH
    ) -> _Reach:
        reach = self._reaches[id(tree)]
        above.onward.append((reach, directions))
        if id(tree) in self.by_id:
            return reach
        component = Component(place, kind, tree)
        self.by_id[id(tree)] = component
        self.by_place.setdefault(place, component)
        whole = self._targets.get(str(tree["$ref"])) if "$ref" in tree else None
        if whole is not None:
            heirs = [] if id(tree) in self._extending else self.heirs.get(id(whole), [])
            for each in (whole, *heirs):
                reach.onward.append((self._reaches[id(each)], _BOTH))
        return reach

    def _walk_other_targets(self) -> None:
        """Add the targets of references that are outside the places where OpenAPI has schemas."""
        for reference, whole in self._targets.items():
            if id(whole) not in self.by_id:
                place = unescaped(reference.removeprefix("#/").replace("/", "."))
                self._schema(whole, place, _Reach())

    def _spread(self) -> None:
        """Give each part the operations that reach it."""
        pending = deque(self._sources)
        while pending:
            above = pending.popleft()
            for reach, directions in above.onward:
                sent = reach.sent | (above.sent if directions & _SENT else 0)
                received = reach.received | (above.received if directions & _RECEIVED else 0)
                if (sent, received) != (reach.sent, reach.received):
                    reach.sent, reach.received = sent, received
                    pending.append(reach)
        names = [*self.operations]

        @cache
        def named(mask: int) -> frozenset[str]:
            return frozenset(name for number, name in enumerate(names) if mask >> number & 1)

        for key, component in self.by_id.items():
            component.sent = named(self._reaches[key].sent)
            component.received = named(self._reaches[key].received)


def _only_reference(tree: Tree) -> Tree:
    """The reference that a schema consists of: `allOf` with one member, or one member beside
    null.
    """
    seen: set[int] = set()
    while "$ref" not in tree and id(tree) not in seen:
        seen.add(id(tree))
        every = [part for key in ("allOf", "oneOf", "anyOf") for part in trees_at(tree, key)]
        parts = [part for part in every if not is_null(part)]
        if len(parts) != 1 or "properties" in tree:
            break
        tree = parts[0]
    return tree
