"""`eastpay.payments`: pre-authorise, debit, capture, reverse, refund, and inquire."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Any

from eastpay_api.api.payments import (
    create_payment,
    find_payments,
    follow_up_payment,
    inquire_payment,
)

from victor_ext.errors import ConfigurationError
from victor_ext.money import Money
from victor_ext.runtime.client.polling import poll
from victor_ext.runtime.client.resources import Mode, Resource, Shared, arguments_of, operation
from victor_ext.runtime.client.runners import OperationFlow, call
from victor_ext.runtime.core.json_values import list_or_empty, object_or_empty
from victor_ext.runtime.core.validation import Validation

from .records import Payment, payment_id_of
from .requests import LONGEST_REFERENCE, Card, CardToken, check_id, checked_form, checked_id
from .system import Entity


@dataclass(frozen=True, slots=True, repr=False)
class _PaymentRequest:
    # The arguments of `debit` and `preauthorise`.
    amount: Money
    _: KW_ONLY
    card: Card | CardToken | None = None
    merchant_transaction_id: str
    payment_brand: str | None = None
    notification_url: str | None = None
    shopper_result_url: str | None = None
    parameters: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True, repr=False, kw_only=True)
class _Step:
    """The arguments that all steps of a payment have in common."""

    merchant_transaction_id: str
    notification_url: str | None = None
    parameters: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True, repr=False)
class _FollowUp(_Step):
    # The arguments of `capture`.
    payment_id: str
    amount: Money


@dataclass(frozen=True, slots=True, repr=False)
class _Reversal(_Step):
    # The arguments of `reverse`.
    payment_id: str
    amount: Money | None = None


@dataclass(frozen=True, slots=True, repr=False)
class _Refund(_FollowUp):
    # The arguments of `refund`.
    _: KW_ONLY
    original_transaction_id: str | None = None


class Payments(Resource[Mode]):
    """Payments of one entity. No operation takes a key, so a call whose response was lost is not
    repeated.

    A payment that is declined is returned: its `result` says so. A method raises `InvalidRequest`
    before anything is sent if an argument cannot be right, and else `VictorError`. When its
    `outcome` is `unknown`, inquire, and do not charge, capture or refund again.
    """

    def __init__(self, shared: Shared) -> None:
        super().__init__(shared)
        self.entity: Entity = shared.context

    @operation
    @arguments_of(_PaymentRequest)
    def debit(self, request: _PaymentRequest) -> OperationFlow[Payment]:
        """Charge a card at once (payment type DB).

        Args:
            amount: What to charge.
            merchant_transaction_id: Your own reference, 1 to 255 characters. It makes no repeat
                safe; it is how a person finds the payment in the back office after a lost answer.
                Use one for each payment.
            card: The card, or the token of a stored one; some brands need neither.
            payment_brand: Such as VISA; the gateway may find it by itself.
            notification_url: Where the gateway posts a notification when the payment changes.
            shopper_result_url: Where the shopper is sent afterwards.
            parameters: Further parameters by their names on the wire, such as
                `{"merchant.id": "..."}`.

        Raises:
            BadRequest: The gateway rejected the request; `problems` says why.

        Examples:
            >>> payment = eastpay.payments.debit(
            ...     price, card=card, merchant_transaction_id="INV-1042"
            ... )
            >>> payment.result.kind.value
            'succeeded'
        """
        return (yield from _pay(self.entity, "DB", request))

    @operation
    @arguments_of(_PaymentRequest)
    def preauthorise(self, request: _PaymentRequest) -> OperationFlow[Payment]:
        """Reserve an amount on a card (payment type PA), to be captured or reversed later.

        The arguments are those of `debit`.

        Examples:
            >>> reserved = eastpay.payments.preauthorise(
            ...     price, card=card, merchant_transaction_id="INV-1043"
            ... )
            >>> reserved.payment_type
            'PA'
        """
        return (yield from _pay(self.entity, "PA", request))

    @operation
    @arguments_of(_FollowUp)
    def capture(self, step: _FollowUp) -> OperationFlow[Payment]:
        """Take what was reserved by `preauthorise`, or a part of it (payment type CP).

        `payment_id` is that of the pre-authorisation, `merchant_transaction_id` is your own
        reference of this step. The other arguments are those of `debit`.

        Examples:
            >>> eastpay.payments.capture(
            ...     reserved.id, price, merchant_transaction_id="INV-1043-captured"
            ... ).succeeded
            True
        """
        return (yield from _follow_up(self.entity, "CP", step))

    @operation
    @arguments_of(_Reversal)
    def reverse(self, step: _Reversal) -> OperationFlow[Payment]:
        """Release a reservation, or undo a payment before it is settled (payment type RV).

        Whether the gateway needs an amount here is not documented: with None, none is sent. The
        other arguments are those of `capture`.

        Examples:
            >>> reserved = eastpay.payments.preauthorise(
            ...     price, card=card, merchant_transaction_id="INV-1044"
            ... )
            >>> eastpay.payments.reverse(
            ...     reserved.id, price, merchant_transaction_id="INV-1044-reversed"
            ... ).succeeded
            True
        """
        return (yield from _follow_up(self.entity, "RV", step))

    @operation
    @arguments_of(_Refund)
    def refund(self, step: _Refund) -> OperationFlow[Payment]:
        """Pay back what was charged, or a part of it (payment type RF). Money goes out.

        `original_transaction_id` is not documented; one program was seen to send it. With None,
        none is sent. The other arguments are those of `capture`.

        Examples:
            >>> part = Money.of("12.00", "EGP")
            >>> eastpay.payments.refund(
            ...     payment.id, part, merchant_transaction_id="INV-1042-refund"
            ... ).succeeded
            True
        """
        return (yield from _follow_up(self.entity, "RF", step))

    @operation
    def inquire(self, payment_id: str) -> OperationFlow[Payment]:
        """Ask what became of a payment. A declined one is a result, too.

        It takes the gateway's own id. An inquiry by `merchant_transaction_id` is not documented.

        Raises:
            NotFound: The gateway knows no such payment.

        Examples:
            >>> eastpay.payments.inquire(payment.id).result.code
            '000.000.000'
        """
        return (yield from _inquire(self.entity, payment_id))

    @operation
    def find(self, merchant_transaction_id: str) -> OperationFlow[Sequence[Payment]]:
        """Find the payments and steps with your own `merchant_transaction_id`, such as after an
        unknown outcome.

        EastPay documents no such inquiry: `GET /v3/query?merchantTransactionId=...` is that of
        another gateway with its parameters (OPPWA). So it needs `inquiry_by_reference=True`, for a
        bank that says that its gateway answers it.

        Returns:
            All payments of the answer. Each names the reference. An empty sequence says that the
            gateway has none now: one that was sent a moment ago may come later.

        Raises:
            ConfigurationError: The client was made without `inquiry_by_reference=True`; nothing was
                sent.
            NotFound: The gateway has none, or has no such inquiry: status 404 means both, and
                proves nothing.
            UnreadableResponse: The answer is not a list of payments, or one of them does not name
                the reference.

        Examples:
            >>> [match.id for match in eastpay.payments.find("INV-1042")] == [payment.id]
            True
        """
        with Validation("payments.find") as validation:
            reference = validation.reference(
                "merchant_transaction_id", merchant_transaction_id, LONGEST_REFERENCE
            )
        if not self.entity.found_by_reference:
            raise ConfigurationError(_NO_INQUIRY_BY_REFERENCE)
        found: dict[str, Any] = yield from call(
            find_payments, **self.entity.in_query(), merchant_transaction_id=reference
        )
        # The name of the list is not documented.
        listed = (*list_or_empty(found.get("payments")), *list_or_empty(found.get("records")))
        return [Payment(object_or_empty(payment)) for payment in listed]

    @operation
    def notified(self, body: bytes | str) -> OperationFlow[Payment]:
        """Ask what became of the payment that a notification names. Only the id of the notification
        is believed.

        Anybody can send one, for any of your payments: rely on what this returns, and find your own
        order by its id.

        Raises:
            InvalidRequest: The `body`, which is passed as it came, is not a notification; nothing
                was asked.
            NotFound: It names a payment that the gateway does not know.

        Examples:
            >>> eastpay.payments.notified(body).succeeded
            True
        """
        return (yield from _inquire(self.entity, payment_id_of(body)))

    @operation
    def wait(self, payment_id: str, *, timeout: float = 300.0) -> OperationFlow[Payment]:
        """Inquire repeatedly until the payment has succeeded or was rejected.

        Raises:
            TimedOut: It had not in `timeout` seconds; 0 inquires once. Its outcome is still
                unknown: do not charge again.

        Examples:
            >>> eastpay.payments.wait(payment.id, timeout=30).succeeded
            True
        """
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


_NO_INQUIRY_BY_REFERENCE = (
    "EastPay documents no inquiry by merchantTransactionId, so nothing was sent. If the bank says "
    "that its gateway answers GET /v3/query?merchantTransactionId=..., write EastPay(..., "
    "inquiry_by_reference=True). Else use payments.inquire(id), with the id from the payment's "
    "notification, or the bank's back office."
)


def _pay(entity: Entity, payment_type: str, request: _PaymentRequest) -> OperationFlow[Payment]:
    """Make a payment of this type."""
    form = checked_form(Validation(), entity, request, paymentType=payment_type)
    return Payment((yield from call(create_payment, body=form)))


def _follow_up(
    entity: Entity, payment_type: str, step: _FollowUp | _Reversal
) -> OperationFlow[Payment]:
    """Make a step of this type, of the payment that the step names."""
    validation = Validation()
    checked_id(validation, "payment_id", step.payment_id)
    form = checked_form(validation, entity, step, paymentType=payment_type)
    return Payment((yield from call(follow_up_payment, id=step.payment_id, body=form)))


def _inquire(
    entity: Entity, payment_id: str, seconds: float | None = None
) -> OperationFlow[Payment]:
    """Inquire about a payment, within `seconds` (None: the client's deadline)."""
    check_id("payment_id", payment_id)
    return Payment((yield from call(inquire_payment, seconds, id=payment_id, **entity.in_query())))
