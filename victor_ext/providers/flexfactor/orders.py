"""`orders`: look at them, give money back, cancel."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeGuard

from victor_ext.errors import Problem
from victor_ext.money import Money
from victor_ext.redaction import one_line
from victor_ext.runtime.client.paging import PageReader, RepeatedPageReader
from victor_ext.runtime.client.polling import checked_seconds, wait_until
from victor_ext.runtime.client.resources import Mode, Resource, Walk, listing, operation
from victor_ext.runtime.client.runners import AsyncRunner, OperationFlow, SyncRunner, drop_none
from victor_ext.runtime.loop.clock import ServerClock
from victor_ext.runtime.loop.keys import new_key

from .amounts import dollars, refund_problem
from .answers import is_list, items_of, last_page
from .bodies import in_utc
from .calling import ask
from .checks import Findings
from .order import Order, OrderStatus
from .records import Cancellation, Refund
from .settings import Merchant

if TYPE_CHECKING:
    from flexfactor_api import models

_FIRST_PAGE = 1
_MOST = 2**31 - 1
_GO_ON = frozenset({OrderStatus.DRAFT, OrderStatus.ONHOLD, OrderStatus.PROCESSING})

Status = OrderStatus | int | str


class Orders(Resource[Mode]):
    """Orders, by the provider's own id (`decision.order_id`), or for `external_cancel` by the merchant's.

    An id is percent-encoded where it is a part of a path; one with control characters, `.` and `..` are refused.
    """

    def __init__(
        self, face: SyncRunner | AsyncRunner, clock: ServerClock, deadline: float | None, merchant: Merchant
    ) -> None:
        super().__init__(face, clock, deadline)
        self._merchant = merchant

    @operation
    def get(self, order_id: str) -> OperationFlow[Order]:
        """Read one order: the present state of what `evaluate` answered as SUBMITTED, CHALLENGE or PROCESSING."""
        _check_order_id("orders.get", order_id)
        return (yield from _read_order(order_id, None))

    @operation
    def wait(
        self, order_id: str, *, until: Status | Sequence[Status] | None = None, timeout: float = 300.0
    ) -> OperationFlow[Order]:
        """Read an order now and again until it has come to a state.

        Args:
            order_id: The provider's id.
            until: States to wait for. None: any but DRAFT, ONHOLD and PROCESSING, which by their names go on by
                themselves. (The provider does not say which of its states are final.)
            timeout: Seconds to wait in all.

        Raises:
            TimedOut: It did not get there in time.
        """
        found = Findings()
        found.path_id("order_id", order_id)
        wanted = _status_numbers(found, until)
        found.finish("orders.wait")
        seconds = checked_seconds(timeout)

        def there(order: Order) -> bool:
            status = order.status
            return status is not None and (status not in _GO_ON if wanted is None else status in wanted)

        def in_vain(seen: str) -> str:
            what = "an end" if until is None else "that state"
            return (
                f"Order {order_id} did not come to {what} within {seconds:g} s: {seen}. Wait again, or get() it later."
            )

        return (
            yield from wait_until(
                lambda left: _read_order(order_id, left), there, in_vain, timeout=seconds, deadline=self.deadline,
                monotonic=self.clock.monotonic, shown=lambda order: one_line(order.status_name or order.status),
            )
        )  # fmt: skip

    @listing
    def list(
        self,
        *,
        query: str | None = None,
        status: Status | Sequence[Status] | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
        mid: str | None = None,
        order_by: str | None = None,
        sort: str | None = None,
        page: int = _FIRST_PAGE,
        page_size: int | None = None,
    ) -> Walk[Order]:
        """Every order that passes the filters, read page by page as it is walked.

        With `status`, which an order may leave meanwhile, the list is read from `page` again until a reading is
        proven to have missed nothing, or three brought nothing new; a list at rest is read twice.

        Args:
            query: Words to look for. In which members the provider looks is documented by example only (a payer's
                name, a merchant's).
            status: `OrderStatus` members, numbers or names; one or several.
            start: Not before this moment, aware.
            end: Not after it.
            mid: Another merchant than the client's.
            order_by: A member's name, such as `"createdOn"`.
            sort: `"asc"` or `"desc"`.
            page: Where to begin; 1 is the first.
            page_size: Orders on a page; the provider's default is 10.

        Raises:
            InvalidRequest: A filter that cannot be right; at once, not at the first page.
            PaginationError: While walking, when the provider repeats its pages for ever.
        """
        found = Findings()
        numbers = _status_numbers(found, status)
        for name, text in (("query", query), ("mid", mid), ("order_by", order_by)):
            found.text(name, text, required=False)
        found.moment("start", start)
        found.moment("end", end)
        for name, number in (("page", page), ("page_size", page_size)):
            if number is not None and not (_is_whole(number) and 1 <= number <= _MOST):
                found.add(Problem(name, "range", f"{name} must be a whole number from 1 to {_MOST}."))
        if sort not in (None, "asc", "desc"):
            found.add(Problem("sort", "choice", "sort must be 'asc' or 'desc'."))
        found.finish("orders.list")
        filters = drop_none(
            query=query, status=numbers, from_=in_utc(start), to=in_utc(end), mid=mid or self._merchant.mid,
            order_by=order_by, sort=sort, page_size=page_size,
        )  # fmt: skip
        # An order goes from one status to the next: see `RepeatedPageReader`.
        reader = PageReader[Order] if numbers is None else RepeatedPageReader[Order]
        return Walk(
            lambda: reader(lambda order: order.id, content=_content, first=page, what="list of orders"),
            lambda reader: _read_page(reader, filters),
        )

    @operation
    def refund(self, order_id: str, amount: Money, *, message: str | None = None) -> OperationFlow[Refund]:
        """Give back an order's amount, or a part of it. A refund that failed is raised, never returned.

        The provider answers a refused refund with status 200 and `success: false`. A caller who asked for a refund
        and got a value back believes in it, so that answer is a `BadRequest` here, with `status_code` 200, the
        provider's reason in `problems`, and outcome `rejected`.

        It takes no key and is sent once. After a lost answer the outcome is unknown: look at the order with `get`
        before you repeat it. (The provider says that repeats for one order do not refund twice; it also offers partial
        refunds, of which two may be meant. How it tells these apart is not documented, so nothing relies on it.)

        Args:
            order_id: The provider's id.
            amount: What is to be given back, in USD: it is sent as a number of dollars, without a currency.
            message: A reason.

        Raises:
            InvalidRequest: An argument cannot be right; nothing was sent.
            BadRequest: It was refused, whatever the status: nothing was given back.
            UnreadableResponse: The answer contradicts itself, is about another order, or says that the refund is not
                done yet (PENDING and the like): its outcome is unknown, so look.
            VictorError: Anything else; its `outcome` says whether the money may have moved.
        """
        found = Findings()
        found.path_id("order_id", order_id)
        found.add(refund_problem("amount", amount))
        found.text("message", message, required=False)
        found.finish("orders.refund")
        from flexfactor_api import models  # noqa: PLC0415 - importing the package loads no models

        body = models.RefundRequest(amount_to_refund=dollars(amount), **drop_none(refund_message=message))
        answered = yield from ask("orders.refund_order", "RefundAnswer", order_id=order_id, body=body)
        return Refund(answered.model, order_id, amount, answered.request_id)

    @operation
    def cancel(self, order_id: str, *, idempotency_key: str | None = None) -> OperationFlow[Cancellation]:
        """Cancel an order that has not been captured: a void. One that has been is refunded instead.

        Repeats for one order are safe by the provider's word, and a key is sent in any case: after a lost answer it
        is sent again.

        Raises:
            BadRequest: It was refused, for example because the order has been captured.
        """
        found = Findings()
        found.path_id("order_id", order_id)
        found.key(idempotency_key)
        found.finish("orders.cancel")
        body, key = _cancel_body(idempotency_key)
        answered = yield from ask("orders.cancel_order", None, order_id=order_id, body=body)
        return Cancellation(
            order_id=order_id, idempotency_key=key, raw=answered.object(), request_id=answered.request_id
        )

    @operation
    def external_cancel(
        self, external_order_id: str, *, idempotency_key: str | None = None
    ) -> OperationFlow[Cancellation]:
        """Cancel by the merchant's own id: for when `evaluate` brought no answer, and so no id of the provider's.

        The same operation as `cancel` at the provider, and as safe to repeat.

        Args:
            external_order_id: What `evaluate` was given as `order_id`.
            idempotency_key: A GUID of this cancellation's own, not that of `evaluate`.

        Raises:
            NotFound: The provider knows no such order: `evaluate` did not reach it, or has not been worked on yet.
        """
        found = Findings()
        found.path_id("external_order_id", external_order_id)
        found.key(idempotency_key)
        found.finish("orders.external_cancel")
        body, key = _cancel_body(idempotency_key)
        answered = yield from ask(
            "orders.cancel_order_by_external_id", None, external_order_id=external_order_id, body=body
        )
        return Cancellation(
            external_order_id=external_order_id,
            idempotency_key=key,
            raw=answered.object(),
            request_id=answered.request_id,
        )


def _read_order(order_id: str, seconds: float | None) -> OperationFlow[Order]:
    answered = yield from ask("orders.get_order", "Order", seconds, order_id=order_id)
    return Order(answered.model, answered.request_id)


def _check_order_id(doing: str, order_id: object) -> None:
    found = Findings()
    found.path_id("order_id", order_id)
    found.finish(doing)


def _cancel_body(idempotency_key: str | None) -> tuple[models.CancelRequest, str]:
    from flexfactor_api import models  # noqa: PLC0415 - importing the package loads no models

    key = idempotency_key if idempotency_key is not None else new_key()
    return models.CancelRequest(idempotency_key=key), key


def _status_numbers(found: Findings, status: object) -> list[int] | None:
    if status is None:
        return None
    wanted: Sequence[object] = status if is_list(status) else (status,)
    numbers: list[int] = []
    for each in wanted:
        name = each.strip().upper() if isinstance(each, str) else ""
        if _is_whole(each) and 0 <= each <= _MOST:
            numbers.append(int(each))
        elif name in OrderStatus.__members__:
            numbers.append(int(OrderStatus[name]))
        else:
            names = ", ".join(OrderStatus.__members__)
            found.add(Problem("status", "choice", f"status must be numbers, or names among: {names}."))
    return numbers or None


def _is_whole(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def _read_page(reader: PageReader[Order], filters: dict[str, Any]) -> OperationFlow[Sequence[Order]]:
    from flexfactor_api import models  # noqa: PLC0415 - importing the package loads no models

    answered = yield from ask("orders.list_orders", "OrderPage", page_number=reader.number, **filters)
    body = answered.model.to_dict()
    reader.is_last = last_page(body)
    # That there is a list has been seen to already: what is no page is an unreadable answer.
    return [Order(models.Order.from_dict(item)) for item in items_of(body) or ()]


def _content(order: Order) -> str:
    return repr(order.raw.to_dict())
