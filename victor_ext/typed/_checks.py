"""Checks of what a caller gives: each returns what is sent, and notes what is wrong."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import ModuleType
from typing import Any, NamedTuple, TypeGuard, TypeVar, cast

from victor_ext import zulu
from victor_ext._privacy import kind_of
from victor_ext._runtime.client.requests import Body, Part
from victor_ext._runtime.core import validation
from victor_ext._runtime.core.currencies import code_problem
from victor_ext._runtime.core.validation import Form
from victor_ext._values.opaque import FrozenStruct
from victor_ext._values.words import Word
from victor_ext.errors import InvalidRequest, Problem
from victor_ext.money import Money, to_wire

FIRST_YEAR, LAST_YEAR = 1900, 9998
"""The years of a moment that can be meant."""

P = TypeVar("P", bound=Part)


class ListQuery(FrozenStruct, frozen=True):
    """The arguments of a list, as they are sent."""

    operation: ModuleType
    """The generated operation."""
    what: str
    """What messages call the list."""
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

    def written(
        self,
        field: str,
        text: str | None,
        longest: int | None = None,
        shortest: int = 0,
        form: Form | None = None,
    ) -> str | None:
        """Text that is sent in place of a value, which was checked before."""
        if text is None or any(problem.field == field for problem in self.problems):
            return text
        self.text(field, text, longest, shortest=shortest, form=form)
        return text

    def number(self, field: str, value: Any, least: float, most: float) -> Any:
        """A number from `least` to `most`, as the type that it has."""
        is_number = isinstance(value, int | float | Decimal) and not isinstance(value, bool)
        if isinstance(value, Decimal) and not value.is_finite():
            is_number = False  # nothing can be compared with it
        if not is_number or not least <= value <= most:
            message = f"{field} must be a number from {least} to {most}, or left out."
            self.note(field, "range", message)
        return value

    def stamp(self, field: str, value: object) -> str | None:
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
        self,
        field: str,
        value: object,
        least: int,
        most: int,
        *,
        decimals: int | None = None,
    ) -> TypeGuard[Money]:
        """Whether a value is an amount from `least` to `most` minor units.

        `decimals` are those that its currency must have, where the provider counts one unit in all
        currencies.
        """
        if not isinstance(value, Money):
            wanted = "Money.of('44.23', 'USD') or Money(4423, 'USD')"
            self.note(field, "type", f"{field} is of type {kind_of(value)}: write {wanted}.")
            return False
        if problem := code_problem(field, value.currency, value.own_decimals):
            self.problems.append(problem)
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
        self, field: str, value: object, kind: type[P], members: Callable[[Query, str, P], Body]
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
        value: object,
        kind: type[P],
        members: Callable[[Query, str, P], Body],
        fewest: int = 0,
        most: int | None = None,
    ) -> list[Body | None]:
        """A list of request objects, whose number has limits."""
        is_list = isinstance(value, Sequence) and not isinstance(value, str | bytes)
        items = cast("Sequence[object]", value) if is_list else ()
        if not is_list or len(items) < fewest or (most is not None and len(items) > most):
            limit = "or more" if most is None else f"to {most}"
            message = f"{field} must be a list of {fewest} {limit} {kind.__name__}."
            self.note(field, "length", message)
        return [
            self.part(f"{field}[{number}]", item, kind, members)
            for number, item in enumerate(items)
        ]

    def one_of(self, field: str, value: object, words: Sequence[str]) -> Any:
        """One of these words, and no `Word` of another."""
        return self.choice(field, str(value) if isinstance(value, Word) else value, words)

    def moment(self, field: str, value: object, *, required: bool = True) -> datetime | None:
        """An aware datetime, in UTC."""
        return self._in_utc(field, value) if value is not None or required else None

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

    def _in_utc(self, field: str, value: object) -> datetime | None:
        """An aware datetime in UTC; None for anything else, which is noted."""
        problem = validation.moment_problem(field, value)
        self.add(problem)
        return None if problem is not None else cast("datetime", value).astimezone(UTC)

    def zulu(self, field: str, value: object, *, is_end: bool = False) -> str | None:
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
