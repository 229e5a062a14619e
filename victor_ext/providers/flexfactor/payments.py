"""`flexfactor.evaluate`, `capture` and `transmit`: declined transactions to be rescued, and what
follows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

from flexfactor_api import models
from flexfactor_api.api.payments import capture, evaluate, transmit

from victor_ext.money import Money
from victor_ext.privacy import HiddenRepr, concealed, concealed_within, kind_of
from victor_ext.runtime.client.extras import ExtraBody, with_extra_body
from victor_ext.runtime.client.resources import Mode, Resource, arguments_of, members_of, operation
from victor_ext.runtime.client.runners import OperationFlow, call, drop_none
from victor_ext.runtime.core.validation import COMPARED, Sent, rule
from victor_ext.runtime.loop.idempotency_keys import new_key

from .checks import Validation
from .records import Capture, Decision, Transmission
from .system import Merchant
from .transactions import Address, Card, OrderItem, Payer, Subscription, Transaction


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


class Payments(Resource[Mode]):
    """Transactions. The client offers these operations as its own.

    A method raises `InvalidRequest` before anything is sent if an argument cannot be right, and
    else `VictorError`: its `outcome` says whether the card may have been charged.
    """

    @operation
    @arguments_of(EvaluateRequest)
    def evaluate(self, request: EvaluateRequest) -> OperationFlow[Decision]:
        """Ask whether a transaction that was declined elsewhere can be rescued; if it can, it is
        charged.

        After a lost response it is sent again with the same key and the same body, and the provider
        responds as it did the first time (for 24 hours). If the outcome is still unknown, repeat
        the call with the error's key, or make sure that nothing is charged with
        `orders.external_cancel(order_id)`.

        A transaction that the merchant started and that gets an immediate response ("sync MIT") is
        retried over days, with the same `order_id` and `merchant_initiated=True`: each of these
        retries is a call with its own key.

        Args:
            order_id: The merchant's own id of the order.
            amount: What is charged; sent in cents.
            transaction: The declined transaction. A repeat with the same key needs the same values.
            payer: The person who pays.
            card: The card, by a token.
            billing: The billing address; the provider's pages call it required.
            shipping: The shipping address.
            customer_ip: The payer's IP address; the provider wants it where the customer started
                the transaction.
            sense_key: From the provider's script on the merchant's page.
            items: The lines of the order.
            merchant_initiated: Whether the merchant started the transaction (a rebill). None sends
                nothing.
            recurring: Whether it recurs. None sends nothing.
            subscription: The subscription that it belongs to.
            expires_at: Until when the provider may go on trying, aware.
            fields: More of the merchant's own, as names and texts.
            extra_body: Members of the body that this package does not know, by their names on the
                wire.
            idempotency_key: A GUID, one per payment, kept for every retry of it:
                `idempotency_key_for("invoice", 1042)`. With None a random one is made. It is on the
                result and on every error.

        Returns:
            The decision. Only `approved` means that a payment was made.

        Raises:
            Conflict: The key was used with other values, or the call that it was used for is in
                progress.
            BadRequest: The provider refused the request, or says with status 200 that the
                evaluation failed.

        Examples:
            >>> decision = flexfactor.evaluate(
            ...     order_id="INV-1042",
            ...     amount=price,
            ...     transaction=transaction,
            ...     payer=payer,
            ...     card=card,
            ...     idempotency_key=idempotency_key_for("invoice", 1042),
            ... )
            >>> decision.needs_capture
            True
        """
        request.check("evaluate")
        key = new_key() if request.idempotency_key is None else request.idempotency_key
        body = request.to_model(self._shared.context, key)
        raw = yield from call(evaluate, models.Decision, body=body)
        return Decision(raw, idempotency_key=key)

    @operation
    def capture(
        self, order_id: str, amount: Money, *, idempotency_key: str | None = None
    ) -> OperationFlow[Capture]:
        """Capture an order that was only authorised (`decision.needs_capture`).

        Args:
            order_id: The provider's id, as the decision has it.
            amount: What is captured; sent in cents.
            idempotency_key: A GUID, one per capture. With None a random one is made.

        Raises:
            BadRequest: It was refused, also with status 200 and `success: false`: nothing was
                captured.
            UnreadableResponse: The response contradicts itself, is about another order, or says
                that the capture is not done yet (PENDING and the like), also when it was repeated
                with its key.

        Examples:
            >>> flexfactor.capture(decision.order_id, price).succeeded
            True
        """
        with Validation("capture") as validation:
            validation.text("order_id", order_id)
            validation.amount("amount", amount)
            validation.key("idempotency_key", idempotency_key)
        key = new_key() if idempotency_key is None else idempotency_key
        body = models.CaptureRequest(
            idempotency_key=key,
            order_id=order_id,
            amount=amount.minor_units,  # cents
            currency=amount.currency,
        )
        raw = yield from call(capture, models.Answer, body=body)
        return Capture(raw, order_id=order_id, amount=amount, idempotency_key=key)

    @operation
    @arguments_of(TransmitRequest)
    def transmit(self, request: TransmitRequest) -> OperationFlow[Transmission]:
        """Send a copy of a transaction, within 24 hours of it, for the provider to learn from.

        It moves no money, and takes no key. What happens to a copy that is sent twice is not
        documented, so the request is not repeated after a lost response. The arguments are those of
        `evaluate`, and:

        Args:
            declined: Whether the transaction was declined.

        Examples:
            >>> copy = flexfactor.transmit(
            ...     order_id="INV-1043",
            ...     amount=price,
            ...     transaction=transaction,
            ...     payer=payer,
            ...     card=card,
            ...     declined=True,
            ... )
            >>> copy.success
            True
        """
        request.check("transmit")
        body = request.to_model(self._shared.context)
        return Transmission((yield from call(transmit, models.TransmitAnswer, body=body)))
