"""Typed access to the values of a document."""

from __future__ import annotations

from typing import Any, TypeGuard

Tree = dict[str, Any]
"""A mapping of the document."""


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
