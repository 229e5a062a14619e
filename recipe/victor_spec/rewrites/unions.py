"""Rewrites of unions: what stands beside a union, and the names of its members.

`discriminators` has the words that tell the members apart.
"""

from collections.abc import Iterator
from copy import deepcopy

from victor_spec.tree import (
    SCHEMAS,
    Family,
    Tree,
    families,
    in_place_of,
    is_mapping,
    is_null,
    list_at,
    resolve,
    union_members,
)

from .base import Log, components, drop, schemas
from .classes import has_siblings, is_class
from .composition import holder_of, write_out_allof
from .discriminators import REFERENCE, TAKEN
from .merged_schemas import all_properties
from .names import free_name, give_name
from .redefinition import TYPED
from .serialization import kinds, variants

OF_OBJECT = ("properties", "required", "additionalProperties")
"""What a schema says of objects."""
OF_TYPE = {"object": OF_OBJECT, "array": ("items", "prefixItems"), "null": ()}
UNSPLIT = {"allOf", "oneOf", "anyOf", "enum", "const", "discriminator"}


def split_types(document: Tree, log: Log) -> None:
    """Write a value that can be an object or something else as a union: each type has the keys that
    are about it.
    """
    for where, schema in schemas(document):
        listed = list_at(schema, "type")
        others = {*listed} - {"object", "null"}
        if "object" not in listed or not others or UNSPLIT & schema.keys():
            continue
        members: list[Tree] = []
        for kind in listed:
            keys = [key for key in OF_TYPE.get(kind, ("format",)) if key in schema]
            own = {key: schema[key] for key in keys}
            members.append(in_place_of(schema, {"type": kind, **own}))
        drop(schema, *(key for member in members for key in member))
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
    unchanged = set(_references_to_one_schema(named, document))
    for where, schema in schemas(document):
        parent = str(schema.get("$ref", "")).removeprefix(SCHEMAS)
        if parent in unions and id(schema) not in unchanged:
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


def _references_to_one_schema(named: Tree, document: Tree) -> Iterator[int]:
    """The ids of the references that mean one schema alone, and not its children, too: those in an
    `allOf` that extends the schema, and those in a union with a discriminator of its own.
    """
    own = {id(schema) for schema in named.values()}
    for _, schema in schemas(document):
        typed = [part for part in list_at(schema, "allOf") if TYPED & part.keys()]
        if id(schema) in own or len(typed) > 1 or has_siblings(schema):
            yield from map(id, typed)
        if schema.get("discriminator"):
            yield from map(id, union_members(schema))


def keep_union_siblings(document: Tree, log: Log) -> None:
    """Put the properties beside a union into each of its members that is an object: the generator
    drops them.

    A union whose members have no more than one set of properties among them becomes a single class.
    """
    for where, schema in reversed(schemas(document)):
        if union_members(schema) and schema.get("properties"):
            _keep_siblings(document, schema, where, log)
            log("keep-union-siblings", where)


def _keep_siblings(document: Tree, schema: Tree, where: str, log: Log) -> None:
    """Put the properties beside a union into its members; a union of one object becomes a class.

    Nothing moves where each member has all of the properties anyway.
    """
    keys = [key for key in ("oneOf", "anyOf") if schema.get(key)]
    beside = schema["properties"].keys()
    members = [part for part in union_members(schema) if not is_null(resolve(document, part))]
    own = [all_properties(document, part).keys() for part in members]
    with_more = [names for names in own if not names <= beside]
    if not all(_is_about_objects(document, part) for part in members):
        united = {
            key: _members_with_siblings(document, schema, schema[key], where, log) for key in keys
        }
        _replace_members(document, schema, united, where)
    elif all(names >= beside for names in own):
        drop(schema, *OF_OBJECT)
    elif len(keys) > 1 or len(with_more) < 2:
        write_out_allof(document, schema, where, log)
        drop(schema, "discriminator")
    else:
        united = {keys[0]: _members_with_siblings(document, schema, members, where, log)}
        _replace_members(document, schema, united, where)


def _replace_members(document: Tree, schema: Tree, united: Tree, where: str) -> None:
    """Let a union have other members, which say what stood beside it."""
    parts = [part for members in united.values() for part in members]
    schema = holder_of(document, schema, parts, where)
    schema.update(united)
    drop(schema, *OF_OBJECT, "type")


def _is_about_objects(document: Tree, member: Tree) -> bool:
    """Whether no value of a member is a scalar or a list."""
    return not any(kinds(whole) - {"null", "object"} for whole in variants(document, member))


def _members_with_siblings(
    document: Tree, schema: Tree, members: list[Tree], where: str, log: Log
) -> list[Tree]:
    """The members of a union, each saying what stands beside the union, too."""
    return [
        _member_with_siblings(document, schema, member, f"{where}_type_{number}", log)
        for number, member in enumerate(members)
    ]


def _member_with_siblings(document: Tree, schema: Tree, member: Tree, where: str, log: Log) -> Tree:
    """A member of a union that says what stands beside the union, too; one that is no object stays
    as it is.
    """
    own = resolve(document, member)
    if is_null(own) or not _is_about_objects(document, member):
        return member
    beside = in_place_of(schema, {key: schema[key] for key in OF_OBJECT if key in schema})
    whole = in_place_of(own, {"allOf": [deepcopy(beside), deepcopy(own)]})
    write_out_allof(document, whole, where, log)
    if "$ref" in member:
        whole[REFERENCE] = member["$ref"]
    return whole


def name_union_member(document: Tree, log: Log) -> None:
    """Name the objects within a named union: the generator would build their own objects twice, and
    then fail.

    An object in unions and lists gets the name that the generator would give to its class.
    """
    pending = [*components(document).items()]
    for name, schema in pending:  # it grows
        items = schema.get("items")
        if is_mapping(items) and not is_class(document, items):  # a model in a list is built once
            pending.append((f"{name}_item", items))
        members = [*list_at(schema, "anyOf"), *list_at(schema, "oneOf")]
        for number, member in enumerate(members):
            own = f"{name}_type_{number}"
            if is_class(document, member):
                log("name-union-member", give_name(document, member, own))
            else:
                pending.append((own, member))
