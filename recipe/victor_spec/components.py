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
from typing import Any

from .shape import KINDS
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

_BESIDE_SHAPE = ("contains", "propertyNames", "if", "then", "else", "contentSchema")
_UNEVALUATED = ("unevaluatedItems", "unevaluatedProperties")
_SHAPES = {
    **KINDS,
    "Schema": KINDS["Schema"]
    | dict.fromkeys((*_BESIDE_SHAPE, *_UNEVALUATED), "Schema")
    | {"dependentSchemas": "{Schema}"},
    "Components": KINDS["Components"] | {"securitySchemes": "{SecurityScheme}"},
    "SecurityScheme": {},
}
"""The shapes of `shape`, and of what can change beside them."""
_NO_PARTS = ("PathItem", "Discriminator")
"""What is read with what has it."""


@dataclass(eq=False)
class Component:
    place: str
    kind: str
    """Its name in `shape.yaml`: `Schema`."""
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

    def place(self, tree: Tree, default: str) -> str:
        """The place of a part in the document; `default` for one that was made of others."""
        component = self.by_id.get(id(tree))
        return default if component is None else component.place

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
        self._walk_members(mapping_at(self.document, "components"), "Components", "components")
        for path, item in mappings_at(self.document, "paths"):
            self._walk_path(item, f"paths.{path}", path, incoming=False)
        for name, item in mappings_at(self.document, "webhooks"):
            self._walk_path(item, f"webhooks.{name}", f"webhooks.{name}", incoming=True)

    def _walk_path(self, item: Tree, place: str, path: str, *, incoming: bool) -> None:
        item = path_item(self.document, item)
        for step, parameter in self._inner(item, "parameters", "[Parameter]"):
            self._walk(parameter, "Parameter", place + step)
        for method, step, tree in methods(item):
            name = f"{method} {path}"
            self.operations[name] = Operation(name, f"{place}.{step}", tree, item, place, incoming)
            self._walk(tree, "Operation", f"{place}.{step}")

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

    def _walk(self, tree: Tree, kind: str, place: str, below: str = "") -> None:
        """Add a part, and all that is written out in it. The places of that begin with `below`."""
        if id(tree) not in self.by_id:
            self.by_id[id(tree)] = Component(place, kind, tree)
            self.by_place.setdefault(place, self.by_id[id(tree)])
            self._walk_members(tree, kind, below or place)

    def _walk_members(self, tree: Tree, kind: str, place: str) -> None:
        """Add all that is written out in a part of a kind."""
        for key, shape in _SHAPES[kind].items():
            inner = "Schema" if shape == "additional" else shape.strip("[{}]")
            if inner == "Callback":
                for step, called in self.callbacks(tree).items():
                    self._walk(called, "Operation", f"{place}.callbacks.{step}")
            elif inner in _SHAPES and inner not in _NO_PARTS:
                for step, part in self._inner(tree, key, shape):
                    is_own = key == "schema" and kind in ("Parameter", "Header")
                    self._walk(part, inner, place if is_own else place + step, place + step)

    def _inner(self, tree: Tree, key: str, shape: str) -> Iterator[tuple[str, Tree]]:
        """What a part has under a key, with the steps to it."""
        if shape == "[Parameter]":
            for parameter in trees_at(tree, key):
                name = parameter_key(self.document, parameter) or parameter.get("$ref")
                yield f".parameters.{name}", parameter
        elif shape == "[Schema]":
            parts = schema_list_at(tree, key)
            is_only = key != "prefixItems" and sum(not is_null(part) for part in parts) == 1
            for number, part in enumerate(parts):
                is_same_value = key == "allOf" or (is_only and not is_null(part))
                yield "" if is_same_value else f".{key}[{number}]", part
        elif shape.startswith("{"):
            for name, part in schemas_at(tree, key):
                yield f".{key}.{name}", part
        else:
            whole = schema_at(tree, key)
            if whole is not None:
                yield f".{key}", whole

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
                    self._walk(whole, "Schema", place)
