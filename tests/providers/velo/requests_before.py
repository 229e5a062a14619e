"""The request objects of Velo, and the arguments of its calls with a body, as they were written by
hand: `test_velo_bodies` compares.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass, fields
from datetime import date
from typing import Annotated, Any, ClassVar, cast

from velo_api import models
from velo_api.typed.forms import ID_FORM
from velo_api.typed.words import (
    CategoryWord,
    FundingAccountTypeWord,
    PayeeTypeWord,
    TransmissionWord,
)

from tests.providers.declared_before import RequestObjects, Sent, plainly_signed, sent_names
from victor_ext.money import Money
from victor_ext.privacy import HiddenRepr, concealed, concealed_account, kind_of
from victor_ext.runtime.client.runners import drop_none
from victor_ext.runtime.core.validation import COMPARED, as_date, rule
from victor_ext.typed import Query

MOST = 2000


def members_of(request: Any, *left_out: str) -> dict[str, Any]:
    """The arguments of a generated model: the fields of a request object that are not None, and not
    `left_out`.

    A field has the name of its `Sent`, and a part of the request becomes its own model.
    """
    names = sent_names(cast("Any", type(request)))  # to mypy, no class can be hashed
    arguments: dict[str, Any] = {}
    for field_ in fields(request):
        name = field_.name
        value = getattr(request, name)
        if name in left_out or value is None:
            continue
        arguments[names.get(name, name)] = value.to_model() if hasattr(value, "to_model") else value
    return arguments


class Part(HiddenRepr):
    """A part of a request, as a dataclass: nothing shows its values, and `to_model` makes its
    generated model.
    """

    __slots__ = ()

    _model: ClassVar[Any]
    _account_numbers: ClassVar[tuple[str, ...]] = ()
    """The fields with numbers of accounts or persons: what is passed as another type by mistake is
    hidden, too.
    """

    def __post_init__(self) -> None:
        for member in fields(cast("Any", self)):
            name = member.name
            conceal = concealed_account if name in self._account_numbers else concealed
            object.__setattr__(self, name, conceal(getattr(self, name)))

    def to_model(self) -> Any:
        return self._model(**members_of(self))


class Validation(RequestObjects, Query):
    """The problems of a call. Each method checks one argument, and returns what is sent for it."""

    def capitals(self, field: str, value: Any, count: int, *, required: bool = True) -> Any:
        """A code of capital letters: a country (ISO 3166) has two, a currency (ISO 4217) has
        three.
        """
        wanted = f"{count} capital letters, such as {'US' if count == 2 else 'USD'!r}"
        return self.matching(
            field, value, re.compile(f"[A-Z]{{{count}}}"), wanted, required=required
        )

    def id(self, field: str, value: Any, *, required: bool = True) -> Any:
        """An id of Velo's: it cannot change the rest of a path."""
        return self.matching(field, value, ID_FORM.pattern, ID_FORM.wanted, required=required)

    def money(self, field: str, value: Any, *, largest: int = 2**63 - 1) -> None:
        """An amount above zero."""
        if not isinstance(value, Money):
            message = (
                f"{field} is of type {kind_of(value)}: write Money.of('44.23', 'USD') or "
                "Money(4423, 'USD')."
            )
            self.note(field, "type", message)
        elif not 1 <= value.minor_units <= largest:
            message = f"{field} is {value.minor_units} minor units and must be 1 to {largest}."
            self.note(field, "range", message)

    def requests(self, field: str, value: Any, kind: type[Any]) -> Sequence[object]:
        """A list of 1 to 2,000 request objects of a class, each of which is checked, too.

        Returns the items, of whatever type: an item of another class is a problem of the call.
        """
        is_list = isinstance(value, Sequence) and not isinstance(value, str | bytes)
        items = cast("Sequence[object]", value) if is_list else ()
        if not 1 <= len(items) <= MOST:
            self.note(field, "length", f"{field} must be a list of 1 to {MOST} {kind.__name__}.")
        for number, item in enumerate(items):
            self.request(f"{field}[{number}]", item, kind)
        return items

    def moment(self, field: str, value: Any, *, required: bool = True) -> str | None:
        """An aware datetime; returns text with whole seconds in UTC.

        A fraction of a second is dropped, so that the moment is never later.
        """
        if value is None and not required:
            return None
        return self.second(field, value)

    def birthday(self, field: str, value: Any) -> str | None:
        """A date of birth. No message shows it."""
        day: date | None = as_date(value)
        if day is None:
            self.note(
                field, "type", f"{field} must be a date, such as date(2026, 3, 4) or '2026-03-04'."
            )
        return None if day is None else day.isoformat()


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


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class NewFundingAccount(Part):
    _model = models.NewFundingAccount
    _account_numbers = ("account_number", "routing_number")
    payor_id: Annotated[str, rule(Validation.id)]
    name: Annotated[str, rule(Validation.text, 30, shortest=3)]
    account_type: Annotated[FundingAccountTypeWord, Sent("type_"), rule(Validation.text, 40)]
    account_name: Annotated[str | None, rule(Validation.text, 22)] = None
    account_number: Annotated[str | None, rule(Validation.text, 17, shortest=4)] = None
    routing_number: Annotated[str | None, rule(Validation.text, 9, shortest=6)] = None
    currency: Annotated[str | None, rule(Validation.capitals, 3)] = None


_HEADER = re.compile(f"[ -~]{{{16},1000}}")


def _check_categories(validation: Validation, field: str, value: object) -> None:
    if isinstance(value, str) or not isinstance(value, Sequence) or not value:
        validation.note(
            field, "type", f"{field} must be a list of one or more, such as ['payment']."
        )
    else:
        for place, name in enumerate(cast("Sequence[object]", value)):
            validation.text(f"{field}[{place}]", name, 100)


def _check_enabled(validation: Validation, field: str, value: object) -> None:
    if value is None:
        validation.note(field, "type", f"{field} is missing: write True or False.")
    validation.flag(field, value)


_URL = rule(Validation.text, 2000, shortest=6)
_AUTHORIZATION = rule(Validation.matching, _HEADER, f"{16} to 1000 characters of printable ASCII")
_CATEGORIES = rule(_check_categories)


@dataclass(frozen=True, slots=True, repr=False)
class NewWebhook(Part):
    _model = models.NewWebhook
    payor_id: Annotated[str, rule(Validation.id)]
    _: KW_ONLY
    url: Annotated[str, Sent("webhook_url"), _URL]
    authorization_header: Annotated[str, _AUTHORIZATION]
    categories: Annotated[Sequence[CategoryWord] | None, _CATEGORIES] = None
    enabled: Annotated[bool, rule(_check_enabled)] = True


@dataclass(frozen=True, slots=True, repr=False)
class WebhookUpdate(Part):
    webhook_id: Annotated[str, rule(Validation.id)]
    _: KW_ONLY
    url: Annotated[str | None, Sent("webhook_url"), _URL] = None
    authorization_header: Annotated[str | None, _AUTHORIZATION] = None
    categories: Annotated[Sequence[CategoryWord] | None, _CATEGORIES] = None
    enabled: Annotated[bool | None, rule(Validation.flag)] = None


@dataclass(frozen=True, slots=True, repr=False)
class PayeeUpdate:
    payee_id: Annotated[str, rule(Validation.id)]
    _: KW_ONLY
    address: Annotated[Address | None, rule(Validation.request, Address, update=True)] = None
    individual: Annotated[Individual | None, rule(Validation.request, Individual)] = None
    company: Annotated[Company | None, rule(Validation.request, Company)] = None
    payee_type: Annotated[PayeeTypeWord | None, rule(Validation.text, 40)] = None
    email: Annotated[str | None, rule(Validation.text, 255, shortest=3)] = None
    language: Annotated[str | None, rule(Validation.text, 35)] = None
    contact_sms_number: Annotated[
        str | None,
        rule(Validation.matching, re.compile(r"\+[1-9][0-9]{1,14}"), "such as '+14155550100'"),
    ] = None
    challenge: Annotated[Challenge | None, rule(Validation.request, Challenge)] = None
