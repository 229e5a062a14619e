"""The checks of requests, and the provider's format of errors."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import cast

from victor_ext.sandbox.server import JsonObject, JsonValue, Response, json_response

GUID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)

FieldErrors = dict[str, list[str]]


def problem_details(status: int, title: str, errors: FieldErrors | None = None) -> Response:
    """ASP.NET's ProblemDetails."""
    trace_id = f"00-{uuid.uuid4().hex}-{uuid.uuid4().hex[:16]}-01"
    body: JsonObject = {"title": title, "status": status, "traceId": trace_id, "errors": errors or {}}
    return json_response(status, body, {"apigw-requestid": uuid.uuid4().hex[:16]})


def validation_problem(errors: FieldErrors) -> Response:
    return problem_details(400, "One or more validation errors occurred.", errors)


def check_evaluation(body: JsonObject) -> FieldErrors:
    """The errors of a body of `evaluate`, by the provider's spelling of each field."""
    errors = check_transmission(body)
    if body.get("isDeclined") is not True:
        errors["IsDeclined"] = ["Only declined transactions are evaluated."]
    if not _is_guid(body.get("idempotencyKey")):
        errors["IdempotencyKey"] = ["The IdempotencyKey field is required, and must be a GUID."]
    return errors


def check_transmission(body: JsonObject) -> FieldErrors:
    errors: FieldErrors = {}
    _require(errors, body, "isDeclined", _is_flag)
    _require(errors, body, "orderId", _is_text)
    _require(errors, body, "mid", _is_guid)
    for name, members in _PARTS.items():
        part = body.get(name)
        if not isinstance(part, dict):
            errors[_pascal(name)] = [f"The {_pascal(name)} field is required."]
            continue
        for member, check in members.items():
            _require(errors, cast("JsonObject", part), member, check, prefix=f"{_pascal(name)}.")
    return errors


def check_capture(body: JsonObject) -> FieldErrors:
    errors: FieldErrors = {}
    for name, check in _CAPTURE.items():
        _require(errors, body, name, check)
    return errors


def check_refund(body: JsonObject) -> FieldErrors:
    """The errors of a body of `refund`. The amount is in dollars, as a JSON number."""
    amount = body.get("amountToRefund")
    good = isinstance(amount, int | float) and not isinstance(amount, bool)
    return {} if good else {"AmountToRefund": ["The AmountToRefund field is required, and must be a number."]}


def _require(
    errors: FieldErrors, body: JsonObject, name: str, check: Callable[[JsonValue], bool], prefix: str = ""
) -> None:
    if not check(body.get(name)):
        errors[f"{prefix}{_pascal(name)}"] = [f"The {_pascal(name)} field is required, and must be as documented."]


def _is_text(value: JsonValue) -> bool:
    return isinstance(value, str) and bool(value)


def _is_card_token(value: JsonValue) -> bool:
    """Text that is not a card number (13 to 19 digits, a check digit, no letters): no card data may get here."""
    if not _is_text(value):
        return False
    digits = [int(char) for char in str(value) if char.isdecimal()]
    luhn = sum(digits[-1::-2]) + sum(sum(divmod(2 * digit, 10)) for digit in digits[-2::-2])
    return any(map(str.isalpha, str(value))) or not 13 <= len(digits) <= 19 or luhn % 10 != 0


def _is_flag(value: JsonValue) -> bool:
    return isinstance(value, bool)


def _is_guid(value: JsonValue) -> bool:
    return isinstance(value, str) and GUID.fullmatch(value) is not None


def _is_cents(value: JsonValue) -> bool:
    return type(value) is int and value > 0


def _is_currency(value: JsonValue) -> bool:
    return isinstance(value, str) and re.fullmatch("[A-Z]{3}", value) is not None


def _is_moment(value: JsonValue) -> bool:
    try:
        return isinstance(value, str) and datetime.fromisoformat(value).utcoffset() is not None
    except ValueError:
        return False


_CAPTURE: dict[str, Callable[[JsonValue], bool]] = {
    "idempotencyKey": _is_guid,
    "orderId": _is_guid,
    "amount": _is_cents,
    "currency": _is_currency,
}
_PARTS: dict[str, dict[str, Callable[[JsonValue], bool]]] = {
    "transaction": {"id": _is_text, "timestampUtc": _is_moment, "amount": _is_cents, "currency": _is_currency},
    "payer": {"email": _is_text},
    "paymentMethod": {"cardNumber": _is_card_token},
}


def _pascal(name: str) -> str:
    return name[:1].upper() + name[1:]


def moment_of(given: Sequence[str] | None) -> datetime | None:
    """The moment of a parameter of the query, in UTC if it names no zone; `ValueError` when it is not one."""
    if not given:
        return None
    moment = datetime.fromisoformat(given[0])
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
