"""What each operation of FlexFactor is, for the attempt loop: `OPERATIONS`, the table, and
`behaviour_of`, which has the table.

Before the table come the functions of its columns, and the `ResultEvidence` of each operation.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import httpx
from flexfactor_api.members import MEMBERS
from flexfactor_api.operations import OPERATIONS as DOCUMENT
from msgspec.structs import replace

from victor_ext._runtime.client.runners import OperationFlow
from victor_ext._runtime.core import comparing
from victor_ext._runtime.core.comparing import Comparisons
from victor_ext._runtime.core.json_values import object_of, object_or_empty
from victor_ext._runtime.core.response import Response
from victor_ext._runtime.loop import operations
from victor_ext._runtime.loop.idempotency_keys import TAKEN, BodyKey
from victor_ext._runtime.loop.operations import (
    AskedPayment,
    Behaviour,
    Effect,
    Follow,
    Operation,
    Operations,
    Repeats,
    Shown,
    id_in_path,
)
from victor_ext._values.ids import reference_of
from victor_ext.providers._books import in_major_units

from ._orders import require_cancelled
from ._problems import read_problems, trace_id
from ._responses import (
    ORDER_IDS,
    REFUSALS,
    ResultEvidence,
    Says,
    first_text,
    is_order,
    member,
    no_page,
    orders_page,
    says,
    says_cancelled,
    says_decided,
    says_done,
    says_order,
    says_read,
    status_of,
)

_REPEATED = {"idempotencyKey": "id", "mid": "id", "senseKey": "id", "currency": "word"}
"""What a response may repeat of the request, with the kind of each value.

Amounts are no evidence: the unit differs between operations.
"""


def _repeated_values(response: httpx.Response) -> Comparisons:
    request = object_of(response.request)
    body = object_of(response)
    # The currency of an evaluation stands in its transaction, and that of a capture beside its
    # amount. A refund has an amount in dollars, and names no currency.
    transaction = object_or_empty(member(request, "transaction"))
    is_refund = member(request, "amountToRefund") is not None
    beside_request = {"currency": "USD"} if is_refund else transaction

    sent = {name: member(request, name) or member(beside_request, name) for name in _REPEATED}
    received = {name: member(body, name) for name in _REPEATED}
    return comparing.compared(_REPEATED, sent, received)


_REPEATS = Repeats("call", _repeated_values)


def _about_other_order(asked_id: Callable[[httpx.Request], object], *names: str) -> operations.Says:
    """How a response shows that it is about another order than the one that was asked for.

    Args:
        asked_id: The id of the order in a request.
        names: The members of the body that may have the id of its order: the first that is there
            counts.
    """

    def mismatch(response: httpx.Response) -> str | None:
        asked = asked_id(response.request)
        if not isinstance(asked, str) or not asked:
            return None
        body = object_of(response)
        ids = [member(body, name) for name in names]
        named = next((id for id in ids if id is not None), None)
        return comparing.mismatch("order", {"id": comparing.same(asked, named, "id")})

    return mismatch


def _id_in_body(response: httpx.Response) -> str | None:
    """The id of the order, or of the copy, that a response names."""
    return first_text(object_of(response), "orderId", "transmitId") or None


def _captured_order_id(response: httpx.Response) -> str | None:
    """The id of the order that was captured. The request names it, and the response may not."""
    return _id_in_body(response) or first_text(object_of(response.request), "orderId")


def _state_in_body(response: httpx.Response) -> str:
    return status_of(object_of(response))


def _is_refusal(response: httpx.Response) -> bool:
    """Whether a response is a decision against the order, whose reasons it may list as errors."""
    return _state_in_body(response) in REFUSALS


def _row(
    effect: Effect, result: ResultEvidence, made: operations.Says = _id_in_body, **columns: Any
) -> Operation:
    """A row of the table, with the columns that all rows fill in the same way."""
    return Operation(
        effect=effect,
        evidence=result,
        refuses=result.refusal,
        proves_work=result.was_reached,
        repeats=_REPEATS,
        made=made,
        said=_state_in_body,
        **columns,
    )


_TOKEN = ResultEvidence(says_read)
_PAGE = ResultEvidence(says_read, no_page)
_ORDER = ResultEvidence(
    says_order, lambda body: None if is_order(body) else "its body is not an order"
)
_DECISION = ResultEvidence(
    says_decided, lambda body: None if status_of(body) else "its body has no decision"
)
_COPY = ResultEvidence(says, named_by=["transmitId"])
_CAPTURE = ResultEvidence(says_done)
_REFUND = ResultEvidence(says_done)
_CANCELLATION = ResultEvidence(
    says_cancelled,
    named_by=ORDER_IDS,
    may_be_empty=True,
)


def _orders_of(response: httpx.Response) -> list[Any] | None:
    page = orders_page(object_of(response))
    return None if page is None else page.orders


def _confirm_cancelled(
    response: Response, key: str | None, seconds_left: Callable[[], float | None]
) -> OperationFlow[None]:
    """Read the order if the response to a stored `cancel` does not say that it is cancelled."""
    if says_cancelled(object_of(response)) is not Says.YES:
        yield from require_cancelled(id_in_path(response.request, after=1), key, seconds_left())


_OTHER_THAN_IN_PATH = _about_other_order(partial(id_in_path, after=1), "orderId")
_OTHER_THAN_IN_BODY = _about_other_order(
    lambda request: member(object_of(request), "orderId"), "orderId"
)
_BY_ID = "with orders.get(order_id)"


def _order_until(*words: str) -> Follow:
    """How an order is followed: it is read until its state has one of these names, or the name of
    an end.
    """
    last_states = {"CANCELLED", "COMPLETED", "RETURNED", *words}
    return Follow(lambda client, _call, id: client.orders.get(id), last_states, _state_name)


def _state_name(order: Any) -> str | None:
    """The name of the state of an `Order`: our own of a known number, else the provider's."""
    name: str | None = getattr(order.status, "name", order.status_name)
    return name


TOKEN_PATH = "/v1/oauth2/token"  # noqa: S105 - a path, not a secret


def _asked_payments(request: httpx.Request) -> list[AskedPayment]:
    """The payment that an evaluation asks for; none if its amount cannot be read."""
    body = object_of(request)
    transaction = object_or_empty(body.get("transaction"))
    currency = transaction.get("currency")
    amount = in_major_units(transaction.get("amount"), currency)
    reference = reference_of(body.get("orderId")) or None
    if amount is None:
        return []
    return [AskedPayment(reference, amount, str(currency))]


TOKEN = replace(operations.TOKEN, evidence=_TOKEN, refuses=_TOKEN.refusal)
# The client's methods make a key (a GUID) where none is given. A body that was made by hand is not
# changed.
OPERATIONS: Mapping[str, Operation] = {
    "POST /v1/evaluate": _row(
        Effect.MOVES_MONEY,
        _DECISION,
        payments=_asked_payments,
        key=TAKEN,
        look_up="with orders.list(), or stop it with orders.external_cancel(order_id)",
        may_list_errors=_is_refusal,
        shown=Shown.UNSENT,
        follow=_order_until("CAPTUREREQUIRED"),  # which goes on by a capture
    ),
    "POST /v1/capture": _row(
        Effect.MOVES_MONEY,
        _CAPTURE,
        _captured_order_id,
        key=TAKEN,
        id=_OTHER_THAN_IN_BODY,
        look_up=_BY_ID,
        follow=_order_until(),
    ),
    "POST /v1/transmit": _row(
        Effect.MAKES, _COPY, look_up="in the merchant portal", shown=Shown.UNSENT
    ),
    "GET /v1/orders": _row(Effect.READS, _PAGE, items_of=_orders_of),
    "GET /v1/orders/{}": _row(
        Effect.READS,
        _ORDER,
        id=_about_other_order(id_in_path, "id", "orderId"),
    ),
    "POST /v1/orders/{}/refund": _row(
        Effect.MOVES_MONEY, _REFUND, id=_OTHER_THAN_IN_PATH, look_up=_BY_ID, shown=Shown.UNSENT
    ),
    "POST /v1/orders/{}/cancel": _row(
        Effect.SETS,
        _CANCELLATION,
        key=TAKEN,
        id=_OTHER_THAN_IN_PATH,
        look_up=_BY_ID,
        confirm=_confirm_cancelled,
    ),
    # The id in the path is the merchant's own: that of a response is the provider's.
    "POST /v1/orders/{}/external-cancel": _row(
        Effect.SETS, _CANCELLATION, key=TAKEN, look_up="with orders.list()"
    ),
}


def behaviour_of(place: str, base_url: httpx.URL, authentication_hint: str) -> Behaviour:
    key_place = BodyKey("idempotencyKey")
    return Behaviour(
        name="FlexFactor",
        environment=place,
        key_place=key_place,
        operations=Operations(
            DOCUMENT,
            base_url,
            key_place,
            OPERATIONS,
            elsewhere={f"POST {TOKEN_PATH}": TOKEN},
            members=MEMBERS,
        ),
        # Its pages give status 409 both meanings. Only one that mentions the payload, and not
        # progress, is final.
        waits_for_conflicts=True,
        problems=read_problems,
        request_id_headers=("apigw-requestid", "x-request-id", "request-id", "x-correlation-id"),
        request_id_in_body=trace_id,
        authentication_hint=authentication_hint,
    )
