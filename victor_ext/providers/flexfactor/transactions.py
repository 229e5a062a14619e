"""The parts of a transaction.

Each field has its rule; `check` notes what else is wrong; `to_model` makes the model.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime
from typing import Annotated

from flexfactor_api import models

from victor_ext.money import Money
from victor_ext.privacy import kind_of
from victor_ext.runtime.client.resources import Part, members_of, plainly_signed
from victor_ext.runtime.client.runners import drop_none
from victor_ext.runtime.core.validation import Sent, rule

from .checks import MOST, Validation

_TEXT, _OPTIONAL = rule(Validation.text), rule(Validation.text, shortest=0)
_DIGITS = rule(Validation.matching, re.compile("[0-9]+"), "digits alone")
_NUMBER, _AMOUNT = rule(Validation.integer, -MOST, MOST), rule(Validation.amount, zero=True)


@plainly_signed
@dataclass(frozen=True, slots=True)
class Transaction:
    """The transaction at the processor that declined it (or approved it, for `transmit`).

    Attributes:
        id: Its id at the processor.
        occurred_at: When it happened, aware. Take it from the transaction, not from the clock: a
            repeat with the same key has to have the same values.
        response_code: The processor's code, such as `"05"`.
        response_code_source: Whose code that is, such as the processor's name.
        type: `"AUTHORIZATION"` or `"PURCHASE"`.
        avs_result: The code of the address check; `cvv_result` that of the card's verification
            value, and `cavv_result` that of the cardholder's authentication.
        card_not_present: Whether the card was not present, as on the internet.
        utc_offset: The payer's offset from UTC. The provider does not document its unit.
    """

    id: Annotated[str, _TEXT]
    occurred_at: Annotated[datetime, rule(Validation.moment)]
    response_code: Annotated[str | None, _OPTIONAL] = None
    response_code_source: Annotated[str | None, _OPTIONAL] = None
    type: Annotated[str | None, Sent("transaction_type"), _OPTIONAL] = None
    avs_result: Annotated[str | None, Sent("avs_result_code"), _OPTIONAL] = None
    cvv_result: Annotated[str | None, Sent("cvv_result_code"), _OPTIONAL] = None
    cavv_result: Annotated[str | None, Sent("cavv_result_code"), _OPTIONAL] = None
    card_not_present: Annotated[bool | None, rule(Validation.flag)] = True
    utc_offset: Annotated[int | None, Sent("timezone_utc_offset"), _NUMBER] = None

    def to_model(self, amount: Money) -> models.Transaction:
        """The generated model, with the amount of the call."""
        return models.Transaction(
            timestamp_utc=self.occurred_at.astimezone(UTC),
            amount=amount.minor_units,
            currency=amount.currency,
            **members_of(self, "occurred_at"),
        )


@plainly_signed
@dataclass(frozen=True, slots=True, repr=False)
class Card(Part):
    """The card, by a token that stands for its number. A card number in place of any of these is
    refused, unsent.

    Attributes:
        token: What the vault gave in exchange for the number.
        expiration_month: 1 to 12; `expiration_year` has four digits.
        holder_name: As printed on it.
        bin: The first digits of the number, as text; `last4` has the last four.
        brand: Such as `"VISA"`; the `type` such as `"CREDIT"`.
        country: Of the bank that issued it.
    """

    _model = models.PaymentMethod
    token: Annotated[str, Sent("card_number"), _TEXT]
    expiration_month: Annotated[int | None, rule(Validation.integer, 1, 12)] = None
    expiration_year: Annotated[int | None, rule(Validation.integer, 1000, 9999)] = None
    holder_name: Annotated[str | None, _OPTIONAL] = None
    bin: Annotated[str | None, Sent("card_bin_number"), _DIGITS] = None
    last4: Annotated[str | None, Sent("card_last_4_digits"), _DIGITS] = None
    brand: Annotated[str | None, Sent("card_brand"), _OPTIONAL] = None
    type: Annotated[str | None, Sent("card_type"), _OPTIONAL] = None
    country: Annotated[str | None, Sent("card_country"), _OPTIONAL] = None

    def check(self, validation: Validation, place: str) -> None:
        for member in fields(self):
            validation.no_card_numbers(
                f"{place}.{member.name}", getattr(self, member.name), about_a_card=True
            )


@plainly_signed
@dataclass(frozen=True, slots=True, repr=False)
class Payer(Part):
    """The person who pays: their `email` address, the merchant's own `id` of them, `phone` as text,
    and `birthdate`.
    """

    _model = models.Payer
    email: Annotated[str, _TEXT]
    id: Annotated[str | None, _OPTIONAL] = None
    phone: Annotated[str | None, _OPTIONAL] = None
    birthdate: date | None = None

    def check(self, validation: Validation, place: str) -> None:
        birthdate: object = self.birthdate
        is_a_day = isinstance(birthdate, date) and not isinstance(birthdate, datetime)
        if birthdate is not None and not is_a_day:
            field = f"{place}.birthdate"
            what = f"must be a date, such as date(1970, 5, 20), not {kind_of(birthdate)}"
            validation.note(field, "type", f"{field} {what}.")


@plainly_signed
@dataclass(frozen=True, slots=True, repr=False)
class Address(Part):
    """A billing or shipping address, each part as text.

    `first_name` and `last_name` are those of the resident. `line1` is street and number, and
    `line2` what follows, such as the flat. `city` and `country` are names, `state` is a name or
    letters, `zip_code` the postal code, `country_code` two letters by ISO 3166-1, and `phone` the
    telephone number.
    """

    _model = models.Address
    first_name: Annotated[str | None, _OPTIONAL] = None
    last_name: Annotated[str | None, _OPTIONAL] = None
    line1: Annotated[str | None, Sent("address_line_1"), _OPTIONAL] = None
    line2: Annotated[str | None, Sent("address_line_2"), _OPTIONAL] = None
    city: Annotated[str | None, _OPTIONAL] = None
    state: Annotated[str | None, _OPTIONAL] = None
    zip_code: Annotated[str | None, Sent("zipcode"), _OPTIONAL] = None
    country: Annotated[str | None, _OPTIONAL] = None
    country_code: Annotated[str | None, _OPTIONAL] = None
    phone: Annotated[str | None, _OPTIONAL] = None


@plainly_signed
@dataclass(frozen=True, slots=True)
class OrderItem:
    """One line of the order; its amounts are in the currency of the transaction.

    Attributes:
        name: What is sold; `description` says more about it.
        amount: Its price. The provider does not document whether it is that of one piece or of the
            line.
        quantity: How many pieces.
        sku: The merchant's number of the article.
        discount: What was taken off, and `tax` the tax on it, if any.
    """

    name: Annotated[str, _TEXT]
    amount: Annotated[Money, _AMOUNT]
    quantity: Annotated[int, _NUMBER] = 1
    sku: Annotated[str | None, _OPTIONAL] = None
    description: Annotated[str | None, _OPTIONAL] = None
    discount: Annotated[Money | None, _AMOUNT] = None
    tax: Annotated[Money | None, _AMOUNT] = None

    def check(self, validation: Validation, place: str, currency: object) -> None:
        for name in ("amount", "discount", "tax"):
            field, value = f"{place}.{name}", getattr(self, name)
            if isinstance(value, Money) and value.currency != currency:
                validation.note(
                    field,
                    "currency",
                    f"{field} is in {value.currency}, and the transaction is not.",
                )

    def to_model(self) -> models.OrderItem:
        return models.OrderItem(
            amount=self.amount.minor_units,
            **members_of(self, "amount", "discount", "tax"),
            **drop_none(
                discount_amount=self.discount and self.discount.minor_units,
                tax=self.tax and self.tax.minor_units,
            ),
        )


@plainly_signed
@dataclass(frozen=True, slots=True)
class Subscription:
    """The subscription that a transaction belongs to: its `id` at the merchant, and how often it is
    paid (`interval`).

    There is no field for its price, because the provider does not document the unit. If you know
    it, send the price in `extra_body={"subscription": {"price": ...}}`.
    """

    id: Annotated[str, Sent("subscription_id"), _TEXT]
    interval: Annotated[str | None, _OPTIONAL] = None

    def to_model(self) -> models.Subscription:
        return models.Subscription(**members_of(self))
