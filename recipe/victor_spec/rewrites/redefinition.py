"""A property that several members of `allOf` define: one schema for what they say of it
together.
"""

import json
from typing import Any

from victor_spec.tree import Tree, in_place_of, is_mapping, list_at, resolve, types_of

from .serialization import variants

REDEFINED = "x-redefined"
"""The key of a composition that `both` made; `inline_allof` settles it."""
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


def both(document: Tree, earlier: Tree, later: Tree, above: Pairs = frozenset()) -> Tree:
    """What two definitions say together: the narrower one, all fields, a list of what both have;
    else the later one.
    """
    if gist(earlier) == gist(later):
        return later
    for narrow, wide in ((later, earlier), (earlier, later)):
        members = (
            {gist(each) for each in _members(resolve(document, wide))}
            if "properties" not in wide
            else set[str]()
        )
        # Each member of the narrow one, when that is a union too, is one of the wide one.
        is_open = UNITED in wide and _has_fields(document, narrow)
        is_among = (
            bool(members)
            and not is_open
            and all(gist(each) in members for each in _members(narrow) or [narrow])
        )
        if not TYPED & wide.keys() or is_among:
            return _with_words(narrow, {**earlier, **later}) if "$ref" not in wide else narrow
    first, last = _bare(document, earlier), _bare(document, later)
    if _has_fields(document, first) and _has_fields(document, last):
        parts = [
            part
            for each in (first, last)
            for part in (each["allOf"] if REDEFINED in each else [each])
        ]
        return in_place_of(later, {"allOf": parts, REDEFINED: True})
    return _both_values(document, earlier, later, above)


def _both_values(document: Tree, earlier: Tree, later: Tree, above: Pairs) -> Tree:
    first, last = resolve(document, earlier), resolve(document, later)
    pair = id(first), id(last)
    if is_mapping(first.get("items")) and is_mapping(last.get("items")) and pair not in above:
        items = both(document, first["items"], last["items"], above | {pair})
        return in_place_of(later, {**first, **last, "items": items})
    kinds = _kinds(first), _kinds(last)
    if kinds == (["integer"], ["number"]) or (
        kinds[0] == kinds[1] and values_of(first) and not values_of(last)
    ):
        return _with_words(earlier, later)
    if "$ref" not in earlier and "$ref" not in later and kinds[0] == kinds[1]:
        return in_place_of(later, {**earlier, **later})
    return later


def gist(schema: Tree) -> str:
    """What a schema says of its values, as text: the same for schemas that differ only in their
    words.
    """
    return json.dumps(_typed(schema), sort_keys=True)


def _typed(schema: Any) -> Any:
    if not is_mapping(schema):
        return schema
    typed: Tree = {}
    for key in TYPED & schema.keys():
        value = schema[key]
        if key == "properties":
            typed[key] = {name: _typed(child) for name, child in value.items()}
        elif key in ("allOf", "oneOf", "anyOf", "prefixItems"):
            typed[key] = [_typed(child) for child in value]
        else:
            typed[key] = _typed(value) if key in ("items", "additionalProperties") else value
    return typed


def _members(schema: Tree) -> list[Tree]:
    return [*list_at(schema, "oneOf"), *list_at(schema, "anyOf")]


def _with_words(schema: Tree, words: Tree) -> Tree:
    """A schema with the keys of another one that say nothing of the value, such as its
    description.
    """
    if "$ref" in schema:
        return schema
    said = {
        key: value
        for key, value in words.items()
        if key not in TYPED and key not in (REDEFINED, UNITED)
    }
    return in_place_of(schema, {**schema, **said})


def _bare(document: Tree, schema: Tree) -> Tree:
    """The only member of a union beside null; any other schema is itself."""
    members = [each for each in _members(schema) if resolve(document, each).get("type") != "null"]
    return (
        members[0] if len(members) == 1 and not {"properties", "allOf"} & schema.keys() else schema
    )


def _has_fields(document: Tree, schema: Tree) -> bool:
    """Whether a schema, or a part of it, has fields."""
    return any(
        "properties" in each or _kinds(each) == ["object"] for each in variants(document, schema)
    )


def _kinds(schema: Tree) -> list[str]:
    return [each for each in types_of(schema) if each != "null"]


def values_of(schema: Tree) -> list[Any]:
    """The values of an enum, or the constant, that a schema is restricted to; none when it is
    not.
    """
    return [schema["const"]] if "const" in schema else list_at(schema, "enum")
