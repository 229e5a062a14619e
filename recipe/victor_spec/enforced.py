"""Limits that a document describes, and that nobody keeps: `x-not-enforced: [pattern]` beside them.

They stand in the document, for who reads it. No generated argument checks them.
"""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from .tree import DocumentError, Tree, copied, is_list, is_mapping, list_at

MARK = "x-not-enforced"
LIMITS = (
    *("minLength", "maxLength", "pattern", "format", "enum"),
    *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    *("minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties"),
)
"""What may be marked: what a value is, and that it is required, are no limits."""


def enforced(document: Tree, file: Path) -> Tree:
    """The document without the limits that it marks. `file` is what to call it.

    Raises DocumentError for a mark of something that is not there, and for a misspelt mark.
    """
    if not any(True for _ in _marked(document, "")):
        return document
    kept = copied(document)
    for place, schema in list(_marked(kept, "")):
        why = why_no_mark(schema)
        if why:
            raise DocumentError(f"{file}: {place}: {why}.")
        for name in schema.pop(MARK):
            del schema[name]
    return kept


def has_mark(schema: Tree) -> bool:
    """Whether a part of a document has the mark, or a misspelt one."""
    return any(_is_mark(key) for key in schema)


def why_no_mark(schema: Tree) -> str:
    """Why the mark in a part of a document is none, without a full stop; empty if it is one."""
    for key in schema:
        if key != MARK and _is_mark(key):
            return f"{key} is no mark: the nearest one is {MARK}"
    names = schema[MARK]
    beside = [limit for limit in LIMITS if limit in schema]
    if not beside:
        return f"{MARK} is {names!r}, and no limit stands beside it: remove it"
    known = f"the limits beside it are {', '.join(beside)}"
    if not is_list(names) or not names:
        return f"{MARK} is {names!r}: write a list, such as [{beside[0]}]: {known}"
    for name in names:
        if name not in beside:
            close = get_close_matches(str(name), beside, n=1)
            nearest = f"the nearest one is {close[0]}, and " if close else ""
            return f"{MARK} has {name!r}, which does not stand beside it: {nearest}{known}"
        if names.count(name) > 1:
            return f"{MARK} has {name} twice: keep one"
    return ""


def split(schema: Tree) -> tuple[Tree, Tree]:
    """The schema without the limits that it marks itself, and these limits."""
    marked = {name: schema[name] for name in list_at(schema, MARK) if name in schema}
    kept = {name: value for name, value in schema.items() if name not in (*marked, MARK)}
    return kept, marked


def _is_mark(key: str) -> bool:
    if not key.startswith("x-"):
        return False
    return key == MARK or bool(get_close_matches(key, [MARK], cutoff=0.92))


def _marked(value: Any, place: str) -> Iterator[tuple[str, Tree]]:
    """The parts of a value that have the mark, each with its place."""
    if is_mapping(value):
        if has_mark(value):
            yield place, value
        for key, inner in value.items():
            yield from _marked(inner, f"{place}.{key}" if place else key)
    elif is_list(value):
        for number, inner in enumerate(value):
            yield from _marked(inner, f"{place}[{number}]")
