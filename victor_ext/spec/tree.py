"""The values of a document: typed access, references, places, and the errors of what cannot be read.

The rewrites, the comparison and the lint walk a document by these functions alone. What has the wrong form is passed
over: `shape` has refused it, or completed it, before a package is made.
"""

from __future__ import annotations

import json
from copy import copy
from typing import Any, TypeGuard
from urllib.parse import unquote

Tree = dict[str, Any]
"""A mapping of the document."""

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
"""The keys of a path item that hold operations."""


class DocumentError(Exception):
    """The file is not an OpenAPI 3 document; the message says why and what to do."""


class PlaceError(DocumentError):
    """A part of a document is wrong; the message begins with its place in the document, and does not name the file."""


# ---- Values ----


def copied(tree: Tree) -> Tree:
    """A copy of a loaded document that shares nothing with it."""
    found: Tree = json.loads(json.dumps(tree))
    return found


def is_mapping(value: Any) -> TypeGuard[Tree]:
    """Whether a value is a mapping."""
    return isinstance(value, dict)


def is_list(value: Any) -> TypeGuard[list[Any]]:
    """Whether a value is a list."""
    return isinstance(value, list)


def mapping_at(tree: Tree, key: str) -> Tree:
    """The mapping under a key; {} when there is none."""
    found = tree.get(key)
    return found if is_mapping(found) else {}


def list_at(tree: Tree, key: str) -> list[Any]:
    """The list under a key; [] when there is none."""
    found = tree.get(key)
    return found if is_list(found) else []


def members(mapping: Tree) -> list[tuple[str, Tree]]:
    """The members of a mapping that are mappings themselves."""
    return [(name, each) for name, each in mapping.items() if is_mapping(each)]


def mappings_at(tree: Tree, key: str) -> list[tuple[str, Tree]]:
    """The members of the mapping under a key that are mappings themselves."""
    return members(mapping_at(tree, key))


def trees_at(tree: Tree, key: str) -> list[Tree]:
    """The members of the list under a key that are mappings."""
    return [each for each in list_at(tree, key) if is_mapping(each)]


# ---- Schemas: a boolean one becomes a mapping ----


def schema_at(tree: Tree, key: str) -> Tree | None:
    """The schema under a key; None when there is none. `additionalProperties` stays boolean: it is the usual form."""
    if isinstance(tree.get(key), bool) and key != "additionalProperties":
        tree[key] = _as_mapping(tree[key])
    found = tree.get(key)
    return found if is_mapping(found) else None


def schemas_at(tree: Tree, key: str) -> list[tuple[str, Tree]]:
    """The schemas of the mapping under a key."""
    found = mapping_at(tree, key)
    found.update({name: _as_mapping(each) for name, each in found.items() if isinstance(each, bool)})
    return members(found)


def schema_list_at(tree: Tree, key: str) -> list[Tree]:
    """The schemas of the list under a key."""
    found = list_at(tree, key)
    found[:] = [_as_mapping(each) if isinstance(each, bool) else each for each in found]
    return trees_at(tree, key)


def named_schemas(document: Tree) -> Tree:
    """The schemas in `components`."""
    return mapping_at(mapping_at(document, "components"), "schemas")


def is_null(schema: Tree) -> bool:
    """Whether a schema admits null only."""
    only = {"type": "null"}, {"type": ["null"]}, {"enum": [None]}, {"const": None}
    return any(key in schema and schema[key] == value for each in only for key, value in each.items())


def _as_mapping(schema: bool) -> Tree:  # noqa: FBT001 - it is a schema
    return {} if schema else {"not": {}}


# ---- References ----


def target(document: Tree, reference: str, followed: frozenset[str] = frozenset()) -> Any:
    """The target of a reference; None when there is none, or when it is in another file.

    A reference may lead through another one. `followed` are those that led here.
    """
    if not reference.startswith("#/"):
        return None
    found: Any = document
    for step_ in reference[2:].split("/"):
        name = step_.replace("~1", "/").replace("~0", "~")
        seen = followed
        while is_mapping(found) and name not in found and isinstance(other := found.get("$ref"), str):
            if other in seen:
                return None
            seen |= {other}
            found = target(document, other, seen)
        if is_mapping(found) and name not in found:
            name = unquote(step_).replace("~1", "/").replace("~0", "~")
        if is_list(found) and name.isdecimal() and int(name) < len(found):
            found = found[int(name)]
        elif is_mapping(found) and name in found:
            found = found[name]
        else:
            return None
    return found


def resolve(document: Tree, tree: Tree) -> Tree:
    """The schema, parameter or answer after following all references; {} when one of them has no target."""
    seen: set[str] = set()
    while "$ref" in tree:
        reference = tree["$ref"]
        found = target(document, reference)
        if reference in seen or not is_mapping(found):
            return {}
        seen.add(reference)
        tree = found
    return tree


# ---- Places: `components.schemas.Card.properties.price`, `servers[0].url` ----


class Placed(dict[str, Any]):
    """A mapping that knows its place in the document; copies of it keep the place. See `origins`."""

    __slots__ = ("place",)

    place: str


def place_of(value: Any) -> tuple[str, ...]:
    """The place of a mapping, as a tuple; empty for one that has none."""
    return (value.place,) if isinstance(value, Placed) else ()


def in_place_of(tree: Tree, new: Tree) -> Tree:
    """The mapping `new`, with the place of `tree`."""
    found = copy(tree)
    found.clear()
    found.update(new)
    return found


def step(place: str, key: str | int) -> str:
    """The place of a member of a mapping, or of an item of a list."""
    if isinstance(key, int):
        return f"{place}[{key}]"
    return f"{place}.{key}" if place else key


def placed(tree: Any, document: Tree, place: str = "") -> Any:
    """A copy of a document's values, with a `Placed` for each mapping. `document` resolves references to parameters."""
    if is_mapping(tree):
        found = Placed({key: placed(value, document, step(place, key)) for key, value in tree.items()})
        found.place = place
        return found
    if is_list(tree):
        keys = [_parameter_key(document, each) or number for number, each in enumerate(tree)]
        return [placed(each, document, step(place, key)) for key, each in zip(keys, tree, strict=True)]
    return tree


def _parameter_key(document: Tree, item: Any) -> str:
    """The key of a parameter in a list: `query:limit`; an empty text for an item that is no parameter."""
    found = resolve(document, item) if is_mapping(item) and isinstance(item.get("$ref", ""), str) else {}
    return f"{found['in']}:{found['name']}" if "in" in found and "name" in found else ""
