"""`PaymentRequest.fake`: a request that was never sent, from a constant JSON with changes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from victor_ext import PaymentRequest, zulu

_JSON = b"""{
    "victor_payment_request_id": "FAKE000001",
    "victor_payment_request_parent_id": null,
    "victor_payment_request_child_id": null,
    "client_reference_id": null,
    "direction": "outbound",
    "status": "pending",
    "error_message": null,
    "payment_network": "RTP",
    "payment_request": {
        "created_at": "2026-03-03T12:00:00Z",
        "approved_at": null,
        "payee": {"account_number": "043987673645"},
        "payer": {"victor_counterparty_id": "aHeq349838"},
        "payment_request_response": null,
        "payment_details": {
            "amount": "44.23",
            "original_amount": null,
            "amount_modification_allowed": null,
            "biller_type": "BUSINESS",
            "due_date": "2026-03-04",
            "notes": null,
            "approval_notes": null
        }
    }
}"""
_MEMBERS = {
    "id": "victor_payment_request_id",
    "parent_id": "victor_payment_request_parent_id",
    "child_id": "victor_payment_request_child_id",
    "network": "payment_network",
    "response": "payment_request_response",
}
"""The members of the attributes that have another name in the JSON."""


def fake_request(fields: Mapping[str, Any], idempotency_key: str | None) -> PaymentRequest:
    """A request with these attributes; the others have the values of a constant.

    Raises `TypeError`: a request has no such attribute, or none of that value.
    """
    json = msgspec.json.decode(_JSON)
    request = json["payment_request"]
    objects = (json, request, request["payment_details"])
    for name, value in fields.items():
        member = _MEMBERS.get(name, name)
        is_moment = isinstance(value, datetime)
        sent: Any = zulu.format(value) if is_moment else msgspec.to_builtins(value)
        if name == "payer" and sent:
            sent["victor_counterparty_id"] = sent.pop("counterparty_id")
        holders = [part for part in objects if member in part]
        for holder in holders or objects:  # a member of a newer document may be in any
            holder[member] = sent
    # A list has no responses.
    model = "GetPaymentRequestResponse" if fields.get("response") else "PaymentRequestReceipt"
    fake = PaymentRequest(json, model, idempotency_key=idempotency_key)
    for name, value in fields.items():
        if value is not None and getattr(fake, name, None) is None:
            raise TypeError(f"PaymentRequest.fake cannot take {name}={value!r}")
    return fake
