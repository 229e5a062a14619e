"""One finding, and the document that the rules read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from victor_ext.spec.diff.components import Component, Components, Operation
from victor_ext.spec.tree import Tree, mappings_at, trees_at


class Finding(NamedTuple):
    """A place of the document, in the words of `victor spec diff`, and what is wrong there."""

    place: str
    what: str


@dataclass(frozen=True)
class Subject:
    """The document that is looked at, and its file."""

    file: Path
    parts: Components

    @cached_property
    def schemas(self) -> list[Component]:
        """The schemas, each once, also where an inline one shares the place of another."""
        return [part for part in self.parts.all() if part.kind == "schema" and "$ref" not in part.tree]

    @property
    def operations(self) -> Iterator[Operation]:
        """The operations that the client calls."""
        return (each for each in self.parts.operations.values() if not each.incoming)

    def parameters(self, operation: Operation) -> list[tuple[str, Tree]]:
        """The parameters of an operation and of its path, each with its place."""
        return [
            (f"{place}.parameters.{self.parts.key(each)}", self.parts.resolve(each))
            for place, tree in ((operation.place, operation.tree), (operation.item_place, operation.item))
            for each in trees_at(tree, "parameters")
        ]

    def responses(self, operation: Operation) -> list[tuple[str, Tree]]:
        """The status and the response of each answer."""
        return [(status, self.parts.resolve(each)) for status, each in mappings_at(operation.tree, "responses")]

    def success(self, operation: Operation) -> Iterator[Tree]:
        """The schemas of the good answers, references followed."""
        for status, response in self.responses(operation):
            if status.startswith("2"):
                for _, medium in mappings_at(response, "content"):
                    if isinstance(medium.get("schema"), dict):
                        yield self.parts.resolve(medium["schema"])

    def properties(self, schema: Tree, seen: frozenset[int] = frozenset()) -> Tree:
        """The properties of a schema and of all members of `allOf`, `oneOf` and `anyOf`."""
        schema = self.parts.resolve(schema)
        if id(schema) in seen:
            return {}
        found: Tree = {}
        for key in ("allOf", "oneOf", "anyOf"):
            for part in trees_at(schema, key):
                found |= self.properties(part, seen | {id(schema)})
        return found | dict(mappings_at(schema, "properties"))
