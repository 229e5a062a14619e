"""The orders in a body: a page of them (`orders_page`), or one (`is_order`)."""

from typing import Any, NamedTuple

from victor_ext.runtime.core.json_values import is_list, is_object, lenient_flag_of
from victor_ext.runtime.loop.evidence import NOT_ITEMS

from .responses import is_known_state, member, status_of


class OrdersPage(NamedTuple):
    """A page of orders, as the provider sent it."""

    orders: list[Any] | None
    """None: the page has no array of them."""
    is_last: bool | None
    """Whether the page says that it is the last one; None: it does not say."""


def orders_page(body: dict[str, Any]) -> OrdersPage | None:
    """The page of orders that a body is, or has in one of its objects; None: there is no such page.

    The name of the array of orders is not documented: it is `items`, or the only array in the page
    that has orders or is empty. The arrays of the body itself count first: only if none of them is
    that array, the page is an object in the body.
    """
    objects = {name: value for name, value in body.items() if is_object(value)}
    inside = [value for name, value in objects.items() if name.lower() not in NOT_ITEMS]
    for holders in ([body], inside):
        pages: list[tuple[dict[str, Any], list[Any]]] = []
        for holder in holders:
            pages += [(holder, orders) for orders in _arrays_of_orders(holder)]
        if len(pages) > 1:
            return None
        if pages:
            page, orders = pages[0]
            is_last = _says_last(page)
            if is_last is None:
                is_last = _says_last(body)
            return OrdersPage(orders, is_last)
    # A page without orders may have null in place of its array, or no such member.
    empty_pages = [holder for holder in (body, *inside) if _is_empty_page(holder)]
    if len(empty_pages) != 1:
        return None
    return OrdersPage(None, _says_last(empty_pages[0]))


_PAGE_MEMBERS = ("pageNumber", "pageSize", "pageCount", "hasNextPage", "isLastPage", "isFirstPage")


def _is_empty_page(holder: dict[str, Any]) -> bool:
    """Whether an object has members of a page, and no orders: null or nothing in place of their
    array.
    """
    is_page = any(member(holder, name) is not None for name in _PAGE_MEMBERS)
    return is_page and member(holder, "items") is None


def _arrays_of_orders(holder: dict[str, Any]) -> list[list[Any]]:
    """The arrays of an object that have orders or are empty; only `items`, if it is one of them."""
    arrays: dict[str, list[Any]] = {}
    for member_name, value in holder.items():
        name = member_name.lower()
        if not is_list(value) or name in NOT_ITEMS:
            continue
        if not value or any(map(is_order, value)):
            arrays[name] = value
    return [arrays["items"]] if "items" in arrays else [*arrays.values()]


def _says_last(page: dict[str, Any]) -> bool | None:
    """Whether a page says that it is the last one; None: it does not say."""
    more = lenient_flag_of(member(page, "hasNextPage"))
    last = lenient_flag_of(member(page, "isLastPage"))
    if more is None and last is None:
        return None
    # If the two contradict each other, another page is read.
    return more is not True and last is not False


_ORDER_MEMBERS = (
    "statusName",
    "externalOrderId",
    "externalId",
    "merchantOrderId",
    "orderId",
    "orderSessionKey",
    "referenceNumber",
    "orderPlacedDate",
    "expiryDate",
)


def is_order(value: object) -> bool:
    """Whether a value has what only an order has: a state, a time, or a member with an order's id.

    The state is a number or a known word. Beside an `id` that is text it may be any value: the `id`
    alone proves nothing, since other objects have one, too.
    """
    if not is_object(value):
        return False
    state = member(value, "status")
    is_number = isinstance(state, int) and not isinstance(state, bool)
    if is_number or is_known_state(status_of(value)):
        return True
    if state not in (None, "") and isinstance(member(value, "id"), str):
        return True
    return any(member(value, name) not in (None, "") for name in _ORDER_MEMBERS)
