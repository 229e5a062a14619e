"""Payment requests for tests, made from the attributes of a record: the way of `records` in reverse."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, TypedDict

from victor_api import models

from victor_ext import money
from victor_ext.errors import InvalidRequest, Problem
from victor_ext.runtime.client.resources import members_of
from victor_ext.runtime.client.runners import drop_none
from victor_ext.runtime.core.validation import as_date, date_problem, moment_problem

from .statuses import Payee, Payer, PaymentRequestResponse, Status


class FakeFields(TypedDict, total=False):
    """The attributes of a payment request that a test can set. None: the provider did not send it."""

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


def fake_model(fields: FakeFields) -> models.PaymentRequestReceipt | models.GetPaymentRequestResponse:
    """An item of a list with these attributes and the defaults of the others; with a `response`, an answer to `get`."""
    unknown = sorted(fields.keys() - FakeFields.__annotations__.keys())
    if unknown:
        known = ", ".join(FakeFields.__annotations__)
        raise TypeError(f"PaymentRequest.fake has no attribute {', '.join(unknown)}; those it has are {known}")
    given: dict[str, Any] = {**_DEFAULTS, **fields}
    checks = {"due_date": date_problem, "created_at": moment_problem, "approved_at": moment_problem}
    problems = [check(name, given[name]) for name, check in checks.items() if given.get(name) is not None]
    if any(problems):
        raise InvalidRequest.of([problem for problem in problems if problem is not None])
    payee, payer, due_date, response = (given.get(name) for name in ("payee", "payer", "due_date", "response"))
    modified = None if response is None or response.status == Status.DECLINED else response.modified_amount
    if modified is not None and fields.get("amount") is not None and money.to_decimal(given["amount"]) != modified:
        message = f"amount is {given['amount']}, and the response has modified_amount {modified}: leave amount out."
        raise InvalidRequest.of([Problem("amount", "combination", message)])
    details = drop_none(
        due_date=due_date and str(as_date(due_date)),
        **_with_text(given, "amount", "original_amount"),
        **{name: given.get(name) for name in ("biller_type", "amount_modification_allowed", "notes", "approval_notes")},
    )
    request = drop_none(
        payee=payee and members_of(payee),
        payer=payer and drop_none(victor_counterparty_id=payer.counterparty_id, **members_of(payer, "counterparty_id")),
        payment_details=details,
        payment_request_response=response
        and {**members_of(response), **_with_text(members_of(response), "original_amount", "modified_amount")},
        **{name: given[name].timestamp() for name in ("created_at", "approved_at") if given.get(name) is not None},
    )
    wire = drop_none(
        victor_payment_request_id=given.get("id"),
        payment_network=given.get("network"),
        victor_payment_request_parent_id=given.get("parent_id"),
        victor_payment_request_child_id=given.get("child_id"),
        payment_request=request,
        **{name: given.get(name) for name in ("status", "direction", "client_reference_id", "error_message")},
    )
    # A list has no responses.
    model = models.PaymentRequestReceipt if response is None else models.GetPaymentRequestResponse
    return model.from_dict(wire)


def _with_text(values: dict[str, Any], *names: str) -> dict[str, str]:
    return {name: str(money.to_decimal(values[name])) for name in names if values.get(name) is not None}
