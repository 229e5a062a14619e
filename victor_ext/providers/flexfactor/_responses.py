"""What the body of a response says of its call: yes, no, or neither (`says`).

The HTTP status does not decide: a refused refund has status 200 and `success: false`. Only what the
provider's pages describe, or a response was seen to have, is read; no sentence is searched for a
code. What is not plainly yes or no leaves the outcome of a write unknown.
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
    is_object,
    json_of,
    lenient_flag_of,
    list_or_empty,
    member_in_any_case,
    no_object_reason,
    object_of,
    text_or_empty,
)
from victor_ext._runtime.loop.evidence import Problems

REFUSALS = frozenset({"DECLINED", "EXPIRED", "CANCELLED", "CANCELED"})
"""States that are a decision against the order: the result of `evaluate`, and a failure of most
other calls.
"""
_FAILURES = REFUSALS | {"FAILED", "ERROR", "REJECTED"}
_ENDS = frozenset({"SUCCESS", "APPROVED", "COMPLETED", "CAPTURED", "REFUNDED"})
"""States after which nothing more happens to a capture or a refund. Which of them the provider uses
is not documented; SUCCESS and APPROVED were seen.
"""


class Says(Enum):
    """What a body says of its call."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


CODES = ("item3", "code", "errorCode", "responseCode", "statusCode")
"""The members that may hold codes. What is most specific comes first."""


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
    digits = re.fullmatch(r"\s*([1-5][0-9]{2})([0-9]{3})\s*", str(code))
    return None if digits is None else ErrorCode(int(digits[1]), int(digits[2]))


member = member_in_any_case  # the provider's spelling differs from place to place


def first_text(body: dict[str, Any], *names: str) -> str:
    """The first text under one of these names; empty: there is none."""
    texts = (text_or_empty(member(body, name)) for name in names)
    return next(filter(None, texts), "")


def success_of(body: dict[str, Any]) -> bool | None:
    """The value of `success`, which may be a flag, 0 or 1, or text; None: the body has none."""
    return lenient_flag_of(member(body, "success"))


def status_of(body: dict[str, Any]) -> str:
    """The state in `status`, in capitals; empty without one (in some responses it is a number)."""
    return first_text(body, "status").strip().upper()


def error_codes(body: dict[str, Any]) -> Iterator[int]:
    """The HTTP statuses of the errors whose six-digit codes are in a body, in `error` or in an item
    of `errors`.
    """
    inner = [member(body, "error"), *list_or_empty(member(body, "errors"))]
    for holder in (body, *filter(is_object, inner)):
        for code in (split_code(member(holder, name)) for name in CODES):
            # Below 400 is no error. (A code of fewer digits is a bank's.)
            if code is not None and code.http_status >= 400:
                yield code.http_status


def _error_statuses(body: dict[str, Any]) -> list[int]:
    """The HTTP statuses of the errors in a body, also where it names one as a ProblemDetails does
    (RFC 9457).
    """
    texts = (str(member(body, name)).strip() for name in ("status", "statusCode"))
    named = [int(text) for text in texts if re.fullmatch("[45][0-9]{2}", text)]
    return [*named, *error_codes(body)]


_UNDECIDED = frozenset({408, 409, 425})
"""Error statuses below 500 after which the work may have been done."""


def _leaves_doubt(body: dict[str, Any]) -> bool:
    """Whether a body has a code after which the work may have been done, or a word in place of a
    code.
    """
    if re.search("[^0-9 ]", first_text(body, "statusCode")):
        return True
    return any(status >= 500 or status in _UNDECIDED for status in _error_statuses(body))


def undecided(response: httpx.Response) -> str | None:
    """Why a response does not say, under any status, whether the work was done; or None."""
    is_undecided = _leaves_doubt(object_of(response))
    return "Its code is one after which the work may have been done." if is_undecided else None


def says(
    body: dict[str, Any], *, ends: Collection[str] | None = None, decides: bool = False
) -> Says:
    """What a body says of a write.

    Args:
        body: The body of the response.
        ends: The states in which the write is done, of a write that is done when its response
            comes. None: the state is that of the order alone.
        decides: Whether the write decides about an order, as `evaluate` does: a refusal is then a
            result of the call.
    """
    if _leaves_doubt(body):
        return Says.UNKNOWN
    success = success_of(body)
    state = status_of(body)
    if decides and state in REFUSALS:
        return Says.YES  # a decision is what was asked for
    has_failed = state in _FAILURES.difference(ends or ())
    if success is False or has_failed:
        is_plain = not success and (has_failed or not state)
        return Says.NO if is_plain else Says.UNKNOWN
    is_result = ends is None or state in ("", *ends)
    if decides:
        is_result = state != ""
    is_refused = first_text(body, "responseMessage").strip().upper() in _FAILURES
    is_done = success and is_result and not (is_refused or _error_statuses(body))
    return Says.YES if is_done else Says.UNKNOWN


says_decided = partial(says, decides=True)
says_done = partial(says, ends=_ENDS)
# Beside another end, such as COMPLETED, the order may not be cancelled.
says_cancelled = partial(says, ends=("SUCCESS", "CANCELLED", "CANCELED"))


def says_read(body: dict[str, Any]) -> Says:
    """What a body says of a read. The state and the errors in it are those of the order, and say
    nothing of the read.
    """
    return Says.NO if success_of(body) is False else Says.YES


def in_words(body: dict[str, Any]) -> str:
    """What a body says of its call, in words for a message."""
    values = {name: member(body, name) for name in ("success", "status")}
    words = [f"{name} is {one_line(value)}" for name, value in values.items() if value is not None]
    return ", ".join(words) or "it has no success and no status"


def shows_work(response: httpx.Response) -> bool:
    """Whether a body has, under any status, what a call has that was done or is under way:
    `success: true`, or the state of an order that it names.
    """
    body = object_of(response)
    names_order = first_text(body, "orderId", "orderSessionKey", "id") != ""
    return bool(success_of(body) or (names_order and status_of(body)))


@dataclass(frozen=True, slots=True)
class ResultEvidence:
    """A JSON object that says yes.

    Attributes:
        says: What a body says of the call.
        may_be_empty: Whether the response may have no body, or an empty object.
    """

    says: Callable[[dict[str, Any]], Says]
    may_be_empty: bool = False

    def __call__(self, response: httpx.Response, _problems: Problems) -> str | None:
        is_empty = not response.content or json_of(response) == {}
        if self.may_be_empty and is_empty:
            return None
        reason = no_object_reason(response)
        if reason is not None:
            return reason
        body = object_of(response)
        if self.says(body) is not Says.YES:
            return f"its body says neither yes nor no ({in_words(body)})"
        return None

    def refusal(self, response: httpx.Response) -> str | None:
        """The words of a body that says no, or None."""
        body = object_of(response)
        return in_words(body) if self.says(body) is Says.NO else None
