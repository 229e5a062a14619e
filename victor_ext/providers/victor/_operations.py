"""What each operation of Victor is, for the attempt loop: the table (`OPERATIONS`), `behaviour_of`,
which has the table, and at the end the format of errors.

Before the table come the functions of its columns, in the order of its rows.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

import httpx
from victor_api.members import MEMBERS
from victor_api.operations import OPERATIONS as DOCUMENT

from victor_ext._privacy import mask_digits, redact_code, redact_excerpt
from victor_ext._runtime.client.runners import OperationFlow
from victor_ext._runtime.core.comparing import as_id
from victor_ext._runtime.core.json_values import (
    list_or_empty,
    object_of,
    object_or_empty,
    text_or_empty,
    whole_of,
)
from victor_ext._runtime.core.response import Response
from victor_ext._runtime.loop.evidence import ListPage, Members
from victor_ext._runtime.loop.idempotency_keys import (
    MIN_KEY_LENGTH,
    HeaderKey,
    KeyRule,
)
from victor_ext._runtime.loop.operations import (
    TOKEN,
    Absent,
    AskedPayment,
    Behaviour,
    Done,
    Effect,
    Findings,
    Follow,
    NotDone,
    Operation,
    Operations,
    Proof,
    RepeatsId,
)
from victor_ext._values.ids import reference_of
from victor_ext.errors import Problem, VictorError
from victor_ext.money import from_wire

from ._auth import TOKEN_PATH
from ._creating import SentCreate
from ._payment_requests import confirm_created
from ._reading import SearchResult
from ._records import PaymentRequest
from ._responding import PROOF_OF_RESPONSE, confirm_recorded, records_response
from ._values import ID, TERMINAL, Direction

_WHAT = "payment request"
_NO_MESSAGE = "the provider gave no message"


def _is_id(value: object) -> bool:
    """Whether a value is an id: a text that is not blank, or a whole number."""
    return bool((as_id(value) or "").strip())


_PAGE = ListPage(
    ("results",),
    lambda page: any(whole_of(page.get(name)) is not None for name in ("page", "page_size")),
    "its body has no list of results",
)
"""A body without a list would otherwise be read as the end of the list."""


def _page_of_other_number(response: httpx.Response) -> str | None:
    """How a page has another number than the one that was asked for, or None.

    The number 0 is accepted: it is the document's default.
    """
    number = whole_of(object_of(response).get("page"))
    asked = response.request.url.params.get("page", "")
    if not number or not asked.isdecimal() or number == int(asked):
        return None
    return f"its body is page {number} of a list, and page {asked} was asked for"


# What shows whether a `create` was done: its response, or the requests with its reference.


def _created_request(response: httpx.Response) -> PaymentRequest:
    """The record of a response to `create`."""
    return PaymentRequest(object_of(response))


def _confirm_created(
    response: Response, key: str | None, seconds_left: Callable[[], float | None]
) -> OperationFlow[None]:
    """Check that an HTTP response to a stored `create` is about the payment that was sent."""
    sent = SentCreate.of_body(object_of(response.request), response.attempts, key)
    return confirm_created(_created_request(response), sent, seconds_left)


def _find_created(
    client: Any, calls: Sequence[tuple[Any, datetime]], _given: Mapping[str, str]
) -> Findings:
    """Find the request that each `create` made since a moment, by the reference of the call."""
    first = min(since for _, since in calls)
    references = [call.subject for call, _ in calls]
    requests = yield partial(client.payment_requests.find, references, start_datetime=first)
    findings: list[Done | NotDone | str | VictorError] = []
    for call, since in calls:
        # As if the window began at this call's moment.
        start = requests.start + (since - first)
        outbound = [
            request
            for request in requests
            if reference_of(request.client_reference_id) == call.subject
            and request.direction != Direction.INBOUND
            and (request.created_at is None or request.created_at >= start)
        ]
        if len(outbound) == 1:
            findings.append(SentCreate.of_body(call.body).done_by(outbound[0]))
        elif not outbound:
            none = SearchResult([], start=requests.start, end=requests.end, read=requests.read)
            findings.append(Absent(f"No request has its client_reference_id. {none.caveat}"))
        else:
            findings.append(f"{len(outbound)} requests have its client_reference_id.")
    return findings


_CREATED = Proof.of_list(
    _find_created,
    subject=lambda request: reference_of(object_of(request).get("client_reference_id")),
    finds_subject=True,
)
"""Reads that show that a `create` was done: exactly one request has its reference, and that request
has the values that were sent.
"""


def _asked_payments(request: httpx.Request) -> list[AskedPayment]:
    """The payment that a `create` asks for; none if its amount cannot be read."""
    body = object_of(request)
    amount = from_wire(object_or_empty(body.get("payment_details")).get("amount"))
    reference = reference_of(body.get("client_reference_id")) or None
    if amount is None:
        return []
    return [AskedPayment(reference, f"{amount:f}", "USD")]


_UNTIL_PAID = Follow(
    lambda victor, _call, id: victor.payment_requests.get(id),
    TERMINAL,
    ends=lambda request: request.is_terminal,
)

OPERATIONS: Mapping[str, Operation] = {
    "POST /v2/payment-requests/request-payment": Operation(
        effect=Effect.MAKES,
        key=KeyRule(is_made=True, shortest=MIN_KEY_LENGTH),
        evidence=Members(
            (ID,),
            f"its body has no {ID}",
            _is_id,
            proof=ID,
        ),
        # No `repeats`: `confirm` compares what the response repeats of the request (see
        # `SentCreate`), and raises a `Conflict` that names the values that differ.
        look_up="with payment_requests.find(client_reference_id, start_datetime=...)",
        made=lambda response: _created_request(response).id,
        said=lambda response: _created_request(response).status,
        confirm=_confirm_created,
        # No refusal has the id of a payment request.
        proves_work=lambda response: _is_id(object_of(response).get(ID)),
        proof=_CREATED,
        payments=_asked_payments,
        follow=_UNTIL_PAID,
    ),
    "GET /v2/payment-requests": Operation(
        effect=Effect.READS,
        evidence=_PAGE,
        items_of=_PAGE.items_of,
        id=_page_of_other_number,
    ),
    "GET /v2/payment-requests/{}": Operation(
        effect=Effect.READS,
        evidence=Members(
            (ID, "status", "payment_request"), "its body has none of the expected members", proof=ID
        ),
        id=RepeatsId(_WHAT, ID),
        # The document has no 404: a 400 about the id alone says the same.
        unknown_id=frozenset({ID, "victor_id", "id"}),
    ),
    "POST /v2/payment-requests/respond-to-request/{}": Operation(
        effect=Effect.MOVES_MONEY,
        evidence=Members(
            ("status",),
            "its body does not say which response was recorded",
            lambda word: bool(text_or_empty(word)),
            ID,
        ),
        id=RepeatsId(_WHAT, ID),
        look_up="with payment_requests.get(id)",
        confirm=confirm_recorded,
        proves_work=records_response,
        proof=PROOF_OF_RESPONSE,
    ),
}
ELSEWHERE: Mapping[str, Operation] = {f"POST {TOKEN_PATH}": TOKEN}
"""The row of an operation that Victor's document does not have."""


def behaviour_of(environment: str, base_url: httpx.URL, place: str) -> Behaviour:
    """Victor's behaviour in an environment; `place` is how messages name it."""
    key_place = HeaderKey()
    return Behaviour(
        name="Victor",
        environment=place,
        key_place=key_place,
        operations=Operations(
            DOCUMENT, base_url, key_place, OPERATIONS, elsewhere=ELSEWHERE, members=MEMBERS
        ),
        problems=read_problems,
        authentication_hint=(
            f"Environment {environment!r} was asked: check that the credentials belong to it (keys "
            "of one environment are not valid in the other), that the private key belongs to the "
            "API key, and this machine's clock."
        ),
    )


def read_problems(response: httpx.Response) -> Sequence[Problem]:
    """The problems in a body of the documented schemas `ApiErrorResponse` and `ValidationErrors`;
    none in another body. An error without a field whose code is an HTTP status is Google's.
    """
    body = object_of(response)
    error = object_or_empty(body.get("error"))
    code = error.get("code")
    if error.get("field") or (code is not None and code not in range(400, 600)):
        message = text_or_empty(error.get("message")) or _NO_MESSAGE
        return (_problem(error, text_or_empty(error.get("field")), message),)
    errors = filter(None, map(object_or_empty, list_or_empty(body.get("allErrors"))))
    return tuple(_problem(item, _field_of(item), item.get("defaultMessage")) for item in errors)


def _problem(error: dict[str, Any], field: str, message: object) -> Problem:
    """A problem. The provider may spell the field `paymentDetails.amount`, which is
    `payment_details.amount` in the JSON body.
    """
    code = redact_code(error.get("code"))
    text = redact_excerpt(text_or_empty(message)) or code or _NO_MESSAGE
    provider_field = mask_digits(field)
    wire_field = re.sub(
        r"(?<=[a-z0-9])([A-Z])", lambda match: "_" + match.group().lower(), provider_field
    )
    return Problem(field=wire_field, code=code, message=text, provider_field=provider_field or None)


def _field_of(error: dict[str, Any]) -> str:
    """The field that a Spring error is about: its `field`, or the end of a code such as
    `NotNull.request.notes`. Empty: the error names none.
    """
    stated = text_or_empty(error.get("field"))
    if stated:
        return stated
    name = text_or_empty(error.get("objectName"))
    for code in map(text_or_empty, list_or_empty(error.get("codes"))):
        kind, _, rest = code.partition(".")
        if kind and name and rest.startswith(f"{name}."):
            return rest.removeprefix(f"{name}.")
    return ""
