"""Rewrites of unions: the members that are written in place get a name, and the answers of one status are one union."""

from __future__ import annotations

import json

from victor_ext.spec.tree import Tree, is_mapping, list_at

from .base import Log, answers, bare_type, components, operations


def name_union_member(document: Tree, log: Log) -> None:
    """Name the objects within a named union: the generator would build their own objects twice, and then fail."""
    named = components(document)
    for name, schema in [*named.items()]:
        _name_members(named, name, schema, log)


def _name_members(named: Tree, name: str, schema: Tree, log: Log) -> None:
    """Walk through unions and lists; an object has the name that the generator would give to its class."""
    items = schema.get("items")
    if is_mapping(items) and not _is_class(items):  # a model in a list is built once
        _name_members(named, f"{name}_item", items, log)
    number = 0
    for key in ("anyOf", "oneOf"):
        members: list[Tree] = list_at(schema, key)
        for place, member in enumerate(members):
            own = f"{name}_type_{number}"
            number += 1
            if not _is_class(member):
                _name_members(named, own, member, log)
                continue
            while own in named:
                own += "_inner"
            named[own] = member
            members[place] = {"$ref": f"#/components/schemas/{own}"}
            log("name-union-member", own)


def _is_class(schema: Tree) -> bool:
    return "$ref" not in schema and (
        schema.get("type") == "object" or "properties" in schema or bool(schema.get("allOf"))
    )


def unite_answers(document: Tree, log: Log) -> None:
    """Read several JSON contents of one status as a union of their schemas."""
    for operation in operations(document):
        for status, content in answers(operation):
            kinds = [
                kind for kind in content if bare_type(kind) == "application/json" or bare_type(kind).endswith("+json")
            ]
            different = {json.dumps(content[kind].get("schema"), sort_keys=True): kind for kind in reversed(kinds)}
            if len(different) > 1:
                parts = [content[kind]["schema"] for kind in reversed(different.values()) if "schema" in content[kind]]
                first = content[kinds[0]]
                for kind in kinds[1:]:
                    del content[kind]
                first["schema"] = {"anyOf": parts} if len(parts) == len(different) else {}
                log("unite-answers", f"{operation.where} {status}: {', '.join(kinds)}")
