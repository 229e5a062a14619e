"""What a schema allows of a value that is sent: the checks are made from it, and an update compares
it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from math import ceil, floor
from typing import Any, NamedTuple

from victor_spec.tree import (
    Tree,
    is_list,
    is_mapping,
    is_null,
    list_at,
    target,
    trees_at,
    types_of,
)

LEAST_WHOLE, MOST_WHOLE = -(2**63), 2**63 - 1
"""The limits of a number of which the document has none."""
FORMATS = {"int32": (-(2**31), 2**31 - 1)}
"""Those of a format."""
OF_TEXT = ("minLength", "maxLength", "pattern")
OF_LIST = ("minItems", "maxItems")
DESCRIBING = frozenset(
    {"title", "description", "default", "example", "examples", "deprecated", "externalDocs"}
    | {"readOnly", "writeOnly", "nullable", "xml", "additionalProperties", "discriminator"}
)
"""Keywords that say nothing of what a value may be, or nothing that a check asks."""
_NARROWER: Mapping[str, Callable[..., Any]] = {
    **dict.fromkeys(("minLength", "minItems", "minimum", "exclusiveMinimum"), max),
    **dict.fromkeys(("maxLength", "maxItems", "maximum", "exclusiveMaximum"), min),
}
"""Of two limits, the one that holds."""


def given(document: Tree, tree: Tree, above: frozenset[str] = frozenset()) -> Tree:
    """The schema of a value that is given: null gives none. It is one with what it refers to, with
    what stands beside a reference (OpenAPI 3.0 ignores that), and with the parts of its `allOf`.

    Parts that contradict each other are a schema without a type, which no check knows. `above` are
    the references that lead here.
    """
    schema = without_null(tree)
    parts = trees_at(schema, "allOf")
    beside = {key: value for key, value in schema.items() if key not in ("$ref", "allOf")}
    reference = schema.get("$ref")
    if isinstance(reference, str):
        if _ignores_siblings(document):
            parts = []
            beside = {key: value for key, value in beside.items() if _only_describes(key)}
        referred = target(document, reference) if reference not in above else None
        above |= {reference}
        parts = [referred if is_mapping(referred) else {}, *parts]
    if not parts:
        return schema
    return _as_one([*(given(document, part, above) for part in parts), beside])


def reference_of(document: Tree, tree: Tree) -> str:
    """The reference that a schema is; empty where it is none, or says more than that."""
    schema = without_null(tree)
    beside = [key for key in schema if key != "$ref" and not _only_describes(key)]
    is_alone = not beside or _ignores_siblings(document)
    return str(schema.get("$ref", "")) if is_alone else ""


def _ignores_siblings(document: Tree) -> bool:
    """Whether what stands beside a reference counts for nothing."""
    return str(document.get("openapi")).startswith("3.0")


def _only_describes(key: str) -> bool:
    """Whether a keyword says nothing of what a value may be."""
    return key in DESCRIBING or key.startswith("x-")


def without_null(schema: Tree) -> Tree:
    """The schema without null: `[string, 'null']` is text, and a union with null its other member.

    A composition of one schema is that schema; one with more beside it is an `allOf`.
    """
    types = [each for each in types_of(schema) if each != "null"]
    if len(types) == 1:
        return {**schema, "type": types[0]}
    for key in ("anyOf", "oneOf", "allOf"):
        others = [each for each in list_at(schema, key) if is_mapping(each) and not is_null(each)]
        if len(others) != 1 or types or "properties" in schema:
            continue
        beside = {name: value for name, value in schema.items() if name != key}
        if all(map(_only_describes, beside)):
            return without_null({**others[0], **beside})
        return {**beside, "allOf": [*list_at(beside, "allOf"), *others]}
    return schema


def _as_one(parts: Sequence[Tree]) -> Tree:
    """One schema for what all parts say; without a type where they contradict each other."""
    whole: Tree = {}
    for part in parts:
        for key, value in part.items():
            if key not in whole or whole[key] == value or _only_describes(key):
                whole[key] = value
                continue
            both = _both(key, whole[key], value)
            if both is None:
                return {name: said for name, said in whole.items() if _only_describes(name)}
            whole[key] = both
    return whole


def _both(key: str, first: Any, second: Any) -> Any:
    """What two parts of a schema say together by one keyword, where they differ; None where no
    check knows it.
    """
    if key == "properties" and is_mapping(first) and is_mapping(second):
        shared = [name for name in first if name in second and first[name] != second[name]]
        return {**first, **second, **{name: _all_of(first[name], second[name]) for name in shared}}
    if key == "items":
        return _all_of(first, second)
    if key == "required" and is_list(first) and is_list(second):
        return [*dict.fromkeys([*first, *second])]
    if key == "enum" and is_list(first) and is_list(second):
        return [each for each in first if each in second] or None
    if key == "type" and "integer" in (first, second) and "number" in (first, second):
        return "integer"
    narrow = _NARROWER.get(key)
    are_numbers = all(type(each) in (int, float) for each in (first, second))
    return narrow(first, second) if narrow is not None and are_numbers else None


def _all_of(*parts: Any) -> Tree:
    return {"allOf": [*parts]}


class Ends(NamedTuple):
    """The numbers that a schema allows. None: no such limit is declared."""

    least: Any
    most: Any
    above: Any
    """A limit that is no allowed number itself."""
    below: Any
    step: Any


def ends_of(schema: Tree) -> Ends:
    """The numbers that a schema allows. A whole number has no limit that is not allowed itself."""
    least, most = _of_format(schema)
    above = below = None
    if schema.get("exclusiveMinimum") is True:  # OpenAPI 3.0 has a flag beside the limit
        above = _number_at(schema, "minimum")
    else:
        least = _most_narrow(max, least, _number_at(schema, "minimum"))
        above = _number_at(schema, "exclusiveMinimum")
    if schema.get("exclusiveMaximum") is True:
        below = _number_at(schema, "maximum")
    else:
        most = _most_narrow(min, most, _number_at(schema, "maximum"))
        below = _number_at(schema, "exclusiveMaximum")
    step = _number_at(schema, "multipleOf")
    if schema.get("type") == "integer":
        least = _most_narrow(max, least, None if above is None else floor(above) + 1)
        most = _most_narrow(min, most, None if below is None else ceil(below) - 1)
        above = below = None
    return Ends(least, most, above, below, step if step and step > 0 else None)


def _of_format(schema: Tree) -> tuple[int | None, int | None]:
    is_whole = schema.get("type") == "integer"
    return FORMATS.get(str(schema.get("format")), (None, None)) if is_whole else (None, None)


def _most_narrow(narrow: Callable[[Iterable[Any]], Any], *limits: Any) -> Any:
    declared = [each for each in limits if each is not None]
    return narrow(declared) if declared else None


def _number_at(schema: Tree, key: str) -> Any:
    value = schema.get(key)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def allowed(schema: Tree) -> list[Any]:
    """All values that a schema allows; empty: any."""
    return [each for each in list_at(schema, "enum") if each is not None]


def fewest(limit: int | None, *, may_be_empty: bool) -> int:
    """The fewest characters or items that are taken: none are refused, unless that is allowed here,
    and not refused by the limit of the document.
    """
    return max(0 if may_be_empty else 1, limit or 0)


def count_at(schema: Tree, key: str) -> int | None:
    """A number of characters or items; None where it is not declared."""
    value = schema.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) else None
