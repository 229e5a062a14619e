"""Every part of a document that can change, and its place.

A place is the dotted path of a part. A method is a step below its path: `paths./p/{id}.get`. A
parameter is named by where it is sent and its name: `paths./p.get.parameters.query:ids`. Its
schema, as that of a header, has the same place, and what is below it begins with `.schema`:
`....query:ids.schema.items`. Lists have indexes: `servers[0].url`. An inline member of `allOf` has
the place of its schema, because both describe one value; so has the only member of `oneOf` or
`anyOf` that is not null.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
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
        named = named_schemas(document)
        self.heirs: dict[int, list[Tree]] = {}
        """By the id of a schema that is read as one of those that have it in their `allOf`: these.
        """
        for family in families(named):
            for parent, below in family.below.items():
                self.heirs[id(named[parent])] = [named[name] for name in below]
        self._walk_document()
        self._walk_other_targets()

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

    def _walk_document(self) -> None:
        named = mapping_at(self.document, "components")
        for name, schema in schemas_at(named, "schemas"):
            self._schema(schema, f"components.schemas.{name}")
        for key, kind in _NAMED.items():
            for name, part in mappings_at(named, key):
                self._part(part, f"components.{key}.{name}", kind)
        for path, item in mappings_at(self.document, "paths"):
            self._path(item, f"paths.{path}", path, incoming=False)
        for name, item in mappings_at(self.document, "webhooks"):
            self._path(item, f"webhooks.{name}", f"webhooks.{name}", incoming=True)

    def _path(self, item: Tree, place: str, path: str, *, incoming: bool) -> None:
        item = path_item(self.document, item)
        self._parameters(item, place)
        for method, step, tree in methods(item):
            name = f"{method} {path}"
            self.operations[name] = Operation(name, f"{place}.{step}", tree, item, place, incoming)
            self._operation(tree, f"{place}.{step}")

    def _operation(self, tree: Tree, place: str) -> None:
        self._add(tree, place, "operation")
        self._parameters(tree, place)
        if is_mapping(tree.get("requestBody")):
            self._part(tree["requestBody"], f"{place}.requestBody", "body")
        for status, answer in mappings_at(tree, "responses"):
            self._part(answer, f"{place}.responses.{status}", "response")
        for step, called in self.callbacks(tree).items():
            if self.of(called) is None:
                self._operation(called, f"{place}.callbacks.{step}")

    def _parameters(self, owner: Tree, place: str) -> None:
        for parameter in trees_at(owner, "parameters"):
            key = parameter_key(self.document, parameter) or parameter.get("$ref")
            self._part(parameter, f"{place}.parameters.{key}", "parameter")

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

    def _part(self, tree: Tree, place: str, kind: Kind) -> None:
        """Add a parameter, header, body or response, and what is written out in it."""
        self._add(tree, place, kind)
        self._schema_of(tree, place, f"{place}.schema")
        if kind != "parameter":
            for name, header in mappings_at(tree, "headers"):
                self._part(header, f"{place}.headers.{name}", "header")
        for content_type, medium in mappings_at(tree, "content"):
            here = f"{place}.content.{content_type}"
            self._add(medium, here, "content")
            self._schema_of(medium, f"{here}.schema", f"{here}.schema")
            for form_field, encoding in mappings_at(medium, "encoding"):
                start = f"{here}.encoding.{form_field}.headers"
                for name, header in mappings_at(encoding, "headers"):
                    self._part(header, f"{start}.{name}", "header")

    def _schema_of(self, owner: Tree, place: str, below: str) -> None:
        schema = schema_at(owner, "schema")
        if schema is not None:
            self._schema(schema, place, below)

    def _schema(self, tree: Tree, place: str, below: str = "") -> None:
        """Add a schema and all that is written out below it, whose places begin with `below`."""
        if id(tree) in self.by_id:
            return
        self._add(tree, place, "schema")
        for step, child in self._children(tree):
            self._schema(child, (below or place) + step)

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

    def _add(self, tree: Tree, place: str, kind: Kind) -> None:
        if id(tree) not in self.by_id:
            component = Component(place, kind, tree)
            self.by_id[id(tree)] = component
            self.by_place.setdefault(place, component)

    def _walk_other_targets(self) -> None:
        """Add the targets of references that are outside the places where OpenAPI has schemas."""
        pending: list[Any] = [self.document]
        for tree in pending:  # it grows
            if is_list(tree):
                pending += tree
            elif is_mapping(tree):
                pending += tree.values()
                reference = str(tree.get("$ref"))
                whole = target(self.document, reference)
                if is_mapping(whole):
                    place = unescaped(reference.removeprefix("#/").replace("/", "."))
                    self._schema(whole, place)


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
