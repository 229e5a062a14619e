"""Request objects: a transaction in parts, and the arguments of `evaluate` and `transmit`. Each makes its model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from dataclasses import fields as dataclass_fields
from datetime import UTC, date, datetime
from typing import Any, TypeVar

from victor_ext.errors import InvalidRequest, Problem
from victor_ext.money import Money
from victor_ext.redaction import concealed, concealed_within, kind_of
from victor_ext.runtime.client.json_values import is_object
from victor_ext.runtime.client.runners import drop_none

from .checks import Findings, check_wire
from .generated import models
from .settings import Merchant

M = TypeVar("M", "models.EvaluateRequest", "models.TransmitRequest")


class _Hidden:
    """A dataclass that shows none of its values: not in a `repr`, a log, or a traceback's locals."""

    __slots__ = ()

    def __post_init__(self) -> None:
        for each in dataclass_fields(self):  # type: ignore[arg-type] # every subclass is a dataclass
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

    def check(self, findings: Findings, place: str) -> None:
        """Note each problem, with the place of this object in the call."""
        findings.texts(place, self)
        findings.moment(f"{place}.occurred_at", self.occurred_at, required=True)

    def to_model(self, amount: Money) -> models.Transaction:
        """The generated model, with the amount of the call."""
        return models.Transaction(
            id=self.id,
            timestamp_utc=self.occurred_at.astimezone(UTC),
            amount=cents(amount),
            currency=amount.currency,
            **drop_none(
                timezone_utc_offset=self.utc_offset,
                transaction_type=self.type,
                response_code=self.response_code,
                response_code_source=self.response_code_source,
                avs_result_code=self.avs_result,
                cvv_result_code=self.cvv_result,
                cavv_result_code=self.cavv_result,
                card_not_present=self.card_not_present,
            ),
        )


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

    def check(self, findings: Findings, place: str) -> None:
        """Note each problem, with the place of this object in the call."""
        findings.texts(place, self)
        for name in ("bin", "last4"):
            findings.digits(f"{place}.{name}", getattr(self, name))
        findings.integer(f"{place}.expiration_month", self.expiration_month, 1, 12)
        findings.integer(f"{place}.expiration_year", self.expiration_year, 1000, 9999)

    def to_model(self) -> models.PaymentMethod:
        """The generated model."""
        return models.PaymentMethod(
            card_number=self.token,
            **drop_none(
                holder_name=self.holder_name,
                card_type=self.type,
                card_brand=self.brand,
                card_country=self.country,
                expiration_month=self.expiration_month,
                expiration_year=self.expiration_year,
                card_bin_number=self.bin,
                card_last_4_digits=self.last4,
            ),
        )


@dataclass(frozen=True, slots=True, repr=False)
class Payer(_Hidden):
    """The person who pays. `id` is the merchant's own."""

    email: str
    id: str | None = None
    phone: str | None = None
    birthdate: date | None = None

    def check(self, findings: Findings, place: str) -> None:
        """Note each problem, with the place of this object in the call."""
        findings.texts(place, self)
        birthdate: object = self.birthdate
        if birthdate is not None and not isinstance(birthdate, date):
            field = f"{place}.birthdate"
            findings.note(field, "type", f"{field} must be a date, not {kind_of(birthdate)}.")

    def to_model(self) -> models.Payer:
        """The generated model."""
        return models.Payer(email=self.email, **drop_none(id=self.id, phone=self.phone, birthdate=self.birthdate))


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

    def check(self, findings: Findings, place: str) -> None:
        """Note each problem, with the place of this object in the call."""
        findings.texts(place, self)

    def to_model(self) -> models.Address:
        """The generated model."""
        return models.Address(
            **drop_none(
                first_name=self.first_name,
                last_name=self.last_name,
                address_line_1=self.line1,
                address_line_2=self.line2,
                city=self.city,
                state=self.state,
                zipcode=self.zip_code,
                country=self.country,
                country_code=self.country_code,
                phone=self.phone,
            )
        )


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

    def check(self, findings: Findings, place: str, currency: object) -> None:
        """Note each problem, with the place of this object in the call, and whether its currency is another."""
        findings.texts(place, self)
        findings.item_amount(f"{place}.amount", self.amount, currency)
        for name in ("discount", "tax"):
            if getattr(self, name) is not None:
                findings.item_amount(f"{place}.{name}", getattr(self, name), currency)

    def to_model(self) -> models.OrderItem:
        """The generated model."""
        return models.OrderItem(
            name=self.name,
            amount=cents(self.amount),
            quantity=self.quantity,
            **drop_none(
                sku=self.sku,
                description=self.description,
                discount_amount=self.discount and cents(self.discount),
                tax=self.tax and cents(self.tax),
            ),
        )


@dataclass(frozen=True, slots=True)
class Subscription:
    """The subscription that a transaction belongs to.

    There is no field for its price, because the provider does not document the unit. If you know it, send the price in
    `extra_body={"subscription": {"price": ...}}`.
    """

    id: str
    interval: str | None = None

    def check(self, findings: Findings, place: str) -> None:
        """Note each problem, with the place of this object in the call."""
        findings.texts(place, self)

    def to_model(self) -> models.Subscription:
        """The generated model."""
        return models.Subscription(subscription_id=self.id, **drop_none(interval=self.interval))


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class _TransactionRequest(_Hidden):
    """The arguments that `evaluate` and `transmit` have in common."""

    order_id: str
    amount: Money
    transaction: Transaction
    payer: Payer
    card: Card
    billing: Address | None = None
    shipping: Address | None = None
    items: Sequence[OrderItem] = ()
    recurring: bool | None = None
    subscription: Subscription | None = None
    fields: Mapping[str, str] | None = None
    extra_body: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        for name in ("customer_ip", "sense_key", "fields", "extra_body"):
            if hasattr(self, name):
                object.__setattr__(self, name, concealed_within(concealed(getattr(self, name))))

    def check_transaction(self, findings: Findings) -> None:
        """Note each problem."""
        findings.path_id("order_id", self.order_id)  # `external_cancel` has to be able to name it
        findings.amount("amount", self.amount)
        findings.request("transaction", self.transaction, Transaction, required=True)
        findings.request("payer", self.payer, Payer, required=True)
        findings.request("card", self.card, Card, required=True)
        findings.request("billing", self.billing, Address)
        findings.request("shipping", self.shipping, Address)
        findings.request("subscription", self.subscription, Subscription)
        findings.fields(self.fields)
        if isinstance(self.items, list | tuple):
            currency = getattr(self.amount, "currency", None)
            for place, item in enumerate(self.items):
                findings.request(f"items[{place}]", item, OrderItem, required=True, currency=currency)
        else:
            findings.note("items", "type", f"items must be a list of OrderItem(...), not {kind_of(self.items)}.")

    def members(self, merchant: Merchant, *, merchant_initiated: bool | None) -> dict[str, Any]:
        """The members of the body, by the names of the generated models."""
        more = [models.AdditionalField(key=name, value=value) for name, value in (self.fields or {}).items()]
        return drop_none(
            mid=merchant.mid,
            site_id=merchant.site_id,
            order_id=self.order_id,
            transaction=self.transaction.to_model(self.amount),
            payer=self.payer.to_model(),
            payment_method=self.card.to_model(),
            billing_information=self.billing and self.billing.to_model(),
            shipping_information=self.shipping and self.shipping.to_model(),
            order_items=[item.to_model() for item in self.items] or None,
            additional_fields=more or None,
            is_mit=merchant_initiated,
            is_recurring=self.recurring,
            subscription=self.subscription and self.subscription.to_model(),
        )


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class EvaluateRequest(_TransactionRequest):
    """The arguments of `evaluate`, which documents them."""

    customer_ip: str | None = None
    sense_key: str | None = None
    merchant_initiated: bool | None = None
    expires_at: datetime | None = None
    idempotency_key: str | None = None

    def check(self) -> None:
        """Raise `InvalidRequest` with each problem, if there is one."""
        findings = Findings()
        self.check_transaction(findings)
        findings.ip_address("customer_ip", self.customer_ip)
        findings.text("sense_key", self.sense_key, required=False)
        findings.moment("expires_at", self.expires_at)
        findings.key(self.idempotency_key)
        findings.finish("evaluate")

    def to_model(self, merchant: Merchant, key: str) -> models.EvaluateRequest:
        """The generated model. Raises `InvalidRequest` when `extra_body` does not fit."""
        body = models.EvaluateRequest(
            is_declined=True,
            idempotency_key=key,
            **self.members(merchant, merchant_initiated=self.merchant_initiated),
            **drop_none(
                customer_ip=self.customer_ip, sense_key=self.sense_key, expiry_date_utc=in_utc(self.expires_at)
            ),
        )
        return with_extra(body, self.extra_body, doing="evaluate")


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class TransmitRequest(_TransactionRequest):
    """The arguments of `transmit`, which documents them."""

    declined: bool = False
    merchant_initiated: bool = False

    def check(self) -> None:
        """Raise `InvalidRequest` with each problem, if there is one."""
        findings = Findings()
        self.check_transaction(findings)
        findings.finish("transmit")

    def to_model(self, merchant: Merchant) -> models.TransmitRequest:
        """The generated model. Raises `InvalidRequest` when `extra_body` does not fit."""
        members = self.members(merchant, merchant_initiated=self.merchant_initiated)
        body = models.TransmitRequest(is_declined=bool(self.declined), **members)
        return with_extra(body, self.extra_body, doing="transmit")


def cents(amount: Money) -> int:
    """For `transmit`, `evaluate` and `capture`."""
    return amount.minor_units


def dollars(amount: Money) -> float:
    """For `refund`, which takes a JSON number of dollars.

    This is the only place where an amount becomes a float, in order to be written: with at most fifteen digits, the
    shortest text of the float has the digits of the amount.
    """
    return float(amount.amount)


def in_utc(moment: datetime | None) -> datetime | None:
    """The same moment in UTC."""
    return None if moment is None else moment.astimezone(UTC)


def with_extra(body: M, extra: Mapping[str, Any] | None, *, doing: str) -> M:
    """The body with members that this package does not know; an object that exists gets more members.

    Raises:
        InvalidRequest: A member exists already, in any letter case: the provider reads names in any, so a member that
            this package sends could be replaced unnoticed. Or JSON cannot carry a value.
    """
    known = body.to_dict()
    if extra is None:
        check_wire(known, doing)
        return body
    problems: list[Problem] = []
    merged = _merged(known, extra, "extra_body", problems) if is_object(extra) else known
    if not is_object(extra):
        problems.append(Problem("extra_body", "type", f"extra_body must be a dict, not {kind_of(extra)}."))
    if problems:
        raise InvalidRequest.of(problems, doing=doing)
    check_wire(merged, doing)
    return type(body).from_dict(merged)


def _merged(known: dict[str, Any], extra: Mapping[str, Any], field: str, problems: list[Problem]) -> dict[str, Any]:
    merged = dict(known)
    spelled = {_folded(name): name for name in known}
    for name, value in extra.items():
        place = f"{field}.{name}"
        ours = spelled.setdefault(_folded(name), name)
        if ours not in merged:
            merged[ours] = value
        elif ours not in known:
            problems.append(Problem(place, "duplicate", f"{place} is there twice, in two spellings: write it once."))
        elif is_object(known[ours]) and is_object(value):
            merged[ours] = _merged(merged[ours], value, place, problems)
        else:
            problems.append(Problem(place, "duplicate", f"{place} is set already: use the argument for it."))
    return merged


def _folded(name: object) -> object:
    return name.casefold() if isinstance(name, str) else name
