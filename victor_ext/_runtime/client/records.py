"""Records: typed views of what a provider sent.

A record is a view of one JSON object. Its fields are properties, most of which are generated; see
`victor_ext.typed`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, is_dataclass
from dataclasses import fields as dataclass_fields
from datetime import date
from decimal import Decimal
from enum import Enum
from functools import partial
from typing import Any, ClassVar, Generic, NoReturn, TypeGuard, TypeVar

from msgspec import Struct

from victor_ext._privacy import mask
from victor_ext._runtime.core.json_values import is_object, json_text
from victor_ext._values.response_info import ResponseInfo

R = TypeVar("R", bound="Record")
T = TypeVar("T")


class Record:
    """A typed view of one JSON object that a provider sent.

    A field is read when it is asked for. It is None (an empty text for an id, an empty tuple for a
    list) when the provider sent nothing, or a value of another type.

    Attributes:
        raw: The generated model of the object, with everything that was sent. It is made when it is
            asked for, and is a copy: what is changed in it changes no field of the record.
        response_info: The response that the record came with: its status, headers, request id and
            the call's attempts. A call that takes several requests has that of the last one. None
            for a part of a record, and for a record that no call returned, such as that of a
            notification. Records that differ in it alone are equal.
    """

    __slots__ = ("_json", "response_info")

    response_info: ResponseInfo | None

    _fields: ClassVar[tuple[str, ...]] = ()
    """The names of the fields, in the order of the document."""
    _marks: ClassVar[dict[str, Mapping[str, bool]]] = {}
    """How a `repr` shows fields: not at all if they are `private`, because they may name a person;
    their last four characters if they are `masked`.
    """

    def __init__(self, json: Mapping[str, Any]) -> None:
        """Read a JSON object.

        Raises `TypeError` for anything else, such as a generated model.
        """
        if not is_object(json):
            name = type(self).__name__
            instead = " its `to_dict()`" if hasattr(json, "to_dict") else " a dict"
            raise TypeError(
                f"{name} reads a JSON object, not {type(json).__name__}: pass{instead}."
            )
        self._json: dict[str, Any] = json
        self.response_info = None

    @property
    def raw(self) -> Any:
        """What came: a copy. A generated record has the model of it."""
        return self._copy()

    def __init_subclass__(cls, **options: Any) -> None:
        """Name the fields that are declared, and let each field say why it cannot be set."""
        super().__init_subclass__(**options)
        declared: dict[str, Mapping[str, bool]] = {}
        for name, field in [*vars(cls).items()]:
            if isinstance(field, property) and field.fset is None:
                setattr(cls, name, field.setter(partial(_refuse_setting, name)))
                marks = getattr(field.fget, "marks", None)
                if marks is not None:  # a reader of `typed` declares it
                    declared[name] = marks
        if declared:
            cls._fields = tuple(declared)
            cls._marks = declared

    def _as_json(self) -> dict[str, Any]:
        """Everything that was sent."""
        return self._json

    def _copy(self) -> dict[str, Any]:
        """A copy of everything that was sent, at all depths."""
        return deepcopy(self._as_json())

    def to_dict(self) -> dict[str, Any]:
        """The fields as plain JSON data: parts as objects, numbers and times as text."""
        return {name: self._plain(getattr(self, name)) for name in self._fields}

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
        for name in self._fields:
            marks = self._marks.get(name, {})
            value: object = None if "private" in marks else getattr(self, name)
            if "masked" in marks and isinstance(value, str):
                value = mask(value)
            if value is not None:
                parts.append(f"{name}={_shown(value)}")
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


def _shown(value: object) -> str:
    """The value of a field as the `repr` has it; of a list, the number of its items."""
    return f"<{len(value)}>" if _is_tuple(value) else repr(value)


def _refuse_setting(name: str, record: Record, _value: object) -> NoReturn:
    raise AttributeError(
        f"{name} of {type(record).__name__} is what the provider sent: it cannot be set."
    )


def _names_of_fields(value: Any) -> Sequence[str]:
    """The names of the fields of a part of a record: a struct, or a dataclass."""
    if isinstance(value, Struct):
        return value.__struct_fields__
    return [field.name for field in dataclass_fields(value)]


def sent_by(record: Record) -> dict[str, Any]:
    """Everything that was sent of a record, as JSON."""
    return record._as_json()  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] - own


def content_of(item: Any) -> str:
    """All that was sent of an item, as text; empty of one that was no object."""
    if not isinstance(item, Record):
        return repr(item)
    sent = sent_by(item)
    return json_text(sent, is_sorted=True) if sent else ""


class RecordList(list[R]):
    """Records that one call returned."""

    response_info: ResponseInfo | None = (
        None  # of the last request of the call, also of an empty list
    )


@dataclass(slots=True)
class Page(Generic[T]):
    """One page of a list.

    Attributes:
        number: The provider's number of the page.
        items: The items of the page that were not yielded before.
        repeats: The number of items of the page that this pass had before: the list changed while
            it was read. A page with nothing else has no `items`.
        response_info: The response with this page: its status, headers, request id and attempts.
    """

    number: int
    items: Sequence[T]
    repeats: int
    response_info: ResponseInfo | None = None


def _is_tuple(value: object) -> TypeGuard[tuple[Any, ...]]:
    return isinstance(value, tuple)
