"""Checks of arguments, before anything is sent; all problems of a call are reported together."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Protocol, TypeVar, cast

from victor_ext.money import Money
from victor_ext.privacy import kind_of
from victor_ext.runtime.core import validation
from victor_ext.runtime.core.validation import is_encodable, shown

MOST = 2000
"""The most payments in a payout, and payees in a batch."""
LARGEST_AMOUNT = 2**63 - 1
"""Minor units: the largest integer of 64 bits."""

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
_SORT = re.compile(r"[A-Za-z]+(:(asc|desc))?(,[A-Za-z]+(:(asc|desc))?)*")


class Checked(Protocol):
    """A request object that checks itself."""

    def check(self, validation: Validation, place: str) -> None:
        """Note what is wrong with it; `place` is its place in the call, such as `payments[0]`."""


CheckedT = TypeVar("CheckedT", bound=Checked)


class Validation(validation.Validation):
    """The problems of a call. Each method checks one argument, and returns what is sent for it."""

    def text(self, field: str, value: Any, longest: int, *, shortest: int = 1, required: bool = True) -> Any:
        """Text with a number of characters."""
        if value is None and not required:
            return None
        if not isinstance(value, str):
            what = "is missing" if value is None else f"is of type {kind_of(value)}"
            self.note(field, "type", f"{field} {what}: write text of {shortest} to {longest} characters.")
        elif not shortest <= len(value.strip()) or len(value) > longest:
            what = "is empty" if not value.strip() else f"has {len(value)} characters"
            self.note(field, "length", f"{field} {what}: write {shortest} to {longest} characters.")
        elif not is_encodable(value):
            self.note(field, "characters", f"{field} holds half of a character, which UTF-8 has no bytes for.")
        return value

    def reference(self, field: str, value: Any) -> Any:
        """A reference of the payor's own, up to 40 characters, that must come back from Velo unchanged."""
        self.text(field, value, 40)
        if isinstance(value, str) and value.strip() and not (value == value.strip() and value.isprintable()):
            message = f"{field} must be printable and have no blanks around it, so that it can be searched for."
            self.note(field, "characters", message)
        return value

    def capitals(self, field: str, value: Any, count: int, *, required: bool = True) -> Any:
        """A code of capital letters: a country (ISO 3166) has two, a currency (ISO 4217) has three."""
        if value is None and not required:
            return None
        if not isinstance(value, str) or not re.fullmatch(f"[A-Z]{{{count}}}", value):
            example = "US" if count == 2 else "USD"
            self.note(field, "format", f"{field} must be {count} capital letters, such as {example!r}.")
        return value

    def id(self, field: str, value: Any, *, required: bool = True) -> Any:
        """An id of Velo's: letters, digits and hyphens, so that it cannot lead to another path."""
        if value is None and not required:
            return None
        if not isinstance(value, str):
            self.note(field, "type", f"{field} is of type {kind_of(value)}: write the id as text.")
        elif not _ID.fullmatch(value) or ".." in value:
            self.note(field, "format", f"{field} is not an id of Velo's: pass it as Velo gave it, such as a UUID.")
        return value

    def money(self, field: str, value: Any, *, largest: int = LARGEST_AMOUNT) -> None:
        """An amount above zero."""
        if not isinstance(value, Money):
            message = f"{field} is of type {kind_of(value)}: write Money.of('44.23', 'USD') or Money(4423, 'USD')."
            self.note(field, "type", message)
        elif not 1 <= value.minor_units <= largest:
            message = f"{field} is {value.minor_units} minor units and must be 1 to {largest}."
            self.note(field, "range", message)

    def amounts(self, **values: int | None) -> dict[str, Any]:
        """Minor units to filter by, by their names. A filter has 32 bits, and no currency."""
        for field, value in values.items():
            if value is not None and (isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**31):
                message = f"{field} is {shown(value)} and must be minor units, 0 to {2**31 - 1}, or left out."
                self.note(field, "range", message)
        return values

    def requests(self, field: str, value: Any, kind: type[CheckedT]) -> Sequence[CheckedT | None]:
        """A list of 1 to 2,000 request objects, which check themselves; None in place of one of another type."""
        if not isinstance(value, Sequence) or isinstance(value, str | bytes):
            self.note(field, "type", f"{field} is of type {kind_of(value)}: write a list of {kind.__name__}.")
            return ()
        items = cast("Sequence[object]", value)
        if not 1 <= len(items) <= MOST:
            self.note(field, "length", f"{field} has {len(items)} items and must have 1 to {MOST}.")
        for place, item in enumerate(items):
            self.request(f"{field}[{place}]", item, kind)
        return [item if isinstance(item, kind) else None for item in items]

    def request(self, field: str, value: object, kind: type[CheckedT], *, required: bool = True) -> None:
        """A request object, which checks itself."""
        if isinstance(value, kind):
            value.check(self, field)
        elif value is not None or required:
            self.note(field, "type", f"{field} is of type {kind_of(value)}: write {kind.__name__}(...).")

    def page_size(self, value: Any, most: int) -> Any:
        """The number of items on a page."""
        if value is not None and (isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most):
            self.note("page_size", "range", f"page_size is {shown(value)} and must be 1 to {most}, or left out.")
        return value

    def flag(self, field: str, value: Any) -> Any:
        """True or False, or None."""
        if value is not None and not isinstance(value, bool):
            self.note(field, "type", f"{field} is of type {kind_of(value)}: write True or False, or leave it out.")
        return value

    def sort(self, value: Any) -> Any:
        """Names of fields with directions, or None."""
        if value is not None and not (isinstance(value, str) and _SORT.fullmatch(value)):
            self.note("sort", "format", "sort must name fields and directions, such as 'displayName:asc'.")
        return value

    def moment(self, field: str, value: Any, *, required: bool = True) -> str | None:
        """An aware datetime; returns whole seconds in UTC. A fraction is dropped, so that it is never later."""
        if value is None and not required:
            return None
        if not isinstance(value, datetime):
            self.note(field, "type", f"{field} is of type {kind_of(value)}: write a datetime with a zone.")
        elif value.tzinfo is None or value.utcoffset() is None:
            self.note(field, "zone", f"{field} has no zone, so it may mean any moment: write tzinfo=UTC, or yours.")
        elif not 1900 <= value.year < 9999:
            self.note(field, "range", f"{field} is in the year {value.year}: that cannot be meant.")
        else:
            return value.astimezone(UTC).replace(microsecond=0).isoformat()
        return None

    def day(self, field: str, value: Any, *, required: bool = False) -> str | None:
        """A date, or a text such as 2026-03-04; returns the text."""
        if value is None and not required:
            return None
        try:
            day = date.fromisoformat(value) if isinstance(value, str) else value
        except ValueError:
            day = None
        if isinstance(day, date) and not isinstance(day, datetime):
            return day.isoformat()
        self.note(field, "format", f"{field} must be a date, such as date(2026, 3, 4) or '2026-03-04'.")
        return None


def check_id(field: str, value: object, doing: str) -> None:
    """Check the only argument of a call. Raises `InvalidRequest`."""
    validation = Validation()
    validation.id(field, value)
    validation.finish(doing)


def day_around(value: datetime, days: int) -> str:
    """The date of a moment in UTC, moved by some days: in which zone Velo means its dates is not documented."""
    return (value.astimezone(UTC) + timedelta(days=days)).date().isoformat()
