"""The keywords of one schema as comparable values, and what a change of each means, by the kinds of
`changes.RULES`.
"""

import json
from collections.abc import Container, Iterator
from typing import Any, NamedTuple, TypeGuard

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


class Limit(NamedTuple):
    """A limit of a value. The tighter of two is the greater one."""

    tightness: float
    """The number; of an upper limit the negative one."""
    is_exclusive: bool
    text: str
    """The keyword and its value in a document of 3.1: `exclusiveMinimum 0`."""


LOWER_LIMITS = ("minimum", "minLength", "minItems", "minProperties", "minContains")
UPPER_LIMITS = ("maximum", "maxLength", "maxItems", "maxProperties", "maxContains")
CONSTRAINTS = (
    "not",
    "if",
    "then",
    "else",
    "contains",
    "dependentRequired",
    "dependentSchemas",
    "dependencies",
    "propertyNames",
    "unevaluatedItems",
    "contentEncoding",
    "contentMediaType",
    "contentSchema",
    "xml",
)
"""Keywords that are compared as a whole."""
_OF_NUMBERS = frozenset({"number", "integer"})
_OF_TEXTS = frozenset({"string"})
_OF_LISTS = frozenset({"array"})
_OF_OBJECTS = frozenset({"object"})
_TYPES_OF_KEYWORDS = {
    **dict.fromkeys(("minimum", "maximum", "multipleOf"), _OF_NUMBERS),
    **dict.fromkeys(("minLength", "maxLength", "pattern"), _OF_TEXTS),
    **dict.fromkeys(("contentEncoding", "contentMediaType", "contentSchema"), _OF_TEXTS),
    "format": _OF_NUMBERS | _OF_TEXTS,
    **dict.fromkeys(("minItems", "maxItems", "uniqueItems", "contains"), _OF_LISTS),
    **dict.fromkeys(("minContains", "maxContains", "unevaluatedItems"), _OF_LISTS),
    **dict.fromkeys(("items", "prefixItems"), _OF_LISTS),
    **dict.fromkeys(("minProperties", "maxProperties", "closed", "propertyNames"), _OF_OBJECTS),
    **dict.fromkeys(("dependentRequired", "dependentSchemas", "dependencies"), _OF_OBJECTS),
    **dict.fromkeys(("properties", "patternProperties", "required"), _OF_OBJECTS),
    **dict.fromkeys(("additionalProperties", "unevaluatedProperties"), _OF_OBJECTS),
}
"""The types of which a keyword says something; one that is not here says something of each."""
_READ_ELSEWHERE = {
    *DOCUMENTATION,
    *("$ref", "$schema", "$id", "$anchor", "$defs", "definitions"),
    *("allOf", "oneOf", "anyOf", "properties", "required", "readOnly", "writeOnly"),
    *("patternProperties", "additionalProperties", "unevaluatedProperties"),
    *("items", "prefixItems", "nullable", "const"),
}
"""What is no keyword of a value, or says something of its children and members."""
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
    is_nullable = tree.get("nullable") is True or _admits_null(tree, types)
    found: dict[str, Any] = {
        "type": types - {"null"} or None,
        "null": is_nullable or None,
        "enum": _enum(tree),
        "default": as_json(tree["default"]) if "default" in tree else None,
        "discriminator": mapping_at(tree, "discriminator").get("propertyName"),
        "pattern": _pattern(tree),
        "uniqueItems": tree.get("uniqueItems") is True or None,
        "deprecated": tree.get("deprecated") is True or None,
    }
    for keyword in (*LOWER_LIMITS, *UPPER_LIMITS):
        found[keyword] = _limit(tree, keyword)
    for keyword in ("format", "multipleOf"):
        found[keyword] = _scalar(tree, keyword)
    for keyword in CONSTRAINTS:
        found[keyword] = canonical(tree[keyword]) if keyword in tree else None
    if _is_closed(tree):
        found["closed"] = True
    elif tree.get("additionalProperties") is not None:
        found["open"] = True
    found["others"] = _others(tree, found)
    return {keyword: value for keyword, value in found.items() if value is not None}


def says_something(keyword: str, types: frozenset[str] | None) -> bool:
    """Whether a keyword says something of a value of these types; None: of a value of any type."""
    own = _TYPES_OF_KEYWORDS.get(keyword)
    return own is None or types is None or not own.isdisjoint(types)


def _others(tree: Tree, found: Container[str]) -> frozenset[tuple[str, str]] | None:
    """What else a schema says, as texts: nobody knows what it means that one of them differs."""
    others: set[tuple[str, str]] = set()
    for key, value in tree.items():
        is_read = key in found or key in _READ_ELSEWHERE or key.startswith(("x-", "exclusive"))
        if not is_read:
            others.add((key, canonical(value)))
    return frozenset(others) or None


def _scalar(tree: Tree, keyword: str) -> str | float | None:
    """The text or the number under a key; None for anything else."""
    value = tree.get(keyword)
    return value if isinstance(value, str | int | float) else None


def _pattern(tree: Tree) -> str | float | None:
    """The pattern of a text, unless every text matches it."""
    pattern = _scalar(tree, "pattern")
    return None if pattern in _ANY_TEXT else pattern


def _is_closed(tree: Tree) -> bool:
    """Whether other properties are refused."""
    rest = tree.get("unevaluatedProperties")
    return tree.get("additionalProperties") is False or rest is False or rest == {"not": {}}


def join(keyword: str, first: Any, second: Any) -> Any:
    """The value of a keyword that two members of `allOf` give: what both admit, both, or the second
    one.
    """
    if keyword == "type":
        common = first & second
        if {"integer", "number"} <= first | second:
            common |= {"integer"}
        return common or second
    if keyword == "enum":
        return tuple(value for value in first if value in second) or second
    if isinstance(first, Limit):
        return max(first, second)
    if keyword == "others":
        return first | second
    if keyword == "pattern" or keyword in CONSTRAINTS:
        return " and ".join(sorted({str(first), str(second)}))
    return second


def as_json(value: Any) -> str:
    """A value as text, the same for the same value."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def canonical(value: Any) -> str:
    """A schema as text, the same for the same meaning: without documentation."""
    return as_json(_without_documentation(value))


def _without_documentation(value: Any) -> Any:
    """A value without documentation at any depth."""
    if is_list(value):
        return [_without_documentation(item) for item in value]
    if not is_mapping(value):
        return value
    plain: Tree = {}
    for key, inner in value.items():
        # A property may have the name of a keyword.
        if key not in DOCUMENTATION or is_mapping(inner):
            plain[key] = _without_documentation(inner)
    return plain


def _enum(tree: Tree) -> tuple[str, ...] | None:
    """The values as JSON, without null, in the order of the document."""
    if "const" in tree:
        return None if tree["const"] is None else (as_json(tree["const"]),)
    others: list[str] = []
    values = tree.get("enum")
    if not is_list(values):
        values = tree.get("x-extensible-enum")
        others = [_OTHERS]
    if not is_list(values):
        return None
    named = dict.fromkeys(as_json(value) for value in values if value is not None)
    return (*named, *others)


def _admits_null(tree: Tree, types: frozenset[str]) -> bool:
    """Whether null is among the types, and among the values where these are listed."""
    values = [tree["const"]] if "const" in tree else tree.get("enum")
    if not is_list(values):
        return "null" in types
    return None in values and (not types or "null" in types)


def _limit(tree: Tree, keyword: str) -> Limit | None:
    """A limit of a value; the tighter one, where a document of 3.1 has an exclusive one, too."""
    sign = 1 if keyword in LOWER_LIMITS else -1
    excluding = "exclusive" + keyword.capitalize()
    value = tree.get(keyword)
    other = tree.get(excluding)
    limits: list[Limit] = []
    if _is_number(value) and (value or sign < 0 or keyword == "minimum"):
        is_exclusive = other is True  # OpenAPI 3.0 has a flag beside the limit
        name = excluding if is_exclusive else keyword
        limits.append(Limit(sign * value, is_exclusive, _limit_text(name, value)))
    if _is_number(other):
        limits.append(Limit(sign * other, is_exclusive=True, text=_limit_text(excluding, other)))
    return max(limits, default=None)


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _limit_text(name: str, value: float) -> str:
    """A limit in words: the same for 5 and 5.0."""
    return f"{name} {int(value) if float(value).is_integer() else value}"


Difference = tuple[str, str, str]
"""The kind, the old value and the new one."""

_TYPE_FORMATS = {"date", "date-time", "uuid"}
_WIDER_FORMATS = {("int32", "int64"), ("float", "double")}
_SWITCHES = {
    "null": ("null-admitted", "null-refused"),
    "uniqueItems": ("unique-items", "repeated-items"),
    "closed": ("closed", "opened"),
    "deprecated": ("deprecated", "undeprecated"),
}
"""Keywords that are there or not: what it means when they come and when they go."""


def changes_of_keywords(old: Tree, new: Tree) -> Iterator[Difference]:
    """What it means that the keywords of a schema, or of a variable, differ."""
    before = keywords(old)
    after = keywords(new)
    for keyword in sorted({*before, *after}):
        if before.get(keyword) != after.get(keyword):
            yield from keyword_changes(keyword, before.get(keyword), after.get(keyword))


def keyword_changes(keyword: str, old: Any, new: Any) -> Iterator[Difference]:
    """What it means that a keyword has another value; None stands for an absent one."""
    if keyword in _SWITCHES:
        comes, goes = _SWITCHES[keyword]
        yield comes if new else goes, "", ""
    elif keyword == "enum":
        yield from _enum_change(old, new)
    elif keyword == "type":
        yield _type_change(old, new)
    elif keyword == "format":
        yield _format_change(old, new)
    elif keyword == "others":
        yield _others_change(old or frozenset(), new or frozenset())
    elif keyword in (*LOWER_LIMITS, *UPPER_LIMITS):
        yield _limit_change(old, new)
    elif keyword in CONSTRAINTS:
        yield presence("constraint", old and keyword, new and keyword)
    elif keyword == "multipleOf":
        yield presence("limit", old and f"{keyword} {old}", new and f"{keyword} {new}")
    elif keyword in ("pattern", "default", "discriminator"):
        yield presence(keyword, old, new)


def _others_change(old: frozenset[tuple[str, str]], new: frozenset[tuple[str, str]]) -> Difference:
    """Which other keywords differ."""
    names = {name for name, _ in old ^ new}
    return "not-compared", "", ", ".join(sorted(names))


def _limit_change(old: Limit | None, new: Limit | None) -> Difference:
    """What it means that a limit is another one: tighter, looser, there now, or gone."""
    if old is None or new is None:
        return presence("limit", old and old.text, new and new.text)
    return "limit-tightened" if new > old else "limit-loosened", old.text, new.text


def presence(name: str, old: Any, new: Any) -> Difference:
    """What it means that something is there now, or no longer, or has another value."""
    if not old:
        return f"{name}-added", "", str(new)
    if not new:
        return f"{name}-removed", str(old), ""
    return f"{name}-changed", str(old), str(new)


def types_text(types: frozenset[str] | None) -> str:
    """Types in words: `integer or string`."""
    return " or ".join(sorted(types)) if types else "anything"


def covers(wide: frozenset[str] | None, narrow: frozenset[str] | None) -> bool:
    """Whether every value of `narrow` is one of `wide`; None admits anything."""
    if wide is None:
        return True
    return narrow is not None and all(is_among(kind, wide) for kind in narrow)


def _type_change(old: frozenset[str] | None, new: frozenset[str] | None) -> Difference:
    """What it means that other types are admitted."""
    kind = "type-changed"
    if covers(new, old):
        kind = "type-widened"
    elif covers(old, new):
        kind = "type-narrowed"
    return kind, types_text(old), types_text(new)


def _format_change(old: str | None, new: str | None) -> Difference:
    """What it means that a text or a number has another format."""
    if (old, new) in _WIDER_FORMATS:
        return "format-widened", str(old), str(new)
    if (new, old) in _WIDER_FORMATS:
        return "format-narrowed", str(old), str(new)
    # A format that is a type of its own in Python: other texts are refused, and are not read.
    is_typed = old in _TYPE_FORMATS or (old is None and new in _TYPE_FORMATS)
    return presence("type-format" if is_typed else "format", old, new)


def _enum_change(old: tuple[str, ...] | None, new: tuple[str, ...] | None) -> Iterator[Difference]:
    """What it means that other values are listed, or that values are listed at all."""
    if old is None or new is None:
        before = _values_in_words(old)
        after = _values_in_words(new)
        is_open = _OTHERS in (old or new or ())
        if is_open:
            yield "values-named" if old is None else "values-not-named", before, after
        else:
            yield "became-enum" if old is None else "no-longer-enum", before, after
    elif len(old) == len(new) == 1 and old != new:
        yield "constant-changed", old[0], new[0]
    else:
        yield from _values_change(old, new)


def _values_in_words(values: tuple[str, ...] | None) -> str:
    """The values of an enum in words, without the mark for others."""
    return ", ".join(value for value in values or () if value != _OTHERS)


def _values_change(old: tuple[str, ...], new: tuple[str, ...]) -> Iterator[Difference]:
    """The values that are gone, then those that are new."""
    for value in old:
        if value not in new:
            yield "enum-closed" if value == _OTHERS else "enum-value-removed", value, ""
    added = "open-value-added" if _OTHERS in old else "enum-value-added"
    for value in new:
        if value not in old:
            yield "enum-opened" if value == _OTHERS else added, "", value
