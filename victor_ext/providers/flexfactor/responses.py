"""What a response says of the call: yes, no, both at once, or not yet. Its HTTP status does not
decide.

A refused refund has status 200 and `success: false`. Beside `success: true` a new word counts as
good where nothing else contradicts it, but for a cancellation: there it may be the order's.
"""

import re
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
    if isinstance(code, str):
        text = code.strip()
    elif isinstance(code, int) and 0 <= code < 10**6:
        text = str(code)
    else:
        return None
    if not re.fullmatch("[1-5][0-9]{5}", text):
        return None
    return ErrorCode(int(text[:3]), int(text[3:]))


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
    state = _state_of(status, is_good=is_good, at_once=at_once, cancels=cancels)
    meaning = _TABLE[False if complains else success][state]
    if meaning in (Says.YES, Says.NOTHING) and error_in_words(body):
        return Says.BOTH
    return meaning


def _state_of(status: str, *, is_good: bool, at_once: bool, cancels: bool) -> int:
    """The column of `_TABLE` for a status."""
    if not status:
        return _MISSING
    if status in _FAILURES or (status in REFUSALS and not cancels):
        return _FAILURE
    if at_once and _IN_PROGRESS.search(status):
        return _PROGRESS
    if at_once and cancels and (status == "APPROVED" or not is_good):
        return _PROGRESS
    if cancels and status in _NOT_CANCELLED:
        return _NEW
    return _GOOD if is_good else _NEW


says_decided = partial(says, decides=True)
says_cancelled = partial(says, at_once=True, cancels=True)


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
    lists_errors = not success_of(body) and member(body, "errors")
    in_doubt = error >= 500 or error in _UNDECIDED
    return bool(error or lists_errors), in_doubt


def _is_known(status: str) -> bool:
    return status in _ENDS or status in REFUSALS or _IN_PROGRESS.search(status) is not None


def error_status(body: dict[str, Any]) -> int:
    """The HTTP status of an error, in a ProblemDetails or at the beginning of a six-digit code; 0
    without one.
    """
    for name in ("status", "statusCode"):
        word = str(member(body, name))
        error = _ERROR.fullmatch(word)
        status = int(error[1]) if error else _in_page(word)
        if status:
            return status
    for place in (body, object_or_empty(member(body, "error"))):
        for name in CODES:
            code = split_code(member(place, name))
            if code is not None and code.http_status >= 400:  # a shorter one is a bank's
                return code.http_status
    return 0


def error_in_words(body: dict[str, Any]) -> int:
    """The HTTP status of an error whose code begins a sentence or a member's name, or which is all
    it says; else 0.
    """
    texts: list[object] = [*body]
    for place in (body, object_or_empty(member(body, "error"))):
        texts += [member(place, name) for name in SENTENCES]
    for text in texts:
        if isinstance(text, str | int):
            words = str(text)
            code = _BEGINS_WITH_ERROR.match(words)
            status = int(code[1]) if code else _in_page(words)
            if status:
                return status
    return 0


def _in_page(text: str) -> int:
    """The HTTP status that the words of an error page stand for; 0: they are none."""
    if len(text) > _LONGEST_WORDS:
        return 0
    letters = "".join(filter(str.isalpha, text)).upper()
    return _ERROR_WORDS.get(letters, 0)


def in_words(body: dict[str, Any]) -> str:
    """What the body says, for a message."""
    words: list[str] = []
    success = success_of(body)
    if success is not None:
        words.append(f"success is {str(success).lower()}")
    status = one_line(status_of(body)) or error_status(body) or error_in_words(body)
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
    objects = {name: value for name, value in body.items() if is_object(value)}
    inside = [value for name, value in objects.items() if name.lower() not in _NOT_ORDERS]
    for holders in ([body], inside):
        pages: list[tuple[dict[str, Any], list[Any]]] = []
        for holder in holders:
            pages += [(holder, orders) for orders in _arrays_of_orders(holder)]
        if len(pages) > 1:
            return None
        if pages:
            page, orders = pages[0]
            is_last = _says_last(page)
            return orders, _says_last(body) if is_last is None else is_last
    # A page may have null in place of its orders, or nothing: what else it lists, it does not leave
    # out.
    if any(_lists_something(holder) for holder in (body, *inside)):
        return None
    empty = [holder for holder in (body, *inside) if _has_number_of_page(holder)]
    return ([], _says_last(empty[0])) if len(empty) == 1 else None


_OF_A_PAGE = ("pageNumber", "pageSize", "pageCount", "hasNextPage", "isLastPage", "isFirstPage")


def _has_number_of_page(holder: dict[str, Any]) -> bool:
    """Whether an object has members of a page, and nothing but null in place of its orders."""
    is_page = any(member(holder, name) is not None for name in _OF_A_PAGE)
    return is_page and member(holder, "items") is None


def _lists_something(holder: dict[str, Any]) -> bool:
    return any(is_list(value) and name.lower() not in _NOT_ORDERS for name, value in holder.items())


def _arrays_of_orders(holder: dict[str, Any]) -> list[list[Any]]:
    arrays: dict[str, list[Any]] = {}
    for member_name, value in holder.items():
        name = member_name.lower()
        if not is_list(value) or name in _NOT_ORDERS:
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
    return more is not True and last is not False


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
    is_number = isinstance(state, int) and not isinstance(state, bool)
    if is_number or _is_known(status_of(value)):
        return True
    if state not in (None, "") and isinstance(member(value, "id"), str):
        return True
    return any(member(value, name) not in (None, "") for name in _OF_AN_ORDER)
