"""Reading JSON that is not quite what its description says, and writing models back as JSON.

The rules, for every model of the package:

- a declared field reads as a value of its declared type, or as UNSET when it is absent or null;
- a value of another type never raises: the field reads UNSET, and the value stays in
  `additional_properties` under its wire name, so that `to_dict()` gives it back unchanged;
- an enum keeps a word that it does not know, and matches the known ones in any letter case;
- an item of a list is never lost: where models are declared, one that is no object becomes a model that
  holds it under NOT_AN_OBJECT (and `to_dict()` of the owner gives it back); other odd items stay as they came;
- objects nested deeper than LEVELS stay as they came, so that no input exhausts the stack.

Nothing here knows a particular API. Readers answer ODD for "this is not mine"; they never raise.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Mapping
from enum import Enum, IntEnum, StrEnum
from functools import cache
from io import BytesIO
from typing import Any, Final, Generic, NamedTuple, Self, TypeVar
from urllib.parse import quote
from uuid import UUID

from .types import UNSET, File, Unset

LEVELS: Final = 100
"""How many models may be nested in each other; real answers have less than ten."""

ABSENT: Final[Any] = UNSET
"""UNSET for a field that a request must have, and that its type therefore does not let be unset."""

NOT_AN_OBJECT: Final = "(not an object)"
"""Where a model keeps a value that should have been an object and is not."""


class _Odd:
    def __repr__(self) -> str:
        return "ODD"


ODD: Final = _Odd()
"""What a reader answers when the value is not of its type."""


def read(reader: Reader[Any], value: Any, left: int, kept: dict[str, Any], name: str) -> Any:
    """The value of a declared field that is there; UNSET, and the raw value in `kept`, when it is odd."""
    found = reader.read(value, left)
    return odd(value, kept, name) if found is ODD else found


def odd(value: Any, kept: dict[str, Any], name: str) -> Unset:
    """UNSET for the field; its raw value goes where `to_dict()` finds it."""
    kept[name] = value
    return UNSET


def as_object(value: Any) -> dict[str, Any]:
    """A dict of its own for any input of `from_dict`; what is no object is held under NOT_AN_OBJECT."""
    return dict(value) if isinstance(value, Mapping) else {NOT_AN_OBJECT: value}


def read_each(reader: Reader[Any], values: dict[str, Any], left: int) -> dict[str, Any]:
    """The values of an object with free keys and one declared type."""
    return {name: value if name == NOT_AN_OBJECT else reader.item(value, left) for name, value in values.items()}


def plain(value: Any, left: int = LEVELS) -> Any:
    """What stands for `value` in JSON, in a query or in a header."""
    if isinstance(value, Enum):
        return value.value
    if value is None or isinstance(value, (str, int, float, Unset)):
        return value
    if hasattr(value, "to_dict"):
        fields: dict[str, Any] = value.to_dict()
        return fields[NOT_AN_OBJECT] if len(fields) == 1 and NOT_AN_OBJECT in fields else fields
    if isinstance(value, (list, tuple)):
        return [plain(item, left - 1) for item in value] if left else value
    return _written(value)


def _written(value: Any) -> Any:
    """Times, days, files and identifiers as they are sent; anything else as it is."""
    if isinstance(value, datetime.datetime):
        return _instant_text(value)
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, File):
        return value.to_tuple()
    return str(value) if isinstance(value, UUID) else value


def plain_text(value: Any) -> str:
    """What stands for `value` in a path, a header or a cookie."""
    value = plain(value)
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def form(body: Any) -> dict[str, Any]:
    """The fields of an url-encoded form: text, or a list for a name that is sent several times. It has no null."""
    return {name: value for name, value in body.to_dict().items() if value is not None}


def path_segment(value: Any) -> str:
    """A parameter as one segment of a path. Raises `ValueError` for one that would make it another path."""
    text = plain_text(value)
    if text in ("", ".", ".."):
        raise ValueError(f"{text!r} cannot be a part of a path: it would name another one.")
    return quote(text, safe="")


def _instant_text(value: datetime.datetime) -> str:
    """ISO 8601; UTC as `Z`, milliseconds where nothing finer is there."""
    micros = value.microsecond
    text = value.isoformat(timespec="microseconds" if micros % 1000 else "milliseconds" if micros else "seconds")
    return text.removesuffix("+00:00") + "Z" if text.endswith("+00:00") else text


# ---- Enums that stay open ----


class OpenStrEnum(StrEnum):
    """Words in any letter case; a word that is not declared becomes a member of its own, equal to itself."""

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, str):
            return None
        folded = value.casefold()
        for member in cls:
            if member.value.casefold() == folded:
                return member
        unknown = str.__new__(cls, value)
        unknown._name_ = unknown._value_ = value
        return unknown


class OpenIntEnum(IntEnum):
    """Numbers; one that is not declared becomes a member of its own, equal to itself."""

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, int) or isinstance(value, bool):
            return None
        unknown = int.__new__(cls, value)
        unknown._name_, unknown._value_ = f"UNKNOWN_{value}", value
        return unknown


@cache
def words(enum: type[Enum]) -> dict[Any, Any]:
    """Each declared value, and its usual spellings, with its member: one look-up on the common path."""
    found: dict[Any, Any] = {member.value: member for member in enum}
    for member in enum:
        if isinstance(member.value, str):
            for spelling in (member.value.lower(), member.value.upper(), member.value.title()):
                found.setdefault(spelling, member)
    return found


# ---- Readers: one for each kind of type, composed for lists and unions ----


T = TypeVar("T")
E = TypeVar("E", bound=Enum)


class Reader(Generic[T]):
    """Reads one kind of JSON value. In a union, a lower rank is asked first."""

    rank: int = 1

    def read(self, value: Any, left: int) -> Any:
        """The value as its type, or ODD."""
        raise NotImplementedError

    def exact(self, value: Any, left: int) -> Any:
        """As `read`, but ODD also for what is only tolerated."""
        return self.read(value, left)

    def item(self, value: Any, left: int) -> Any:
        """As `read`, for an item of a list: an odd one stays as it came."""
        found = self.read(value, left)
        return value if found is ODD else found


class Scalar(Reader[T]):
    """A value that is read on its own; `take` answers ODD for what is not of its type."""

    def __init__(self, take: Callable[[Any], Any], rank: int = 1) -> None:
        self._take = take
        self.rank = rank

    def read(self, value: Any, left: int) -> Any:  # noqa: ARG002 - a reader's signature; a scalar nests nothing
        return self._take(value)


def _whole(value: Any) -> Any:
    """An integer; JSON also writes it as 3.0."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else ODD


def _number(value: Any) -> Any:
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else ODD


def _parsed(parse: Callable[[str], Any], lengths: range) -> Scalar[Any]:
    """A value that is written as text of a known length: a day, a time, an identifier."""

    def take(value: Any) -> Any:
        if not isinstance(value, str) or len(value) not in lengths:
            return ODD
        try:
            return parse(value)
        except ValueError:
            return ODD

    return Scalar(take, rank=0)


TEXT: Final[Scalar[str]] = Scalar(lambda value: value if isinstance(value, str) else ODD)
FLAG: Final[Scalar[bool]] = Scalar(lambda value: value if isinstance(value, bool) else ODD)
WHOLE: Final[Scalar[int]] = Scalar(_whole)
NUMBER: Final[Scalar[float]] = Scalar(_number, rank=2)
ANYTHING: Final[Scalar[Any]] = Scalar(lambda value: value, rank=3)
NOTHING: Final[Scalar[None]] = Scalar(lambda value: ODD if value is not None else None, rank=0)
BLOB: Final[Scalar[File]] = Scalar(lambda value: File(payload=BytesIO(value)) if isinstance(value, bytes) else ODD)
# The lengths keep out what Python takes and the wire formats do not: a date alone as a time, 20260304, {uuid}.
INSTANT: Final[Scalar[datetime.datetime]] = _parsed(datetime.datetime.fromisoformat, range(16, 64))
DAY: Final[Scalar[datetime.date]] = _parsed(datetime.date.fromisoformat, range(10, 11))
UNIQUE_ID: Final[Scalar[UUID]] = _parsed(UUID, range(36, 37))


def Constant(value: T) -> Scalar[T]:  # noqa: N802 - reads like the other readers
    """One value and no other."""
    return Scalar(lambda found: found if type(found) is type(value) and found == value else ODD, rank=0)


class Word(Reader[E]):
    """A value of an enum; unknown ones are taken too, save where `exact`."""

    rank = 0

    def __init__(self, enum: type[E]) -> None:
        self._enum = enum
        self._kind = str if issubclass(enum, str) else int

    def read(self, value: Any, left: int) -> Any:  # noqa: ARG002 - a reader's signature; a word nests nothing
        if isinstance(value, self._kind) and not isinstance(value, bool):
            return self._enum(value)
        return ODD

    def exact(self, value: Any, left: int) -> Any:
        found = self.read(value, left)
        return found if found is not ODD and found in self._enum.__members__.values() else ODD


class Shape(NamedTuple):
    """What tells a model from its siblings in a union: its names on the wire, and the words of discriminators."""

    names: frozenset[str]
    required: frozenset[str]
    tags: Mapping[str, frozenset[str]]


class Object(Reader[T]):
    """A model."""

    def __init__(self, model: type[T]) -> None:
        self._model: Any = model

    def read(self, value: Any, left: int) -> Any:
        return self._model.from_dict(value, left - 1) if isinstance(value, Mapping) and left > 0 else ODD

    def item(self, value: Any, left: int) -> Any:
        found = self.read(value, left)
        return self._model.from_dict({NOT_AN_OBJECT: value}, 0) if found is ODD else found

    def distance(self, value: Mapping[str, Any]) -> tuple[int, int, int, int]:
        """How badly the object fits the model: 0 everywhere is best. The discriminator speaks first."""
        shape: Shape | None = getattr(self._model, "SHAPE", None)
        if shape is None:
            return (1, 0, 0, 0)
        named = any(_folded(value.get(tag)) in known for tag, known in shape.tags.items())
        unknown = sum(name not in shape.names for name in value)
        missing = sum(name not in value for name in shape.required)
        return (not named, unknown, missing, sum(name not in value for name in shape.names))


def _folded(value: Any) -> str | None:
    return value.casefold() if isinstance(value, str) else None


class Array(Reader[list[T]]):
    """A list; see `Reader.item` for its odd items."""

    def __init__(self, of: Reader[T]) -> None:
        self._of = of

    def read(self, value: Any, left: int) -> Any:
        if not isinstance(value, list) or left <= 0:
            return ODD
        item = self._of.item
        return [item(each, left - 1) for each in value]

    def exact(self, value: Any, left: int) -> Any:
        if not isinstance(value, list) or left <= 0:
            return ODD
        found = [self._of.exact(each, left - 1) for each in value]
        return ODD if any(each is ODD for each in found) else found


class Either(Reader[Any]):
    """A union: the model that fits an object best, else the first type that takes the value."""

    def __init__(self, *readers: Reader[Any]) -> None:
        self._readers = sorted(readers, key=lambda reader: reader.rank)
        self._models = [reader for reader in readers if isinstance(reader, Object)]

    def read(self, value: Any, left: int) -> Any:
        found = self.exact(value, left)
        return _first(reader.read(value, left) for reader in self._readers) if found is ODD else found

    def exact(self, value: Any, left: int) -> Any:
        if self._models and isinstance(value, Mapping):
            fields: Mapping[str, Any] = value
            return min(self._models, key=lambda model: model.distance(fields)).read(fields, left)
        return _first(reader.exact(value, left) for reader in self._readers)

    def item(self, value: Any, left: int) -> Any:
        found = self.read(value, left)
        if found is not ODD:
            return found
        return self._models[0].item(value, left) if len(self._models) == len(self._readers) else value


def _first(found: Iterable[Any]) -> Any:
    return next((each for each in found if each is not ODD), ODD)
