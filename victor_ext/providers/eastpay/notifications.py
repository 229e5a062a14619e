"""Notifications: a hint that something changed, and nothing more.

The gateway signs none, and anybody may send what looks like one. So of its body only the id is read; what became of
the payment is asked of the gateway, with `payments.notified(body)`.
"""

from __future__ import annotations

import json
from typing import Any, cast

from victor_ext.errors import InvalidRequest, Problem

from .checks import Checks

__all__ = ["payment_id_of"]

_LONGEST_BODY = 256 * 1024


def payment_id_of(body: bytes | str) -> str:
    """The id of the payment that a notification names.

    Args:
        body: The body of the notification as it came: JSON, as an inquiry is answered.

    Raises:
        InvalidRequest: It is no such body. Answer the sender 400; there is nothing to ask about.
    """
    fields = _read(body)
    checks = Checks()
    payment_id = checks.id("id", fields.get("id"))
    checks.finish()
    return payment_id


def _read(body: object) -> dict[str, Any]:
    if not isinstance(body, bytes | bytearray | str):
        raise _refused(f"is {type(body).__name__}: pass the body as it came, bytes or text")
    if len(body) > _LONGEST_BODY:
        raise _refused(f"is longer than {_LONGEST_BODY} bytes")
    try:
        read: object = json.loads(body)
    except (ValueError, RecursionError):
        read = None
    if not isinstance(read, dict):
        raise _refused("is no JSON object")
    return cast("dict[str, Any]", read)


def _refused(what: str) -> InvalidRequest:
    return InvalidRequest.of([Problem("body", "invalid", f"The notification's body {what}.")])
