"""The checks of Victor's arguments that `victor_api.typed.arguments` does not make."""

import re
from datetime import UTC, datetime, timedelta

from victor_ext.runtime.core import validation
from victor_ext.runtime.core.validation import as_date, shown
from victor_ext.typed import Query

_ID_FORBIDDEN = re.compile(r"[\x00-\x20\x7f-\x9f/\\?#%\s]|\A\.{1,2}\Z")


class Validation(Query):
    """The problems of one call. Each method checks one argument, which `field` names."""

    def __init__(self, doing: str) -> None:
        super().__init__(f"{doing} was not sent")

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


def check_due_date(
    check: validation.Validation, field: str, day: object, now: datetime | None
) -> None:
    """Note a due date that is past, or over 24 hours ahead of `now`; None: it is not compared.

    The provider's time zone is unknown, so a date is refused only if it is wrong in all zones,
    UTC-12 to UTC+14.
    """
    if now is None:
        return
    due = as_date(day)
    if due is None:
        return
    utc = now.astimezone(UTC)
    advice = (
        f"it is {utc:%Y-%m-%d %H:%M} in UTC, so write {utc.date()} or "
        f"{(utc + timedelta(days=1)).date()}."
    )
    if due < (utc - timedelta(hours=12)).date():
        check.note(field, "past", f"{field} {due} is in the past: {advice}")
    elif due > (utc + timedelta(hours=14 + 24)).date():
        message = (
            f"{field} {due} is too late: the provider takes a due date at most 24 hours ahead; "
            f"{advice}"
        )
        check.note(field, "range", message)


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
