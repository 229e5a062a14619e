"""Python values for the arguments of generated functions, made from JSON values by the types of the arguments."""

from __future__ import annotations

import datetime
import types
import typing
from collections.abc import Callable
from decimal import Decimal
from enum import Enum
from io import BytesIO
from typing import Any
from uuid import UUID

import attrs

from victor_ext.spec.tree import is_list, is_mapping

from .package import classes_in, is_model


class NoArgumentError(ValueError):
    """The type of an argument has no value for the JSON value."""


def build(hint: Any, value: Any) -> Any:
    """The value of a type that a caller would pass for a JSON value. Raises NoArgumentError when there is none."""
    built = [found for option in options(hint) if (found := _fitting(option, value)) is not _NOTHING]
    if not built:
        raise NoArgumentError(f"{type(value).__name__} has no place in {hint}")
    models = [each for each in built if is_model(each)]
    return min(models, key=misfit) if models else built[0]


def options(hint: Any) -> list[Any]:
    """The members of a union, the more specific ones first; without None and Unset."""
    found = list(typing.get_args(hint)) if typing.get_origin(hint) in (typing.Union, types.UnionType) else [hint]
    flat = [each for one in found for each in (options(one) if one is not hint else [one])]
    named = [each for each in flat if getattr(each, "__name__", "") not in ("Unset", "NoneType")]
    return sorted(named, key=lambda each: 2 if each is Any else 1 if each is str else 0)


def misfit(model: Any) -> tuple[int, int, int]:
    """How little a model is the one for its values.

    What is undeclared in it, how many of its required fields are absent, and how many of all its fields.
    """
    own: Any = model.__class__
    fields = attrs.fields(own) if attrs.has(own) else ()
    absent = [each for each in fields if type(getattr(model, each.name, None)).__name__ == "Unset"]
    return undeclared(model), sum(each.default is attrs.NOTHING for each in absent), len(absent)


def undeclared(model: Any) -> int:
    """How many properties of a model, and of the models in it, are no attributes, or have no value of their enum."""
    free: dict[str, Any] = getattr(model, "additional_properties", {})
    names: tuple[str, ...] = getattr(model, "__slots__", ())
    values = [getattr(model, name, None) for name in names]
    inner = [each for value in values for each in (value if is_list(value) else [value])]
    words = sum(each not in type(each).__members__.values() for each in inner if isinstance(each, Enum))
    return len(free) + words + sum(undeclared(each) for each in inner if is_model(each))


def enum_values(hint: Any) -> set[Any]:
    """The values of all enums and literals in a type."""
    found = {member.value for each in classes_in(hint) if issubclass(each, Enum) for member in each}
    return found | _literals(hint)


def _literals(hint: Any) -> set[Any]:
    if typing.get_origin(hint) is typing.Literal:
        return set(typing.get_args(hint))
    return {each for part in typing.get_args(hint) for each in _literals(part)}


_NOTHING = object()


def _fitting(option: Any, value: Any) -> Any:
    origin = typing.get_origin(option)
    if option is Any or option is object:
        return value
    if origin is typing.Literal:
        return value if value in typing.get_args(option) else _NOTHING
    if origin is not None:
        return _collected(option, origin, value)
    return _of_class(option, value) if isinstance(option, type) else _NOTHING


def _of_class(option: Any, value: Any) -> Any:
    if option in _PARSERS:
        return _parsed(_PARSERS[option], value)
    if is_model(option):
        found = option.from_dict(value) if is_mapping(value) else _NOTHING
    elif option.__name__ == "File":
        found = option(payload=BytesIO(value)) if isinstance(value, bytes) else _NOTHING
    elif issubclass(option, Enum):
        found = option(value) if value in [member.value for member in option] else _NOTHING
    elif option is Decimal:
        found = Decimal(str(value)) if type(value) in (int, float) else _NOTHING
    else:
        kinds = (int, float) if option is float else (option,)
        found = value if type(value) in kinds else _NOTHING
    return found


def _collected(option: Any, origin: Any, value: Any) -> Any:
    inner = typing.get_args(option)
    if is_mapping(value) and isinstance(origin, type) and issubclass(dict, origin):
        return {name: build(inner[1], each) for name, each in value.items()} if len(inner) == 2 else value
    if is_list(value) and isinstance(origin, type) and issubclass(list, origin):
        try:
            return [build(inner[0], each) for each in value]
        except NoArgumentError:
            return _NOTHING
    return _NOTHING


_PARSERS: dict[type, Callable[[str], Any]] = {
    datetime.datetime: datetime.datetime.fromisoformat,
    datetime.date: datetime.date.fromisoformat,
    UUID: UUID,
}


def _parsed(parse: Callable[[str], Any], value: Any) -> Any:
    if not isinstance(value, str):
        return _NOTHING
    try:
        return parse(value)
    except ValueError:
        return _NOTHING
