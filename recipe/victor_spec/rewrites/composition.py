"""Rewrites of `allOf`: what the generator cannot merge is merged here."""

import json
import re
from collections.abc import Iterator
from copy import deepcopy
from itertools import chain
from typing import NamedTuple

from victor_spec.tree import (
    SCHEMAS,
    Tree,
    in_place_of,
    is_mapping,
    is_null,
    list_at,
    mapping_at,
    resolve,
    union_members,
)

from .base import Log, below, components, drop, replace, schemas
from .classes import has_siblings, is_enum, is_object, is_single_reference
from .names import give_name
from .redefinition import REDEFINED, TYPED, UNITED, both_definitions, gist, values_of
from .serialization import kinds, variants

SOURCES = "x-redefined-as"
"""The key with the definitions that a named composition is made of."""
MADE_OF = "x-made-of"
"""The key of an inline schema that got a name, with the named schemas that it is merged of."""
NOT_MERGED = ("allOf", "oneOf", "anyOf", "discriminator", SOURCES, MADE_OF, REDEFINED, UNITED)


def merge_allof_siblings(document: Tree, log: Log) -> None:
    """Keep the siblings of an `allOf` with a single reference: the generator drops them unless it
    has a second part.

    A named schema that adds nothing to the one that it refers to becomes a class of its own by
    that.
    """
    named = {id(schema) for schema in components(document).values()}
    for where, schema in schemas(document):
        if not is_single_reference(schema):
            continue
        is_named_class = id(schema) in named and is_object(document, schema["allOf"][0])
        if has_siblings(schema) or is_named_class:
            schema["allOf"].append({"type": "object"})
            log("merge-allof-siblings", where)


def name_single_union(document: Tree, log: Log) -> None:
    """Write a named union of one reference as `allOf`: the generator would build what is within
    that schema twice.
    """
    for where, schema in components(document).items():
        keys = [key for key in ("oneOf", "anyOf", "allOf", "type", "properties") if schema.get(key)]
        if keys not in (["oneOf"], ["anyOf"]) or _is_discriminated(schema):
            continue
        members = list_at(schema, keys[0])
        if len(members) == 1 and "$ref" in members[0]:
            schema["allOf"] = schema.pop(keys[0])
            log("name-single-union", where)


def _is_discriminated(schema: Tree) -> bool:
    """Whether a union has a discriminator."""
    return "propertyName" in mapping_at(schema, "discriminator")


def break_circle(document: Tree, log: Log) -> None:
    """Drop the reference that makes a schema a part of itself by way of `allOf`, or of unions of
    one member.
    """
    for name in components(document):
        for part in [*_named_parts(document, name)]:
            holder, key, target = part
            if key in holder and _is_within(document, name, target):
                reference = SCHEMAS + target
                holder[key] = [other for other in holder[key] if other.get("$ref") != reference]
                if not holder[key]:
                    del holder[key]
                log.left_out.append(
                    f"{name}: {key}, by which it is a part of itself: its reference to {target} is "
                    "not read; remove it, or put what they share into one more schema"
                )


class _NamedPart(NamedTuple):
    """A reference by which a schema has all that a named schema has."""

    holder: Tree
    """The schema that has the reference: the named one, or one that is written out in it."""
    key: str
    """The key of the list with the reference: `allOf`, or that of a union of one member."""
    target: str
    """The name of the schema that the reference leads to."""


def _named_parts(document: Tree, name: str) -> Iterator[_NamedPart]:
    """The named schemas all of whose properties a named schema has, by its own references."""
    pending = [resolve(document, {"$ref": SCHEMAS + name})]
    for schema in pending:  # it grows
        for key in ("allOf", "oneOf", "anyOf"):
            parts = list_at(schema, key)
            is_single = len(parts) == 1 and not _is_discriminated(schema)
            if key != "allOf" and not is_single:
                continue
            for part in parts:
                if "$ref" in part:
                    yield _NamedPart(schema, key, part["$ref"].removeprefix(SCHEMAS))
                else:
                    pending.append(part)


def _is_within(document: Tree, name: str, whole: str) -> bool:
    """Whether a named schema is a part of another one, or the same."""
    pending = [whole]
    for each in pending:  # it grows
        targets = [part.target for part in _named_parts(document, each)]
        pending += dict.fromkeys(target for target in targets if target not in pending)
    schema = resolve(document, {"$ref": SCHEMAS + name})
    return any(resolve(document, {"$ref": SCHEMAS + each}) is schema for each in pending)


def report_exclusive_types(document: Tree, log: Log) -> None:
    """Report an `allOf` whose members have no type in common, such as a text and an object: no
    value is both.
    """
    for where, schema in schemas(document):
        if not schema.get("allOf"):
            continue
        own = {key: value for key, value in schema.items() if key != "allOf"}
        admitted = [_admitted_types(document, part) for part in [*schema["allOf"], own]]
        typed = [kinds_ for kinds_ in admitted if kinds_]
        if typed and not typed[0].intersection(*typed):
            words = dict.fromkeys("/".join(sorted(kinds_)) for kinds_ in typed)
            log.left_out.append(
                f"{where}: allOf intersects {' and '.join(words)}, which exclude each other: no "
                "value is valid"
            )


def _admitted_types(document: Tree, schema: Tree) -> set[str]:
    """The types that a schema admits at most, without null. An empty set where the schema, or an
    alternative of it, does not say what types it admits.
    """
    admitted: set[str] = set()
    for whole in variants(document, schema):
        own = kinds(whole)
        if not own and not {"allOf", "oneOf", "anyOf"} & whole.keys():
            return set()
        admitted |= own
    if "number" in admitted:
        admitted.add("integer")
    return admitted - {"null"}


def holder_of(document: Tree, schema: Tree, parts: list[Tree], where: str) -> Tree:
    """Where to write `parts`: `schema` itself.

    But if a part contains `schema` (written in place, it would contain itself), move `schema` to a
    named component, let it refer to that, and return the component.
    """
    if not _is_schema_within(schema, parts):
        return schema
    schema[MADE_OF] = sorted(_names_merged_into(document, [schema]))
    name = give_name(document, schema, re.sub(r"\W+", "_", where))
    return mapping_at(components(document), name)


def _is_schema_within(schema: Tree, parts: list[Tree]) -> bool:
    """Whether a schema is one of some parts, or written out in one of them."""
    written_out = [inner for part in parts for _, inner in below("", part)]
    return any(inner is schema for inner in written_out)


def _names_merged_into(document: Tree, parts: list[Tree]) -> frozenset[str]:
    """The names of the schemas that some parts are merged of. A composition that was made here is
    not among them, but the schemas that the composition is made of are.
    """
    named = components(document)
    names: set[str] = set()
    compositions: set[str] = set()
    pending = [*parts]
    for part in pending:  # it grows
        name = str(part.get("$ref", "")).removeprefix(SCHEMAS)
        if name in named and name not in names:
            names.add(name)
            if SOURCES in named[name] or MADE_OF in named[name]:
                compositions.add(name)
            pending.append(named[name])
        names |= {*list_at(part, MADE_OF)}
        for key in (SOURCES, "allOf", "oneOf", "anyOf"):
            pending += list_at(part, key)
    return frozenset(names - compositions)


def inline_allof(document: Tree, log: Log) -> None:
    """Merge `allOf` where the generator cannot: nested ones, unions and plain types in it,
    redefined properties.
    """
    for where, schema in schemas(document):
        if not schema.get("allOf"):
            continue
        whole = _only_typed_part(schema)
        if whole is not None and not is_object(document, whole):
            for part in schema["allOf"]:
                if part is not whole:
                    schema.update({key: part[key] for key in part if key not in schema})
            schema["allOf"] = [whole]
        if _is_beyond_generator(document, schema):
            write_out_allof(document, schema, where, log)
            log("inline-allof", where)


def _only_typed_part(schema: Tree) -> Tree | None:
    """The only part of an `allOf` that says what a value is, if that part is a reference and others
    only describe the value, such as by `nullable`; else None.
    """
    typed: list[Tree] = [part for part in list_at(schema, "allOf") if TYPED & part.keys()]
    if len(typed) == 1 < len(schema["allOf"]) and "$ref" in typed[0]:
        return typed[0]
    return None


def write_out_allof(
    document: Tree, schema: Tree, where: str, log: Log, around: frozenset[str] = frozenset()
) -> None:
    """Put the merged properties of `allOf`, and of unions beside it, into the schema itself, whose
    place is `where`.

    `around` has the named schemas that the compositions around it are merged of.
    """
    merged = _merged_schema(document, schema)
    schema = holder_of(document, schema, [merged], where)
    drop(schema, "allOf", "oneOf", "anyOf", REDEFINED, UNITED)
    description = schema.get("description")
    schema.update(merged)
    if description is not None:
        schema["description"] = description
    for name, child in list(mapping_at(schema, "properties").items()):
        _merge_definitions(document, child, f"{where}_{name}", log, around)


def write_out_failed(document: Tree, schema: Tree, where: str, log: Log) -> None:
    """Write out an `allOf` that openapi-python-client refused, unless it would grow without an end.

    It grows when it stands in what was written out before, of the same named schemas, and is no
    shorter than that.
    """
    named = components(document)
    is_named = any(schema is each for each in named.values())
    whole = None if is_named or has_siblings(schema) else _only_typed_part(schema)
    if whole is not None:
        replace(schema, {"allOf": [whole]})
        return
    names = _names_merged_into(document, schema["allOf"])
    size = len(gist(schema))
    outer = _compositions_around(where, log)
    around = frozenset(name for inner, _ in outer for name in inner)
    is_growing = all(size >= length for _, length in outer)
    if names and names <= around and is_growing:
        _read_only_last(schema, schema["allOf"], where, log)
        return
    before = {*named}
    write_out_allof(document, schema, where, log, around)
    for place in (where, *(components(document).keys() - before)):
        log.written[place] = around | names, size


def _compositions_around(where: str, log: Log) -> list[tuple[frozenset[str], int]]:
    """The values of `log.written` at a place and at the places around it."""
    return [
        written
        for place, written in log.written.items()
        if re.match(re.escape(place) + r"(?!\w)", where)
    ]


def _read_only_last(schema: Tree, parts: list[Tree], where: str, log: Log) -> None:
    """Read the last of some definitions alone, and report that the others are lost."""
    log.left_out.append(
        f"{where}: what {len(parts)} definitions say of it, without an end: the last one is read"
    )
    replace(schema, parts[-1])


def _merge_definitions(
    document: Tree, schema: Tree, where: str, log: Log, around: frozenset[str]
) -> None:
    """Merge what `both_definitions` put into the `allOf` of a property, or of the items of a list.

    The result is the definition that says all, or a new class. The class gets a name if a
    definition is a reference, because then it can contain itself. Definitions that are more than
    references grow without an end if they are merged of a schema that a composition around them is
    merged of, too.
    """
    if is_mapping(schema.get("items")):
        _merge_definitions(document, schema["items"], f"{where}_item", log, around)
    if not schema.pop(REDEFINED, False):
        return
    parts = _distinct_definitions(document, schema["allOf"])
    whole = next((part for part in reversed(parts) if _says_all(document, part, parts)), None)
    if whole is not None:
        replace(schema, whole)
        return
    names = _names_merged_into(document, parts)
    references = [part for part in parts if "$ref" in part]
    if names & around and len(references) < len(parts):
        _read_only_last(schema, parts, where, log)
    elif not references:
        write_out_allof(document, schema, where, log, around | names)
    else:
        name = _name_composition(document, schema, parts, where)
        if name is not None:
            write_out_allof(document, components(document)[name], name, log, around | names)


def _distinct_definitions(document: Tree, parts: list[Tree]) -> list[Tree]:
    """The definitions that differ from each other. A reference to a composition stands for the
    definitions that the composition is made of.
    """
    different: dict[str, Tree] = {}
    for part in parts:
        sources = resolve(document, part).get(SOURCES) if "$ref" in part else None
        for definition in sources or [part]:
            different[gist(definition)] = definition
    return [*different.values()]


def _name_composition(document: Tree, schema: Tree, parts: list[Tree], where: str) -> str | None:
    """Make a composition a reference to a named schema, which all compositions of the same
    definitions share. Returns the name of the schema if it is new, else None.
    """
    key = sorted(map(gist, parts))
    for name, composition in components(document).items():
        if SOURCES in composition and sorted(map(gist, composition[SOURCES])) == key:
            replace(schema, {"$ref": SCHEMAS + name})
            return None
    references = [part["$ref"].rpartition("/")[2] for part in parts if "$ref" in part]
    name = "_and_".join(references)
    if len(references) < len(parts):
        name = re.sub(r"\W+", "_", where)
    replace(schema, {"allOf": deepcopy(parts), SOURCES: deepcopy(parts)})
    return give_name(document, schema, name)


def _says_all(document: Tree, part: Tree, parts: list[Tree]) -> bool:
    """Whether an object has, in the same way, all fields that any of the other parts has, and
    requires all that any of them requires.

    Of a union, one member must: a value is read as one of the members.
    """
    if UNITED in part and "anyOf" in part:
        return any(_says_all(document, member, parts) for member in part["anyOf"])
    own = _merged_schema(document, part)
    wholes = [_merged_schema(document, other) for other in parts]
    if any("additionalProperties" in whole for whole in (own, *wholes)):
        return False
    return all(_has_all_of(own, whole) for whole in wholes)


def _has_all_of(schema: Tree, other: Tree) -> bool:
    """Whether a merged schema has, and requires, all fields that another one does."""
    if not {*list_at(other, "required")} <= {*list_at(schema, "required")}:
        return False
    fields = mapping_at(schema, "properties")
    for name, child in mapping_at(other, "properties").items():
        if name not in fields or gist(fields[name]) != gist(child):
            return False
    return True


def _is_beyond_generator(document: Tree, schema: Tree) -> bool:
    """Whether openapi-python-client cannot merge the `allOf` of a schema."""
    parts = schema["allOf"]
    if union_members(schema):
        return True
    if len(parts) == 1 and "$ref" in parts[0]:
        return "enum" in schema or "const" in schema
    for part in parts:
        is_nested = "$ref" not in part and "allOf" in part
        says_little = resolve(document, part).keys() <= {"description", "required", "nullable"}
        if is_nested or not (says_little or is_object(document, part)):
            return True
    defined: dict[str, str] = {}
    inherited = [all_properties(document, part) for part in parts]
    for whole in (mapping_at(schema, "properties"), *inherited):
        for name, child in whole.items():
            if defined.setdefault(name, gist(child)) != gist(child):
                return True
    return False


def all_properties(document: Tree, schema: Tree, done: dict[int, Tree] | None = None) -> Tree:
    """The properties of a schema, with those of its `allOf` and of its unions.

    `done` is for `_merged_schema`.
    """
    return mapping_at(_merged_schema(document, schema, done), "properties")


def all_required(document: Tree, schema: Tree, done: dict[int, Tree]) -> list[str]:
    """The names of the properties that a schema requires, by itself or in its `allOf`.

    `done` is for `_merged_schema`.
    """
    return list_at(_merged_schema(document, schema, done), "required")


def _merged_schema(document: Tree, schema: Tree, done: dict[int, Tree] | None = None) -> Tree:
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
        _add_part(document, merged, _merged_schema(document, part, done))
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
    wholes = [_merged_schema(document, member, done) for member in members]
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
