"""What the body of a response says of the call: yes, no, both at once, or not yet (`says`).

The HTTP status does not decide: a refused refund has status 200 and `success: false`.

First come the words and codes that the provider uses, then the readers of single members
(`first_text`, `success_of`, `status_of`), `says`, the errors in a body (`error_status`), the orders
in a body (`orders_page`, `is_order`), and `ResultEvidence`: each row of the table has one.
"""

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import Any, NamedTuple

import httpx

from victor_ext._privacy import one_line
from victor_ext._runtime.core.json_values import (
    is_list,
    is_object,
    lenient_flag_of,
    member_in_any_case,
    no_object_reason,
    object_of,
    object_or_empty,
    text_or_empty,
)
from victor_ext._runtime.loop.evidence import (
    NOT_ITEMS,
    Problems,
    document_complaint,
)

REFUSALS = frozenset({"DECLINED", "EXPIRED", "CANCELLED", "CANCELED"})
"""States that are a decision against the order: the result of `evaluate`, and a failure of most
other calls.
"""
_FAILURES = REFUSALS | {
    "FAILED",
    "FAIL",
    "FAILURE",
    "ERROR",
    "REJECTED",
    "REFUSED",
    "INVALID",
}
_SUCCESS = frozenset({"SUCCESS", "SUCCEEDED", "SUCCESSFUL", "OK", "DONE"})
_ENDS = _SUCCESS | {"APPROVED", "COMPLETE", "COMPLETED", "CAPTURED", "REFUNDED"}
"""States after which nothing more happens. Which of them the provider uses is not documented."""
_KNOWN = _ENDS | REFUSALS | {"CHALLENGE", "SUBMITTED", "PROCESSING", "PENDING", "CAPTUREREQUIRED"}


class Says(Enum):
    """What a body says of its call."""

    YES = "yes"
    NO = "no"
    BOTH = "both"
    NOT_YET = "not yet"
    NOTHING = "nothing"


CODES = ("item3", "code", "errorcode", "responsecode", "statuscode")
"""The fields that hold codes, in lower case. What is most specific comes first."""
SENTENCES = ("responseMessage", "result", "detail", "message", "title", "error")
"""The fields that hold sentences. What is most specific comes first."""
_IS_ERROR = re.compile(r"([45][0-9]{2})(?:\.0|[0-9]{3})?\Z")
_BEGINS_WITH_ERROR = re.compile(
    r"\W*(?:error\W+)?(?:code\W+)?([45][0-9]{2})[0-9]{3}(?![0-9A-Za-z]|[.,][0-9])", re.IGNORECASE
)


_NAMES = {
    "UNAUTHORIZED": 401,
    "FORBIDDEN": 403,
    "METHODNOTALLOWED": 405,
    "INTERNALSERVERERROR": 500,
    "BADGATEWAY": 502,
    "SERVICEUNAVAILABLE": 503,
    "GATEWAYTIMEOUT": 504,
}
"""The errors in the table of the provider's page, by the letters of their names."""
_LONGEST_NAME = 50


class ErrorCode(NamedTuple):
    """A six-digit code in its two parts: an HTTP status, and the number of the error.

    The provider's pages describe the scheme and list no codes.
    """

    http_status: int
    error: int


def split_code(code: object) -> ErrorCode | None:
    """`ErrorCode(400, 12)` for 400012 or "400012"; None for anything that is not a six-digit
    code.
    """
    if isinstance(code, str):
        text = code.strip()
    elif isinstance(code, int) and 0 <= code < 10**6:
        text = str(code)
    else:
        return None
    if not re.fullmatch("[1-5][0-9]{5}", text):
        return None
    return ErrorCode(int(text[:3]), int(text[3:]))


member = member_in_any_case  # the provider's spelling differs from place to place


def first_text(body: dict[str, Any], *names: str) -> str:
    """The first text under one of these names; empty: there is none."""
    texts = (text_or_empty(member(body, name)) for name in names)
    return next(filter(None, texts), "")


def _has_any(body: dict[str, Any], names: Collection[str]) -> bool:
    """Whether a body has something under one of these names."""
    return any(member(body, name) not in (None, "") for name in names)


def success_of(body: dict[str, Any]) -> bool | None:
    """The value of `success`, which may be a flag, 0 or 1, or text; None: the body has none.

    If a body has several spellings of the name, one that is false wins.
    """
    flags = {lenient_flag_of(value) for name, value in body.items() if name.lower() == "success"}
    if False in flags:
        return False
    return True if True in flags else None


def status_of(body: dict[str, Any]) -> str:
    """The state in `status`, in capitals; empty without one (in some responses it is a number)."""
    return first_text(body, "status").strip().upper()


def is_done(body: dict[str, Any]) -> bool:
    """Whether nothing more happens after a body that says yes: it has no state, or one that is an
    end.
    """
    return status_of(body) in {"", *_ENDS}


def says(
    body: dict[str, Any], *, ends: Collection[str] | None = None, decides: bool = False
) -> Says:
    """What a body says of a write.

    Args:
        body: The body of the response.
        ends: The states in which the write is done, of a write that is done when its response
            comes: any other state is "not yet". None: the state is that of the order alone.
        decides: Whether the write decides about an order, as `evaluate` does: a refusal is then a
            result of the call.
    """
    success = success_of(body)
    status = status_of(body)
    if decides and status in REFUSALS:
        return Says.YES  # a decision is what was asked for; its sentence is the reason
    failed = status in _FAILURES and status not in (ends or ())
    if failed or success is False or _has_error(body):
        has_other_state = status != "" and not failed
        return Says.BOTH if success or has_other_state or _leaves_doubt(body) else Says.NO
    if status:
        is_good = status in (_KNOWN if ends is None else ends)
        is_result = ends is None and (success or (decides and names_order(body)))
        if not (is_good or is_result):
            return Says.NOT_YET
    if error_in_words(body):
        return Says.BOTH
    return Says.YES if success or status else Says.NOTHING


says_decided = partial(says, decides=True)
says_done = partial(says, ends=_ENDS)
# Beside another end, such as COMPLETED, the order may not be cancelled.
says_cancelled = partial(says, ends=_SUCCESS | REFUSALS)


def says_read(body: dict[str, Any]) -> Says:
    """What a body says of a read. The state and the errors in the body are those of the order, and
    say nothing of the read.
    """
    return Says.NO if success_of(body) is False else Says.YES


def says_order(body: dict[str, Any]) -> Says:
    """What a body says of the read of an order.

    A body that has an error and names no order is no order with errors: the read failed.
    """
    if not _has_error(body) or success_of(body) is not None or names_order(body):
        return says_read(body)
    return Says.BOTH if _leaves_doubt(body) else Says.NO


def _has_error(body: dict[str, Any]) -> bool:
    """Whether a body has the status or the code of an error, or lists errors and does not say
    `success: true`.
    """
    lists_errors = not success_of(body) and member(body, "errors")
    return bool(error_status(body) or lists_errors)


_UNDECIDED = frozenset({408, 409, 425})
"""Error statuses below 500 after which the work may have been done."""


def _leaves_doubt(body: dict[str, Any]) -> bool:
    """Whether the work may have been done although the body has the status of an error."""
    error = error_status(body)
    return error >= 500 or error in _UNDECIDED


def error_status(body: dict[str, Any]) -> int:
    """The HTTP status of the error in a body: that of a ProblemDetails (RFC 9457), or the beginning
    of a six-digit code. 0: the body has no such error.
    """
    for name in ("status", "statusCode"):
        status = _status_in(_IS_ERROR, member(body, name))
        if status:
            return status
    for value in _values_at(CODES, body):
        code = split_code(value)
        # Below 400 is no error. (A code of fewer digits is a bank's: `split_code` has none.)
        if code is not None and code.http_status >= 400:
            return code.http_status
    return 0


def error_in_words(body: dict[str, Any]) -> int:
    """The HTTP status of the error in a sentence of a body, or in the name of a member: a six-digit
    code at its beginning ("502000 ..."), or the whole of it ("Bad Gateway"). 0: there is none.
    """
    for value in (*body, *_values_at(SENTENCES, body)):
        status = _status_in(_BEGINS_WITH_ERROR, value) if isinstance(value, str | int) else 0
        if status:
            return status
    return 0


def _values_at(names: Collection[str], body: dict[str, Any]) -> Iterator[object]:
    """What a body has under these names, then what its object `error` has under them."""
    for place in (body, object_or_empty(member(body, "error"))):
        for name in names:
            yield member(place, name)


def _status_in(form: re.Pattern[str], value: object) -> int:
    """The HTTP status in a code of this form, or of which a value is the name, such as 502 for
    "Bad Gateway"; else 0.
    """
    text = str(value)
    code = form.match(text)
    if code:
        return int(code[1])
    if len(text) > _LONGEST_NAME:
        return 0
    return _NAMES.get("".join(filter(str.isalpha, text)).upper(), 0)


def in_words(body: dict[str, Any]) -> str:
    """What a body says of its call, in words for a message."""
    words: list[str] = []
    success = success_of(body)
    if success is not None:
        words.append(f"success is {str(success).lower()}")
    status = one_line(status_of(body)) or error_status(body) or error_in_words(body)
    if status:
        words.append(f"status is {status}")
    return ", ".join(words) or "it lists errors"


ORDER_IDS = ("id", "orderId", "orderSessionKey")


def names_order(body: dict[str, Any]) -> bool:
    """Whether a body has an id of an order."""
    return _has_any(body, ORDER_IDS)


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
    inside: list[dict[str, Any]] = []
    for name, value in body.items():
        if is_object(value) and name.lower() not in NOT_ITEMS:
            inside.append(value)
    for holders in ([body], inside):
        pages = [(holder, orders) for holder in holders for orders in _arrays_of_orders(holder)]
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
    if is_number or status_of(value) in _KNOWN:
        return True
    if state not in (None, "") and isinstance(member(value, "id"), str):
        return True
    return _has_any(value, _ORDER_MEMBERS)


def no_page(body: dict[str, Any]) -> str | None:
    """Why a body is no page of orders, or None."""
    page = orders_page(body)
    if page is None:
        return "its body is not a page of orders"
    if not page.orders and error_status(body):
        # An empty page would be taken for the end of the list.
        return "its page is empty, and reports an error"
    return None


@dataclass(frozen=True, slots=True)
class ResultEvidence:
    """A JSON object that says yes, and has the result of the call.

    Attributes:
        says: What a body says of the call.
        lack: Why a body that says neither no nor "not yet" is not the result, or None.
        named_by: The members that are the result without a word, such as the id of what was made.
        may_be_empty: Whether the response may have no body, or only what the document declares for
            its status.
    """

    says: Callable[[dict[str, Any]], Says]
    lack: Callable[[dict[str, Any]], str | None] = lambda _body: None
    named_by: Collection[str] = ()
    may_be_empty: bool = False

    def __call__(self, response: httpx.Response, problems: Problems) -> str | None:
        if self.may_be_empty and not response.content:
            return None
        body = object_of(response)
        meaning = self.says(body)
        if meaning in (Says.BOTH, Says.NOT_YET):
            what = "contradicts itself" if meaning is Says.BOTH else "does not say that it is done"
            return f"its body {what} ({in_words(body)})"
        reason = no_object_reason(response) or self._why_no_result(body, meaning)
        is_empty = self.may_be_empty and meaning is Says.NOTHING
        if reason or not is_empty:
            return reason
        return document_complaint(response, problems, may_be_empty=True)

    def _why_no_result(self, body: dict[str, Any], meaning: Says) -> str | None:
        """Why a body, which says this of its call, is not the result of the call; None: it is."""
        is_silent = meaning is Says.NOTHING and not _has_any(body, self.named_by)
        is_empty = self.may_be_empty and not body  # documented: the caller reads the order then
        reason = "its body states no result" if is_silent and not is_empty else None
        return self.lack(body) or reason

    def was_reached(self, response: httpx.Response) -> bool:
        """Whether a body says, under any status, that the call was done or is under way.

        `success` says so, if it is true. So does an order that is named beside its state.
        """
        body = object_of(response)
        meaning, success = self.says(body), success_of(body)
        if success is False or meaning is Says.NO or self._why_no_result(body, meaning):
            return False
        return success is True or (meaning is Says.YES and names_order(body))

    def refusal(self, response: httpx.Response) -> str | None:
        """The words of a body that says no, or None."""
        body = object_of(response)
        return in_words(body) if self.says(body) is Says.NO else None
