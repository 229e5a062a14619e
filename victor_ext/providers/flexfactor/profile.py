"""What the runtime is told of this provider: where keys go, how its errors look, what a good answer is."""

from __future__ import annotations

import json
from typing import Any

import httpx

from victor_ext.redaction import one_line
from victor_ext.runtime.loop.conflicts import may_be_in_progress
from victor_ext.runtime.loop.keys import BodyKey
from victor_ext.runtime.loop.profile import Profile

from .answers import Says, in_words, is_object, items_of, member, object_of, operation_of, order_in, says, status_of
from .privacy import quotes_nothing_private
from .problems import read_problems, trace_id

_KEYED = frozenset({"evaluate", "capture", "cancel", "external-cancel"})
_MAY_BE_EMPTY = frozenset({"cancel", "external-cancel"})

_WAYS_TO_LOOK = {
    "evaluate": "with orders.list(), or stop it with orders.external_cancel(order_id)",
    "capture": "with orders.get(order_id)",
    "refund": "with orders.get(order_id)",
    "cancel": "with orders.get(order_id)",
    "external-cancel": "with orders.list()",
    "transmit": "in the merchant portal",
}


def profile_of(environment: str, elsewhere: str) -> Profile:
    """The provider's profile; `elsewhere` is the URL where it is not the environment's own, else empty."""
    return Profile(
        name="FlexFactor",
        environment=f"{environment}, {elsewhere}" if elsewhere else environment,
        key_place=KEY_PLACE,
        # Its pages give a 409 both meanings: only one that speaks of the payload, and not of progress, is final.
        in_progress=may_be_in_progress,
        problems=read_problems,
        may_quote_body=quotes_nothing_private,
        refused=_refused,
        unreadable=_unreadable,
        mismatch=_mismatch,
        request_id_headers=("apigw-requestid", "x-request-id", "request-id", "x-correlation-id"),
        request_id_in_body=trace_id,
        recovery_hint=lambda request: _WAYS_TO_LOOK.get(operation_of(request), ""),
        authentication_hint=(
            f"The {environment} was asked: check that the AppKey and the AppSecret were made there (keys of one "
            "environment are not valid in the other)."
        ),
    )


def _takes_no_key(request: httpx.Request) -> bool:
    return operation_of(request) not in _KEYED


KEY_PLACE = BodyKey("idempotencyKey", ignores_key=_takes_no_key)


def _refused(answer: httpx.Response) -> str | None:
    if _mismatch(answer):
        return None  # a no to something else leaves open what became of this
    body = object_of(answer)
    return in_words(body) if says(operation_of(answer.request), body) is Says.NO else None


def _mismatch(answer: httpx.Response) -> str | None:
    """Says so when the answer is about another order than the request, as a cache that mixes answers up has it.

    What `evaluate` and `external_cancel` name is the merchant's own id, and an answer has the provider's.
    """
    operation, body = operation_of(answer.request), object_of(answer)
    asked: Any = None
    if operation in ("order", "refund", "cancel"):
        asked = order_in(answer.request)
    elif operation == "capture":
        asked = member(_sent(answer.request), "orderId")
    named = member(body, "id") if operation == "order" else None
    named = member(body, "orderId") if named is None else named
    if not (isinstance(asked, str) and asked and isinstance(named, str) and named.strip()):
        return None
    if named.strip().casefold() == asked.strip().casefold():
        return None
    return f"its body is about another order, {one_line(named)}"


def _sent(request: httpx.Request) -> dict[str, Any]:
    try:
        body: Any = json.loads(request.content)
    except (ValueError, httpx.RequestNotRead):
        return {}
    return body if is_object(body) else {}


def _unreadable(answer: httpx.Response) -> str | None:
    """A good answer says the one thing that the operation was called for."""
    operation = operation_of(answer.request)
    if not answer.content:
        return None if operation in _MAY_BE_EMPTY else "its body is empty"
    try:
        body = answer.json()
    except ValueError:
        return "its body is not JSON"
    if not is_object(body):
        return "its body is JSON, but no object"
    said = says(operation, body)
    if said is Says.BOTH:
        return f"its body contradicts itself ({in_words(body)})"
    if said is Says.NOT_YET:
        return f"its body does not say that it is done ({in_words(body)})"
    return None if _says_what_was_asked(operation, body) else _MISSING[operation]


_MISSING = {
    "evaluate": "its body has no decision",
    "capture": "its body says neither yes nor no",
    "refund": "its body says neither yes nor no",
    "orders": "its body is no page of orders",
    "order": "its body is no order",
}


def _says_what_was_asked(operation: str, body: dict[str, Any]) -> bool:
    match operation:
        case "evaluate":
            return bool(status_of(body))
        case "capture" | "refund":
            return says(operation, body) is not Says.NOTHING
        case "orders":
            return items_of(body) is not None
        case "order":
            return any(member(body, name) is not None for name in ("id", "orderId", "status", "statusName"))
        case _:
            return True
