"""The JSON of `PaymentRequest.fake`, made from the attributes of a record."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any

from victor_ext import (
    InvalidRequest,
    Payee,
    Payer,
    PaymentRequestResponse,
    Problem,
    Status,
    money,
)

_DEFAULTS: Mapping[str, Any] = {
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
    "id": "victor_payment_request_id",
    "payee": "payment_request.payee",
    "payer": "payment_request.payer",
    "network": "payment_network",
    "parent_id": "victor_payment_request_parent_id",
    "child_id": "victor_payment_request_child_id",
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
"""Where an attribute stands in the JSON. One that is not here is the member of that name at the
top, or where the record finds it.
"""
_HOLDERS = ("", "payment_request.", f"{_DETAILS}.")
"""Where a record looks for the members of a newer document."""
_AMOUNTS = {"amount", "original_amount", "modified_amount"}


def fake_json(
    fields: Mapping[str, Any], known: Iterable[str], read: Callable[[dict[str, Any], str], Any]
) -> dict[str, Any]:
    """The JSON of a request with these attributes, without `idempotency_key`; the others of those
    that are known have their defaults. `read` returns an attribute of the request with a JSON.

    Raises `TypeError` (there is no such attribute) and `InvalidRequest`.
    """
    unknown = sorted(fields.keys() - set(known))
    if unknown:
        raise TypeError(
            f"PaymentRequest.fake has no attribute {', '.join(unknown)}; those it has are "
            f"{', '.join(known)}"
        )
    _check_amounts(fields.get("amount"), fields.get("response"))
    json = _empty()
    for name, value in {**_DEFAULTS, **fields}.items():
        if value is None:
            continue
        sent = _json_value(name, value)
        _put(json, _PLACES.get(name) or _place_found(name, sent, read), sent)
    return json


def _empty() -> dict[str, Any]:
    return {"payment_request": {"payment_details": {}}}


def _put(json: dict[str, Any], place: str, value: Any) -> None:
    *parts, member = place.split(".")
    for part in parts:
        json = json[part]
    json[member] = value


def _place_found(name: str, value: Any, read: Callable[[dict[str, Any], str], Any]) -> str:
    """The place at which an attribute is read from a member of its name."""
    for holder in _HOLDERS:
        probe = _empty()
        _put(probe, f"{holder}{name}", value)
        if read(probe, name) is not None:
            return f"{holder}{name}"
    return name


def _check_amounts(amount: Any, response: PaymentRequestResponse | None) -> None:
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
