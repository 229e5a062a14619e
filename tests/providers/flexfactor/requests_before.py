"""FlexFactor's transactions as they were declared by hand: `test_flexfactor_bodies` compares."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime
from typing import Annotated, Any, ClassVar, cast

from flexfactor_api import models

from tests.providers.declared_before import RequestObjects, Sent, plainly_signed, sent_names
from victor_ext.ids import GUID
from victor_ext.money import Money
from victor_ext.privacy import HiddenRepr, concealed, concealed_account, concealed_within, kind_of
from victor_ext.providers.flexfactor.system import Merchant
from victor_ext.runtime.client.extras import ExtraBody, with_extra_body
from victor_ext.runtime.client.runners import drop_none
from victor_ext.runtime.core.card_data import card_data_in, has_card_number
from victor_ext.runtime.core.json_values import is_object
from victor_ext.runtime.core.validation import COMPARED, rule

MOST = 2**31 - 1
"""The largest whole number that is not an amount: a page, a status, a quantity."""

_MOST_CENTS = 10**15
"""An amount of up to fifteen digits keeps its digits as a JSON number (IEEE 754, binary64)."""

_NO_ID = re.compile(r"[\x00-\x1f\x7f-\x9f]|\A\.{1,2}\Z")
"""What no part of a path can hold: control characters, and the names `.` and `..`."""


class Validation(RequestObjects):
    """The problems of a call. Each method checks one argument, which `field` names."""

    def path_id(self, field: str, value: object) -> None:
        """An id that becomes a part of a path, now or later. The path has it percent-encoded."""
        self.text(field, value)
        if isinstance(value, str) and _NO_ID.search(value):
            message = (
                f"{field} is '.' or '..', or has a control character, so no path can hold "
                "it: write another id."
            )
            self.note(field, "characters", message)

    def key(self, field: str, value: object) -> None:
        """An idempotency key; None: the client makes one."""
        wanted = "a GUID as text, such as idempotency_key_for('invoice', 1042) makes"
        self.matching(field, value, GUID, wanted, required=False)

    def amount(self, field: str, value: object, *, zero: bool = False) -> None:
        """An amount above zero; `zero` allows zero, too."""
        if not isinstance(value, Money):
            what = (
                f"not {kind_of(value)}: write Money.of('44.23', 'USD'), or Money(4423, 'USD') "
                "in cents"
            )
            self.note(field, "type", f"{field} must be Money, {what}.")
        elif value.decimals != 2:
            what = (
                f"has {value.decimals} decimals: how FlexFactor, which counts hundredths, "
                "takes it is not documented"
            )
            self.note(field, "currency", f"{field} is in {value.currency}, which {what}.")
        elif value.minor_units < (0 if zero else 1):
            self.note(field, "range", f"{field} is {value} and must be above zero.")
        elif value.minor_units >= _MOST_CENTS:
            self.note(field, "range", f"{field} must have at most fifteen digits.")

    def no_card_numbers(self, field: str, value: object, *, about_a_card: bool = False) -> None:
        """A value without a card number: alone, among other words, as a name, or at any depth.

        With `about_a_card=False` only the members whose names say that they are about a card are
        checked: another number may happen to end with the check digit of a card number. No message
        shows the number.
        """
        places = card_data_in(value, field, about_a_card=about_a_card)
        for place in dict.fromkeys(place for place, is_number in places if is_number):
            what = (
                "looks like a card number (13 to 19 digits with a check digit), and a card is "
                "named by its token"
            )
            hint = 'see "A token for the card" in docs/flexfactor.md'
            self.note(place, "card_number", f"{place} {what} alone: {hint}.")

    def fields(self, field: str, value: object) -> None:
        """Names and texts of the merchant's own."""
        if is_object(value):
            for name, text in value.items():
                self.text(f"a name in {field}", name)
                if not has_card_number(name):  # else `no_card_numbers` says so, and shows none
                    self.text(f"{field}[{name!r}]", text)
        else:
            self.note(
                field, "type", f"{field} must be a dict of text to text, not {kind_of(value)}."
            )


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


_TEXT = rule(Validation.text)
_OPTIONAL = rule(Validation.text, shortest=0)
_DIGITS = rule(Validation.matching, re.compile("[0-9]+"), "digits alone")
_NUMBER = rule(Validation.integer, -MOST, MOST)
_AMOUNT = rule(Validation.amount, zero=True)


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


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class _TransactionRequest(HiddenRepr):
    """The arguments that `evaluate` and `transmit` have in common."""

    # A path has to be able to hold it: `orders.external_cancel` is called with it.
    order_id: Annotated[str, rule(Validation.path_id)]
    amount: Annotated[Money, rule(Validation.amount)]
    transaction: Annotated[Transaction, rule(Validation.request, Transaction)]
    payer: Annotated[Payer, rule(Validation.request, Payer)]
    card: Annotated[Card, Sent("payment_method"), rule(Validation.request, Card)]
    billing: Annotated[
        Address | None, Sent("billing_information"), rule(Validation.request, Address)
    ] = None
    shipping: Annotated[
        Address | None, Sent("shipping_information"), rule(Validation.request, Address)
    ] = None
    items: Sequence[OrderItem] = ()
    recurring: Annotated[bool | None, Sent("is_recurring"), rule(Validation.flag)] = None
    subscription: Annotated[Subscription | None, rule(Validation.request, Subscription)] = None
    fields: Annotated[Mapping[str, str] | None, rule(Validation.fields)] = None
    extra_body: ExtraBody | None = None
    merchant_initiated: Annotated[bool | None, Sent("is_mit"), rule(Validation.flag)] = None

    def __post_init__(self) -> None:
        # Card data that stands here by mistake is hidden in tracebacks before it is refused.
        for name in ("customer_ip", "sense_key", "fields", "extra_body"):
            if hasattr(self, name):
                object.__setattr__(self, name, concealed_within(concealed(getattr(self, name))))

    def check(self, doing: str) -> None:
        """Check all arguments of the method `doing`. Raises `InvalidRequest`."""
        with Validation(doing) as validation:
            validation.checked(self)
            validation.no_card_numbers("fields", self.fields)
            validation.no_card_numbers("extra_body", self.extra_body)
            if isinstance(self.items, list | tuple):
                currency = getattr(self.amount, "currency", None)
                for place, item in enumerate(self.items):
                    validation.request(f"items[{place}]", item, OrderItem, currency=currency)
            else:
                validation.note(
                    "items",
                    "type",
                    f"items must be a list of OrderItem(...), not {kind_of(self.items)}.",
                )

    def _members(self, merchant: Merchant, *, left_out: Sequence[str]) -> dict[str, Any]:
        """The members of the body, by the names of the generated models; `left_out` are the
        arguments that the caller writes.
        """
        additional_fields = [
            models.AdditionalField(key=name, value=value)
            for name, value in (self.fields or {}).items()
        ]
        written_here = ("transaction", "amount", "items", "fields", "extra_body")
        return drop_none(
            mid=merchant.mid,
            site_id=merchant.site_id,
            transaction=self.transaction.to_model(self.amount),
            order_items=[item.to_model() for item in self.items] or None,
            additional_fields=additional_fields or None,
            **members_of(self, *written_here, *left_out),
        )


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class EvaluateRequest(_TransactionRequest):
    # The arguments of `evaluate`.
    customer_ip: Annotated[str | None, rule(Validation.text, shortest=0)] = None
    sense_key: Annotated[str | None, COMPARED, rule(Validation.text, shortest=0)] = None
    expires_at: Annotated[datetime | None, rule(Validation.moment)] = None
    idempotency_key: Annotated[str | None, rule(Validation.key)] = None

    def to_model(self, merchant: Merchant, key: str) -> models.EvaluateRequest:
        """The body of the request, with the idempotency key `key`."""
        members = self._members(merchant, left_out=("expires_at", "idempotency_key"))
        expiry = drop_none(expiry_date_utc=self.expires_at and self.expires_at.astimezone(UTC))
        body = models.EvaluateRequest(
            is_declined=True,  # only a transaction that was declined elsewhere is evaluated
            idempotency_key=key,
            **members,
            **expiry,
        )
        return with_extra_body(body, self.extra_body, doing="evaluate")


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class TransmitRequest(_TransactionRequest):
    # The arguments of `transmit`.
    declined: Annotated[bool, rule(Validation.flag)] = False
    merchant_initiated: Annotated[bool, Sent("is_mit"), rule(Validation.flag)] = False

    def to_model(self, merchant: Merchant) -> models.TransmitRequest:
        """The body of the request."""
        members = self._members(merchant, left_out=("declined",))
        body = models.TransmitRequest(is_declined=bool(self.declined), **members)
        return with_extra_body(body, self.extra_body, doing="transmit")
