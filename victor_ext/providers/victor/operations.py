"""What each operation of Victor is: the table that the attempt loop asks."""

from __future__ import annotations

from collections.abc import Mapping

import httpx

from victor_ext.privacy import redact_excerpt
from victor_ext.runtime.core.comparing import about_another, as_id, is_about_one_of
from victor_ext.runtime.core.json_values import is_list, object_of, object_or_empty, text_or_empty
from victor_ext.runtime.loop.evidence import Members, no_items_in
from victor_ext.runtime.loop.idempotency_keys import MIN_KEY_LENGTH, KeyRule
from victor_ext.runtime.loop.operations import TOKEN, Effect, Operation, RepeatsId, id_in_path
from victor_ext.runtime.loop.redirects import asked_url

from .auth import TOKEN_PATH
from .statuses import CHILD_ID, ID, PARENT_ID, Direction, as_direction

_WHAT = "payment request"


def _others_response(answer: httpx.Response) -> str | None:
    """How the response to the request that `get` answers with is another one's, or None."""
    body = object_of(answer)
    child, parent = body.get(CHILD_ID), body.get(PARENT_ID)
    # An outbound request may have its child's response. The document has no child_id in `get`: then nothing is read.
    is_childs = body.get(ID) and not child and as_direction(body.get("direction")) is Direction.OUTBOUND
    ids = (id_in_path(answer.request), child, parent)
    return None if is_childs or is_about_one_of(ids, _response_id(answer)) else _others_id(answer)


def _others_id(answer: httpx.Response) -> str | None:
    return about_another(id_in_path(answer.request), _response_id(answer), _WHAT, "payment_request_response")


def _response_id(answer: httpx.Response) -> object:
    request = object_or_empty(object_of(answer).get("payment_request"))
    return object_or_empty(request.get("payment_request_response")).get(ID)


def _another_page(answer: httpx.Response) -> str | None:
    """How a page differs from the requested one, or None. Page 0 is accepted: the field may be unused."""
    number, asked = object_of(answer).get("page"), asked_url(answer.request).params.get("page", "")
    is_number = isinstance(number, int | float) and not isinstance(number, bool)
    if not is_number or not asked.isdecimal() or number in {0, int(asked)}:
        return None
    return f"its body is page {redact_excerpt(str(number))} of a list, and page {asked} was asked for"


OPERATIONS: Mapping[str, Operation] = {
    "POST /v2/payment-requests/request-payment": Operation(
        effect=Effect.MAKES,
        key=KeyRule(is_made=True, shortest=MIN_KEY_LENGTH),
        evidence=Members((ID,), f"its body has no {ID}", lambda value: bool((as_id(value) or "").strip()), proof=ID),
        # `create` compares what it repeats (see `Sent`), as `could_be` does: a `Conflict` names the values that differ.
        look_up="with payment_requests.find(client_reference_id, start_datetime=...)",
    ),
    "GET /v2/payment-requests": Operation(
        effect=Effect.READS,
        # What has none would otherwise be read as the end of the list.
        evidence=Members(("results",), "its body has no list of results", is_list, proof=ID),
        is_empty=no_items_in("results"),
        id=_another_page,
    ),
    "GET /v2/payment-requests/{}": Operation(
        effect=Effect.READS,
        evidence=Members((ID, "status", "payment_request"), "its body has none of the expected members", proof=ID),
        id=RepeatsId(_WHAT, ID, unlike=_others_response),
        # The document has no 404: a 400 about the id alone says the same.
        unknown_id=frozenset({ID, "victor_id", "id"}),
    ),
    "POST /v2/payment-requests/respond-to-request/{}": Operation(
        effect=Effect.MOVES_MONEY,
        evidence=Members(
            ("status",), "its body does not say which response was recorded", lambda word: bool(text_or_empty(word)), ID
        ),
        id=RepeatsId(_WHAT, ID, unlike=_others_id),
        look_up="with payment_requests.get(id)",
    ),
    f"POST {TOKEN_PATH}": TOKEN,
}
