"""What each operation of FlexFactor is: the table that the attempt loop asks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import httpx

from victor_ext.runtime.core import comparing
from victor_ext.runtime.core.comparing import Comparer, Values
from victor_ext.runtime.core.json_values import no_object_reason, object_of, object_or_empty
from victor_ext.runtime.loop import operations
from victor_ext.runtime.loop.evidence import Problems, document_complaint
from victor_ext.runtime.loop.idempotency_keys import TAKEN
from victor_ext.runtime.loop.operations import Effect, Operation, Repeats, Shown, id_in_path

from . import responses
from .responses import Says, member

Lack = Callable[[dict[str, Any], Says], str | None]


def _no_result(_body: dict[str, Any], meaning: Says) -> str | None:
    return "its body states no result" if meaning is Says.NOTHING else None


def _no_page(body: dict[str, Any], _meaning: Says) -> str | None:
    page = responses.page_of(body)
    if page is not None and not page[0]:  # it would be taken for the end
        if page[1] is False:
            return "its page is empty, and says that another follows"
        if responses.error_status(body):
            return "its page is empty, and reports an error"
    return None if page is not None else "its body is not a page of orders"


def _is_empty(response: httpx.Response) -> bool:
    page = responses.page_of(object_of(response))
    return page is not None and not page[0]


@dataclass(frozen=True, slots=True)
class Result:
    """Evidence of a JSON object that says yes, and has the result of the call.

    Attributes:
        says: What a body says of the call.
        lack: Why a body that says neither no nor "not yet" is not the result, or None.
        may_be_empty: Whether the response may have no body, or only what the document declares for its status.
    """

    says: Callable[[dict[str, Any]], Says]
    lack: Lack = _no_result
    may_be_empty: bool = False

    def __call__(self, response: httpx.Response, problems: Problems) -> str | None:
        if self.may_be_empty and not response.content:
            return None
        body = object_of(response)
        meaning = self.says(body)
        if meaning in (Says.BOTH, Says.NOT_YET):
            what = "contradicts itself" if meaning is Says.BOTH else "does not say that it is done"
            return f"its body {what} ({responses.in_words(body)})"
        reason = no_object_reason(response) or self.lack(body, meaning)
        is_empty = self.may_be_empty and meaning is Says.NOTHING
        return reason or (document_complaint(response, problems) if is_empty else None)

    def refusal(self, response: httpx.Response) -> str | None:
        """The words of a body that says no, or None."""
        body = object_of(response)
        return responses.in_words(body) if self.says(body) is Says.NO else None


_REPEATED: dict[str, Comparer] = {
    **dict.fromkeys(("idempotencyKey", "mid", "senseKey"), comparing.same_id), "currency": comparing.same_word,
}  # fmt: skip
"""What a response may repeat of the request. Amounts are no evidence: the unit differs between operations."""


def _repeated(response: httpx.Response) -> Values:
    request, body = object_of(response.request), object_of(response)
    # The currency is that of the transaction, of the capture, or of a refund, whose amount is in dollars.
    dollars = None if member(request, "amountToRefund") is None else {"currency": "USD"}
    sent = (request, dollars or object_or_empty(member(request, "transaction")))

    def first(name: str) -> str | None:
        return next(filter(None, (comparing.as_id(member(part, name)) for part in sent)), None)

    return comparing.values(_REPEATED, first, lambda name: member(body, name))


_REPEATS = Repeats("call", _repeated)


def _other_order(asked: Callable[[httpx.Request], object], *names: str) -> operations.Says:
    """How a body is about another order than the one with this id; the first of these members with one counts."""

    def mismatch(response: httpx.Response) -> str | None:
        body, wanted = object_of(response), asked(response.request)
        named = next((value for name in names if (value := member(body, name)) is not None), None)
        return comparing.about_another(wanted, named, "order") if isinstance(wanted, str) and wanted else None

    return mismatch


def _is_refusal(response: httpx.Response) -> bool:
    return responses.status_of(object_of(response)) in responses.REFUSALS


def _row(effect: Effect, result: Result, **columns: Any) -> Operation:
    return Operation(effect=effect, evidence=result, refuses=result.refusal, repeats=_REPEATS, **columns)


_TOKEN, _PAGE = Result(responses.says_read), Result(responses.says_read, _no_page)
_ORDER = Result(responses.says_order, lambda body, _: None if responses.is_order(body) else "its body is not an order")
_DECISION = Result(
    responses.says_decided, lambda body, _: None if responses.status_of(body) else "its body has no decision"
)
_COPY = Result(
    responses.says, lambda body, said: _no_result(body, said) if member(body, "transmitId") in (None, "") else None
)
_DONE = Result(partial(responses.says, at_once=True))
_CANCELLED = Result(  # an empty object is documented: `orders.cancel` reads the order then
    responses.says_cancelled,
    lambda body, said: _no_result(body, said) if body and not responses.names_order(body) else None,
    may_be_empty=True,
)

_OF_PATH = _other_order(partial(id_in_path, after=1), "orderId")
_OF_BODY = _other_order(lambda request: member(object_of(request), "orderId"), "orderId")
_BY_ID = "with orders.get(order_id)"

TOKEN_PATH = "/v1/oauth2/token"  # noqa: S105 - a path, not a secret
TOKEN = replace(operations.TOKEN, evidence=_TOKEN, refuses=_TOKEN.refusal)
# The client's methods make a key (a GUID) where none is given. A body that was made by hand is not changed.
OPERATIONS: Mapping[str, Operation] = {
    f"POST {TOKEN_PATH}": TOKEN,
    "POST /v1/evaluate": _row(
        Effect.MOVES_MONEY,
        _DECISION,
        key=TAKEN,
        look_up="with orders.list(), or stop it with orders.external_cancel(order_id)",
        may_list_errors=_is_refusal,
        shown=Shown.UNSENT,
    ),
    "POST /v1/capture": _row(Effect.MOVES_MONEY, _DONE, key=TAKEN, id=_OF_BODY, look_up=_BY_ID),
    "POST /v1/transmit": _row(Effect.MAKES, _COPY, look_up="in the merchant portal", shown=Shown.UNSENT),
    "GET /v1/orders": _row(Effect.READS, _PAGE, is_empty=_is_empty),
    "GET /v1/orders/{}": _row(Effect.READS, _ORDER, id=_other_order(id_in_path, "id", "orderId")),
    "POST /v1/orders/{}/refund": _row(Effect.MOVES_MONEY, _DONE, id=_OF_PATH, look_up=_BY_ID, shown=Shown.UNSENT),
    "POST /v1/orders/{}/cancel": _row(Effect.SETS, _CANCELLED, key=TAKEN, id=_OF_PATH, look_up=_BY_ID),
    # By the merchant's id.
    "POST /v1/orders/{}/external-cancel": _row(Effect.SETS, _CANCELLED, key=TAKEN, look_up="with orders.list()"),
}
