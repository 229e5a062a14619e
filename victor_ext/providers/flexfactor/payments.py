"""`transmit`, `evaluate`, `capture`: what is done with transactions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from victor_ext.money import Money
from victor_ext.redaction import concealed, concealed_within
from victor_ext.runtime.client.resources import Mode, Resource, operation
from victor_ext.runtime.client.runners import AsyncRunner, OperationFlow, SyncRunner, drop_none
from victor_ext.runtime.loop.clock import ServerClock
from victor_ext.runtime.loop.keys import new_key

from .amounts import amount_problem, cents
from .bodies import common_members, in_utc, with_extra
from .calling import ask
from .checks import Findings, check_customer_ip, check_transaction
from .inputs import Address, Card, OrderItem, Payer, Subscription, Transaction
from .records import Capture, Decision, Transmission
from .settings import Merchant


class Payments(Resource[Mode]):
    """Declined transactions to be rescued, and what follows. Its operations are the client's own."""

    def __init__(
        self,
        face: SyncRunner | AsyncRunner,
        clock: ServerClock,
        deadline: float | None,
        merchant: Merchant,
    ) -> None:
        super().__init__(face, clock, deadline)
        self._merchant = merchant

    @operation
    def evaluate(
        self,
        *,
        order_id: str,
        amount: Money,
        transaction: Transaction,
        payer: Payer,
        card: Card,
        billing: Address | None = None,
        shipping: Address | None = None,
        customer_ip: str | None = None,
        sense_key: str | None = None,
        items: Sequence[OrderItem] = (),
        merchant_initiated: bool | None = None,
        recurring: bool | None = None,
        subscription: Subscription | None = None,
        expires_at: datetime | None = None,
        fields: Mapping[str, str] | None = None,
        extra_body: Mapping[str, Any] | None = None,
        idempotency_key: str | None = None,
    ) -> OperationFlow[Decision]:
        """Ask whether a transaction that was declined elsewhere can be rescued; if it can, it is charged.

        After a lost answer it is sent again with the same key and the same body, and the provider answers as it did
        the first time (for 24 hours). If there is no answer in the end, repeat it with the error's key, or make
        sure that nothing is charged with `orders.external_cancel(order_id)`.

        A transaction of the merchant's own that is answered at once ("sync MIT") is retried with the same `order_id`
        over days, with `merchant_initiated=True`: each of these retries is a call of its own, with a key of its own.

        Args:
            order_id: The merchant's own id of the order.
            amount: What is to be charged; sent in cents.
            transaction: The declined transaction. A repeat with the same key needs the same values.
            payer: Who pays.
            card: The card, by a token.
            billing: The billing address; the provider's pages call it required.
            shipping: The shipping address.
            customer_ip: The payer's IP address; the provider wants it where the customer started the transaction.
            sense_key: From the provider's script on the merchant's page.
            items: The lines of the order.
            merchant_initiated: Whether the merchant started the transaction (a rebill).
            recurring: Whether it recurs.
            subscription: What it belongs to.
            expires_at: Until when the provider may go on trying, aware.
            fields: More of the merchant's own, as names and texts.
            extra_body: Members of the body that this package does not know, by their names on the wire.
            idempotency_key: A GUID, one per payment, kept for every retry of it: `idempotency_key_for("invoice",
                1042)`. A random one is made when it is left out, and is on the result and on every error.

        Returns:
            The decision. `approved` alone means that there is a payment.

        Raises:
            InvalidRequest: An argument cannot be right; nothing was sent.
            Conflict: The key was used with other values, or what it was used for is not finished.
            BadRequest: The provider found the request wrong, or says with status 200 that the evaluation failed.
            VictorError: Anything else; its `outcome` says whether the card may have been charged.
        """
        # Whatever is raised from here on, no frame of ours shows them.
        customer_ip, sense_key = concealed(customer_ip), concealed(sense_key)
        fields, extra_body = concealed_within(fields), concealed_within(extra_body)
        found = Findings()
        check_transaction(
            found, order_id=order_id, amount=amount, transaction=transaction, payer=payer, card=card, billing=billing,
            shipping=shipping, items=items, subscription=subscription, more_fields=fields,
        )  # fmt: skip
        check_customer_ip(found, customer_ip)
        found.text("sense_key", sense_key, required=False)
        found.moment("expires_at", expires_at)
        found.key(idempotency_key)
        found.finish("evaluate")
        from flexfactor_api import models  # noqa: PLC0415 - importing the package loads no models

        key = idempotency_key if idempotency_key is not None else new_key()
        members = common_members(
            merchant=self._merchant, order_id=order_id, amount=amount, transaction=transaction,
            payer=payer, card=card, billing=billing, shipping=shipping, items=items, fields=fields,
            merchant_initiated=merchant_initiated, recurring=recurring, subscription=subscription,
        )  # fmt: skip
        more = drop_none(customer_ip=customer_ip, sense_key=sense_key, expiry_date_utc=in_utc(expires_at))
        body = models.EvaluateRequest(is_declined=True, idempotency_key=key, **members, **more)
        body = with_extra(body, extra_body, doing="evaluate")
        answered = yield from ask("payments.evaluate", "Decision", body=body)
        return Decision(answered.model, key, answered.request_id)

    @operation
    def capture(self, order_id: str, amount: Money, *, idempotency_key: str | None = None) -> OperationFlow[Capture]:
        """Capture an order that was only authorised (`decision.needs_capture`).

        Args:
            order_id: The provider's id, as the decision has it.
            amount: What is to be captured; sent in cents.
            idempotency_key: A GUID, one per capture; a random one is made when it is left out.

        Raises:
            InvalidRequest: An argument cannot be right; nothing was sent.
            BadRequest: It was refused, also with status 200 and `success: false`: nothing was captured.
            UnreadableResponse: The answer contradicts itself, is about another order, or says that the capture is not
                done yet (PENDING and the like), after having been asked again with its key.
            VictorError: Anything else; repeat an unknown outcome with the error's key.
        """
        found = Findings()
        found.text("order_id", order_id)
        found.add(amount_problem("amount", amount))
        found.key(idempotency_key)
        found.finish("capture")
        from flexfactor_api import models  # noqa: PLC0415 - importing the package loads no models

        key = idempotency_key if idempotency_key is not None else new_key()
        body = models.CaptureRequest(
            idempotency_key=key, order_id=order_id, amount=cents(amount), currency=amount.currency
        )
        answered = yield from ask("payments.capture", "Answer", body=body)
        return Capture(answered.model, order_id, amount, key, answered.request_id)

    @operation
    def transmit(
        self,
        *,
        order_id: str,
        amount: Money,
        transaction: Transaction,
        payer: Payer,
        card: Card,
        declined: bool = False,
        merchant_initiated: bool = False,
        billing: Address | None = None,
        shipping: Address | None = None,
        items: Sequence[OrderItem] = (),
        recurring: bool | None = None,
        subscription: Subscription | None = None,
        fields: Mapping[str, str] | None = None,
        extra_body: Mapping[str, Any] | None = None,
    ) -> OperationFlow[Transmission]:
        """Hand over a copy of a transaction, within 24 hours of it, for the provider to learn from.

        It moves no money, and takes no key: what becomes of a copy that comes twice is not documented, so after a
        lost answer it is not sent again by itself. The arguments are those of `evaluate`.

        Args:
            declined: Whether the transaction was declined where it was made.
        """
        fields, extra_body = concealed_within(fields), concealed_within(extra_body)  # as in `evaluate`
        found = Findings()
        check_transaction(
            found, order_id=order_id, amount=amount, transaction=transaction, payer=payer, card=card, billing=billing,
            shipping=shipping, items=items, subscription=subscription, more_fields=fields,
        )  # fmt: skip
        found.finish("transmit")
        from flexfactor_api import models  # noqa: PLC0415 - importing the package loads no models

        members = common_members(
            merchant=self._merchant, order_id=order_id, amount=amount, transaction=transaction,
            payer=payer, card=card, billing=billing, shipping=shipping, items=items, fields=fields,
            merchant_initiated=merchant_initiated, recurring=recurring, subscription=subscription,
        )  # fmt: skip
        body = models.TransmitRequest(is_declined=bool(declined), **members)
        body = with_extra(body, extra_body, doing="transmit")
        answered = yield from ask("payments.transmit", "TransmitAnswer", body=body)
        return Transmission(answered.model, answered.request_id)
