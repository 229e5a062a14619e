"""What differs between the keywords of two schemas, as kinds of `rules.RULES` with the old and the new value."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from victor_ext.spec.tree import Tree

from .keywords import CONSTRAINTS, LOWER_LIMITS, UPPER_LIMITS, Limit
from .shape import Shape

Difference = tuple[str, str, str]
"""The kind, the old value and the new one."""

_TYPE_FORMATS = {"date", "date-time", "uuid"}
_WIDER_FORMATS = {("int32", "int64"), ("float", "double")}
_SWITCHES = {
    "null": ("null-admitted", "null-refused"),
    "uniqueItems": ("unique-items", "repeated-items"),
    "readOnly": ("became-read-only", "no-longer-read-only"),
    "writeOnly": ("became-write-only", "no-longer-write-only"),
    "deprecated": ("deprecated", "undeprecated"),
    "closed": ("closed", "opened"),
}
"""Keywords that are there or not: what it means when they come and when they go."""


@dataclass
class Differences:
    """What differs between the keywords of two schemas."""

    items: list[Difference] = field(default_factory=list[Difference])
    other_type: bool = False
    """Whether the types have nothing in common: nothing else of the two schemas can be compared."""

    def of_null(self) -> Differences:
        """Those of null alone."""
        return Differences([each for each in self.items if each[0].startswith("null-")])

    def without_null(self) -> Differences:
        """All others."""
        return Differences([each for each in self.items if not each[0].startswith("null-")], self.other_type)


def keyword_differences(old: Shape, new: Shape) -> Differences:
    """What differs between the keywords of two schemas, without what a common base gives."""
    bases = old.common(new)
    changed: dict[str, tuple[Any, Any]] = {}
    for keyword in sorted({*old.keywords, *new.keywords}):
        first, second = old.keywords.get(keyword), new.keywords.get(keyword)
        homes = {given.home for given in (first, second) if given is not None}
        values = (first and first.value, second and second.value)
        if values[0] != values[1] and not homes <= bases:
            changed[keyword] = values
    if None in changed.get("type", ()) and (old.inferred or new.inferred):
        del changed["type"]  # neither says a type
    differences = Differences()
    for keyword, values in changed.items():
        differences.items += _changes(keyword, *values)
    differences.other_type = any(kind == "type-changed" for kind, _, _ in differences.items)
    if differences.other_type:
        kept = ("type-changed", "null-admitted", "null-refused", "became-read-only", "became-write-only")
        differences.items = [each for each in differences.items if each[0] in kept]
    return differences


def _changes(keyword: str, old: Any, new: Any) -> Iterator[Difference]:
    if keyword in _SWITCHES:
        comes, goes = _SWITCHES[keyword]
        yield comes if new else goes, "", ""
    elif keyword in LOWER_LIMITS or keyword in UPPER_LIMITS:
        yield _limit(keyword, old, new)
    elif keyword in CONSTRAINTS:
        yield _presence("constraint", old and keyword, new and keyword)
    elif keyword in ("pattern", "default"):
        yield _presence(keyword, old, new)
    elif keyword in _COMPARED:
        yield from _COMPARED[keyword](old, new)


def _presence(name: str, old: Any, new: Any) -> Difference:
    suffix = "added" if old is None else "removed" if new is None else "changed"
    return f"{name}-{suffix}", "" if old is None else str(old), "" if new is None else str(new)


def types_text(types: frozenset[str] | None) -> str:
    """Types in words."""
    return " or ".join(sorted(types)) if types else "anything"


def _type(old: frozenset[str] | None, new: frozenset[str] | None) -> Iterator[Difference]:
    kind = "type-widened" if covers(new, old) else "type-narrowed" if covers(old, new) else "type-changed"
    yield kind, types_text(old), types_text(new)


def covers(wide: frozenset[str] | None, narrow: frozenset[str] | None) -> bool:
    """Whether every value of `narrow` is one of `wide`; None admits anything."""
    if wide is None or narrow is None:
        return wide is None
    return all(each in wide or (each == "integer" and "number" in wide) for each in narrow)


def _format(old: str | None, new: str | None) -> Iterator[Difference]:
    if (old, new) in _WIDER_FORMATS or (new, old) in _WIDER_FORMATS:
        yield "format-widened" if (old, new) in _WIDER_FORMATS else "format-narrowed", str(old), str(new)
    else:
        # A format that is a type of its own in Python: other texts are refused, and are not read.
        kind = "type-format" if {old, new} & _TYPE_FORMATS and None in (old, new) else "format"
        yield _presence(kind, old, new)


def _enum(old: tuple[str, ...] | None, new: tuple[str, ...] | None) -> Iterator[Difference]:
    if old is None or new is None:
        yield "became-enum" if old is None else "no-longer-enum", ", ".join(old or ()), ", ".join(new or ())
        return
    for value in old:
        if value not in new:
            yield "enum-value-removed", value, ""
    for value in new:
        if value not in old:
            yield "enum-value-added", "", value


def _limit(keyword: str, old: Limit | None, new: Limit | None) -> Difference:
    lower = keyword in LOWER_LIMITS
    first, second = limit_text(keyword, old), limit_text(keyword, new)
    if old is None or new is None:
        return "limit-added" if old is None else "limit-removed", first, second
    return "limit-tightened" if (new > old) == lower else "limit-loosened", first, second


def limit_text(keyword: str, limit: Limit | None) -> str:
    """A limit in the words of the document."""
    if limit is None:
        return ""
    value, flag = limit
    exclusive = flag == (keyword in LOWER_LIMITS)
    return (
        f"{'exclusive' + keyword.capitalize() if exclusive and keyword in ('minimum', 'maximum') else keyword} {value}"
    )


def _multiple(old: float | None, new: float | None) -> Iterator[Difference]:
    first, second = "" if old is None else f"multipleOf {old}", "" if new is None else f"multipleOf {new}"
    if not old or not new:
        kind = "limit-added" if not old else "limit-removed"
    else:
        kind = "limit-tightened" if new % old == 0 else "limit-loosened" if old % new == 0 else "limit-changed"
    yield kind, first, second


def _discriminator(old: Tree | None, new: Tree | None) -> Iterator[Difference]:
    """The property that decides. Its values are compared with the members of the union: see `unions`."""
    first, second = ("" if each is None else str(each.get("propertyName")) for each in (old, new))
    if first != second:
        yield _presence("discriminator", first or None, second or None)


def _sunset(_old: str | None, new: str | None) -> Iterator[Difference]:
    if new is not None:
        yield "sunset", "", str(new)


def _reference(old: str | None, new: str | None) -> Iterator[Difference]:
    yield "reference", old or "a schema", new or "a schema"


_COMPARED: dict[str, Callable[[Any, Any], Iterator[Difference]]] = {
    "type": _type,
    "enum": _enum,
    "format": _format,
    "multipleOf": _multiple,
    "discriminator": _discriminator,
    "x-sunset": _sunset,
    "$ref": _reference,
}
