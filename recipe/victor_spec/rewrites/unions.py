"""A schema with a discriminator that others extend is the union of these."""

from collections.abc import Iterator
from copy import deepcopy

from victor_spec.tree import (
    SCHEMAS,
    Family,
    Tree,
    families,
    list_at,
    union_members,
)

from .base import Log, components, schemas
from .classes import has_siblings
from .discriminators import TAKEN
from .merged_schemas import TYPED
from .names import free_name


def unite_children(document: Tree, log: Log) -> None:
    """Let a reference to a schema with a discriminator mean the union of the schema and its
    children, which have it in their `allOf`.

    Only the children, and unions that list the schema themselves, still refer to it alone.
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
    return {"oneOf": members_of_union, "discriminator": discriminator}


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
