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
    """The types of the arguments of an operation, by name, and under `return` that of a body."""
    names = cast("dict[str, Any]", operation.__dict__)
    hints: dict[str, Any] = get_type_hints(operation.sync_detailed, names)
    # `sync_detailed` returns a `Response[...]` of the body.
    bodies: tuple[Any, ...] = get_args(hints.get("return"))
    return {**hints, "return": bodies[0] if bodies else Any}


def classes_in(hint: Any) -> list[Any]:
    """The types that a hint names, without None and the marker of an unset value."""
    if get_origin(hint) in (Union, UnionType):
        parts: tuple[Any, ...] = get_args(hint)
        return [kind for part in parts for kind in classes_in(part)]
    is_nothing = hint in (None, NoneType) or getattr(hint, "__name__", "") == "Unset"
    return [] if is_nothing else [hint]


def types_at(holders: Sequence[Any], place: str) -> list[Any] | None:
    """The types that these classes declare at a place.

    An empty list: no class declares the place. None: the members of a class on the way are not
    declared, such as those of a free object, so nothing is known of the place.
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


def fields_of_model(model: Any) -> dict[str, Any]:
    """The declared fields of a generated model, with their types; of any other type, no fields."""
    if not isinstance(model, type) or not hasattr(model, "__attrs_attrs__"):
        return {}
    hints = get_type_hints(model, vars(sys.modules[model.__module__]), {})
    return {name: hint for name, hint in hints.items() if name != "additional_properties"}


def types_of_items(lists: Sequence[Any]) -> list[Any]:
    """The types of the items of lists, such as `Card` of `list[Card]`."""
    types: list[Any] = []
    for list_type in lists:
        for item in get_args(list_type)[:1]:
            types += classes_in(item)
    return types


def lacks_its_list(model: Any, body: Any, place: str) -> bool:
    """Whether a body is a page that leaves out its list of items, as the document permits.

    Args:
        model: The generated model of the page.
        body: The body. It is a page if it has another member that the document declares.
        place: The place of the list.
    """
    if not is_object(body):
        return False
    first = place.partition(".")[0]
    other_fields = [name for name in fields_of_model(model) if not same_name(name, first)]
    members = [member for member, value in body.items() if value is not None]
    is_page = any(same_name(member, name) for member in members for name in other_fields)
    return is_page and _leaves_out(model, body, place)


def _leaves_out(model: Any, body: Mapping[str, Any], place: str) -> bool:
    """Whether a body has nothing at a place, and its model permits it."""
    name, _, rest = place.partition(".")
    fields = fields_of_model(model)
    declared = next((field for field in fields if same_name(field, name)), None)
    if declared is None:
        return False
    values = [value for member, value in body.items() if same_name(member, name)]
    inside = next((value for value in values if value is not None), None)
    if inside is None:
        attribute: Any = attrs.fields_dict(model)[declared]
        return attribute.default is not NOTHING  # what has a default need not be sent
    if not rest or not is_object(inside):
        return False
    return any(_leaves_out(inner, inside, rest) for inner in classes_in(fields[declared]))
