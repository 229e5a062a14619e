"""Payment requests for tests, made from the attributes of a record: the way of `records` in
reverse.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, TypedDict

from victor_ext import money
from victor_ext.errors import InvalidRequest, Problem
from victor_ext.runtime.client.resources import members_of
from victor_ext.runtime.core.validation import date_problem, moment_problem

from .statuses import CHILD_ID, ID, PARENT_ID, Payee, Payer, PaymentRequestResponse, Status


class FakeFields(TypedDict, total=False):
    """The attributes of a payment request that a test can set.

    None: the provider did not send it.
    """

    id: str
    status: str | None
    direction: str | None
    network: str | None
    amount: Decimal | str | int | None
    original_amount: Decimal | str | int | None
    due_date: date | str | None
    created_at: datetime | None
    approved_at: datetime | None
    payee: Payee | None
    payer: Payer | None
    biller_type: str | None
    amount_modification_allowed: bool | None
    notes: str | None
    approval_notes: str | None
    client_reference_id: str | None
    parent_id: str | None
    child_id: str | None
    error_message: str | None
    response: PaymentRequestResponse | None
    idempotency_key: str | None


_DEFAULTS: FakeFields = {
    "id": "FAKE000001",
    "status": "pending",
    "direction": "outbound",
    "network": "RTP",
    "amount": "44.23",
    "due_date": date(2026, 3, 4),
    "created_at": datetime(2026, 3, 3, 12, tzinfo=UTC),
    "payee": Payee("043987673645", None),
    "payer": Payer("aHeq349838", None, None, None),
    "biller_type": "BUSINESS",
}


_DETAILS = "payment_request.payment_details"
_PLACES = {
    "id": ID,
    "payee": "payment_request.payee",
    "payer": "payment_request.payer",
    "network": "payment_network",
    "parent_id": PARENT_ID,
    "child_id": CHILD_ID,
    "response": "payment_request.payment_request_response",
    **{name: f"payment_request.{name}" for name in ("created_at", "approved_at")},
    **{
        name: f"{_DETAILS}.{name}"
        for name in ("amount", "original_amount", "due_date", "biller_type")
    },
    **{
        name: f"{_DETAILS}.{name}"
        for name in ("amount_modification_allowed", "notes", "approval_notes")
    },
}
"""Where an attribute stands in the JSON; others have the name of a member of its own."""
_AMOUNTS = {"amount", "original_amount", "modified_amount"}


def fake_json(fields: FakeFields) -> dict[str, Any]:
    """The JSON of a request with these attributes and the defaults of the others, but for its
    key.
    """
    unknown = sorted(fields.keys() - FakeFields.__annotations__.keys())
    if unknown:
        known = ", ".join(FakeFields.__annotations__)
        raise TypeError(
            f"PaymentRequest.fake has no attribute {', '.join(unknown)}; those it has are {known}"
        )
    given: dict[str, Any] = {
        name: value for name, value in {**_DEFAULTS, **fields}.items() if value is not None
    }
    checks = {"due_date": date_problem, "created_at": moment_problem, "approved_at": moment_problem}
    problems = [check(name, given[name]) for name, check in checks.items() if name in given]
    if any(problems):
        raise InvalidRequest.of([problem for problem in problems if problem is not None])
    response = given.get("response")
    modified = (
        None if response is None or response.status == Status.DECLINED else response.modified_amount
    )
    if (
        modified is not None
        and fields.get("amount") is not None
        and money.to_decimal(given["amount"]) != modified
    ):
        message = (
            f"amount is {given['amount']}, and the response has modified_amount {modified}: "
            "leave amount out."
        )
        raise InvalidRequest.of([Problem("amount", "combination", message)])
    wire: dict[str, Any] = {"payment_request": {"payment_details": {}}}
    for name, value in given.items():
        *parts, member = _PLACES.get(name, name).split(".")
        holder = wire
        for part in parts:
            holder = holder[part]
        holder[member] = _sent(name, value)
    return wire


def _sent(name: str, value: Any) -> Any:
    if isinstance(value, Payee | Payer | PaymentRequestResponse):
        names = {"counterparty_id": "victor_counterparty_id"}
        return {
            names.get(part, part): _sent(part, each) for part, each in members_of(value).items()
        }
    if isinstance(value, datetime):
        return value.timestamp()
    return (
        str(money.to_decimal(value))
        if name in _AMOUNTS
        else str(value)
        if isinstance(value, date)
        else value
    )
