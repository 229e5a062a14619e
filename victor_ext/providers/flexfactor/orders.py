"""`flexfactor.orders`: read, list, refund and cancel orders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any

from flexfactor_api import models
from flexfactor_api.api.orders import (
    cancel_order,
    cancel_order_by_external_id,
    get_order,
    list_orders,
    refund_order,
)
from flexfactor_api.typed import arguments, methods
from flexfactor_api.typed.words import Status

from victor_ext.errors import Conflict, Outcome, UnreadableResponse, VictorError
from victor_ext.privacy import one_line
from victor_ext.runtime.client.paging import (
    PageReader,
    RepeatedPageReader,
    says_that_others_follow,
)
from victor_ext.runtime.client.polling import poll
from victor_ext.runtime.client.resources import (
    Awaited,
    Blocking,
    Mode,
    Resource,
    Walk,
    arguments_of,
    listing,
    operation,
)
from victor_ext.runtime.client.runners import (
    OperationFlow,
    call,
    call_without_body,
)
from victor_ext.runtime.core.json_values import is_object, object_of
from victor_ext.runtime.loop.idempotency_keys import new_key
from victor_ext.typed import Body, ListQuery, Request

from .checks import MOST, FlexFactorValidation
from .records import Cancellation, Order, OrderStatus, Refund
from .responses import Says, orders_page, says_cancelled

_UNFINISHED = frozenset({OrderStatus.DRAFT, OrderStatus.ONHOLD, OrderStatus.PROCESSING})
_AFTER_END: Mapping[object, frozenset[OrderStatus]] = {
    OrderStatus.CANCELLED: frozenset({OrderStatus.PROBLEM}),
    OrderStatus.RETURNED: frozenset({OrderStatus.PROBLEM}),
    OrderStatus.COMPLETED: frozenset({OrderStatus.RETURNED, OrderStatus.PROBLEM}),
}
"""The statuses in which an order ends, by the provider's guide to its portal (declined, refunded,
approved), and for each the statuses that may still follow it.

A problem may occur at any time. After another status, or one with an unknown number, anything may
follow.
"""


def _orders_in(body: dict[str, Any], reader: PageReader[Order]) -> Sequence[Order]:
    """The orders of a page. Whether another page follows is noted in `reader`."""
    page = orders_page(body)
    assert page is not None  # the row has checked it
    reader.is_last = page.is_last is True
    if page.is_last is None:
        reader.goes_on = says_that_others_follow(body, reader.number)
    else:
        reader.goes_on = not page.is_last
    orders: list[Order] = []
    for item in page.orders or ():
        # What is no object is shown, too: a list must not hide what it does not understand.
        members = item if is_object(item) else {"item": item}
        orders.append(Order(members))
    return orders


class _OrderOperations(Resource[Mode]):
    """The flow behind the generated method, and the operations that have no generated one."""

    @operation
    def get(self, order_id: str) -> OperationFlow[Order]:
        """Read one order, for example one that `evaluate` returned as SUBMITTED, CHALLENGE or
        PROCESSING.

        Raises:
            NotFound: The provider knows no such order.

        Examples:
            >>> flexfactor.orders.get(decision.order_id).status.name
            'COMPLETED'
        """
        with FlexFactorValidation("orders.get") as validation:
            validation.path_id("order_id", order_id)
        return (yield from _read_order(order_id, None))

    @operation
    def wait(
        self,
        order_id: str,
        *,
        until: Status | Sequence[Status] | None = None,
        timeout: float = 300.0,
    ) -> OperationFlow[Order]:
        """Read an order repeatedly until it has a status.

        Args:
            order_id: The provider's id.
            until: A status, or several. None means any but DRAFT, ONHOLD and PROCESSING, which by
                the provider's guide are not final.
            timeout: Seconds to wait in all; 0 reads once.

        Raises:
            Conflict: It came to another end (CANCELLED, RETURNED or COMPLETED), so it can no longer
                have the status. The `outcome` does not describe the payment.
            TimedOut: It did not have the status in that time.

        Examples:
            >>> flexfactor.orders.wait(
            ...     decision.order_id, until="COMPLETED", timeout=30
            ... ).external_order_id
            'INV-1042'
        """
        with FlexFactorValidation("orders.wait") as validation:
            validation.path_id("order_id", order_id)
            wanted = validation.numbers("until", until, OrderStatus.__members__, 0, MOST)

        def has_reached(order: Order) -> bool:
            """Whether the order has a wanted status. Raises `Conflict` if it never will."""
            status = order.status
            every_status = frozenset(OrderStatus)
            missed = every_status - _AFTER_END.get(status, every_status)
            if wanted is not None and status not in wanted and missed.issuperset(wanted):
                names = " or ".join(OrderStatus(number).name for number in wanted)
                message = (
                    f"Order {one_line(order_id)} is {_state_of(order)}, so it can no longer "
                    f"be {names}."
                )
                raise Conflict(message, outcome=Outcome.REJECTED)
            if status is None:
                return False
            return status not in _UNFINISHED if wanted is None else status in wanted

        wanted_words = "a final status" if until is None else "the status"

        return poll(
            self._shared,
            lambda seconds: _read_order(order_id, seconds),
            has_reached,
            goal=f"Order {order_id} did not reach {wanted_words}",
            advice="Wait again, or get() it later.",
            timeout=timeout,
            describe=_state_of,
        )

    @listing
    @arguments_of(arguments.list_orders)
    def list(self, query: ListQuery) -> Walk[Order]:
        sent = query.arguments
        filters = {**sent, "mid": sent.get("mid") or self._shared.context.mid}
        first = filters.pop("page_number")
        reader_class = RepeatedPageReader[Order] if query.may_be_left else PageReader[Order]

        def begin() -> PageReader[Order]:
            return reader_class(lambda order: order.id, first=first, what="list of orders")

        def read(reader: PageReader[Order]) -> OperationFlow[Sequence[Order]]:
            body = yield from call(
                list_orders, untyped=query.untyped, page_number=reader.number, **filters
            )
            return _orders_in(body, reader)

        return Walk(begin, read)

    def _refund(self, request: Request) -> OperationFlow[Refund]:
        order_id, amount = request.path["order_id"], request.by_hand["amount"]
        with FlexFactorValidation("orders.refund") as validation:
            validation.problems += request.check.problems
            validation.path_characters("order_id", order_id)
            currency: object = getattr(amount, "currency", "USD")
            if currency == "USD":
                validation.amount("amount", amount)
            else:
                what = "a refund names no currency, and FlexFactor documents its amount as dollars"
                validation.note(
                    "amount",
                    "currency",
                    f"amount is in {currency}: {what}. Refund it in the portal.",
                )
        # `amount` has at most fifteen digits, so the number in the JSON has exactly its digits.
        body = Body(amountToRefund=float(amount.amount), **request.body)
        json = yield from call(refund_order, order_id=order_id, body=body, untyped=request.untyped)
        return Refund(json, order_id=order_id, amount=amount)

    @operation
    def cancel(
        self, order_id: str, *, idempotency_key: str | None = None
    ) -> OperationFlow[Cancellation]:
        """Cancel an order that has not been captured (a void). One that has been captured is
        refunded instead.

        The provider says that repeats for one order are safe, and a key is sent in any case: after
        a lost response the request is repeated. The provider's response may be empty, which proves
        little, or have another word than CANCELLED: then the order is read.

        Args:
            order_id: The provider's id.
            idempotency_key: A GUID, one per cancellation. With None a random one is made.

        Raises:
            BadRequest: It was refused, for example because the order has been captured.
            UnreadableResponse: The response contradicts itself, or does not say that the order is
                cancelled, and the order was read and is not CANCELLED, or could not be read: the
                outcome is unknown.

        Examples:
            >>> other = flexfactor.evaluate(
            ...     order_id="INV-1044",
            ...     amount=price,
            ...     transaction=transaction,
            ...     payer=payer,
            ...     card=card,
            ... )
            >>> flexfactor.orders.cancel(other.order_id).order_id == other.order_id
            True
        """
        seconds_left = self._shared.clock.countdown(self._shared.deadline)
        key = new_key() if idempotency_key is None else idempotency_key
        not_yet: UnreadableResponse | None = None
        try:
            cancelled = yield from _cancel(cancel_order, "order_id", order_id, key)
            if says_cancelled(cancelled.raw) is Says.YES:
                return cancelled
        except UnreadableResponse as error:
            body = {} if error.response is None else object_of(error.response)
            if says_cancelled(body) is not Says.NOT_YET:
                raise
            not_yet = error
            cancelled = Cancellation(
                body, order_id=order_id, external_order_id=None, idempotency_key=key
            )
        yield from require_cancelled(order_id, key, seconds_left(), not_yet)
        return cancelled

    @operation
    def external_cancel(
        self, external_order_id: str, *, idempotency_key: str | None = None
    ) -> OperationFlow[Cancellation]:
        """Cancel an order by the merchant's own id: for when `evaluate` brought no response, and so
        no other id.

        The same operation as `cancel` at the provider, and as safe to repeat. An empty response is
        the documented one, and is believed: without the provider's id there is no order to read.

        Args:
            external_order_id: The `order_id` of `evaluate`.
            idempotency_key: A GUID of this cancellation, not that of `evaluate`. With None a random
                one is made.

        Raises:
            NotFound: The provider knows no such order: `evaluate` did not reach it, or is still in
                progress.
            BadRequest: It was refused, for example because the order has been captured.

        Examples:
            >>> flexfactor.orders.external_cancel("INV-1044")
            Cancellation(external_order_id='INV-1044')
        """
        return (
            yield from _cancel(
                cancel_order_by_external_id,
                "external_order_id",
                external_order_id,
                idempotency_key,
            )
        )


class Orders(methods.Orders[Refund], _OrderOperations[Blocking]):
    """Orders, by the provider's own id (`decision.order_id`), or for `external_cancel` by the
    merchant's.

    An id is percent-encoded where it is a part of a path; one with control characters, `.` and `..`
    are refused. A method raises `InvalidRequest` before anything is sent if an argument cannot be
    right, and else `VictorError`: its `outcome` says whether a write may have been done.
    """


class AsyncOrders(methods.AsyncOrders[Refund], _OrderOperations[Awaited]):
    """The same operations, awaited."""


def _cancel(
    operation: ModuleType, field: str, order_id: str, idempotency_key: str | None
) -> OperationFlow[Cancellation]:
    """Cancel an order. `field` is the argument of `operation` that takes the id: `order_id` or
    `external_order_id`.
    """
    method = "orders.cancel" if field == "order_id" else "orders.external_cancel"
    with FlexFactorValidation(method) as validation:
        validation.path_id(field, order_id)
        validation.key("idempotency_key", idempotency_key)
    key = new_key() if idempotency_key is None else idempotency_key
    asked_id: dict[str, Any] = {field: order_id}
    response = yield from call_without_body(
        operation, **asked_id, body=models.CancelRequest(idempotency_key=key)
    )
    ids: dict[str, Any] = {"order_id": None, "external_order_id": None, **asked_id}
    return Cancellation(object_of(response), **ids, idempotency_key=key)


def require_cancelled(
    order_id: str,
    key: str | None,
    seconds: float | None,
    not_yet: UnreadableResponse | None = None,
) -> OperationFlow[None]:
    """Read an order within `seconds`, since the response to its cancellation proves nothing.

    Raises `not_yet`, which is the error of that response, or `UnreadableResponse`: the order is not
    CANCELLED, or could not be read.
    """
    why = yield from _why_not_cancelled(order_id, seconds)
    if why is None:
        return
    raise not_yet or UnreadableResponse(
        f"The response to the cancellation of order {one_line(order_id)} was empty, and {why}.",
        hint="Look with orders.get(order_id), or repeat with the same key.",
        outcome=Outcome.UNKNOWN,
        idempotency_key=key,
    )


def _why_not_cancelled(order_id: str, seconds: float | None) -> OperationFlow[str | None]:
    """Read an order within `seconds`. Returns None if it is CANCELLED, else what an error says of
    it.
    """
    if seconds is not None and seconds <= 0:
        return "no time was left to read the order"
    try:
        order = yield from _read_order(order_id, seconds)
    except VictorError as error:
        return f"the order could not be read ({error.message.rstrip('.')})"
    if order.status is OrderStatus.CANCELLED:
        return None
    return f"the order is {_state_of(order)}"


def _state_of(order: Order) -> str:
    """The state of an order, for a message."""
    return one_line(order.status_name or order.status)


def _read_order(order_id: str, seconds: float | None) -> OperationFlow[Order]:
    return Order((yield from call(get_order, seconds, order_id=order_id)))
