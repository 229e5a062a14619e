"""Rewrite an OpenAPI document into one that openapi-python-client reads without loss.

Each rewrite keeps the meaning, has a name, and logs where it was applied. The file is never
changed. `REWRITES` has the order; read `base` first, which has what every rewrite uses, then
`classes`, which says what becomes a class.
"""

from collections.abc import Callable, Collection

from victor_spec.shape import check_shape
from victor_spec.tree import Tree, copied

from . import (
    bodies,
    canonical,
    discriminators,
    keys,
    names,
    nulls,
    operations,
    references,
    results,
    schemas,
    serialization,
    servers,
    unions,
    unread,
)
from .base import Log

__all__ = ("REWRITES", "Log", "prepare")

REWRITES: tuple[Callable[[Tree, Log], None], ...] = (
    operations.drop_unknown_status,
    operations.read_hooks,
    references.inline_reference,
    servers.record_servers,
    unread.report_unread,
    references.name_referenced_schema,
    names.drop_title,
    names.rename_schema,
    unions.unite_children,
    canonical.canonical,
    names.unique_operation_id,
    operations.drop_impossible_body,
    serialization.require_schemas,
    serialization.flatten_object_parameter,
    operations.drop_parameter,
    operations.declare_path_parameter,
    bodies.binary_media_type,
    bodies.text_in_json,
    bodies.unite_answers,
    bodies.order_bodies,
    bodies.non_json_content,
    nulls.free_null_property,
    schemas.repair_enum,
    schemas.describe_default,
    canonical.merge_allof_siblings,
    nulls.drop_null_of_object,
    discriminators.mark_union_members,
    schemas.mark_answers,
    # These need the final schemas and ids, and come before what they read is dropped.
    keys.record_keys,
    serialization.record_styles,
    bodies.record_encodings,
    results.record_results,
    schemas.exact_number,
    # These need the final names.
    names.name_enum_members,
    names.rename_inline_schema,
    names.name_apart,
    operations.stand_in,
    nulls.restore_null,
    names.drop_unused_keys,
)


def prepare(document: Tree, *, decimals: Collection[str] = ()) -> tuple[Tree, Log]:
    """A rewritten copy of the document, and the log.

    `decimals` are the places of numbers that are read as Decimal. Raises PlaceError for a part of
    the wrong type.
    """
    tree = copied(document)
    check_shape(tree)
    log = Log(decimals=(*decimals,))
    for rewrite in REWRITES:
        rewrite(tree, log)
    return tree, log
