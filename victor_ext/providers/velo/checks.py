"""Checks of arguments, before anything is sent; all problems of a call are reported together."""

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, cast

from velo_api.typed.arguments import ID_FORM

from victor_ext.money import Money
from victor_ext.privacy import kind_of
from victor_ext.runtime.core.validation import as_date
from victor_ext.typed import Query

MOST = 2000
"""The most payments in a payout, and the most payees in a batch."""


class Validation(Query):
    """The problems of a call. Each method checks one argument, and returns what is sent for it."""

    def capitals(self, field: str, value: Any, count: int, *, required: bool = True) -> Any:
        """A code of capital letters: a country (ISO 3166) has two, a currency (ISO 4217) has
        three.
        """
        wanted = f"{count} capital letters, such as {'US' if count == 2 else 'USD'!r}"
        return self.matching(
            field, value, re.compile(f"[A-Z]{{{count}}}"), wanted, required=required
        )

    def id(self, field: str, value: Any, *, required: bool = True) -> Any:
        """An id of Velo's: it cannot change the rest of a path."""
        return self.matching(field, value, ID_FORM.pattern, ID_FORM.wanted, required=required)

    def money(self, field: str, value: Any, *, largest: int = 2**63 - 1) -> None:
        """An amount above zero."""
        if not isinstance(value, Money):
            message = (
                f"{field} is of type {kind_of(value)}: write Money.of('44.23', 'USD') or "
                "Money(4423, 'USD')."
            )
            self.note(field, "type", message)
        elif not 1 <= value.minor_units <= largest:
            message = f"{field} is {value.minor_units} minor units and must be 1 to {largest}."
            self.note(field, "range", message)

    def requests(self, field: str, value: Any, kind: type[Any]) -> Sequence[object]:
        """A list of 1 to 2,000 request objects of a class, each of which is checked, too.

        Returns the items, of whatever type: an item of another class is a problem of the call.
        """
        is_list = isinstance(value, Sequence) and not isinstance(value, str | bytes)
        items = cast("Sequence[object]", value) if is_list else ()
        if not 1 <= len(items) <= MOST:
            self.note(field, "length", f"{field} must be a list of 1 to {MOST} {kind.__name__}.")
        for number, item in enumerate(items):
            self.request(f"{field}[{number}]", item, kind)
        return items

    def moment(self, field: str, value: Any, *, required: bool = True) -> str | None:
        """An aware datetime; returns text with whole seconds in UTC.

        A fraction of a second is dropped, so that the moment is never later.
        """
        if value is None and not required:
            return None
        return self.second(field, value)

    def birthday(self, field: str, value: Any) -> str | None:
        """A date of birth. No message shows it."""
        day: date | None = as_date(value)
        if day is None:
            self.note(
                field, "type", f"{field} must be a date, such as date(2026, 3, 4) or '2026-03-04'."
            )
        return None if day is None else day.isoformat()


def check(doing: str = "", /, **arguments: Any) -> None:
    """Check ids, and the flag `sensitive`, by the names of the arguments.

    Raises `InvalidRequest`. Its message begins with `doing`; without that, with what the first
    argument names, such as `The source account` for `source_account_id`.
    """
    first = next(iter(arguments)) if not doing else ""
    with Validation(doing or f"The {first.removesuffix('_id').replace('_', ' ')}") as validation:
        for name, value in arguments.items():
            if name == "sensitive":
                validation.flag(name, value)
            else:
                validation.id(name, value)


def check_request(doing: str, request: object) -> None:
    """Check a request object. Raises `InvalidRequest`, which begins with `doing`."""
    with Validation(doing) as validation:
        validation.checked(request)


def day_around(value: datetime, days: int) -> str:
    """The date in UTC that is some days after a moment.

    In which time zone Velo means its dates is not documented: one day more covers all.
    """
    return (value.astimezone(UTC) + timedelta(days=days)).date().isoformat()
