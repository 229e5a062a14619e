"""The parts of a transaction. `check` notes the problems of a part; `to_model` makes the generated model."""

from __future__ import annotations

import re
from dataclasses import dataclass
from dataclasses import fields as dataclass_fields
from datetime import UTC, date, datetime

from flexfactor_api import models

from victor_ext.money import Money
from victor_ext.privacy import HiddenRepr, concealed, kind_of
from victor_ext.runtime.client.resources import members_of
from victor_ext.runtime.client.runners import drop_none

from .checks import Validation

_DIGITS = re.compile("[0-9]+")


class _Part:
    """A part of a transaction. Its place in the call is the beginning of the fields in problems."""

    __slots__ = ()

    def check(self, validation: Validation, place: str) -> None:
        """Note each problem."""
        validation.members(place, self)


class Hidden(HiddenRepr):
    """A dataclass that shows none of its values: not in a `repr`, a log, or a traceback's locals."""

    __slots__ = ()

    def __post_init__(self) -> None:
        for member in dataclass_fields(self):  # type: ignore[arg-type] # every subclass is a dataclass
            object.__setattr__(self, member.name, concealed(getattr(self, member.name)))


@dataclass(frozen=True, slots=True)
class Transaction(_Part):
    """The transaction at the processor that declined it (or approved it, for `transmit`).

    Attributes:
        id: Its id at the processor.
        occurred_at: When it happened, aware. Take it from the transaction, not from the clock: a repeat with the
            same key has to have the same values.
        response_code: The processor's code, such as `"05"`.
        response_code_source: Whose code that is, such as the processor's name.
        type: `"AUTHORIZATION"` or `"PURCHASE"`.
        avs_result: The code of the address check.
        cvv_result: The code of the check of the card's verification value.
        cavv_result: The code of the cardholder's authentication.
        card_not_present: Whether the card was not present, as on the internet.
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

    def check(self, validation: Validation, place: str) -> None:
        validation.members(place, self)
        validation.moment(f"{place}.occurred_at", self.occurred_at, required=True)

    def to_model(self, amount: Money) -> models.Transaction:
        """The generated model, with the amount of the call."""
        return models.Transaction(
            timestamp_utc=self.occurred_at.astimezone(UTC),
            amount=amount.minor_units,
            currency=amount.currency,
            **members_of(
                self,
                "occurred_at",
                utc_offset="timezone_utc_offset",
                type="transaction_type",
                avs_result="avs_result_code",
                cvv_result="cvv_result_code",
                cavv_result="cavv_result_code",
            ),
        )


@dataclass(frozen=True, slots=True, repr=False)
class Card(Hidden, _Part):
    """The card, by a token that stands for its number. A card number in place of any of these is refused, unsent.

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

    def check(self, validation: Validation, place: str) -> None:
        validation.members(place, self)
        for member in dataclass_fields(self):
            validation.no_card_numbers(f"{place}.{member.name}", getattr(self, member.name), about_a_card=True)
        for name in ("bin", "last4"):
            if isinstance(getattr(self, name), str):  # `texts` has checked the type
                validation.matching(f"{place}.{name}", getattr(self, name), _DIGITS, "digits alone")
        validation.integer(f"{place}.expiration_month", self.expiration_month, 1, 12)
        validation.integer(f"{place}.expiration_year", self.expiration_year, 1000, 9999)

    def to_model(self) -> models.PaymentMethod:
        return models.PaymentMethod(
            card_number=self.token,
            **members_of(
                self,
                "token",
                bin="card_bin_number",
                last4="card_last_4_digits",
                brand="card_brand",
                type="card_type",
                country="card_country",
            ),
        )


@dataclass(frozen=True, slots=True, repr=False)
class Payer(Hidden, _Part):
    """The person who pays.

    Attributes:
        email: Their address.
        id: The merchant's own id of them.
        phone: Their telephone number, as text.
        birthdate: A date.
    """

    email: str
    id: str | None = None
    phone: str | None = None
    birthdate: date | None = None

    def check(self, validation: Validation, place: str) -> None:
        validation.members(place, self)
        birthdate: object = self.birthdate
        if birthdate is not None and not isinstance(birthdate, date):
            field = f"{place}.birthdate"
            validation.note(field, "type", f"{field} must be a date, not {kind_of(birthdate)}.")

    def to_model(self) -> models.Payer:
        return models.Payer(**members_of(self))


@dataclass(frozen=True, slots=True, repr=False)
class Address(Hidden, _Part):
    """A billing or shipping address, each part as text.

    Attributes:
        first_name: Of the resident.
        last_name: Likewise.
        line1: Street and number.
        line2: What follows, such as the flat.
        city: Its name.
        state: Its name or its letters.
        zip_code: The postal code.
        country: Its name.
        country_code: Its two letters, by ISO 3166-1.
        phone: The telephone number.
    """

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

    def to_model(self) -> models.Address:
        names = {"line1": "address_line_1", "line2": "address_line_2", "zip_code": "zipcode"}
        return models.Address(**members_of(self, **names))


@dataclass(frozen=True, slots=True)
class OrderItem:
    """One line of the order; its amounts are in the currency of the transaction.

    Attributes:
        name: What is sold.
        amount: Its price. The provider does not document whether it is that of one piece or of the line.
        quantity: How many pieces.
        sku: The merchant's number of the article.
        description: More about it.
        discount: What was taken off, if anything.
        tax: The tax on it, if any.
    """

    name: str
    amount: Money
    quantity: int = 1
    sku: str | None = None
    description: str | None = None
    discount: Money | None = None
    tax: Money | None = None

    def check(self, validation: Validation, place: str, currency: object) -> None:
        """Note each problem, also a currency other than that of the transaction."""
        validation.members(place, self)
        for name in ("amount", "discount", "tax"):
            field, value = f"{place}.{name}", getattr(self, name)
            if value is not None or name == "amount":
                validation.amount(field, value, zero=True)
            if isinstance(value, Money) and value.currency != currency:
                validation.note(field, "currency", f"{field} is in {value.currency}, and the transaction is not.")

    def to_model(self) -> models.OrderItem:
        return models.OrderItem(
            amount=self.amount.minor_units,
            **members_of(self, "amount", "discount", "tax"),
            **drop_none(
                discount_amount=self.discount and self.discount.minor_units, tax=self.tax and self.tax.minor_units
            ),
        )


@dataclass(frozen=True, slots=True)
class Subscription(_Part):
    """The subscription that a transaction belongs to: its `id` at the merchant, and how often it is paid (`interval`).

    There is no field for its price, because the provider does not document the unit. If you know it, send the price in
    `extra_body={"subscription": {"price": ...}}`.
    """

    id: str
    interval: str | None = None

    def to_model(self) -> models.Subscription:
        return models.Subscription(**members_of(self, id="subscription_id"))
