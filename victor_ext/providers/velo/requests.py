"""Request objects: the payments of a payout, and payees.

Each field has its rule; `check` notes problems that no rule has, at the place of the object in the
request; `to_model` makes the generated model.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Annotated

from velo_api import models

from victor_ext.money import Money
from victor_ext.runtime.client.resources import Part, members_of, plainly_signed
from victor_ext.runtime.client.runners import drop_none
from victor_ext.runtime.core.validation import COMPARED, Sent, rule

from .checks import Validation
from .system import TransmissionWord


@plainly_signed
@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentInstruction:
    """One payment of a payout.

    Attributes:
        remote_id: Who is paid: the payor's own name for the payee, up to 100 characters.
        amount: What the payee is to receive. It goes to Velo in minor units.
        source_account_name: The source account that pays, by its name, up to 64 characters.
        payor_payment_id: The payor's own reference, up to 40 characters. Optional at Velo, required
            here: after a lost response nothing else shows whether this payment was submitted.
        memo: For the payee's statement, up to 40 characters; else the payout's.
        transmission_type: How it is to be sent, such as ACH or WIRE; Velo chooses when it is left
            out.
        metadata: Up to 512 characters, for the rails that carry the payment.
        remote_system_id: The payments system that is to pay, if it is not Velo, up to 100
            characters. Velo asks to be consulted before it is used.
    """

    remote_id: Annotated[str, COMPARED, rule(Validation.text, 100)]
    amount: Annotated[Money, rule(Validation.money)]
    source_account_name: Annotated[str, COMPARED, rule(Validation.text, 64)]
    payor_payment_id: Annotated[str, COMPARED, rule(Validation.reference, 40)]
    memo: Annotated[str | None, COMPARED, Sent("payment_memo"), rule(Validation.text, 40)] = None
    transmission_type: Annotated[TransmissionWord | None, COMPARED, rule(Validation.text, 40)] = (
        None
    )
    metadata: Annotated[str | None, Sent("payment_metadata"), rule(Validation.text, 512)] = None
    remote_system_id: Annotated[str | None, COMPARED, rule(Validation.text, 100)] = None

    def to_model(self) -> models.NewPayment:
        amount = self.amount
        return models.NewPayment(
            currency=amount.currency, amount=amount.minor_units, **members_of(self, "amount")
        )


_LENGTHS = {
    "line1": (1, 100),
    "line2": (0, 100),
    "line3": (0, 100),
    "line4": (0, 100),
    "city": (2, 50),
    "county_or_province": (2, 50),
    "zip_or_postcode": (2, 60),
}
"""The least and the most characters of each part of the address of a new payee."""
_LENGTHS_IN_UPDATE = {
    "line1": (2, 255),
    "line2": (0, 255),
    "line3": (0, 255),
    "line4": (0, 255),
    "city": (2, 100),
    "county_or_province": (2, 100),
    "zip_or_postcode": (2, 30),
}
"""The least and the most characters of each part of an address that is updated."""


@plainly_signed
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Address(Part):
    """Where a payee lives.

    `line1` has up to 100 characters, in an update 2 to 255; so have `line2`, `line3` and `line4`,
    which may be empty. `city` and `county_or_province` have 2 to 50, in an update up to 100,
    `zip_or_postcode` 2 to 60, in an update up to 30. `country` is two capital letters (ISO 3166);
    in an update Velo's document allows up to 50 characters.
    """

    _model = models.PostalAddress
    line1: str
    city: str
    country: str
    line2: str | None = None
    line3: str | None = None
    line4: str | None = None
    county_or_province: str | None = None
    zip_or_postcode: str | None = None

    def check(self, validation: Validation, place: str, *, update: bool = False) -> None:
        lengths = _LENGTHS_IN_UPDATE if update else _LENGTHS
        for name, (shortest, longest) in lengths.items():
            validation.text(
                f"{place}.{name}",
                getattr(self, name),
                longest,
                shortest=shortest,
                required=name in ("line1", "city"),
            )
        if update:
            validation.text(f"{place}.country", self.country, 50, shortest=2)
        else:
            validation.capitals(f"{place}.country", self.country, 2)


@plainly_signed
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Individual(Part):
    """A payee who is a person.

    `first_name`, `last_name` and `other_names` have up to 40 characters, a `title` such as Dr up to
    10. `date_of_birth` is a date, or text such as 1970-05-20; `national_identification`, such as a
    social security number, has 6 to 30 characters.
    """

    _account_numbers = ("national_identification",)
    first_name: Annotated[str, rule(Validation.text, 40)]
    last_name: Annotated[str, rule(Validation.text, 40)]
    date_of_birth: Annotated[date | str, rule(Validation.birthday)]
    national_identification: Annotated[str | None, rule(Validation.text, 30, shortest=6)] = None
    title: Annotated[str | None, rule(Validation.text, 10)] = None
    other_names: Annotated[str | None, rule(Validation.text, 40)] = None

    def to_model(self) -> models.Person:
        name = models.PersonName(**members_of(self, "date_of_birth", "national_identification"))
        birthday = Validation().day("date_of_birth", self.date_of_birth)
        optional = drop_none(
            date_of_birth=birthday, national_identification=self.national_identification
        )
        return models.Person(name=name, **optional)


@plainly_signed
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Company(Part):
    """A payee that is a company: its `name` (3 to 40 characters), its number at the tax office
    (`tax_id`, 6 to 30 characters), and the name that it trades under (`operating_name`, up to 100
    characters)."""

    _model = models.Firm
    _account_numbers = ("tax_id",)
    name: Annotated[str, rule(Validation.text, 40, shortest=3)]
    tax_id: Annotated[str | None, rule(Validation.text, 30, shortest=6)] = None
    operating_name: Annotated[str | None, rule(Validation.text, 100)] = None


@plainly_signed
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class PaymentChannel(Part):
    """The account that a payee is paid on: an IBAN, or account and routing number, never both.

    An `iban` has 15 to 34 characters, an `account_number` 6 to 17, a `routing_number` 9.
    `account_name` is whose account it is, up to 100 characters; `country_code` two capital letters
    (ISO 3166), `currency` three (ISO 4217), and `name` a name for this channel, up to 255
    characters.
    """

    _model = models.NewPaymentChannel
    _account_numbers = ("iban", "account_number", "routing_number")
    account_name: Annotated[str, rule(Validation.text, 100)]
    country_code: Annotated[str, rule(Validation.capitals, 2)]
    currency: Annotated[str, rule(Validation.capitals, 3)]
    iban: Annotated[str | None, rule(Validation.text, 34, shortest=15)] = None
    account_number: Annotated[str | None, rule(Validation.text, 17, shortest=6)] = None
    routing_number: Annotated[str | None, rule(Validation.text, 9, shortest=9)] = None
    name: Annotated[str | None, Sent("payment_channel_name"), rule(Validation.text, 255)] = None

    def check(self, validation: Validation, place: str) -> None:
        numbers = {"iban", "account_number", "routing_number"}
        passed = {name for name in numbers if getattr(self, name) is not None}
        if passed not in ({"iban"}, {"account_number", "routing_number"}):
            message = f"{place} must have iban, or account_number with routing_number, not both."
            validation.note(place, "choice", message)


@plainly_signed
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Challenge(Part):
    """What a payee is asked when onboarding begins (`description`, up to 255 characters), and the
    answer (`value`, 3 to 20 characters)."""

    _model = models.Challenge
    value: Annotated[str, rule(Validation.text, 20, shortest=3)]
    description: Annotated[str, rule(Validation.text, 255)]


@plainly_signed
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class NewPayee(Part):
    """A payee to be created: an individual or a company.

    Attributes:
        remote_id: The payor's own name for the payee, up to 100 characters; payments name the payee
            by it.
        email: Where Velo invites the payee.
        address: Where the payee lives.
        individual: The person, if it is one.
        company: The company, if it is one.
        payment_channel: Where the payee is paid, if that is known already.
        language: A language code such as `en`.
        challenge: What the payee is asked when onboarding begins, in place of Velo's usual
            question.
    """

    remote_id: Annotated[str, rule(Validation.text, 100)]
    email: Annotated[str, rule(Validation.text, 255, shortest=3)]
    address: Annotated[Address, rule(Validation.request, Address)]
    individual: Annotated[Individual | None, rule(Validation.request, Individual)] = None
    company: Annotated[Company | None, rule(Validation.request, Company)] = None
    payment_channel: Annotated[PaymentChannel | None, rule(Validation.request, PaymentChannel)] = (
        None
    )
    language: Annotated[str | None, rule(Validation.text, 35)] = None
    challenge: Annotated[Challenge | None, rule(Validation.request, Challenge)] = None

    def check(self, validation: Validation, place: str) -> None:
        if (self.individual is None) is (self.company is None):
            validation.note(place, "choice", f"{place} must have either individual or company.")

    def to_model(self) -> models.NewPayee:
        kind = "Company" if self.individual is None else "Individual"
        address = models.NewAddress(**members_of(self.address))
        return models.NewPayee(type_=kind, address=address, **members_of(self, "address"))
