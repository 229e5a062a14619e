"""Readers of what a provider sent: records, and what is at a name of a JSON object.

A record is a view of one JSON object. Each field is a property that calls one of the readers here,
and is read when it is asked for. A reader returns None (an empty text for an identifier, an empty
tuple for a list) when the provider sent nothing, null, or a value of another type: one odd value
never costs the others.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from copy import deepcopy
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeVar

from victor_ext._runtime.client.records import Record
from victor_ext._runtime.core.comparing import moment_of
from victor_ext._runtime.core.json_values import (
    decimal_of,
    flag_of,
    is_object,
    list_or_empty,
    member_in_any_case,
    object_or_empty,
    whole_of,
)
from victor_ext.errors import InvalidRequest
from victor_ext.money import Money

R = TypeVar("R", bound=Record)
Object = Mapping[str, Any]
"""A JSON object."""
_DIGITS = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?")
"""A decimal number as text."""


class _AnyCase(dict[str, Any]):
    """A JSON object in which a reader finds a member by its name in any letter case."""

    def get(self, name: str, default: Any = None, /) -> Any:
        value = member_in_any_case(self, name)
        return default if value is None else value


class AnyCaseRecord(Record):
    """A record of a provider whose spelling of a name differs from place to place."""

    __slots__ = ()

    def __init__(self, json: Mapping[str, Any]) -> None:
        super().__init__(json)
        self._json = _AnyCase(json)

    def _as_json(self) -> dict[str, Any]:
        return dict(self._json)


# ---- Readers: what is at a name of an object ----


def text(json: Object, name: str) -> str | None:
    value = json.get(name)
    return value if isinstance(value, str) else None


def identifier(json: Object, name: str) -> str:
    """An id; empty when none was sent."""
    value = json.get(name)
    return value if isinstance(value, str) else ""


def flag(json: Object, name: str) -> bool | None:
    return flag_of(json.get(name))


def whole(json: Object, name: str) -> int | None:
    """A whole number; JSON also writes it as `5.0`."""
    return whole_of(json.get(name))


def decimal(json: Object, name: str) -> Decimal | None:
    """A number, with the digits that were sent."""
    return decimal_of(json.get(name))


def decimal_text(json: Object, name: str) -> Decimal | None:
    """A number that is sent as text, with its digits; None for one with an exponent."""
    value = json.get(name)
    if not isinstance(value, str) or _DIGITS.fullmatch(value) is None:
        return None
    return decimal_of(Decimal(value))


def moment(json: Object, name: str) -> datetime | None:
    """An aware datetime; None without an offset, for then the moment is not known."""
    return moment_of(json.get(name))


def day(json: Object, name: str) -> date | None:
    value = json.get(name)
    if not isinstance(value, str):
        return None
    try:
        return date.fromisoformat(value)
    except ValueError:
        return None


def money(json: Object, amount: str, currency: str) -> Money | None:
    """An amount in minor units, and its currency (ISO 4217)."""
    try:
        return Money(whole_of(json.get(amount)), json.get(currency))  # type: ignore[arg-type] # it checks both
    except InvalidRequest:
        return None


def texts(json: Object, name: str) -> tuple[str, ...]:
    """The texts in a list."""
    return tuple(item for item in list_or_empty(json.get(name)) if isinstance(item, str))


def part(json: Object, name: str) -> Object:
    """The object of which a record has some members as its own; empty when there is none."""
    members = object_or_empty(json.get(name))
    return _AnyCase(members) if isinstance(json, _AnyCase) else members


def record(json: Object, name: str, kind: Callable[[Any], R]) -> R | None:
    value = json.get(name)
    return kind(value) if is_object(value) else None


def records(json: Object, name: str, kind: Callable[[Any], R]) -> tuple[R, ...]:
    """The records in a list. Of an item that is no object, all fields are None."""
    return tuple(kind(object_or_empty(item)) for item in list_or_empty(json.get(name)))


def members(json: Object, name: str) -> dict[str, Any]:
    """An object of which the document declares no members: a copy; empty when there is none."""
    return deepcopy(object_or_empty(json.get(name)))


def value(json: Object, name: str) -> Any:
    """What the document has no single type for, as it came: a copy."""
    return deepcopy(json.get(name))
