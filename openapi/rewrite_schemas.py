"""Rewrites of schemas: types, enums, defaults, `allOf`, and the marks that the templates read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from document import Tree
from walk import answers, components, operations, reachable, resolve, schemas

if TYPE_CHECKING:
    from prepare import Log

TYPES = {"string", "number", "integer", "boolean", "array", "object", "null"}


def mend_type(document: Tree, log: Log) -> None:
    """A type that OpenAPI does not have says nothing; a list without a type of its items may hold anything."""
    for where, schema in schemas(document):
        if "$ref" in schema:
            continue
        kind = schema.get("type")
        if kind is not None and not set(kind if isinstance(kind, list) else [kind]) <= TYPES:
            del schema["type"]
            log("mend-type", f"{where} (was {kind})")
        if kind == "array" and not schema.get("items") and not schema.get("prefixItems"):
            schema["items"] = {}
            log("mend-type", f"{where} (items of any type)")


def mend_enum(document: Tree, log: Log) -> None:
    """Each value once, text where text is declared, null left to reading; mixed types are no enum in Python."""
    for where, schema in schemas(document):
        values = schema.get("enum")
        if not isinstance(values, list):
            continue
        mended = list({json.dumps(value): value for value in values if value is not None}.values())
        if schema.get("type") == "string":
            mended = [value if isinstance(value, str) else json.dumps(value) for value in mended]
        kinds = {type(value) for value in mended}
        if len(kinds) == 1 and kinds <= {str, int}:
            schema["enum"] = mended
            if mended != values:
                log("mend-enum", where)
        elif kinds != {bool} or schema.get("type") != "boolean":
            del schema["enum"]
            log("mend-enum", f"{where} (no enum in Python: {values})")


def default_in_words(document: Tree, log: Log) -> None:
    """A default is what the server does when the caller says nothing: it is documented, never sent unasked."""
    for where, schema in schemas(document):
        if "$ref" not in schema and "default" in schema:
            default = json.dumps(schema.pop("default"), ensure_ascii=False)
            words = schema.get("description", "").rstrip()
            schema["description"] = f"{words} (The server's default: {default})".lstrip()
            log("default-in-words", f"{where} = {default}")


def null_object_is_absent(document: Tree, log: Log) -> None:
    """A null beside an object would only give its class a number for a name: null reads as absent everywhere."""
    for where, schema in schemas(document):
        kind = schema.get("type")
        if isinstance(kind, list) and sorted(kind) == ["null", "object"]:
            schema.update(type="object", nullable=True)
        if schema.get("nullable") and (schema.get("type") == "object" or "properties" in schema):
            del schema["nullable"]
            log("null-object-is-absent", where)


# ---- allOf ----


def merge_allof_siblings(document: Tree, log: Log) -> None:
    """The generator takes `allOf` with one reference for a mere alias, and drops the siblings of `allOf`.

    With a second, empty member it makes a class and reads them.
    """
    for where, schema in schemas(document):
        if _lone_reference(schema) and _has_siblings(schema):
            schema["allOf"].append({"type": "object"})
            log("merge-allof-siblings", where)


def own_class_for_lone_allof(document: Tree, log: Log) -> None:
    """A named schema is a class of its own, even when it adds nothing to the one that it refers to."""
    for where, schema in components(document).items():
        if _lone_reference(schema) and not _has_siblings(schema) and is_object(document, schema["allOf"][0]):
            schema["allOf"].append({"type": "object"})
            log("own-class-for-lone-allof", where)


def _lone_reference(schema: Tree) -> bool:
    parts = schema.get("allOf") or []
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
    """Merge by hand what the generator cannot: `allOf` in `allOf`, unions and plain types in it, redefinitions."""
    for where, schema in schemas(document):
        if not schema.get("allOf") or not _beyond_the_generator(document, schema):
            continue
        merged = _merged(document, schema, {})
        for key in ("allOf", "oneOf", "anyOf"):
            schema.pop(key, None)
        schema.update({**merged, **{key: schema[key] for key in ("description",) if key in schema}})
        log("inline-allof", where)


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
        own = whole.get("properties") or {} if part is schema else _properties(document, whole, {})
        for name, child in own.items():
            gist = json.dumps({key: child.get(key) for key in ("$ref", "type", "format", "enum", "items")})
            if defined.setdefault(name, gist) != gist:
                return True
    return False


def _properties(document: Tree, schema: Tree, done: dict[int, Tree]) -> Tree:
    found: Tree = _merged(document, schema, done).get("properties", {})
    return found


def _merged(document: Tree, schema: Tree, done: dict[int, Tree]) -> Tree:
    """One schema with everything of `allOf` in it; the members of a union all at once, none of them required.

    Each schema is merged once (`done`, by its identity), however many refer to it: a few dozen levels that refer to the
    one below twice would take for ever.
    """
    schema = resolve(document, schema)
    if id(schema) in done:
        return done[id(schema)]
    done[id(schema)] = {}  # what refers to itself adds nothing by it
    merged: Tree = {}
    for part in schema.get("allOf") or []:
        _add(merged, _merged(document, part, done))
    for part in [*(schema.get("oneOf") or []), *(schema.get("anyOf") or [])]:
        _add(merged, {"properties": _properties(document, part, done)})
    own = {key: value for key, value in schema.items() if key not in ("allOf", "oneOf", "anyOf", "discriminator")}
    _add(merged, own)
    if merged.get("properties") or merged.get("type") == "object":
        merged["type"] = "object"
    else:
        merged.pop("properties", None)
    done[id(schema)] = merged
    return merged


def _add(merged: Tree, part: Tree) -> None:
    """The later definition of a property wins, and keeps what it does not say itself."""
    for name, child in (part.get("properties") or {}).items():
        properties = merged.setdefault("properties", {})
        earlier = properties.get(name, {})
        alike = "$ref" not in child and "$ref" not in earlier and child.get("type") == earlier.get("type")
        properties[name] = {**earlier, **child} if alike else child
    if part.get("required"):
        merged["required"] = sorted({*merged.get("required", []), *part["required"]})
    merged.update({key: value for key, value in part.items() if key not in ("properties", "required")})


# ---- Marks: keys of ours that model.py.jinja reads ----


def mark_union_members(document: Tree, log: Log) -> None:
    """The members of a union carry the words by which a discriminator calls them (`x-one-of`)."""
    for where, schema in schemas(document):
        parts = [*(schema.get("oneOf") or []), *(schema.get("anyOf") or [])]
        members = [part for part in parts if is_object(document, part)]
        discriminator = schema.get("discriminator") or {}
        for part in members if len(members) > 1 else []:
            tags: Tree = resolve(document, part).setdefault("x-one-of", {})
            if "propertyName" in discriminator and "$ref" in part:
                known = tags.setdefault(discriminator["propertyName"], [])
                known.extend(word for word in _called(discriminator, part["$ref"]) if word not in known)
            log("mark-union-members", f"{where}: {part.get('$ref', 'an object without a name')}")


def _called(discriminator: Tree, reference: str) -> list[str]:
    name = reference.rpartition("/")[2]
    mapped = [word for word, to in (discriminator.get("mapping") or {}).items() if to in (reference, name)]
    return [word.casefold() for word in (*mapped, name)]


def mark_answers(document: Tree, log: Log) -> None:
    """A model that an answer may hold reads UNSET where a required field is missing (`x-in-answers`)."""
    seen: set[int] = set()
    for operation in operations(document):
        for _, content in answers(operation):
            for medium in content.values():
                for schema in reachable(document, medium.get("schema", {}), seen):
                    schema["x-in-answers"] = True
    log("mark-answers", f"{len(seen)} schemas")
