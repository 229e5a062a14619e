"""Each operation on payment requests, once: flows that neither block nor await.

A flow yields calls of generated functions and waits; the two faces in `payment_requests` run it, one with
blocking calls and one with awaited ones.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from . import money
from .records import PaymentRequest, Status
from .rules import as_date, check_create, check_id, spelled
from .runtime.calls import Flow, call, only_given
from .runtime.errors import (
    Conflict,
    InvalidRequest,
    Problem,
    UnreadableResponse,
    fit_to_show,
    printable,
)
from .runtime.keys import new_key
from .runtime.outcome import Outcome
from .runtime.waiting import checked_seconds, wait_until

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


# The way of a request that is paid. A later status includes the earlier ones.
_WAY = (Status.CREATED, Status.PENDING, Status.PROCESSING, Status.ACCEPTED, Status.COMPLETED)


def wait(
    request_id: str,
    *,
    until: str | Collection[str] | None,
    timeout: float,
    deadline: float | None,
    monotonic: Callable[[], float],
) -> Flow[PaymentRequest]:
    """Read a request now and again until it is where it is waited for."""
    statuses, seconds = wanted_statuses(until), checked_seconds(timeout)
    wanted = "a final status" if statuses is None else " or ".join(statuses)

    def there(request: PaymentRequest) -> bool:
        if _has_reached(request, statuses):
            return True
        if request.is_terminal:
            raise _ended_otherwise(request, request_id, statuses or ())
        return False

    def in_vain(seen: str) -> str:
        return (
            f"Payment request {request_id} did not reach {wanted} within {timeout:g} s: {seen}. Wait again, or read it "
            "with get()."
        )

    return (
        yield from wait_until(
            lambda left: get(request_id, left), there, in_vain, timeout=seconds, deadline=deadline,
            monotonic=monotonic, shown=lambda request: printable(request.status),
        )
    )  # fmt: skip


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
