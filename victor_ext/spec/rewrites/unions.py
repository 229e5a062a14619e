"""Rewrites of unions: what stands beside one, what tells its members apart, and the names of its members."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from victor_ext.spec.tree import Tree, in_place_of, is_list, is_mapping, list_at, mapping_at, resolve

from .base import Log, components, schemas
from .composition import all_properties, is_object, write_out_allof
from .serialization import kinds, variants

OF_OBJECT = ("properties", "required", "additionalProperties")
"""What a schema says of objects."""


def keep_union_siblings(document: Tree, log: Log) -> None:
    """Put the properties beside a union into each of its members: the generator drops them.

    A union whose members have no more than one set of properties among them becomes a single class. Members that are no
    objects stay as they are: what is said of properties is nothing to them.
    """
    for where, schema in reversed(schemas(document)):
        keys = [key for key in ("oneOf", "anyOf") if schema.get(key)]
        if not keys or not schema.get("properties"):
            continue
        members = [part for key in keys for part in schema[key] if resolve(document, part).get("type") != "null"]
        if not all(_is_about_objects(document, part) for part in members):
            _add_to_objects(document, schema, keys, where)
            log("keep-union-siblings", where)
            continue
        own = [all_properties(document, part, {}) for part in members]
        if all(each.keys() >= schema["properties"].keys() for each in own):
            _drop(schema, OF_OBJECT)
        elif len(keys) > 1 or sum(not each.keys() <= schema["properties"].keys() for each in own) < 2:
            write_out_allof(document, schema, where)
            _drop(schema, ("discriminator",))
        else:
            schema[keys[0]] = [
                _with(document, schema, part, f"{where}_type_{number}") for number, part in enumerate(members)
            ]
            _drop(schema, (*OF_OBJECT, "type"))
        log("keep-union-siblings", where)


def _is_about_objects(document: Tree, member: Tree) -> bool:
    """Whether no value of a member is a scalar or a list."""
    return not any(kinds(whole) - {"None", "null", "object"} for whole in variants(document, member))


def _add_to_objects(document: Tree, schema: Tree, keys: list[str], where: str) -> None:
    """Put the properties beside a union into those of its members that are objects."""
    for key in keys:
        schema[key] = [
            _with(document, schema, part, f"{where}_type_{number}")
            if _is_about_objects(document, part) and resolve(document, part).get("type") != "null"
            else part
            for number, part in enumerate(schema[key])
        ]
    _drop(schema, (*OF_OBJECT, "type"))


def _with(document: Tree, schema: Tree, member: Tree, where: str) -> Tree:
    """A member of a union that says what stands beside the union, too."""
    beside = in_place_of(schema, {key: schema[key] for key in OF_OBJECT if key in schema})
    found = in_place_of(resolve(document, member), {"allOf": [deepcopy(beside), deepcopy(resolve(document, member))]})
    write_out_allof(document, found, where)
    discriminator = mapping_at(schema, "discriminator")
    if "propertyName" in discriminator and "$ref" in member:
        found["x-one-of"] = {discriminator["propertyName"]: _tag_values(discriminator, member["$ref"])}
    return found


def _drop(schema: Tree, keys: tuple[str, ...]) -> None:
    for key in keys:
        schema.pop(key, None)


def mark_union_members(document: Tree, log: Log) -> None:
    """Mark the members of a union with what selects them.

    `x-one-of` has the values of discriminators, `x-words` those of the constants and enums in which the members differ.
    """
    done: dict[int, Tree] = {}
    for where, schema in schemas(document):
        parts = [*list_at(schema, "oneOf"), *list_at(schema, "anyOf")]
        members = [part for part in parts if is_object(document, part)]
        discriminator = mapping_at(schema, "discriminator")
        members = members if len(members) > 1 else []
        words = _differing([_words(document, part, done) for part in members])
        for part, own in zip(members, words, strict=True):
            whole = resolve(document, part)
            tags: Tree = whole.setdefault("x-one-of", {})
            if "propertyName" in discriminator and "$ref" in part:
                known = tags.setdefault(discriminator["propertyName"], [])
                known.extend(word for word in _tag_values(discriminator, part["$ref"]) if word not in known)
            whole.setdefault("x-words", {}).update(own)
            log("mark-union-members", f"{where}: {part.get('$ref', 'an object without a name')}")


def _tag_values(discriminator: Tree, reference: str) -> list[str]:
    name = reference.rpartition("/")[2]
    mapped = [word for word, to in mapping_at(discriminator, "mapping").items() if to in (reference, name)]
    return [word.casefold() for word in (*mapped, name)]


def _words(document: Tree, schema: Tree, done: dict[int, Tree]) -> dict[str, list[str]]:
    """The values of each property that has an enum or a constant, in lower case."""
    properties = all_properties(document, schema, done).items()
    found = {name: [str(value).casefold() for value in _values(document, child)] for name, child in properties}
    return {name: sorted(set(values)) for name, values in found.items() if values}


def _differing(of_members: list[dict[str, list[str]]]) -> list[dict[str, list[str]]]:
    """What some other member has in another way, or not at all."""
    return [
        {name: each for name, each in own.items() if any(other.get(name) != each for other in of_members)}
        for own in of_members
    ]


def _values(document: Tree, schema: Tree) -> list[Any]:
    whole = resolve(document, schema)
    parts = list_at(whole, "allOf")
    if len(parts) == 1 and "enum" not in whole:
        return _values(document, parts[0])
    values = [whole["const"]] if "const" in whole else whole.get("enum")
    return [value for value in values if isinstance(value, (str, int))] if is_list(values) else []


def name_union_member(document: Tree, log: Log) -> None:
    """Name the objects within a named union: the generator would build their own objects twice, and then fail."""
    named = components(document)
    for name, schema in [*named.items()]:
        _name_members(named, name, schema, log)


def _name_members(named: Tree, name: str, schema: Tree, log: Log) -> None:
    """Walk through unions and lists; an object has the name that the generator would give to its class."""
    items = schema.get("items")
    if is_mapping(items) and not _is_class(items):  # a model in a list is built once
        _name_members(named, f"{name}_item", items, log)
    number = 0
    for key in ("anyOf", "oneOf"):
        members: list[Tree] = list_at(schema, key)
        for place, member in enumerate(members):
            own = f"{name}_type_{number}"
            number += 1
            if not _is_class(member):
                _name_members(named, own, member, log)
                continue
            while own in named:
                own += "_inner"
            named[own] = member
            members[place] = {"$ref": f"#/components/schemas/{own}"}
            log("name-union-member", own)


def _is_class(schema: Tree) -> bool:
    return "$ref" not in schema and (
        schema.get("type") == "object" or "properties" in schema or bool(schema.get("allOf"))
    )
