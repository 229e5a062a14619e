"""Rewrites of schemas: types, enums, defaults, `allOf`, and the marks that the templates read."""

from __future__ import annotations

import json
from typing import Any

from victor_ext.spec.tree import Tree, in_place_of, is_list, is_mapping, list_at, mapping_at

from .base import Log, answers, components, operations, reachable, resolve, schemas

TYPES = {"string", "number", "integer", "boolean", "array", "object", "null"}
TYPED_BY = {"properties", "enum", "const", "allOf", "oneOf", "anyOf"}
"""Keys beside `items` that say of what type a value is."""


def repair_type(document: Tree, log: Log) -> None:
    """Drop types that OpenAPI does not have; let a list without a type of its items hold anything."""
    for where, schema in schemas(document):
        if "$ref" in schema:
            continue
        kind = schema.get("type")
        if kind is not None and (kind == [] or not set(kind if is_list(kind) else [kind]) <= TYPES):
            del schema["type"]
            log("repair-type", f"{where} (was {kind})")
        if kind is None and is_mapping(schema.get("items")) and not TYPED_BY & schema.keys():
            schema["type"] = kind = "array"
            log("repair-type", f"{where} (items without a type)")
        if kind == "array" and not schema.get("items") and not schema.get("prefixItems"):
            schema["items"] = {}
            log("repair-type", f"{where} (items of any type)")


def keep_reference_siblings(document: Tree, log: Log) -> None:
    """Write what stands beside a reference as a part of `allOf`; OpenAPI 3.0 ignores it, and so does the generator."""
    if str(document["openapi"]).startswith("3.0"):
        return
    for where, schema in schemas(document):
        if "$ref" in schema and BESIDE_REFERENCE & schema.keys():
            rest = {key: schema.pop(key) for key in list(schema) if key != "$ref"}
            schema["allOf"] = [{"$ref": schema.pop("$ref")}, rest]
            log("keep-reference-siblings", where)


BESIDE_REFERENCE = {
    "properties",
    "required",
    "enum",
    "const",
    "items",
    "allOf",
    "oneOf",
    "anyOf",
    "additionalProperties",
}
"""Keys that change a type."""


def repair_const(document: Tree, log: Log) -> None:
    """Write a constant with quotes or backslashes as an enum of one value; drop one that Python has no type for."""
    for where, schema in schemas(document):
        value = schema.get("const")
        if isinstance(value, str) and set(value) & set("\\\"'"):
            schema.setdefault("enum", [schema.pop("const")])
        elif value is not None and not isinstance(value, (str, int)):
            del schema["const"]
        else:
            continue
        log("repair-const", where)


def repair_enum(document: Tree, log: Log) -> None:
    """Keep each value once, without null, as text where text is declared; drop an enum of mixed types."""
    for where, schema in schemas(document):
        values = schema.get("enum")
        if not is_list(values):
            continue
        repaired: list[Any] = list({json.dumps(value): value for value in values if value is not None}.values())
        if schema.get("type") == "string":
            repaired = [value if isinstance(value, str) else json.dumps(value) for value in repaired]
        kinds: set[type[Any]] = {type(value) for value in repaired}
        if len(kinds) == 1 and kinds <= {str, int}:
            schema["enum"] = repaired
            if repaired != values:
                log("repair-enum", where)
        elif not repaired or kinds != {bool} or schema.get("type") != "boolean":
            del schema["enum"]
            log("repair-enum", f"{where} (no enum in Python: {values})")


def describe_default(document: Tree, log: Log) -> None:
    """Move a default into the description: it is the server's, and the package must not send it unasked."""
    for where, schema in schemas(document):
        if "$ref" not in schema and "default" in schema:
            default = json.dumps(schema.pop("default"), ensure_ascii=False)
            words = schema.get("description", "").rstrip()
            schema["description"] = f"{words} (The server's default: {default})".lstrip()
            log("describe-default", f"{where} = {default}")


def drop_null_of_object(document: Tree, log: Log) -> None:
    """Drop the null of an object: null reads as absent, and the generator would name the class `...Type0`."""
    named = {id(schema) for schema in components(document).values()}
    for where, schema in schemas(document):
        kind = schema.get("type")
        if is_list(kind) and sorted(kind) == ["null", "object"]:
            schema.update(type="object", nullable=True)
        if schema.get("nullable") and (
            schema.get("type") == "object"
            or "properties" in schema
            or (_is_own_class(schema, named) and is_object(document, schema))
        ):
            del schema["nullable"]
            log("drop-null-of-object", where)


def _is_own_class(schema: Tree, named: set[int]) -> bool:
    """Whether `allOf` is more than another name of a schema."""
    return bool(schema.get("allOf")) and (
        not _is_single_reference(schema) or _has_siblings(schema) or id(schema) in named
    )


# ---- allOf ----


def merge_allof_siblings(document: Tree, log: Log) -> None:
    """Keep the siblings of an `allOf` with a single reference, which the generator drops.

    With a second, empty member in `allOf` it reads them.
    """
    for where, schema in schemas(document):
        if _is_single_reference(schema) and _has_siblings(schema):
            schema["allOf"].append({"type": "object"})
            log("merge-allof-siblings", where)


def own_class_for_single_allof(document: Tree, log: Log) -> None:
    """Make a class of a named schema that adds nothing to the schema that it refers to."""
    for where, schema in components(document).items():
        if _is_single_reference(schema) and not _has_siblings(schema) and is_object(document, schema["allOf"][0]):
            schema["allOf"].append({"type": "object"})
            log("own-class-for-single-allof", where)


def _is_single_reference(schema: Tree) -> bool:
    parts = list_at(schema, "allOf")
    return len(parts) == 1 and "$ref" in parts[0]


def _has_siblings(schema: Tree) -> bool:
    return any(schema.get(key) for key in ("properties", "required", "additionalProperties"))


def is_object(document: Tree, schema: Tree) -> bool:
    """Whether the schema becomes a class."""
    schema = resolve(document, schema)
    if schema.get("oneOf") or schema.get("anyOf"):
        return False
    if schema.get("allOf"):
        return any(is_object(document, part) for part in schema["allOf"]) or "properties" in schema
    return schema.get("type") == "object" or ("type" not in schema and "properties" in schema)


def inline_allof(document: Tree, log: Log) -> None:
    """Merge `allOf` where the generator cannot: nested ones, unions and plain types in it, redefined properties."""
    for where, schema in schemas(document):
        if not schema.get("allOf") or not _beyond_the_generator(document, schema):
            continue
        write_out_allof(document, schema)
        log("inline-allof", where)


def write_out_allof(document: Tree, schema: Tree) -> None:
    """Put the merged properties of `allOf`, and of unions beside it, into the schema itself."""
    merged = _merged(document, schema, {})
    for key in ("allOf", "oneOf", "anyOf"):
        schema.pop(key, None)
    schema.update({**merged, **{key: schema[key] for key in ("description",) if key in schema}})


def _beyond_the_generator(document: Tree, schema: Tree) -> bool:
    parts = schema["allOf"]
    if schema.get("oneOf") or schema.get("anyOf"):
        return True
    if len(parts) == 1 and "$ref" in parts[0]:
        return False
    defined: dict[str, str] = {}
    for part in [schema, *parts]:
        whole = resolve(document, part)
        if part is not schema and (
            not (is_object(document, part) or set(whole) <= {"description", "required", "nullable"})
            or ("$ref" not in part and "allOf" in part)
        ):
            return True
        own = mapping_at(whole, "properties") if part is schema else all_properties(document, whole, {})
        for name, child in own.items():
            gist = json.dumps({key: child.get(key) for key in ("$ref", "type", "format", "enum", "items")})
            if defined.setdefault(name, gist) != gist:
                return True
    return False


def all_properties(document: Tree, schema: Tree, done: dict[int, Tree]) -> Tree:
    """The properties of a schema, with those of its `allOf` and of its unions. `done` is for `_merged`."""
    found: Tree = _merged(document, schema, done).get("properties", {})
    return found


def _merged(document: Tree, schema: Tree, done: dict[int, Tree]) -> Tree:
    """One schema with the properties of `allOf`, and those of every member of a union, none of them required.

    `done` has the merged schemas by id: each is merged once, because nested references can be exponentially many.
    """
    schema = resolve(document, schema)
    if id(schema) in done:
        return done[id(schema)]
    done[id(schema)] = {}  # a schema adds nothing to itself
    merged: Tree = {}
    for part in list_at(schema, "allOf"):
        _add(merged, _merged(document, part, done))
    _add(merged, _united(document, [*list_at(schema, "oneOf"), *list_at(schema, "anyOf")], done))
    own = {key: value for key, value in schema.items() if key not in ("allOf", "oneOf", "anyOf", "discriminator")}
    _add(merged, own)
    if merged.get("properties") or merged.get("type") == "object":
        merged["type"] = "object"
    else:
        merged.pop("properties", None)
    done[id(schema)] = merged
    return merged


def _united(document: Tree, members: list[Tree], done: dict[int, Tree]) -> Tree:
    """What the members of a union say together: the properties of all of them, or the values of all their enums."""
    wholes = [_merged(document, part, done) for part in members]
    wholes = [whole for whole in wholes if whole.get("type") != "null"]
    properties = [mapping_at(whole, "properties") for whole in wholes]
    if any(properties):
        names = dict.fromkeys(name for each in properties for name in each)
        return {"properties": {name: one_of([each[name] for each in properties if name in each]) for name in names}}
    if wholes and all(whole.get("enum") or "const" in whole for whole in wholes):
        return one_of(wholes)
    scalars = all(whole.get("type", "object") != "object" or "anyOf" in whole for whole in wholes)
    return {"anyOf": members} if wholes and scalars else {}


def one_of(found: list[Tree]) -> Tree:
    """One schema for what several say: an enum of the values of enums, and otherwise a union of those that differ."""
    different = list({json.dumps({**each, "description": ""}, sort_keys=True): each for each in found}.values())
    if len(different) == 1:
        return different[0]
    values = [[each["const"]] if "const" in each else list_at(each, "enum") for each in different]
    if all(values) and len({each.get("type") for each in different}) == 1:
        rest = {key: value for key, value in different[0].items() if key not in ("const", "enum", "x-enum-varnames")}
        whole = {**rest, "enum": list(dict.fromkeys(value for each in values for value in each))}
        return in_place_of(different[0], whole)
    return in_place_of(different[0], {"anyOf": different})


def _add(merged: Tree, part: Tree) -> None:
    """Add the keys of `part`; a property of the same type keeps the keys that the new definition lacks."""
    for name, child in mapping_at(part, "properties").items():
        properties = merged.setdefault("properties", {})
        earlier = properties.get(name, {})
        alike = "$ref" not in child and "$ref" not in earlier and child.get("type") == earlier.get("type")
        properties[name] = in_place_of(child, {**earlier, **child}) if alike else child
    if part.get("required"):
        merged["required"] = sorted({*list_at(merged, "required"), *part["required"]})
    merged.update({key: value for key, value in part.items() if key not in ("properties", "required")})


# ---- Marks: extension keys that model.py.jinja reads ----


def mark_answers(document: Tree, log: Log) -> None:
    """Mark models that an answer can contain (`x-in-answers`): they read a missing required field as UNSET."""
    seen: set[int] = set()
    for operation in operations(document):
        for _, content in answers(operation):
            for medium in content.values():
                for schema in reachable(document, mapping_at(medium, "schema"), seen):
                    schema["x-in-answers"] = True
    log("mark-answers", f"{len(seen)} schemas")
