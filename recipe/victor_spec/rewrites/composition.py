"""Rewrites of `allOf`: what the generator cannot merge is written out here.

`merged_schemas` says what is written, and `redefinition` what two definitions of a property say.
"""

import re
from collections.abc import Iterator
from copy import deepcopy
from typing import NamedTuple

from victor_spec.tree import (
    SCHEMAS,
    Tree,
    is_mapping,
    list_at,
    mapping_at,
    resolve,
    union_members,
)

from .base import Log, below, components, drop, replace, schemas
from .classes import has_siblings, is_object, is_single_reference
from .merged_schemas import MADE_OF, SOURCES, all_properties, merged_schema
from .names import give_name
from .redefinition import REDEFINED, TYPED, UNITED, gist
from .serialization import kinds, variants


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
    merged = merged_schema(document, schema)
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
    own = merged_schema(document, part)
    wholes = [merged_schema(document, other) for other in parts]
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
