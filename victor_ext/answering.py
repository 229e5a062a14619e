"""Answering a request that we are asked to pay: sent once, and looked at when in doubt, for it has no key."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from decimal import Decimal

from . import money
from .operations import call_operation, get
from .records import Direction, PaymentRequest, PaymentRequestResponse, Status
from .rules import check_answer
from .runtime.calls import Flow, only_given
from .runtime.errors import Conflict, PaymentApiError, UnreadableResponse, printable
from .runtime.outcome import Outcome


@dataclass(frozen=True, slots=True)
class Answering:
    """What an answer to an inbound request is meant to say."""

    status: Status
    notes: str
    modified_amount: Decimal | None = None

    def differences(self, found: PaymentRequest) -> Collection[str] | None:
        """In what the answer that a request carries is not the one that was meant; None when it carries none.

        `status` means that it is another answer. `word`, `notes` and `amount` leave it open whose it is: the
        provider may have written it in its own way, or somebody else may have given it.
        """
        given = found.response
        if given is None or given.status is None:
            status = _ANSWERS.get(found.status or "")
            return None if status is None else () if status is self.status else ("status",)
        if given.status not in _ANSWERS.values():
            return ("word",)
        if given.status != self.status:
            return ("status",)
        same_notes = given.notes is None or given.notes.split() == self.notes.split()
        return (*(() if same_notes else ("notes",)), *(() if self._same_amount(given, found) else ("amount",)))

    def _same_amount(self, given: PaymentRequestResponse, found: PaymentRequest) -> bool:
        asked, paid = given.original_amount, given.modified_amount
        if self.modified_amount is None:
            return paid is None or asked in (None, paid)
        # Without a modified amount it was accepted as it was asked for.
        agreed = next((amount for amount in (paid, asked, found.amount) if amount is not None), None)
        return agreed in (None, self.modified_amount)


_ANSWERS: dict[str, Status] = {
    Status.ACCEPTED: Status.ACCEPTED,
    Status.COMPLETED: Status.ACCEPTED,
    Status.DECLINED: Status.DECLINED,
}


def respond(
    request_id: str,
    *,
    accept: bool,
    notes: str,
    modified_amount: money.Amount | None = None,
    left: Callable[[], float | None],
) -> Flow[PaymentRequest]:
    """Answer an inbound request, once; when that is in doubt, read it back and compare.

    To the caller both are one call: the look gets what is `left` of the deadline, and there is none without it.
    """
    check_answer(request_id, notes=notes, modified_amount=modified_amount)
    amount = None if modified_amount is None else money.to_decimal(modified_amount)
    meant = Answering(Status.ACCEPTED if accept else Status.DECLINED, notes, amount)
    try:
        answered = yield from _send_answer(request_id, meant)
    except PaymentApiError as error:
        if error.outcome not in (Outcome.UNKNOWN, Outcome.ACCEPTED):
            raise
        doubt = error
    else:
        differences = meant.differences(answered) or ()
        if "status" in differences or "amount" in differences:
            raise _answered_otherwise(request_id, meant, answered, differences)
        return answered
    return (yield from _settle_answer(request_id, meant, doubt, left()))


def _send_answer(request_id: str, meant: Answering) -> Flow[PaymentRequest]:
    from victor_api.models import (  # noqa: PLC0415 - see `Call.module`
        RfpInboundPaymentRequestResponseDetails,
        RfpInboundPaymentRequestResponseRequestDetails,
        RfpInboundPaymentRequestResponseRequestDetailsStatus,
    )

    word = "Accepted" if meant.status is Status.ACCEPTED else "Declined"
    body = RfpInboundPaymentRequestResponseRequestDetails(
        **only_given(
            status=RfpInboundPaymentRequestResponseRequestDetailsStatus(word),
            notes=meant.notes,
            modified_amount=None if meant.modified_amount is None else money.spell(meant.modified_amount),
        )
    )
    raw = yield from call_operation(
        "respond_to_payment_request",
        RfpInboundPaymentRequestResponseDetails,
        victor_payment_request_id=request_id,
        body=body,
    )
    return PaymentRequest(raw)


def _settle_answer(
    request_id: str, meant: Answering, doubt: PaymentApiError, seconds: float | None
) -> Flow[PaymentRequest]:
    """Look whether the answer arrived. It is never sent again by itself: it moves money, and has no key."""
    if seconds is not None and seconds <= 0:
        doubt.add_note("No time was left to read the request back.")
        raise doubt from None
    try:
        found = yield from get(request_id, seconds)
    except PaymentApiError as error:
        doubt.add_note(f"Reading the request back failed as well: {error}")
        raise doubt from None
    if found.id and found.id.casefold() != request_id.casefold():
        doubt.add_note(f"What was read back is about another payment request, {printable(found.id)}.")
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
    if "status" not in differences:
        raise _answered_otherwise(request_id, meant, found, differences, doubt)
    raise Conflict(
        f"Payment request {request_id} carries another answer ({printable(found.status)}) than the one that was meant "
        f"({meant.status}): somebody else answered it. Nothing was changed by this call; read it with get().",
        outcome=Outcome.REJECTED,
        attempts=doubt.attempts,
        request_id=doubt.request_id,
    )


def _unanswered(request_id: str, doubt: PaymentApiError) -> PaymentApiError:
    """What is left to say when the request shows no answer."""
    if doubt.outcome is Outcome.ACCEPTED:
        # A good status that nobody can read, and nothing to be seen of the work: that is no proof that it was done.
        doubt = UnreadableResponse(
            f"The answer to payment request {request_id} was taken with status {doubt.status_code}, in words that "
            "cannot be read. It may have been done, and no key makes a repeat safe: look with "
            "payment_requests.get(id) before you repeat it.",
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
    doubt: PaymentApiError | None = None,
) -> Conflict:
    """The request carries an answer that this call may have given, or not."""
    others = {"status": "another answer", "word": "another answer", "notes": "other notes", "amount": "another amount"}
    what = " and ".join(others[difference] for difference in differences)
    return Conflict(
        f"Payment request {request_id} is {printable(found.status)} with {what} than was meant ({meant.status}): it "
        "may be this call's answer, or somebody else's. Read it with get() before you do anything else.",
        outcome=Outcome.UNKNOWN,
        attempts=1 if doubt is None else doubt.attempts,
        request_id=None if doubt is None else doubt.request_id,
    )
