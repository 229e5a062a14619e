"""What is checked before anything is sent, all of it at once.

Few rules: the provider documents hardly any limits, and a rule that it does not have would refuse what it takes.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import fields
from datetime import date, datetime
from ipaddress import ip_address
from typing import Any, cast

from victor_ext.errors import Problem
from victor_ext.money import Money
from victor_ext.redaction import kind_of
from victor_ext.runtime.client import validation

from .amounts import amount_problem
from .answers import is_list, is_object
from .inputs import Address, Card, OrderItem, Payer, Subscription, Transaction
from .settings import GUID

_LONGEST_NUMBER = 1024
"""Bits of a whole number; a longer one is none for most readers of JSON, and for Python's writer neither."""

_MOST_LEVELS = 50
"""Objects and lists within each other; no body of this provider has nearly as many."""

_NO_ID = re.compile(r"[\x00-\x1f\x7f-\x9f]|\A\.{1,2}\Z")
"""What cannot be a part of a path, however it is written: control characters, and the two names of other folders."""


class Findings(validation.Findings):
    """The problems of a call, by what is known of this provider."""

    def text(self, field: str, value: object, *, required: bool = True) -> bool:
        """Check a text; whether there is one to look at further. One that is not required may be empty."""
        if (value is None or value == "") and not required:
            return False
        if not isinstance(value, str):
            hint = "" if value is None else f", not {kind_of(value)}"
            self.add(Problem(field, "required" if value is None else "type", f"{field} must be text{hint}."))
        elif required and not value.strip():
            self.add(Problem(field, "required", f"{field} is empty: give it a value."))
        elif not _is_unicode(value):
            self.add(Problem(field, "unicode", f"{field} holds half of a character (a lone surrogate)."))
        else:
            return True
        return False

    def texts(self, field: str, part: Address | Card | Payer | Transaction | OrderItem | Subscription) -> None:
        """Check all texts of a part: those that it must have, and those that it may."""
        for each in fields(part):
            if each.type in ("str", "str | None"):
                self.text(f"{field}.{each.name}", getattr(part, each.name), required=each.type == "str")

    def path_id(self, field: str, value: object) -> None:
        """Check an id that becomes a part of a path, now or later. All else is written there percent-encoded."""
        if self.text(field, value) and isinstance(value, str) and _NO_ID.search(value):
            what = "holds a control character" if value.strip(".") else f"is {value!r}"
            message = f"{field} {what}, which no path of the API can hold: give the order another id."
            self.add(Problem(field, "characters", message))

    def key(self, value: object) -> None:
        """Check a caller's idempotency key: a GUID."""
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
        """Check an aware datetime."""
        if value is None and not required:
            return
        if not isinstance(value, datetime):
            self.add(Problem(field, "type", f"{field} must be an aware datetime, not {kind_of(value)}."))
        elif value.utcoffset() is None:
            message = f"{field} has no time zone: write datetime(..., tzinfo=UTC)."
            self.add(Problem(field, "naive", message))
        elif not 1 < value.year < 9999:
            self.add(Problem(field, "range", f"{field} is in the year {value.year}: that cannot be meant."))

    def part(self, field: str, value: object, kind: type, *, required: bool = False) -> bool:
        """Check the class of a part of the request; whether it is there."""
        if value is None and not required:
            return False
        if isinstance(value, kind):
            return True
        message = f"{field} must be {kind.__name__}(...), not {kind_of(value)}."
        self.add(Problem(field, "required" if value is None else "type", message))
        return False


def check_transaction(
    found: Findings,
    *,
    order_id: object,
    amount: object,
    transaction: object,
    payer: object,
    card: object,
    billing: object,
    shipping: object,
    items: object,
    subscription: object,
    more_fields: object,
) -> None:
    """Check what `evaluate` and `transmit` have in common."""
    found.path_id("order_id", order_id)  # `external_cancel` has to be able to name it
    found.add(amount_problem("amount", amount))
    if found.part("transaction", transaction, Transaction, required=True) and isinstance(transaction, Transaction):
        found.texts("transaction", transaction)
        found.moment("transaction.occurred_at", transaction.occurred_at, required=True)
    if found.part("card", card, Card, required=True) and isinstance(card, Card):
        _check_card(found, card)
    _check_people(found, payer, billing=billing, shipping=shipping)
    _check_items(found, items, getattr(amount, "currency", None))
    _check_subscription(found, subscription)
    _check_fields(found, more_fields)


def _check_people(found: Findings, payer: object, **addresses: object) -> None:
    if found.part("payer", payer, Payer, required=True) and isinstance(payer, Payer):
        found.texts("payer", payer)
        birthdate: object = payer.birthdate
        if birthdate is not None and not isinstance(birthdate, date):
            message = f"payer.birthdate must be a date, not {kind_of(birthdate)}."
            found.add(Problem("payer.birthdate", "type", message))
    for name, address in addresses.items():
        if found.part(name, address, Address) and isinstance(address, Address):
            found.texts(name, address)


def _check_subscription(found: Findings, subscription: object) -> None:
    if found.part("subscription", subscription, Subscription) and isinstance(subscription, Subscription):
        found.texts("subscription", subscription)


def _check_fields(found: Findings, fields: object) -> None:
    if fields is None:
        return
    if is_object(fields):
        for name, value in fields.items():
            found.text("a name in fields", name)
            found.text(f"fields[{name!r}]", value)
    else:
        found.add(Problem("fields", "type", f"fields must be a dict of text to text, not {kind_of(fields)}."))


def check_customer_ip(found: Findings, value: object) -> None:
    """Check the payer's IP address."""
    if not found.text("customer_ip", value, required=False):
        return
    try:
        ip_address(str(value))
    except ValueError:
        found.add(Problem("customer_ip", "format", "customer_ip must be an IPv4 or IPv6 address."))


def _check_card(found: Findings, card: Card) -> None:
    found.texts("card", card)
    for name in ("bin", "last4"):
        digits: object = getattr(card, name)
        if isinstance(digits, str) and not (digits.isascii() and digits.isdigit()):
            found.add(Problem(f"card.{name}", "format", f"card.{name} must be digits alone."))
    for name, least, most in (("expiration_month", 1, 12), ("expiration_year", 1000, 9999)):
        number: object = getattr(card, name)
        whole = isinstance(number, int) and not isinstance(number, bool)
        if number is not None and not (whole and least <= number <= most):  # type: ignore[operator] # it is an int
            message = f"card.{name} must be a whole number from {least} to {most}."
            found.add(Problem(f"card.{name}", "range", message))


def _check_items(found: Findings, items: object, currency: object) -> None:
    if not isinstance(items, list | tuple):
        found.add(Problem("items", "type", f"items must be a list of OrderItem(...), not {kind_of(items)}."))
        return
    for place, item in enumerate(cast("Sequence[object]", items)):
        field = f"items[{place}]"
        if found.part(field, item, OrderItem, required=True) and isinstance(item, OrderItem):
            found.texts(field, item)
            for name, amount in (("amount", item.amount), ("discount", item.discount), ("tax", item.tax)):
                if amount is not None or name == "amount":
                    _check_item_amount(found, f"{field}.{name}", amount, currency)


def _check_item_amount(found: Findings, field: str, amount: Money | None, currency: object) -> None:
    problem = amount_problem(field, amount, zero=True)
    if problem is None and amount is not None and amount.currency != currency:
        problem = Problem(field, "currency", f"{field} is in {amount.currency}, and the transaction is not.")
    found.add(problem)


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def check_wire(body: dict[str, Any], doing: str) -> None:
    """Check that JSON can carry what the caller gave: no lone surrogate, no NaN, no object of another type.

    Raises:
        InvalidRequest: Something in it cannot be written. No message shows a value.
    """
    found = Findings()
    for field in _unwritable(body, ""):
        found.add(Problem(field, "type", f"{field} is nothing that JSON can carry."))
    found.finish(doing)


def _unwritable(value: object, field: str, levels: int = _MOST_LEVELS) -> Iterator[str]:
    if levels == 0:
        yield field
    elif is_object(value):
        for name, each in value.items():
            path = f"{field}.{name}".lstrip(".") if isinstance(name, str) and _is_unicode(name) else ""
            yield from _unwritable(each, path, levels - 1) if path else [field or "the body"]
    elif is_list(value):
        for place, each in enumerate(value):
            yield from _unwritable(each, f"{field}[{place}]", levels - 1)
    elif isinstance(value, str):
        yield from () if _is_unicode(value) else [field]
    elif isinstance(value, int):
        yield from () if value.bit_length() <= _LONGEST_NUMBER else [field]
    elif value is not None:
        yield from () if isinstance(value, float) and math.isfinite(value) else [field]
