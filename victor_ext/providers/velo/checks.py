"""Checks of arguments, before anything is sent; all problems of a call are reported together."""

from datetime import UTC, datetime, timedelta
from typing import Any

from velo_api.typed.forms import ID_FORM

from victor_ext.typed import Query


class VeloValidation(Query):
    """The problems of a call. Each method checks one argument, and returns what is sent for it."""

    def id(self, field: str, value: Any, *, required: bool = True) -> Any:
        """An id of Velo's: it cannot change the rest of a path."""
        return self.matching(field, value, ID_FORM.pattern, ID_FORM.wanted, required=required)

    def moment(self, field: str, value: Any, *, required: bool = True) -> str | None:
        """An aware datetime; returns text with whole seconds in UTC.

        A fraction of a second is dropped, so that the moment is never later.
        """
        if value is None and not required:
            return None
        return self.second(field, value)


def check_id(doing: str, field: str, value: object) -> None:
    """Raise `InvalidRequest` for what is no id; its message begins with `doing`."""
    with VeloValidation(doing) as validation:
        validation.id(field, value)


def day_around(value: datetime, days: int) -> str:
    """The date in UTC that is some days after a moment.

    In which time zone Velo means its dates is not documented: one day more covers all.
    """
    return (value.astimezone(UTC) + timedelta(days=days)).date().isoformat()
