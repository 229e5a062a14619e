"""`eastpay.payments`: pre-authorise, debit, capture, reverse, refund, and inquire."""

from __future__ import annotations

from typing import Any

from eastpay_api.api.payments import (
    create_payment,
    follow_up_payment,
    inquire_payment,
)
from eastpay_api.typed import methods

from victor_ext._runtime.client.polling import poll
from victor_ext._runtime.client.resources import Resource, Shared
from victor_ext._runtime.client.runners import OperationFlow, call
from victor_ext._runtime.core.validation import Validation
from victor_ext.typed import CheckedCall, Request

from ._records import Payment, payment_id_of
from ._requests import Card, CardToken, check_id, checked_form, checked_id
from ._system import Entity


class _EntityPaymentFlows(Resource):
    """The flows behind the generated methods."""

    def __init__(self, shared: Shared) -> None:
        super().__init__(shared)
        self.entity: Entity = shared.context

    def _debit(self, request: Request) -> OperationFlow[Payment]:
        return self._pay("DB", request)

    def _preauthorise(self, request: Request) -> OperationFlow[Payment]:
        return self._pay("PA", request)

    def _pay(self, payment_type: str, request: Request) -> OperationFlow[Payment]:
        """Make a payment of this type."""
        required = ("amount", "merchant_transaction_id")
        form = checked_form(Validation(), self.entity, request, required, paymentType=payment_type)
        return Payment((yield from call(create_payment, body=form)))

    def _capture(self, request: Request) -> OperationFlow[Payment]:
        return self._follow_up("CP", request, "amount")

    def _reverse(self, request: Request) -> OperationFlow[Payment]:
        return self._follow_up("RV", request)

    def _refund(self, request: Request) -> OperationFlow[Payment]:
        return self._follow_up("RF", request, "amount")

    def _follow_up(
        self, payment_type: str, request: Request, *required: str
    ) -> OperationFlow[Payment]:
        """Make a step of this type, of the payment that the request names."""
        validation = Validation()
        payment_id = checked_id(validation, "payment_id", request.by_hand["payment_id"])
        required = ("merchant_transaction_id", *required)
        form = checked_form(validation, self.entity, request, required, paymentType=payment_type)
        sent = call(follow_up_payment, id=payment_id, body=form)
        return Payment((yield from sent))

    def _inquire(self, request: CheckedCall) -> OperationFlow[Payment]:
        return _inquire(self.entity, request.by_hand["payment_id"], **request.path)

    def _notified(self, body: bytes | str) -> OperationFlow[Payment]:
        return _inquire(self.entity, payment_id_of(body))

    def _wait(self, payment_id: str, *, timeout: float) -> OperationFlow[Payment]:
        check_id("payment_id", payment_id)
        return poll(
            self._shared,
            lambda seconds: _inquire(self.entity, payment_id, seconds),
            lambda payment: not payment.result.must_inquire,
            goal=f"Payment {payment_id} was not settled",
            advice="Wait again, or inquire later; do not charge again.",
            timeout=timeout,
            describe=lambda payment: f"{payment.result.kind.value} ({payment.result})",
        )


class Payments(methods.Payments[Payment, Card, CardToken], _EntityPaymentFlows):
    """Payments of one entity. No operation takes a key, so a call whose response was lost is not
    repeated.

    A payment that is declined is returned: its `result` says so. A method raises `InvalidRequest`
    before anything is sent if an argument cannot be right, and else `VictorError`. When its
    `outcome` is `unknown`, inquire, and do not charge, capture or refund again.
    """


class AsyncPayments(methods.AsyncPayments[Payment, Card, CardToken], _EntityPaymentFlows):
    """The same operations, awaited."""


def _inquire(
    entity: Entity, payment_id: str, seconds: float | None = None, **query: Any
) -> OperationFlow[Payment]:
    """Inquire about a payment, within `seconds` (None: the client's deadline)."""
    check_id("payment_id", payment_id)
    sent = call(inquire_payment, seconds, id=payment_id, **entity.in_query(), **query)
    return Payment((yield from sent))
