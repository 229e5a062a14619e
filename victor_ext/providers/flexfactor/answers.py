"""What an answer says, whatever its status: yes, no, or both at once.

The provider answers a refused refund with status 200 and `success: false`. So the status alone is no yes. Its words
are open; those listed here decide nothing but whether a no is certain.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import Any, TypeGuard
from urllib.parse import unquote

import httpx

from victor_ext.redaction import one_line

from .auth import TOKEN_PATH

_NO = frozenset({"FAILED", "FAIL", "FAILURE", "ERROR", "REJECTED", "REFUSED", "INVALID"})
"""Words that say that the call itself failed."""

_AGAINST = frozenset({"DECLINED", "EXPIRED", "CANCELLED", "CANCELED"})
"""Words of a decision against the order: an answer to `evaluate`, and a refusal of anything else."""

_DONE = frozenset(
    {"SUCCESS", "SUCCEEDED", "SUCCESSFUL", "OK", "DONE", "APPROVED", "COMPLETE", "COMPLETED", "CAPTURED", "REFUNDED"}
)
"""Words after which there is nothing to wait for. Which of them the provider uses is not documented."""

_GOES_ON = re.compile("PENDING|PROCESSING|PROGRESS|CHALLENGE|SUBMITTED|REQUIRED|QUEUED|WAIT|HOLD|REVIEW|DRAFT")
"""What words have in them by which nothing has been moved yet."""

_ENDS = frozenset({"capture", "refund", "cancel", "external-cancel"})
"""Operations that are over when they are answered, so that an answer saying otherwise is no result of them."""


class Says(Enum):
    """What a body says of the call."""

    YES = "yes"
    NO = "no"
    BOTH = "both"
    NOT_YET = "not yet"
    NOTHING = "nothing"


def operation_of(request: httpx.Request) -> str:
    """Which operation a request is of, by its path: `evaluate`, `refund`, `orders`, `order` and so on."""
    path = request.url.raw_path.partition(b"?")[0].decode("ascii")  # not decoded: an id may hold a slash
    if path.endswith(TOKEN_PATH):
        return "token"
    _, found, rest = path.rpartition("/v1/")
    parts = rest.split("/") if found else [""]
    if parts[0] != "orders":
        return parts[0]
    return {1: "orders", 2: "order"}.get(len(parts), parts[-1])


_ORDER = re.compile(r"/v1/orders/([^/]+)(?:/(?:refund|cancel|external-cancel))?\Z")


def order_in(request: httpx.Request) -> str:
    """The order that a request names in its path; empty when it names none."""
    found = _ORDER.search(request.url.raw_path.partition(b"?")[0].decode("ascii"))
    return unquote(found[1]) if found else ""


def object_of(answer: httpx.Response) -> dict[str, Any]:
    """The body as a JSON object; an empty one when it is none."""
    try:
        body = answer.json()
    except (ValueError, RecursionError):
        return {}
    return body if is_object(body) else {}


def is_object(value: object) -> TypeGuard[dict[str, Any]]:
    """Whether it is a JSON object."""
    return isinstance(value, dict)


def is_list(value: object) -> TypeGuard[list[Any]]:
    """Whether it is a JSON array."""
    return isinstance(value, list)


def member(body: dict[str, Any], name: str) -> Any:
    """A member by its name in any letter case: the provider's own spelling differs from place to place."""
    if name in body:
        return body[name]
    return next((value for key, value in body.items() if key.lower() == name.lower()), None)


def success_of(body: dict[str, Any]) -> bool | None:
    """`success`, as a flag, as 0 or 1, or as text; None when it is not said. A no in any spelling is a no."""
    said = {_flag(value) for name, value in body.items() if name.lower() == "success"}
    return False if False in said else True if True in said else None


def _flag(said: object) -> bool | None:
    if isinstance(said, int | float):
        return bool(said) if said in (0, 1) else None
    return {"true": True, "false": False}.get(said.strip().lower()) if isinstance(said, str) else None


def status_of(body: dict[str, Any]) -> str:
    """The word of `status` in capitals; empty when there is none (it is a number in some answers)."""
    said = member(body, "status")
    return said.strip().upper() if isinstance(said, str) else ""


def is_done(body: dict[str, Any]) -> bool:
    """Whether a body that says yes says that all is over: it has no word of a state, or one that is an end."""
    return status_of(body) in {"", *_DONE}


def says(operation: str, body: dict[str, Any]) -> Says:
    """What the body says of the call that was made."""
    success, status = success_of(body), status_of(body)
    if operation in ("token", "orders", "order"):
        # The status, if any, is the order's; and an order may well tell of errors of its own.
        no_order = operation == "order" and success is None and _complains(body) and not _names_one(body)
        return Says.NO if success is False or no_order else Says.YES
    if operation == "evaluate" and status in _AGAINST:
        return Says.YES  # a decision, and that is what was asked for
    # A cancelled order is what a cancellation was called for.
    no = status in _NO or (status in _AGAINST and not operation.endswith("cancel"))
    if success is False:
        return Says.NO if no or not status else Says.BOTH
    if no or _complains(body, unless_success=success):
        return Says.BOTH if success or (status and not no) else Says.NO
    if operation in _ENDS and (_GOES_ON.search(status) or (status == "APPROVED" and operation.endswith("cancel"))):
        return Says.NOT_YET
    return Says.YES if success or status else Says.NOTHING


def _complains(body: dict[str, Any], *, unless_success: bool | None = None) -> bool:
    """Whether it lists errors (some of which may go with a success), or is a ProblemDetails of an error status."""
    return bool(_error_status(body)) or (bool(member(body, "errors")) and not unless_success)


def _error_status(body: dict[str, Any]) -> int:
    """The status of a ProblemDetails; 0 when there is none that says no."""
    status = member(body, "status")
    return int(status) if isinstance(status, int | float) and 400 <= status < 600 else 0


def _names_one(body: dict[str, Any]) -> bool:
    return any(member(body, name) is not None for name in ("id", "orderId"))


def in_words(body: dict[str, Any]) -> str:
    """What decides, for a message."""
    success, status = success_of(body), one_line(status_of(body)) or _error_status(body)
    words = [] if success is None else [f"success is {str(success).lower()}"]
    if status:
        words.append(f"status is {status}")
    return ", ".join(words) or "it lists errors"


_USUAL = ("items", "data", "orders", "results", "records", "content", "list")
_NOT_ITEMS = frozenset({"errors", "warnings", "links"})


def items_of(body: object) -> list[Any] | None:
    """The items of a page, whose array has a name that is not documented; None when it is no page.

    It is the one array there is; of several, the one with a usual name. A page within an envelope is found too.
    """
    if not is_object(body):
        return None
    found = _array(body)
    if found is None:
        inner = [value for name, value in body.items() if is_object(value) and name.lower() not in _NOT_ITEMS]
        arrays = [array for array in map(_array, inner) if array is not None]
        found = arrays[0] if len(arrays) == 1 else None
    if found is None and _is_page(body) and not any(map(is_list, body.values())):
        return []
    return found


def _array(body: dict[str, Any]) -> list[Any] | None:
    arrays = {name.lower(): value for name, value in body.items() if is_list(value) and name.lower() not in _NOT_ITEMS}
    if len(arrays) == 1:
        return next(iter(arrays.values()))
    return next((arrays[name] for name in _USUAL if name in arrays), None)


def _is_page(body: dict[str, Any]) -> bool:
    """Whether it describes itself as a page, so that no array means no items."""
    return any(member(body, name) is not None for name in ("pageNumber", "pageCount", "hasNextPage", "isLastPage"))


def last_page(body: object) -> bool:
    """Whether the page says that none follows. What it does not say is found out by asking for the next one."""
    if not is_object(body):
        return False
    pages = [body, *filter(is_object, body.values())]
    return any(member(page, "hasNextPage") is False or member(page, "isLastPage") is True for page in pages)
