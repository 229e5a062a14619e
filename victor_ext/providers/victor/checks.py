"""The checks of Victor's arguments that `victor_api.typed.arguments` does not make."""

import re

from victor_ext.runtime.core.validation import shown
from victor_ext.typed import Query

_ID_FORBIDDEN = re.compile(r"[\x00-\x20\x7f-\x9f/\\?#%\s]|\A\.{1,2}\Z")


class VictorValidation(Query):
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


RESPONSE_ARGUMENTS = {
    "status": "accept or decline",
    "notes": "notes",
    "modified_amount": "modified_amount",
}
"""The members of the body of `accept` and `decline`, each with the method or argument that sets it.
"""


def check_id(request_id: object) -> None:
    """Check the id of a call that has no other argument to check. Raises `InvalidRequest`."""
    with VictorValidation("The call") as validation:
        validation.id("id", request_id)
