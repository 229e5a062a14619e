"""One schema for what the parts of an `allOf`, and the members of a union, say together."""

import json
from collections.abc import Callable
from typing import Any

from victor_spec.tree import (
    Tree,
    is_mapping,
    list_at,
    mapping_at,
    resolve,
    types_of,
    union_members,
)

TYPED = {
    *("$ref", "type", "format", "properties", "required", "items", "prefixItems", "enum", "const"),
    *("additionalProperties", "allOf", "oneOf", "anyOf"),
}
"""Keys that say what a value is."""
MOST_ALIASES = 20
"""Schemas that each are only another name of the next one."""
NOT_MERGED = ("allOf", "oneOf", "anyOf", "discriminator")

Conflict = Callable[[str, str], object]
"""Is told of a property that two parts define otherwise: its name, and what becomes of it."""


def _ignore(name: str, what: str) -> None:
    del name, what


def all_properties(document: Tree, schema: Tree, done: dict[int, Tree] | None = None) -> Tree:
    """The properties of a schema, with those of its `allOf` and of its unions.

    `done` is for `merged_schema`.
    """
    return mapping_at(merged_schema(document, schema, done), "properties")


def all_required(document: Tree, schema: Tree, done: dict[int, Tree]) -> list[str]:
    """The names of the properties that a schema requires, by itself or in its `allOf`.

    `done` is for `merged_schema`.
    """
    return list_at(merged_schema(document, schema, done), "required")


def merged_schema(
    document: Tree,
    schema: Tree,
    done: dict[int, Tree] | None = None,
    conflict: Conflict = _ignore,
) -> Tree:
    """One schema with the properties of `allOf`, and those of every member of a union, none of them
    required.

    `done` has the merged schemas by id: each is merged once, because nested references can be
    exponentially many.
    """
    schema = resolve(document, schema)
    if done is None:
        done = {}
    if id(schema) in done:
        return done[id(schema)]
    done[id(schema)] = {}  # a schema adds nothing to itself
    merged: Tree = {}
    for part in list_at(schema, "allOf"):
        _add_part(document, merged, merged_schema(document, part, done, conflict), conflict)
    members = [merged_schema(document, part, done, conflict) for part in union_members(schema)]
    _add_part(document, merged, _members_as_one(members, conflict), conflict)
    own = {key: value for key, value in schema.items() if key not in NOT_MERGED}
    _add_part(document, merged, own, conflict)
    kinds = types_of(merged)
    if "object" in kinds or (merged.get("properties") and not kinds):
        merged["type"] = "object"
    else:
        merged.pop("properties", None)
    done[id(schema)] = merged
    return merged


def _members_as_one(members: list[Tree], conflict: Conflict) -> Tree:
    """The properties of all members of a union; one that two of them define otherwise can be
    anything.
    """
    properties: dict[str, Tree] = {}
    for member in members:
        for name, child in mapping_at(member, "properties").items():
            known = properties.setdefault(name, child)
            if gist(known) != gist(child):
                properties[name] = {}
                conflict(name, "the members of a union declare it differently")
    return {"properties": properties} if properties else {}


def _add_part(document: Tree, merged: Tree, part: Tree, conflict: Conflict) -> None:
    """Add the keys of `part`; of a property that both have, one definition."""
    for name, child in mapping_at(part, "properties").items():
        properties = merged.setdefault("properties", {})
        if name in properties and gist(properties[name]) != gist(child):
            properties[name] = _definition(document, properties[name], child, name, conflict)
        else:
            properties[name] = child
    if part.get("required"):
        merged["required"] = sorted({*list_at(merged, "required"), *part["required"]})
    for key, value in part.items():
        if key not in ("properties", "required"):
            merged[key] = value


def _definition(document: Tree, earlier: Tree, later: Tree, name: str, conflict: Conflict) -> Tree:
    """Of two definitions, the later one; but the earlier one where the later one says less of the
    same type.
    """
    if not TYPED & later.keys():
        return earlier
    if not TYPED & earlier.keys():
        return later
    first, last = _aliased(document, earlier), _aliased(document, later)
    is_same_type = {*types_of(first)} - {"null"} == {*types_of(last)} - {"null"}
    if is_same_type and not TYPED & (last.keys() - {"type"}):
        return earlier
    if not is_same_type or (first is not last and _has_members(document, first)):
        conflict(name, "the last of its definitions is read")
    return later


def _aliased(document: Tree, schema: Tree) -> Tree:
    """What a schema refers to, by a reference or by an `allOf` with a single part."""
    whole = resolve(document, schema)
    for _ in range(MOST_ALIASES):
        parts = [part for part in list_at(whole, "allOf") if TYPED & part.keys()]
        if len(parts) != 1 or TYPED & (whole.keys() - {"allOf"}):
            break
        whole = resolve(document, parts[0])
    return whole


def _has_members(document: Tree, schema: Tree) -> bool:
    """Whether a schema, a part of it or a member of its unions has properties or items."""
    seen: set[int] = set()
    pending = [schema]
    while pending:
        whole = resolve(document, pending.pop())
        if whole.get("properties") or whole.get("items"):
            return True
        if id(whole) not in seen:
            seen.add(id(whole))
            pending += [*list_at(whole, "allOf"), *union_members(whole)]
    return False


def gist(schema: Tree) -> str:
    """What a schema says of its values, as text: the same for schemas that differ only in their
    words.
    """
    return json.dumps(_without_words(schema), sort_keys=True)


def _without_words(schema: Any) -> Any:
    """What a schema says of the type of a value, at any depth: no descriptions and no limits."""
    if not is_mapping(schema):
        return schema
    typed: Tree = {}
    for key in TYPED & schema.keys():
        value = schema[key]
        if key == "properties":
            value = {name: _without_words(child) for name, child in value.items()}
        elif key in ("allOf", "oneOf", "anyOf", "prefixItems"):
            value = [_without_words(child) for child in value]
        elif key in ("items", "additionalProperties"):
            value = _without_words(value)
        typed[key] = value
    return typed


def values_of(schema: Tree) -> list[Any]:
    """The values of an enum, or the constant, that a schema is restricted to; none when it is
    not.
    """
    return [schema["const"]] if "const" in schema else list_at(schema, "enum")
