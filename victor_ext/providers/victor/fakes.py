"""Payment requests for tests, made from the attributes of a record: the way of `records` in reverse."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, TypedDict

from victor_api import models

from victor_ext import money
from victor_ext.errors import InvalidRequest, Problem
from victor_ext.runtime.core.validation import moment_problem

from .checks import as_date, date_problem
from .statuses import Payee, Payer, PaymentRequestResponse


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
    given: FakeFields = {**_DEFAULTS, **fields}
    moments = {name: _epoch(name, given.get(name)) for name in ("created_at", "approved_at")}
    details = {
        "amount": _amount(given.get("amount")),
        "original_amount": _amount(given.get("original_amount")),
        "due_date": _date("due_date", given.get("due_date")),
        **{name: given.get(name) for name in ("biller_type", "amount_modification_allowed", "notes", "approval_notes")},
    }
    request = {
        "payee": _payee(given.get("payee")),
        "payer": _payer(given.get("payer")),
        "payment_details": _sent(details),
        "payment_request_response": _response(given.get("response")),
        **moments,
    }
    wire = {
        "victor_payment_request_id": given.get("id"),
        "payment_network": given.get("network"),
        "victor_payment_request_parent_id": given.get("parent_id"),
        "victor_payment_request_child_id": given.get("child_id"),
        "payment_request": _sent(request),
        **{name: given.get(name) for name in ("status", "direction", "client_reference_id", "error_message")},
    }
    if given.get("response") is not None:
        return models.GetPaymentRequestResponse.from_dict(_sent(wire))  # a list has no responses
    return models.PaymentRequestReceipt.from_dict(_sent(wire))


def _sent(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _amount(value: Decimal | str | int | None) -> str | None:
    return None if value is None else str(money.to_decimal(value))


def _date(name: str, value: object) -> str | None:
    if value is None:
        return None
    _require(date_problem(name, value))
    return str(as_date(value))


def _epoch(name: str, moment: Any) -> float | None:
    if moment is None:
        return None
    _require(moment_problem(name, moment))
    return float(moment.timestamp())


def _require(problem: Problem | None) -> None:
    if problem is not None:
        raise InvalidRequest.of([problem])


def _payee(payee: Payee | None) -> dict[str, Any] | None:
    if payee is None:
        return None
    return _sent({"account_number": payee.account_number, "ultimate_creditor": payee.ultimate_creditor})


def _payer(payer: Payer | None) -> dict[str, Any] | None:
    if payer is None:
        return None
    account = {name: getattr(payer, name) for name in ("account_number", "routing_number", "name")}
    return _sent({"victor_counterparty_id": payer.counterparty_id, **account})


def _response(response: PaymentRequestResponse | None) -> dict[str, Any] | None:
    if response is None:
        return None
    amounts = {name: _amount(getattr(response, name)) for name in ("original_amount", "modified_amount")}
    return _sent({"status": response.status, "notes": response.notes, **amounts})
