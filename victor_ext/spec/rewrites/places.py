"""How places in a document are written: `components.schemas.Card.properties.price`, `servers[0].url`."""

from __future__ import annotations

from typing import Any

from victor_ext.spec.tree import Placed, Tree, is_list, is_mapping

from .base import resolve


def step(place: str, key: str | int) -> str:
    """The place of a member of a mapping, or of an item of a list."""
    if isinstance(key, int):
        return f"{place}[{key}]"
    return f"{place}.{key}" if place else key


def parameter_key(document: Tree, item: Any) -> str:
    """The key of a parameter in a list: `query:limit`; an empty text for an item that is no parameter."""
    found = resolve(document, item) if is_mapping(item) else {}
    return f"{found['in']}:{found['name']}" if "in" in found and "name" in found else ""


def placed(tree: Any, document: Tree, place: str = "") -> Any:
    """A copy of a document's values, with a `Placed` for each mapping. `document` resolves references to parameters."""
    if is_mapping(tree):
        found = Placed({key: placed(value, document, step(place, key)) for key, value in tree.items()})
        found.place = place
        return found
    if is_list(tree):
        keys = [parameter_key(document, each) or number for number, each in enumerate(tree)]
        return [placed(each, document, step(place, key)) for key, each in zip(keys, tree, strict=True)]
    return tree
