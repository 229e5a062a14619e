"""The shape of an OpenAPI document: which keys hold mappings, lists, texts and flags.

Every rewrite relies on it. What is empty (`parameters:` in YAML is null) counts as absent, and a schema that is `true`
or `false` is written as a mapping. Words of another type (a title that is a number) are text; other keys that do not
decide what is generated are dropped. Anything else of another type is an error that names its place.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from .tree import METHODS, PlaceError, Tree, is_list, is_mapping

PLACES = ("query", "path", "header", "cookie")

# A kind; [kind] for a list and {kind} for a mapping of them; text, texts, flag, any.
_WORDS = {"description": "text", "summary": "text", "title": "text"}
KINDS: dict[str, dict[str, str]] = {
    "Document": {"info": "Info", "paths": "{PathItem}", "webhooks": "{PathItem}", "components": "Components"}
    | {"servers": "[Server]", "tags": "[Tag]"},
    "Info": {**_WORDS, "version": "text"},
    "Server": {**_WORDS, "url": "text"},
    "Tag": {**_WORDS, "name": "text"},
    "Components": {
        "schemas": "{Schema}",
        "parameters": "{Parameter}",
        "responses": "{Response}",
        "callbacks": "{Callback}",
        "requestBodies": "{RequestBody}",
        "headers": "{Header}",
        "pathItems": "{PathItem}",
    },
    "PathItem": {**_WORDS, "parameters": "[Parameter]", "servers": "[Server]", **dict.fromkeys(METHODS, "Operation")},
    "Operation": {
        **_WORDS,
        "tags": "texts",
        "operationId": "text",
        "parameters": "[Parameter]",
        "requestBody": "RequestBody",
        "responses": "{Response}",
        "callbacks": "{Callback}",
        "servers": "[Server]",
    },
    "Parameter": {
        **_WORDS,
        "name": "text",
        "in": "text",
        "required": "flag",
        "schema": "Schema",
        "content": "{MediaType}",
        "style": "text",
        "explode": "flag",
    },
    "Header": {**_WORDS, "required": "flag", "schema": "Schema", "content": "{MediaType}"},
    "RequestBody": {**_WORDS, "required": "flag", "content": "{MediaType}"},
    "Response": {**_WORDS, "content": "{MediaType}", "headers": "{Header}"},
    "MediaType": {"schema": "Schema", "encoding": "{Encoding}"},
    "Encoding": {"contentType": "text", "style": "text", "explode": "flag", "headers": "{Header}"},
    "Callback": {},
    "Schema": {
        **_WORDS,
        "type": "type",
        "format": "text",
        "nullable": "flag",
        "required": "texts",
        "enum": "list",
        "properties": "{Schema}",
        "patternProperties": "{Schema}",
        "$defs": "{Schema}",
        "definitions": "{Schema}",
        "items": "items",
        "additionalProperties": "additional",
        "not": "Schema",
        "discriminator": "Discriminator",
        **dict.fromkeys(("allOf", "oneOf", "anyOf", "prefixItems"), "[Schema]"),
    },
    "Discriminator": {"propertyName": "text", "mapping": "{text}"},
}
_WITH_EXTENSIONS = ("{PathItem}", "{Response}")
"""Mappings in which a key that begins with `x-` is no name."""


def check_shape(document: Tree) -> None:
    """Complete and simplify a document in place. Raises PlaceError."""
    _mapping(document, "Document", "")


def _mapping(tree: Tree, kind: str, place: str) -> None:
    if "$ref" in tree and kind != "Document":
        _reference(tree, kind, place)
    if kind == "Callback":
        _each(tree, "PathItem", place)
        return
    for key, expected in KINDS[kind].items():
        if key in tree:
            _entry(tree, key, expected, f"{place}.{key}" if place else key)
    if kind == "Parameter" and "$ref" not in tree:
        _parameter(tree, place)


def _reference(tree: Tree, kind: str, place: str) -> None:
    if tree["$ref"] is None and kind == "Schema":
        del tree["$ref"]
    elif not isinstance(tree["$ref"], str):
        raise PlaceError(f"{place}.$ref is {_name(tree['$ref'])}: write the text of a reference.")


def _parameter(tree: Tree, place: str) -> None:
    if not tree.get("name"):
        raise PlaceError(f"{place} is a parameter without a name: write `name:`.")
    if tree.get("in") not in PLACES:
        raise PlaceError(
            f"{place} ({tree['name']}) is in {tree.get('in')!r}: write `in:` with one of {', '.join(PLACES)}."
        )


def _entry(tree: Tree, key: str, expected: str, place: str) -> None:
    """Bring one value of a mapping into the expected shape, or remove it."""
    value = tree[key]
    if value is None:
        del tree[key]
    elif expected in _SOFT:
        _SOFT[expected](tree, key, place)
    elif expected[0] == "{":
        if not is_mapping(value):
            raise PlaceError(f"{place} is {_name(value)}: write a mapping.")
        for name in [name for name in value if name.startswith("x-")] if expected in _WITH_EXTENSIONS else []:
            del value[name]
        _each(value, expected[1:-1], place)
    elif expected[0] == "[":
        if not is_list(value):
            raise PlaceError(f"{place} is {_name(value)}: write a list.")
        tree[key] = [_value(each, expected[1:-1], f"{place}[{number}]") for number, each in enumerate(value)]
    else:
        tree[key] = _value(value, expected, place)


def _each(tree: Tree, kind: str, place: str) -> None:
    for name, value in [*tree.items()]:
        if kind in _SOFT:
            _SOFT[kind](tree, name, f"{place}.{name}")
        elif not (kind == "PathItem" and name.startswith("x-")):
            tree[name] = _value(value, kind, f"{place}.{name}")


def _value(value: Any, kind: str, place: str) -> Tree:
    if kind == "Schema" and isinstance(value, bool):
        return {} if value else {"not": {}}
    if value is None and kind != "Parameter":
        value = {}
    if not is_mapping(value):
        raise PlaceError(f"{place} is {_name(value)}: write a mapping.")
    _mapping(value, kind, place)
    return value


def _name(value: Any) -> str:
    if value is None or is_mapping(value) or is_list(value):
        return "null" if value is None else "a list" if is_list(value) else "a mapping"
    kind = "text" if isinstance(value, str) else "flag" if isinstance(value, bool) else "number"
    return f"the {kind} {json.dumps(value)[:40]}"


# ---- Keys whose value is corrected ----


def _text(tree: Tree, key: str, place: str) -> None:  # noqa: ARG001 - as the others
    if isinstance(tree[key], (bool, int, float)):
        tree[key] = json.dumps(tree[key])
    elif not isinstance(tree[key], str):
        del tree[key]


def _texts(tree: Tree, key: str, place: str) -> None:  # noqa: ARG001 - as the others
    if is_list(tree[key]):
        tree[key] = [each if isinstance(each, str) else json.dumps(each) for each in tree[key] if each is not None]
    else:
        del tree[key]


def _flag(tree: Tree, key: str, place: str) -> None:  # noqa: ARG001 - as the others
    if tree[key] in ("true", "false"):
        tree[key] = tree[key] == "true"
    elif not isinstance(tree[key], bool):
        del tree[key]


def _list(tree: Tree, key: str, place: str) -> None:  # noqa: ARG001 - as the others
    if not is_list(tree[key]):
        del tree[key]


def _type(tree: Tree, key: str, place: str) -> None:
    if is_list(tree[key]):
        _texts(tree, key, place)
    else:
        _text(tree, key, place)


def _items(tree: Tree, key: str, place: str) -> None:
    """A list of schemas, one for each item, was how a tuple was written before 3.1."""
    value, kind = tree[key], tree.get("type", "array")
    if "array" not in (kind if is_list(kind) else [kind]):
        del tree[key]  # of another type: it says nothing
    elif is_list(value):
        del tree[key]
        tree["prefixItems"] = value
        _entry(tree, "prefixItems", "[Schema]", place)
    elif value is False:
        del tree[key]
    else:
        tree[key] = _value(value, "Schema", place)


def _additional(tree: Tree, key: str, place: str) -> None:
    if not isinstance(tree[key], bool):
        tree[key] = _value(tree[key], "Schema", place)


_SOFT: dict[str, Callable[[Tree, str, str], None]] = {
    "text": _text,
    "texts": _texts,
    "flag": _flag,
    "list": _list,
    "type": _type,
    "items": _items,
    "additional": _additional,
}
