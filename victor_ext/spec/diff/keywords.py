"""The keywords of one schema as comparable values."""

from __future__ import annotations

import json
from typing import Any

from victor_ext.spec.tree import Tree, is_list, is_mapping, mapping_at

DOCUMENTATION = {"description", "title", "summary", "example", "examples", "externalDocs", "$comment"}
"""Keys whose changes are counted only."""

Limit = tuple[float, bool]
"""A limit. The flag makes the tighter of two limits the greater one (lower limits) or the lesser one (upper limits)."""

LOWER_LIMITS = ("minimum", "minLength", "minItems", "minProperties", "minContains")
UPPER_LIMITS = ("maximum", "maxLength", "maxItems", "maxProperties", "maxContains")
FLAGS = ("readOnly", "writeOnly", "deprecated", "uniqueItems")
CONSTRAINTS = (
    *("not", "if", "then", "else", "contains", "dependentRequired", "dependentSchemas", "dependencies"),
    *("propertyNames", "unevaluatedItems", "contentEncoding", "contentMediaType", "contentSchema", "xml"),
)
"""Keywords that are compared as a whole."""


def keywords(tree: Tree) -> dict[str, Any]:
    """The keywords that a schema has itself, those of its children and members left out.

    `type` is a set without null; `null` says that null is admitted; `enum` has the values as JSON, and `const` is an
    enum of one; `closed` and `open` say what `additionalProperties` says.
    """
    types = _types(tree)
    given: dict[str, Any] = {
        "type": types - {"null"} or None,
        "null": tree.get("nullable") is True or _admits_null(tree, types) or None,
        "enum": _enum(tree),
        "default": as_json(tree["default"]) if "default" in tree else None,
        "discriminator": tree.get("discriminator") if _has_discriminator(tree) else None,
    }
    given |= {keyword: _limit(tree, keyword) for keyword in (*LOWER_LIMITS, *UPPER_LIMITS)}
    given |= {keyword: tree.get(keyword) is True or None for keyword in FLAGS}
    given |= {keyword: _scalar(tree.get(keyword)) for keyword in ("format", "pattern", "multipleOf", "x-sunset")}
    given |= {keyword: canonical(tree[keyword]) for keyword in CONSTRAINTS if keyword in tree}
    given |= _openness(tree)
    return {keyword: value for keyword, value in given.items() if value is not None}


def join(keyword: str, first: Any, second: Any) -> Any:
    """The value of a keyword that two members of `allOf` give: what both admit, both, or the second one."""
    if keyword == "type":
        integers = {"integer"} if {"integer", "number"} <= first | second else set[str]()
        return frozenset((first & second) | integers) or second
    if keyword == "enum":
        return tuple(each for each in first if each in second) or second
    if keyword in LOWER_LIMITS:
        return max(first, second)
    if keyword in UPPER_LIMITS:
        return min(first, second)
    if keyword == "pattern" or keyword in CONSTRAINTS:
        return " and ".join(sorted({str(first), str(second)}))
    return second


def as_json(value: Any) -> str:
    """A value as text, the same for the same value."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def canonical(value: Any) -> str:
    """A schema as text, the same for the same meaning: without documentation."""
    return as_json(_plain(value))


def _plain(value: Any) -> Any:
    if is_mapping(value):
        kept = {key: each for key, each in value.items() if key not in DOCUMENTATION or is_mapping(each)}
        return {key: _plain(each) for key, each in kept.items()}
    if is_list(value):
        return [_plain(each) for each in value]
    return value


def _types(tree: Tree) -> frozenset[str]:
    kind = tree.get("type")
    return frozenset(str(each) for each in (kind if is_list(kind) else [] if kind is None else [kind]))


def _enum(tree: Tree) -> tuple[str, ...] | None:
    """The values as JSON, without null, in the order of the document."""
    if "const" in tree:
        return (as_json(tree["const"]),) if tree["const"] is not None else None
    values = tree.get("enum")
    return tuple(dict.fromkeys(as_json(each) for each in values if each is not None)) if is_list(values) else None


def _admits_null(tree: Tree, types: frozenset[str]) -> bool:
    """Whether null is among the types, and among the values where these are listed."""
    values = [tree["const"]] if "const" in tree else tree.get("enum")
    if not is_list(values):
        return "null" in types
    return None in values and (not types or "null" in types)


def _scalar(value: Any) -> str | float | None:
    return value if isinstance(value, (str, int, float)) else None


def _has_discriminator(tree: Tree) -> bool:
    return isinstance(mapping_at(tree, "discriminator").get("propertyName"), str)


def _limit(tree: Tree, keyword: str) -> Limit | None:
    """A limit that says something."""
    lower = keyword.startswith("min")
    limits: list[Limit] = []
    value, exclusive = _number(tree, keyword), _number(tree, "exclusive" + keyword[0].upper() + keyword[1:])
    if value is not None and not (lower and value == 0 and keyword != "minimum"):
        # OpenAPI 3.0 has a flag beside the limit, 3.1 a limit of its own.
        flagged = tree.get("exclusive" + keyword[0].upper() + keyword[1:]) is True
        limits.append((value, flagged == lower))
    if exclusive is not None:
        limits.append((exclusive, lower))
    return (max(limits) if lower else min(limits)) if limits else None


def _number(tree: Tree, keyword: str) -> float | None:
    value = tree.get(keyword)
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _openness(tree: Tree) -> dict[str, bool]:
    if tree.get("additionalProperties") is False or tree.get("unevaluatedProperties") in (False, {"not": {}}):
        return {"closed": True}
    return {"open": True} if tree.get("additionalProperties") is not None else {}
