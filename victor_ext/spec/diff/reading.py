"""Reading parts of a document that may be anything: what has the wrong form is passed over."""

from __future__ import annotations

from typing import Any

from victor_ext.spec.tree import Tree, is_list, is_mapping


def mapping_in(tree: Tree, key: str) -> Tree:
    """The mapping under a key; {} when there is none."""
    found = tree.get(key)
    return found if is_mapping(found) else {}


def list_in(tree: Tree, key: str) -> list[Any]:
    """The list under a key; [] when there is none."""
    found = tree.get(key)
    return found if is_list(found) else []


def members(mapping: Tree) -> list[tuple[str, Tree]]:
    """The members of a mapping that are mappings themselves."""
    return [(name, each) for name, each in mapping.items() if is_mapping(each)]


def mappings_in(tree: Tree, key: str) -> list[tuple[str, Tree]]:
    """The members of the mapping under a key that are mappings themselves."""
    return members(mapping_in(tree, key))


def trees_in(tree: Tree, key: str) -> list[Tree]:
    """The members of the list under a key that are mappings."""
    return [each for each in list_in(tree, key) if is_mapping(each)]


def schema_in(tree: Tree, key: str) -> Tree | None:
    """The schema under a key; None when there is none. A boolean schema becomes a mapping, but for
    `additionalProperties`, where it is the usual form."""
    if isinstance(tree.get(key), bool) and key != "additionalProperties":
        tree[key] = _as_mapping(tree[key])
    found = tree.get(key)
    return found if is_mapping(found) else None


def schemas_in(tree: Tree, key: str) -> list[tuple[str, Tree]]:
    """The schemas of the mapping under a key; boolean ones become mappings."""
    found = mapping_in(tree, key)
    found.update({name: _as_mapping(each) for name, each in found.items() if isinstance(each, bool)})
    return members(found)


def schema_list_in(tree: Tree, key: str) -> list[Tree]:
    """The schemas of the list under a key; boolean ones become mappings."""
    found = list_in(tree, key)
    found[:] = [_as_mapping(each) if isinstance(each, bool) else each for each in found]
    return trees_in(tree, key)


def is_null(schema: Tree) -> bool:
    """Whether a schema admits null only."""
    only = {"type": "null"}, {"type": ["null"]}, {"enum": [None]}, {"const": None}
    return any(key in schema and schema[key] == value for each in only for key, value in each.items())


def _as_mapping(schema: bool) -> Tree:  # noqa: FBT001 - it is a schema
    return {} if schema else {"not": {}}


def schema_names(document: Tree) -> list[str]:
    """The names of the schemas in `components`."""
    return [name for name, _ in schemas_in(mapping_in(document, "components"), "schemas")]
