"""Typed access to the values of a document."""

from __future__ import annotations

import json
from copy import copy
from typing import Any, TypeGuard

Tree = dict[str, Any]
"""A mapping of the document."""


class Placed(dict[str, Any]):
    """A mapping that knows its place in the document; copies of it keep the place. See `origins`."""

    __slots__ = ("place",)

    place: str


def place_of(value: Any) -> tuple[str, ...]:
    """The place of a mapping, as a tuple; empty for one that has none."""
    return (value.place,) if isinstance(value, Placed) else ()


def in_place_of(tree: Tree, new: Tree) -> Tree:
    """The mapping `new`, with the place of `tree`."""
    found = copy(tree)
    found.clear()
    found.update(new)
    return found


def copied(tree: Tree) -> Tree:
    """A copy of a loaded document that shares nothing with it."""
    found: Tree = json.loads(json.dumps(tree))
    return found


def is_mapping(value: Any) -> TypeGuard[Tree]:
    """Whether a value is a mapping."""
    return isinstance(value, dict)


def is_list(value: Any) -> TypeGuard[list[Any]]:
    """Whether a value is a list."""
    return isinstance(value, list)


def mapping_at(tree: Tree, key: str) -> Tree:
    """The mapping under a key; {} when it is absent or null."""
    found: Tree = tree.get(key) or {}
    return found


def list_at(tree: Tree, key: str) -> list[Any]:
    """The list under a key; [] when it is absent or null."""
    found: list[Any] = tree.get(key) or []
    return found
