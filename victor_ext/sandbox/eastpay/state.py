"""The options and the state of EastPay's sandbox: payments, steps and checkouts."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from victor_ext.sandbox.server import Clock, JsonObject
from victor_ext.sandbox.server.notifying import NotifyingSettings
from victor_ext.sandbox.server.settings import option

SUCCEEDED = "000.000.000"
STARTED = "000.200.100"
NO_SUCH_REFERENCE = "100.300.100"
"""Of the documented group for references that are not accepted.

The detail is the sandbox's choice.
"""
WRONG_CVV = "800.100.153"
"""The bank declined the authorization because of the CVV: the page's own example."""
EXPIRED_CARD = "800.100.157"
"""The bank declined the authorization because of the expiry date.

The page documents both groups. The detail is the sandbox's choice.
"""
_SUCCESSES = (SUCCEEDED, "000.000.00")
"""Both forms that the table of result codes has."""


@dataclass(frozen=True, kw_only=True, slots=True)
class EastPaySettings(NotifyingSettings):
    """The options of every sandbox, and those of this one."""

    documented_only: bool = option(
        False,
        help="answer 404 to an inquiry by merchantTransactionId, which EastPay does not document",
    )
    declined_status: int = option(
        400, help="status of the answer about a declined payment: 400 (as documented) or 200"
    )


def is_declined(code: str) -> bool:
    """Whether a code means that nothing was charged: the bank declined, or the gateway, and it is
    not pending.
    """
    return re.fullmatch(r"(?:100\.(?!200)[0-9]{3}|800\.[0-9]{3})\.[0-9]{3}", code) is not None


SEE_TABLE = "see the table of result codes"


def result(code: str, description: str = SEE_TABLE) -> JsonObject:
    return {"code": code, "description": description}


@dataclass(frozen=True)
class Ending:
    """The result code of a payment at first, and the one `then`, `after` seconds later."""

    code: str = SUCCEEDED
    then: str | None = None
    after: float = 0.0

    @property
    def final(self) -> str:
        return self.then or self.code


@dataclass
class Entry:
    """A payment, or a step of one (capture, reversal, refund)."""

    id: str
    owner: str
    payment_type: str
    form: dict[str, str]
    ending: Ending
    made_at: float
    cents: int = 0
    steps: list[Entry] = field(default_factory=list["Entry"])
    refusal: str = ""
    """Why the gateway refused this step."""

    def code_at(self, now: float) -> str:
        due = self.ending.then is not None and now >= self.made_at + self.ending.after
        return self.ending.final if due else self.ending.code

    def succeeded(self, now: float) -> bool:
        return self.code_at(now) in _SUCCESSES

    def total(self, payment_type: str, now: float) -> int:
        """The sum of the steps of a type that succeeded, in hundredths."""
        return sum(
            step.cents
            for step in self.steps
            if step.payment_type == payment_type and step.succeeded(now)
        )

    def held(self, payment_type: str, now: float) -> int:
        """The sum of the steps of a type that were not declined, in hundredths: one that is pending
        may still succeed.
        """
        return sum(
            step.cents
            for step in self.steps
            if step.payment_type == payment_type and not is_declined(step.code_at(now))
        )


@dataclass
class Checkout:
    """A checkout, and its payment once the shopper has paid."""

    id: str
    owner: str
    form: dict[str, str]
    expires_at: float
    paid: Entry | None = None


class State:
    def __init__(self, clock: Clock, seed: int | None) -> None:
        self._clock = clock
        self.now = clock.now
        self._random = random.Random(seed)  # noqa: S311 (ids, no secrets)
        self.tokens: dict[str, str] = {}
        self.entries: dict[str, Entry] = {}
        self.checkouts: dict[str, Checkout] = {}
        self.endings: dict[str, Ending] = {}

    def new_id(self) -> str:
        return f"{self._random.getrandbits(128):032x}"

    def add_merchant(self, entity_id: str | None = None, token: str | None = None) -> JsonObject:
        entity_id, token = (
            entity_id or f"EB{len(self.tokens) + 1:06d}",
            token or f"sandbox-{self.new_id()}",
        )
        self.tokens[token] = entity_id
        return {"entity_id": entity_id, "token": token}

    def new_entry(self, owner: str, form: dict[str, str]) -> Entry:
        """Add the payment or the step that a checked form asks for, as of now and without the card
        data.
        """
        kept = {name: value for name, value in form.items() if not name.startswith("card.")}
        ending = self.endings.get(form.get("merchantTransactionId", ""), Ending())
        if form.get("card.cvv") == "999":
            ending = Ending(WRONG_CVV)
        elif self._has_expired(form):
            ending = Ending(EXPIRED_CARD)
        entry = Entry(
            self.new_id(), owner, form["paymentType"], kept, ending, self.now(), hundredths(form)
        )
        self.entries[entry.id] = entry
        return entry

    def _has_expired(self, form: Mapping[str, str]) -> bool:
        """Whether the month of the card in a form has ended."""
        year, month = form.get("card.expiryYear"), form.get("card.expiryMonth", "12")
        return year is not None and self._clock.is_over(int(year), int(month))

    def refusal(self, entry: Entry, form: Mapping[str, str]) -> str:
        """Why a step of a payment is refused; empty: it is not.

        The pages say none of these rules: they are the sandbox's own.
        """
        now, asked = self.now(), form["paymentType"]
        cents, currency = step_cents(entry, form), entry.form.get("currency")
        charged = entry.total("CP", now) if entry.payment_type == "PA" else entry.cents
        left = (charged if asked == "RF" else entry.cents) - entry.held(asked, now)
        follows = entry.held("CP", now) or entry.held("RF", now)
        rules = (
            (entry.payment_type not in ("PA", "DB"), f"{asked} follows a payment, not a step."),
            (not entry.succeeded(now), "The payment has not succeeded."),
            (entry.held("RV", now), "The payment was reversed."),
            (form.get("currency", currency) != currency, f"The currency is {currency}."),
            (asked == "RV" and follows, "The payment was captured or refunded."),
            (asked == "CP" and entry.payment_type != "PA", "Only a PA is captured."),
            (
                not 0 < cents <= left,
                f"The amount must be above 0.00 and at most {_major(max(left, 0))}.",
            ),
        )
        return next((why for is_broken, why in rules if is_broken), "")


def step_cents(entry: Entry, form: Mapping[str, str]) -> int:
    """The amount of a step, in hundredths: that of the payment when the form has none."""
    return hundredths(form) if form.get("amount") else entry.cents


def _major(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02}"


def hundredths(form: Mapping[str, str]) -> int:
    """The amount of a checked form, in hundredths; 0 without an amount."""
    return int(form["amount"].replace(".", "")) if form.get("amount") else 0
