"""What each operation of FlexFactor is, for the attempt loop: `OPERATIONS`, the table, and
`behaviour_of`, which has the table.

Before the table come the functions of its columns, and the `ResultEvidence` of each operation.
"""

from collections.abc import Callable, Mapping
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
from victor_ext._runtime.loop.evidence import ListPage, Members
from victor_ext._runtime.loop.idempotency_keys import TAKEN, BodyKey
from victor_ext._runtime.loop.operations import (
    AskedPayment,
    Behaviour,
    Effect,
    Follow,
    Operation,
    Operations,
    Repeats,
    RepeatsId,
    Shown,
    id_in_path,
)
from victor_ext._values.ids import reference_of
from victor_ext.providers._books import in_major_units

from ._orders import require_cancelled
from ._problems import read_problems, trace_id
from ._responses import (
    REFUSALS,
    ResultEvidence,
    first_text,
    member,
    says,
    says_cancelled,
    says_decided,
    says_done,
    says_read,
    shows_work,
    status_of,
    undecided,
)

_REPEATED = {"idempotencyKey": "id", "mid": "id", "senseKey": "id"}
"""What a response may repeat of the request, with the kind of each value. Amounts are no evidence:
the unit differs between operations.
"""


def _repeated_values(response: httpx.Response) -> Comparisons:
    request = object_of(response.request)
    body = object_of(response)
    sent = {name: member(request, name) for name in _REPEATED}
    received = {name: member(body, name) for name in _REPEATED}
    return comparing.compared(_REPEATED, sent, received)


_REPEATS = Repeats("call", _repeated_values)


def _about_other_order(response: httpx.Response) -> str | None:
    """How a response names another order than the request, which has its id in the body or in the
    path.
    """
    request = response.request
    asked = first_text(object_of(request), "orderId") or id_in_path(request, after=1)
    if not asked:
        return None
    named = member(object_of(response), "orderId")
    return comparing.mismatch("order", {"id": comparing.same(asked, named, "id")})


def _id_in_body(response: httpx.Response) -> str | None:
    """The id of the order, or of the copy, that a response names."""
    return first_text(object_of(response), "orderId", "transmitId") or None


def _captured_order_id(response: httpx.Response) -> str | None:
    """The id of the order that was captured. The request names it, and the response may not."""
    return first_text(object_of(response.request), "orderId")


def _state_in_body(response: httpx.Response) -> str:
    return status_of(object_of(response))


def _is_refusal(response: httpx.Response) -> bool:
    """Whether a response is a decision against the order, whose reasons it may list as errors."""
    return _state_in_body(response) in REFUSALS


def _write(
    effect: Effect, result: ResultEvidence, made: operations.Says = _id_in_body, **columns: Any
) -> Operation:
    """A row of the table, with the columns that all writes fill in the same way."""
    return Operation(
        effect=effect,
        evidence=result,
        refuses=result.refusal,
        undecided=undecided,
        proves_work=shows_work,
        repeats=_REPEATS,
        made=made,
        said=_state_in_body,
        **columns,
    )


_DONE = ResultEvidence(says_done)
_CANCELLED = ResultEvidence(says_cancelled, may_be_empty=True)
_PAGE = ListPage(
    ("items",), lambda body: body.get("pageNumber") is not None, "its body is not a page of orders"
)
_ORDER = Members(("id",), "its body is not an order", proof="id")


def _confirm_cancelled(
    response: Response, key: str | None, seconds_left: Callable[[], float | None]
) -> OperationFlow[None]:
    """Read the order if the response to a stored `cancel` does not say that it is cancelled."""
    order_id = id_in_path(response.request, after=1)
    yield from require_cancelled(object_of(response), order_id, key, seconds_left)


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


_TOKEN = ResultEvidence(says_read)
TOKEN = replace(operations.TOKEN, evidence=_TOKEN, refuses=_TOKEN.refusal)
# The client's methods make a key (a GUID) where none is given. A body that was made by hand is not
# changed.
OPERATIONS: Mapping[str, Operation] = {
    "POST /v1/evaluate": _write(
        Effect.MOVES_MONEY,
        ResultEvidence(says_decided),
        payments=_asked_payments,
        key=TAKEN,
        look_up="with orders.list(), or stop it with orders.external_cancel(order_id)",
        may_list_errors=_is_refusal,
        shown=Shown.UNSENT,
        follow=_order_until("CAPTUREREQUIRED"),  # which goes on by a capture
    ),
    "POST /v1/capture": _write(
        Effect.MOVES_MONEY,
        _DONE,
        _captured_order_id,
        key=TAKEN,
        id=_about_other_order,
        look_up=_BY_ID,
        follow=_order_until(),
    ),
    "POST /v1/transmit": _write(
        Effect.MAKES, ResultEvidence(says), look_up="in the merchant portal", shown=Shown.UNSENT
    ),
    "GET /v1/orders": Operation(effect=Effect.READS, evidence=_PAGE, items_of=_PAGE.items_of),
    "GET /v1/orders/{}": Operation(
        effect=Effect.READS, evidence=_ORDER, id=RepeatsId("order", "id")
    ),
    "POST /v1/orders/{}/refund": _write(
        Effect.MOVES_MONEY, _DONE, id=_about_other_order, look_up=_BY_ID, shown=Shown.UNSENT
    ),
    "POST /v1/orders/{}/cancel": _write(
        Effect.SETS,
        _CANCELLED,
        key=TAKEN,
        id=_about_other_order,
        look_up=_BY_ID,
        confirm=_confirm_cancelled,
    ),
    # The id in the path is the merchant's own: that of a response is the provider's.
    "POST /v1/orders/{}/external-cancel": _write(
        Effect.SETS, _CANCELLED, key=TAKEN, look_up="with orders.list()"
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
        request_id_in_body=trace_id,
        authentication_hint=authentication_hint,
    )
