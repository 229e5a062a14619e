"""One pass to the subset that gets types: what is outside of it is read and sent as plain JSON,
exactly, and a note says so.

The subset: a reference; one scalar type, with null, an enum of texts or of whole numbers, or a
constant; a list of one kind of items; an object, also one of several whose definitions agree; a
union of these.
"""

import re

from victor_spec.tree import (
    SCHEMAS,
    Tree,
    is_mapping,
    is_null,
    list_at,
    mapping_at,
    named_schemas,
    resolve,
    types_of,
    union_members,
)

from .base import Log, below, components, drop, reachable, replace, schemas
from .classes import has_siblings, is_class, is_object, is_single_reference
from .merged_schemas import TYPED, all_properties, gist, merged_schema, values_of
from .names import give_name

TYPES = {"string", "number", "integer", "boolean", "array", "object", "null"}
SCALARS = TYPES - {"array", "object", "null"}
TYPED_BY = {"properties", "enum", "const", "allOf", "oneOf", "anyOf"}
"""Keys beside `items` that say of what type a value is."""
BESIDE_REFERENCE = TYPED - {"$ref", "type", "format", "prefixItems", "required"}
"""Keys that change a type."""
RULES = {"required", "not", "description", "title", "type"}
"""The keys of a member of a union that only says what else a value must have."""
UNIONS = ("oneOf", "anyOf")
EITHER = "it is an object or a list, or something else"


def canonical(document: Tree, log: Log) -> None:
    """Bring every schema into the subset."""
    _free_what_is_no_object(document, log)
    for where, schema in schemas(document):
        if "$ref" in schema:
            _read_reference(schema, where, log)
        else:
            _read_type(schema, where, log)
    for where, schema in schemas(document):
        if union_members(schema):
            _drop_dangling_words(document, schema, where, log)
            _read_union(schema, where, log)
    for where, schema in schemas(document):
        if _is_within_itself(document, schema):
            as_json(schema, where, log, "it is a part of itself")
    for where, schema in schemas(document):
        if schema.get("allOf"):
            _read_parts(document, schema, where, log)
    for name, schema in [*components(document).items()]:
        _name_members(document, schema, name)


def _free_what_is_no_object(document: Tree, log: Log) -> None:
    """A schema that need be no object holds any JSON, where its parts have properties; one with
    another type has no properties itself.
    """
    types: dict[int, set[str] | None] = {}
    others = [each for each in schemas(document) if _need_be_no_object(document, each[1], types)]
    for where, schema in others:
        is_either = "object" in (types[id(schema)] or ())
        as_json(schema, where, log, EITHER if is_either else "parts of its allOf are no objects")
    for _, schema in schemas(document):
        if _has_other_type(schema):
            drop(schema, "properties")


def _has_other_type(schema: Tree) -> bool:
    """Whether a schema says by its type that no value is an object."""
    kinds = {*map(str, types_of(schema))} - {"null"}  # many write null beside what they mean
    return bool(kinds) and "object" not in kinds


def as_json(schema: Tree, where: str, log: Log, why: str) -> None:
    """Let a schema hold any JSON, with a note."""
    words = ("description", "readOnly", "writeOnly")
    replace(schema, {key: schema[key] for key in words if key in schema})
    log.note(where, why)


def _read_reference(schema: Tree, where: str, log: Log) -> None:
    """A reference says what a value is, and nothing beside it does."""
    if BESIDE_REFERENCE & schema.keys():
        log.note(where, "what stands beside a reference is not read")
    drop(schema, *(TYPED - {"$ref"}))


def _read_type(schema: Tree, where: str, log: Log) -> None:
    """A value has one type, or one of several scalar ones; a list has items."""
    kind = schema.get("type")
    kinds = {*map(str, types_of(schema))}
    if kind is not None and (not kinds or not kinds <= TYPES):
        del schema["type"]
        log.note(where, f"{kind} is no type of OpenAPI")
        kind, kinds = None, set[str]()
    is_either = kind is None and is_mapping(schema.get("items")) and bool(schema.get("properties"))
    if is_either or (len(kinds - {"null"}) > 1 and kinds & {"object", "array"}):
        as_json(schema, where, log, EITHER)
        return
    if is_null(schema) and where.endswith(("[]", ".*")):
        as_json(schema, where, log, "null is its only value")
        return
    if kind is None and is_mapping(schema.get("items")) and not TYPED_BY & schema.keys():
        schema["type"] = "array"
    if "array" in types_of(schema) and not schema.get("items") and not schema.get("prefixItems"):
        schema["items"] = {}
    for part in list_at(schema, "allOf"):
        if "type" in part or (part.get("properties") and part.get("items")):
            continue
        if part.get("properties"):
            part["type"] = "object"
        elif part.get("items"):
            part["type"] = "array"


def _drop_dangling_words(document: Tree, schema: Tree, where: str, log: Log) -> None:
    """Drop the words of a discriminator that lead to no schema. Where all do, the members are told
    apart by their shape.
    """
    mapping = mapping_at(mapping_at(schema, "discriminator"), "mapping")
    named = named_schemas(document)
    dangling = [
        word
        for word, target in mapping.items()
        if str(target).removeprefix(SCHEMAS) not in named
        and not (str(target).startswith("#/") and resolve(document, {"$ref": target}))
    ]
    for word in dangling:
        log.differ(where, f"the discriminator's word {word} leads to no schema: {mapping[word]}")
        del mapping[word]
    if dangling and not mapping:
        del schema["discriminator"]


def _read_union(schema: Tree, where: str, log: Log) -> None:
    """A union with properties or parts beside it is one object; one member is that member, unless
    there is a discriminator: an object with another word is not that member.
    """
    members = union_members(schema)
    are_rules = all(
        not member.keys() - RULES and member.get("type", "object") == "object" for member in members
    )
    if schema.get("properties") or (are_rules and schema.get("type") == "object"):
        if "type" not in schema and any(map(is_null, members)):
            schema["nullable"] = True
        schema["type"] = "object"
        _join(schema, [] if are_rules else members)
    elif schema.get("allOf"):
        _join(schema, members)
    elif schema.get("oneOf") and schema.get("anyOf"):
        as_json(schema, where, log, "it has two unions")
    elif are_rules and len(members) > 1 and where.endswith(")"):
        drop(schema, *UNIONS)  # of a part or a member: what is around it says what the value is
    elif are_rules and len(members) > 1:
        as_json(schema, where, log, "the members of its union declare nothing")
    elif len(members) == 1 and not is_null(members[0]) and "discriminator" not in schema:
        drop(schema, *UNIONS)
        _be_only(schema, members[0])


def _be_only(schema: Tree, only: Tree) -> None:
    """Let a schema say what its only part or member says."""
    if "$ref" in only:
        schema["allOf"] = [only]
    else:
        schema.update({key: value for key, value in only.items() if key not in schema})


def _join(schema: Tree, members: list[Tree]) -> None:
    """Put the members of a union into the `allOf` of an object, behind what the object itself says:
    it may have their properties, and needs none of them.
    """
    drop(schema, *UNIONS, "discriminator")
    not_null = [member for member in members if not is_null(member)]
    if not not_null:
        return
    parts = list_at(schema, "allOf")
    keys = ("properties", "required", "additionalProperties")
    own = {key: schema.pop(key) for key in keys if key in schema}
    if own:
        parts = [*parts, own]
    schema["allOf"] = [*parts, {"anyOf": not_null}]


def _read_parts(document: Tree, schema: Tree, where: str, log: Log) -> None:
    """An object has what the parts of its `allOf` have: it is written out where the generator does
    not merge them.
    """
    only = _only_typed_part(document, schema)
    if only is not None and not is_object(document, only):
        for part in schema.pop("allOf"):
            if part is not only:  # it may say that null is a value, and have limits
                words = part.keys() - TYPED - schema.keys()
                schema.update({key: part[key] for key in part if key in words})
        _be_only(schema, only)
        if "$ref" not in only and schema.get("allOf"):
            _read_parts(document, schema, where, log)
        return
    if only is not None and "$ref" in only and len(schema["allOf"]) > 1:
        if any(inner is schema for _, inner in below("", resolve(document, only))):
            schema["allOf"] = [only]  # the generator adds no words to an object within itself
        return
    _drop_what_is_no_object(document, schema, where, log)
    if schema.get("allOf") and not _agree(document, schema):
        _write_out(document, schema, where, log)


def _drop_what_is_no_object(document: Tree, schema: Tree, where: str, log: Log) -> None:
    """Drop the parts of an `allOf` that need be no objects; a schema without another part is
    anything.
    """
    parts: list[Tree] = schema["allOf"]
    if all(_is_part_of_object(document, part) for part in parts):
        return
    kept = [part for part in parts if _has_object(document, part)]
    if not (kept or has_siblings(schema)):
        as_json(schema, where, log, "parts of its allOf are no objects")
        return
    log.note(where, "a part of its allOf need be no object, and is not read")
    schema.update(allOf=kept, type="object")
    if not kept:
        del schema["allOf"]


def _write_out(document: Tree, schema: Tree, where: str, log: Log) -> None:
    """Give a schema itself what the parts of its `allOf` have."""
    conflicts: dict[str, str] = {}
    merged = merged_schema(document, schema, {}, conflicts.setdefault)
    for name, what in conflicts.items():
        log.differ(f"{where}.{name}", what)
    if any(inner is schema for _, inner in below("", merged)):  # it would contain itself
        schema = components(document)[give_name(document, schema, re.sub(r"\W+", "_", where))]
    own_description = schema.get("description")
    drop(schema, "allOf", *UNIONS)
    schema.update({**merged, "type": "object"})
    if own_description is not None:
        schema["description"] = own_description
    log("inline-allof", where)


def _only_typed_part(document: Tree, schema: Tree) -> Tree | None:
    """The part of an `allOf` that says what a value is; None where several do.

    Of several that are texts, numbers or flags, the last one counts that says most: which values
    there are, or else which form they have.
    """
    own = {key: value for key, value in schema.items() if key != "allOf"}
    parts: list[Tree] = [*list_at(schema, "allOf"), own]
    typed = [part for part in parts if TYPED & part.keys()]
    if not typed:
        return {}
    types = [_scalar_types(document, part) for part in typed]
    if set[str].intersection(*types):
        return max(reversed(typed), key=lambda part: _said_by(document, part))
    if len(typed) != 1 or typed[0] is own:
        return None
    return typed[0]


def _need_be_no_object(document: Tree, schema: Tree, types: dict[int, set[str] | None]) -> bool:
    """Whether several parts of a schema say what a value is, and it need be no object. `types` is
    for `_stated_types`.
    """
    parts = list_at(schema, "allOf")
    if parts:
        is_typed = any(TYPED & part.keys() for part in parts)
        if not is_typed or _only_typed_part(document, schema) is not None:
            return False
    else:
        members = [resolve(document, each) for each in union_members(schema)]
        if not (_has_other_type(schema) and any("properties" in each for each in members)):
            return False
    return _stated_types(document, schema, types) not in (None, {"object"})


def _stated_types(
    document: Tree, schema: Tree, done: dict[int, set[str] | None]
) -> set[str] | None:
    """The types of a schema, of all parts of its `allOf` and of its union, as they are written;
    None where it may have any. Properties have no type: they are those of an object, if it is one.

    `done` has what is known, by id: nested references can be exponentially many.
    """
    whole = resolve(document, schema)
    if id(whole) in done:
        return done[id(whole)]
    done[id(whole)] = None  # a schema says nothing of itself
    stated: list[set[str] | None] = [
        _stated_types(document, part, done) for part in list_at(whole, "allOf")
    ]
    own = {*map(str, types_of(whole))} or {_type_of_word(value) for value in values_of(whole)}
    if own:
        stated.append(own - {"null"})
    elif is_mapping(whole.get("items")) and not whole.get("properties"):
        stated.append({"array"})
    members = [_stated_types(document, member, done) for member in union_members(whole)]
    if None not in members and members:
        stated.append({kind for member in members for kind in member or ()})
    known = [kinds for kinds in stated if kinds is not None]
    done[id(whole)] = set[str].intersection(*known) if known else None
    return done[id(whole)]


def _scalar_types(document: Tree, schema: Tree) -> set[str]:
    """The types of a schema whose values are texts, numbers or flags; none where they may be
    anything else.
    """
    types: set[str] = set()
    seen: set[int] = set()
    pending = [schema]
    while pending:
        whole = resolve(document, pending.pop())
        if id(whole) in seen:
            continue
        seen.add(id(whole))
        own = {*map(str, types_of(whole))} - {"null"}
        if not own:
            values: list[object] = values_of(whole)
            own = {_type_of_word(value) for value in values}
        inner = [part for part in list_at(whole, "allOf") if TYPED & part.keys()]
        inner += [member for member in union_members(whole) if not is_null(member)]
        if not own <= SCALARS or not (own or inner):
            return set()
        types |= own
        pending += inner
    return types | {"integer"} if "number" in types else types


def _type_of_word(value: object) -> str:
    """The type of a value of an enum."""
    return _TYPES_OF_WORDS.get(type(value), "object")


_TYPES_OF_WORDS: dict[type[object], str] = {
    str: "string",
    bool: "boolean",
    int: "integer",
    float: "number",
}


def _said_by(document: Tree, schema: Tree) -> int:
    """How much a schema says of a text, a number or a flag beside its type."""
    whole = resolve(document, schema)
    if {"enum", "const", "allOf", *UNIONS} & whole.keys():
        return 2
    return 1 if "format" in whole else 0


def _is_within_itself(document: Tree, schema: Tree) -> bool:
    """Whether a schema is a part of itself by way of `allOf`. Where a union is on the way, as of a
    schema and those that extend it, the schema adds nothing to itself.
    """
    seen: set[int] = set()
    for part in list_at(schema, "allOf"):
        if any(whole is schema for whole in reachable(document, part, seen, _parts)):
            return True
    return False


def _parts(whole: Tree) -> list[Tree]:
    return list_at(whole, "allOf")


def _is_part_of_object(document: Tree, part: Tree) -> bool:
    """Whether a part of an `allOf` is an object, or says nothing of a type."""
    for whole in reachable(document, part, set(), _parts_and_members):
        if whole.get("type", "object") != "object" or "enum" in whole or "items" in whole:
            return False
    return True


def _parts_and_members(whole: Tree) -> list[Tree]:
    members = [member for member in union_members(whole) if not is_null(member)]
    return [*_parts(whole), *members]


def _has_object(document: Tree, part: Tree) -> bool:
    """Whether a part of an `allOf` is an object, or a union of objects."""
    is_typed = is_object(document, part) or union_members(resolve(document, part))
    return bool(is_typed) and _is_part_of_object(document, part)


def _agree(document: Tree, schema: Tree) -> bool:
    """Whether the generator merges an `allOf`: flat parts whose definitions are the same."""
    definitions: dict[str, str] = {}
    own = {"properties": mapping_at(schema, "properties")}
    for part in [*schema["allOf"], own]:
        whole = resolve(document, part)
        if union_members(whole) or ("$ref" not in part and "allOf" in part):
            return False
        for name, child in all_properties(document, part).items():
            said = f"{gist(child)} {child.get('nullable')}"
            if definitions.setdefault(name, said) != said:
                return False
    return True


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


def _name_members(document: Tree, schema: Tree, name: str) -> None:
    """Name the objects within a named union: the generator would build their own objects twice, and
    then fail.
    """
    for number, member in enumerate(union_members(schema)):
        if is_class(document, member):
            give_name(document, member, f"{name}_type_{number}")
