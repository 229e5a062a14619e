"""Checks of arguments, before anything is sent; all problems of a call are reported together.

There are few rules: the provider documents hardly any limits, and a rule that it does not have would refuse good calls.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import fields as dataclass_fields
from ipaddress import ip_address
from typing import Any, TypeGuard, cast

from victor_ext.errors import Problem
from victor_ext.money import Money
from victor_ext.privacy import kind_of
from victor_ext.runtime.core import validation
from victor_ext.runtime.core.json_values import is_list, is_object
from victor_ext.runtime.core.validation import is_encodable, moment_problem

from .card_numbers import has_card_number, places_of_card_numbers
from .settings import GUID

_MOST_CENTS = 10**15
"""An amount of up to fifteen digits keeps its digits as a JSON number (IEEE 754, binary64)."""

_MOST_BITS = 1024
"""The longest integer. Most readers of JSON take no longer one, nor does Python write it."""

_MOST_LEVELS = 50
"""The deepest nesting of objects and lists; no body of this provider comes near it."""

_NO_ID = re.compile(r"[\x00-\x1f\x7f-\x9f]|\A\.{1,2}\Z")
"""What no part of a path can hold: control characters, and the names `.` and `..`."""


class Validation(validation.Validation):
    """The problems of a call. Each method checks one argument."""

    def text(self, field: str, value: object, *, required: bool = True) -> bool:
        """Text; returns whether the value is usable. A text that is not required may be empty."""
        if (value is None or value == "") and not required:
            return False
        if not isinstance(value, str):
            hint = "" if value is None else f", not {kind_of(value)}"
            self.add(Problem(field, "required" if value is None else "type", f"{field} must be text{hint}."))
        elif required and not value.strip():
            self.add(Problem(field, "required", f"{field} is empty: give it a value."))
        elif not is_encodable(value):
            self.add(Problem(field, "unicode", f"{field} holds half of a character (a lone surrogate)."))
        else:
            return True
        return False

    def texts(self, field: str, part: Any) -> None:
        """All texts of a dataclass; those of type `str` are required."""
        for member in dataclass_fields(part):
            if member.type in ("str", "str | None"):
                self.text(f"{field}.{member.name}", getattr(part, member.name), required=member.type == "str")

    def path_id(self, field: str, value: object) -> None:
        """An id that becomes a part of a path, now or later. The path has it percent-encoded."""
        if self.text(field, value) and isinstance(value, str) and _NO_ID.search(value):
            what = "holds a control character" if value.strip(".") else f"is {value!r}"
            message = f"{field} {what}, which no path of the API can hold: give the order another id."
            self.add(Problem(field, "characters", message))

    def key(self, value: object) -> None:
        """The caller's idempotency key: a GUID, or None."""
        field = "idempotency_key"
        if value is None:
            return
        if not isinstance(value, str) or not GUID.fullmatch(value):
            message = (
                f"{field} must be a GUID as text, such as '0c5b2a57-8c3c-4b52-a6f1-3f2a0e7b9d11': "
                "idempotency_key_for('invoice', 1042) makes one."
            )
            self.add(Problem(field, "format", message))

    def moment(self, field: str, value: object, *, required: bool = False) -> None:
        """An aware datetime."""
        if value is not None or required:
            self.add(moment_problem(field, value))

    def amount(self, field: str, value: object) -> None:
        """An amount above zero."""
        self.add(amount_problem(field, value))

    def item_amount(self, field: str, value: object, currency: object) -> None:
        """An amount of an item, zero or more, in the currency of the transaction."""
        problem = amount_problem(field, value, zero=True)
        if problem is None and isinstance(value, Money) and value.currency != currency:
            problem = Problem(field, "currency", f"{field} is in {value.currency}, and the transaction is not.")
        self.add(problem)

    def digits(self, field: str, value: object) -> None:
        """Text of digits; the type is checked elsewhere."""
        if isinstance(value, str) and not (value.isascii() and value.isdigit()):
            self.note(field, "format", f"{field} must be digits alone.")

    def no_card_number(self, field: str, value: object) -> None:
        """No card number, alone or among other words, in any environment. The message does not show the value."""
        if has_card_number(value):
            self.add(card_number_problem(field))

    def no_card_numbers_within(self, field: str, members: object) -> None:
        """No card number in a member that is about a card, by its name, at any depth; nor as a name."""
        for place in places_of_card_numbers(members):
            self.add(card_number_problem(f"{field}.{place}".rstrip(".")))

    def integer(self, field: str, value: object, least: int, most: int) -> None:
        """A whole number, or None."""
        if value is not None and not (is_integer(value) and least <= value <= most):
            self.note(field, "range", f"{field} must be a whole number from {least} to {most}.")

    def ip_address(self, field: str, value: object) -> None:
        """An IP address, or None."""
        if self.text(field, value, required=False):
            try:
                ip_address(str(value))
            except ValueError:
                self.note(field, "format", f"{field} must be an IPv4 or IPv6 address.")

    def fields(self, value: object) -> None:
        """Names and texts of the merchant's own, or None."""
        if is_object(value):
            for name, text in value.items():
                self.text("a name in fields", name)
                if not has_card_number(name):  # else `no_card_numbers_within` says so, and shows none
                    self.text(f"fields[{name!r}]", text)
        elif value is not None:
            self.note("fields", "type", f"fields must be a dict of text to text, not {kind_of(value)}.")

    def request(self, field: str, value: object, kind: type[Any], *, required: bool = False, **context: Any) -> None:
        """A part of the request, which checks itself."""
        if isinstance(value, kind):
            cast("Any", value).check(self, field, **context)
        elif value is not None or required:
            code = "required" if value is None else "type"
            self.note(field, code, f"{field} must be {kind.__name__}(...), not {kind_of(value)}.")


def card_number_problem(field: str) -> Problem:
    """That a card number stands where none may be. The message does not show it."""
    message = (
        f"{field} looks like a card number (13 to 19 digits with a check digit), and a card is named by its "
        'token alone: see "A token for the card" in docs/flexfactor.md.'
    )
    return Problem(field, "card_number", message)


def amount_problem(field: str, amount: object, *, zero: bool = False) -> Problem | None:
    """What is wrong with an amount, or None."""
    if not isinstance(amount, Money):
        message = (
            f"{field} must be Money, not {kind_of(amount)}: write Money.of('44.23', 'USD'), or "
            "Money(4423, 'USD') in cents."
        )
        return Problem(field, "type", message)
    if amount.decimals != 2:
        message = (
            f"{field} is in {amount.currency}, which has {amount.decimals} decimals: FlexFactor counts hundredths, and "
            "how it would count these is not documented."
        )
        return Problem(field, "currency", message)
    if amount.minor_units < 0 or (amount.minor_units == 0 and not zero):
        return Problem(field, "range", f"{field} is {amount} and must be above zero.")
    if amount.minor_units >= _MOST_CENTS:
        return Problem(field, "range", f"{field} must have at most fifteen digits.")
    return None


def refund_problem(field: str, amount: object) -> Problem | None:
    """What is wrong with the amount of a refund, or None."""
    problem = amount_problem(field, amount)
    if problem is None and isinstance(amount, Money) and amount.currency != "USD":
        message = (
            f"{field} is in {amount.currency}: a refund names no currency, and FlexFactor documents its amount as "
            f"dollars, so {amount} could be given back as that many dollars. Refund what is not in USD in its portal."
        )
        return Problem(field, "currency", message)
    return problem


def is_integer(value: object) -> TypeGuard[int]:
    """Whether it is an int, and not a bool."""
    return isinstance(value, int) and not isinstance(value, bool)


def check_wire(body: dict[str, Any], doing: str) -> None:
    """Check that JSON can carry what the caller gave: no lone surrogate, no NaN, no object of another type.

    Raises:
        InvalidRequest: Something in it cannot be written. No message shows a value.
    """
    validation = Validation()
    for field in _unwritable(body, ""):
        validation.add(Problem(field, "type", f"{field} is nothing that JSON can carry."))
    validation.finish(doing)


def _unwritable(value: object, field: str, levels: int = _MOST_LEVELS) -> Iterator[str]:
    if levels == 0:
        yield field
    elif is_object(value):
        for name, item in value.items():
            path = f"{field}.{name}".lstrip(".") if isinstance(name, str) and is_encodable(name) else ""
            yield from _unwritable(item, path, levels - 1) if path else [field or "the body"]
    elif is_list(value):
        for place, item in enumerate(value):
            yield from _unwritable(item, f"{field}[{place}]", levels - 1)
    elif isinstance(value, str):
        yield from () if is_encodable(value) else [field]
    elif isinstance(value, int):
        yield from () if value.bit_length() <= _MOST_BITS else [field]
    elif value is not None:
        yield from () if isinstance(value, float) and math.isfinite(value) else [field]
