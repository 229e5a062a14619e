"""What each operation of Victor is, for the attempt loop: its table, and the format of errors."""

import re
from collections.abc import Callable, Generator, Mapping, Sequence
from copy import deepcopy
from datetime import datetime
from functools import partial
from typing import Any

import httpx

from victor_ext.errors import Conflict, Outcome, Problem, UnreadableResponse, VictorError
from victor_ext.ids import reference_of
from victor_ext.money import from_wire
from victor_ext.privacy import mask_digits, one_line, redact_code, redact_excerpt
from victor_ext.runtime.core.comparing import about_another, as_id, is_about_one_of
from victor_ext.runtime.core.json_values import (
    is_object,
    list_or_empty,
    object_of,
    object_or_empty,
    text_or_empty,
)
from victor_ext.runtime.loop.behaviour import Behaviour
from victor_ext.runtime.loop.evidence import ListPage, Members, said_members
from victor_ext.runtime.loop.idempotency_keys import MIN_KEY_LENGTH, HeaderKey, KeyRule, key_problem
from victor_ext.runtime.loop.operations import (
    TOKEN,
    AskedPayment,
    Effect,
    Finding,
    Follow,
    Operation,
    Operations,
    Proof,
    RepeatsId,
    id_in_path,
)
from victor_ext.runtime.loop.resending import asked_url

from .auth import TOKEN_PATH
from .reading import another_page, is_number
from .records import PaymentRequest
from .requests import ARGUMENTS, CreateRequest, Sent
from .responding import RESPONDED, other_response, records_response
from .statuses import CHILD_ID, ID, PARENT_ID, TERMINAL, Direction, as_direction

_WHAT = "payment request"
_NO_MESSAGE = "the provider gave no message"


def _others_response(answer: httpx.Response) -> str | None:
    """How the response to the request that `get` answers with is another one's, or None."""
    body = object_of(answer)
    child, parent = body.get(CHILD_ID), body.get(PARENT_ID)
    # An outbound request may have its child's response. The document has no child_id in `get`: then
    # nothing is read.
    is_childs = (
        body.get(ID) and not child and as_direction(body.get("direction")) is Direction.OUTBOUND
    )
    ids = (id_in_path(answer.request), child, parent)
    return None if is_childs or is_about_one_of(ids, _response_id(answer)) else _others_id(answer)


def _others_id(answer: httpx.Response) -> str | None:
    return about_another(
        id_in_path(answer.request), _response_id(answer), _WHAT, "payment_request_response"
    )


def _response_id(answer: httpx.Response) -> object:
    request = object_or_empty(object_of(answer).get("payment_request"))
    return object_or_empty(request.get("payment_request_response")).get(ID)


_PAGE = ListPage(
    ("results",),
    lambda page: is_number(page.get("page")) or is_number(page.get("page_size")),
    "its body has no list of results",
)
"""What has none would otherwise be read as the end of the list."""


def _another_page(answer: httpx.Response) -> str | None:
    """How a page differs from the requested one, or None.

    Page 0 is accepted: the field may be unused. So is the next number: the provider may count from
    1. A list compares the numbers of its pages with each other.
    """
    number, asked = object_of(answer).get("page"), asked_url(answer.request).params.get("page", "")
    if not is_number(number) or not asked.isdecimal():
        return None
    return None if number in {0, int(asked), int(asked) + 1} else another_page(number, asked)


# What shows of a `create` whether it was done: its response, or the requests with its reference.


def _names_request(response: httpx.Response) -> bool:
    """Whether a response to `create` has the id of a payment request, which no refusal has."""
    return bool((as_id(said_members(response).get(ID)) or "").strip())


def _arguments_in(body: object) -> dict[str, Any]:
    """The arguments of the `create` that has this body, but for its key."""
    left, given = deepcopy(object_or_empty(body)), dict[str, Any]()
    for place, argument in ARGUMENTS.items():
        part, _, name = place.rpartition(".")
        given[argument] = (object_or_empty(left.get(part)) if part else left).pop(name, None)
    return {**given, "extra_body": {name: member for name, member in left.items() if member != {}}}


def _made(response: httpx.Response) -> PaymentRequest:
    """The record of a response to `create`."""
    return PaymentRequest.of_json(object_of(response))


def _other_request(
    client: Any, response: httpx.Response
) -> Generator[Callable[[], Any], Any, str | None]:
    """How the response to a `create` is about another payment, or None.

    One that says too little is read back.
    """
    sent = Sent(CreateRequest(**_arguments_in(object_of(response.request))), 1)
    record, why = _made(response), "and what was read back does not say whose it is"
    try:
        # What has none of the values that were sent is a plain receipt.
        if sent.is_confirmed_by(record) or not sent.comparisons(record):
            return None
        if sent.is_confirmed_by((yield partial(client.payment_requests.get, record.id))):
            return None
    except Conflict as conflict:
        return conflict.message
    except VictorError as error:
        why = f"and it could not be read back ({error.summary})"
    message = (
        f"The response says too little of payment request {one_line(record.id)}, {why}: it "
        "may be another one's."
    )
    raise UnreadableResponse(message, outcome=Outcome.UNKNOWN)


def _find(client: Any, call: Any, since: datetime, _given: Mapping[str, str]) -> Finding:
    requests = yield partial(client.payment_requests.find, call.subject, start_datetime=since)
    arguments = _arguments_in(call.body)
    found = PaymentRequest.identified(requests, arguments, since=since)
    if isinstance(found, str):
        return f"{found} {requests.caveat}".rstrip()
    return found.as_done(arguments)


_CREATED = Proof(
    _find, subject=lambda request: reference_of(object_of(request).get("client_reference_id"))
)
"""One request alone has the reference, and the values that were sent."""


def _asked(request: httpx.Request) -> list[AskedPayment]:
    body = object_of(request)
    amount = from_wire(object_or_empty(body.get("payment_details")).get("amount"))
    reference = reference_of(body.get("client_reference_id")) or None
    return [] if amount is None else [AskedPayment(reference, f"{amount:f}", "USD")]


_UNTIL_PAID = Follow(lambda victor, _call, id: victor.payment_requests.get(id), TERMINAL)

OPERATIONS: Mapping[str, Operation] = {
    "POST /v2/payment-requests/request-payment": Operation(
        effect=Effect.MAKES,
        key=KeyRule(is_made=True, shortest=MIN_KEY_LENGTH),
        evidence=Members(
            (ID,),
            f"its body has no {ID}",
            lambda value: bool((as_id(value) or "").strip()),
            proof=ID,
        ),
        # `create` compares what it repeats (see `Sent`), as `could_be` does: a `Conflict` names the
        # values that differ.
        look_up="with payment_requests.find(client_reference_id, start_datetime=...)",
        made=lambda response: _made(response).id,
        said=lambda response: _made(response).status,
        unlike=_other_request,
        proves_work=_names_request,
        proof=_CREATED,
        payments=_asked,
        follow=_UNTIL_PAID,
    ),
    "GET /v2/payment-requests": Operation(
        effect=Effect.READS,
        evidence=_PAGE,
        is_empty=_PAGE.is_empty,
        id=_another_page,
    ),
    "GET /v2/payment-requests/{}": Operation(
        effect=Effect.READS,
        evidence=Members(
            (ID, "status", "payment_request"), "its body has none of the expected members", proof=ID
        ),
        id=RepeatsId(_WHAT, ID, unlike=_others_response),
        # The document has no 404: a 400 about the id alone says the same.
        unknown_id=frozenset({ID, "victor_id", "id"}),
        client_method="payment_requests.get",
    ),
    "POST /v2/payment-requests/respond-to-request/{}": Operation(
        effect=Effect.MOVES_MONEY,
        evidence=Members(
            ("status",),
            "its body does not say which response was recorded",
            lambda word: bool(text_or_empty(word)),
            ID,
        ),
        id=RepeatsId(_WHAT, ID, unlike=_others_id),
        look_up="with payment_requests.get(id)",
        unlike=other_response,
        proves_work=records_response,
        proof=RESPONDED,
    ),
    f"POST {TOKEN_PATH}": TOKEN,
}


def behaviour_of(environment: str, base_url: httpx.URL, place: str) -> Behaviour:
    # The document has a shortest length for `create`. Those of newer documents are known to have
    # the longest one.
    key_place = HeaderKey(problem=lambda _request, key: key_problem(key, shortest=1))
    return Behaviour(
        name="Victor",
        environment=place,
        key_place=key_place,
        operations=Operations(OPERATIONS, base_url, key_place),
        problems=read_problems,
        authentication_hint=(
            f"Environment {environment!r} was asked: check that the credentials belong to it (keys "
            "of one environment are not valid in the other), that the private key belongs to the "
            "API key, and this machine's clock."
        ),
    )


def read_problems(answer: httpx.Response) -> Sequence[Problem]:
    """Return the problems of the documented schemas `ApiErrorResponse` and `ValidationErrors`; none
    of others.
    """
    body = object_of(answer)
    error = body.get("error")
    if is_object(error):
        message = text_or_empty(error.get("message")) or _NO_MESSAGE
        return (_problem(error, text_or_empty(error.get("field")), message),)
    errors = filter(is_object, list_or_empty(body.get("allErrors")))
    return tuple(_problem(item, _field_of(item), item.get("defaultMessage")) for item in errors)


def _problem(error: dict[str, Any], field: str, message: object) -> Problem:
    code, theirs = redact_code(error.get("code")), mask_digits(field)
    text = redact_excerpt(text_or_empty(message)) or code or _NO_MESSAGE
    # `paymentDetails.amount` is `payment_details.amount` in the JSON body.
    wire = re.sub(r"(?<=[a-z0-9])([A-Z])", lambda match: "_" + match.group().lower(), theirs)
    return Problem(field=wire, code=code, message=text, provider_field=theirs or None)


def _field_of(error: dict[str, Any]) -> str:
    """Return the field of a Spring error: its `field`, or the end of a code such as
    `NotNull.request.notes`.
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
