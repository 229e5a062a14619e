"""What the generated models of a document declare: the types at the places of their members."""

import sys
from collections.abc import Mapping, Sequence
from types import NoneType, UnionType
from typing import Any, Union, cast, get_args, get_origin, get_type_hints

import attrs
from attrs import NOTHING

from victor_ext.runtime.core.json_values import is_object

from .places import same_name


def hints_of(operation: Any) -> dict[str, Any]:
    """The types of what an operation takes and returns."""
    names = cast("dict[str, Any]", operation.__dict__)
    hints: dict[str, Any] = get_type_hints(operation.sync_detailed, names)
    results: tuple[Any, ...] = get_args(hints.get("return"))
    return {**hints, "return": results[0] if results else Any}


def classes_in(hint: Any) -> list[Any]:
    """The types that a hint names, without those of nothing."""
    if get_origin(hint) in (Union, UnionType):
        parts: tuple[Any, ...] = get_args(hint)
        return [kind for part in parts for kind in classes_in(part)]
    is_nothing = hint in (None, NoneType) or getattr(hint, "__name__", "") == "Unset"
    return [] if is_nothing else [hint]


def types_at(holders: Sequence[Any], place: str) -> list[Any] | None:
    """The types at a place of these classes; none where no class declares it; None where one of
    them says nothing of its members.
    """
    for name in place.split("."):
        inside: list[Any] = []
        for holder in holders:
            fields = fields_of_model(holder)
            if not fields:
                return None
            for field, hint in fields.items():
                if same_name(field, name):
                    inside += classes_in(hint)
        holders = inside
    return list(holders)


def fields_of_model(kind: Any) -> dict[str, Any]:
    """The declared fields of a generated model, with their types; none of anything else."""
    if not isinstance(kind, type) or not hasattr(kind, "__attrs_attrs__"):
        return {}
    hints = get_type_hints(kind, vars(sys.modules[kind.__module__]), {})
    return {name: hint for name, hint in hints.items() if name != "additional_properties"}


def types_of_items(lists: Sequence[Any]) -> list[Any]:
    """The types of the items of lists."""
    types: list[Any] = []
    for kind in lists:
        for item in get_args(kind)[:1]:
            types += classes_in(item)
    return types


def lacks_its_list(kind: Any, body: Any, place: str) -> bool:
    """Whether the body of a page has nothing at the place of its items, where the document lets it
    and the body has another member that the document declares.
    """
    if not is_object(body):
        return False
    first = place.partition(".")[0]
    others = [name for name in fields_of_model(kind) if not same_name(name, first)]
    said = [member for member, value in body.items() if value is not None]
    is_page = any(same_name(member, name) for member in said for name in others)
    return is_page and _may_lack(kind, body, place)


def _may_lack(kind: Any, body: Mapping[str, Any], place: str) -> bool:
    """Whether the document lets a body have nothing at a place, and it has nothing there."""
    name, _, rest = place.partition(".")
    fields = fields_of_model(kind)
    declared = next((field for field in fields if same_name(field, name)), None)
    if declared is None:
        return False
    values = [value for member, value in body.items() if same_name(member, name)]
    inside = next((value for value in values if value is not None), None)
    if inside is None:
        attribute: Any = attrs.fields_dict(kind)[declared]
        return attribute.default is not NOTHING
    if not rest or not is_object(inside):
        return False
    return any(_may_lack(inner, inside, rest) for inner in classes_in(fields[declared]))
