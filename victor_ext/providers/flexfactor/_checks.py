"""Checks of arguments, before anything is sent.

There are few, because the provider documents hardly any limits.
"""

import re

from victor_ext._privacy import kind_of
from victor_ext._runtime.core import validation
from victor_ext._runtime.core.card_data import card_data_in
from victor_ext._runtime.core.currencies import code_problem
from victor_ext._values.ids import GUID
from victor_ext.money import Money
from victor_ext.typed import Form, Query

MOST = 2**31 - 1
"""The largest whole number that is not an amount: a page, a status, a quantity."""

_MOST_CENTS = 10**15
"""An amount of up to fifteen digits keeps its digits as a JSON number (IEEE 754, binary64)."""

_NO_ID = re.compile(r"[\x00-\x1f\x7f-\x9f]|\A\.{1,2}\Z")
"""What no part of a path can hold: control characters, and the names `.` and `..`."""


_KEY = Form(
    f"(?i:{GUID.pattern})", "a GUID as text, such as idempotency_key_for('invoice', 1042) makes"
)


class FlexFactorValidation(Query):
    """The problems of a call. Each method checks one argument, which `field` names."""

    def path_id(self, field: str, value: object) -> None:
        """An id that becomes a part of a path, now or later. The path has it percent-encoded."""
        self.text(field, value)
        self.path_characters(field, value)

    def path_characters(self, field: str, value: object) -> None:
        """No character that a part of a path cannot have."""
        if isinstance(value, str) and _NO_ID.search(value):
            message = (
                f"{field} is '.' or '..', or has a control character, so no path can hold "
                "it: write another id."
            )
            self.note(field, "characters", message)

    def key(self, field: str, value: object) -> None:
        """An idempotency key; None: the client makes one."""
        self.form(field, value, _KEY, required=False)

    def amount(self, field: str, value: object) -> None:
        """An amount above zero."""
        if not isinstance(value, Money):
            what = (
                f"not {kind_of(value)}: write Money.of('44.23', 'USD'), or Money(4423, 'USD') "
                "in cents"
            )
            self.note(field, "type", f"{field} must be Money, {what}.")
        elif problem := code_problem(field, value.currency, value.own_decimals):
            self.problems.append(problem)
        elif value.decimals != 2:
            what = (
                f"has {value.decimals} decimals: how FlexFactor, which counts hundredths, "
                "takes it is not documented"
            )
            self.note(field, "currency", f"{field} is in {value.currency}, which {what}.")
        elif value.minor_units < 1:
            self.note(field, "range", f"{field} is {value} and must be above zero.")
        elif value.minor_units >= _MOST_CENTS:
            self.note(field, "range", f"{field} must have at most fifteen digits.")


def note_card_numbers(
    check: validation.Validation, field: str, value: object, *, about_a_card: bool = False
) -> None:
    """Note a card number in a value: alone, among other words, as a name, or at any depth.

    With `about_a_card=False` only the members whose names say that they are about a card are
    checked: another number may happen to end with the check digit of a card number. No message
    shows the number.
    """
    places = [*card_data_in(value, field, about_a_card=about_a_card)]
    for place in dict.fromkeys(place for place, is_number in places if is_number):
        what = (
            "looks like a card number (13 to 19 digits with a check digit), and a card is "
            "named by its token"
        )
        hint = 'see "A token for the card" in docs/flexfactor.md'
        check.note(place, "card_number", f"{place} {what} alone: {hint}.")
