"""Every part of a document that can change, and its place.

A place is the dotted path of a part. A method is a step below its path: `paths./p/{id}.get`. A
parameter is named by where it is sent and its name: `paths./p.get.parameters.query:ids`. Its
schema, as that of a header, has the same place, and what is below it begins with `.schema`:
`....query:ids.schema.items`. Lists have indexes: `servers[0].url`. An inline member of `allOf` has
the place of its schema, because both describe one value; so has the only member of `oneOf` or
`anyOf` that is not null.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from .tree import (
    Tree,
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
    "operation",
    "parameter",
    "body",
    "response",
    "header",
    "content",
    "encoding",
    "schema",
    "security scheme",
]

_NAMED: dict[str, Kind] = {
    "parameters": "parameter",
    "headers": "header",
    "requestBodies": "body",
    "responses": "response",
    "securitySchemes": "security scheme",
}
_PARTS: dict[str, Kind] = {
    "responses": "response",
    "headers": "header",
    "content": "content",
    "encoding": "encoding",
}
"""The kinds of the members of what has a name for each."""
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

    def known(self, places: Iterable[str]) -> list[str]:
        """The parts at some places; those below a place that is no part itself, as of all
        responses.
        """
        known: list[str] = []
        for place in places:
            if place in self.by_place:
                known.append(place)
            elif place.endswith(".responses"):
                known += [part for part in self.by_place if part.startswith(f"{place}.")]
        return known

    def resolve(self, tree: Tree) -> Tree:
        """What a part refers to, after all references; the last one whose target does not exist."""
        return followed(self.document, tree)[0]

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
            self._part(tree, f"{place}.{step}", "operation")

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
        """Add an operation or a part of one, and what is written out in it."""
        if not self._add(tree, place, kind):
            return
        self._parameters(tree, place)
        if is_mapping(tree.get("requestBody")):
            self._part(tree["requestBody"], f"{place}.requestBody", "body")
        for key, inner in _PARTS.items():
            for name, part in mappings_at(tree, key):
                self._part(part, f"{place}.{key}.{name}", inner)
        schema = schema_at(tree, "schema")
        if schema is not None:
            below = f"{place}.schema"
            self._schema(schema, place if kind in ("parameter", "header") else below, below)
        for step, called in self.callbacks(tree).items():
            self._part(called, f"{place}.callbacks.{step}", "operation")

    def _schema(self, tree: Tree, place: str, below: str = "") -> None:
        """Add a schema and all that is written out below it, whose places begin with `below`."""
        if self._add(tree, place, "schema"):
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

    def _add(self, tree: Tree, place: str, kind: Kind) -> bool:
        """Add a part itself, and say whether it is a new one."""
        is_new = id(tree) not in self.by_id
        if is_new:
            component = Component(place, kind, tree)
            self.by_id[id(tree)] = component
            self.by_place.setdefault(place, component)
        return is_new

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
