"""Local checks: everything that is wrong with a call, at once, before anything is sent."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeGuard

from victor_ext.money import Money
from victor_ext.redaction import kind_of
from victor_ext.runtime.client import validation
from victor_ext.runtime.client.validation import shown

MOST = 2000
"""Payments in a payout, and payees in a batch."""
LARGEST_AMOUNT = 2**63 - 1
"""Of minor units: what the wire's integer holds."""

_AN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
_SORT = re.compile(r"[A-Za-z]+(:(asc|desc))?(,[A-Za-z]+(:(asc|desc))?)*")


class Findings(validation.Findings):
    """The problems of a call, by this provider's rules."""

    def text(self, field: str, value: object, longest: int, *, shortest: int = 1, required: bool = True) -> None:
        """Text of so many characters."""
        if value is None and not required:
            return
        if not isinstance(value, str):
            what = "is missing" if value is None else f"is of type {kind_of(value)}"
            self.note(field, "type", f"{field} {what}: write text of {shortest} to {longest} characters.")
        elif not shortest <= len(value.strip()) or len(value) > longest:
            said = "is empty" if not value.strip() else f"has {len(value)} characters"
            self.note(field, "length", f"{field} {said}: write {shortest} to {longest} characters.")
        elif not _can_be_written(value):
            self.note(field, "characters", f"{field} holds a half of a character, which UTF-8 has no bytes for.")

    def reference(self, field: str, value: object) -> None:
        """A reference of the payor's own, up to 40 characters, that Velo is to give back letter by letter."""
        self.text(field, value, 40)
        if isinstance(value, str) and value.strip() and not (value == value.strip() and value.isprintable()):
            message = f"{field} must be printable and have no blanks around it: it could not be found again."
            self.note(field, "characters", message)

    def capitals(self, field: str, value: object, count: int, *, required: bool = True) -> None:
        """A code of so many capital letters: a country (ISO 3166) or a currency (ISO 4217)."""
        if value is None and not required:
            return
        if not isinstance(value, str) or not re.fullmatch(f"[A-Z]{{{count}}}", value):
            example = "US" if count == 2 else "USD"
            self.note(field, "format", f"{field} must be {count} capital letters, such as {example!r}.")

    def one_id(self, field: str, value: object, *, required: bool = True) -> None:
        """An id of Velo's: letters, digits and hyphens, so that it cannot lead to another path."""
        if value is None and not required:
            return
        if not isinstance(value, str):
            self.note(field, "type", f"{field} is of type {kind_of(value)}: write the id as text.")
        elif not _AN_ID.fullmatch(value) or ".." in value:
            self.note(field, "format", f"{field} is no id of Velo's: pass it as Velo gave it, such as a UUID.")

    def money(self, field: str, value: object, *, largest: int = LARGEST_AMOUNT) -> None:
        """An amount above zero."""
        if not isinstance(value, Money):
            message = f"{field} is of type {kind_of(value)}: write Money.of('44.23', 'USD') or Money(4423, 'USD')."
            self.note(field, "type", message)
        elif not 1 <= value.minor_units <= largest:
            message = f"{field} is {value.minor_units} minor units and must be 1 to {largest}."
            self.note(field, "range", message)

    def several(self, field: str, value: object, kind: type[Any], most: int = MOST) -> Sequence[Any]:
        """A list of 1 to so many; returns those that can be looked at one by one."""
        if not _is_sequence(value):
            self.note(field, "type", f"{field} is of type {kind_of(value)}: write a list of {kind.__name__}.")
            return ()
        items = value
        if not 1 <= len(items) <= most:
            self.note(field, "length", f"{field} has {len(items)} items and must have 1 to {most}.")
        for place, item in enumerate(items):
            if not isinstance(item, kind):
                message = f"{field}[{place}] is of type {kind_of(item)}: write {kind.__name__}(...)."
                self.note(f"{field}[{place}]", "type", message)
        return [item if isinstance(item, kind) else None for item in items]

    def page_size(self, value: object, most: int) -> None:
        """How many items a page is to have."""
        if value is None:
            return
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
            self.note("page_size", "range", f"page_size is {shown(value)} and must be 1 to {most}, or left out.")

    def flag(self, field: str, value: object) -> None:
        """True or False."""
        if value is not None and not isinstance(value, bool):
            self.note(field, "type", f"{field} is of type {kind_of(value)}: write True or False, or leave it out.")

    def sort(self, value: object) -> None:
        """Fields and directions."""
        if value is not None and not (isinstance(value, str) and _SORT.fullmatch(value)):
            self.note("sort", "format", "sort must name fields and directions, such as 'displayName:asc'.")

    def moment(self, field: str, value: object, *, required: bool = True) -> None:
        """An aware datetime."""
        if value is None and not required:
            return
        if not isinstance(value, datetime):
            self.note(field, "type", f"{field} is of type {kind_of(value)}: write a datetime with a zone.")
        elif value.tzinfo is None or value.utcoffset() is None:
            self.note(field, "zone", f"{field} has no zone, so it may mean any moment: write tzinfo=UTC, or yours.")
        elif not 1900 <= value.year < 9999:
            self.note(field, "range", f"{field} is in the year {value.year}: that cannot be meant.")


def _can_be_written(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_sequence(value: object) -> TypeGuard[Sequence[Any]]:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)


def moment_to_wire(value: datetime) -> str:
    """A moment as Velo writes it: whole seconds, with an offset. A fraction is dropped, so it never comes later."""
    return value.astimezone(UTC).replace(microsecond=0).isoformat()


def day_around(value: datetime, days: int) -> str:
    """The day of a moment in UTC, so many days off: in which zone Velo means its days is not known."""
    return (value.astimezone(UTC) + timedelta(days=days)).date().isoformat()


def date_to_wire(findings: Findings, field: str, value: object, *, required: bool = False) -> str | None:
    """A day; text such as 2026-03-04 is taken as it is meant."""
    if value is None and not required:
        return None
    try:
        day = date.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        day = None
    if isinstance(day, date) and not isinstance(day, datetime):
        return day.isoformat()
    findings.note(field, "format", f"{field} must be a date, such as date(2026, 3, 4) or '2026-03-04'.")
    return None
