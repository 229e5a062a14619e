"""`accept` and `decline`: the response to an inbound request.

It is sent once, because the call has no idempotency key. If the outcome is uncertain, the request
is read back. `IntendedResponse` says how a record differs from what was meant; `respond` is the
flow of both methods. The functions between the two are columns of the table of operations.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from functools import partial
from typing import Any

import httpx
from victor_api.api.payment_requests import respond_to_payment_request

from victor_ext import money
from victor_ext._privacy import one_line
from victor_ext._runtime.client.resources import Shared
from victor_ext._runtime.client.runners import OperationFlow, step_for_json
from victor_ext._runtime.core.comparing import Likeness, same
from victor_ext._runtime.core.json_values import json_of, object_of, object_or_empty, text_or_empty
from victor_ext._runtime.core.response import Response
from victor_ext._runtime.loop.operations import Done, Finding, Proof, id_in_path
from victor_ext._values.opaque import FrozenStruct
from victor_ext.errors import Conflict, Outcome, VictorError
from victor_ext.typed import Body, Request

from ._reading import get
from ._records import APPROVAL_NOTES, RESPONSE, PaymentRequest
from ._values import ID, Direction, Status, first_of

RESPONSE_WORDS = {Status.ACCEPTED: "Accepted", Status.DECLINED: "Declined"}
"""The words of the body for the status that is meant."""


class Difference(StrEnum):
    """How the response in a record differs from the intended one, as a message says it."""

    NO_RESPONSE = "no response yet"
    STATUS = "another response"
    WORD = "a word that is no response"
    AMOUNT = "another amount"
    UNSAID = "no amount that can be read"
    NOTES = "other notes"


class IntendedResponse(FrozenStruct, frozen=True):
    """The intended response to an inbound request."""

    status: Status
    notes: str
    modified_amount: Decimal | None = None

    @classmethod
    def in_body(cls, body: object) -> IntendedResponse:
        """The intended response that the body of a call has."""
        sent = object_or_empty(body)
        is_accepted = sent.get("status") == RESPONSE_WORDS[Status.ACCEPTED]
        status = Status.ACCEPTED if is_accepted else Status.DECLINED
        return cls(
            status, text_or_empty(sent.get("notes")), money.from_wire(sent.get("modified_amount"))
        )

    def difference(self, record: PaymentRequest) -> Difference | None:
        """How the response in a record differs from this one; None: it does not."""
        status: str | None = _RESPONSE_STATUSES.get(record.status or "")
        if record.response is not None:
            status = record.response.status
        if status is None or record.direction is Direction.OUTBOUND:
            return Difference.NO_RESPONSE
        if status != self.status:
            is_response = status in _RESPONSE_STATUSES.values()
            return Difference.STATUS if is_response else Difference.WORD
        amounts = record.said_amounts()
        intended = first_of(self.modified_amount, record.original_amount)
        if record.amount is None or intended is None:
            if first_of(self.modified_amount, amounts.modified, amounts.unreadable) is not None:
                return Difference.UNSAID
        elif record.amount != intended:
            return Difference.AMOUNT
        notes = record.approval_notes or record.value_at(APPROVAL_NOTES)
        if same(self.notes, notes, "text") not in (Likeness.SAME, Likeness.UNSAID):
            return Difference.NOTES
        return None


_RESPONSE_STATUSES: dict[str, Status] = {
    Status.ACCEPTED: Status.ACCEPTED,
    Status.COMPLETED: Status.ACCEPTED,
    Status.DECLINED: Status.DECLINED,
}
"""The statuses of a request that show a response; and which one."""


def confirm_recorded(
    http_response: Response, _key: str | None, seconds_left: Callable[[], float | None]
) -> OperationFlow[Done | None]:
    """Check that the HTTP response to a stored `accept` or `decline` has the response that was
    sent, as the methods do. Returns what was read if only that shows it.
    """
    request_id = id_in_path(http_response.request)
    intended = IntendedResponse.in_body(json_of(http_response.request))
    received = PaymentRequest(object_of(http_response), RESPONSE)
    record = yield from _confirmed(
        request_id, intended, received, http_response.attempts, seconds_left
    )
    if record is received:
        return None
    return Done(request_id, record.status, record.to_dict(), http_response)


def records_response(response: httpx.Response) -> bool:
    """Whether the HTTP response to `accept` or `decline` proves that it was done: it names the
    request, and has the status that was meant.
    """
    intended = IntendedResponse.in_body(json_of(response.request))
    record = PaymentRequest(object_of(response), RESPONSE)
    return bool(record.id) and record.status == intended.status


def _find_response(client: Any, call: Any, _since: datetime, _given: Mapping[str, str]) -> Finding:
    """Read the request that a call responds to, for the response that was sent."""
    record: PaymentRequest = yield partial(client.payment_requests.get, call.ids[0])
    difference = IntendedResponse.in_body(call.body).difference(record)
    if difference is not None:
        return f"The request is {one_line(record.status)} with {difference}."
    return Done(call.ids[0], record.status, record.to_dict(), is_state=True)


PROOF_OF_RESPONSE = Proof(_find_response)
"""The read that shows that a response was recorded: the request has it, and keeps it."""


def respond(shared: Shared, request: Request, status: Status) -> OperationFlow[PaymentRequest]:
    """Respond to an inbound request once. If the outcome is uncertain, read the request and compare
    its response with the intended one.

    The request is not read if no time is left. Members that no argument of the methods sets are not
    compared: what the provider makes of them is not known.
    """
    seconds_left = shared.clock.countdown(shared.deadline)
    request.body = Body(status=RESPONSE_WORDS[status], **request.body)
    arguments = request.arguments()
    intended = IntendedResponse.in_body(request.body)
    step = step_for_json(respond_to_payment_request, **arguments)
    request_id: str = request.path[ID]
    try:
        yield step
        received = PaymentRequest(step.parsed, RESPONSE)
    except VictorError as error:
        if error.outcome not in (Outcome.UNKNOWN, Outcome.ACCEPTED):
            raise
        uncertain = error
    else:
        return (yield from _confirmed(request_id, intended, received, step.attempts, seconds_left))
    return (yield from _read_back(request_id, intended, uncertain, seconds_left()))


def _confirmed(
    request_id: str,
    intended: IntendedResponse,
    received: PaymentRequest,
    attempts: int,
    seconds_left: Callable[[], float | None],
) -> OperationFlow[PaymentRequest]:
    """The record of a good response if it has the intended response, or else what is read back.

    Raises `Conflict`: another amount is agreed to, or the read shows another response.
    """
    difference = intended.difference(received)
    if difference in (None, Difference.NOTES):
        return received
    uncertain = _conflict(request_id, intended, received, difference, attempts=attempts)
    if difference is Difference.AMOUNT:
        raise uncertain
    return (yield from _read_back(request_id, intended, uncertain, seconds_left()))


def _read_back(
    request_id: str, intended: IntendedResponse, uncertain: VictorError, seconds: float | None
) -> OperationFlow[PaymentRequest]:
    """Read the request and compare its response with the intended one.

    The response is never sent again. `uncertain` is raised if the read decides nothing; `seconds`
    is the time that is left.
    """
    if seconds is not None and seconds <= 0:
        uncertain.add_note("No time was left to read the request back.")
        raise uncertain from None
    try:
        record = yield from get(request_id, seconds)
    except VictorError as error:
        uncertain.add_note(f"Reading the request back failed as well: {error}")
        raise uncertain from None
    difference = intended.difference(record)
    if difference is None:
        return record
    if difference is Difference.NO_RESPONSE:
        # Not `ACCEPTED`, as after a good status. Without a response, that proves nothing.
        uncertain.outcome = Outcome.UNKNOWN
        uncertain.add_note("The request was read back and has no response yet.")
        raise uncertain from None
    call: dict[str, Any] = {"attempts": uncertain.attempts, "request_id": uncertain.request_id}
    raise _conflict(request_id, intended, record, difference, **call)


def _conflict(
    request_id: str,
    intended: IntendedResponse,
    record: PaymentRequest,
    difference: Difference,
    /,
    **call: Any,
) -> Conflict:
    """The error for a request that is not as intended, whoever did that."""
    return Conflict(
        f"Payment request {request_id} is {one_line(record.status)} with {difference}, and "
        f"not as intended ({intended.status}). Whether this call did that is not known.",
        hint="Read it with get() before you do anything else.",
        outcome=Outcome.UNKNOWN,
        **call,
    )
