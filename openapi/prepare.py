"""Rewrite an OpenAPI document into input that the generator reads without loss.

Each rewrite is a function of its own with a name, keeps the meaning, and is logged where it applied. The
document on disk is never touched. What no rewrite can carry over is listed in `left_out`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

import rewrite_names
import rewrite_operations
import rewrite_schemas
from document import Tree


@dataclass
class Log:
    """What was rewritten, by the name of the rewrite; what was left out; how schemas are called now."""

    applied: dict[str, list[str]] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)
    renamed: dict[str, str] = field(default_factory=dict)
    content_types: dict[str, str] = field(default_factory=dict)
    """Content types that the generator does not know, with the known one that is read in the same way."""

    def __call__(self, rewrite: str, where: str) -> None:
        self.applied.setdefault(rewrite, []).append(where)

    def lines(self, most: int = 20) -> list[str]:
        """One line for each place; a rewrite that applied in more than `most` places gets a single line."""
        return [
            line
            for name, places in self.applied.items()
            for line in (
                [f"{name}: {place}" for place in places]
                if len(places) <= most
                else [f"{name}: {len(places)} places, the first is {places[0]}"]
            )
        ]


Rewrite = Callable[[Tree, Log], None]

REWRITES: tuple[Rewrite, ...] = (
    # What is named, and where
    rewrite_names.inline_reference,
    rewrite_names.name_far_schema,
    rewrite_names.drop_title,
    rewrite_names.rename_schema,
    rewrite_names.unique_operation_id,
    # What operations take and give
    rewrite_operations.content_parameter,
    rewrite_operations.flatten_form_object_parameter,
    rewrite_operations.flatten_deep_object_parameter,
    rewrite_operations.join_array_parameter,
    rewrite_operations.header_as_text,
    rewrite_operations.declare_path_parameter,
    rewrite_operations.prefer_json_answer,
    rewrite_operations.non_json_content,
    rewrite_operations.name_what_no_form_holds,
    # What models are made of
    rewrite_schemas.mend_type,
    rewrite_schemas.mend_enum,
    rewrite_schemas.default_in_words,
    rewrite_schemas.null_object_is_absent,
    rewrite_schemas.merge_allof_siblings,
    rewrite_schemas.inline_allof,
    rewrite_schemas.own_class_for_lone_allof,
    # Marks that the templates read
    rewrite_schemas.mark_union_members,
    rewrite_schemas.mark_answers,
    # Last, when all names are known
    rewrite_names.name_enum_members,
    rewrite_names.rename_inline_schema,
    rewrite_names.leave_out_what_makes_no_code,
)


def prepare(document: Tree, *, skip: Collection[str] = ()) -> tuple[Tree, Log]:
    """A rewritten copy of the document, and the log. `skip` names rewrites to leave out, for tests of the check."""
    tree: Tree = json.loads(json.dumps(document))
    log = Log()
    for rewrite in REWRITES:
        if rewrite_name(rewrite) not in skip:
            rewrite(tree, log)
    return tree, log


def rewrite_name(rewrite: Rewrite) -> str:
    """As it stands in the log: `merge-allof-siblings`."""
    return rewrite.__name__.replace("_", "-")
