"""Checks of arguments, before anything is sent. There are few, because the provider documents hardly any limits."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import fields as dataclass_fields
from decimal import Decimal
from ipaddress import ip_address
from typing import Any, TypeGuard, TypeVar

from flexfactor_api import models

from victor_ext.errors import Problem
from victor_ext.money import Money
from victor_ext.privacy import kind_of, one_line
from victor_ext.runtime.core import validation
from victor_ext.runtime.core.json_values import is_list, is_object
from victor_ext.runtime.core.validation import is_encodable, moment_problem

from .settings import GUID

B = TypeVar("B", "models.EvaluateRequest", "models.TransmitRequest")

_MOST_CENTS = 10**15
"""An amount of up to fifteen digits keeps its digits as a JSON number (IEEE 754, binary64)."""

_MOST_BITS = 1024
"""The longest integer. Most readers of JSON take no longer one, nor does Python write it."""

_MOST_LEVELS = 50
"""The deepest nesting of objects and lists; no body of this provider comes near it."""

_NO_ID = re.compile(r"[\x00-\x1f\x7f-\x9f]|\A\.{1,2}\Z")
"""What no part of a path can hold: control characters, and the names `.` and `..`."""

_SHORTEST_CARD, _LONGEST_CARD = 13, 19
_MOST_CHARACTERS = 10_000
_GROUPS = re.compile(r"(?<!\w)[0-9]+(?:[\W_]{1,3}[0-9]+)*(?!\w)")
_NO_TEXT = frozenset({"Cf", "Mn"})
"""Characters without a width: they divide digits, and nobody sees it."""
_CARD_NAMES = ("card", "paymentmethod", "paymentinstrument")


class Validation(validation.Validation):
    """The problems of a call. Each method checks one argument."""

    def texts(self, field: str, part: Any) -> None:
        """All texts of a dataclass; those of type `str` are required, others may be empty."""
        for member in dataclass_fields(part):
            if member.type in ("str", "str | None"):
                required = member.type == "str"
                name = f"{field}.{member.name}"
                self.text(name, getattr(part, member.name), shortest=int(required), required=required)

    def path_id(self, field: str, value: object) -> None:
        """An id that becomes a part of a path, now or later. The path has it percent-encoded."""
        self.text(field, value)
        if isinstance(value, str) and _NO_ID.search(value):
            what = "holds a control character" if value.strip(".") else f"is {value!r}"
            message = f"{field} {what}, which no path of the API can hold: give the order another id."
            self.add(Problem(field, "characters", message))

    def key(self, value: object) -> None:
        """The caller's idempotency key: a GUID, or None."""
        wanted = "a GUID as text, such as idempotency_key_for('invoice', 1042) makes"
        self.matching("idempotency_key", value, GUID, wanted, required=False)

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

    def no_card_number(self, field: str, value: object) -> None:
        """No card number, alone or among other words, in any environment. The message does not show the value."""
        if has_card_number(value):
            self.add(card_number_problem(field))

    def no_card_numbers_within(self, field: str, members: object) -> None:
        """No card number in a member that is about a card, by its name, at any depth; nor as a name."""
        for place in places_of_card_numbers(members):
            self.add(card_number_problem(f"{field}.{place}".rstrip(".")))

    def ip_address(self, field: str, value: object) -> None:
        """An IP address, or None."""
        self.text(field, value, shortest=0, required=False)
        if isinstance(value, str) and value:
            try:
                ip_address(value)
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


def check_wire(body: B, doing: str) -> B:
    """The body, which JSON can carry: no lone surrogate, no NaN, no object of another type.

    Raises:
        InvalidRequest: Something in it cannot be written. No message shows a value.
    """
    validation = Validation()
    for field in _unwritable(body.to_dict(), ""):
        validation.note(field, "type", f"{field} is nothing that JSON can carry.")
    validation.finish(doing)
    return body


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


# Card numbers: where one stands in place of a token, nothing is sent.


def is_card_number(value: object) -> bool:
    """Whether text or a number is that of a card: 13 to 19 digits, the last of them a check digit (ISO/IEC 7812-1).

    The digits may be of any script, and anything but letters may divide them.
    """
    text = _text_of(value)
    return text is not None and _is_number(re.sub(r"[\W_]", "", text))


def has_card_number(value: object) -> bool:
    """Whether text is a card number, or has one among other words (as on a magnetic stripe). A GUID in it is none."""
    text = _text_of(value)
    if text is None:
        return False
    text = GUID.sub("GUID", text)
    return _is_number(re.sub(r"[\W_]", "", text)) or any(map(_is_number, _joined_groups(text)))


def places_of_card_numbers(members: object, *, about_a_card: bool = False) -> Iterator[str]:
    """The members of a JSON value with a card number, as `details.paymentMethod`, without the name that is one itself.

    Args:
        members: Any value; what is nested more deeply than JSON is written here is not searched.
        about_a_card: Whether all of it is about a card. Otherwise only members are whose name says so, because an
            order may have a number whose last digit happens to be right. A name is never a card number.
    """
    yield from dict.fromkeys(_places(members, "", about_a_card, _MOST_LEVELS))


def _places(value: object, place: str, about_a_card: bool, levels: int) -> Iterator[str]:  # noqa: FBT001 - as its caller
    if levels == 0:
        return
    if _is_mapping(value):
        for name, item in value.items():
            if has_card_number(name):
                yield place
                continue
            inner = f"{place}.{one_line(name)}".lstrip(".") if isinstance(name, str) else place
            # The outermost member about a card is named: within it, a name may say more than it should.
            named = place if about_a_card else inner
            yield from _places(item, named, about_a_card or _is_about_a_card(name), levels - 1)
    elif is_list(value):
        for item in value:
            yield from _places(item, place, about_a_card, levels - 1)
    elif about_a_card and has_card_number(value):
        yield place


def _is_mapping(value: object) -> TypeGuard[Mapping[Any, Any]]:
    return isinstance(value, Mapping)


def _is_about_a_card(name: object) -> bool:
    folded = re.sub(r"[\W_]", "", name).casefold() if isinstance(name, str) else ""
    return folded == "pan" or any(word in folded for word in _CARD_NAMES)


def _text_of(value: object) -> str | None:
    """Text or a whole number with digits of ASCII, and without invisible characters. None: it is neither."""
    if isinstance(value, Decimal):
        whole = value.is_finite() and 0 <= value.adjusted() < _LONGEST_CARD and value == value.to_integral_value()
        return f"{value:.0f}" if whole else None
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value) if 0 <= value < 10**_LONGEST_CARD else None
    if not isinstance(value, str):
        return None
    text = str(value)[:_MOST_CHARACTERS]
    if text.isascii():
        return text
    normal = unicodedata.normalize("NFKC", text)
    return "".join(
        str(unicodedata.decimal(char, char)) for char in normal if unicodedata.category(char) not in _NO_TEXT
    )


def _joined_groups(text: str) -> Iterator[str]:
    """The groups of digits in a text, each alone and with those that follow."""
    for match in _GROUPS.finditer(text):
        groups = re.findall("[0-9]+", match[0])
        for first in range(len(groups)):
            joined = ""
            for group in groups[first:]:
                joined += group
                if len(joined) > _LONGEST_CARD:
                    break
                yield joined


def _is_number(digits: str) -> bool:
    if not (_SHORTEST_CARD <= len(digits) <= _LONGEST_CARD and digits.isascii() and digits.isdigit()):
        return False
    doubled = (sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (sum(doubled) + sum(map(int, digits[-1::-2]))) % 10 == 0
