"""A property that several members of `allOf` define: one schema for what they say of it
together.
"""

import json
from typing import Any

from victor_spec.tree import (
    Tree,
    in_place_of,
    is_mapping,
    is_null,
    list_at,
    resolve,
    types_of,
    union_members,
)

from .serialization import variants

REDEFINED = "x-redefined"
"""The key of a composition that `both_definitions` made; `inline_allof` settles it."""
UNITED = "x-united"
"""The key of a union of what the members of another union say of one property: a value can have all
of its fields.
"""
TYPED = {
    *("$ref", "type", "format", "properties", "required", "items", "prefixItems", "enum", "const"),
    *("additionalProperties", "allOf", "oneOf", "anyOf"),
}
"""Keys that say what a value is."""


Pairs = frozenset[tuple[int, int]]
"""Pairs of definitions, by their ids, within which two others are looked at: lists can hold
themselves.
"""


def both_definitions(
    document: Tree, earlier: Tree, later: Tree, above: Pairs = frozenset()
) -> Tree:
    """What two definitions say together: the narrower one, all fields, a list of what both have;
    else the later one.
    """
    if gist(earlier) == gist(later):
        return later
    for narrow, wide in ((later, earlier), (earlier, later)):
        if not TYPED & wide.keys() or _is_member(document, narrow, wide):
            return narrow if "$ref" in wide else _with_words(narrow, {**earlier, **later})
    first = _only_member_beside_null(document, earlier)
    last = _only_member_beside_null(document, later)
    if not _has_fields(document, first) or not _has_fields(document, last):
        return _both_values(document, earlier, later, above)
    parts: list[Tree] = []
    for definition in (first, last):
        parts += definition["allOf"] if REDEFINED in definition else [definition]
    return in_place_of(later, {"allOf": parts, REDEFINED: True})


def _is_member(document: Tree, narrow: Tree, wide: Tree) -> bool:
    """Whether a definition is a member of a union, or a union of some of its members.

    A value of a union of what several say can have all of its fields.
    """
    if "properties" in wide or (UNITED in wide and _has_fields(document, narrow)):
        return False
    members = {gist(member) for member in union_members(resolve(document, wide))}
    own = {gist(member) for member in union_members(narrow) or [narrow]}
    return bool(members) and own <= members


def _both_values(document: Tree, earlier: Tree, later: Tree, above: Pairs) -> Tree:
    """What two definitions say of a value without fields."""
    first = resolve(document, earlier)
    last = resolve(document, later)
    pair = id(first), id(last)
    are_lists = is_mapping(first.get("items")) and is_mapping(last.get("items"))
    if are_lists and pair not in above:
        items = both_definitions(document, first["items"], last["items"], above | {pair})
        return in_place_of(later, {**first, **last, "items": items})
    old = _types_beside_null(first)
    new = _types_beside_null(last)
    is_enum = old == new and values_of(first) and not values_of(last)
    if is_enum or (old == ["integer"] and new == ["number"]):
        return _with_words(earlier, later)
    if old == new and "$ref" not in earlier and "$ref" not in later:
        return in_place_of(later, {**earlier, **later})
    return later


def gist(schema: Tree) -> str:
    """What a schema says of its values, as text: the same for schemas that differ only in their
    words.
    """
    return json.dumps(_without_words(schema), sort_keys=True)


def _without_words(schema: Any) -> Any:
    """A schema without what does not say what a value is, at any depth."""
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


def _with_words(schema: Tree, words: Tree) -> Tree:
    """A schema with the keys of another one that say nothing of the value, such as its
    description.
    """
    if "$ref" in schema:
        return schema
    silent = words.keys() - TYPED - {REDEFINED, UNITED}
    described = {key: value for key, value in words.items() if key in silent}
    return in_place_of(schema, {**schema, **described})


def _only_member_beside_null(document: Tree, schema: Tree) -> Tree:
    """The only member of a union beside null; any other schema is itself."""
    if "properties" in schema or "allOf" in schema:
        return schema
    members = [each for each in union_members(schema) if not is_null(resolve(document, each))]
    return members[0] if len(members) == 1 else schema


def _has_fields(document: Tree, schema: Tree) -> bool:
    """Whether a schema, or a part of it, has fields."""
    for whole in variants(document, schema):
        if "properties" in whole or _types_beside_null(whole) == ["object"]:
            return True
    return False


def _types_beside_null(schema: Tree) -> list[str]:
    """The declared types of a schema, without null."""
    return [each for each in types_of(schema) if each != "null"]


def values_of(schema: Tree) -> list[Any]:
    """The values of an enum, or the constant, that a schema is restricted to; none when it is
    not.
    """
    return [schema["const"]] if "const" in schema else list_at(schema, "enum")
