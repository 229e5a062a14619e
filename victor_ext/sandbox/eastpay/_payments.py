"""EastPay's payments: their result codes, and the steps that may follow one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from victor_ext.sandbox.server import JsonObject

SUCCEEDED = "000.000.000"
STARTED = "000.200.100"
REFUSED_STEP = "100.400.329"
""" "Transaction declined by other control system".

That the gateway refuses a step with this code is the sandbox's choice: the page has none for it.
"""
WRONG_CVV = "800.100.153"
"""The bank declined the authorization because of the CVV: the page's own example."""
EXPIRED_CARD = "800.100.157"
"""The bank declined the authorization because of the expiry date.

The page documents both groups. The detail is the sandbox's choice.
"""
_SUCCESSES = (SUCCEEDED, "000.000.00")
"""Both forms that the table of result codes has."""


_DECLINES = (
    # "Transaction declined by" 3-D Secure, the fraud control system, another control system
    r"100\.400\.(?:152|319|329)",
    # "800 Bank declined"; with other groups than "succeeded" and "pending", and with no detail that
    # payments under way have in codes of this form
    r"800\.(?!000|200|400\.5)[0-9]{3}\.[0-9]{3}",
)


def is_declined(code: str) -> bool:
    """Whether the page says of a code that nothing was charged.

    With any other code, also one that the page does not have, the money may have moved.
    """
    return re.fullmatch("|".join(_DECLINES), code) is not None


def is_error(code: str) -> bool:
    """Whether a code is of the gateway's or the bank's errors, and is not that of a payment that is
    pending: the status is 400 then.
    """
    return re.match(r"(?:100\.(?!200)|800\.)", code) is not None


def result(code: str, description: str = "") -> JsonObject:
    return {"code": code, "description": description or "see the table of result codes"}


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
class PaymentEntry:
    """A payment, or a step of one (capture, reversal, refund). Amounts are in hundredths."""

    id: str
    owner: str
    form: JsonObject
    ending: Ending
    made_at: float
    cents: int
    steps: list[PaymentEntry] = field(default_factory=list["PaymentEntry"])
    refusal: str = ""
    """Why the gateway refused this step."""

    @property
    def payment_type(self) -> str:
        return str(self.form["paymentType"])

    def code_at(self, now: float) -> str:
        is_over = now >= self.made_at + self.ending.after
        return self.ending.final if is_over else self.ending.code

    def has_succeeded(self, now: float) -> bool:
        return self.code_at(now) in _SUCCESSES

    def charged(self, now: float) -> int:
        """What was charged: of a pre-authorisation, what was captured."""
        if self.payment_type != "PA":
            return self.cents
        captures = [step for step in self.steps if step.payment_type == "CP"]
        return sum(step.cents for step in captures if step.has_succeeded(now))

    def held(self, payment_type: str, now: float) -> int:
        """The sum of the steps of a type that were not declined: one that is pending may still
        succeed.
        """
        steps = [step for step in self.steps if step.payment_type == payment_type]
        return sum(step.cents for step in steps if not is_declined(step.code_at(now)))

    def refusal_of(self, step: PaymentEntry, now: float) -> str:
        """Why a step of this payment is refused; empty: it is not.

        The pages say none of these rules: they are the sandbox's own.
        """
        rule = STEPS[step.payment_type]
        currency = self.form.get("currency")
        ended = next((STEPS[other].done for other in rule.never_after if self.held(other, now)), "")
        most = self.charged(now) if rule.gives_back else self.cents
        left = most - self.held(step.payment_type, now)
        refusals = (
            (
                self.payment_type not in rule.follows,
                f"Only a {' or '.join(rule.follows)} is {rule.done}.",
            ),
            (not self.has_succeeded(now), "The payment has not succeeded."),
            (ended, f"The payment was {ended}."),
            (step.form.get("currency", currency) != currency, f"The currency is {currency}."),
            (
                not 0 < step.cents <= left,
                f"The amount must be above 0.00 and at most {_major(max(left, 0))}.",
            ),
        )
        return next((why for is_broken, why in refusals if is_broken), "")


@dataclass(frozen=True, slots=True)
class Step:
    """What may follow a payment."""

    name: str
    """The operation's."""
    done: str
    """What became of the payment."""
    follows: tuple[str, ...]
    """The types of payments that it follows."""
    never_after: tuple[str, ...]
    """The types of steps after which it is refused."""
    gives_back: bool = False
    """Whether it is of the money that was charged; else of all that was authorised."""


STEPS = {
    "CP": Step("capture", "captured", follows=("PA",), never_after=("RV",)),
    "RV": Step("reverse", "reversed", follows=("PA", "DB"), never_after=("RV", "CP", "RF")),
    "RF": Step("refund", "refunded", follows=("PA", "DB"), never_after=("RV",), gives_back=True),
}


@dataclass
class Checkout:
    """A checkout, and its payment once the shopper has paid."""

    id: str
    owner: str
    form: JsonObject
    expires_at: float
    paid: PaymentEntry | None = None


def hundredths(form: Mapping[str, str], default: int = 0) -> int:
    """The amount of a checked form, in hundredths."""
    return int(form["amount"].replace(".", "")) if "amount" in form else default


def _major(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02}"
