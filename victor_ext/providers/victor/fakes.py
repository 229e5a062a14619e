"""The JSON of payment requests for tests, made from the attributes of a record.

`records` reads attributes from the JSON; here it is the reverse.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, TypedDict

from victor_ext import money
from victor_ext.errors import InvalidRequest, Problem
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
"""Where an attribute stands in the JSON. An attribute that is not here is the member of that name.
"""
_AMOUNTS = {"amount", "original_amount", "modified_amount"}


def fake_json(fields: FakeFields) -> dict[str, Any]:
    """The JSON of a request with these attributes, without `idempotency_key`; the others have their
    defaults.

    Raises `TypeError` (there is no such attribute) and `InvalidRequest`.
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
    json: dict[str, Any] = {"payment_request": {"payment_details": {}}}
    for name, value in values.items():
        *parts, member = _PLACES.get(name, name).split(".")
        holder = json
        for part in parts:
            holder = holder[part]
        holder[member] = _json_value(name, value)
    return json


def _check_amounts(amount: Any, response: Any) -> None:
    """Raises `InvalidRequest`: the amount is not the one that the response has modified it to."""
    if amount is None or response is None or response.status == Status.DECLINED:
        return
    modified = response.modified_amount
    if modified is not None and money.to_decimal(amount) != modified:
        message = (
            f"amount is {amount}, and the response has modified_amount {modified}: "
            "leave amount out."
        )
        raise InvalidRequest.of([Problem("amount", "combination", message)])


def _json_value(name: str, value: Any) -> Any:
    """The value of an attribute as the provider writes it."""
    if isinstance(value, Payee | Payer | PaymentRequestResponse):
        members: dict[str, Any] = {}
        for part in value.__struct_fields__:
            part_value = getattr(value, part)
            if part_value is None:
                continue
            wire_name = "victor_counterparty_id" if part == "counterparty_id" else part
            members[wire_name] = _json_value(part, part_value)
        return members
    if isinstance(value, datetime):
        return value.timestamp()
    if name in _AMOUNTS:
        return str(money.to_decimal(value))
    return str(value) if isinstance(value, date) else value
