"""Checks of arguments, before anything is sent.

There are few, because the provider documents hardly any limits.
"""

from victor_ext._runtime.core import validation
from victor_ext._runtime.core.card_data import card_data_in
from victor_ext._runtime.loop.idempotency_keys import new_key
from victor_ext._values.ids import GUID
from victor_ext.typed import Form, Query, Request

MOST = 2**31 - 1
"""The largest whole number that is not an amount: a page, a status, a quantity."""

_MOST_CENTS = 10**15 - 1
"""An amount of up to fifteen digits keeps its digits as a JSON number (IEEE 754, binary64)."""

_KEY = Form(
    f"(?i:{GUID.pattern})", "a GUID as text, such as idempotency_key_for('invoice', 1042) makes"
)


def check_amount(check: Query, amount: object) -> bool:
    """Whether an amount is above zero, and of a currency with two decimals."""
    return check.money("amount", amount, 1, _MOST_CENTS, decimals=2)


def checked_key(check: Query, request: Request) -> str:
    """The idempotency key of a call, or a new one. What is wrong with the caller's is noted."""
    key: str | None = request.by_hand["idempotency_key"]
    check.text("idempotency_key", key, shortest=0, form=_KEY, required=False)
    return new_key() if key is None else key


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
