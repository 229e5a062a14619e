"""Records: typed views of what a provider sent.

A `DeclaredRecord` declares its fields once, each with the path of its value and the function that
reads it. (Generated records, of `victor_ext.typed`, have properties instead.)

    class Payout(ModelRecord):
        id = identifier("payout_id")
        status = text("status")
        created_at = timestamp("created")
        payor_id = text("payor.id")
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields as dataclass_fields
from dataclasses import is_dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from functools import partial
from typing import Any, Generic, NoReturn, Self, TypeGuard, TypeVar, overload

from msgspec import Struct

from victor_ext.privacy import mask
from victor_ext.response_info import ResponseInfo
from victor_ext.runtime.core.json_values import object_or_empty, text_or_empty

R = TypeVar("R", bound="Record")
T = TypeVar("T")

_NOTHING: Mapping[str, Any] = {}
_JSON = (dict, list, str, int, float, bool)


class Record:
    """A typed view of one object that a provider sent.

    A field is read when it is asked for. It is None (an empty text for an id, an empty tuple for a
    list) when the provider sent nothing, or a value of another type.

    Attributes:
        raw: What the fields are read from, with everything that the provider sent.
        response_info: The response that the record came with: its status, headers, request id and
            the call's attempts. A call that takes several requests has that of the last one. None
            for a part of a record, and for a record that no call returned, such as that of a
            notification. Records that differ in it alone are equal.
    """

    __slots__ = ("response_info",)

    response_info: ResponseInfo | None

    @classmethod
    def _field_names(cls) -> Sequence[str]:
        """The names of the fields, in the order of their declaration."""
        raise NotImplementedError

    def _as_json(self) -> Any:
        """Everything that was sent, as JSON."""
        raise NotImplementedError

    def _shown(self, name: str) -> str | None:
        """The value of a field as the `repr` of the record has it; None leaves it out."""
        raise NotImplementedError

    def to_dict(self) -> dict[str, Any]:
        """The fields as plain JSON data: parts as objects, numbers and times as text."""
        return {name: self._plain(getattr(self, name)) for name in self._field_names()}

    def _plain(self, value: Any) -> Any:
        """The value of a field as plain JSON data. Override this method for another format."""
        if value is None or type(value) is str:
            return value
        if isinstance(value, Struct) or is_dataclass(value):
            return {name: self._plain(getattr(value, name)) for name in _names_of_fields(value)}
        if isinstance(value, date):
            return value.isoformat()
        if isinstance(value, Decimal | Enum):
            return f"{value:f}" if isinstance(value, Decimal) else value.value
        if _is_tuple(value):
            return [self._plain(part) for part in value]
        return value.to_dict() if isinstance(value, Record) else value

    def __repr__(self) -> str:
        parts: list[str] = []
        for name in self._field_names():
            text = self._shown(name)
            if text not in (None, "None"):
                parts.append(f"{name}={text}")
        return f"{type(self).__name__}({', '.join(parts)})"

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        names: set[str] = set()
        for kind in type(self).__mro__:
            names.update(getattr(kind, "__slots__", ()))
        names.discard("response_info")
        return all(getattr(self, name) == getattr(other, name) for name in names)

    def __hash__(self) -> int:
        return hash(repr(self))


def _names_of_fields(value: Any) -> Sequence[str]:
    """The names of the fields of a part of a record: a struct, or a dataclass."""
    if isinstance(value, Struct):
        return value.__struct_fields__
    return [field.name for field in dataclass_fields(value)]


def sent_by(record: Record) -> Any:
    """Everything that was sent of a record, as JSON."""
    return record._as_json()  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] - own


def shown(value: object) -> str:
    """The value of a field in the `repr` of its record; of a list, the number of its items."""
    return f"<{len(value)}>" if _is_tuple(value) else repr(value)


class DeclaredRecord(Record):
    """A record whose fields are declared one by one; see this module."""

    __slots__ = ()

    def value_at(self, path: Sequence[str]) -> Any:
        """The value at the names in `path`, or None."""
        raise NotImplementedError

    @classmethod
    def _declared_fields(cls) -> dict[str, Field[Any]]:
        """The fields by name, in the order of their declaration."""
        declared = (item for kind in reversed(cls.__mro__) for item in vars(kind).items())
        return {name: value for name, value in declared if isinstance(value, Field)}

    @classmethod
    def _field_names(cls) -> Sequence[str]:
        return list(cls._declared_fields())

    def _shown(self, name: str) -> str | None:
        field = self._declared_fields()[name]
        return None if field.hidden else field.shown(self)


class ModelRecord(DeclaredRecord):
    """A record of a generated model."""

    __slots__ = ("raw",)

    def __init__(self, raw: Any) -> None:
        self.raw = raw
        self.response_info = None

    def value_at(self, path: Sequence[str]) -> Any:
        """The value at the names in `path`, or None.

        A name is that of the generated model, or that on the wire of a member that the model does
        not declare. Override this method where `raw` is not a generated model.
        """
        value = self.raw
        for name in path:
            value = value_in(value, name)
        return value

    def _as_json(self) -> Any:
        return self.raw.to_dict() if hasattr(self.raw, "to_dict") else self.raw


class RecordList(list[R]):
    """Records that one call returned."""

    response_info: ResponseInfo | None = (
        None  # of the last request of the call, also of an empty list
    )


class Field(Generic[T]):
    """One field of a record.

    `read` makes its value from the values at its paths, such as `"payout.payout_id"`; each of them
    may be of any type, or None. Without paths, it gets the record. The `repr` of a record leaves
    out `hidden` fields, because they may name a person, and shows only the last four characters of
    `masked` ones.
    """

    def __init__(
        self, read: Callable[..., T], *paths: str, hidden: bool = False, masked: bool = False
    ) -> None:
        self._read: Callable[..., Any] = read
        self._paths = [path.split(".") for path in paths]
        self._path = self._paths[0] if len(paths) == 1 else None
        self.hidden = hidden
        self._masked = masked

    def __set_name__(self, owner: type[Any], name: str) -> None:
        self._name = name

    @overload
    def __get__(self, record: None, owner: type[Any]) -> Self: ...

    @overload
    def __get__(self, record: DeclaredRecord, owner: type[Any]) -> T: ...

    def __get__(self, record: DeclaredRecord | None, owner: type[Any]) -> Any:
        if record is None:
            return self
        at = record.value_at
        if self._path is not None:
            return self._read(at(self._path))
        return self._read(*map(at, self._paths)) if self._paths else self._read(record)

    def __set__(self, record: DeclaredRecord, value: object) -> NoReturn:
        raise AttributeError(
            f"{self._name} of {type(record).__name__} is what the provider sent: it cannot be set."
        )

    def shown(self, record: DeclaredRecord) -> str:
        """The value as the `repr` of the record has it."""
        value: Any = self.__get__(record, type(record))
        if self._masked and isinstance(value, str):
            return repr(mask(value))
        return shown(value)


def value_in(source: object, name: str) -> Any:
    """The value of a field of a generated model, also of one that the model does not declare; None
    if it is unset.
    """
    # Instead of a model, the source may be JSON as it came: a dict has no fields, but attributes
    # such as `items`.
    value = None if source.__class__ in _JSON else getattr(source, name, None)
    # The marker of an unset value is falsy. It is known by its name: to import it would load the
    # models.
    if not value and (value is None or type(value).__name__ == "Unset"):
        return getattr(source, "additional_properties", _NOTHING).get(name)
    return value


def as_text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def as_integer(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def as_object(value: object) -> dict[str, Any]:
    """A JSON object, as a dict of its own; empty when it is missing."""
    return dict(object_or_empty(value))


def as_timestamp(value: object) -> datetime | None:
    """An aware datetime, from a datetime or ISO 8601; None without an offset, for then the moment
    is not known.
    """
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        return None
    if not isinstance(moment, datetime) or moment.utcoffset() is None:
        return None
    return moment


# Fields by what they are read as. An id is empty when the provider sent none.
identifier = partial(Field[str], text_or_empty)
text = partial(Field[str | None], as_text)
timestamp = partial(Field[datetime | None], as_timestamp)


def _is_tuple(value: object) -> TypeGuard[tuple[Any, ...]]:
    return isinstance(value, tuple)
