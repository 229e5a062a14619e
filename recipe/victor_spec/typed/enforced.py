"""Limits that a document describes, and that nobody keeps: `x-not-enforced: [pattern]` beside them.

They stand in the document, for who reads it. No generated argument checks them.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from victor_spec.tree import DocumentError, Tree, copied, is_list, is_mapping, list_at

MARK = "x-not-enforced"


def enforced(document: Tree, file: Path) -> Tree:
    """The document without the limits that it marks. `file` is what to call it.

    Raises DocumentError for a mark of something that is not there.
    """
    if not any(True for _ in _marked(document, "")):
        return document
    kept = copied(document)
    for place, schema in list(_marked(kept, "")):
        names = schema.pop(MARK)
        if not is_list(names) or not {*map(str, names)} <= schema.keys():
            raise DocumentError(
                f"{file}: {place}.{MARK} is {names!r}: name limits that stand beside it, such as "
                "[pattern]."
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
