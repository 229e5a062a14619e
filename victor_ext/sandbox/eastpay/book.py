"""What the gateway remembers: payments and their steps, checkouts, and how a tester wants payments to end."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from victor_ext.sandbox.server.jsontypes import JsonObject

SUCCEEDED = "000.000.000"
BEGUN = "000.200.100"
NO_SUCH_REFERENCE = "100.300.100"
"""Of the documented group for references that are not accepted; the detail is the sandbox's own."""

_DESCRIPTIONS = {
    SUCCEEDED: "succeeded",
    BEGUN: "initialised, please inquire",
    NO_SUCH_REFERENCE: "this cannot be done to the payment",
    "100.200.100": "the back end timed out, please inquire",
    "800.100.153": "declined: the CVV is wrong",
}


def is_declined(code: str) -> bool:
    """Whether a code says that nothing was charged: the gateway's or the bank's, and not of the pending group."""
    return re.match(r"(100|800)\.(?!200)", code) is not None


def result(code: str) -> JsonObject:
    """The result part of an answer."""
    return {"code": code, "description": _DESCRIPTIONS.get(code, "see the table of result codes")}


@dataclass(frozen=True)
class Ending:
    """How a payment goes: the code that it is answered with, and the one that inquiries find later."""

    code: str = SUCCEEDED
    then: str | None = None
    after: float = 0.0

    @property
    def final(self) -> str:
        """The code that it ends with."""
        return self.then or self.code


@dataclass
class Entry:
    """A payment, or a step of one. Of a card the last four digits are kept."""

    id: str
    owner: str
    payment_type: str
    form: dict[str, str]
    ending: Ending
    made_at: float
    cents: int = 0
    root: str | None = None
    steps: list[Entry] = field(default_factory=list["Entry"])

    def code_at(self, now: float) -> str:
        """The result code that somebody who asks now is told."""
        due = self.ending.then is not None and now >= self.made_at + self.ending.after
        return self.ending.final if due else self.ending.code

    def done(self, payment_type: str, now: float) -> int:
        """How much steps of a type came to, in hundredths."""
        return sum(s.cents for s in self.steps if s.payment_type == payment_type and s.code_at(now) == SUCCEEDED)


@dataclass
class Checkout:
    """A checkout, and the payment that the shopper made of it."""

    id: str
    owner: str
    form: dict[str, str]
    lapses_at: float
    paid: Entry | None = None


class Book:
    """Everything that is remembered."""

    def __init__(self, seed: int | None) -> None:
        self._random = random.Random(seed)  # noqa: S311 - ids to look at, not to keep secret
        self.tokens: dict[str, str] = {}
        self.entries: dict[str, Entry] = {}
        self.checkouts: dict[str, Checkout] = {}
        self.endings: dict[str, Ending] = {}

    def clear(self) -> None:
        """Forget it."""
        for known in (self.tokens, self.entries, self.checkouts, self.endings):
            known.clear()

    def new_id(self) -> str:
        """An id of 32 hexadecimal digits."""
        return f"{self._random.getrandbits(128):032x}"

    def new_entry(self, owner: str, payment_type: str, form: dict[str, str], cents: int, now: float) -> Entry:
        """Note a payment or a step, without what must not be kept of a card."""
        kept = {name: value for name, value in form.items() if not name.startswith("card.")}
        ending = self.endings.get(form.get("merchantTransactionId", ""), Ending())
        if form.get("card.cvv") == "999":
            ending = Ending("800.100.153")
        entry = Entry(self.new_id(), owner, payment_type, kept, ending, now, cents)
        self.entries[entry.id] = entry
        return entry

    def what_forbids(self, entry: Entry, payment_type: str, cents: int, now: float) -> bool:
        """Whether a step cannot follow: the payment is of the wrong kind, or less is left than is asked for."""
        if entry.root is not None or entry.code_at(now) != SUCCEEDED or entry.done("RV", now):
            return True
        reserved = entry.payment_type == "PA"
        match payment_type:
            case "CP":
                return not reserved or entry.done("CP", now) + cents > entry.cents
            case "RF":
                charged = entry.done("CP", now) if reserved else entry.cents
                return entry.done("RF", now) + cents > charged
            case "RV":
                return bool(entry.done("CP", now) or entry.done("RF", now))
            case _:
                return True
