"""What is checked here, before anything is sent: amounts, references, URLs, ids and further parameters."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import httpx

from victor_ext.money import Money
from victor_ext.redaction import concealed, kind_of, one_line
from victor_ext.runtime.client.validation import Findings

from .cards import Card, CardToken

_MOST_UNITS = 10**10
_SHORTEST_URL, _LONGEST_URL = 6, 2048
_LONGEST_REFERENCE = 255
_ID = re.compile(r"[A-Za-z0-9._~-]{1,128}")
_HOST = re.compile(rb"[a-z0-9._-]+|[0-9a-f:.]+")
_NAME = re.compile(r"[A-Za-z0-9_.\[\]-]{1,128}")
_FORM_NAMES = frozenset(
    {"entityId", "entityType", "amount", "currency", "paymentType", "paymentBrand", "merchantTransactionId",
     "originalTransactionId", "notificationUrl", "shopperResultUrl", "merchant.id", "checkoutType", "checkoutId"}
)  # fmt: skip


class Checks(Findings):
    """Problems found so far; each method returns what is to be sent."""

    def amount(self, amount: object) -> dict[str, str]:
        """Amount and currency as the gateway writes them: major units, a dot, two decimals."""
        if not isinstance(amount, Money):
            what = f"amount must be Money, not {kind_of(amount)}: write Money.of('92.00', 'EGP')."
            self.note("amount", "type", what)
            return {}
        units = _hundredths(amount)
        if units is None:
            places = amount.decimals
            what = f"amount is in {amount.currency}, which has {places} decimals, and the gateway takes two."
            self.note("amount", "decimals", what)
        elif units <= 0:
            self.note("amount", "range", f"amount is {amount} and must be above zero.")
        elif units >= _MOST_UNITS * 100:
            self.note("amount", "range", f"amount is {amount}, and the gateway takes ten digits before the dot.")
        else:
            return {"amount": f"{units // 100}.{units % 100:02d}", "currency": amount.currency}
        return {}

    def reference(self, reference: object, name: str = "merchant_transaction_id") -> str:
        """A reference of the merchant's own, by which a person finds the payment."""
        if not isinstance(reference, str):
            what = f"{name} must be text, not {kind_of(reference)}: write a reference of your own, such as 'INV-1042'."
            self.note(name, "type", what)
            return ""
        if (
            not 0 < len(reference) <= _LONGEST_REFERENCE
            or not reference.isprintable()
            or reference != reference.strip()
        ):
            what = f"{name} must be 1 to {_LONGEST_REFERENCE} printable characters, without blanks around them."
            self.note(name, "invalid", what)
        return reference

    def text(self, name: str, value: object, longest: int, *, required: bool = False) -> str | None:
        """A text of a known length."""
        if value is None and not required:
            return None
        if not isinstance(value, str) or not 0 < len(value) <= longest or not value.isprintable():
            self.note(name, "invalid", f"{name} must be text of 1 to {longest} printable characters.")
            return None
        return value

    def url(self, name: str, value: object) -> str | None:
        """An address that the gateway calls or sends the shopper to; what is not ASCII in it is percent-encoded.

        The form encodes it once more, as the gateway asks.
        """
        if value is None:
            return None
        url = _encoded_url(value)
        if url is None:
            what = f"{name} must be an absolute http or https URL without blanks, such as https://shop.example/paid."
            self.note(name, "invalid", what)
        elif not _SHORTEST_URL <= len(url) <= _LONGEST_URL:
            what = f"{name} has {len(url)} characters and must have {_SHORTEST_URL} to {_LONGEST_URL}."
            self.note(name, "length", what)
        return url

    def id(self, name: str, value: object) -> str:
        """The gateway's id of something, fit to be a part of a path."""
        if not isinstance(value, str):
            self.note(name, "type", f"{name} must be text, not {kind_of(value)}.")
            return ""
        if not _ID.fullmatch(value) or not value.strip("."):
            what = f"{name} is {one_line(value)!r} and must be an id of the gateway's: letters, digits and - . _ ~"
            self.note(name, "invalid", what)
        return value

    def card(self, card: object) -> dict[str, str]:
        """The fields of a card, or none."""
        if card is None:
            return {}
        if not isinstance(card, Card | CardToken):
            self.note("card", "type", f"card must be Card(...) or CardToken(...), not {kind_of(card)}.")
            return {}
        return card.fields()

    def parameters(self, parameters: object) -> dict[str, str]:
        """Further parameters by their names on the wire. What they hold is nobody's business: it is not shown."""
        if parameters is None:
            return {}
        if not isinstance(parameters, Mapping):
            what = f"parameters must map names to text, not be {kind_of(parameters)}."
            self.note("parameters", "type", what)
            return {}
        given: dict[Any, Any] = {name: concealed(value) for name, value in parameters.items()}  # pyright: ignore[reportUnknownVariableType] - a caller's mapping may hold anything
        for name, value in given.items():
            if not isinstance(name, str) or not _NAME.fullmatch(name) or not _is_text(value):
                what = f"parameters: {one_line(name)!r} must be a name such as 'customer.email', with text."
                self.note("parameters", "invalid", what)
            elif name in _FORM_NAMES or name.startswith("card."):
                what = f"parameters: {name} has an argument of its own: leave it out here."
                self.note("parameters", "taken", what)
        return given


def _is_text(value: object) -> bool:
    """Whether it is text that UTF-8 has bytes for."""
    if not isinstance(value, str):
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _hundredths(amount: Money) -> int | None:
    """The amount in hundredths of its major unit, or None for a currency with finer parts."""
    places = amount.decimals
    return None if places > 2 else int(amount.minor_units * 10 ** (2 - places))


def _encoded_url(value: object) -> str | None:
    if not isinstance(value, str | httpx.URL):
        return None
    text = str(value)
    if not text.isprintable() or " " in text:
        return None
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL:
        return None
    if url.scheme not in ("http", "https") or not _HOST.fullmatch(url.raw_host):
        return None
    return text if text.isascii() else str(url)
