"""What the generated records and arguments of a system stand on: `<system>_api.typed`.

A record is a view of one JSON object that a provider sent. Each field is a property that calls one
of the readers here, and is read when it is asked for. A reader returns None (an empty text for an
identifier, an empty tuple for a list) when the provider sent nothing, null, or a value of another
type: one odd value never costs the others.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from copy import deepcopy
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any, ClassVar, NamedTuple, NoReturn, TypeGuard, TypeVar, cast

from victor_ext import zulu
from victor_ext.errors import InvalidRequest, Problem
from victor_ext.ids import says_nothing
from victor_ext.money import Amount, Money, to_wire
from victor_ext.privacy import kind_of, mask
from victor_ext.runtime.client import records as client_records
from victor_ext.runtime.client.extras import ExtraBody, ExtraQuery, extra_query_problems
from victor_ext.runtime.client.records import as_timestamp
from victor_ext.runtime.client.requests import Body, Part, Request
from victor_ext.runtime.core import validation
from victor_ext.runtime.core.json_values import (
    decimal_of,
    flag_of,
    is_object,
    list_or_empty,
    member_in_any_case,
    object_or_empty,
    whole_of,
)
from victor_ext.words import Word

__all__ = (
    "Amount",
    "AnyCaseRecord",
    "Body",
    "ExtraBody",
    "ExtraQuery",
    "Form",
    "ListQuery",
    "Money",
    "Part",
    "Query",
    "Record",
    "Request",
    "Sent",
    "View",
    "Word",
    "day",
    "decimal",
    "flag",
    "identifier",
    "members",
    "moment",
    "money",
    "part",
    "record",
    "records",
    "require_runtime",
    "text",
    "texts",
    "value",
    "whole",
)

RUNTIME = 1
"""The version of this module, which the generated modules compare when they are imported."""

FIRST_YEAR, LAST_YEAR = 1900, 9998
"""The years of a moment that can be meant."""

P = TypeVar("P", bound=Part)
R = TypeVar("R", bound="Record")
Object = Mapping[str, Any]
"""A JSON object."""


def require_runtime(version: int) -> None:
    """Raise `ImportError` for a package that was generated for another version of this module."""
    if version != RUNTIME:
        raise ImportError(
            f"This package was generated for version {version} of victor_ext.typed, and version "
            f"{RUNTIME} is installed: generate it again."
        )


class Record(client_records.Record):
    """A typed view of one JSON object that a provider sent.

    Attributes:
        raw: The generated model of the object, with everything that was sent. It is made when it is
            asked for, and is a copy: what is changed in it changes no field of the record.
        response_info: See `victor_ext.runtime.client.records.Record`.
    """

    __slots__ = ("_json",)

    _fields: ClassVar[tuple[str, ...]] = ()
    """The names of the fields, in the order of the document."""
    _private: ClassVar[frozenset[str]] = frozenset()
    """The fields that no `repr` shows, because they may name a person."""
    _masked: ClassVar[frozenset[str]] = frozenset()
    """The fields of which a `repr` shows the last four characters."""

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
        """Let each field say why it cannot be set."""
        super().__init_subclass__(**options)
        for name, field in [*vars(cls).items()]:
            if isinstance(field, property) and field.fset is None:
                setattr(cls, name, field.setter(partial(_refuse_setting, name)))

    @classmethod
    def _field_names(cls) -> tuple[str, ...]:
        return cls._fields

    def _as_json(self) -> dict[str, Any]:
        return self._json

    def _copy(self) -> dict[str, Any]:
        """A copy of the object, at all depths."""
        return deepcopy(self._json)

    def _shown(self, name: str) -> str | None:
        if name in self._private:
            return None
        value: object = getattr(self, name)
        if name in self._masked and isinstance(value, str):
            return repr(mask(value))
        return client_records.shown(value)


class View:
    """Fields of a class that is written by hand, which has what they are read from."""

    __slots__ = ()

    _fields: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def field_names(cls) -> tuple[str, ...]:
        """The names of the fields, in the order of the document."""
        return cls._fields

    def _object(self, *path: str) -> Object:
        """The JSON object at the names in a path; empty without one."""
        raise NotImplementedError


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

    def _copy(self) -> dict[str, Any]:
        return deepcopy(self._as_json())


def _refuse_setting(name: str, record: Record, _value: object) -> NoReturn:
    raise AttributeError(
        f"{name} of {type(record).__name__} is what the provider sent: it cannot be set."
    )


# ---- Arguments of lists ----


class Form:
    """A form that a text has as a whole, with the words for a message."""

    __slots__ = ("pattern", "wanted")

    def __init__(self, whole: str, wanted: str) -> None:
        self.pattern = re.compile(whole, re.ASCII)
        self.wanted = wanted


class ListQuery(NamedTuple):
    """The arguments of a list, as they are sent."""

    arguments: dict[str, Any]
    """By the names of the generated function."""
    may_be_left: bool
    """Whether an item may stop matching a filter while the list is read."""

    def __repr__(self) -> str:
        return "ListQuery('[hidden]')"  # a filter may name a person


class Sent(NamedTuple):
    """Where an argument stands in the body that is sent, and how an answer is compared with it."""

    place: str
    """`payment_details.amount`."""
    kind: str
    """How the argument was checked: `text`, `word`, `day`, `moment`, `flag`, `whole`, `money`."""
    counts_if_left_out: bool = False
    """Whether an answer is about another request if it has a value, and none was sent."""


class Query(validation.Validation):
    """The problems of the arguments of a call. Each method returns what is sent."""

    def form(
        self, field: str, value: Any, form: Form, longest: int | None = None, shortest: int = 0
    ) -> Any:
        """Text of a form, with a number of characters."""
        return self.text(
            field, value, longest, shortest=shortest, form=form.pattern, wanted=form.wanted
        )

    def comparable(self, field: str, value: object, *, required: bool = False) -> None:
        """Text that an answer can repeat. Nothing is said twice of one argument."""
        if says_nothing(value) and all(problem.field != field for problem in self.problems):
            super().comparable(field, value, required=required)

    def texts(self, field: str, value: Any, longest: int | None = None) -> Any:
        """One text or more."""
        if isinstance(value, str) or not isinstance(value, Sequence) or not value:
            message = f"{field} must be a list of one or more, such as ['payment']."
            self.note(field, "type", message)
            return None
        texts = cast("Sequence[object]", value)
        return [self.text(f"{field}[{place}]", each, longest) for place, each in enumerate(texts)]

    def number(self, field: str, value: Any, least: float, most: float) -> Any:
        """A number from `least` to `most`."""
        is_number = isinstance(value, int | float | Decimal) and not isinstance(value, bool)
        if not is_number or not least <= value <= most:
            message = f"{field} must be a number from {least} to {most}, or left out."
            self.note(field, "range", message)
        return value

    def birthday(self, field: str, value: Any) -> str | None:
        """A date of birth. No message shows it."""
        day = validation.as_date(value)
        if day is None:
            wanted = "a date, such as date(2026, 3, 4) or '2026-03-04'"
            self.note(field, "type", f"{field} must be {wanted}.")
        return None if day is None else day.isoformat()

    def stamp(self, field: str, value: Any) -> str | None:
        """An aware datetime, as text in UTC."""
        moment = self._in_utc(field, value)
        if moment is None:
            return None
        is_of_milliseconds = moment.microsecond and not moment.microsecond % 1000
        text = moment.isoformat(timespec="milliseconds" if is_of_milliseconds else "auto")
        return f"{text.removesuffix('+00:00')}Z"

    def dollars(self, field: str, value: Any) -> str | None:
        """An amount in US dollars, as text."""
        if value is None:
            hint = "write Decimal('44.23')"
            self.add(Problem(field, "required", f"{field} is missing.", hint=hint))
            return None
        try:
            return to_wire(value, field=field)
        except InvalidRequest as error:
            self.problems += error.problems
            return None

    def money(
        self, field: str, value: object, least: int, most: int, *, decimals: int | None = None
    ) -> TypeGuard[Money]:
        """Whether a value is an amount from `least` to `most` minor units.

        `decimals` are those that its currency must have, where the provider counts one unit in all
        currencies.
        """
        if not isinstance(value, Money):
            wanted = "Money.of('44.23', 'USD') or Money(4423, 'USD')"
            self.note(field, "type", f"{field} is of type {kind_of(value)}: write {wanted}.")
            return False
        if decimals is not None and value.decimals != decimals:
            message = (
                f"{field} is in {value.currency}, which has {value.decimals} decimals: how the "
                f"provider, which counts {decimals} decimals, takes it is not documented."
            )
            self.note(field, "currency", message)
            return False
        if not least <= value.minor_units <= most:
            message = f"{field} is {value.minor_units} minor units and must be {least} to {most}."
            self.note(field, "range", message)
            return False
        return True

    def part(
        self, field: str, value: Any, kind: type[P], members: Callable[[Query, str, P], Body]
    ) -> Body | None:
        """A request object; `members` checks its fields, and its own `check` the rest."""
        if not isinstance(value, kind):
            self.note(field, "type", f"{field} must be {kind.__name__}(...), not {kind_of(value)}.")
            return None
        sent = members(self, f"{field}.", value)
        value.check(self, field)
        return sent

    def parts(
        self,
        field: str,
        value: Any,
        kind: type[P],
        members: Callable[[Query, str, P], Body],
        fewest: int = 0,
        most: int | None = None,
    ) -> list[Body | None]:
        """A list of request objects."""
        is_list = isinstance(value, Sequence) and not isinstance(value, str | bytes)
        items = cast("Sequence[object]", value) if is_list else ()
        limit = "or more" if most is None else f"to {most}"
        if not is_list or len(items) < fewest or (most is not None and len(items) > most):
            message = f"{field} must be a list of {fewest} {limit} {kind.__name__}."
            self.note(field, "length", message)
        return [
            self.part(f"{field}[{number}]", item, kind, members)
            for number, item in enumerate(items)
        ]

    def one_of(self, field: str, value: Any, words: Sequence[str]) -> Any:
        """One of these words, and no `Word` of another."""
        return self.choice(field, str(value) if isinstance(value, Word) else value, words)

    def moment(self, field: str, value: Any, *, required: bool = True) -> Any:
        """An aware datetime, in UTC."""
        before = len(self.problems)
        super().moment(field, value, required=required)
        is_moment = isinstance(value, datetime) and len(self.problems) == before
        return value.astimezone(UTC) if is_moment else value

    def second(self, field: str, value: Any) -> str | None:
        """An aware datetime, as whole seconds in UTC.

        A fraction is dropped, so that it is never later.
        """
        moment = self._in_utc(field, value)
        if moment is None:
            return None
        if not FIRST_YEAR <= value.year <= LAST_YEAR:
            message = f"{field} is in the year {value.year}: that cannot be meant."
            self.note(field, "range", message)
            return None
        return moment.replace(microsecond=0).isoformat()

    def _in_utc(self, field: str, value: Any) -> datetime | None:
        """An aware datetime in UTC; None for anything else, which is noted."""
        problem = validation.moment_problem(field, value)
        self.add(problem)
        if problem is not None:
            return None
        moment: datetime = value.astimezone(UTC)
        return moment

    def zulu(self, field: str, value: Any, *, is_end: bool = False) -> str | None:
        """An aware datetime, as Zulu time, which has milliseconds.

        The end of a range is rounded up, so that it is never too early.
        """
        moment = self._in_utc(field, value)
        if moment is None:
            return None
        if is_end:
            with suppress(OverflowError):  # no moment is later
                moment += timedelta(microseconds=-moment.microsecond % 1000)
        return zulu.format(moment)

    def extra_query(self, extra: object, known: Sequence[str]) -> None:
        """Parameters that the package does not know; `known` are those with an argument."""
        self.problems += extra_query_problems(extra, known)


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


def moment(json: Object, name: str) -> datetime | None:
    """An aware datetime; None without an offset, for then the moment is not known."""
    value = json.get(name)
    return as_timestamp(value.upper()) if isinstance(value, str) else None


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
