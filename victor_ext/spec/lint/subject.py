"""One finding, the document that the rules read, and the rules that read examples and the text of the file."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import jsonschema_rs
import yaml

from victor_ext.spec.bounds import read_text
from victor_ext.spec.components import Component, Components, Operation
from victor_ext.spec.tree import Tree, is_list, is_mapping, list_at, mapping_at, mappings_at, trees_at


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

    @cached_property
    def declared(self) -> list[tuple[str, str, Tree]]:
        """The place, the name and the schema of each property of a schema."""
        return [
            (f"{part.place}.properties.{name}", name, child)
            for part in self.schemas
            for name, child in mappings_at(part.tree, "properties")
        ]

    @property
    def operations(self) -> Iterator[Operation]:
        """The operations that the client calls."""
        return (each for each in self.parts.operations.values() if not each.incoming)

    def parameters(self, operation: Operation) -> list[Tree]:
        """The parameters of an operation and of its path, references followed."""
        return [self.parts.resolve(parameter) for parameter in self.parts.parameters(operation).values()]

    def responses(self, operation: Operation) -> list[tuple[str, Tree]]:
        """The status and the response of each answer."""
        return [(status, self.parts.resolve(each)) for status, each in mappings_at(operation.tree, "responses")]

    def success(self, operation: Operation) -> Iterator[Tree]:
        """The schemas of the good answers."""
        for status, response in self.responses(operation):
            if status.startswith("2"):
                schemas = (mapping_at(medium, "schema") for _, medium in mappings_at(response, "content"))
                yield from filter(None, schemas)

    def properties(self, schema: Tree) -> Tree:
        """The properties of a schema and of all members of `allOf`, `oneOf` and `anyOf`."""
        properties: Tree = {}
        parts = [self.parts.resolve(schema)]
        for part in parts:  # it grows
            inner = (self.parts.resolve(each) for key in ("allOf", "oneOf", "anyOf") for each in trees_at(part, key))
            parts += [each for each in inner if all(each is not other for other in parts)]
            properties |= dict(mappings_at(part, "properties"))
        return properties


_DOCUMENT = "urn:document"


def refused_example(subject: Subject) -> Iterator[Finding]:
    """The examples and defaults of schemas, parameters and contents that the schema beside them refuses."""
    version_31 = subject.parts.version_31
    document = _json_schema(subject.parts.document, version_31=version_31)
    registry = jsonschema_rs.Registry([(_DOCUMENT, document)])
    for part in subject.parts.all():
        for key, example in _examples(part):
            schema = part.tree if part.kind == "schema" else part.tree.get("schema", {})
            why = _refusal(_json_schema(schema, version_31=version_31), example, registry)
            if why:
                shown = _short(json.dumps(example, ensure_ascii=False, default=str), 60)
                yield Finding(f"{part.place}.{key}", f"{shown} is refused by its schema: {why}")


def _examples(part: Component) -> Iterator[tuple[str, Any]]:
    if part.kind not in ("schema", "parameter", "header", "content"):
        return
    keys = ("example", "default") if part.kind == "schema" else ("example",)
    yield from ((key, part.tree[key]) for key in keys if key in part.tree)
    if part.kind == "schema":
        yield from ((f"examples[{number}]", each) for number, each in enumerate(list_at(part.tree, "examples")))
    else:
        named = mappings_at(part.tree, "examples")
        yield from ((f"examples.{name}", each["value"]) for name, each in named if "value" in each)


def _refusal(schema: Any, example: Any, registry: jsonschema_rs.Registry) -> str | None:
    try:
        validator = jsonschema_rs.Draft202012Validator(schema, registry=registry, validate_formats=False)
        error = next(iter(validator.iter_errors(example)), None)
    except (ValueError, jsonschema_rs.ReferencingError):
        return None  # the schema itself is at fault
    if error is None:
        return None
    path = "".join(f"[{each}]" if isinstance(each, int) else f".{each}" for each in error.instance_path)
    message = _short(" ".join(error.message.split()), 160)
    return f"{path.lstrip('.')}: {message}" if path else message


def _json_schema(tree: Any, *, version_31: bool) -> Any:
    """A part of a document in the JSON Schema of 2020-12: OpenAPI 3.0 writes null and exclusive limits otherwise."""
    if is_list(tree):
        return [_json_schema(each, version_31=version_31) for each in tree]
    if not is_mapping(tree):
        return tree
    schema: Tree = {key: _json_schema(value, version_31=version_31) for key, value in tree.items()}
    if isinstance(schema.get("$ref"), str) and schema["$ref"].startswith("#"):
        schema["$ref"] = f"{_DOCUMENT}{schema['$ref']}"
    if version_31:
        return schema
    for flag, limit in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if isinstance(schema.get(flag), bool) and schema.pop(flag) and limit in schema:
            schema[flag] = schema.pop(limit)
    return {"anyOf": [schema, {"type": "null"}]} if schema.get("nullable") is True else schema


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 3]}..."


_READ_AS = (
    # Leading zeros (octal in YAML 1.1), more digits than a double holds, and base 60.
    (re.compile(r"0[0-9_]+|[0-9]{16,}|[0-9]+(?::[0-5]?[0-9])+"), "a number"),
    (re.compile(r"\d{4}-\d\d?-\d\d?(?:[Tt ].*)?"), "a date"),
    (re.compile(r"(?i)yes|no|on|off|y|n"), "true or false"),
)


def unquoted_value(subject: Subject) -> Iterator[Finding]:
    """The plain scalars that YAML 1.1 reads as a number, a date or a flag, and YAML 1.2 as text."""
    pending: list[tuple[yaml.Node | None, str]] = []
    if subject.file.suffix != ".json":
        pending.append((yaml.compose(read_text(subject.file), Loader=yaml.CSafeLoader), ""))  # pyright: ignore[reportUnknownMemberType]
    seen: set[int] = set()
    while pending:
        current, where = pending.pop()
        if current is None or id(current) in seen:
            continue
        seen.add(id(current))
        if isinstance(current, yaml.MappingNode):
            children = [(value, f"{where}.{key.value}".lstrip(".")) for key, value in current.value]
            pending += reversed(children)
        elif isinstance(current, yaml.SequenceNode):
            pending += reversed([(value, f"{where}[{number}]") for number, value in enumerate(current.value)])
        elif isinstance(current, yaml.ScalarNode) and not current.style:
            line = current.start_mark.line + 1
            for what in [what for pattern, what in _READ_AS if pattern.fullmatch(current.value)][:1]:
                yield Finding(where, f"{current.value} in line {line} is not quoted, and YAML 1.1 reads it as {what}")
