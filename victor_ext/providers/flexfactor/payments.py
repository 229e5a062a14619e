"""`flexfactor.evaluate`, `capture` and `transmit`: declined transactions to be rescued, and what follows."""

from __future__ import annotations

from flexfactor_api import models
from flexfactor_api.api.payments import capture, evaluate, transmit

from victor_ext.money import Money
from victor_ext.runtime.client.resources import Mode, Resource, arguments_of, operation
from victor_ext.runtime.client.runners import OperationFlow, response_to
from victor_ext.runtime.loop.idempotency_keys import new_key

from .checks import Validation
from .records import Capture, Decision, Transmission
from .requests import EvaluateRequest, TransmitRequest
from .responses import request_id_of
from .settings import Merchant
from .transactions import cents


class Payments(Resource[Mode]):
    """Transactions. The client offers these operations as its own."""

    context: Merchant

    @operation
    @arguments_of(EvaluateRequest)
    def evaluate(self, request: EvaluateRequest) -> OperationFlow[Decision]:
        """Ask whether a transaction that was declined elsewhere can be rescued; if it can, it is charged.

        After a lost response it is sent again with the same key and the same body, and the provider responds as it did
        the first time (for 24 hours). If the outcome is still unknown, repeat the call with the error's key, or make
        sure that nothing is charged with `orders.external_cancel(order_id)`.

        A transaction that the merchant started and that gets an immediate response ("sync MIT") is retried over days,
        with the same `order_id` and `merchant_initiated=True`: each of these retries is a call with its own key.

        Args:
            order_id: The merchant's own id of the order.
            amount: What is charged; sent in cents.
            transaction: The declined transaction. A repeat with the same key needs the same values.
            payer: The person who pays.
            card: The card, by a token.
            billing: The billing address; the provider's pages call it required.
            shipping: The shipping address.
            customer_ip: The payer's IP address; the provider wants it where the customer started the transaction.
            sense_key: From the provider's script on the merchant's page.
            items: The lines of the order.
            merchant_initiated: Whether the merchant started the transaction (a rebill). None sends nothing.
            recurring: Whether it recurs. None sends nothing.
            subscription: The subscription that it belongs to.
            expires_at: Until when the provider may go on trying, aware.
            fields: More of the merchant's own, as names and texts.
            extra_body: Members of the body that this package does not know, by their names on the wire.
            idempotency_key: A GUID, one per payment, kept for every retry of it: `idempotency_key_for("invoice",
                1042)`. With None a random one is made. It is on the result and on every error.

        Returns:
            The decision. Only `approved` means that a payment was made.

        Raises:
            InvalidRequest: An argument cannot be right; nothing was sent.
            Conflict: The key was used with other values, or the call that it was used for is in progress.
            BadRequest: The provider refused the request, or says with status 200 that the evaluation failed.
            VictorError: Anything else; its `outcome` says whether the card may have been charged.
        """
        request.check()
        key = new_key() if request.idempotency_key is None else request.idempotency_key
        body = request.to_model(self.context, key)
        response = yield from response_to(evaluate, models.Decision, body=body)
        return Decision(response.parsed, key, request_id_of(response))

    @operation
    def capture(self, order_id: str, amount: Money, *, idempotency_key: str | None = None) -> OperationFlow[Capture]:
        """Capture an order that was only authorised (`decision.needs_capture`).

        Args:
            order_id: The provider's id, as the decision has it.
            amount: What is captured; sent in cents.
            idempotency_key: A GUID, one per capture. With None a random one is made.

        Raises:
            InvalidRequest: An argument cannot be right; nothing was sent.
            BadRequest: It was refused, also with status 200 and `success: false`: nothing was captured.
            UnreadableResponse: The response contradicts itself, is about another order, or says that the capture is not
                done yet (PENDING and the like), also when it was repeated with its key.
            VictorError: Anything else; repeat an unknown outcome with the error's key.
        """
        validation = Validation()
        validation.text("order_id", order_id)
        validation.amount("amount", amount)
        validation.key(idempotency_key)
        validation.finish("capture")
        key = new_key() if idempotency_key is None else idempotency_key
        body = models.CaptureRequest(
            idempotency_key=key, order_id=order_id, amount=cents(amount), currency=amount.currency
        )
        response = yield from response_to(capture, models.Answer, body=body)
        return Capture(response.parsed, order_id, amount, key, request_id_of(response))

    @operation
    @arguments_of(TransmitRequest)
    def transmit(self, request: TransmitRequest) -> OperationFlow[Transmission]:
        """Send a copy of a transaction, within 24 hours of it, for the provider to learn from.

        It moves no money, and takes no key. What happens to a copy that is sent twice is not documented, so the request
        is not repeated after a lost response. The arguments are those of `evaluate`, and:

        Args:
            declined: Whether the transaction was declined.

        Raises:
            InvalidRequest: An argument cannot be right; nothing was sent.
            VictorError: Anything else.
        """
        request.check()
        response = yield from response_to(transmit, models.TransmitAnswer, body=request.to_model(self.context))
        return Transmission(response.parsed, request_id_of(response))
