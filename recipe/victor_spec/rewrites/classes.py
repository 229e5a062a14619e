"""Which schemas become classes: decided here, and nowhere else."""

from victor_spec.tree import Tree, list_at, resolve, union_members


def is_class(document: Tree, schema: Tree) -> bool:
    """Whether the generator makes a class of its own of this schema: of no reference, and no
    alias.
    """
    return "$ref" not in schema and not is_alias(schema) and is_object(document, schema)


def is_enum(schema: Tree) -> bool:
    """Whether the generator makes an enum of this schema: flags have none."""
    return "enum" in schema and "$ref" not in schema and schema.get("type") != "boolean"


def is_nullable_class(document: Tree, schema: Tree) -> bool:
    """Whether an enum, a class or a union of objects can be null: the generator loses that."""
    if not schema.get("nullable"):
        return False
    return is_enum(schema) or schema.get("type") == "object" or is_class(document, schema)


def is_object(document: Tree, schema: Tree) -> bool:
    """Whether a schema, or what it refers to, becomes a class."""
    schema = resolve(document, schema)
    if union_members(schema):
        return False
    parts = list_at(schema, "allOf")
    if "properties" in schema and (parts or "type" not in schema):
        return True
    if parts:
        return any(is_object(document, part) for part in parts)
    return schema.get("type") == "object"


def is_alias(schema: Tree) -> bool:
    """Whether an `allOf` says nothing beside its only reference."""
    return is_single_reference(schema) and not has_siblings(schema)


def is_single_reference(schema: Tree) -> bool:
    """Whether a schema has an `allOf` with one part, which is a reference."""
    parts = list_at(schema, "allOf")
    return len(parts) == 1 and "$ref" in parts[0]


def has_siblings(schema: Tree) -> bool:
    """Whether a schema has members of its own beside `allOf` or a union."""
    return any(schema.get(key) for key in ("properties", "required", "additionalProperties"))
