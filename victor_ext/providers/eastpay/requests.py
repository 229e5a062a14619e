"""What a caller passes: the checks of arguments, before anything is sent, and cards.

All problems of a call are reported together. Nothing shows more of a card than its last four
digits.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import fields
from functools import partial
from typing import Any, TypeVar, cast

import httpx
from eastpay_api import models

from victor_ext.money import Money
from victor_ext.privacy import (
    AccountNumber,
    OddAccount,
    Secret,
    concealed,
    concealed_account,
    kind_of,
    mask,
    one_line,
)
from victor_ext.runtime.auth.credentials import UnpicklableCredentials
from victor_ext.runtime.client.requests import folded_name
from victor_ext.runtime.client.runners import drop_none
from victor_ext.runtime.core import validation
from victor_ext.runtime.core.validation import is_encodable
from victor_ext.runtime.http.from_httpx2 import as_httpx

from .system import Entity

FormT = TypeVar("FormT", "models.PaymentForm", "models.FollowUpForm", "models.CheckoutForm")

_MOST_UNITS = 10**10
"""Units of a currency from which on an amount has too many digits."""
_SHORTEST_URL, _LONGEST_URL = 6, 2048
LONGEST_REFERENCE = 255
ID = re.compile(r"(?!\.+\Z)[A-Za-z0-9._~-]{1,128}")
_HOST = re.compile(rb"[a-z0-9._-]+|[0-9a-f:.]+")
_NAME = re.compile(r"[A-Za-z0-9_.\[\]-]{1,128}")
_GAPS = re.compile("[ -]")
_DIGITS = re.compile("[0-9]+")
_MONTH = re.compile("0?[1-9]|1[0-2]")
_YEAR = re.compile("(?:19|20)[0-9]{2}")


class Validation(validation.Validation):
    """The problems of a call. Each method checks one argument, and returns what is sent for it."""

    def form(self, model: type[FormT], entity: Entity, request: Any, **fixed: str) -> FormT:
        """The form of a request object.

        It has the entity, the `fixed` parameters of the call, the fields of the request that have
        checks, and the caller's further `parameters`.

        Raises:
            InvalidRequest: A check failed.
        """
        sent: dict[str, Any] = {}
        for field in fields(request):
            value = getattr(request, field.name)
            is_left_out = value is None and field.default is None
            if field.name in _CHECKS and not is_left_out:
                sent[field.name] = _CHECKS[field.name](self, field.name, value)
        further = self.parameters(request.parameters, _sources_of(model, request))
        self.finish()
        # Each of these two arguments is several parameters of the form.
        amount = sent.pop("amount", {})
        card = sent.pop("card", {})
        form = model(
            entity_id=entity.id, entity_type=entity.type, **fixed, **amount, **card, **sent
        )
        form.additional_properties = further
        return form

    def own_reference(self, name: str, value: object) -> Any:
        """The merchant's own reference of a payment, which a response may repeat."""
        before = len(self.problems)
        self.reference(name, value, LONGEST_REFERENCE)
        if len(self.problems) == before:
            self.comparable(name, value, required=True)
        return value

    def card(self, name: str, card: object) -> dict[str, str]:
        """The parameters of the form for a card."""
        if isinstance(card, Card | CardToken):
            return card.fields()
        what = f"card must be Card(...) or CardToken(...), not {kind_of(card)}."
        self.note(name, "type", what)
        return {}

    def amount(self, name: str, amount: object) -> dict[str, str]:
        """Amount and currency as the gateway writes them: major units with two decimals after a
        dot.
        """
        if not isinstance(amount, Money):
            what = f"amount must be Money, not {kind_of(amount)}: write Money.of('92.00', 'EGP')."
            self.note(name, "type", what)
            return {}
        decimals = amount.decimals
        hundredths = amount.minor_units * 10 ** max(0, 2 - decimals)
        if decimals > 2:
            what = (
                f"amount is in {amount.currency}, which has {decimals} decimals, and the gateway "
                "takes two."
            )
            self.note(name, "decimals", what)
        elif hundredths <= 0:
            self.note(name, "range", f"amount is {amount} and must be above zero.")
        elif hundredths >= _MOST_UNITS * 100:
            self.note(
                name,
                "range",
                f"amount is {amount}, and the gateway takes ten digits before the dot.",
            )
        else:
            units, rest = divmod(hundredths, 100)
            return {"amount": f"{units}.{rest:02d}", "currency": amount.currency}
        return {}

    def printable(self, name: str, value: object, longest: int) -> Any:
        """Text that can be shown, up to a length."""
        before = len(self.problems)
        self.text(name, value, longest)
        if len(self.problems) == before and not str(value).isprintable():
            self.note(name, "characters", f"{name} must be printable.")
        return value

    def url(self, name: str, value: object) -> str | None:
        """A URL that the gateway calls or sends the shopper to, with percent-encoding in place of
        non-ASCII characters.

        The form encodes it once more, as the gateway's document asks.
        """
        value = as_httpx(value)
        url = _encoded_url(str(value)) if isinstance(value, str | httpx.URL) else None
        if url is None:
            what = (
                f"{name} must be an absolute http or https URL without blanks, such as "
                "https://shop.example/paid."
            )
            self.note(name, "invalid", what)
        elif not _SHORTEST_URL <= len(url) <= _LONGEST_URL:
            what = (
                f"{name} must have {_SHORTEST_URL} to {_LONGEST_URL} characters, and has "
                f"{len(url)}."
            )
            self.note(name, "length", what)
        return url

    def id(self, name: str, value: Any) -> Any:
        """An id of the gateway's: it cannot change the rest of a path."""
        return self.matching(name, value, ID, "an id of the gateway's: letters, digits and - . _ ~")

    def parameters(self, parameters: object, sources: Mapping[str, str]) -> dict[str, str]:
        """The caller's further parameters, by their names on the wire. No message shows their
        values.

        `sources` names what sets each parameter that the call itself sends: a further parameter
        must be none of these.
        """
        if parameters is None:
            return {}
        if not isinstance(parameters, Mapping):
            what = f"parameters must map names to text, not be {kind_of(parameters)}."
            self.note("parameters", "type", what)
            return {}
        further: dict[Any, Any] = {}
        for name, value in cast("Any", parameters).items():
            further[name] = concealed(value)
        taken = {folded_name(name): source for name, source in sources.items()}  # in any spelling
        for name, value in further.items():
            is_text = isinstance(value, str) and is_encodable(value)
            if not isinstance(name, str) or not _NAME.fullmatch(name) or not is_text:
                what = (
                    f"parameters: {one_line(name)!r} must be a name such as 'customer.email', "
                    "with text."
                )
                self.note("parameters", "invalid", what)
                continue
            folded = folded_name(name)
            if folded in taken or folded.startswith("card."):
                source = taken.get(folded, "the argument card of debit and preauthorise")
                what = f"parameters: {name} comes from {source}: leave it out here."
                self.note("parameters", "taken", what)
        return further


_CHECKS: Mapping[str, Callable[[Validation, str, Any], Any]] = {
    "amount": Validation.amount,
    "card": Validation.card,
    "merchant_transaction_id": Validation.own_reference,
    "notification_url": Validation.url,
    "shopper_result_url": Validation.url,
    "payment_type": partial(Validation.printable, longest=2),
    "payment_brand": partial(Validation.printable, longest=32),
    "checkout_type": partial(Validation.printable, longest=32),
    "checkout_id": partial(Validation.printable, longest=255),
    "merchant_id": partial(Validation.printable, longest=255),
    "original_transaction_id": partial(Validation.printable, longest=255),
}
"""How each argument of a request is checked. It returns what is sent: of an amount and of a card
several parameters.
"""


_SOURCES = {
    "entity_id": "the entity_id of the client",
    "entity_type": "the entity_type of the client",
    "amount": "the argument amount",
    "currency": "the argument amount",
    "payment_type": "the call",
}


def _sources_of(model: type[Any], request: Any) -> dict[str, str]:
    """What sets each parameter that a call sends, by the parameter's name on the wire."""
    sources = {field.name: f"the argument {field.name}" for field in fields(request)} | _SOURCES
    # A form whose values are the names of its own fields tells the name on the wire of each field.
    names = {field.name: field.name for field in model.__attrs_attrs__ if field.init}
    form = model(**names).to_dict()
    return {wire_name: sources[name] for wire_name, name in form.items() if name in sources}


def check_id(name: str, value: object) -> None:
    """Check the only argument of a call. Raises `InvalidRequest`."""
    with Validation() as validation:
        validation.id(name, value)


def _encoded_url(text: str) -> str | None:
    """An absolute `http` or `https` URL in ASCII; None: the text is none."""
    if not text.isprintable() or " " in text:
        return None
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL:
        return None
    if url.scheme not in ("http", "https") or not _HOST.fullmatch(url.raw_host):
        return None
    return text if text.isascii() else str(url)


class Card(UnpicklableCredentials):
    """A card. Its `repr` shows the last four digits, nothing shows the others, and it cannot be
    pickled.

    Args:
        number: 8 to 19 digits, as text; blanks and hyphens between them are taken out.
        expiry_month: 1 to 12.
        expiry_year: Four digits.
        cvv: Three or four digits, as text.
        holder: The name on the card, at most 128 characters.

    Raises:
        InvalidRequest: An argument breaks a rule; `problems` has all of them, and no message
            repeats a digit.
    """

    __slots__ = ("_cvv", "_number", "expiry_month", "expiry_year", "holder")

    def __init__(
        self,
        number: str,
        *,
        expiry_month: int | str,
        expiry_year: int | str,
        cvv: str | None = None,
        holder: str | None = None,
    ) -> None:
        # Tracebacks must not show the digits, also where an argument has a wrong type.
        number = concealed_account(number)
        cvv = _hidden(cvv)
        digits = AccountNumber(_GAPS.sub("", number)) if isinstance(number, str) else number
        month = _date_part(expiry_month)
        year = _date_part(expiry_year)
        with Validation() as validation:
            validation.text(
                "card.number", digits, 19, shortest=8, form=_DIGITS, wanted="8 to 19 digits"
            )
            validation.text(
                "card.cvv",
                cvv,
                4,
                shortest=3,
                form=_DIGITS,
                wanted="three or four digits",
                required=False,
            )
            validation.matching("card.expiryMonth", month, _MONTH, "a month from 1 to 12")
            validation.matching("card.expiryYear", year, _YEAR, "four digits, as in 2030")
            if holder is not None:
                validation.printable("card.holder", holder, 128)
        self._number = digits
        self._cvv = None if cvv is None else Secret(cvv)
        self.expiry_month = month.zfill(2)
        self.expiry_year = year
        self.holder = holder

    @property
    def last_four(self) -> str:
        """The last four digits, which may be shown."""
        return str.__getitem__(self._number, slice(-4, None))

    def fields(self) -> dict[str, str]:
        """The fields of the form, by the names of the generated model.

        Their values show nothing in a traceback.
        """
        return drop_none(
            card_number=self._number,
            card_expiry_month=self.expiry_month,
            card_expiry_year=self.expiry_year,
            card_cvv=self._cvv,
            card_holder=self.holder,
        )

    def __repr__(self) -> str:
        if not hasattr(self, "holder"):
            return "Card(not valid)"  # in the traceback of what its constructor raised
        return f"Card({mask(self._number)!r}, {self.expiry_month}/{self.expiry_year})"


class CardToken(UnpicklableCredentials):
    """A stored card, by the gateway's token for it. The token is not shown, and cannot be pickled.

    Raises:
        InvalidRequest: It is not text of 1 to 64 characters.
    """

    __slots__ = ("_token",)

    def __init__(self, token: str) -> None:
        token = concealed(token)
        with Validation() as validation:
            validation.printable("card.token", token, 64)
        self._token = token

    def fields(self) -> dict[str, str]:
        """The field of the form, by the name of the generated model."""
        return {"card_token": self._token}


def _date_part(value: object) -> str:
    """A month or a year as text; empty: the value is neither text nor a number of four digits."""
    if isinstance(value, str):
        return value
    if isinstance(value, int) and 0 <= value < 10_000:
        return str(value)
    return ""


def _hidden(cvv: Any) -> Any:
    """A CVV of any type, as a value that shows nothing."""
    if cvv is None:
        return None
    return concealed(cvv) if isinstance(cvv, str) else OddAccount(cvv)
