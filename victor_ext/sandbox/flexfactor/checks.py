"""The checks of FlexFactor's requests, and its format of errors."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Container, Sequence
from datetime import UTC, datetime
from typing import cast

from victor_ext.sandbox.server import JsonObject, JsonValue, Response, json_response

GUID = "(?i:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})"


def problem_details(status: int, title: str, errors: dict[str, list[str]] | None = None) -> Response:
    """ASP.NET's ProblemDetails."""
    trace_id = f"00-{uuid.uuid4().hex}-{uuid.uuid4().hex[:16]}-01"
    body: JsonObject = {"title": title, "status": status, "traceId": trace_id, "errors": errors or {}}
    return json_response(status, body, {"apigw-requestid": uuid.uuid4().hex[:16]})


def validation_problem(errors: dict[str, list[str]]) -> Response:
    return problem_details(400, "One or more validation errors occurred.", errors)


def field_errors(operation: str, body: JsonObject, cards: Container[JsonValue]) -> dict[str, list[str]]:
    """The errors of the body of an operation, by the provider's spelling of each field. `cards` are known tokens."""
    errors: dict[str, list[str]] = {}
    for path, check in _CHECKS.get(operation, {}).items():
        part, _, name = path.rpartition(".")
        holder: JsonValue = body.get(part) if part else body
        if not isinstance(holder, dict):
            errors[_pascal(part)] = [f"The {_pascal(part)} field is required."]
        elif not check(cast("JsonObject", holder).get(name)):
            field = f"{_pascal(part)}." if part else ""
            errors[field + _pascal(name)] = [f"The {_pascal(name)} field is required, and must be as documented."]
        elif name == "cardNumber" and cast("JsonObject", holder).get(name) not in cards:
            errors["PaymentMethod.CardNumber"] = ["The CardNumber is no token of the vault."]
    return errors


def _pascal(name: str) -> str:
    return name[:1].upper() + name[1:]


def _text(pattern: str) -> Callable[[JsonValue], bool]:
    """The check of a text that matches a pattern as a whole."""
    return lambda value: isinstance(value, str) and re.fullmatch(pattern, value) is not None


_ANY, _GUID, _CURRENCY = _text(r"[\s\S]+"), _text(GUID), _text("[A-Z]{3}")


def _is_cents(value: JsonValue) -> bool:
    return type(value) is int and value > 0


def _is_moment(value: JsonValue) -> bool:
    try:
        return isinstance(value, str) and datetime.fromisoformat(value).utcoffset() is not None
    except ValueError:
        return False


_TRANSMISSION: dict[str, Callable[[JsonValue], bool]] = {
    "isDeclined": lambda value: isinstance(value, bool),
    "orderId": _ANY,
    "mid": _GUID,
    "transaction.id": _ANY,
    "transaction.timestampUtc": _is_moment,
    "transaction.amount": _is_cents,
    "transaction.currency": _CURRENCY,
    "payer.email": _ANY,
    "paymentMethod.cardNumber": _ANY,
}
_CHECKS: dict[str, dict[str, Callable[[JsonValue], bool]]] = {
    "transmit": _TRANSMISSION,
    # Only declined transactions are evaluated.
    "evaluate": {**_TRANSMISSION, "isDeclined": lambda value: value is True, "idempotencyKey": _GUID},
    "capture": {"idempotencyKey": _GUID, "orderId": _GUID, "amount": _is_cents, "currency": _CURRENCY},
    # In dollars.
    "refund": {"amountToRefund": lambda value: isinstance(value, int | float) and not isinstance(value, bool)},
}
"""The checks of each operation's body, by the path of the field."""


def moment_of(given: Sequence[str] | None) -> datetime | None:
    """The moment of a parameter of the query, in UTC if it names no zone; `ValueError` when it is not one."""
    if not given:
        return None
    moment = datetime.fromisoformat(given[0])
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
