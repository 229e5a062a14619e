"""What a response says of the call: yes, no, both at once, or not yet. Its HTTP status does not
decide.

A refused refund has status 200 and `success: false`. Beside `success: true` a new word counts as
good where nothing else contradicts it, but for a cancellation: there it may be the order's.
"""

import re
from collections.abc import Iterator
from enum import Enum
from functools import partial
from typing import Any, NamedTuple

from victor_ext.privacy import one_line
from victor_ext.runtime.core.json_values import (
    is_list,
    is_object,
    lenient_flag_of,
    object_or_empty,
    text_or_empty,
)

_FAILURES = frozenset({"FAILED", "FAIL", "FAILURE", "ERROR", "REJECTED", "REFUSED", "INVALID"})
"""States that mean that the call itself failed."""

REFUSALS = frozenset({"DECLINED", "EXPIRED", "CANCELLED", "CANCELED"})
"""States that are a decision against the order: the result of `evaluate`, and a failure of most
other calls.
"""

_ENDS = frozenset(
    {
        "SUCCESS",
        "SUCCEEDED",
        "SUCCESSFUL",
        "OK",
        "DONE",
        "APPROVED",
        "COMPLETE",
        "COMPLETED",
        "CAPTURED",
        "REFUNDED",
    }
)
"""States after which nothing more happens. Which of them the provider uses is not documented."""

_IN_PROGRESS = re.compile(
    "PENDING|PROCESSING|PROGRESS|CHALLENGE|SUBMITTED|REQUIRED|QUEUED|WAIT|HOLD|REVIEW|DRAFT"
)
"""Parts of states in which no money has been moved yet."""

_NOT_CANCELLED = frozenset({"COMPLETED", "CAPTURED", "REFUNDED"})
"""Ends of an order that was not cancelled, unless `success` says that they are those of the call.
"""


class Says(Enum):
    YES = "yes"
    NO = "no"
    BOTH = "both"
    NOT_YET = "not yet"
    NOTHING = "nothing"


_MISSING, _FAILURE, _PROGRESS, _GOOD, _NEW = range(5)
"""What the state in a body means for the call: the columns of `_TABLE`."""

_TABLE: dict[bool | None, tuple[Says, Says, Says, Says, Says]] = {
    # success, state: missing, failure, in progress, good, a new word
    False: (Says.NO, Says.NO, Says.BOTH, Says.BOTH, Says.BOTH),
    True: (Says.YES, Says.BOTH, Says.NOT_YET, Says.YES, Says.YES),
    None: (Says.NOTHING, Says.NO, Says.NOT_YET, Says.YES, Says.NOT_YET),
}

CODES = ("item3", "code", "errorcode", "responsecode", "statuscode")
"""The fields that hold codes, in lower case. What is most specific comes first."""
SENTENCES = ("responseMessage", "result", "detail", "message", "title", "error")
"""The fields that hold sentences. What is most specific comes first."""
_ERROR = re.compile(r"([45][0-9]{2})(?:\.0|[0-9]{3})?")
_BEGINS_WITH_ERROR = re.compile(
    r"\W*(?:error\W+)?(?:code\W+)?([45][0-9]{2})[0-9]{3}(?![0-9A-Za-z]|[.,][0-9])", re.IGNORECASE
)
_ERROR_WORDS = {
    "UNAUTHORIZED": 401,
    "FORBIDDEN": 403,
    "METHODNOTALLOWED": 405,
    "INTERNALSERVERERROR": 500,
    "BADGATEWAY": 502,
    "SERVICEUNAVAILABLE": 503,
    "GATEWAYTIMEOUT": 504,
}
"""The errors in the table of the provider's page, by their letters alone."""
_LONGEST_WORDS = 50


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
    text = (
        code.strip()
        if isinstance(code, str)
        else str(code)
        if isinstance(code, int) and 0 <= code < 10**6
        else ""
    )
    return ErrorCode(int(text[:3]), int(text[3:])) if re.fullmatch("[1-5][0-9]{5}", text) else None


def code_in(text: object, status: int) -> str:
    """FlexFactor's own code in a text or a number: six digits, which begin with the HTTP status.

    Empty without one.
    """
    code = rf"(?<![0-9A-Za-z]){status}[0-9]{{3}}(?![0-9A-Za-z]|\.[0-9])"
    match = (
        re.search(code, str(text)) if isinstance(text, str | int) and 100 <= status < 600 else None
    )
    return match[0] if match else ""


def member(body: dict[str, Any], name: str) -> Any:
    """A member by its name in any letter case: the provider's spelling differs from place to
    place.
    """
    if name in body:
        return body[name]
    return next((value for key, value in body.items() if key.lower() == name.lower()), None)


def success_of(body: dict[str, Any]) -> bool | None:
    """`success`, as a flag, as 0 or 1, or as text; None when it is missing.

    False in any spelling wins.
    """
    flags = {lenient_flag_of(value) for name, value in body.items() if name.lower() == "success"}
    return False if False in flags else True if True in flags else None


def status_of(body: dict[str, Any]) -> str:
    """The state in `status`, in capitals; empty without one (in some responses it is a number)."""
    return text_or_empty(member(body, "status")).strip().upper()


def is_done(body: dict[str, Any]) -> bool:
    """Whether nothing more happens after a body that says yes: it has no state, or one that is an
    end.
    """
    return status_of(body) in {"", *_ENDS}


def says(
    body: dict[str, Any], *, at_once: bool = False, cancels: bool = False, decides: bool = False
) -> Says:
    """What a body says of a write: one that must be done at once, makes an order CANCELLED, or
    decides about it.
    """
    success, status = success_of(body), status_of(body)
    if decides and status in REFUSALS:
        return Says.YES  # a decision is what was asked for; its sentence is the reason
    complains, in_doubt = _complaint(body)
    if complains and (success or in_doubt):
        return Says.BOTH
    is_good = _is_known(status) or (decides and names_order(body))
    if not status:
        state = _MISSING
    elif status in _FAILURES or (status in REFUSALS and not cancels):
        state = _FAILURE
    elif at_once and (
        _IN_PROGRESS.search(status) or (cancels and (status == "APPROVED" or not is_good))
    ):
        state = _PROGRESS
    else:
        state = _GOOD if is_good and not (cancels and status in _NOT_CANCELLED) else _NEW
    meaning = _TABLE[False if complains else success][state]
    return Says.BOTH if meaning in (Says.YES, Says.NOTHING) and error_in_words(body) else meaning


says_decided, says_cancelled = (
    partial(says, decides=True),
    partial(says, at_once=True, cancels=True),
)


def says_read(body: dict[str, Any]) -> Says:
    """What a body says of a read. Its state and its errors are the order's."""
    return Says.NO if success_of(body) is False else Says.YES


def says_order(body: dict[str, Any]) -> Says:
    """What a body says of the read of an order.

    One that only complains is no order with errors of its own.
    """
    complains, in_doubt = _complaint(body)
    if not complains or success_of(body) is not None or names_order(body):
        return says_read(body)
    return Says.BOTH if in_doubt else Says.NO


_UNDECIDED = frozenset({408, 409, 425})  # errors below 500 after which the work may have been done


def _complaint(body: dict[str, Any]) -> tuple[bool, bool]:
    """Whether a body has an error's status or code, or a list of errors without a success; and
    leaves a doubt.
    """
    error = error_status(body)
    return bool(
        error or (not success_of(body) and member(body, "errors"))
    ), error >= 500 or error in _UNDECIDED


def _is_known(status: str) -> bool:
    return status in _ENDS or status in REFUSALS or _IN_PROGRESS.search(status) is not None


def error_status(body: dict[str, Any]) -> int:
    """The HTTP status of an error, in a ProblemDetails or at the beginning of a six-digit code; 0
    without one.
    """
    words = (str(member(body, name)) for name in ("status", "statusCode"))
    stated = (
        int(code[1]) if (code := _ERROR.fullmatch(word)) else _in_page(word) for word in words
    )
    places = (body, object_or_empty(member(body, "error")))
    # a shorter one is a bank's
    codes = (split_code(member(place, name)) for place in places for name in CODES)
    coded = (code.http_status for code in codes if code and code.http_status >= 400)
    return next(filter(None, stated), 0) or next(coded, 0)


def error_in_words(body: dict[str, Any]) -> int:
    """The HTTP status of an error whose code begins a sentence or a member's name, or which is all
    it says; else 0.
    """
    said = (
        member(place, name)
        for place in (body, object_or_empty(member(body, "error")))
        for name in SENTENCES
    )
    texts = (str(text) for text in (*body, *said) if isinstance(text, str | int))
    codes = ((text, _BEGINS_WITH_ERROR.match(text)) for text in texts)
    return next(filter(None, (int(code[1]) if code else _in_page(text) for text, code in codes)), 0)


def _in_page(text: str) -> int:
    return (
        0
        if len(text) > _LONGEST_WORDS
        else _ERROR_WORDS.get("".join(filter(str.isalpha, text)).upper(), 0)
    )


def in_words(body: dict[str, Any]) -> str:
    """What the body says, for a message."""
    success, status = (
        success_of(body),
        one_line(status_of(body)) or error_status(body) or error_in_words(body),
    )
    words = [] if success is None else [f"success is {str(success).lower()}"]
    if status:
        words.append(f"status is {status}")
    return ", ".join(words) or "it lists errors"


_NOT_ORDERS = frozenset({"errors", "warnings", "links"})


def page_of(body: dict[str, Any]) -> tuple[list[Any], bool | None] | None:
    """The orders of a page, and whether it says that it is the last one (None: it does not say);
    None for no page.

    The name of their array is not documented: it is `items`, or the only array with orders (or
    nothing) in the page. The members of the body itself come first: only without such an array, the
    page is an object in it.
    """
    inside = [
        value
        for name, value in body.items()
        if is_object(value) and name.lower() not in _NOT_ORDERS
    ]
    for holders in ([body], inside):
        pages = [(holder, orders) for holder in holders for orders in _arrays_of_orders(holder)]
        if pages:
            (page, orders), *others = pages
            ends = (end for holder in (page, body) for end in _ends_of(holder))
            return None if others else (orders, next(ends, None))
    # A page may have null in place of its orders, or nothing: what else it lists, it does not leave
    # out.
    lists_others = any(_lists_something(holder) for holder in (body, *inside))
    empty = [holder for holder in (body, *inside) if _has_number_of_page(holder)]
    if lists_others or len(empty) != 1:
        return None
    return [], next(_ends_of(empty[0]), None)


_OF_A_PAGE = ("pageNumber", "pageSize", "pageCount", "hasNextPage", "isLastPage", "isFirstPage")


def _has_number_of_page(holder: dict[str, Any]) -> bool:
    """Whether an object has members of a page, and nothing but null in place of its orders."""
    is_page = any(member(holder, name) is not None for name in _OF_A_PAGE)
    return is_page and member(holder, "items") is None


def _lists_something(holder: dict[str, Any]) -> bool:
    return any(is_list(value) and name.lower() not in _NOT_ORDERS for name, value in holder.items())


def _arrays_of_orders(holder: dict[str, Any]) -> list[list[Any]]:
    named = {name.lower(): value for name, value in holder.items() if is_list(value)}
    arrays = {
        name: array
        for name, array in named.items()
        if name not in _NOT_ORDERS and (not array or any(map(is_order, array)))
    }
    return [arrays["items"]] if "items" in arrays else [*arrays.values()]


def _ends_of(page: dict[str, Any]) -> Iterator[bool]:
    more, last = (lenient_flag_of(member(page, name)) for name in ("hasNextPage", "isLastPage"))
    if more is not None or last is not None:
        yield more is not True and last is not False


def has_words(body: dict[str, Any]) -> bool:
    """Whether a body has a sentence, as a refusal does, that is more than a word for success."""
    words = (str(member(body, name) or "").strip().rstrip(".").upper() for name in SENTENCES)
    return any(word not in {"", *_ENDS} for word in words)


def names_order(body: dict[str, Any]) -> bool:
    return any(
        member(body, name) not in (None, "") for name in ("id", "orderId", "orderSessionKey")
    )


_OF_AN_ORDER = (
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
    """Whether a value says what only an order does: its state, a time, or an id of an order.
    Anything may have an `id`.

    The state is a number or a known word; beside an id of text it is anything.
    """
    if not is_object(value):
        return False
    state = member(value, "status")
    says_state = (isinstance(state, int) and not isinstance(state, bool)) or _is_known(
        status_of(value)
    )
    named = state not in (None, "") and isinstance(member(value, "id"), str)
    return (
        says_state or named or any(member(value, name) not in (None, "") for name in _OF_AN_ORDER)
    )
