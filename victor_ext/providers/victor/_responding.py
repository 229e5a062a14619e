"""`accept` and `decline`: the response to an inbound request.

It is sent once, because the call has no idempotency key. If the outcome is uncertain, the request
is read back. `IntendedResponse` says how a record differs from what was meant; `respond` is the
flow of both methods. The functions between the two are columns of the table of operations.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any, cast

import httpx
from msgspec.structs import replace
from victor_api.api.payment_requests import respond_to_payment_request

from victor_ext import money
from victor_ext._privacy import one_line
from victor_ext._runtime.client.requests import Body, extra_body_problems, with_extra_body
from victor_ext._runtime.client.resources import Shared
from victor_ext._runtime.client.runners import OperationFlow, step_for_json
from victor_ext._runtime.core.comparing import Likeness, same
from victor_ext._runtime.core.json_values import json_of, object_of, object_or_empty, text_or_empty
from victor_ext._runtime.core.response import Response
from victor_ext._runtime.core.validation import shown
from victor_ext._runtime.loop.operations import Done, Finding, Proof, id_in_path
from victor_ext._values.opaque import FrozenStruct
from victor_ext.errors import Conflict, Outcome, VictorError
from victor_ext.typed import Query, Request

from ._reading import get, id_problem
from ._records import APPROVAL_NOTES, RESPONSE, PaymentRequest
from ._values import Direction, Status, first_of

RESPONSE_ARGUMENTS = {
    "status": "accept or decline",
    "notes": "notes",
    "modified_amount": "modified_amount",
}
"""The members of the body of `accept` and `decline`, each with the method or argument that sets it.
"""
RESPONSE_WORDS = {Status.ACCEPTED: "Accepted", Status.DECLINED: "Declined"}
"""The words of the body for the status that is meant."""


class IntendedResponse(FrozenStruct, frozen=True):
    """The intended response to an inbound request.

    `requested` is the amount that the request asks for; None: it is not known.
    """

    status: Status
    notes: str
    modified_amount: Decimal | None = None
    requested: Decimal | None = None

    @classmethod
    def in_body(cls, body: object) -> IntendedResponse:
        """The intended response that the body of a call has."""
        sent = object_or_empty(body)
        is_accepted = sent.get("status") == RESPONSE_WORDS[Status.ACCEPTED]
        status = Status.ACCEPTED if is_accepted else Status.DECLINED
        return cls(
            status, text_or_empty(sent.get("notes")), money.from_wire(sent.get("modified_amount"))
        )

    def differences(self, record: PaymentRequest) -> Collection[str] | None:
        """How the response in a record differs from the intended one; None: the record has no
        response.

        `status`: it is another response. `word`: its status is an unknown word. `notes`, `amount`:
        it has others. `unsaid`: the accepted amount is not in the record, or cannot be read. With
        all but `status`, the record may still have the intended response.
        """
        response = record.response
        by_state = _RESPONSE_STATUSES.get(record.status or "")
        status = by_state if response is None else response.status
        if status is None:
            return None
        if status not in _RESPONSE_STATUSES.values():
            return ("word",)
        if status != self.status:
            return ("status",)
        differences: list[str] = []
        notes = record.approval_notes or record.value_at(APPROVAL_NOTES)
        if same(self.notes, notes, "text") not in (Likeness.SAME, Likeness.UNSAID):
            differences.append("notes")
        difference = self._difference_of_amount(record)
        return differences if difference is None else [*differences, difference]

    def _difference_of_amount(self, record: PaymentRequest) -> str | None:
        """How the amounts of a record differ from the intended response.

        `amount`: they contradict each other, or the intention. `unsaid`: a modified amount cannot
        be compared, so that nothing confirms it. None: they do not differ.
        """
        response = record.response
        by_response = None if response is None else response.original_amount
        all_requested = {self.requested, record.original_amount, by_response} - {None}
        if len(all_requested) > 1:
            return "amount"  # places that have the requested amount contradict each other
        requested = next(iter(all_requested), None)
        amounts = record.said_amounts()
        paid = record.amount
        if money.from_wire(amounts.own) not in {None, paid, requested}:
            return "amount"  # the own amount is neither
        intended = requested if self.modified_amount is None else self.modified_amount
        is_compared = paid is not None and intended is not None
        if is_compared and paid != intended:
            return "amount"
        if amounts.unreadable is not None:
            return "unsaid"  # an amount that cannot be read confirms nothing
        is_modified = self.modified_amount is not None or amounts.modified is not None
        return "unsaid" if is_modified and not is_compared else None


_RESPONSE_STATUSES: dict[str, Status] = {
    Status.ACCEPTED: Status.ACCEPTED,
    Status.COMPLETED: Status.ACCEPTED,
    Status.DECLINED: Status.DECLINED,
}
"""The statuses of a request, or of its response, that show a response; and which one."""


def confirm_recorded(
    http_response: Response, _key: str | None, seconds_left: Callable[[], float | None]
) -> OperationFlow[Done | None]:
    """Check that the HTTP response to a stored `accept` or `decline` has the response that was
    sent, as the methods do. Returns what was read if only that shows it.
    """
    request_id = id_in_path(http_response.request)
    intended = IntendedResponse.in_body(json_of(http_response.request))
    received = PaymentRequest.of_json(object_of(http_response), RESPONSE)
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
    body = object_of(response)
    record = PaymentRequest.of_json(body, RESPONSE)
    differences = intended.differences(record)
    if not record.id or differences is None:
        return False
    return {"status", "word"}.isdisjoint(differences)


def _find_response(client: Any, call: Any, _since: datetime, _given: Mapping[str, str]) -> Finding:
    """Read the request that a call responds to, for the response that was sent."""
    record: PaymentRequest = yield partial(client.payment_requests.get, call.ids[0])
    differences = IntendedResponse.in_body(call.body).differences(record)
    if differences is None or record.direction is Direction.OUTBOUND:
        return "The request has no response yet."
    if differences:
        return f"The request is {one_line(record.status)} with {_in_words(differences, record)}."
    return Done(call.ids[0], record.status, record.to_dict(), is_state=True)


PROOF_OF_RESPONSE = Proof(_find_response)
"""The read that shows that a response was recorded: the request has it, and keeps it."""


def respond(
    shared: Shared,
    request: Request,
    status: Status,
) -> OperationFlow[PaymentRequest]:
    """Respond to an inbound request once. If the outcome is uncertain, read the request and compare
    its response with the intended one.

    The request is not read if no time is left. Members that no argument of the methods sets are not
    compared: what the provider makes of them is not known.
    """
    seconds_left = shared.clock.countdown(shared.deadline)
    asked, extra_body = request.by_hand["id"], request.by_hand["extra_body"]
    known = asked if isinstance(asked, PaymentRequest) else None
    request_id = cast("str", asked) if known is None else known.id  # it is checked now
    _check_response(request, request_id, known)
    requested = None if known is None else first_of(known.original_amount, known.amount)
    body = Body(status=RESPONSE_WORDS[status], **request.body)
    intended = replace(IntendedResponse.in_body(body), requested=requested)
    step = step_for_json(
        respond_to_payment_request,
        victor_payment_request_id=request_id,
        body=with_extra_body(body, extra_body, RESPONSE_ARGUMENTS),
    )
    step.own_places = RESPONSE_ARGUMENTS
    try:
        yield step
        received = PaymentRequest.of_json(step.parsed, RESPONSE)
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
    differences = intended.differences(received) or ()
    if set(differences) <= {"notes"}:
        return received
    uncertain = _conflict(request_id, intended, received, differences, attempts=attempts)
    if "amount" in differences:
        raise uncertain
    return (yield from _read_back(request_id, intended, uncertain, seconds_left()))


def _check_response(request: Request, request_id: object, known: PaymentRequest | None) -> None:
    """Check the arguments of `accept` or `decline`. Raises `InvalidRequest` with all problems.

    `known` is the record of the request, if the caller passed it.
    """
    with Query("The answer was not sent") as validation:
        validation.add(id_problem(request_id))
        if known is not None and known.direction is Direction.OUTBOUND:
            which = "which only its payer has"
            if known.child_id:
                which = f"whose id is {known.child_id}"
            message = (
                f"id is {shown(request_id)}, an outbound request: answer the inbound one, {which}."
            )
            validation.note("id", "direction", message)
        validation.problems += request.check.problems
        # A request without the flag allows no other amount, by the document's default.
        amount = money.from_wire(request.body.get("modified_amount"))
        if (
            amount is not None
            and known is not None
            and not known.amount_modification_allowed
            and amount != known.amount
        ):
            message = (
                f"modified_amount is {amount}, and the request allows no "
                f"amount but {known.amount or 'its own'}: leave it out."
            )
            validation.note("modified_amount", "combination", message)
        extra_body = request.by_hand["extra_body"]
        if extra_body is not None:
            validation.problems += extra_body_problems(extra_body, RESPONSE_ARGUMENTS)


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
    call: dict[str, Any] = {"attempts": uncertain.attempts, "request_id": uncertain.request_id}
    if record.direction is Direction.OUTBOUND:
        raise Conflict(
            f"Payment request {request_id} is outbound: it asks another party to pay, so it "
            "cannot be answered. "
            "This call changed nothing. Answer the inbound request (child_id of the outbound one).",
            outcome=Outcome.REJECTED,
            **call,
        )
    differences = intended.differences(record)
    if differences is None:
        # Not `ACCEPTED`, as after a good status: without a response, that proves nothing.
        uncertain.outcome = Outcome.UNKNOWN
        uncertain.add_note("The request was read back and has no response yet.")
        raise uncertain from None
    if not differences:
        return record
    # After a good status, also one whose body has another word, the state of the request may be an
    # effect of this call. (A `Conflict` without an HTTP response is the one made in `_confirmed`.)
    may_be_effect = uncertain.outcome is Outcome.ACCEPTED or (
        isinstance(uncertain, Conflict) and uncertain.response is None
    )
    if may_be_effect or "status" not in differences:
        raise _conflict(request_id, intended, record, differences, **call)
    raise Conflict(
        f"Payment request {request_id} already has another response ({one_line(record.status)}) "
        "than the intended "
        f"one ({intended.status}): somebody else responded to it. This call changed nothing.",
        hint="Read it with get().",
        outcome=Outcome.REJECTED,
        **call,
    )


def _conflict(
    request_id: str,
    intended: IntendedResponse,
    record: PaymentRequest,
    differences: Collection[str],
    /,
    **call: Any,
) -> Conflict:
    """The error for a request that may have the response of this call or of somebody else."""
    what = _in_words(differences, record)
    return Conflict(
        f"Payment request {request_id} is {one_line(record.status)} with {what}, and not as "
        f"intended ({intended.status}): it may be the response of this call or somebody else's.",
        hint="Read it with get() before you do anything else.",
        outcome=Outcome.UNKNOWN,
        **call,
    )


def _in_words(differences: Collection[str], record: PaymentRequest) -> str:
    """The differences of a record from the intended response, for a message."""
    word = None if record.response is None else record.response.status
    words = {
        "status": "another response",
        "word": f"the word {one_line(word or record.status)!r}",
        "notes": "other notes",
        "amount": "another amount",
        "unsaid": "no amount that can be read",
    }
    return " and ".join(words[difference] for difference in differences)
