"""Rewrites of unions: what stands beside one, what tells its members apart, and the names of its
members.
"""

from collections.abc import Iterator
from copy import deepcopy
from itertools import chain, count
from typing import Any, NamedTuple

from victor_spec.tree import (
    SCHEMAS,
    Family,
    Tree,
    families,
    in_place_of,
    is_mapping,
    is_null,
    list_at,
    mapping_at,
    resolve,
    types_of,
    words_as,
)

from .base import HAD_NULL, Log, components, drop, schemas
from .composition import (
    all_properties,
    all_required,
    has_siblings,
    is_object,
    is_single_reference,
    named_if_within,
    write_out_allof,
)
from .names import free_name, give_name, is_model
from .redefinition import TYPED, values_of
from .schemas import ONLY_NULL
from .serialization import kinds, variants

OF_OBJECT = ("properties", "required", "additionalProperties")
"""What a schema says of objects."""
OF_TYPE = {"object": OF_OBJECT, "array": ("items", "prefixItems"), "null": ()}
DISCRIMINATOR = "x-discriminator"
"""The format of the member of a union that stands for what its discriminator does not name, and its
key.
"""
REFERENCE = "x-reference"
"""The key of a member of a union with the reference that was written out."""
TAKEN = "x-taken"
"""The key of a discriminator with the references that it names, and that are no members of the
union.
"""
OTHERS: dict[str, str] = {}
"""What stands for any other word, and for none, among the words of a member: that of
`defaultMapping`.
"""
UNSPLIT = {"allOf", "oneOf", "anyOf", "enum", "const", "discriminator"}

Word = str | int
Words = list[list[Word | dict[str, str] | None]]
"""The words of each member of a union; None for null."""


KIND_OF = {str: "string", bool: "boolean", int: "integer"}


class Discriminator(NamedTuple):
    """A discriminator of a union, as the templates need it."""

    name: str
    """The property with the words."""
    union: str
    """The key of the words in the mark `x-one-of` of each member."""
    taken: list[str]
    """The words that name other schemas."""
    has_default: bool
    """Whether any other value is read as a member, so that there is no unknown variant."""


def split_types(document: Tree, log: Log) -> None:
    """Write a value that can be an object or something else as a union: each type has the keys that
    are about it.
    """
    for where, schema in schemas(document):
        listed = list_at(schema, "type")
        if "object" not in listed or len({*listed} - {"null"}) < 2 or UNSPLIT & schema.keys():
            continue
        keys = {kind: OF_TYPE.get(kind, ("format",)) for kind in listed}
        own = {kind: {key: schema[key] for key in keys[kind] if key in schema} for kind in listed}
        members = [in_place_of(schema, {"type": kind, **each}) for kind, each in own.items()]
        drop(schema, "type", *(key for each in own.values() for key in each))
        schema["anyOf"] = members
        log("split-types", where)


def unite_children(document: Tree, log: Log) -> None:
    """Read a schema with a discriminator as the child that it names: one that has the schema in its
    `allOf`.

    A reference to it becomes one to a union of its children and itself; only the children refer to
    the schema alone.
    """
    named = components(document)
    unions: dict[str, Tree] = {}
    for family in families(named):
        for parent, below in family.below.items():
            members = [*dict.fromkeys([parent, *below])]
            if len(members) > 1:
                unions[parent] = _union_of_family(named, family, members)
    if not unions:
        return
    names = {parent: free_name(named, f"{parent}_or_child") for parent in unions}
    kept = set(_extended(named, document))
    for where, schema in schemas(document):
        parent = str(schema.get("$ref", "")).removeprefix(SCHEMAS)
        if parent in unions and id(schema) not in kept:
            schema["$ref"] = SCHEMAS + names[parent]
            log("unite-children", where)
    for parent, union in unions.items():
        named[names[parent]] = union


def _union_of_family(named: Tree, family: Family, members: list[str]) -> Tree:
    """The union of a schema, which is the first member, and of those below it."""
    root = named[family.root]
    references = [SCHEMAS + name for name in members]
    others = [SCHEMAS + name for name in family.below[family.root] if name not in members]
    discriminator = {
        "defaultMapping": references[0],
        **deepcopy(root["discriminator"]),
        TAKEN: others,
    }
    members_of_union = [{"$ref": reference} for reference in references]
    return in_place_of(root, {"oneOf": members_of_union, "discriminator": discriminator})


def _extended(named: Tree, document: Tree) -> Iterator[int]:
    """The references, by their ids, of an `allOf` that extends a schema, and of a union that
    chooses by itself.
    """
    own = {id(schema) for schema in named.values()}
    for _, schema in schemas(document):
        typed = [part for part in list_at(schema, "allOf") if TYPED & part.keys()]
        if id(schema) in own or len(typed) > 1 or has_siblings(schema):
            yield from map(id, typed)
        if schema.get("discriminator"):
            yield from (id(part) for key in ("oneOf", "anyOf") for part in list_at(schema, key))


def keep_union_siblings(document: Tree, log: Log) -> None:
    """Put the properties beside a union into each of its members that is an object: the generator
    drops them.

    A union whose members have no more than one set of properties among them becomes a single class.
    """
    for where, schema in reversed(schemas(document)):
        keys = [key for key in ("oneOf", "anyOf") if schema.get(key)]
        if not keys or not schema.get("properties"):
            continue
        members = [
            part
            for key in keys
            for part in schema[key]
            if resolve(document, part).get("type") != "null"
        ]
        own = [all_properties(document, part, {}) for part in members]
        if not all(_is_about_objects(document, part) for part in members):
            united = {
                key: [
                    _with(document, schema, part, f"{where}_type_{number}", log)
                    if _is_about_objects(document, part)
                    and resolve(document, part).get("type") != "null"
                    else part
                    for number, part in enumerate(schema[key])
                ]
                for key in keys
            }
            _unite(document, schema, united, where)
        elif all(each.keys() >= schema["properties"].keys() for each in own):
            drop(schema, *OF_OBJECT)
        elif (
            len(keys) > 1 or sum(not each.keys() <= schema["properties"].keys() for each in own) < 2
        ):
            write_out_allof(document, schema, where, log)
            drop(schema, "discriminator")
        else:
            own = [
                _with(document, schema, part, f"{where}_type_{number}", log)
                for number, part in enumerate(members)
            ]
            _unite(document, schema, {keys[0]: own}, where)
        log("keep-union-siblings", where)


def _unite(document: Tree, schema: Tree, united: Tree, where: str) -> None:
    """Let a union have other members, which say what stood beside it."""
    schema = named_if_within(
        document, schema, [part for parts in united.values() for part in parts], where
    )
    schema.update(united)
    drop(schema, *OF_OBJECT, "type")


def _is_about_objects(document: Tree, member: Tree) -> bool:
    """Whether no value of a member is a scalar or a list."""
    return not any(kinds(whole) - {"null", "object"} for whole in variants(document, member))


def _with(document: Tree, schema: Tree, member: Tree, where: str, log: Log) -> Tree:
    """A member of a union that says what stands beside the union, too."""
    beside = in_place_of(schema, {key: schema[key] for key in OF_OBJECT if key in schema})
    whole = in_place_of(
        resolve(document, member),
        {"allOf": [deepcopy(beside), deepcopy(resolve(document, member))]},
    )
    write_out_allof(document, whole, where, log)
    if "$ref" in member:
        whole[REFERENCE] = member["$ref"]
    return whole


def mark_union_members(document: Tree, log: Log) -> None:
    """Mark members with what selects them: `x-one-of` by discriminators, `x-words` by enums in
    which they differ.

    A union with a discriminator gets a further member, for the variants that the document does not
    name.
    """
    done: dict[int, Tree] = {}
    numbers = count()
    for where, schema in schemas(document):
        parts = [*list_at(schema, "oneOf"), *list_at(schema, "anyOf")]
        referred = [(part, str(part.get(REFERENCE) or part.get("$ref", ""))) for part in parts]
        members = [member for part, name in referred for member in _objects(document, part, name)]
        words = [_words(document, member.schema, done) for member in members]
        is_union = (
            len(members) > 1 or sum(not is_null(resolve(document, part)) for part in parts) > 1
        )
        for member, own in zip(members, words, strict=True) if len(members) > 1 else ():
            differing = {
                name: each
                for name, each in own.items()
                if any(other.get(name) != each for other in words)
            }
            folded = {
                name: sorted({str(word).casefold() for word in each})
                for name, each in differing.items()
            }
            member.schema.setdefault("x-words", {}).update(folded)
            member.schema.setdefault("x-one-of", {})
            log("mark-union-members", f"{where}: {member.name or 'an object without a name'}")
        selecting = _discriminating(document, schema, members, words, log.renamed)
        selecting = selecting or (_differing(document, members, words, done) if is_union else {})
        for name, given in selecting.items():
            union, discriminator = f"{next(numbers)}.{name}", mapping_at(schema, "discriminator")
            references = list_at(discriminator, TAKEN)
            taken = [
                word
                for each in references
                for word in _tag_values(discriminator, each, log.renamed)
            ]
            for member, told in zip(members, given, strict=True):
                member.schema.setdefault("x-one-of", {})[union] = told
            named = {word for told in given for word in told if isinstance(word, str)}
            others = sorted({*taken} - named)
            # Two discriminators can exclude each other's members.
            has_default = (
                not others and len(members) <= len(parts) and any(OTHERS in told for told in given)
            )
            tag = {"name": name, "union": union, "taken": others, "has_default": has_default}
            key = "anyOf" if schema.get("anyOf") else "oneOf"
            schema[key].append(
                in_place_of(schema, {"type": "string", "format": DISCRIMINATOR, DISCRIMINATOR: tag})
            )


class _Member(NamedTuple):
    """An object that is a member of a union, or of a union in it."""

    schema: Tree
    name: str
    """The reference that is the member, "" where it is written in its place."""


def _objects(
    document: Tree, part: Tree, name: str, seen: frozenset[int] = frozenset()
) -> list[_Member]:
    whole = resolve(document, part)
    inner = [*list_at(whole, "oneOf"), *list_at(whole, "anyOf")]
    if is_single_reference(whole) and not has_siblings(whole):
        inner = whole["allOf"]
    if id(whole) in seen or not (inner or is_object(document, whole)):
        return []
    below = [each for one in inner for each in _objects(document, one, name, seen | {id(whole)})]
    return below if inner else [_Member(whole, name)]


def _discriminating(
    document: Tree,
    schema: Tree,
    members: list[_Member],
    words: list[dict[str, list[Word]]],
    renamed: dict[str, str],
) -> dict[str, Words]:
    """The property of the discriminator, with the words of each member; none for a schema without
    one.
    """
    discriminator = mapping_at(schema, "discriminator")
    name = discriminator.get("propertyName")
    if not isinstance(name, str) or not members:
        return {}
    constants = [own.get(name, []) for own in words]
    named: Words = []
    for member, values in zip(members, constants, strict=True):
        texts = _tag_values(discriminator, member.name, renamed) if member.name else []
        declared = resolve(document, all_properties(document, member.schema, {}).get(name, {}))
        kinds = {KIND_OF[type(word)] for word in values} or types_of(declared)
        named.append([*words_as(texts, kinds)])
    default = str(discriminator.get("defaultMapping", ""))
    given: Words = []
    for number, (member, own) in enumerate(zip(members, named, strict=True)):
        others = [
            word
            for each in (named, constants)
            for word in chain(*each[:number], *each[number + 1 :])
        ]
        is_told = len(members) > 1 or len(constants[number]) == 1
        further = [
            word for word in constants[number] if is_told and word not in others and word not in own
        ]
        is_default = bool(default) and default in (member.name, member.name.rpartition("/")[2])
        given.append([*own, *further, *([OTHERS] if is_default else [])])
    return {name: given}


def _differing(
    document: Tree,
    members: list[_Member],
    words: list[dict[str, list[Word]]],
    done: dict[int, Tree],
) -> dict[str, Words]:
    """The properties that tell members without a discriminator apart: no two of them have a word in
    common.

    Each has a constant of its own, or all require the property. A single object requires its
    constant.
    """
    properties = [all_properties(document, member.schema, done) for member in members]
    required = [all_required(document, member.schema, done) for member in members]
    told: dict[str, Words] = {}
    for name in words[0] if members else ():
        own = [each.get(name, []) for each in words]
        is_constant, is_required = (
            all(len(each) == 1 for each in own),
            all(name in each for each in required),
        )
        is_told = (
            (is_constant and is_required)
            if len(members) == 1
            else is_constant or (all(own) and is_required)
        )
        if is_told and len({word for each in own for word in each}) == sum(map(len, own)) > 0:
            nulls = [any(map(_has_null, variants(document, each[name]))) for each in properties]
            told[name] = [
                [*each, *([None] if null else [])] for each, null in zip(own, nulls, strict=True)
            ]
    return told


def _has_null(whole: Tree) -> bool:
    return bool(whole.get("nullable") or HAD_NULL in whole or "null" in types_of(whole))


def _tag_values(discriminator: Tree, reference: str, renamed: dict[str, str]) -> list[str]:
    """The words that are mapped to a schema, and its name in the document, unless that is
    mapped.
    """
    name, mapping = reference.rpartition("/")[2], mapping_at(discriminator, "mapping")
    mapped = [str(word) for word, to in mapping.items() if to in (reference, name)]
    own = renamed.get(name, name)
    is_mapped = own.casefold() in [str(word).casefold() for word in mapping]
    return mapped if is_mapped else [*mapped, own]


def _words(document: Tree, schema: Tree, done: dict[int, Tree]) -> dict[str, list[Word]]:
    """The values of each property that has an enum or a constant; none for one that is always
    null.
    """
    return {
        name: sorted({*values}, key=str)
        for name, child in all_properties(document, schema, done).items()
        if (values := _values(document, child)) or ONLY_NULL in resolve(document, child)
    }


def _values(document: Tree, schema: Tree) -> list[Any]:
    whole = resolve(document, schema)
    parts = list_at(whole, "allOf")
    if len(parts) == 1 and "enum" not in whole:
        return _values(document, parts[0])
    return [value for value in values_of(whole) if isinstance(value, (str, int))]


def name_union_member(document: Tree, log: Log) -> None:
    """Name the objects within a named union: the generator would build their own objects twice, and
    then fail.

    An object in unions and lists gets the name that the generator would give to its class.
    """
    pending = [*components(document).items()]
    for name, schema in pending:  # it grows
        items = schema.get("items")
        if is_mapping(items) and not is_model(items):  # a model in a list is built once
            pending.append((f"{name}_item", items))
        for number, member in enumerate([*list_at(schema, "anyOf"), *list_at(schema, "oneOf")]):
            own = f"{name}_type_{number}"
            if is_model(member):
                log("name-union-member", give_name(document, member, own))
            else:
                pending.append((own, member))
