"""`accept` and `decline`: sent once, because the call has no idempotency key; read back if the outcome is uncertain."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from decimal import Decimal

from victor_ext import money
from victor_ext.errors import Conflict, Outcome, UnreadableResponse, VictorError
from victor_ext.redaction import one_line
from victor_ext.runtime.client.runners import OperationFlow, call_with_attempts, drop_none

from .checks import check_answer
from .generated import models
from .reading import get
from .records import PaymentRequest, PaymentRequestResponse
from .statuses import Direction, Status

_RESPOND = "victor_api.api.payment_requests.respond_to_payment_request"


@dataclass(frozen=True, slots=True)
class Answering:
    """The intended response to an inbound request.

    Attributes:
        status: ACCEPTED or DECLINED.
        notes: The caller's notes.
        modified_amount: The amount to pay instead of the requested one, in dollars, or None.
        asked: The requested amount, in dollars, or None if the caller passed only an id.
    """

    status: Status
    notes: str
    modified_amount: Decimal | None = None
    asked: Decimal | None = None

    def differences(self, found: PaymentRequest) -> Collection[str] | None:
        """Return how the response in a record differs from this one; None if the record has no response.

        `status` is a different response. `word` (an unknown status), `notes` and `amount` may be this response or a
        different one. `unsaid` means that the record does not have the accepted amount.
        """
        given = found.response
        said = None if given is None else given.status
        status = _ANSWERS.get(found.status or "") if said is None else said
        if status is None:
            return None
        if status not in _ANSWERS.values():
            return ("word",)
        if status != self.status:
            return ("status",)
        notes = found.approval_notes
        same_notes = notes is None or notes.split() == self.notes.split()
        return (*(() if same_notes else ("notes",)), *self._difference_of_amount(given, found))

    def _difference_of_amount(self, given: PaymentRequestResponse | None, found: PaymentRequest) -> Collection[str]:
        modified = None if given is None else given.modified_amount
        originals = (self.asked, found.original_amount, None if given is None else given.original_amount)
        asked = {amount for amount in originals if amount is not None}
        paid = {amount for amount in (modified, found.amount) if amount is not None}
        if len(asked) > 1:
            return ("amount",)
        if self.modified_amount is not None:
            # The provider may or may not replace the request's own amount with the modified one.
            named = found.amount if modified is None else modified
            if named is None:
                return ("unsaid",)
            return () if named == self.modified_amount and paid <= {named, *asked} else ("amount",)
        if len(paid | asked) > 1:
            return ("amount",)
        return ("unsaid",) if modified is not None and not asked else ()


_ANSWERS: dict[str, Status] = {
    Status.ACCEPTED: Status.ACCEPTED,
    Status.COMPLETED: Status.ACCEPTED,
    Status.DECLINED: Status.DECLINED,
}


def respond(
    request: str | PaymentRequest,
    *,
    accept: bool,
    notes: str,
    modified_amount: money.Amount | None = None,
    left: Callable[[], float | None],
) -> OperationFlow[PaymentRequest]:
    """Respond to an inbound request once. If the outcome is uncertain, read the request and compare.

    `left` returns the seconds left of the deadline; the request is not read if none are left.
    """
    known = request if isinstance(request, PaymentRequest) else None
    request_id = request.id if isinstance(request, PaymentRequest) else request
    check_answer(
        request_id,
        notes=notes,
        modified_amount=modified_amount,
        asked=None if known is None else known.amount,
        may_be_modified=None if known is None else known.amount_modification_allowed,
        is_outbound=known is not None and known.direction is Direction.OUTBOUND,
        child_id=None if known is None else known.child_id,
    )
    amount = None if modified_amount is None else money.to_decimal(modified_amount)
    asked = None if known is None else known.amount if known.original_amount is None else known.original_amount
    meant = Answering(Status.ACCEPTED if accept else Status.DECLINED, notes, amount, asked)
    try:
        answered, attempts = yield from _send_answer(request_id, meant)
    except VictorError as error:
        if error.outcome not in (Outcome.UNKNOWN, Outcome.ACCEPTED):
            raise
        doubt = error
    else:
        differences = meant.differences(answered) or ()
        if "amount" in differences:
            raise _answered_otherwise(request_id, meant, answered, differences, attempts)
        if not {"status", "word", "unsaid"}.intersection(differences):
            return answered
        doubt = _answered_otherwise(request_id, meant, answered, differences, attempts)
    return (yield from _settle_answer(request_id, meant, doubt, left()))


def _send_answer(request_id: str, meant: Answering) -> OperationFlow[tuple[PaymentRequest, int]]:
    word = "Accepted" if meant.status is Status.ACCEPTED else "Declined"
    body = models.RfpInboundPaymentRequestResponseRequestDetails(
        **drop_none(
            status=models.RfpInboundPaymentRequestResponseRequestDetailsStatus(word),
            notes=meant.notes,
            modified_amount=None if meant.modified_amount is None else money.to_wire(meant.modified_amount),
        )
    )
    raw, attempts = yield from call_with_attempts(
        _RESPOND,
        models.RfpInboundPaymentRequestResponseDetails,
        victor_payment_request_id=request_id,
        body=body,
    )
    return PaymentRequest(raw), attempts


def _settle_answer(
    request_id: str, meant: Answering, doubt: VictorError, seconds: float | None
) -> OperationFlow[PaymentRequest]:
    """Read the request and compare its response with the intended one. The response is never sent again."""
    if seconds is not None and seconds <= 0:
        doubt.add_note("No time was left to read the request back.")
        raise doubt from None
    try:
        found = yield from get(request_id, seconds)
    except VictorError as error:
        doubt.add_note(f"Reading the request back failed as well: {error}")
        raise doubt from None
    if found.id and found.id.casefold() != request_id.casefold():
        doubt.add_note(f"What was read back is about another payment request, {one_line(found.id)}.")
        raise doubt from None
    if found.direction is Direction.OUTBOUND:
        raise Conflict(
            f"Payment request {request_id} is outbound: it asks somebody else, so its status is no answer of yours; "
            "nothing was changed by this call. Answer the inbound one (child_id of the outbound one).",
            outcome=Outcome.REJECTED,
            attempts=doubt.attempts,
            request_id=doubt.request_id,
        )
    differences = meant.differences(found)
    if differences is None:
        raise _unanswered(request_id, doubt) from None
    if not differences:
        return found
    # After a successful or conflicting response, the state of the request may be an effect of this call.
    was_taken = doubt.outcome is Outcome.ACCEPTED or isinstance(doubt, Conflict)
    if was_taken or "status" not in differences:
        raise _answered_otherwise(request_id, meant, found, differences, doubt.attempts, doubt.request_id)
    raise Conflict(
        f"Payment request {request_id} carries another answer ({one_line(found.status)}) than the one that was meant "
        f"({meant.status}): somebody else answered it. Nothing was changed by this call.",
        hint="Read it with get().",
        outcome=Outcome.REJECTED,
        attempts=doubt.attempts,
        request_id=doubt.request_id,
    )


def _unanswered(request_id: str, doubt: VictorError) -> VictorError:
    """Return the error for a request that has no response yet."""
    if doubt.outcome is Outcome.ACCEPTED:
        # An unreadable success is not a proof if the request shows no response.
        doubt = UnreadableResponse(
            f"The answer to payment request {request_id} was taken with status {doubt.status_code}, in words that "
            "cannot be read.",
            hint="It may have been done, and no key makes a repeat safe: look with payment_requests.get(id) before "
            "you repeat it.",
            outcome=Outcome.UNKNOWN,
            request=doubt.request,
            response=doubt.response,
            attempts=doubt.attempts,
            request_id=doubt.request_id,
        )
    doubt.add_note("The request was read back and shows no answer yet.")
    return doubt


def _answered_otherwise(
    request_id: str,
    meant: Answering,
    found: PaymentRequest,
    differences: Collection[str],
    attempts: int,
    exchange_id: str | None = None,
) -> Conflict:
    """Return the error for a request whose response may or may not be this call's."""
    others = {"status": "another answer", "word": "another answer", "notes": "other notes", "amount": "another amount"}
    what = " and ".join(others[difference] for difference in differences if difference in others)
    is_ = f"{one_line(found.status)} with {what} than was meant ({meant.status})"
    if "word" in differences and found.response is not None:
        is_ = f"answered with the word {one_line(found.response.status)!r}, where {meant.status} was meant"
    elif not what:
        amount = "what it asked for" if meant.modified_amount is None else meant.modified_amount
        is_ = f"{one_line(found.status)}, and nothing says for which amount ({amount} was meant)"
    return Conflict(
        f"Payment request {request_id} is {is_}: it may be this call's answer, or somebody else's.",
        hint="Read it with get() before you do anything else.",
        outcome=Outcome.UNKNOWN,
        attempts=attempts,
        request_id=exchange_id,
    )
