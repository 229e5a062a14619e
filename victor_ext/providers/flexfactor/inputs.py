"""What a declined (or approved) transaction is described with, in parts. Who pays and with what is never shown."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date, datetime

from victor_ext.money import Money
from victor_ext.redaction import concealed


class _Hidden:
    """Works as any other dataclass, and shows none of its values: not in a repr, a log, or a traceback's locals."""

    __slots__ = ()

    def __post_init__(self) -> None:
        for each in fields(self):  # type: ignore[arg-type] # every subclass is a dataclass
            object.__setattr__(self, each.name, concealed(getattr(self, each.name)))

    def __repr__(self) -> str:
        return f"{type(self).__name__}([hidden])"


@dataclass(frozen=True, slots=True)
class Transaction:
    """The transaction at the processor that declined it (or approved it, for `transmit`).

    Attributes:
        id: Its id there.
        occurred_at: When it happened, aware. Take it from the transaction, not from the clock: a repeat with the
            same key has to have the same values.
        response_code: What the processor answered, such as `"05"`.
        response_code_source: Whose code that is, such as the processor's name.
        type: `"AUTHORIZATION"` or `"PURCHASE"`.
        avs_result: The code of the address check.
        cvv_result: The code of the check of the card's verification value.
        cavv_result: The code of the cardholder's authentication.
        card_not_present: Whether the card was not there, as on the internet.
        utc_offset: The payer's offset from UTC. The provider does not document its unit.
    """

    id: str
    occurred_at: datetime
    response_code: str | None = None
    response_code_source: str | None = None
    type: str | None = None
    avs_result: str | None = None
    cvv_result: str | None = None
    cavv_result: str | None = None
    card_not_present: bool | None = True
    utc_offset: int | None = None


@dataclass(frozen=True, slots=True, repr=False)
class Card(_Hidden):
    """The card, by a token that stands for its number.

    Attributes:
        token: What the vault gave in exchange for the number.
        expiration_month: 1 to 12.
        expiration_year: Four digits.
        holder_name: As printed on it.
        bin: The first digits of the number, as text.
        last4: The last four, as text.
        brand: Such as `"VISA"`.
        type: Such as `"CREDIT"`.
        country: Of the bank that issued it.
    """

    token: str
    expiration_month: int | None = None
    expiration_year: int | None = None
    holder_name: str | None = None
    bin: str | None = None
    last4: str | None = None
    brand: str | None = None
    type: str | None = None
    country: str | None = None


@dataclass(frozen=True, slots=True, repr=False)
class Payer(_Hidden):
    """Who pays. `id` is the merchant's own."""

    email: str
    id: str | None = None
    phone: str | None = None
    birthdate: date | None = None


@dataclass(frozen=True, slots=True, repr=False)
class Address(_Hidden):
    """A billing or shipping address. `country_code` is the two letters of ISO 3166-1."""

    first_name: str | None = None
    last_name: str | None = None
    line1: str | None = None
    line2: str | None = None
    city: str | None = None
    state: str | None = None
    zip_code: str | None = None
    country: str | None = None
    country_code: str | None = None
    phone: str | None = None


@dataclass(frozen=True, slots=True)
class OrderItem:
    """One line of the order; its amounts are in the currency of the transaction."""

    name: str
    amount: Money
    quantity: int = 1
    sku: str | None = None
    description: str | None = None
    discount: Money | None = None
    tax: Money | None = None


@dataclass(frozen=True, slots=True)
class Subscription:
    """The subscription that a transaction of the merchant's belongs to.

    Its price is left out: the provider does not document in which unit it takes that. One who knows sends it in
    `extra_body={"subscription": {"price": ...}}`.
    """

    id: str
    interval: str | None = None
