"""Rewrites of null: a value that can be null, and a property that can be nothing else.

The null of a class or of an enum is `nullable`, wherever the document says it, until `restore_null`
writes it where values have it.
"""

from victor_spec.tree import (
    Tree,
    is_list,
    is_null,
    list_at,
    mapping_at,
    resolve,
)

from .base import Log, children, drop, replace, schemas
from .classes import is_class, is_nullable_class
from .names import Place, places

ONLY_NULL = "x-only-null"
"""The key of a property that can be null only."""


def free_null_property(document: Tree, log: Log) -> None:
    """Let a property that can be null only hold anything: the generator has no type for null
    alone.
    """
    for where, schema in schemas(document):
        for name, child in mapping_at(schema, "properties").items():
            if is_null(child):
                drop(child, "type", "enum", "const")
                child[ONLY_NULL] = True
                log("free-null-property", f"{where}.{name}")


def drop_null_of_object(document: Tree, log: Log) -> None:
    """Write the null of an object as `nullable`: the generator would name the class `...Type0`."""
    for where, schema in schemas(document):
        kind = schema.get("type")
        if is_list(kind) and sorted(kind) == ["null", "object"]:
            schema.update(type="object", nullable=True)
        if schema.get("nullable") and is_class(document, schema):
            log("drop-null-of-object", where)


def restore_null(document: Tree, log: Log) -> None:
    """Let properties, items and the values of maps be null where their class or enum can be, and
    unions of these; the class itself is never null.
    """
    valued: set[int] = set()
    for _, schema in schemas(document):
        for step, child in children(schema):
            if step.startswith(".") or step == "[]":
                valued.add(id(child))
    for place in [*places(document)]:
        if id(place.schema) in valued and _can_be_null(document, place.schema):
            _unite_with_null(place)
            log("restore-null", place.where)
        if _add_null_to_union(document, place.schema):
            log("restore-null", place.where)
    for _, schema in schemas(document):
        if is_nullable_class(document, schema):
            del schema["nullable"]


def _can_be_null(document: Tree, schema: Tree) -> bool:
    """Whether a schema is a class or an enum, or refers to one, that can be null."""
    return is_nullable_class(document, resolve(document, schema))


def _unite_with_null(place: Place) -> None:
    """Make a schema the union of itself and null."""
    schema = place.schema
    own = {**schema}
    drop(own, "nullable")
    if "$ref" not in own:
        own.setdefault("title", place.name)  # its class keeps its name
    replace(schema, {"anyOf": [own, {"type": "null"}]})


def _add_null_to_union(document: Tree, schema: Tree) -> bool:
    """Add null to a union in which a class can be null; whether it was added."""
    is_added = False
    for key in ("oneOf", "anyOf"):
        members = list_at(schema, key)
        has_null = any(is_null(resolve(document, member)) for member in members)
        if not has_null and any(_can_be_null(document, member) for member in members):
            members.append({"type": "null"})
            is_added = True
    return is_added
