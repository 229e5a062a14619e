"""What a response says of the call: yes, no, both at once, or not yet. Its HTTP status does not decide.

A refused refund has status 200 and `success: false`. A new word counts as good where nothing else contradicts it.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import Any

import httpx

from victor_ext.privacy import one_line
from victor_ext.runtime.core.json_values import is_list, is_object, text_or_empty

_FAILURES = frozenset({"FAILED", "FAIL", "FAILURE", "ERROR", "REJECTED", "REFUSED", "INVALID"})
"""States that mean that the call itself failed."""

_REFUSALS = frozenset({"DECLINED", "EXPIRED", "CANCELLED", "CANCELED"})
"""States that are a decision against the order: the result of `evaluate`, and a failure of most other calls."""

_ENDS = frozenset(
    {"SUCCESS", "SUCCEEDED", "SUCCESSFUL", "OK", "DONE", "APPROVED", "COMPLETE", "COMPLETED", "CAPTURED", "REFUNDED"}
)
"""States after which nothing more happens. Which of them the provider uses is not documented."""

_IN_PROGRESS = re.compile("PENDING|PROCESSING|PROGRESS|CHALLENGE|SUBMITTED|REQUIRED|QUEUED|WAIT|HOLD|REVIEW|DRAFT")
"""Parts of states in which no money has been moved yet."""

_IMMEDIATE = frozenset({"capture", "refund", "cancel", "external-cancel"})
"""Operations that must be complete when the response arrives; any other state is not a result."""

_READS = frozenset({"token", "orders", "order"})


class Says(Enum):
    """What a body says of the call."""

    YES = "yes"
    NO = "no"
    BOTH = "both"
    NOT_YET = "not yet"
    NOTHING = "nothing"


_MISSING, _FAILURE, _PROGRESS, _OTHER = range(4)
"""What the state in a body means for the call: the columns of `_TABLE`."""

_TABLE: dict[bool | None, tuple[Says, Says, Says, Says]] = {
    # success, state: missing, failure, in progress, other
    False: (Says.NO, Says.NO, Says.BOTH, Says.BOTH),
    True: (Says.YES, Says.BOTH, Says.NOT_YET, Says.YES),
    None: (Says.NOTHING, Says.NO, Says.NOT_YET, Says.YES),
}


def path_of(request: httpx.Request) -> list[str]:
    """The parts of a request's path after the version. They are not decoded: an id may hold a slash."""
    _, version, rest = request.url.raw_path.partition(b"?")[0].decode("ascii").rpartition("/v1/")
    return rest.split("/") if version else [""]


def operation_of(request: httpx.Request) -> str:
    """The operation that a request calls, by its path: `evaluate`, `refund`, `orders`, `order` and so on."""
    parts = path_of(request)
    if parts[0] != "orders":
        return parts[-1] if parts == ["oauth2", "token"] else parts[0]
    return {1: "orders", 2: "order"}.get(len(parts), parts[-1])


def member(body: dict[str, Any], name: str) -> Any:
    """A member by its name in any letter case: the provider's spelling differs from place to place."""
    if name in body:
        return body[name]
    return next((value for key, value in body.items() if key.lower() == name.lower()), None)


def success_of(body: dict[str, Any]) -> bool | None:
    """`success`, as a flag, as 0 or 1, or as text; None when it is missing. False in any spelling wins."""
    flags = {_flag(value) for name, value in body.items() if name.lower() == "success"}
    return False if False in flags else True if True in flags else None


def _flag(value: object) -> bool | None:
    if isinstance(value, int | float):
        return bool(value) if value in (0, 1) else None
    return {"true": True, "false": False}.get(value.strip().lower()) if isinstance(value, str) else None


def status_of(body: dict[str, Any]) -> str:
    """The state in `status`, in capitals; empty without one (in some responses it is a number)."""
    return text_or_empty(member(body, "status")).strip().upper()


def is_done(body: dict[str, Any]) -> bool:
    """Whether nothing more happens after a body that says yes: it has no state, or one that is an end."""
    return status_of(body) in {"", *_ENDS}


def says(operation: str, body: dict[str, Any]) -> Says:
    """What a body says of a call of the operation."""
    success, status = success_of(body), status_of(body)
    # A ProblemDetails of an error status, or a list of errors, which may accompany a success.
    complains = bool(_error_status(body) or (not success and member(body, "errors")))
    if operation in _READS:
        # The state is the order's, and an order may have errors of its own.
        named = any(member(body, name) is not None for name in ("id", "orderId"))
        no_order = operation == "order" and success is None and complains and not named
        return Says.NO if success is False or no_order else Says.YES
    if operation == "evaluate" and status in _REFUSALS:
        return Says.YES  # a decision is what was asked for
    if complains and success:
        return Says.BOTH
    return _TABLE[False if complains else success][_meaning(operation, status)]


def _meaning(operation: str, status: str) -> int:
    cancels = operation.endswith("cancel")  # it makes an order CANCELLED, and leaves none APPROVED
    if not status:
        return _MISSING
    if status in _FAILURES or (status in _REFUSALS and not cancels):
        return _FAILURE
    if operation in _IMMEDIATE and (_IN_PROGRESS.search(status) or (cancels and status == "APPROVED")):
        return _PROGRESS
    return _OTHER


def _error_status(body: dict[str, Any]) -> int:
    """The HTTP error status in a ProblemDetails, or 0."""
    status = member(body, "status")
    return int(status) if isinstance(status, int | float) and 400 <= status < 600 else 0


def in_words(body: dict[str, Any]) -> str:
    """What the body says, for a message."""
    success, status = success_of(body), one_line(status_of(body)) or _error_status(body)
    words = [] if success is None else [f"success is {str(success).lower()}"]
    if status:
        words.append(f"status is {status}")
    return ", ".join(words) or "it lists errors"


_NOT_ITEMS = frozenset({"errors", "warnings", "links"})
_OF_A_PAGE = ("pageNumber", "pageCount", "hasNextPage", "isLastPage")


def items_of(body: dict[str, Any]) -> list[Any] | None:
    """The items of a page; None when it is not a page.

    The name of their array is not documented: it is `items`, or the only array in the page or in an object of it.
    """
    own = {name: value for name, value in body.items() if name.lower() not in _NOT_ITEMS}
    holders = [own, *filter(is_object, own.values())]
    named = [array for holder in holders if is_list(array := member(holder, "items"))]
    inside = [item for holder in holders for item in holder.items()]
    arrays = named or [value for name, value in inside if is_list(value) and name.lower() not in _NOT_ITEMS]
    if len(arrays) == 1:
        return arrays[0]
    # A page without an array is empty.
    return [] if not arrays and any(member(body, name) is not None for name in _OF_A_PAGE) else None


def last_page(body: dict[str, Any]) -> bool:
    """Whether the page says that none follows it. If it does not say so, the next page has to be read."""
    pages = [body, *filter(is_object, body.values())]
    return any(member(page, "hasNextPage") is False or member(page, "isLastPage") is True for page in pages)
