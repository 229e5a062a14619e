"""Limits that a document describes, and that nobody keeps: `x-not-enforced: [pattern]` beside them.

They stand in the document, for who reads it. No generated argument checks them.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from victor_spec.tree import DocumentError, Tree, copied, is_list, is_mapping, list_at

MARK = "x-not-enforced"
LIMITS = (
    *("minLength", "maxLength", "pattern", "format", "enum"),
    *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    *("minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties"),
)
"""What may be marked: what a value is, and that it is required, are no limits."""


def enforced(document: Tree, file: Path) -> Tree:
    """The document without the limits that it marks. `file` is what to call it.

    Raises DocumentError for a mark of something that is not there.
    """
    if not any(True for _ in _marked(document, "")):
        return document
    kept = copied(document)
    for place, schema in list(_marked(kept, "")):
        names = schema.pop(MARK)
        beside = [limit for limit in LIMITS if limit in schema]
        is_known = is_list(names) and names and all(name in beside for name in names)
        if not is_known or len(names) > len({*names}):
            known = f"the limits beside it are {', '.join(beside)}" if beside else "none is there"
            raise DocumentError(
                f"{file}: {place}.{MARK} is {names!r}: name limits that stand beside it, each "
                f"once, such as [pattern]: {known}."
            )
        for name in names:
            del schema[name]
    return kept


def split(schema: Tree) -> tuple[Tree, Tree]:
    """The schema without the limits that it marks itself, and these limits."""
    marked = {name: schema[name] for name in list_at(schema, MARK) if name in schema}
    kept = {name: value for name, value in schema.items() if name not in (*marked, MARK)}
    return kept, marked


def _marked(value: Any, place: str) -> Iterator[tuple[str, Tree]]:
    """The parts of a value that have the mark, each with its place."""
    if is_mapping(value):
        if MARK in value:
            yield place, value
        for key, inner in value.items():
            yield from _marked(inner, f"{place}.{key}" if place else key)
    elif is_list(value):
        for number, inner in enumerate(value):
            yield from _marked(inner, f"{place}[{number}]")
