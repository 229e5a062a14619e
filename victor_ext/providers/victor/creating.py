"""What shows of a `create` that was prepared whether it was done: its response, or the requests with its reference."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from copy import deepcopy
from datetime import datetime
from functools import partial
from typing import Any

import httpx

from victor_ext.errors import Conflict, Outcome, UnreadableResponse, VictorError
from victor_ext.ids import reference_of
from victor_ext.privacy import one_line
from victor_ext.runtime.core.json_values import object_of, object_or_empty
from victor_ext.runtime.loop.operations import Done, Finding, Follow, Proof

from .records import PaymentRequest
from .requests import ARGUMENTS, CreateRequest, Sent
from .statuses import TERMINAL


def _arguments_in(body: object) -> dict[str, Any]:
    """The arguments of the `create` that has this body, but for its key."""
    left, given = deepcopy(object_or_empty(body)), dict[str, Any]()
    for place, argument in ARGUMENTS.items():
        part, _, name = place.rpartition(".")
        given[argument] = (object_or_empty(left.get(part)) if part else left).pop(name, None)
    return {**given, "extra_body": {name: member for name, member in left.items() if member != {}}}


def made(response: httpx.Response) -> PaymentRequest:
    """The record of a response to `create`."""
    return PaymentRequest.of_json(object_of(response))


def other_request(client: Any, response: httpx.Response) -> Generator[Callable[[], Any], Any, str | None]:
    """How the response to a `create` is about another payment, or None. One that says too little is read back."""
    sent = Sent(CreateRequest(**_arguments_in(object_of(response.request))), 1)
    record, why = made(response), "and what was read back does not say whose it is"
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
    message = f"The response says too little of payment request {one_line(record.id)}, {why}: it may be another one's."
    raise UnreadableResponse(message, outcome=Outcome.UNKNOWN)


def _find(client: Any, call: Any, since: datetime, _given: Mapping[str, str]) -> Finding:
    requests = yield partial(client.payment_requests.find, call.subject, start_datetime=since)
    found = PaymentRequest.identified(requests, _arguments_in(call.body), since=since)
    if isinstance(found, str):
        return f"{found} {requests.caveat}".rstrip()
    return Done(found.id, found.status, found.to_dict(), created_at=found.created_at)


CREATED = Proof(_find, subject=lambda request: reference_of(object_of(request).get("client_reference_id")))
"""One request alone has the reference, and the values that were sent."""
UNTIL_PAID = Follow(lambda victor, _call, id: victor.payment_requests.get(id), TERMINAL)
