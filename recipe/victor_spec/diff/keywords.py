"""The keywords of one schema as comparable values, and what a change of each means, by the kinds of
`changes.RULES`.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any

from victor_spec.tree import Tree, is_among, is_list, is_mapping, mapping_at, types_of

DOCUMENTATION = {
    "description",
    "title",
    "summary",
    "example",
    "examples",
    "externalDocs",
    "$comment",
}
"""Keys whose changes are counted only."""

Limit = tuple[float, bool]
"""A limit. The flag makes the tighter of two limits the greater one (lower limits) or the lesser
one (upper limits).
"""

LOWER_LIMITS = ("minimum", "minLength", "minItems", "minProperties", "minContains")
UPPER_LIMITS = ("maximum", "maxLength", "maxItems", "maxProperties", "maxContains")
FLAGS = ("readOnly", "writeOnly", "uniqueItems")
CONSTRAINTS = (
    *(
        "not",
        "if",
        "then",
        "else",
        "contains",
        "dependentRequired",
        "dependentSchemas",
        "dependencies",
    ),
    *(
        "propertyNames",
        "unevaluatedItems",
        "contentEncoding",
        "contentMediaType",
        "contentSchema",
        "xml",
    ),
)
"""Keywords that are compared as a whole."""
_VALUES = ("format", "pattern", "multipleOf")
_ANY_TEXT = {"", ".*", "^", "$", "^.*", ".*$", "^.*$"}
"""Patterns that every text matches."""
_OTHERS = "..."
"""Stands among the values of an enum for those that the document does not name: see
`x-extensible-enum`.
"""


def keywords(tree: Tree) -> dict[str, Any]:
    """The keywords that a schema has itself, those of its children and members left out.

    `type` is a set without null; `null` says that null is admitted; `enum` has the values as JSON,
    and `const` is an enum of one; `closed` and `open` say what `additionalProperties` says.
    """
    types = frozenset(map(str, types_of(tree)))
    given: dict[str, Any] = {
        "type": types - {"null"} or None,
        "null": tree.get("nullable") is True or _admits_null(tree, types) or None,
        "enum": _enum(tree),
        "default": as_json(tree["default"]) if "default" in tree else None,
        "discriminator": mapping_at(tree, "discriminator").get("propertyName"),
    }
    given |= {keyword: _limit(tree, keyword) for keyword in (*LOWER_LIMITS, *UPPER_LIMITS)}
    given |= {keyword: tree.get(keyword) is True or None for keyword in FLAGS}
    given |= {
        keyword: tree[keyword]
        for keyword in _VALUES
        if isinstance(tree.get(keyword), (str, int, float))
    }
    if given.get("pattern") in _ANY_TEXT:
        del given["pattern"]
    given |= deprecation(tree)
    given |= {keyword: canonical(tree[keyword]) for keyword in CONSTRAINTS if keyword in tree}
    if tree.get("additionalProperties") is False or tree.get("unevaluatedProperties") in (
        False,
        {"not": {}},
    ):
        given["closed"] = True
    elif tree.get("additionalProperties") is not None:
        given["open"] = True
    return {keyword: value for keyword, value in given.items() if value is not None}


def deprecation(tree: Tree) -> dict[str, bool]:
    """The keyword `deprecated`, where an operation, a parameter or a schema is."""
    return {"deprecated": True} if tree.get("deprecated") is True else {}


def join(keyword: str, first: Any, second: Any) -> Any:
    """The value of a keyword that two members of `allOf` give: what both admit, both, or the second
    one.
    """
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
        kept = {
            key: each for key, each in value.items() if key not in DOCUMENTATION or is_mapping(each)
        }
        return {key: _plain(each) for key, each in kept.items()}
    if is_list(value):
        return [_plain(each) for each in value]
    return value


def _enum(tree: Tree) -> tuple[str, ...] | None:
    """The values as JSON, without null, in the order of the document."""
    if "const" in tree:
        return (as_json(tree["const"]),) if tree["const"] is not None else None
    values, others = tree.get("enum"), list[str]()
    if not is_list(values):
        values, others = tree.get("x-extensible-enum"), [_OTHERS]
    named = (
        dict.fromkeys(as_json(each) for each in values if each is not None)
        if is_list(values)
        else None
    )
    return None if named is None else (*named, *others)


def _admits_null(tree: Tree, types: frozenset[str]) -> bool:
    """Whether null is among the types, and among the values where these are listed."""
    values = [tree["const"]] if "const" in tree else tree.get("enum")
    if not is_list(values):
        return "null" in types
    return None in values and (not types or "null" in types)


def _limit(tree: Tree, keyword: str) -> Limit | None:
    lower = keyword.startswith("min")
    limits: list[Limit] = []
    value, exclusive = tree.get(keyword), tree.get("exclusive" + keyword.capitalize())
    if isinstance(value, (int, float)) and not (lower and value == 0 and keyword != "minimum"):
        # OpenAPI 3.0 has a flag beside the limit
        limits.append((value, (exclusive is True) == lower))
    if isinstance(exclusive, (int, float)) and not isinstance(exclusive, bool):
        limits.append((exclusive, lower))
    return (max(limits) if lower else min(limits)) if limits else None


Difference = tuple[str, str, str]
"""The kind, the old value and the new one."""

_TYPE_FORMATS = {"date", "date-time", "uuid"}
_WIDER_FORMATS = {("int32", "int64"), ("float", "double")}
_SWITCHES = {
    "null": ("null-admitted", "null-refused"),
    "uniqueItems": ("unique-items", "repeated-items"),
    "readOnly": ("became-read-only", "no-longer-read-only"),
    "writeOnly": ("became-write-only", "no-longer-write-only"),
    "closed": ("closed", "opened"),
    "deprecated": ("deprecated", "undeprecated"),
}
"""Keywords that are there or not: what it means when they come and when they go."""


def keyword_changes(keyword: str, old: Any, new: Any) -> Iterator[Difference]:
    if keyword in _SWITCHES:
        comes, goes = _SWITCHES[keyword]
        yield comes if new else goes, "", ""
    elif keyword in LOWER_LIMITS or keyword in UPPER_LIMITS:
        yield _limit_change(keyword, old, new)
    elif keyword == "multipleOf":
        yield _presence("limit", old and f"{keyword} {old}", new and f"{keyword} {new}")
    elif keyword in CONSTRAINTS:
        yield _presence("constraint", old and keyword, new and keyword)
    elif keyword in ("pattern", "default", "discriminator"):
        yield _presence(keyword, old, new)
    elif keyword == "enum":
        yield from _enum_change(old, new)
    elif keyword in _CHANGES:
        yield _CHANGES[keyword](old, new)


def _presence(name: str, old: Any, new: Any) -> Difference:
    suffix = "added" if old is None else "removed" if new is None else "changed"
    return f"{name}-{suffix}", "" if old is None else str(old), "" if new is None else str(new)


def types_text(types: frozenset[str] | None) -> str:
    return " or ".join(sorted(types)) if types else "anything"


def covers(wide: frozenset[str] | None, narrow: frozenset[str] | None) -> bool:
    """Whether every value of `narrow` is one of `wide`; None admits anything."""
    if wide is None or narrow is None:
        return wide is None
    return all(is_among(each, wide) for each in narrow)


def _type_change(old: frozenset[str] | None, new: frozenset[str] | None) -> Difference:
    kind = (
        "type-widened"
        if covers(new, old)
        else "type-narrowed"
        if covers(old, new)
        else "type-changed"
    )
    return kind, types_text(old), types_text(new)


def _format_change(old: str | None, new: str | None) -> Difference:
    if (old, new) in _WIDER_FORMATS or (new, old) in _WIDER_FORMATS:
        return (
            "format-widened" if (old, new) in _WIDER_FORMATS else "format-narrowed",
            str(old),
            str(new),
        )
    # A format that is a type of its own in Python: other texts are refused, and are not read.
    is_typed = old in _TYPE_FORMATS or (old is None and new in _TYPE_FORMATS)
    return _presence("type-format" if is_typed else "format", old, new)


_CHANGES: dict[str, Callable[[Any, Any], Difference]] = {
    "type": _type_change,
    "format": _format_change,
}


def _enum_change(old: tuple[str, ...] | None, new: tuple[str, ...] | None) -> Iterator[Difference]:
    if old is None or new is None:
        first, second = (
            ", ".join(each for each in values or () if each != _OTHERS) for values in (old, new)
        )
        if _OTHERS in (old or new or ()):
            yield "values-named" if old is None else "values-not-named", first, second
        else:
            yield "became-enum" if old is None else "no-longer-enum", first, second
        return
    if len(old) == len(new) == 1 and old != new:
        yield "constant-changed", old[0], new[0]
        return
    for value in (*old, *new):
        if value not in new:
            yield "enum-closed" if value == _OTHERS else "enum-value-removed", value, ""
        elif value not in old:
            added = "open-value-added" if _OTHERS in old else "enum-value-added"
            yield "enum-opened" if value == _OTHERS else added, "", value


def _limit_change(keyword: str, old: Limit | None, new: Limit | None) -> Difference:
    kind, first, second = _presence(
        "limit", *(limit and _limit_text(keyword, limit) for limit in (old, new))
    )
    if old is not None and new is not None:
        kind = "limit-tightened" if (new > old) == (keyword in LOWER_LIMITS) else "limit-loosened"
    return kind, first, second


def _limit_text(keyword: str, limit: Limit) -> str:
    value, flag = limit
    exclusive = flag == (keyword in LOWER_LIMITS) and keyword in ("minimum", "maximum")
    return f"{'exclusive' + keyword.capitalize() if exclusive else keyword} {value}"
