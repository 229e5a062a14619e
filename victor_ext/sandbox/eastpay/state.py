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


def result(code: str, description: str = "see the table of result codes") -> JsonObject:
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

    def code_at(self, now: float) -> str:
        due = self.ending.then is not None and now >= self.made_at + self.ending.after
        return self.ending.final if due else self.ending.code

    def total(self, payment_type: str, now: float) -> int:
        """The sum of the steps of a type that succeeded, in hundredths."""
        return sum(
            s.cents
            for s in self.steps
            if s.payment_type == payment_type and s.code_at(now) == SUCCEEDED
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
            ending = Ending("800.100.153")
        entry = Entry(
            self.new_id(), owner, form["paymentType"], kept, ending, self.now(), hundredths(form)
        )
        self.entries[entry.id] = entry
        return entry

    def is_forbidden(self, entry: Entry, payment_type: str, cents: int) -> bool:
        """Whether a step is refused: the payment is of the wrong type, or the amount is more than
        what is left.
        """
        now = self.now()
        if (
            entry.payment_type not in ("PA", "DB")
            or entry.code_at(now) != SUCCEEDED
            or entry.total("RV", now)
        ):
            return True
        reserved = entry.payment_type == "PA"
        match payment_type:
            case "CP":
                return not reserved or entry.total("CP", now) + cents > entry.cents
            case "RF":
                charged = entry.total("CP", now) if reserved else entry.cents
                return entry.total("RF", now) + cents > charged
            case "RV":
                return bool(entry.total("CP", now) or entry.total("RF", now))
            case _:
                return True


def hundredths(form: Mapping[str, str]) -> int:
    """The amount of a checked form, in hundredths; 0 without an amount."""
    return int(form["amount"].replace(".", "")) if form.get("amount") else 0
