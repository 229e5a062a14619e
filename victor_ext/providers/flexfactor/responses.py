"""What the body of a response says of the call: yes, no, both at once, or not yet (`says`).

The HTTP status does not decide: a refused refund has status 200 and `success: false`. Beside
`success: true` an unknown state counts as good where nothing else contradicts it. A cancellation is
the exception: the unknown state may be that of the order.

First come the words and codes that the provider uses, then the readers of single members
(`success_of`, `status_of`), then `says`, and the errors in a body (`error_status`).
"""

import re
from enum import Enum
from functools import partial
from typing import Any, NamedTuple

from victor_ext.privacy import one_line
from victor_ext.runtime.core.json_values import (
    lenient_flag_of,
    member_in_any_case,
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
"""Parts of the states in which no money has been moved yet."""

_NOT_CANCELLED = frozenset({"COMPLETED", "CAPTURED", "REFUNDED"})
"""States in which an order ends that was not cancelled. Beside `success: true` they may be those of
the call to cancel it.
"""


class Says(Enum):
    """What a body says of its call."""

    YES = "yes"
    NO = "no"
    BOTH = "both"
    NOT_YET = "not yet"
    NOTHING = "nothing"


_MISSING, _FAILURE, _PROGRESS, _GOOD, _NEW = range(5)
"""What the state in a body means for the call: the columns of `_TABLE`."""

_TABLE: dict[bool | None, tuple[Says, Says, Says, Says, Says]] = {
    # A row for each value of `success`; the columns: no state, a failure, one in progress, a good
    # one, and an unknown word.
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
    if not isinstance(text, str | int) or not 100 <= status < 600:
        return ""
    match = re.search(code, str(text))
    return match[0] if match else ""


member = member_in_any_case  # the provider's spelling differs from place to place


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
    return text_or_empty(member(body, "status")).strip().upper()


def is_done(body: dict[str, Any]) -> bool:
    """Whether nothing more happens after a body that says yes: it has no state, or one that is an
    end.
    """
    return status_of(body) in {"", *_ENDS}


def says(
    body: dict[str, Any], *, at_once: bool = False, cancels: bool = False, decides: bool = False
) -> Says:
    """What a body says of a write.

    Args:
        body: The body of the response.
        at_once: Whether the write is done when its response comes: a state in progress is then
            "not yet", and else good.
        cancels: Whether the write makes an order CANCELLED.
        decides: Whether the write decides about an order, as `evaluate` does: a refusal is then a
            result of the call.
    """
    success = success_of(body)
    status = status_of(body)
    if decides and status in REFUSALS:
        return Says.YES  # a decision is what was asked for; its sentence is the reason
    has_error = _has_error(body)
    if has_error and (success or _leaves_doubt(body)):
        return Says.BOTH
    is_good = is_known_state(status) or (decides and names_order(body))
    state = _state_of(status, is_good=is_good, at_once=at_once, cancels=cancels)
    meaning = _TABLE[False if has_error else success][state]
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


def is_known_state(status: str) -> bool:
    """Whether a state, in capitals, is one of the words above."""
    return status in _ENDS or status in REFUSALS or _IN_PROGRESS.search(status) is not None


def error_status(body: dict[str, Any]) -> int:
    """The HTTP status of the error in a body: that of a ProblemDetails (RFC 9457), or the beginning
    of a six-digit code. 0: the body has no such error.
    """
    for name in ("status", "statusCode"):
        word = str(member(body, name))
        error = _ERROR.fullmatch(word)
        status = int(error[1]) if error else _status_in_words(word)
        if status:
            return status
    for place in (body, object_or_empty(member(body, "error"))):
        for name in CODES:
            code = split_code(member(place, name))
            # Below 400 is no error. (A code of fewer digits is a bank's: `split_code` has none.)
            if code is not None and code.http_status >= 400:
                return code.http_status
    return 0


def error_in_words(body: dict[str, Any]) -> int:
    """The HTTP status of the error that a sentence of a body, or the name of a member, begins with
    as a six-digit code, or consists of in words ("Bad Gateway"). 0: there is none.
    """
    texts: list[object] = [*body]
    for place in (body, object_or_empty(member(body, "error"))):
        texts += [member(place, name) for name in SENTENCES]
    for text in texts:
        if isinstance(text, str | int):
            words = str(text)
            code = _BEGINS_WITH_ERROR.match(words)
            status = int(code[1]) if code else _status_in_words(words)
            if status:
                return status
    return 0


def _status_in_words(text: str) -> int:
    """The HTTP status of which a text is the name, such as 502 for "Bad Gateway"; else 0."""
    if len(text) > _LONGEST_WORDS:
        return 0
    letters = "".join(filter(str.isalpha, text)).upper()
    return _ERROR_WORDS.get(letters, 0)


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


def has_words(body: dict[str, Any]) -> bool:
    """Whether a body has a sentence, as a refusal has, other than a single word for success."""
    words = (str(member(body, name) or "").strip().rstrip(".").upper() for name in SENTENCES)
    return any(word not in {"", *_ENDS} for word in words)


def names_order(body: dict[str, Any]) -> bool:
    """Whether a body has an id of an order."""
    return any(
        member(body, name) not in (None, "") for name in ("id", "orderId", "orderSessionKey")
    )
