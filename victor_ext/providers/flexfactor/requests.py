"""Request objects: the arguments of `evaluate` and `transmit`. Each checks itself and makes its model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

from flexfactor_api import models

from victor_ext.money import Money
from victor_ext.privacy import concealed, concealed_within, kind_of
from victor_ext.runtime.client.extras import ExtraBody, with_extra_body
from victor_ext.runtime.client.runners import drop_none

from .checks import Validation, check_wire
from .settings import Merchant
from .transactions import Address, Card, Hidden, OrderItem, Payer, Subscription, Transaction

M = TypeVar("M", "models.EvaluateRequest", "models.TransmitRequest")


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class _TransactionRequest(Hidden):
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
    extra_body: ExtraBody | None = None

    def __post_init__(self) -> None:
        for name in ("customer_ip", "sense_key", "fields", "extra_body"):
            if hasattr(self, name):
                object.__setattr__(self, name, concealed_within(concealed(getattr(self, name))))

    def check_transaction(self, validation: Validation) -> None:
        """Note each problem."""
        validation.path_id("order_id", self.order_id)  # `external_cancel` has to be able to name it
        validation.amount("amount", self.amount)
        validation.request("transaction", self.transaction, Transaction, required=True)
        validation.request("payer", self.payer, Payer, required=True)
        validation.request("card", self.card, Card, required=True)
        validation.request("billing", self.billing, Address)
        validation.request("shipping", self.shipping, Address)
        validation.request("subscription", self.subscription, Subscription)
        validation.fields(self.fields)
        validation.no_card_numbers_within("fields", self.fields)
        validation.no_card_numbers_within("extra_body", self.extra_body)
        if isinstance(self.items, list | tuple):
            currency = getattr(self.amount, "currency", None)
            for place, item in enumerate(self.items):
                validation.request(f"items[{place}]", item, OrderItem, required=True, currency=currency)
        else:
            validation.note("items", "type", f"items must be a list of OrderItem(...), not {kind_of(self.items)}.")

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
        """Raise `InvalidRequest` with all problems, if any."""
        validation = Validation()
        self.check_transaction(validation)
        validation.ip_address("customer_ip", self.customer_ip)
        validation.text("sense_key", self.sense_key, required=False)
        validation.moment("expires_at", self.expires_at)
        validation.key(self.idempotency_key)
        validation.finish("evaluate")

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
        """Raise `InvalidRequest` with all problems, if any."""
        validation = Validation()
        self.check_transaction(validation)
        validation.finish("transmit")

    def to_model(self, merchant: Merchant) -> models.TransmitRequest:
        """The generated model. Raises `InvalidRequest` when `extra_body` does not fit."""
        members = self.members(merchant, merchant_initiated=self.merchant_initiated)
        body = models.TransmitRequest(is_declined=bool(self.declined), **members)
        return with_extra(body, self.extra_body, doing="transmit")


def with_extra(body: M, extra: ExtraBody | None, *, doing: str) -> M:
    """The body with members that this package does not know; JSON can carry it. Raises `InvalidRequest`."""
    whole = with_extra_body(body, extra, doing=doing)
    check_wire(whole.to_dict(), doing)
    return whole


def in_utc(moment: datetime | None) -> datetime | None:
    """The same moment in UTC."""
    return None if moment is None else moment.astimezone(UTC)
