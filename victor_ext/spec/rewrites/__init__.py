"""Rewrite an OpenAPI document into one that openapi-python-client reads without loss.

Each rewrite keeps the meaning, has a name, and logs where it was applied. The file is never changed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection

from victor_ext.spec.tree import Tree

from . import names, operations, schemas
from .base import Log
from .places import placed

__all__ = ("REWRITES", "Log", "Rewrite", "prepare", "rewrite_name")

Rewrite = Callable[[Tree, Log], None]

REWRITES: tuple[Rewrite, ...] = (
    names.inline_reference,
    names.name_referenced_schema,
    names.drop_title,
    names.rename_schema,
    names.unique_operation_id,
    operations.content_parameter,
    operations.flatten_object_parameter,
    operations.join_array_parameter,
    operations.header_as_text,
    operations.declare_path_parameter,
    operations.drop_impossible_body,
    operations.prefer_json_answer,
    operations.non_json_content,
    operations.report_objects_in_forms,
    schemas.repair_type,
    schemas.repair_enum,
    schemas.describe_default,
    schemas.drop_null_of_object,
    schemas.merge_allof_siblings,
    schemas.inline_allof,
    schemas.own_class_for_single_allof,
    schemas.mark_union_members,
    schemas.mark_answers,
    # These need the final names.
    names.name_enum_members,
    names.rename_inline_schema,
    names.drop_unused_keys,
)


def prepare(document: Tree, *, skip: Collection[str] = (), trace: bool = False) -> tuple[Tree, Log]:
    """A rewritten copy of the document, and the log.

    `skip` names rewrites to leave out, for tests. With `trace`, the parts of the copy know their places.
    """
    tree: Tree = placed(document, document) if trace else json.loads(json.dumps(document))
    log = Log()
    for rewrite in REWRITES:
        if rewrite_name(rewrite) not in skip:
            rewrite(tree, log)
    return tree, log


def rewrite_name(rewrite: Rewrite) -> str:
    """The name in the log: `merge-allof-siblings`."""
    return rewrite.__name__.replace("_", "-")
