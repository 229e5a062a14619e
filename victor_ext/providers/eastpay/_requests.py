"""What a caller passes: the checks of arguments, before anything is sent, and cards.

All problems of a call are reported together. Nothing shows more of a card than its last four
digits.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import Any, cast

import httpx

from victor_ext._privacy import (
    AccountNumber,
    OddAccount,
    Secret,
    concealed,
    concealed_account,
    kind_of,
    mask,
    one_line,
)
from victor_ext._runtime.auth.credentials import UnpicklableCredentials
from victor_ext._runtime.client.requests import Body, folded_name
from victor_ext._runtime.core.currencies import code_problem
from victor_ext._runtime.core.validation import Form, Validation, is_encodable
from victor_ext.money import Money
from victor_ext.typed import Request

from ._system import Entity

_Check = Callable[[Validation, str, Any], Any]

_MOST_UNITS = 10**10
"""Units of a currency from which on an amount has too many digits."""
_SHORTEST_URL, _LONGEST_URL = 6, 2048
_LONGEST_REFERENCE = 255
ID = Form(r"(?!\.+\Z)[A-Za-z0-9._~-]{1,128}", "an id of the gateway's: letters, digits and - . _ ~")
_HOST = re.compile(rb"[a-z0-9._-]+|[0-9a-f:.]+")
_NAME = re.compile(r"[A-Za-z0-9_.\[\]-]{1,128}")
_GAPS = re.compile("[ -]")
_NUMBER = Form("[0-9]+", "8 to 19 digits")
_CVV = Form("[0-9]+", "three or four digits")
_MONTH = Form("0?[1-9]|1[0-2]", "a month from 1 to 12")
_YEAR = Form("(?:19|20)[0-9]{2}", "four digits, as in 2030")


def checked_form(
    check: Validation, entity: Entity, request: Request, required: Collection[str], **fixed: str
) -> Body:
    """The form of a request.

    It has the entity, the `fixed` parameters of the call, the arguments that have checks, of which
    those in `required` may not be None, and the caller's further `parameters`.

    Raises:
        InvalidRequest: A check failed.
    """
    check.problems += request.check.problems
    form = Body(entityId=entity.id, entityType=entity.type, **fixed)
    sources = {**dict.fromkeys(request.body, "an argument"), **_SOURCES}
    for argument, value in request.by_hand.items():
        if argument not in _PARAMETERS:
            continue
        name, checked = _PARAMETERS[argument]
        if checked is not _card:  # no parameter of this name is sent
            sources.setdefault(name, f"the argument {argument}")
        if value is not None or argument in required:
            sent = checked(check, argument, value)
            form |= sent if isinstance(sent, dict) else {name: sent}
    form |= request.body
    form |= _further_parameters(check, request.by_hand["parameters"], sources)
    check.finish()
    return form


def _reference(check: Validation, name: str, value: object) -> object:
    """The merchant's own reference of a payment, which a response may repeat."""
    check.reference(name, value, _LONGEST_REFERENCE)
    check.comparable(name, value, required=True)
    return value


def _card(check: Validation, name: str, card: object) -> dict[str, str]:
    """The parameters of the form for a card."""
    if isinstance(card, Card | CardToken):
        return card.fields()
    what = f"card must be Card(...) or CardToken(...), not {kind_of(card)}."
    check.note(name, "type", what)
    return {}


def _amount(check: Validation, name: str, amount: object) -> dict[str, str]:
    """Amount and currency as the gateway writes them: major units with two decimals after a dot."""
    if not isinstance(amount, Money):
        what = f"amount must be Money, not {kind_of(amount)}: write Money.of('92.00', 'EGP')."
        check.note(name, "type", what)
        return {}
    if problem := code_problem(name, amount.currency, amount.own_decimals):
        check.problems.append(problem)
        return {}
    decimals = amount.decimals
    hundredths = amount.minor_units * 10 ** max(0, 2 - decimals)
    if decimals > 2:
        what = (
            f"amount is in {amount.currency}, which has {decimals} decimals, and the gateway takes "
            "two."
        )
        check.note(name, "decimals", what)
    elif hundredths <= 0:
        check.note(name, "range", f"amount is {amount} and must be above zero.")
    elif hundredths >= _MOST_UNITS * 100:
        what = f"amount is {amount}, and the gateway takes ten digits before the dot."
        check.note(name, "range", what)
    else:
        units, rest = divmod(hundredths, 100)
        return {"amount": f"{units}.{rest:02d}", "currency": amount.currency}
    return {}


def _url(check: Validation, name: str, value: object) -> str | None:
    """A URL that the gateway calls or sends the shopper to, with percent-encoding in place of
    non-ASCII characters.

    The form encodes it once more, as the gateway's document asks.
    """
    url = _encoded_url(str(value)) if isinstance(value, str | httpx.URL) else None
    if url is None:
        what = (
            f"{name} must be an absolute http or https URL without blanks, such as "
            "https://shop.example/paid."
        )
        check.note(name, "invalid", what)
    elif not _SHORTEST_URL <= len(url) <= _LONGEST_URL:
        what = f"{name} must have {_SHORTEST_URL} to {_LONGEST_URL} characters, and has {len(url)}."
        check.note(name, "length", what)
    return url


def _printable(longest: int) -> _Check:
    """Text that can be shown, up to a length."""
    return partial(Validation.text, longest=longest, printable=True)


_PARAMETERS: Mapping[str, tuple[str, _Check]] = {
    "amount": ("amount", _amount),
    "card": ("card", _card),
    "merchant_transaction_id": ("merchantTransactionId", _reference),
    "notification_url": ("notificationUrl", _url),
    "shopper_result_url": ("shopperResultUrl", _url),
    "payment_type": ("paymentType", _printable(2)),
    "payment_brand": ("paymentBrand", _printable(32)),
    "checkout_type": ("checkoutType", _printable(32)),
    "checkout_id": ("checkoutId", _printable(255)),
    "merchant_id": ("merchant.id", _printable(255)),
    "original_transaction_id": ("originalTransactionId", _printable(255)),
}
"""The parameter of the form for each argument of a request, and how the argument is checked. It
returns what is sent: of an amount and of a card several parameters.
"""
_SOURCES = {
    "entityId": "the entity_id of the client",
    "entityType": "the entity_type of the client",
    "currency": "the argument amount",
    "paymentType": "the call",
}
"""What sets the parameters of a form that are none of its call's arguments."""


def _further_parameters(
    check: Validation, parameters: object, sources: Mapping[str, str]
) -> dict[str, str]:
    """The caller's further parameters, by their names on the wire. No message shows their values.

    `sources` names what sets each parameter that the call itself sends: a further parameter must be
    none of these.
    """
    if parameters is None:
        return {}
    if not isinstance(parameters, Mapping):
        what = f"parameters must map names to text, not be {kind_of(parameters)}."
        check.note("parameters", "type", what)
        return {}
    further: dict[Any, Any] = {}
    taken = {folded_name(name): source for name, source in sources.items()}  # in any spelling
    for name, text in cast("Any", parameters).items():
        value = further[name] = concealed(text)
        is_text = isinstance(value, str) and is_encodable(value)
        if not isinstance(name, str) or not _NAME.fullmatch(name) or not is_text:
            what = (
                f"parameters: {one_line(name)!r} must be a name such as 'customer.email', with "
                "text."
            )
            check.note("parameters", "invalid", what)
            continue
        folded = folded_name(name)
        if folded in taken or folded.startswith("card."):
            source = taken.get(folded, "the argument card of debit and preauthorise")
            what = f"parameters: {name} comes from {source}: leave it out here."
            check.note("parameters", "taken", what)
    return further


def checked_id(check: Validation, name: str, value: Any) -> Any:
    """An id of the gateway's: it cannot change the rest of a path."""
    return check.form(name, value, ID)


def check_id(name: str, value: object) -> None:
    """Check the only argument of a call. Raises `InvalidRequest`."""
    with Validation() as check:
        checked_id(check, name, value)


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
            validation.form("card.number", digits, _NUMBER, 19, 8)
            validation.form("card.cvv", cvv, _CVV, 4, 3, required=False)
            validation.form("card.expiryMonth", month, _MONTH)
            validation.form("card.expiryYear", year, _YEAR)
            if holder is not None:
                validation.text("card.holder", holder, 128, printable=True)
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
        """The parameters of the form. Their values show nothing in a traceback."""
        parameters = {
            "card.holder": self.holder,
            "card.number": self._number,
            "card.expiryMonth": self.expiry_month,
            "card.expiryYear": self.expiry_year,
            "card.cvv": self._cvv,
        }
        return {name: value for name, value in parameters.items() if value is not None}

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
            validation.text("card.token", token, 64, printable=True)
        self._token = token

    def fields(self) -> dict[str, str]:
        """The parameter of the form."""
        return {"card.token": self._token}


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
