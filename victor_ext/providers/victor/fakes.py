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
from victor_ext.runtime.client.runners import drop_none
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
    "created_at": "payment_request.created_at",
    "approved_at": "payment_request.approved_at",
    "amount": f"{_DETAILS}.amount",
    "original_amount": f"{_DETAILS}.original_amount",
    "due_date": f"{_DETAILS}.due_date",
    "biller_type": f"{_DETAILS}.biller_type",
    "amount_modification_allowed": f"{_DETAILS}.amount_modification_allowed",
    "notes": f"{_DETAILS}.notes",
    "approval_notes": f"{_DETAILS}.approval_notes",
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
    values: dict[str, Any] = drop_none(**{**_DEFAULTS, **fields})
    checks = {"due_date": date_problem, "created_at": moment_problem, "approved_at": moment_problem}
    problems: list[Problem] = []
    for name, check in checks.items():
        problem = check(name, values[name]) if name in values else None
        if problem is not None:
            problems.append(problem)
    if problems:
        raise InvalidRequest.of(problems)
    _check_amounts(fields.get("amount"), values.get("response"))
    wire: dict[str, Any] = {"payment_request": {"payment_details": {}}}
    for name, value in values.items():
        *parts, member = _PLACES.get(name, name).split(".")
        holder = wire
        for part in parts:
            holder = holder[part]
        holder[member] = _sent(name, value)
    return wire


def _check_amounts(amount: Any, response: Any) -> None:
    """Raises `InvalidRequest`: the response modifies the amount to another one."""
    if amount is None or response is None or response.status == Status.DECLINED:
        return
    modified = response.modified_amount
    if modified is not None and money.to_decimal(amount) != modified:
        message = (
            f"amount is {amount}, and the response has modified_amount {modified}: "
            "leave amount out."
        )
        raise InvalidRequest.of([Problem("amount", "combination", message)])


def _sent(name: str, value: Any) -> Any:
    if isinstance(value, Payee | Payer | PaymentRequestResponse):
        sent: dict[str, Any] = {}
        for part, own in members_of(value).items():
            name_sent = "victor_counterparty_id" if part == "counterparty_id" else part
            sent[name_sent] = _sent(part, own)
        return sent
    if isinstance(value, datetime):
        return value.timestamp()
    if name in _AMOUNTS:
        return str(money.to_decimal(value))
    return str(value) if isinstance(value, date) else value
