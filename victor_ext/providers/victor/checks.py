"""The checks of Victor's arguments, before anything is sent. `requests` declares which argument has
which check.

Source: `openapi/victor.yaml`; a test compares every limit with it. Patterns must match the whole
text, in ASCII.
"""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from victor_ext import money
from victor_ext.errors import InvalidRequest, Problem
from victor_ext.runtime.core import validation
from victor_ext.runtime.core.validation import as_date, shown
from victor_ext.runtime.loop.idempotency_keys import key_problem

_ID_FORBIDDEN = re.compile(r"[\x00-\x20\x7f-\x9f/\\?#%\s]|\A\.{1,2}\Z")


class Validation(validation.Validation):
    """The problems of one call. Each method checks one argument, which `field` names.

    With `now`, a due date must not be past, nor over 24 hours ahead.
    """

    def __init__(self, doing: str, *, now: datetime | None = None) -> None:
        super().__init__(f"{doing} was not sent")
        self.now = now

    def id(self, field: str, value: object) -> None:
        """An id for a URL path. It must not change the rest of the path."""
        if not isinstance(value, str):
            self.note(field, "type", f"{field} must be text, not {type(value).__name__}.")
        elif not value:
            self.note(field, "required", f"{field} is empty: give the id of a payment request.")
        elif _ID_FORBIDDEN.search(value) or not value.isprintable():
            what = (
                f"is {shown(value)}: an id has no slash, space, line break, '?', '#' or '%', "
                "nor dots alone"
            )
            self.note(field, "format", f"{field} {what}.")

    def amount(self, field: str, value: Any) -> str | None:
        """An amount in US dollars; returns the text that is sent for it."""
        if value is None:
            self.add(
                Problem(field, "required", f"{field} is missing.", hint="write Decimal('44.23')")
            )
            return None
        try:
            return money.to_wire(value, field=field)
        except InvalidRequest as error:
            self.problems += error.problems
            return None

    def due_date(self, field: str, value: Any) -> str | None:
        """A date; with `now`, a date that is neither past nor over 24 hours ahead.

        The provider's time zone is unknown, so a date is rejected only if it is wrong in all zones,
        UTC-12 to UTC+14.
        """
        due = as_date(value)
        if due is None or self.now is None:
            return self.day(field, value)
        now = self.now.astimezone(UTC)
        is_past = due < (now - timedelta(hours=12)).date()
        advice = (
            f"it is {now:%Y-%m-%d %H:%M} in UTC, so write {now.date()} or "
            f"{(now + timedelta(days=1)).date()}."
        )
        if is_past:
            self.note(field, "past", f"{field} {due} is in the past: {advice}")
        elif due > (now + timedelta(hours=14 + 24)).date():
            message = (
                f"{field} {due} is too late: the provider takes a due date at most 24 hours "
                f"ahead; {advice}"
            )
            self.note(field, "range", message)
        return due.isoformat()

    def key(self, field: str, value: object) -> None:  # noqa: ARG002 - a key's problems name it
        """An idempotency key."""
        self.add(key_problem(value))


RESPONSE_ARGUMENTS = {
    "status": "accept or decline",
    "notes": "notes",
    "modified_amount": "modified_amount",
}
"""The members of the body of `accept` and `decline`, each with the method or argument that sets it.
"""


def check_id(request_id: object) -> None:
    """Check the id of a call that has no other argument to check. Raises `InvalidRequest`."""
    with Validation("The call") as validation:
        validation.id("id", request_id)
