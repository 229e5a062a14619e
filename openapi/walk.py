"""Where the schemas and operations of an OpenAPI document are, and what its references point to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import unquote

from document import Tree

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


class Operation(NamedTuple):
    """One method of one path."""

    method: str
    path: str
    item: Tree
    tree: Tree

    @property
    def where(self) -> str:
        return f"{self.method.upper()} {self.path}"


def operations(document: Tree) -> list[Operation]:
    """All operations, in the order of the document."""
    return [
        Operation(method, path, item, item[method])
        for path, item in document.get("paths", {}).items()
        for method in METHODS
        if method in item
    ]


def components(document: Tree) -> Tree:
    """The named schemas."""
    schemas: Tree = document.setdefault("components", {}).setdefault("schemas", {})
    return schemas


def target(document: Tree, reference: str) -> Any:
    """What a local reference points to; None when it points nowhere, or to another file."""
    if not reference.startswith("#/"):
        return None
    found: Any = document
    for step in reference[2:].split("/"):
        name = unquote(step).replace("~1", "/").replace("~0", "~")
        if isinstance(found, list) and name.isdecimal() and int(name) < len(found):
            found = found[int(name)]
        elif isinstance(found, dict) and name in found:
            found = found[name]
        else:
            return None
    return found


def resolve(document: Tree, tree: Tree) -> Tree:
    """The schema, parameter or answer itself, all references followed; {} when one of them points nowhere."""
    seen: set[str] = set()
    while "$ref" in tree:
        reference = tree["$ref"]
        found = target(document, reference)
        if reference in seen or not isinstance(found, dict):
            return {}
        seen.add(reference)
        tree = found
    return tree


def children(schema: Tree) -> Iterator[tuple[str, Tree]]:
    """The schemas directly inside one, with how to say where."""
    for name, child in (schema.get("properties") or {}).items():
        yield f".{name}", child
    for key in ("allOf", "oneOf", "anyOf", "prefixItems"):
        for number, child in enumerate(schema.get(key) or []):
            yield f"({key} {number + 1})", child
    for key, mark in (("items", "[]"), ("additionalProperties", ".*"), ("not", "(not)")):
        if isinstance(schema.get(key), dict):
            yield mark, schema[key]


def below(where: str, schema: Tree) -> Iterator[tuple[str, Tree]]:
    """A schema and all inside it; references are yielded, not followed."""
    yield where, schema
    for step, child in children(schema):
        yield from below(where + step, child)


def roots(document: Tree) -> Iterator[tuple[str, Tree]]:
    """The outermost schemas: the named ones, then those of parameters, bodies and answers."""
    yield from components(document).items()
    for operation in operations(document):
        for parameter in parameters(operation):
            if "schema" in parameter:
                yield f"{operation.where} {parameter.get('in')} {parameter.get('name')}", parameter["schema"]
        for kind, media in media_types(operation):
            for content_type, medium in media.items():
                if "schema" in medium:
                    yield f"{operation.where} {kind} {content_type}", medium["schema"]


def schemas(document: Tree) -> list[tuple[str, Tree]]:
    """Every schema with where it is. A list, so that a rewrite may change the tree while it goes through."""
    return [found for where, schema in roots(document) for found in below(where, schema)]


def parameters(operation: Operation) -> list[Tree]:
    """The parameters of the operation and those of its path, references not followed."""
    return [*operation.item.get("parameters", []), *operation.tree.get("parameters", [])]


def media_types(operation: Operation) -> Iterator[tuple[str, Tree]]:
    """The content of the request ("body") and of each answer (its status)."""
    body = operation.tree.get("requestBody", {})
    if "content" in body:
        yield "body", body["content"]
    yield from answers(operation)


def answers(operation: Operation) -> Iterator[tuple[str, Tree]]:
    """The content of each answer with its status."""
    for status, answer in operation.tree.get("responses", {}).items():
        if answer.get("content"):
            yield status, answer["content"]


def reachable(document: Tree, schema: Tree, seen: set[int]) -> Iterator[Tree]:
    """All schemas that a value of this one may contain, references followed, each once over `seen`."""
    schema = resolve(document, schema)
    if id(schema) in seen:
        return
    seen.add(id(schema))
    yield schema
    for _, child in children(schema):
        yield from reachable(document, child, seen)


def bare_type(content_type: str) -> str:
    """A content type without its parameters: `charset=UTF-8` does not make a form anything else."""
    return content_type.partition(";")[0].strip().lower()
