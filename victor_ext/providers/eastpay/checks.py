"""Checks of arguments, before anything is sent; all problems of a call are reported together."""

import re
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, TypeVar, cast

import httpx
from eastpay_api import models

from victor_ext.money import Money
from victor_ext.privacy import concealed, kind_of, one_line
from victor_ext.runtime.client.extras import folded_name
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


class Validation(validation.Validation):
    """The problems of a call. Each method checks one argument, and returns what is sent for it."""

    def form(self, model: type[FormT], entity: Entity, request: Any, **fixed: str) -> FormT:
        """The form of a request object.

        It has the entity, the `fixed` parameters of the call, the fields of the request that have
        rules, and the caller's further `parameters`.

        Raises:
            InvalidRequest: A check failed.
        """
        sent = self.checked(request)
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
