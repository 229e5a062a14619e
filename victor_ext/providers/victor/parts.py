"""The parts of a payment request's record, and the readers of its fields."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from victor_ext import zulu
from victor_ext.errors import InvalidRequest
from victor_ext.privacy import mask

from .statuses import Status


@dataclass(frozen=True, slots=True)
class Payee:
    """The recipient of the money.

    Attributes:
        account_number: The account that receives the money, or None.
        ultimate_creditor: The final recipient, or None.
    """

    account_number: str | None
    ultimate_creditor: str | None

    def __repr__(self) -> str:
        return f"Payee(account_number={_masked(self.account_number)}, ultimate_creditor={self.ultimate_creditor!r})"


@dataclass(frozen=True, slots=True)
class Payer:
    """The payer: a counterparty of an outbound request, or an account of an inbound one.

    Attributes:
        counterparty_id: The counterparty that pays, or None.
        account_number: The account that pays, or None.
        routing_number: The routing number of that account's bank, or None.
        name: The payer's name, or None.
    """

    counterparty_id: str | None
    account_number: str | None
    routing_number: str | None
    name: str | None

    def __repr__(self) -> str:
        return (
            f"Payer(counterparty_id={self.counterparty_id!r}, account_number={_masked(self.account_number)}, "
            f"routing_number={_masked(self.routing_number)}, name={self.name!r})"
        )

    def completed_by(self, other: Payer) -> Payer:
        """Return this payer, with missing values from `other`."""
        return Payer(
            self.counterparty_id or other.counterparty_id,
            self.account_number or other.account_number,
            self.routing_number or other.routing_number,
            self.name or other.name,
        )


@dataclass(frozen=True, slots=True)
class PaymentRequestResponse:
    """The response to an inbound request.

    Attributes:
        status: `accepted` or `declined`, or a word that this package does not know.
        original_amount: The requested amount in US dollars, or None.
        modified_amount: The amount that is paid instead, in US dollars, or None.
        notes: The notes of the response, or None.
    """

    status: Status | str | None
    original_amount: Decimal | None
    modified_amount: Decimal | None
    notes: str | None


def as_moment(value: Any) -> datetime | None:
    """An epoch timestamp, as the document declares it, or a Zulu time."""
    try:
        return zulu.parse(value) if isinstance(value, str) else zulu.from_epoch(value)
    except InvalidRequest:
        return None


def _masked(number: str | None) -> str:
    return "None" if number is None else repr(mask(number))
