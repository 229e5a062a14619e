"""Rewrites of `allOf`: what the generator cannot merge is merged here."""

import json
import re
from collections.abc import Iterator
from copy import deepcopy

from victor_spec.tree import Tree, in_place_of, is_mapping, list_at, mapping_at, resolve

from .base import HAD_NULL, Log, below, components, drop, replace, schemas
from .names import SCHEMAS, give_name
from .redefinition import REDEFINED, TYPED, UNITED, both, gist, values_of
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
        if is_single_reference(schema) and (
            has_siblings(schema)
            or (id(schema) in named and is_object(document, schema["allOf"][0]))
        ):
            schema["allOf"].append({"type": "object"})
            log("merge-allof-siblings", where)


def name_single_union(document: Tree, log: Log) -> None:
    """Write a named union of one reference as `allOf`: the generator would build what is within
    that schema twice.
    """
    for where, schema in components(document).items():
        keys = [key for key in ("oneOf", "anyOf", "allOf", "type", "properties") if schema.get(key)]
        members = list_at(schema, keys[0]) if keys in (["oneOf"], ["anyOf"]) else []
        if (
            len(members) == 1
            and "$ref" in members[0]
            and "propertyName" not in mapping_at(schema, "discriminator")
        ):
            schema["allOf"] = schema.pop(keys[0])
            log("name-single-union", where)


def break_circle(document: Tree, log: Log) -> None:
    """Drop the reference that makes a schema a part of itself by way of `allOf`, or of unions of
    one member.
    """
    for name in components(document):
        for holder, key, to in [*_wholes(document, name)]:
            if key in holder and _is_within(document, name, to):
                holder[key] = [part for part in holder[key] if part.get("$ref") != SCHEMAS + to]
                if not holder[key]:
                    del holder[key]
                log.left_out.append(
                    f"{name}: {key}, by which it is a part of itself: its reference to {to} is not "
                    "read; remove it, or put what they share into one more schema"
                )


def _wholes(document: Tree, name: str) -> Iterator[tuple[Tree, str, str]]:
    """The named schemas that a named one has all of, each with the schema and the key with the
    reference to it.
    """
    pending = [resolve(document, {"$ref": SCHEMAS + name})]
    for schema in pending:  # it grows
        for key in ("allOf", "oneOf", "anyOf"):
            parts = list_at(schema, key)
            if key == "allOf" or (
                len(parts) == 1 and "propertyName" not in mapping_at(schema, "discriminator")
            ):
                pending += [part for part in parts if "$ref" not in part]
                yield from (
                    (schema, key, part["$ref"].removeprefix(SCHEMAS))
                    for part in parts
                    if "$ref" in part
                )


def _is_within(document: Tree, name: str, whole: str) -> bool:
    """Whether a named schema is a part of another one, or the same."""
    pending = [whole]
    for each in pending:  # it grows
        pending += dict.fromkeys(to for _, _, to in _wholes(document, each) if to not in pending)
    targets = [resolve(document, {"$ref": SCHEMAS + each}) for each in (name, *pending)]
    return any(each is targets[0] for each in targets[1:])


def report_exclusive_types(document: Tree, log: Log) -> None:
    """Report an `allOf` whose members have no type in common, such as a text and an object: no
    value is both.
    """
    for where, schema in schemas(document):
        own = {key: value for key, value in schema.items() if key != "allOf"}
        typed = [_admitted(document, part) for part in [*list_at(schema, "allOf"), own]]
        typed = [each for each in typed if each]
        if schema.get("allOf") and typed and not set[str].intersection(*typed):
            words = " and ".join(dict.fromkeys("/".join(sorted(each)) for each in typed))
            log.left_out.append(
                f"{where}: allOf intersects {words}, which exclude each other: no value is valid"
            )


def _admitted(document: Tree, schema: Tree) -> set[str]:
    """The types that a schema admits at most, beside null; none when it, or a part of it, says
    nothing of them.
    """
    composed = {"allOf", "oneOf", "anyOf"}
    typed = [
        kinds(each)
        for each in variants(document, schema)
        if kinds(each) or not composed & each.keys()
    ]
    admitted = set[str]().union(*typed) if all(typed) else set[str]()
    return (admitted | {"integer"} if "number" in admitted else admitted) - {"null"}


def named_if_within(document: Tree, schema: Tree, parts: list[Tree], where: str) -> Tree:
    """The schema that is to have some parts: one with a name, to which the schema refers, where
    they contain it.
    """
    if not any(each is schema for part in parts for _, each in below(where, part)):
        return schema
    schema[MADE_OF] = sorted(_composed(document, [schema]))
    return mapping_at(components(document), give_name(document, schema, re.sub(r"\W+", "_", where)))


def _composed(document: Tree, parts: list[Tree]) -> frozenset[str]:
    """The named schemas that parts are merged of; in the place of a composition, those that it is
    made of.
    """
    named, names, made = components(document), set[str](), set[str]()
    pending = [*parts]
    for part in pending:  # it grows
        name = str(part.get("$ref", "")).removeprefix(SCHEMAS)
        if name in named and name not in names:
            names.add(name)
            made |= {name} if {SOURCES, MADE_OF} & named[name].keys() else set()
            pending.append(named[name])
        names |= {*list_at(part, MADE_OF)}
        pending += [
            each for key in (SOURCES, "allOf", "oneOf", "anyOf") for each in list_at(part, key)
        ]
    return frozenset(names - made)


def is_single_reference(schema: Tree) -> bool:
    parts = list_at(schema, "allOf")
    return len(parts) == 1 and "$ref" in parts[0]


def has_siblings(schema: Tree) -> bool:
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
    """Merge `allOf` where the generator cannot: nested ones, unions and plain types in it,
    redefined properties.
    """
    for where, schema in schemas(document):
        if not schema.get("allOf"):
            continue
        typed = [part for part in schema["allOf"] if TYPED & part.keys()]
        if (
            len(typed) == 1 < len(schema["allOf"])
            and "$ref" in typed[0]
            and not is_object(document, typed[0])
        ):
            # The other members say nothing of the value, such as `nullable`.
            for part in [part for part in schema["allOf"] if part is not typed[0]]:
                schema.update({key: value for key, value in part.items() if key not in schema})
            schema["allOf"] = typed
        if _beyond_the_generator(document, schema):
            write_out_allof(document, schema, where, log)
            log("inline-allof", where)


def write_out_allof(
    document: Tree, schema: Tree, where: str, log: Log, around: frozenset[str] = frozenset()
) -> None:
    """Put the merged properties of `allOf`, and of unions beside it, into the schema itself, whose
    place is `where`.

    `around` has the named schemas that the compositions around it are merged of.
    """
    merged = _merged(document, schema, {})
    schema = named_if_within(document, schema, [merged], where)
    drop(schema, "allOf", "oneOf", "anyOf", REDEFINED, UNITED)
    schema.update({**merged, **{key: schema[key] for key in ("description",) if key in schema}})
    for name, child in list(mapping_at(schema, "properties").items()):
        _settle(document, child, f"{where}_{name}", log, around)


def write_out_failed(document: Tree, schema: Tree, where: str, log: Log) -> None:
    """Write out an `allOf` that openapi-python-client refused, unless it would grow without an end.

    It grows when it stands in what was written out before, of the same named schemas, and is no
    shorter than that.
    """
    typed = [part for part in schema["allOf"] if TYPED & part.keys()]
    is_named = any(schema is each for each in components(document).values())
    if (
        len(typed) == 1 < len(schema["allOf"])
        and "$ref" in typed[0]
        and not (is_named or has_siblings(schema))
    ):
        replace(schema, {"allOf": typed})  # the others only describe it
        return
    around = [
        each for place, each in log.written.items() if re.match(re.escape(place) + r"(?!\w)", where)
    ]
    seen = frozenset[str]().union(*(names for names, _ in around))
    parts, before = schema["allOf"], {*components(document)}
    names, size = _composed(document, parts), len(gist(schema))
    if names and names <= seen and all(size >= each for _, each in around):
        _read_last(schema, parts, where, log)
        return
    write_out_allof(document, schema, where, log, seen)
    log.written |= dict.fromkeys(
        [where, *(components(document).keys() - before)], (seen | names, size)
    )


def _read_last(schema: Tree, parts: list[Tree], where: str, log: Log) -> None:
    log.left_out.append(
        f"{where}: what {len(parts)} definitions say of it, without an end: the last one is read"
    )
    replace(schema, parts[-1])


def _settle(document: Tree, schema: Tree, where: str, log: Log, around: frozenset[str]) -> None:
    """Merge the definitions of a property, or of the items of a list, that `both` put into `allOf`.

    The result is the one that says all, or a new class, named when a definition is a reference: it
    can contain itself. Definitions that are more than references grow without an end when they are
    merged of a schema that a composition around them is merged of, too.
    """
    if is_mapping(schema.get("items")):
        _settle(document, schema["items"], f"{where}_item", log, around)
    if not schema.pop(REDEFINED, False):
        return
    sources = [
        resolve(document, part).get(SOURCES, [part]) if "$ref" in part else [part]
        for part in schema["allOf"]
    ]
    parts = list({gist(part): part for each in sources for part in each}.values())
    whole = next((part for part in reversed(parts) if _says_all(document, part, parts)), None)
    names = _composed(document, parts)
    if whole is not None:
        replace(schema, whole)
    elif names & around and not all("$ref" in part for part in parts):
        _read_last(schema, parts, where, log)
    elif any("$ref" in part for part in parts):
        if name := _name_composition(document, schema, parts, where):
            write_out_allof(document, components(document)[name], name, log, around | names)
    else:
        write_out_allof(document, schema, where, log, around | names)


def _name_composition(document: Tree, schema: Tree, parts: list[Tree], where: str) -> str | None:
    """Make a composition a reference to a schema that all with the same definitions share; its name
    when it is new.
    """
    key = sorted(map(gist, parts))
    for name, each in components(document).items():
        if SOURCES in each and sorted(map(gist, each[SOURCES])) == key:
            replace(schema, {"$ref": SCHEMAS + name})
            return None
    references = [part["$ref"].rpartition("/")[2] for part in parts if "$ref" in part]
    replace(schema, {"allOf": deepcopy(parts), SOURCES: deepcopy(parts)})
    name = "_and_".join(references) if len(references) == len(parts) else re.sub(r"\W+", "_", where)
    return give_name(document, schema, name)


def _says_all(document: Tree, part: Tree, parts: list[Tree]) -> bool:
    """Whether an object has the fields that all others have, in the same way, and requires them,
    too.

    Of a union, one member must: a value is read as one of them.
    """
    if UNITED in part and "anyOf" in part:
        return any(_says_all(document, each, parts) for each in part["anyOf"])
    wholes = [_merged(document, each, {}) for each in [part, *parts]]
    (fields, required), *others = [
        (mapping_at(each, "properties"), set(list_at(each, "required"))) for each in wholes
    ]
    gists = {name: gist(child) for name, child in fields.items()}
    return not any("additionalProperties" in each for each in wholes) and all(
        needed <= required and all(gists.get(name) == gist(child) for name, child in own.items())
        for own, needed in others
    )


def _beyond_the_generator(document: Tree, schema: Tree) -> bool:
    parts = schema["allOf"]
    if schema.get("oneOf") or schema.get("anyOf"):
        return True
    if len(parts) == 1 and "$ref" in parts[0]:
        return bool({"enum", "const"} & schema.keys())
    words = {"description", "required", "nullable"}
    if any("$ref" not in part and "allOf" in part for part in parts) or not all(
        is_object(document, part) or resolve(document, part).keys() <= words for part in parts
    ):
        return True
    wholes = [
        mapping_at(schema, "properties"),
        *(all_properties(document, part, {}) for part in parts),
    ]
    defined: dict[str, str] = {}
    return any(
        defined.setdefault(name, gist(child)) != gist(child)
        for whole in wholes
        for name, child in whole.items()
    )


def all_properties(document: Tree, schema: Tree, done: dict[int, Tree]) -> Tree:
    """The properties of a schema, with those of its `allOf` and of its unions.

    `done` is for `_merged`.
    """
    return mapping_at(_merged(document, schema, done), "properties")


def all_required(document: Tree, schema: Tree, done: dict[int, Tree]) -> list[str]:
    """The names of the properties that a schema requires, by itself or in its `allOf`.

    `done` is for `_merged`.
    """
    return list_at(_merged(document, schema, done), "required")


def _merged(document: Tree, schema: Tree, done: dict[int, Tree]) -> Tree:
    """One schema with the properties of `allOf`, and those of every member of a union, none of them
    required.

    `done` has the merged schemas by id: each is merged once, because nested references can be
    exponentially many.
    """
    schema = resolve(document, schema)
    if id(schema) in done:
        return done[id(schema)]
    done[id(schema)] = {}  # a schema adds nothing to itself
    merged: Tree = {}
    for part in list_at(schema, "allOf"):
        _add(document, merged, _merged(document, part, done))
    _add(
        document,
        merged,
        _united(document, [*list_at(schema, "oneOf"), *list_at(schema, "anyOf")], done),
    )
    own = {key: value for key, value in schema.items() if key not in NOT_MERGED}
    _add(document, merged, own)
    if merged.get("properties") or merged.get("type") == "object":
        merged["type"] = "object"
    else:
        merged.pop("properties", None)
    done[id(schema)] = merged
    return merged


def _united(document: Tree, members: list[Tree], done: dict[int, Tree]) -> Tree:
    """What the members of a union say together: the properties of all of them, or the values of all
    their enums.
    """
    wholes = [_merged(document, part, done) for part in members]
    wholes = [whole for whole in wholes if whole.get("type") != "null"]
    properties = [mapping_at(whole, "properties") for whole in wholes]
    if any(properties):
        names = dict.fromkeys(name for each in properties for name in each)
        return {
            "properties": {
                name: one_of([each[name] for each in properties if name in each]) for name in names
            }
        }
    if wholes and all(map(values_of, wholes)):
        return one_of(wholes)
    scalars = all(whole.get("type", "object") != "object" or "anyOf" in whole for whole in wholes)
    return {"anyOf": members} if wholes and scalars else {}


def one_of(parts: list[Tree]) -> Tree:
    """One schema for what several say: an enum of the values of enums, and otherwise a union of
    those that differ.
    """
    single = [
        each
        for part in parts
        for each in (part["anyOf"] if UNITED in part and "anyOf" in part else [part])
    ]
    different = list(
        {
            json.dumps({**each, "description": "", HAD_NULL: None}, sort_keys=True): each
            for each in single
        }.values()
    )
    if len(different) == 1:
        return different[0]
    values = [values_of(each) for each in different]
    if all(values) and len({json.dumps(each.get("type")) for each in different}) == 1:
        rest = {
            key: value
            for key, value in different[0].items()
            if key not in ("const", "enum", "x-enum-varnames")
        }
        whole = {**rest, "enum": list(dict.fromkeys(value for each in values for value in each))}
        return in_place_of(different[0], whole)
    return in_place_of(different[0], {"anyOf": different, UNITED: True})


def _add(document: Tree, merged: Tree, part: Tree) -> None:
    """Add the keys of `part`; of a property that both have, what both say of it."""
    for name, child in mapping_at(part, "properties").items():
        properties = merged.setdefault("properties", {})
        properties[name] = both(document, properties[name], child) if name in properties else child
    if part.get("required"):
        merged["required"] = sorted({*list_at(merged, "required"), *part["required"]})
    merged.update(
        {key: value for key, value in part.items() if key not in ("properties", "required")}
    )
