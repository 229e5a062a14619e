"""Payments: pre-authorise, debit, capture, reverse, refund, and ask what became of one.

No operation here takes an idempotency key. So a call whose answer was lost is never sent again by itself: its error's
`outcome` is `unknown`, and whoever called inquires, and does not charge again. A payment that is declined is no error:
it comes back as a `Payment` whose `result` says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from victor_ext.errors import Outcome, UnreadableResponse
from victor_ext.money import Money
from victor_ext.redaction import one_line
from victor_ext.runtime.client.polling import checked_seconds, wait_until
from victor_ext.runtime.client.resources import Mode, Resource, operation
from victor_ext.runtime.client.runners import OperationFlow, call, drop_none

from .cards import Card, CardToken, unless_card
from .checks import Checks
from .notifications import payment_id_of
from .records import Payment

if TYPE_CHECKING:
    from victor_ext.runtime.client.runners import AsyncRunner, SyncRunner
    from victor_ext.runtime.loop.clock import ServerClock

    from .settings import Entity

_API = "eastpay_api.api.payments"


class Payments(Resource[Mode]):
    """Payments of one entity."""

    def __init__(
        self, face: SyncRunner | AsyncRunner, clock: ServerClock, deadline: float | None, entity: Entity
    ) -> None:
        super().__init__(face, clock, deadline)
        self.entity = entity

    @operation
    def debit(
        self,
        amount: Money,
        *,
        merchant_transaction_id: str,
        card: Card | CardToken | None = None,
        payment_brand: str | None = None,
        notification_url: str | None = None,
        shopper_result_url: str | None = None,
        parameters: Mapping[str, str] | None = None,
    ) -> OperationFlow[Payment]:
        """Charge a card at once (payment type DB).

        Args:
            amount: What to charge.
            merchant_transaction_id: Your own reference, 1 to 255 characters. It makes no repeat safe; it is how a
                person finds the payment in the back office after a lost answer. Use one for each payment.
            card: The card, or the token of a stored one; some brands need neither.
            payment_brand: Such as VISA; the gateway may find it by itself.
            notification_url: Where the gateway tells that the payment has changed.
            shopper_result_url: Where the shopper is sent afterwards.
            parameters: Further parameters by their names on the wire, such as `{"customer.email": "..."}`.

        Raises:
            InvalidRequest: Something cannot be right; nothing was sent.
            BadRequest: The gateway found the request wrong; `problems` says where.
            VictorError: See `outcome`. When it is `unknown`, inquire and do not charge again.
        """
        card = unless_card(card)
        return (
            yield from _pay(
                self.entity, "DB", amount, merchant_transaction_id, card, payment_brand, notification_url,
                shopper_result_url, parameters,
            )
        )  # fmt: skip

    @operation
    def preauthorise(
        self,
        amount: Money,
        *,
        merchant_transaction_id: str,
        card: Card | CardToken | None = None,
        payment_brand: str | None = None,
        notification_url: str | None = None,
        shopper_result_url: str | None = None,
        parameters: Mapping[str, str] | None = None,
    ) -> OperationFlow[Payment]:
        """Reserve an amount on a card (payment type PA), to be captured or reversed later.

        Arguments and errors are those of `debit`.
        """
        card = unless_card(card)
        return (
            yield from _pay(
                self.entity, "PA", amount, merchant_transaction_id, card, payment_brand, notification_url,
                shopper_result_url, parameters,
            )
        )  # fmt: skip

    @operation
    def capture(
        self,
        payment_id: str,
        amount: Money,
        *,
        merchant_transaction_id: str,
        notification_url: str | None = None,
        parameters: Mapping[str, str] | None = None,
    ) -> OperationFlow[Payment]:
        """Take what was reserved by `preauthorise`, or a part of it (payment type CP).

        Args:
            payment_id: The id of the pre-authorisation.
            amount: What to take.
            merchant_transaction_id: Your own reference of this step.
            notification_url: Where the gateway tells that it has changed.
            parameters: Further parameters by their names on the wire.

        Raises:
            InvalidRequest: Something cannot be right; nothing was sent.
            VictorError: See `outcome`. When it is `unknown`, inquire and do not capture again.
        """
        return (
            yield from _follow_up(
                self.entity, "CP", payment_id, amount, merchant_transaction_id, None, notification_url, parameters
            )
        )

    @operation
    def reverse(
        self,
        payment_id: str,
        amount: Money | None = None,
        *,
        merchant_transaction_id: str,
        notification_url: str | None = None,
        parameters: Mapping[str, str] | None = None,
    ) -> OperationFlow[Payment]:
        """Give up a reservation, or undo a payment before it is settled (payment type RV).

        Whether the gateway wants an amount here is not known: without one, none is sent. The other arguments and the
        errors are those of `capture`.
        """
        return (
            yield from _follow_up(
                self.entity, "RV", payment_id, amount, merchant_transaction_id, None, notification_url, parameters,
                needs_amount=False,
            )
        )  # fmt: skip

    @operation
    def refund(
        self,
        payment_id: str,
        amount: Money,
        *,
        merchant_transaction_id: str,
        original_transaction_id: str | None = None,
        notification_url: str | None = None,
        parameters: Mapping[str, str] | None = None,
    ) -> OperationFlow[Payment]:
        """Pay back what was charged, or a part of it (payment type RF).

        `original_transaction_id` was seen to be sent by one program, and is not explained anywhere: it is sent only
        when given. The other arguments and the errors are those of `capture`. Money goes out here: after an unknown
        outcome, inquire and do not refund again.
        """
        return (
            yield from _follow_up(
                self.entity, "RF", payment_id, amount, merchant_transaction_id, original_transaction_id,
                notification_url, parameters,
            )
        )  # fmt: skip

    @operation
    def inquire(self, payment_id: str) -> OperationFlow[Payment]:
        """What became of a payment, as far as the gateway knows now. A declined one is a result too.

        It takes the gateway's own id. Whether a payment can be asked for by `merchant_transaction_id` is not known.

        Raises:
            InvalidRequest: It is no id.
            NotFound: The gateway knows no such payment.
        """
        return (yield from _inquire(self.entity, payment_id))

    @operation
    def notified(self, body: bytes | str) -> OperationFlow[Payment]:
        """What became of the payment that a notification names. Of the notification itself only the id is believed.

        Anybody can send one, for any of your payments: go by what this returns, and look your own order up by its id.

        Args:
            body: The body of the notification as it came.

        Raises:
            InvalidRequest: It is no notification; nothing was asked.
            NotFound: It names a payment that the gateway does not know.
        """
        return (yield from _inquire(self.entity, payment_id_of(body)))

    @operation
    def wait(self, payment_id: str, *, timeout: float = 300.0) -> OperationFlow[Payment]:
        """Inquire now and again until the payment has succeeded or was rejected, within `timeout` seconds.

        Raises:
            TimedOut: It had not when the time was up. Its outcome is unknown still: do not charge again.
        """
        seconds = checked_seconds(timeout)

        def in_vain(seen: str) -> str:
            return (
                f"Payment {payment_id} was not settled within {seconds:g} s: {seen}. Wait again, or inquire later; "
                "do not charge again."
            )

        return (
            yield from wait_until(
                lambda left: _inquire(self.entity, payment_id, left), lambda payment: not payment.result.must_inquire,
                in_vain, timeout=seconds, deadline=self.deadline, monotonic=self.clock.monotonic,
                shown=lambda payment: f"{payment.result.kind.value} ({payment.result})",
            )
        )  # fmt: skip


def _pay(
    entity: Entity,
    payment_type: str,
    amount: Money,
    reference: str,
    card: Card | CardToken | None,
    brand: str | None,
    notification_url: str | None,
    shopper_result_url: str | None,
    parameters: Mapping[str, str] | None,
) -> OperationFlow[Payment]:
    checks = Checks()
    fields = {
        **checks.amount(amount),
        **checks.card(card),
        **drop_none(
            merchant_transaction_id=checks.reference(reference),
            payment_brand=checks.text("payment_brand", brand, 32),
            notification_url=checks.url("notification_url", notification_url),
            shopper_result_url=checks.url("shopper_result_url", shopper_result_url),
        ),
    }
    further = checks.parameters(parameters)
    checks.finish()
    from eastpay_api import models  # noqa: PLC0415 - whoever only imports the provider does not pay for the models

    form = models.PaymentForm(payment_type=payment_type, **entity.in_form(), **fields)
    form.additional_properties = dict(further)
    return Payment((yield from call(f"{_API}.create_payment", models.Payment, body=form)))


def _follow_up(
    entity: Entity,
    payment_type: str,
    payment_id: str,
    amount: Money | None,
    reference: str,
    original: str | None,
    notification_url: str | None,
    parameters: Mapping[str, str] | None,
    *,
    needs_amount: bool = True,
) -> OperationFlow[Payment]:
    checks = Checks()
    checks.id("payment_id", payment_id)
    fields = {
        **(checks.amount(amount) if needs_amount or amount is not None else {}),
        **drop_none(
            merchant_transaction_id=checks.reference(reference),
            original_transaction_id=checks.text("original_transaction_id", original, 255),
            notification_url=checks.url("notification_url", notification_url),
        ),
    }
    further = checks.parameters(parameters)
    checks.finish()
    from eastpay_api import models  # noqa: PLC0415 - see above

    form = models.FollowUpForm(payment_type=payment_type, **entity.in_form(), **fields)
    form.additional_properties = dict(further)
    return Payment((yield from call(f"{_API}.follow_up_payment", models.Payment, id=payment_id, body=form)))


def _inquire(entity: Entity, payment_id: str, seconds: float | None = None) -> OperationFlow[Payment]:
    checks = Checks()
    checks.id("payment_id", payment_id)
    checks.finish()
    from eastpay_api import models  # noqa: PLC0415 - see above

    raw = yield from call(f"{_API}.inquire_payment", models.Payment, seconds, id=payment_id, **entity.in_query())
    payment = Payment(raw)
    if payment.id and payment.id.casefold() != payment_id.casefold():
        # A redirect led there: of an answer at the address that was asked for, the transport has seen it already.
        message = f"What was asked for is payment {payment_id}, and the answer is about {one_line(payment.id)}."
        raise UnreadableResponse(message, outcome=Outcome.UNKNOWN)
    return payment
