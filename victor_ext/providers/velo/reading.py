"""Records: thin typed views of what Velo sent.

A field is read from the generated model when it is asked for. It is None when Velo did not send it, or sent something
that cannot be read as what it should be; `raw` always has what came. States are plain text: Velo adds to them.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any, Generic, Self, TypeGuard, TypeVar, overload

from victor_ext.errors import InvalidRequest
from victor_ext.money import Money
from victor_ext.redaction import mask

R = TypeVar("R", bound="Record")
T = TypeVar("T")


class Record:
    """What Velo sent of one thing.

    Attributes:
        raw: The generated model underneath, with everything that was sent.
    """

    __slots__ = ("raw",)

    def __init__(self, raw: Any) -> None:
        self.raw = raw

    @classmethod
    def fields(cls) -> dict[str, Field[Any]]:
        """Its fields by name."""
        return {name: value for name, value in vars(cls).items() if isinstance(value, Field)}

    def to_dict(self) -> dict[str, Any]:
        """The record as plain JSON data: amounts as minor units with their currency, times in ISO 8601."""
        return {name: _plain(getattr(self, name)) for name in self.fields()}

    def __repr__(self) -> str:
        shown = [f"{name}={field.shown(self)}" for name, field in self.fields().items() if not field.hidden]
        return f"{type(self).__name__}({', '.join(part for part in shown if not part.endswith('=None'))})"

    def __eq__(self, other: object) -> bool:
        return self.raw == other.raw if type(other) is type(self) and isinstance(other, Record) else NotImplemented

    def __hash__(self) -> int:
        return hash(repr(self))


class Field(Generic[T]):
    """One field of a record.

    Args:
        source: What reads it from the generated model.
        hidden: Whether it stays out of the `repr`: it may name a person.
        masked: Whether the `repr` shows its last four characters only.
    """

    def __init__(self, source: Callable[[Any], T], *, hidden: bool = False, masked: bool = False) -> None:
        self._source = source
        self.hidden = hidden
        self._masked = masked

    @overload
    def __get__(self, record: None, owner: type[Any]) -> Self: ...

    @overload
    def __get__(self, record: Record, owner: type[Any]) -> T: ...

    def __get__(self, record: Record | None, owner: type[Any]) -> Any:
        return self if record is None else self._source(record.raw)

    def shown(self, record: Record) -> str:
        """The value as the `repr` of a record has it."""
        value: Any = self._source(record.raw)
        if self._masked and isinstance(value, str):
            return repr(mask(value))
        return f"<{len(value)}>" if _is_tuple(value) else repr(value)


def identifier(name: str) -> Field[str]:
    """An id; empty when Velo sent none."""
    return Field(lambda raw: _text(raw, name) or "")


def text(name: str, *, hidden: bool = False, masked: bool = False) -> Field[str | None]:
    """Text."""
    return Field(lambda raw: _text(raw, name), hidden=hidden, masked=masked)


def whole(name: str) -> Field[int | None]:
    """A whole number."""

    def read(raw: Any) -> int | None:
        value = getattr(raw, name, None)
        return value if isinstance(value, int) and not isinstance(value, bool) else None

    return Field(read)


def flag(name: str) -> Field[bool | None]:
    """A yes or no."""

    def read(raw: Any) -> bool | None:
        value = getattr(raw, name, None)
        return value if isinstance(value, bool) else None

    return Field(read)


def moment(name: str) -> Field[datetime | None]:
    """A moment; None also when Velo's text has no zone, for then it is not known which moment is meant."""

    def read(raw: Any) -> datetime | None:
        value = getattr(raw, name, None)
        return value if isinstance(value, datetime) and value.tzinfo is not None else None

    return Field(read)


def money(amount: str, currency: str) -> Field[Money | None]:
    """An amount of minor units and its currency, from two fields of the model."""

    def read(raw: Any) -> Money | None:
        minor, code = getattr(raw, amount, None), _text(raw, currency)
        if not isinstance(minor, int) or isinstance(minor, bool) or code is None:
            return None
        try:
            return Money(minor, code)
        except InvalidRequest:
            return None

    return Field(read)


def exchange_rate(name: str) -> Field[Decimal | None]:
    """An exchange rate, with the digits that Velo wrote."""

    def read(raw: Any) -> Decimal | None:
        value = getattr(raw, name, None)
        known = isinstance(value, int | float) and not isinstance(value, bool)
        found = Decimal(repr(value)) if known else None
        return found if found is not None and found.is_finite() else None

    return Field(read)


def several(name: str, kind: Callable[[Any], R]) -> Field[tuple[R, ...]]:
    """Records within a record; empty when Velo sent none."""

    def read(raw: Any) -> tuple[R, ...]:
        value = getattr(raw, name, None)
        return tuple(map(kind, value)) if is_list(value) else ()

    return Field(read)


def within(part: str, field: Field[T], missing: T) -> Field[T]:
    """A field of a part of the model; `missing` when the part is not there."""

    def read(raw: Any) -> T:
        inner = getattr(raw, part, None)
        return field._source(inner) if inner else missing  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - its own module

    return Field(read)


def is_list(value: object) -> TypeGuard[list[Any]]:
    """Whether it is a list, of whatever."""
    return isinstance(value, list)


def _is_tuple(value: object) -> TypeGuard[tuple[Any, ...]]:
    return isinstance(value, tuple)


def _text(raw: Any, name: str) -> str | None:
    value = getattr(raw, name, None)
    return value if isinstance(value, str) else None


def _plain(value: Any) -> Any:
    if isinstance(value, Record):
        return value.to_dict()
    if isinstance(value, Money):
        return {"minor_units": value.minor_units, "currency": value.currency}
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Decimal):
        return f"{value:f}"
    if _is_tuple(value):
        return [_plain(part) for part in value]
    return value
