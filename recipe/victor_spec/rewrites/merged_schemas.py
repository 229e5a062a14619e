"""One schema for what the parts of an `allOf`, and the members of a union, say together."""

import json
from itertools import chain

from victor_spec.tree import (
    Tree,
    in_place_of,
    is_null,
    list_at,
    mapping_at,
    resolve,
    union_members,
)

from .base import drop
from .classes import is_enum
from .redefinition import REDEFINED, UNITED, both_definitions, values_of

SOURCES = "x-redefined-as"
"""The key with the definitions that a named composition is made of."""
MADE_OF = "x-made-of"
"""The key of an inline schema that got a name, with the named schemas that it is merged of."""
NOT_MERGED = ("allOf", "oneOf", "anyOf", "discriminator", SOURCES, MADE_OF, REDEFINED, UNITED)


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


def merged_schema(document: Tree, schema: Tree, done: dict[int, Tree] | None = None) -> Tree:
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
    own = {key: value for key, value in schema.items() if key not in NOT_MERGED}
    merged: Tree = {}
    for part in list_at(schema, "allOf"):
        _add_part(document, merged, merged_schema(document, part, done))
    _add_part(document, merged, _union_members_as_one(document, union_members(schema), done))
    _add_part(document, merged, own)
    if merged.get("properties") or merged.get("type") == "object":
        merged["type"] = "object"
    else:
        merged.pop("properties", None)
    done[id(schema)] = merged
    return merged


def _union_members_as_one(document: Tree, members: list[Tree], done: dict[int, Tree]) -> Tree:
    """What the members of a union say together: the properties of all of them, or the values of all
    their enums.
    """
    wholes = [merged_schema(document, member, done) for member in members]
    wholes = [whole for whole in wholes if not is_null(whole)]
    definitions: dict[str, list[Tree]] = {}
    for whole in wholes:
        for name, child in mapping_at(whole, "properties").items():
            definitions.setdefault(name, []).append(child)
    if definitions:
        return {"properties": {name: union_of(parts) for name, parts in definitions.items()}}
    if wholes and all(map(values_of, wholes)):
        return union_of(wholes)
    are_scalars = all("anyOf" in each or each.get("type", "object") != "object" for each in wholes)
    return {"anyOf": members} if wholes and are_scalars else {}


def union_of(parts: list[Tree]) -> Tree:
    """One schema for what several say: an enum of the values of enums, and otherwise a union of
    those that differ.
    """
    by_text: dict[str, Tree] = {}
    for part in parts:
        for member in part["anyOf"] if UNITED in part and "anyOf" in part else [part]:
            plain = {**member, "description": ""}
            is_composed = "properties" in member or "allOf" in member
            if is_composed or is_enum(member) or member.get("type") == "object":
                plain["nullable"] = None
            by_text[json.dumps(plain, sort_keys=True)] = member
    different = [*by_text.values()]
    first = different[0]
    if len(different) == 1:
        return first
    values = [values_of(member) for member in different]
    types = {json.dumps(member.get("type")) for member in different}
    if len(types) > 1 or not all(values):
        return in_place_of(first, {"anyOf": different, UNITED: True})
    whole = in_place_of(first, first)
    drop(whole, "const", "enum", "x-enum-varnames")
    whole["enum"] = list(dict.fromkeys(chain(*values)))
    return whole


def _add_part(document: Tree, merged: Tree, part: Tree) -> None:
    """Add the keys of `part`; of a property that both have, what both say of it."""
    for name, child in mapping_at(part, "properties").items():
        properties = merged.setdefault("properties", {})
        if name in properties:
            properties[name] = both_definitions(document, properties[name], child)
        else:
            properties[name] = child
    if part.get("required"):
        merged["required"] = sorted({*list_at(merged, "required"), *part["required"]})
    for key, value in part.items():
        if key not in ("properties", "required"):
            merged[key] = value
