"""Readers of what a provider sent: records, and their fields.

A record is a view of one JSON object. Each field is a property that is declared by one of the
readers here, with the path of a member, and is read when it is asked for. A reader returns None (an
empty text for an identifier, an empty tuple for a list) when the provider sent nothing, null, or a
value of another type: one odd value never costs the others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from datetime import date
from functools import partial, update_wrapper
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
    text_or_empty,
    whole_of,
)
from victor_ext.errors import InvalidRequest
from victor_ext.money import Money

R = TypeVar("R", bound=Record)
T = TypeVar("T")
Declared = Callable[[Callable[..., object]], Callable[[Any], T]]
"""What makes the function of a property of a function that has its name and docstring alone."""


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


def _declared(get: Callable[[Any], T], marks: Mapping[str, bool]) -> Declared[T]:
    """Declares a field, which `get` reads from a record; see `Record._marks`."""

    def declare(function: Callable[..., object]) -> Callable[[Any], T]:
        vars(get)["marks"] = marks
        return update_wrapper(get, function)

    return declare


def _reader(read: Callable[[Any], T]) -> Callable[..., Declared[T]]:
    """The reader of a member at a path, by what is read of its value."""

    def reader(*path: str, **marks: bool) -> Declared[T]:
        *parts, name = path

        def get(record: Any) -> T:
            return read(record._json.get(name))  # noqa: SLF001 - it becomes a property of it

        def get_in_part(record: Any) -> T:
            json = record._json  # noqa: SLF001 - as above
            for part in parts:
                members = object_or_empty(json.get(part))
                json = _AnyCase(members) if isinstance(json, _AnyCase) else members
            return read(json.get(name))

        return _declared(get_in_part if parts else get, marks)

    return reader


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _day(value: object) -> date | None:
    if not isinstance(value, str):
        return None
    try:
        return date.fromisoformat(value)
    except ValueError:
        return None


def _texts(value: object) -> tuple[str, ...]:
    return tuple(item for item in list_or_empty(value) if isinstance(item, str))


def _members(value: object) -> dict[str, Any]:
    return deepcopy(object_or_empty(value))


text = _reader(_text)
identifier = _reader(text_or_empty)
"""An id; empty when none was sent."""
flag = _reader(flag_of)
whole = _reader(whole_of)
"""A whole number; JSON also writes it as `5.0`."""
decimal = _reader(decimal_of)
"""A number, with the digits that were sent."""
moment = _reader(moment_of)
"""An aware datetime; None without an offset, for then the moment is not known."""
day = _reader(_day)
texts = _reader(_texts)
"""The texts in a list."""
members = _reader(_members)
"""An object of which the document declares no members: a copy; empty when there is none."""
value = _reader(deepcopy)
"""What the document has no single type for, as it came: a copy."""


def money(amount: str, currency: str, **marks: bool) -> Declared[Money | None]:
    """An amount in minor units, and its currency (ISO 4217)."""

    def get(record: Any) -> Money | None:
        json = record._json  # noqa: SLF001 - as above
        try:
            return Money(whole_of(json.get(amount)), json.get(currency))  # type: ignore[arg-type] # it checks both
        except InvalidRequest:
            return None

    return _declared(get, marks)


def record(kind: Callable[[], type[R]], *path: str, **marks: bool) -> Declared[R | None]:
    """A part of a record. `kind` is called when it is read: its class may stand further below."""

    def read(value: object) -> R | None:
        return kind()(value) if is_object(value) else None

    return _reader(read)(*path, **marks)


def records(kind: Callable[[], type[R]], *path: str, **marks: bool) -> Declared[tuple[R, ...]]:
    """The records in a list. Of an item that is no object, all fields are None."""

    def read(value: object) -> tuple[R, ...]:
        return tuple(kind()(object_or_empty(item)) for item in list_or_empty(value))

    return _reader(read)(*path, **marks)


def model(kind: Callable[[], type[T]]) -> Declared[T]:
    """The generated model of all that came: a copy. It is imported when it is asked for."""

    def get(record: Any) -> T:
        generated: Any = kind()
        whole: T = generated.from_dict(record._copy())  # noqa: SLF001 - as above
        return whole

    return partial(update_wrapper, get)
