"""Tolerant reading of JSON into models.

The rules, for every model of the package:

- a declared field reads as a value of its declared type, or as UNSET when it is absent;
- a null reads as None where the field admits null; elsewhere as UNSET, and `additional_properties`
  keeps it;
- a value of another type does not raise: the field holds it as it came, and so does an item of a
  list;
- an enum keeps unknown values, and matches known ones in any letter case;
- an object whose discriminator names no member of its union is an `UnknownVariant`;
- objects nested deeper than LEVELS stay unchanged, so that no input exhausts the stack.

So `to_dict()` returns what was read, with a word of an enum, a UUID and a time in the usual
spelling.

Readers do not raise: they return MISMATCH for a value that is not of their type.
"""

from __future__ import annotations

import datetime
import re
import sys
import typing
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from copy import copy
from decimal import Decimal, InvalidOperation
from enum import Enum, IntEnum, StrEnum
from functools import cache
from io import BytesIO
from reprlib import recursive_repr
from types import MappingProxyType, UnionType
from typing import Any, Final, Generic, NamedTuple, Self, TypeVar
from uuid import UUID

from .types import UNSET, File, UnknownVariant, Unset

LEVELS: Final = 100
"""How many models may be nested in each other; real answers have less than ten."""

TRIAL: Final = 4
"""The levels of models that are read to tell the members of a union apart: the time stays in
bounds.
"""

LOOKED_AT: Final = 5
"""The items of a list that tell of which type it is."""

MISMATCH: Final = object()
"""What a reader returns when the value is not of its type."""


def misread(model: Any) -> set[str]:
    """The names of the fields of a model whose value has another type than the declared one.

    A field without a value (UNSET) is not among them.
    """
    kind: Any = type(model)
    values = [(name, hint, getattr(model, name)) for name, hint in hints(kind).items()]
    return {name for name, hint, value in values if value is not UNSET and not fitting(hint, value)}


def tells(model: Any, but: Container[str] = ()) -> bool:
    """Whether something in an object is what the document declares there, such as the amount of a
    payment.

    A null, blanks, an unknown word of an enum and an unknown variant do not count, nor does an
    object or a list that has nothing but these and values of another type, nor a field named in
    `but`, at any depth. One that is empty does.
    """
    return any(_is_told(value, hint, but) for name, value, hint in _given(model) if name not in but)


def _given(model: Any) -> list[tuple[str, Any, Any]]:
    """The name, value and type of each declared field that an object has; of a map, those of its
    values.
    """
    members = hints(model.__class__)
    if len(members) == 1:
        _, of = typing.get_args(members["additional_properties"])
        return [("", value, of) for value in model.additional_properties.values()]
    fields = [
        (name, getattr(model, name), hint)
        for name, hint in members.items()
        if name != "additional_properties"
    ]
    return [each for each in fields if each[1] is not UNSET]


def _is_told(value: Any, hint: Any, but: Container[str]) -> bool:
    """Whether a value of a field says something: see `tells`."""
    if value is None or isinstance(value, UnknownVariant) or not (types := fitting(hint, value)):
        return False
    if isinstance(value, Enum):
        return value in type(value).__members__.values()
    if isinstance(value, str):
        return bool(value.strip())
    if hasattr(value, "additional_properties"):
        return tells(value, but) or not (value.additional_properties or _given(value))
    items = (
        [of for each in types for of in typing.get_args(each)] if isinstance(value, list) else []
    )
    return not items or not value or any(_is_told(item, of, but) for item in value for of in items)


@cache
def hints(model: Any) -> dict[str, Any]:
    """The declared types of the fields of a model."""
    names = {"Any": Any, **vars(sys.modules[model.__module__])}
    types = typing.get_type_hints(model, names, {})
    return {each.name: types[each.name] for each in model.__attrs_attrs__}


def members_of(hint: Any) -> tuple[Any, ...]:
    """The members of a union; of another type, the type itself."""
    return (
        typing.get_args(hint) if typing.get_origin(hint) in (UnionType, typing.Union) else (hint,)
    )


def fitting(hint: Any, value: Any) -> list[Any]:
    """The members of a type that a value is an instance of."""
    return [each for each in members_of(hint) if _is_of(each, value)]


def _is_of(hint: Any, value: Any) -> bool:
    """Whether a value is an instance of one type, which is no union."""
    origin = typing.get_origin(hint)
    if origin is typing.Literal:
        return any(type(value) is type(each) and value == each for each in typing.get_args(hint))
    if hint is Any or isinstance(value, bool):
        return hint in (Any, bool)
    return isinstance(value, (int, float) if hint is float else origin or hint)


class Table(NamedTuple):
    """How the members of a model are read and written."""

    readers: Mapping[str, tuple[int, type | None, Callable[[Any, int], Any], bool]]
    """By the name of a member on the wire: the number of the field, the class of a value that is
    read as itself, what reads others, and whether null is a value.
    """
    writers: Sequence[tuple[str, str, bool]]
    """The name of each field, its name on the wire, and whether its value is JSON already."""
    words: Mapping[str, Sequence[str]]
    """The values of the constants and enums in which the members of a union differ, by their names
    on the wire, in lower case; none for null.
    """
    free: Reader[Any] | None
    """The reader of additional properties, where they have one declared type."""


class Model:
    """What is the same in all models. attrs writes the rest: `__init__`, and the fields."""

    __slots__ = ()

    additional_properties: dict[str, Any]

    TABLE = Table({}, (), {}, None)

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        """The model of a JSON object; `decoding` says what it tolerates. Raises TypeError for a
        value that is no object.
        """
        if not isinstance(src_dict, Mapping):
            kind = type(src_dict).__name__
            raise TypeError(f"from_dict reads an object, not a value of the type {kind}")
        return cls._decode(src_dict, LEVELS)

    @classmethod
    def _decode(cls, source: Mapping[str, Any], left: int) -> Self:
        readers, _, _, free = cls.TABLE
        fields: list[Any] = [UNSET] * len(readers)
        others: dict[str, Any] = {}
        for name, value in source.items():
            member = readers.get(name)
            if member is None:
                others[name] = value
                continue
            place, usual, read, takes_null = member
            if value.__class__ is usual:
                fields[place] = value
            elif value is not None:
                decoded = read(value, left)
                fields[place] = value if decoded is MISMATCH else decoded
            elif takes_null:
                fields[place] = None
            else:
                others[name] = None
        if free is not None:
            others = {name: free.item(value, left) for name, value in others.items()}
        model = cls(*fields)
        if others:
            model.additional_properties.update(others)
        return model

    def to_dict(self) -> dict[str, Any]:
        """The JSON object, with what was read and is not declared."""
        _, writers, _, free = self.TABLE
        fields = {**self.additional_properties}
        if free is not None:
            fields = plain(fields)
        for name, wire, is_json in writers:
            value = getattr(self, name)
            if value is not UNSET:
                fields[wire] = value if is_json else plain(value)
        return fields

    _misread = misread
    _tells = tells

    def _values(self) -> dict[str, Any]:
        own: Any = self
        return {each.name: getattr(self, each.name) for each in own.__attrs_attrs__}

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Model) or type(other) is not type(self):
            return NotImplemented
        return self._values() == other._values()

    __hash__ = None  # type: ignore[assignment]  # its values can change

    @recursive_repr("...")
    def __repr__(self) -> str:
        values = [f"{name}={value!r}" for name, value in self._values().items()]
        return f"{type(self).__qualname__.rpartition('>.')[2]}({', '.join(values)})"

    @property
    def additional_keys(self) -> list[str]:
        return list(self.additional_properties.keys())

    def __getitem__(self, key: str) -> Any:
        return self.additional_properties[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.additional_properties[key] = value

    def __delitem__(self, key: str) -> None:
        del self.additional_properties[key]

    def __contains__(self, key: str) -> bool:
        return key in self.additional_properties


def declare(
    model: type[Model],
    readers: Mapping[str, Reader[Any]],
    *,
    words: Mapping[str, Sequence[str]] = MappingProxyType({}),
    free: Reader[Any] | None = None,
) -> None:
    """Say how the members of a model are read, by their names on the wire, in the order of its
    fields.
    """
    names = [each.name for each in vars(model)["__attrs_attrs__"] if each.init]
    members = zip(names, readers.items(), strict=True)
    model.TABLE = Table(
        {
            wire: (place, reader.usual, reader.read, reader.takes_null)
            for place, (wire, reader) in enumerate(readers.items())
        },
        [(name, wire, reader.usual is not None) for name, (wire, reader) in members],
        words,
        free,
    )


# ---- Back to JSON ----

_PLAIN: Final = frozenset((str, int, float, bool, type(None), Unset, Decimal))


def plain(value: Any, left: int = LEVELS) -> Any:
    """The form of a value in JSON, in a query or in a header."""
    if value.__class__ in _PLAIN:
        return value
    if hasattr(value, "to_dict"):
        return value.to_dict()
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, (list, tuple)):
        return [plain(item, left - 1) for item in value] if left else value
    if isinstance(value, dict):
        return {name: plain(item, left - 1) for name, item in value.items()} if left else value
    return _written(value)


def _written(value: Any) -> Any:
    """Times by ISO 8601 (UTC is `Z`, and a second has 0, 3, 6 or all digits read), UUIDs as text,
    others unchanged.
    """
    if isinstance(value, UUID):
        return str(value)
    if not isinstance(value, datetime.datetime):
        return value.isoformat() if isinstance(value, datetime.date) else value
    if isinstance(value, Instant) and value.text:
        return value.text
    is_of_milliseconds = value.microsecond and not value.microsecond % 1000
    text = value.isoformat(timespec="milliseconds" if is_of_milliseconds else "auto")
    return f"{text[:-6]}Z" if text.endswith("+00:00") else text


# ---- Open enums ----


def _by_value(member: Enum, proto: object) -> tuple[Any, ...]:  # noqa: ARG001 - as `Enum` has it
    """How a member is pickled and copied. Before Python 3.11.4, an enum does it by name, and an
    undeclared member has none in its class.
    """
    return type(member), (member.value,)


class OpenStrEnum(StrEnum):
    """Strings in any letter case; an undeclared one becomes a new member, equal to the string."""

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

    __reduce_ex__ = _by_value


class OpenIntEnum(IntEnum):
    """Integers; an undeclared one becomes a new member, equal to the integer."""

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, int) or isinstance(value, bool):
            return None
        unknown = int.__new__(cls, value)
        unknown._name_, unknown._value_ = f"UNKNOWN_{value}", value
        return unknown

    __reduce_ex__ = _by_value


@cache
def spellings(enum: type[Enum]) -> dict[Any, Any]:
    """The members by their values in usual spellings: one look-up in the common case."""
    members: dict[Any, Any] = {member.value: member for member in enum}
    for member in enum:
        if isinstance(member.value, str):
            for spelling in (member.value.lower(), member.value.upper(), member.value.title()):
                members.setdefault(spelling, member)
    return members


# ---- Readers: one for each kind of type; lists and unions are composed of others ----


T = TypeVar("T")
E = TypeVar("E", bound=Enum)
M = TypeVar("M", bound=Model)


class Reader(Generic[T]):
    """Reads one kind of JSON value. A union tries readers with a lower rank first.

    `left` is how many models may be nested in the value: see LEVELS.
    """

    rank: int = 1
    usual: type | None = None
    """The class of a value that is read as itself."""
    takes_null: bool = False

    def read(self, value: Any, left: int, *, exact: bool = False) -> Any:
        """The value as its type, or MISMATCH; with `exact`, also for an undeclared value of an
        enum.
        """
        raise NotImplementedError

    def item(self, value: Any, left: int) -> Any:
        """An item of a list as its type; a value of another type stays unchanged."""
        decoded = self.read(value, left)
        return value if decoded is MISMATCH else decoded

    def distance(self, value: Any) -> tuple[int, ...]:
        """How badly a value fits, by what its outermost objects tell: see `Object.distance`."""
        if self.read(value, 1, exact=True) is not MISMATCH:
            return (0, 0, 0, 0, 0)
        is_readable = self.read(value, 1) is not MISMATCH
        return (1 if is_readable else 2, 0, 0, 0, 0)

    def absent(self, _value: Any) -> int:
        """How many of the declared fields a value has not."""
        return 0


class Scalar(Reader[T]):
    """A value that contains no others; `take` returns MISMATCH for a value of another type."""

    def __init__(
        self, take: Callable[[Any], Any], rank: int = 1, usual: type | None = None
    ) -> None:
        self._take = take
        self.rank = rank
        self.usual = usual

    def read(self, value: Any, left: int, *, exact: bool = False) -> Any:  # noqa: ARG002 - a scalar nests nothing
        return self._take(value)


def Nullable(of: Reader[T]) -> Reader[T]:  # noqa: N802 - reads like the other readers
    """The reader of a member that may be null."""
    reader = copy(of)
    reader.takes_null = True
    return reader


def _whole(value: Any) -> Any:
    """An integer; JSON also writes it as 3.0. Its digits decide: the float of 1e-400 is 0."""
    if isinstance(value, float) and value.is_integer():
        digits = _decimal(value)
        return MISMATCH if digits is MISMATCH or (whole := int(digits)) != digits else whole
    return value if isinstance(value, int) and not isinstance(value, bool) else MISMATCH


def _decimal(value: Any) -> Any:
    """A Decimal with the digits of the JSON, where they were kept: see `Digits`."""
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        return MISMATCH
    try:
        number = Decimal(str(value))
    except InvalidOperation:  # an exponent that no Decimal has
        return MISMATCH
    return number if number.is_finite() else MISMATCH


class Digits(float):
    """A number of JSON that remembers its digits: `json.loads(text, parse_float=Digits)`."""

    __slots__ = ("text",)

    def __new__(cls, text: str | float) -> Self:
        number = super().__new__(cls, text)
        number.text = str(text)
        return number

    text: str

    def __repr__(self) -> str:
        return self.text


class Instant(datetime.datetime):
    """A time that remembers the text with digits that a datetime cannot hold, those finer than a
    microsecond.
    """

    text: str = ""
    """Empty for a time that was made of another one."""

    @classmethod
    def of(cls, text: str) -> Self:
        moment = cls.fromisoformat(text.upper())
        moment.text = text
        return moment

    def __reduce_ex__(self, protocol: Any) -> Any:
        return (Instant.of, (self.text,)) if self.text else super().__reduce_ex__(protocol)


def _instant(text: str) -> datetime.datetime:
    """A time; an `Instant` where a datetime cannot hold all of its digits."""
    finer = re.search(_FINER, text)
    return (
        Instant.of(text)
        if finer and finer[1].strip("0")
        else datetime.datetime.fromisoformat(text.upper())
    )


def _parsed(parse: Callable[[str], Any], form: str) -> Scalar[Any]:
    """A value written as text of one form: a date, a time, a UUID.

    Python reads other forms, too.
    """

    def take(value: Any) -> Any:
        if not isinstance(value, str) or re.fullmatch(form, value) is None:
            return MISMATCH
        try:
            return parse(value)
        except ValueError:
            return MISMATCH

    return Scalar(take, rank=0)


# The forms of RFC 3339 and RFC 9562; but for leap seconds, which a datetime has not.
_FINER: Final = r"\.[0-9]{6}([0-9]+)"
_DATE: Final = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
_TIME: Final = "(?:[01][0-9]|2[0-3]):[0-5][0-9]"

TEXT: Final[Scalar[str]] = Scalar(
    lambda value: value if isinstance(value, str) else MISMATCH, usual=str
)
FLAG: Final[Scalar[bool]] = Scalar(
    lambda value: value if isinstance(value, bool) else MISMATCH, usual=bool
)
WHOLE: Final[Scalar[int]] = Scalar(_whole, usual=int)
NUMBER: Final[Scalar[float]] = Scalar(
    lambda value: (
        value if isinstance(value, (int, float)) and not isinstance(value, bool) else MISMATCH
    ),
    2,
    float,
)
DECIMAL: Final[Scalar[Decimal]] = Scalar(_decimal, rank=2)
ANYTHING: Final[Scalar[Any]] = Scalar(lambda value: value, rank=3)
NOTHING: Final[Scalar[None]] = Scalar(lambda value: MISMATCH if value is not None else None, rank=0)
BLOB: Final[Scalar[File]] = Scalar(
    lambda value: File(payload=BytesIO(value)) if isinstance(value, bytes) else MISMATCH
)
INSTANT: Final[Scalar[datetime.datetime]] = _parsed(
    _instant, rf"{_DATE}[Tt]{_TIME}:[0-5][0-9](?:\.[0-9]+)?(?:[Zz]|[+-]{_TIME})"
)
DAY: Final[Scalar[datetime.date]] = _parsed(datetime.date.fromisoformat, _DATE)
UNIQUE_ID: Final[Scalar[UUID]] = _parsed(
    UUID, "[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"
)


def Constant(value: T) -> Scalar[T]:  # noqa: N802 - reads like the other readers
    """A reader of one value: MISMATCH for any other one.

    A value counts as the same if it is the same word (`word_of`): 1.0 is read as 1.
    """
    return Scalar(lambda given: value if word_of(given) == word_of(value) else MISMATCH, rank=0)


class Word(Reader[E]):
    """A value of an enum; `read` accepts undeclared ones."""

    rank = 0

    def __init__(self, enum: type[E]) -> None:
        self._enum = enum
        self._kind = str if issubclass(enum, str) else int
        self._known = spellings(enum)

    def read(self, value: Any, left: int, *, exact: bool = False) -> Any:  # noqa: ARG002 - a word nests nothing
        if value.__class__ is self._kind and value in self._known:
            return self._known[value]  # in a usual spelling: one look-up
        value = _whole(value) if self._kind is int else value
        if not isinstance(value, self._kind):
            return MISMATCH
        word = self._enum(value)  # an open enum makes a member of an undeclared value
        return MISMATCH if exact and word not in self._enum.__members__.values() else word


class Object(Reader[M]):
    """A model."""

    def __init__(self, model: type[M]) -> None:
        self.model: Any = model
        self._decode = model._decode  # noqa: SLF001 - every model has it

    def read(self, value: Any, left: int, *, exact: bool = False) -> Any:  # noqa: ARG002 - tolerant all the same
        is_object = value.__class__ is dict or isinstance(value, Mapping)
        return self._decode(value, left - 1) if is_object and left > 0 else MISMATCH

    def distance(self, value: Any) -> tuple[int, ...]:
        """How badly an object fits: its constants, unknown and missing fields, and words of
        enums.
        """
        if not isinstance(value, Mapping):
            return (2, 0, 0, 0, 0)
        unknown = sum(name not in self.model.TABLE.readers for name in value)
        missing = sum(name not in value for name in _required_of(self.model).values())
        words = self.model.TABLE.words.items()
        given = [(value[name], known) for name, known in words if name in value]
        other = [
            known for word, known in given if word is not None and str(word).casefold() not in known
        ]
        constants = sum(len(known) <= 1 for known in other)
        nulls = sum(word is None and not known for word, known in given)
        return (0, constants, unknown, missing, len(other) - nulls)

    def absent(self, value: Any) -> int:
        return sum(name not in value for name in self.model.TABLE.readers)


def word_of(value: Any) -> Any:
    """What equal words are: 1 and 1.0 are one word; 1, true and "1" are three.

    MISMATCH for what is no word.
    """
    if isinstance(value, str | bool | None):
        return value
    whole = _whole(value)
    return MISMATCH if whole is MISMATCH else (whole,)


def folded(word: Any) -> Any:
    """A text in lower case; another word as it is."""
    return word.casefold() if isinstance(word, str) else word


class Tag:
    """A discriminator: the property whose word names a member of a union."""

    def __init__(
        self,
        name: str,
        words: Mapping[Any, Sequence[str | int | None]],
        others: Sequence[Any] = (),
        default: Sequence[Any] = (),
        taken: Sequence[str] = (),
    ) -> None:
        """`words` are those of each model, with None for null; those in `taken` name no member.

        Words count in any letter case, unless some models differ in that alone; then, the case
        counts, too. `others` are the models without a word, for a word that no model has; `default`
        are those for such a word, and for an object without the property.
        """
        self._name = name
        self._models = frozenset((*words, *others, *default))
        self._default = frozenset(default)
        self._others = self._default or frozenset(others)
        self._named: dict[Any, frozenset[Any]] = dict.fromkeys(taken, frozenset())
        known = {model: [*map(word_of, own)] for model, own in words.items()}
        for word in [word for own in known.values() for word in own]:
            self._named[word] = frozenset(model for model, own in known.items() if word in own)
        alike: dict[Any, set[frozenset[Any]]] = {}
        for word, models in self._named.items():
            alike.setdefault(folded(word), set()).add(models)
        self._folded = {word: next(iter(each)) for word, each in alike.items() if len(each) == 1}

    def admitted(self, readers: list[Object[Any]], value: Mapping[str, Any]) -> list[Object[Any]]:
        """The readers of the members that the word, or its absence, does not exclude."""
        if self._name not in value and not self._default:
            return readers
        word = word_of(value.get(self._name))
        named = self._named.get(word)
        named = self._folded.get(folded(word), self._others) if named is None else named
        return [each for each in readers if each.model in named or each.model not in self._models]


class Array(Reader[list[T]]):
    """A list; see `Reader.item` for items of another type."""

    def __init__(self, of: Reader[T]) -> None:
        self.of = of

    def read(self, value: Any, left: int, *, exact: bool = False) -> Any:
        if not isinstance(value, list) or left <= 0:
            return MISMATCH
        if not exact:
            item = self.of.item
            return [item(each, left - 1) for each in value]
        decoded = [self.of.read(each, left - 1, exact=True) for each in value]
        return MISMATCH if any(each is MISMATCH for each in decoded) else decoded

    def distance(self, value: Any) -> tuple[int, ...]:
        if not isinstance(value, list):
            return (2, 0, 0, 0, 0)
        return tuple(
            map(
                sum,
                zip((0,) * 5, *(self.of.distance(each) for each in value[:LOOKED_AT]), strict=True),
            )
        )


class Either(Reader[Any]):
    """A union: the model, or the list, that fits a value best, else the first type that reads
    it.
    """

    def __init__(self, *readers: Reader[Any], tags: Sequence[Tag] = ()) -> None:
        self._readers = sorted(readers, key=lambda reader: reader.rank)
        self._models = [reader for reader in readers if isinstance(reader, Object)]
        self._lists = [reader for reader in readers if isinstance(reader, Array)]
        self._tags = tags

    def _admitted(self, value: Any) -> list[Object[Any]]:
        """The readers of the models that no discriminator excludes."""
        models = self._models
        for tag in self._tags:
            models = tag.admitted(models, value)
        return models

    def read(self, value: Any, left: int, *, exact: bool = False) -> Any:
        if self._models and isinstance(value, Mapping):
            models = self._admitted(value)
            if not models:
                return MISMATCH if exact else UnknownVariant(value)
            decoded = _best(models, value, left).read(value, left)
        elif len(self._lists) > 1 and isinstance(value, list) and left > 0:
            decoded = _best(self._lists, value, left).read(value, left)
        else:
            decoded = _first(reader.read(value, left, exact=True) for reader in self._readers)
        if decoded is MISMATCH and not exact:
            decoded = _first(reader.read(value, left) for reader in self._readers)
        return decoded

    def distance(self, value: Any) -> tuple[int, ...]:
        is_excluded = bool(self._tags) and isinstance(value, Mapping) and not self._admitted(value)
        return (
            (1, 0, 0, 0, 0)
            if is_excluded
            else min(reader.distance(value) for reader in self._readers)
        )


def _best(readers: Sequence[Reader[Any]], value: Any, left: int) -> Reader[Any]:
    """The reader that fits; where the outermost objects do not tell, the one that loses least
    within them.
    """
    distances = [reader.distance(value) for reader in readers] if len(readers) > 1 else [()]
    least = min(distances)
    tied = [
        reader for reader, distance in zip(readers, distances, strict=True) if distance == least
    ]
    if len(tied) == 1:
        return tied[0]
    trial = min(left, TRIAL)
    return min(tied, key=lambda reader: (_losses(reader.read(value, trial)), reader.absent(value)))


def _losses(decoded: Any) -> int:
    """How many values have another type or no attribute, how many required fields have none, and
    unknown words.
    """
    if isinstance(decoded, list):
        return sum(map(_losses, decoded))
    if isinstance(decoded, Enum):
        return int(decoded not in type(decoded).__members__.values())
    if isinstance(decoded, UnknownVariant):
        return len(decoded)
    if not hasattr(decoded, "additional_properties"):
        return 0
    kind: Any = type(decoded)
    values = {name: getattr(decoded, name) for name, _, _ in kind.TABLE.writers}
    others = misread(decoded)
    missing = [name for name in _required_of(kind) if values[name] is UNSET or name in others]
    inner = sum(map(_losses, values.values()))
    return len(decoded.additional_properties) + len(others) + len(missing) + inner


@cache
def _required_of(model: Any) -> dict[str, str]:
    """The attributes of a model that its constructor requires, or that are constants, with their
    names on the wire.
    """
    optional = [each.name for each in model.__attrs_attrs__ if each.default is UNSET]
    return {name: wire for name, wire, _ in model.TABLE.writers if name not in optional}


def _first(results: Iterable[Any]) -> Any:
    """The first result that is no MISMATCH; MISMATCH when each is."""
    return next((each for each in results if each is not MISMATCH), MISMATCH)
