"""What a schema allows of a value that is sent: the checks are made from it, and an update compares
it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from math import ceil, floor
from typing import Any, NamedTuple

from victor_spec.enforced import split
from victor_spec.tree import Tree, is_mapping, is_null, list_at, mapping_at, resolve, types_of

LEAST_WHOLE, MOST_WHOLE = -(2**63), 2**63 - 1
"""The limits of a number of which the document has none."""
FORMATS = {"int32": (-(2**31), 2**31 - 1)}
"""Those of a format."""
OF_TEXT = ("minLength", "maxLength", "pattern")
OF_LIST = ("minItems", "maxItems")


def given(document: Tree, tree: Tree) -> Tree:
    """The schema of a value that is given, after all references: null gives none."""
    return without_null(resolve(document, without_null(tree)))


def without_null(schema: Tree) -> Tree:
    """The schema without null: `[string, 'null']` is text, and a union with null its other member.

    A composition of one schema is that schema.
    """
    types = [each for each in types_of(schema) if each != "null"]
    if len(types) == 1:
        return {**schema, "type": types[0]}
    for key in ("anyOf", "oneOf", "allOf"):
        others = [each for each in list_at(schema, key) if is_mapping(each) and not is_null(each)]
        if len(others) == 1 and not types and "properties" not in schema:
            return without_null({**{k: v for k, v in schema.items() if k != key}, **others[0]})
    return schema


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


def limits_of(document: Tree, schema: Tree) -> Mapping[str, Any]:
    """The limits of a schema by their keywords; of the items of a list, as `items.maxLength`.

    Limits that nobody keeps are none.
    """
    limits: dict[str, Any] = {}
    schema, _ = split(schema)
    type_ = schema.get("type")
    if type_ in ("integer", "number"):
        keys = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf")
        limits = dict(zip(keys, ends_of(schema), strict=True))
    of_type: Mapping[Any, Sequence[str]] = {"string": OF_TEXT, "array": OF_LIST}
    for key in of_type.get(type_, ()):
        limits[key] = schema.get(key) if key == "pattern" else count_at(schema, key)
    if type_ == "array":
        items = limits_of(document, given(document, mapping_at(schema, "items")))
        limits |= {f"items.{key}": limit for key, limit in items.items()}
    allows_all = {("minLength", 0), ("minItems", 0)}
    return {
        key: limit
        for key, limit in limits.items()
        if limit is not None and (key, limit) not in allows_all
    }


def count_at(schema: Tree, key: str) -> int | None:
    """A number of characters or items; None where it is not declared."""
    value = schema.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) else None
