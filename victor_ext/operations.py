"""Each operation on payment requests, once: flows that neither block nor await.

A flow yields calls of generated functions and waits; the two faces in `payment_requests` run it, one with
blocking calls and one with awaited ones.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Collection, Generator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeVar

from . import money
from .records import PaymentRequest, PaymentRequestResponse, Status
from .rules import as_date, check_answer, check_create, check_id, spelled
from .runtime.errors import (
    Conflict,
    ConnectionFailed,
    InvalidRequest,
    PaymentApiError,
    Problem,
    RateLimited,
    ServerError,
    TimedOut,
    UnreadableResponse,
)
from .runtime.flow import Sleep
from .runtime.keys import new_key
from .runtime.outcome import Outcome

if TYPE_CHECKING:
    from victor_api.models import ListPaymentRequestsResponse

T = TypeVar("T")


class Call:
    """Call a generated operation, by the name of its module, with these arguments.

    `seconds` is what the call may take where it is a part of a longer one; None leaves it the client's deadline.
    """

    __slots__ = ("arguments", "operation", "seconds")

    def __init__(self, operation: str, arguments: dict[str, Any], seconds: float | None = None) -> None:
        self.operation = operation
        self.arguments = arguments
        self.seconds = seconds

    @property
    def module(self) -> ModuleType:
        """The generated module: it has `sync_detailed` and `asyncio_detailed`."""
        # Loaded when first called: whoever only imports the package does not pay for the models.
        return importlib.import_module(f"victor_api.api.payment_requests.{self.operation}")


Flow = Generator[Call | Sleep, Any, T]


def create(
    *,
    payee_account_number: str,
    payer_counterparty_id: str,
    amount: money.Amount,
    biller_type: str,
    due_date: date | str,
    ultimate_creditor: str | None,
    amount_modification_allowed: bool | None,
    notes: str | None,
    client_reference_id: str | None,
    idempotency_key: str | None,
    now: datetime,
) -> Flow[PaymentRequest]:
    """Check, build the generated model, send it with a key."""
    check_create(
        payee_account_number=payee_account_number,
        payer_counterparty_id=payer_counterparty_id,
        amount=amount,
        biller_type=biller_type,
        due_date=due_date,
        ultimate_creditor=ultimate_creditor,
        amount_modification_allowed=amount_modification_allowed,
        notes=notes,
        client_reference_id=client_reference_id,
        idempotency_key=idempotency_key,
        now=now,
    )
    from victor_api.models import (  # noqa: PLC0415 - see `Call.module`
        NewRtpRfpPaymentRequest,
        PaymentRequestReceipt,
        RfpBasePaymentDetails,
        RfpBasePaymentDetailsBillerType,
        RfpPayeeRequestDetails,
        RfpPayerDetails,
    )

    due = as_date(due_date)
    assert due is not None  # noqa: S101 - it has been checked
    body = NewRtpRfpPaymentRequest(
        payee=RfpPayeeRequestDetails(
            **_given(account_number=payee_account_number, ultimate_creditor=ultimate_creditor)
        ),
        payer=RfpPayerDetails(victor_counterparty_id=payer_counterparty_id),
        payment_details=RfpBasePaymentDetails(
            **_given(
                amount=money.to_wire(amount),
                biller_type=RfpBasePaymentDetailsBillerType(spelled(biller_type)),
                due_date=due.isoformat(),
                amount_modification_allowed=amount_modification_allowed,
                notes=notes,
            )
        ),
        **_given(client_reference_id=client_reference_id),
    )
    key = idempotency_key if idempotency_key is not None else new_key()
    raw = yield from _call("create_request_payment", PaymentRequestReceipt, body=body, idempotency_key=key)
    made = PaymentRequest(raw, key)
    _check_made(made, money.to_decimal(amount), client_reference_id)
    return made


def _check_made(made: PaymentRequest, amount: Decimal, reference: str | None) -> None:
    """Raises `Conflict` when the answer is about another payment: some providers replay whatever a key first made."""
    theirs = made.client_reference_id
    other_reference = reference is not None and theirs is not None and theirs.strip() != reference.strip()
    found = made.amount if made.original_amount is None else made.original_amount
    if not other_reference and found in (None, amount):
        return
    what = f"the reference {theirs!r}" if other_reference else f"the amount {found}"
    raise Conflict(
        f"The provider answered with payment request {made.id}, which has {what}: idempotency_key="
        f"{made.idempotency_key!r} seems to have been used for another payment before. Read it with get(), and look "
        "with payment_requests.find(client_reference_id, start_datetime=...); then use a key of this payment's own.",
        outcome=Outcome.UNKNOWN,
        idempotency_key=made.idempotency_key,
        attempts=1,
    )


def get(request_id: str, seconds: float | None = None) -> Flow[PaymentRequest]:
    """Read one payment request, within so many seconds."""
    check_id(request_id)
    from victor_api.models import GetPaymentRequestResponse  # noqa: PLC0415 - see `Call.module`

    raw = yield from _call(
        "get_payment_request", GetPaymentRequestResponse, seconds, victor_payment_request_id=request_id
    )
    return PaymentRequest(raw)


def read_page(page: int, page_size: int | None, filters: dict[str, Any]) -> Flow[ListPaymentRequestsResponse]:
    """Read one page of the list."""
    from victor_api.models import ListPaymentRequestsResponse  # noqa: PLC0415 - see `Call.module`

    read: ListPaymentRequestsResponse = yield from _call(
        "list_payment_requests",
        ListPaymentRequestsResponse,
        page=page,
        **_given(page_size=page_size),
        **filters,
    )
    return read


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
        return (*(() if same_notes else ("notes",)), *(() if self._same_amount(given) else ("amount",)))

    def _same_amount(self, given: PaymentRequestResponse) -> bool:
        meant, paid = self.modified_amount, given.modified_amount
        if paid is None:
            return True
        return paid == meant if meant is not None else given.original_amount in (None, paid)


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
        **_given(
            status=RfpInboundPaymentRequestResponseRequestDetailsStatus(word),
            notes=meant.notes,
            modified_amount=None if meant.modified_amount is None else money.spell(meant.modified_amount),
        )
    )
    raw = yield from _call(
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
    differences = meant.differences(found)
    if differences is None:
        raise _unanswered(request_id, doubt) from None
    if not differences:
        return found
    if "status" not in differences:
        raise _answered_otherwise(request_id, meant, found, differences, doubt)
    raise Conflict(
        f"Payment request {request_id} carries another answer ({found.status}) than the one that was meant "
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
        f"Payment request {request_id} is {found.status} with {what} than was meant ({meant.status}): it may "
        "be this call's answer, or somebody else's. Read it with get() before you do anything else.",
        outcome=Outcome.UNKNOWN,
        attempts=1 if doubt is None else doubt.attempts,
        request_id=None if doubt is None else doubt.request_id,
    )


# The way of a request that is paid. A later status includes the earlier ones.
_WAY = (Status.CREATED, Status.PENDING, Status.PROCESSING, Status.ACCEPTED, Status.COMPLETED)
_FIRST_POLL = 0.5
_LONGEST_POLL = 15.0
_PASSING = (ConnectionFailed, TimedOut, ServerError, RateLimited, UnreadableResponse)


def wait(
    request_id: str, *, until: Collection[str] | None, timeout: float, monotonic: Callable[[], float]
) -> Flow[PaymentRequest]:
    """Read a request now and again until it is where it is waited for."""
    ends = monotonic() + timeout
    pause = _FIRST_POLL
    last: PaymentRequest | None = None
    trouble: PaymentApiError | None = None
    while True:
        try:
            last = yield from get(request_id)
        except _PASSING as error:
            trouble = error
        else:
            trouble = None
            if _has_reached(last, until):
                return last
            if last.is_terminal:
                raise _ended_otherwise(last, request_id, until or ())
        left = ends - monotonic()
        if left <= 0:
            raise _waited_in_vain(request_id, last, until, timeout) from trouble
        asked = trouble.retry_after if trouble is not None else None
        yield Sleep(min(max(pause, asked or 0.0), left))
        pause = min(pause * 1.5, _LONGEST_POLL)


def _has_reached(request: PaymentRequest, until: Collection[str] | None) -> bool:
    status = request.status
    if until is None:
        return request.is_terminal
    if status in until:
        return True
    if status not in _WAY:
        return False
    return any(wanted in _WAY and _WAY.index(Status(status)) > _WAY.index(Status(wanted)) for wanted in until)


def _ended_otherwise(request: PaymentRequest, request_id: str, until: Collection[str]) -> Conflict:
    reason = f" ({request.error_message})" if request.error_message else ""
    return Conflict(
        f"Payment request {request_id} ended as {request.status}{reason}, so it can no longer become "
        f"{' or '.join(until)}.",
        outcome=Outcome.REJECTED,
    )


def _waited_in_vain(
    request_id: str, last: PaymentRequest | None, until: Collection[str] | None, timeout: float
) -> TimedOut:
    wanted = "a final status" if until is None else " or ".join(until)
    seen = "it could not be read" if last is None else f"it is {last.status}"
    return TimedOut(
        f"Payment request {request_id} did not reach {wanted} within {timeout:g} s: {seen}. Wait again, or read it "
        "with get().",
        outcome=Outcome.UNKNOWN,
    )


def wanted_statuses(until: str | Collection[str] | None) -> Collection[str] | None:
    """Check and spell what `wait` is to wait for. Raises `InvalidRequest`."""
    if until is None:
        return None
    wanted = [until] if isinstance(until, str) else list(until)
    known = [status.value for status in Status]
    unknown = [word for word in wanted if spelled(word) not in known]
    if unknown or not wanted:
        message = f"until is {until!r} and must be one or more of: {', '.join(known)}."
        raise InvalidRequest.of([Problem("until", "choice", message)])
    return [Status(spelled(word)) for word in wanted]


def _call(operation: str, model: Any, seconds: float | None = None, **arguments: Any) -> Flow[Any]:
    """Call a generated operation; its answer as the model that the document promises for a good one."""
    from victor_api.errors import UnexpectedStatus, UnreadableBody  # noqa: PLC0415 - see `Call.module`

    try:
        response = yield Call(operation, arguments, seconds)
    except UnexpectedStatus as error:
        # A good status that the document does not list; the transport has seen that the body is an object.
        return model.from_dict(json.loads(error.content))
    except UnreadableBody as error:
        unreadable = str(error)
    else:
        return response.parsed
    raise UnreadableResponse(f"The answer was accepted and cannot be read: {unreadable}", outcome=Outcome.ACCEPTED)


def list_arguments(wire: dict[str, str]) -> dict[str, Any]:
    """Checked filters as the generated function takes them: enumerated ones as its own enum members."""
    from victor_api import models  # noqa: PLC0415 - see `Call.module`

    members: dict[str, Any] = {
        "status": models.ListPaymentRequestsStatus,
        "direction": models.ListPaymentRequestsDirection,
        "network_type": models.ListPaymentRequestsNetworkType,
    }
    return {name: members[name](value) if name in members else value for name, value in wire.items()}


def _given(**values: Any) -> dict[str, Any]:
    """Only the values that were given: an argument left out is left out on the wire."""
    return {name: value for name, value in values.items() if value is not None}


def items_of(page: ListPaymentRequestsResponse) -> Sequence[PaymentRequest]:
    """The records of one page. A page without `results` is empty.

    Raises:
        UnreadableResponse: `results` is there and is no list: taking that for the end would lose requests.
    """
    results = page.results
    if isinstance(results, list):
        return [PaymentRequest(raw) for raw in results]
    if page.additional_properties.get("results") is not None:
        raise UnreadableResponse("GET /v2/payment-requests: `results` of the answer is not a list.")
    return ()
