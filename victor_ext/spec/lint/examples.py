"""Examples that their own schema refuses."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import jsonschema_rs

from victor_ext.spec.diff.components import Component
from victor_ext.spec.tree import Tree, is_list, is_mapping, list_at, mappings_at

from .finding import Finding, Subject

_DOCUMENT = "urn:document"


def refused_examples(subject: Subject) -> Iterator[Finding]:
    """The examples and defaults of schemas, parameters and contents that the schema beside them refuses."""
    version_31 = subject.parts.version_31
    document = _json_schema(subject.parts.document, version_31=version_31)
    registry = jsonschema_rs.Registry([(_DOCUMENT, document)])
    for part in subject.parts.all():
        for key, example in _examples(part):
            schema = part.tree if part.kind == "schema" else part.tree.get("schema", {})
            why = _refusal(_json_schema(schema, version_31=version_31), example, registry)
            if why:
                yield Finding(f"{part.place}.{key}", f"{_short(example)} is refused by its schema: {why}")


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
        errors = validator.iter_errors(example)
        error = next(iter(errors), None)
    except (ValueError, jsonschema_rs.ReferencingError):
        return None  # the schema itself is at fault
    if error is None:
        return None
    path = "".join(f"[{each}]" if isinstance(each, int) else f".{each}" for each in error.instance_path)
    return f"{path.lstrip('.')}: {_line(error.message)}" if path else _line(error.message)


def _json_schema(tree: Any, *, version_31: bool) -> Any:
    """A part of a document in the JSON Schema of 2020-12: OpenAPI 3.0 writes null and exclusive limits otherwise."""
    if is_list(tree):
        return [_json_schema(each, version_31=version_31) for each in tree]
    if not is_mapping(tree):
        return tree
    found: Tree = {key: _json_schema(value, version_31=version_31) for key, value in tree.items()}
    if isinstance(found.get("$ref"), str) and found["$ref"].startswith("#"):
        found["$ref"] = f"{_DOCUMENT}{found['$ref']}"
    if version_31:
        return found
    for flag, limit in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if isinstance(found.get(flag), bool) and found.pop(flag) and limit in found:
            found[flag] = found.pop(limit)
    return {"anyOf": [found, {"type": "null"}]} if found.get("nullable") is True else found


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 160 else f"{line[:157]}..."
