"""Each operation on payment requests, once: flows that neither block nor await.

A flow yields calls of generated functions and waits; the two faces in `payment_requests` run it, one with
blocking calls and one with awaited ones.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from . import money
from .records import PaymentRequest, Status
from .rules import as_date, check_create, check_id, spelled
from .runtime.calls import Flow, call
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
    fit_to_show,
    printable,
)
from .runtime.flow import Sleep
from .runtime.keys import new_key
from .runtime.outcome import Outcome

if TYPE_CHECKING:
    from victor_api.models import ListPaymentRequestsResponse


_OPERATIONS = "victor_api.api.payment_requests"


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
            **only_given(account_number=payee_account_number, ultimate_creditor=ultimate_creditor)
        ),
        payer=RfpPayerDetails(victor_counterparty_id=payer_counterparty_id),
        payment_details=RfpBasePaymentDetails(
            **only_given(
                amount=money.to_wire(amount),
                biller_type=RfpBasePaymentDetailsBillerType(spelled(biller_type)),
                due_date=due.isoformat(),
                amount_modification_allowed=amount_modification_allowed,
                notes=notes,
            )
        ),
        **only_given(client_reference_id=client_reference_id),
    )
    key = idempotency_key if idempotency_key is not None else new_key()
    # Not as the model that came, which shows the accounts in it to whoever reports the locals of an error.
    made = PaymentRequest(
        (yield from call_operation("create_request_payment", PaymentRequestReceipt, body=body, idempotency_key=key)),
        key,
    )
    _check_made(made, money.to_decimal(amount), client_reference_id)
    return made


def _check_made(made: PaymentRequest, amount: Decimal, reference: str | None) -> None:
    """Raises `Conflict` when the answer is about another payment: some providers replay whatever a key first made."""
    theirs = made.client_reference_id
    other_reference = reference is not None and theirs is not None and theirs.strip() != reference.strip()
    found = made.amount if made.original_amount is None else made.original_amount
    if not other_reference and found in (None, amount):
        return
    what = f"the reference '{printable(theirs)}'" if other_reference else f"the amount {printable(found)}"
    raise Conflict(
        f"The provider answered with payment request {printable(made.id)}, which has {what}: idempotency_key="
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

    found = PaymentRequest(  # not as the model that came, as above
        (
            yield from call_operation(
                "get_payment_request", GetPaymentRequestResponse, seconds, victor_payment_request_id=request_id
            )
        )
    )
    if not found.id and found.status is None:
        raise UnreadableResponse(
            f"The answer to get({request_id!r}) is no payment request: it has neither an id nor a status.",
            outcome=Outcome.ACCEPTED,
        )
    return found


def read_page(page: int, page_size: int | None, filters: dict[str, Any]) -> Flow[ListPaymentRequestsResponse]:
    """Read one page of the list."""
    from victor_api.models import ListPaymentRequestsResponse  # noqa: PLC0415 - see `Call.module`

    read: ListPaymentRequestsResponse = yield from call_operation(
        "list_payment_requests",
        ListPaymentRequestsResponse,
        page=page,
        **only_given(page_size=page_size),
        **filters,
    )
    return read


# The way of a request that is paid. A later status includes the earlier ones.
_WAY = (Status.CREATED, Status.PENDING, Status.PROCESSING, Status.ACCEPTED, Status.COMPLETED)
_FIRST_POLL = 0.5
_LONGEST_POLL = 15.0
_LEAST_READ = 1.0
"""Seconds that the last read gets, however little is left: it is the one that may find the status reached."""
_PASSING = (ConnectionFailed, TimedOut, ServerError, RateLimited, UnreadableResponse)


def wait(
    request_id: str,
    *,
    until: Collection[str] | None,
    timeout: float,
    deadline: float | None,
    monotonic: Callable[[], float],
) -> Flow[PaymentRequest]:
    """Read a request now and again until it is where it is waited for.

    No read lasts longer than what is left of the `timeout`, nor than the client's `deadline`. A `timeout` of zero is
    one read, which has all of the deadline.
    """
    ends = monotonic() + timeout
    pause = _FIRST_POLL
    last: PaymentRequest | None = None
    trouble: PaymentApiError | None = None
    while True:
        left = max(ends - monotonic(), _LEAST_READ)
        bounded = timeout > 0 and (deadline is None or left < deadline)
        try:
            last = yield from get(request_id, left if bounded else None)
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
    reason = f" ({fit_to_show(request.error_message)})" if request.error_message else ""
    return Conflict(
        f"Payment request {request_id} ended as {printable(request.status)}{reason}, so it can no longer become "
        f"{' or '.join(until)}.",
        outcome=Outcome.REJECTED,
    )


def _waited_in_vain(
    request_id: str, last: PaymentRequest | None, until: Collection[str] | None, timeout: float
) -> TimedOut:
    wanted = "a final status" if until is None else " or ".join(until)
    seen = "it could not be read" if last is None else f"it is {printable(last.status)}"
    return TimedOut(
        f"Payment request {request_id} did not reach {wanted} within {timeout:g} s: {seen}. Wait again, or read it "
        "with get().",
        outcome=Outcome.UNKNOWN,
    )


def wanted_statuses(until: str | Collection[str] | None) -> Collection[str] | None:
    """Check and spell what `wait` is to wait for. Raises `InvalidRequest`."""
    if until is None:
        return None
    wanted = list(until) if isinstance(until, Collection) and not isinstance(until, str) else [until]
    known = [status.value for status in Status]
    unknown = [word for word in wanted if spelled(word) not in known]
    if unknown or not wanted:
        message = f"until is {until!r} and must be one or more of: {', '.join(known)}."
        raise InvalidRequest.of([Problem("until", "choice", message)])
    return [Status(spelled(word)) for word in wanted]


def call_operation(operation: str, model: Any, seconds: float | None = None, /, **arguments: Any) -> Flow[Any]:
    """Call a generated operation by the name of its module; its answer as a `model`."""
    return call(f"{_OPERATIONS}.{operation}", model, seconds, **arguments)


def list_arguments(wire: dict[str, str]) -> dict[str, Any]:
    """Checked filters as the generated function takes them: enumerated ones as its own enum members."""
    from victor_api import models  # noqa: PLC0415 - see `Call.module`

    members: dict[str, Any] = {
        "status": models.ListPaymentRequestsStatus,
        "direction": models.ListPaymentRequestsDirection,
        "network_type": models.ListPaymentRequestsNetworkType,
    }
    return {name: members[name](value) if name in members else value for name, value in wire.items()}


def only_given(**values: Any) -> dict[str, Any]:
    """Only the values that were given: an argument left out is left out on the wire."""
    return {name: value for name, value in values.items() if value is not None}


def items_of(page: ListPaymentRequestsResponse) -> Sequence[PaymentRequest]:
    """The records of one page. A page without `results` is empty; what is no page was refused before it came here."""
    results = page.results
    return [PaymentRequest(raw) for raw in results] if isinstance(results, list) else ()


def content_of(request: PaymentRequest) -> str:
    """Everything that was sent of a request, as text; the same text for all that is nested too deeply to write."""
    try:
        return json.dumps(request.raw.to_dict())
    except RecursionError:
        return ""
