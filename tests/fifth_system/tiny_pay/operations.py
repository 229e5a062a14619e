"""What each operation of TinyPay is: all that the attempt loop knows of it."""

from __future__ import annotations

from typing import Any

from victor_ext.runtime.core.json_values import is_list, object_of
from victor_ext.runtime.loop.evidence import Members
from victor_ext.runtime.loop.idempotency_keys import TAKEN
from victor_ext.runtime.loop.operations import Effect, Operation, RepeatsId


def _refused(response: Any) -> str | None:
    body = object_of(response)
    return str(body.get("text")) if body.get("success") is False else None


OPERATIONS = {
    "POST /v1/charges": Operation(
        effect=Effect.MOVES_MONEY,
        key=TAKEN,
        evidence=lambda response, _problems: None if "location" in response.headers else "it names no charge",
        refuses=_refused,
        look_up="with charges.list()",
    ),
    "GET /v1/charges/{}": Operation(
        effect=Effect.READS, evidence=Members(("id",), "its body has no id"), id=RepeatsId("charge", "id")
    ),
    "GET /v1/book": Operation(
        effect=Effect.READS, evidence=Members(("charges",), "its body has no list of charges", is_list)
    ),
}
