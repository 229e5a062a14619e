"""`flexfactor.orders`: read, list, refund and cancel orders."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from flexfactor_api.api.orders import get_order, list_orders, refund_order
from flexfactor_api.typed import arguments, methods
from flexfactor_api.typed.words import Status

from victor_ext._privacy import one_line
from victor_ext._runtime.client.paging import PageReader
from victor_ext._runtime.client.polling import poll
from victor_ext._runtime.client.resources import Resource, Walk
from victor_ext._runtime.client.runners import (
    OperationFlow,
    call,
    call_without_body,
)
from victor_ext._runtime.core.json_values import flag_of, is_object, list_or_empty, object_of
from victor_ext._runtime.loop.evidence import says_that_others_follow
from victor_ext.errors import Conflict, Outcome, UnreadableResponse, VictorError
from victor_ext.typed import Body, CheckedCall, ListQuery, Query, Request

from ._checks import MOST, check_amount, checked_key
from ._records import Cancellation, Order, OrderStatus, Refund
from ._responses import Says, says_cancelled

_UNFINISHED = frozenset({OrderStatus.DRAFT, OrderStatus.ONHOLD, OrderStatus.PROCESSING})
_STATUSES = frozenset(OrderStatus)
_NEVER_AFTER: Mapping[object, frozenset[OrderStatus]] = {
    OrderStatus.CANCELLED: _STATUSES - {OrderStatus.PROBLEM},
    OrderStatus.RETURNED: _STATUSES - {OrderStatus.PROBLEM},
    OrderStatus.COMPLETED: _STATUSES - {OrderStatus.RETURNED, OrderStatus.PROBLEM},
}
"""The statuses in which an order ends, by the provider's guide to its portal (declined, refunded,
approved), and for each the statuses that no longer follow it.

A problem may occur at any time. After another status, or one with an unknown number, anything may
follow.
"""


def _orders_in(body: dict[str, Any], reader: PageReader[Order]) -> Sequence[Order]:
    """The orders of a page. Whether another page follows is noted in `reader`."""
    reader.more = flag_of(body.get("hasNextPage"))
    if reader.more is None:
        reader.more = says_that_others_follow(body, reader.number) or None
    # What is no object is shown, too: a list must not hide what it does not understand.
    items = list_or_empty(body.get("items"))
    return [Order(item if is_object(item) else {"item": item}) for item in items]


class _OrderFlows(Resource):
    """The flows behind the generated methods."""

    def _get(self, request: CheckedCall) -> OperationFlow[Order]:
        return Order((yield from call(get_order, **request.path)))

    def _wait(
        self, order_id: str, *, until: Status | Sequence[Status] | None, timeout: float
    ) -> OperationFlow[Order]:
        with Query("orders.wait") as check:
            check.text("order_id", order_id, shortest=0, form=arguments.PACKAGE.forms["id"])
            wanted = check.numbers("until", until, OrderStatus.__members__, 0, MOST)

        def has_reached(order: Order) -> bool:
            """Whether the order has a wanted status. Raises `Conflict` if it never will."""
            status = order.status
            if wanted is None:
                return status is not None and status not in _UNFINISHED
            if status not in wanted and _NEVER_AFTER.get(status, frozenset()).issuperset(wanted):
                names = " or ".join(OrderStatus(number).name for number in wanted)
                message = (
                    f"Order {one_line(order_id)} is {_state_of(order)}, so it can no longer "
                    f"be {names}."
                )
                raise Conflict(message, outcome=Outcome.REJECTED)
            return status in wanted

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

    def _list(self, query: ListQuery) -> Walk[Order]:
        sent = query.arguments
        filters = {**sent, "mid": sent.get("mid") or self._shared.context.mid}
        first = filters.pop("page_number")

        def begin() -> PageReader[Order]:
            return PageReader(lambda order: order.id, first, "list of orders", query.may_be_left)

        def read(reader: PageReader[Order]) -> OperationFlow[Sequence[Order]]:
            body = yield from call(list_orders, page_number=reader.number, **filters)
            return _orders_in(body, reader)

        return Walk(begin, read)

    def _refund(self, request: Request) -> OperationFlow[Refund]:
        amount = request.by_hand["amount"]
        with Query("orders.refund") as check:
            check.problems += request.check.problems
            if check_amount(check, amount) and amount.currency != "USD":
                message = (
                    f"amount is in {amount.currency}: a refund names no currency, and FlexFactor "
                    "documents its amount as dollars. Refund it in the portal."
                )
                check.note("amount", "currency", message)
        # `amount` has at most fifteen digits, so the number in the JSON has exactly its digits.
        body = Body(amountToRefund=float(amount.amount), **request.body)
        json = yield from call(refund_order, **request.path, body=body)
        return Refund(json, **request.path, amount=amount)

    def _cancel(self, request: Request) -> OperationFlow[Cancellation]:
        seconds_left = self._shared.clock.countdown(self._shared.deadline)
        cancelled = yield from _cancel(request, "orders.cancel")
        order_id = request.path["order_id"]
        yield from require_cancelled(
            cancelled.raw, order_id, cancelled.idempotency_key, seconds_left
        )
        return cancelled

    def _external_cancel(self, request: Request) -> OperationFlow[Cancellation]:
        return (yield from _cancel(request, "orders.external_cancel"))


class Orders(methods.Orders[Order, Refund, Cancellation], _OrderFlows):
    """Orders, by the provider's own id (`decision.order_id`), or for `external_cancel` by the
    merchant's.

    An id is percent-encoded where it is a part of a path; one with control characters, `.` and `..`
    are refused. A method raises `InvalidRequest` before anything is sent if an argument cannot be
    right, and else `VictorError`: its `outcome` says whether a write may have been done.
    """


class AsyncOrders(methods.AsyncOrders[Order, Refund, Cancellation], _OrderFlows):
    """The same operations, awaited."""


def _cancel(request: Request, doing: str) -> OperationFlow[Cancellation]:
    """Cancel an order by the id in the path. Raises `InvalidRequest` with all problems."""
    with Query(doing) as check:
        check.problems += request.check.problems
        key = checked_key(check, request)
    body = Body(idempotencyKey=key, **request.body)
    response = yield from call_without_body(request.operation, **request.path, body=body)
    ids: dict[str, Any] = {"order_id": None, "external_order_id": None, **request.path}
    return Cancellation(object_of(response), **ids, idempotency_key=key)


def require_cancelled(
    body: dict[str, Any], order_id: str, key: str | None, seconds_left: Callable[[], float | None]
) -> OperationFlow[None]:
    """Read an order, unless the body of the response to its cancellation says that it is done.

    Raises `UnreadableResponse`: the order is not CANCELLED, or could not be read.
    """
    if says_cancelled(body) is Says.YES:
        return
    try:
        order = yield from _read_order(order_id, seconds_left())
    except VictorError as error:
        why = f"the order could not be read ({error.message.rstrip('.')})"
    else:
        if order.status is OrderStatus.CANCELLED:
            return
        why = f"the order is {_state_of(order)}"
    raise UnreadableResponse(
        f"The response to the cancellation of order {one_line(order_id)} was empty, and {why}.",
        hint="Look with orders.get(order_id), or repeat with the same key.",
        outcome=Outcome.UNKNOWN,
        idempotency_key=key,
    )


def _state_of(order: Order) -> str:
    """The state of an order, for a message."""
    return one_line(order.status_name or order.status)


def _read_order(order_id: str, seconds: float | None) -> OperationFlow[Order]:
    return Order((yield from call(get_order, seconds, order_id=order_id)))
