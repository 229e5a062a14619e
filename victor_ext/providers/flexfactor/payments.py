"""`flexfactor.evaluate`, `capture` and `transmit`: declined transactions to be rescued, and what
follows.
"""

from __future__ import annotations

from dataclasses import fields as fields_of
from typing import Any

from flexfactor_api import models
from flexfactor_api.api.payments import capture, evaluate, transmit
from flexfactor_api.typed import arguments, parts
from flexfactor_api.typed.parts import OrderItem

from victor_ext.currencies import code_problem
from victor_ext.money import Money
from victor_ext.privacy import is_sequence, kind_of
from victor_ext.runtime.client.requests import with_extra_body
from victor_ext.runtime.client.resources import Mode, Resource, arguments_of, operation
from victor_ext.runtime.client.runners import OperationFlow, call, drop_none
from victor_ext.runtime.core import validation
from victor_ext.runtime.loop.idempotency_keys import new_key
from victor_ext.typed import Body, Request

from .checks import FlexFactorValidation, note_card_numbers
from .records import Capture, Decision, Transmission
from .system import Merchant


class Card(parts.Card):
    """The card, by a token that stands for its number. A card number in place of any of these is
    refused, unsent.
    """

    __slots__ = ()

    def check(self, check: validation.Validation, place: str) -> None:
        for member in fields_of(self):
            value = getattr(self, member.name)
            note_card_numbers(check, f"{place}.{member.name}", value, about_a_card=True)


def _body_of(request: Request, doing: str, merchant: Merchant, **members: Any) -> Body:
    """The body of `evaluate` or `transmit`, with `members` that no argument sets.

    Raises `InvalidRequest` with all problems.
    """
    by_hand = request.by_hand
    amount, fields = by_hand["amount"], by_hand["fields"]
    with FlexFactorValidation(doing) as validation:
        validation.problems += request.check.problems
        validation.path_characters("order_id", request.body["orderId"])
        validation.amount("amount", amount)
        items = _items_of(validation, by_hand["items"], amount)
        if fields is not None:
            validation.fields("fields", fields)
        note_card_numbers(validation, "fields", fields)
        note_card_numbers(validation, "extra_body", by_hand["extra_body"])
        if "idempotency_key" in by_hand:
            validation.key("idempotency_key", by_hand["idempotency_key"])
    body = request.body
    body["transaction"]["amount"] = amount.minor_units  # cents
    body["transaction"]["currency"] = amount.currency
    body |= drop_none(mid=merchant.mid, siteId=merchant.site_id, **members)
    if items:
        body["orderItems"] = items
    if fields:
        body["additionalFields"] = [{"key": name, "value": value} for name, value in fields.items()]
    model = models.EvaluateRequest if doing == "evaluate" else models.TransmitRequest
    return with_extra_body(
        body, by_hand["extra_body"], declared=model, untyped=request.untyped, doing=doing
    )


def _items_of(check: FlexFactorValidation, items: Any, amount: object) -> list[Body | None]:
    """The lines of an order, checked; their amounts are in the currency of the transaction."""
    if items is None:
        return []
    if not is_sequence(items):
        message = f"items must be a list of OrderItem(...), not {kind_of(items)}."
        check.note("items", "type", message)
        return []
    currency = getattr(amount, "currency", None)
    for place, item in enumerate(items):
        for name in ("amount", "discount", "tax"):
            value = getattr(item, name, None)
            field = f"items[{place}].{name}"
            if not isinstance(value, Money) or code_problem(
                field, value.currency, value.own_decimals
            ):
                continue  # what is wrong with the value itself is noted with the items
            if value.currency != currency:
                message = f"{field} is in {value.currency}, and the transaction is not."
                check.note(field, "currency", message)
    return check.parts("items", items, OrderItem, arguments.PACKAGE.parts["OrderItem"])


class Payments(Resource[Mode]):
    """Transactions. The client offers these operations as its own.

    A method raises `InvalidRequest` before anything is sent if an argument cannot be right, and
    else `VictorError`: its `outcome` says whether the card may have been charged.
    """

    @operation
    @arguments_of(arguments.evaluate)
    def evaluate(self, request: Request) -> OperationFlow[Decision]:
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
        own_key = request.by_hand["idempotency_key"]
        key = new_key() if own_key is None else own_key
        # Only a transaction that was declined elsewhere is evaluated.
        fixed = {"isDeclined": True, "idempotencyKey": key}
        body = _body_of(request, "evaluate", self._shared.context, **fixed)
        json = yield from call(evaluate, body=body, untyped=request.untyped)
        return Decision(json, idempotency_key=key)

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
        with FlexFactorValidation("capture") as validation:
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
        json = yield from call(capture, body=body)
        return Capture(json, order_id=order_id, amount=amount, idempotency_key=key)

    @operation
    @arguments_of(arguments.transmit)
    def transmit(self, request: Request) -> OperationFlow[Transmission]:
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
        body = _body_of(request, "transmit", self._shared.context)
        return Transmission((yield from call(transmit, body=body, untyped=request.untyped)))
