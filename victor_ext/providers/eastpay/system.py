"""What the rest of the package asks about EastPay: how it is reached, and its side of a reconciliation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from victor_ext.books import Book, Theirs, currency_of, money_of
from victor_ext.errors import InvalidRequest, NotFound
from victor_ext.systems import System

SYSTEM = System(
    name="eastpay",
    title="EastPay",
    client="victor_ext.providers.eastpay.client:EastPay",
    async_client="victor_ext.providers.eastpay.client:AsyncEastPay",
    book="victor_ext.providers.eastpay.system:book_of",
    settings=("base_url", "token", "entity_id", "entity_type", "inquiry_by_reference"),
    why_no_ping="EastPay has no read without the id of a payment: try payments.inquire(id)",
    refuses={"environment": "--environment is not for EastPay, whose environment is its URL: write --base-url."},
    why_no_bulk="its payments have the cards of customers, and rows are stored",
)


_STEPS = frozenset({"CP", "RV", "RF"})
"""EastPay's captures, reversals and refunds: steps of a payment, and none of their own."""


def book_of(client: Any, *, page_size: int | None) -> Book:  # noqa: ARG001 - of every system
    """The book of a client, blocking or awaited."""

    def read(payment: Any) -> Theirs:
        fields = payment.to_dict()
        currency = currency_of(fields.get("currency"))
        amount = money_of(fields.get("amount"), currency)
        reference = payment.merchant_transaction_id
        odd = amount is None and fields.get("amount") not in (None, "")
        return Theirs(payment.id or None, reference, amount, amount, currency, str(payment.result), None, odd)

    def choose(payments: Sequence[Any]) -> Sequence[Any]:
        own = [payment for payment in payments if payment.payment_type not in _STEPS]
        # A card that was declined, and then charged, was charged once.
        return [payment for payment in own if payment.succeeded or payment.result.must_inquire] or own[:1]

    # Most gateways answer no inquiry by reference: a client may make it only if its bank says so.
    can_find = bool(getattr(client.payments.entity, "found_by_reference", False))
    by_id = "This client can read EastPay's payments only by id: rows without an id are not checked."
    return Book(
        pages=None,
        read=read,
        look_up=client.payments.inquire,
        find=client.payments.find if can_find else None,
        choose=choose,
        absent=(NotFound, InvalidRequest),  # without a list, a 400 may be about the client's settings
        amounts=False,
        notes=(
            "EastPay has no list: payments that are missing in our book cannot be detected.",
            *(() if can_find else (by_id,)),
            "EastPay's status 404 also means a wrong path: unless at least one payment exists, rows are unchecked.",
            "EastPay may leave amounts out of its responses: such amounts are not compared.",
        ),
    )
