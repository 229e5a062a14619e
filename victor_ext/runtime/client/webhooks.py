"""Bodies that a provider posts to a webhook."""

from __future__ import annotations

from typing import Any

from victor_ext.errors import InvalidRequest, Problem
from victor_ext.runtime.core.json_values import is_object, parsed

MAX_BYTES = 1 << 20
"""The longest body that is read (1 MiB). A notification has about one KiB."""


def invalid_notification(provider: str, reason: str) -> InvalidRequest:
    """The error for a body that is not a notification of this provider; the reason follows "the body"."""
    message = f"This is not a notification of {provider}'s: the body {reason}."
    return InvalidRequest.of([Problem("body", "format", message)])


def notification_body(body: object, *, provider: str) -> dict[str, Any]:
    """The JSON object in the body of a notification.

    Raises:
        InvalidRequest: It is longer than `MAX_BYTES` bytes (or characters of a text), or no JSON object.
    """
    if not isinstance(body, bytes | bytearray | str):
        reason = f"is of type {type(body).__name__}: pass the body as it came, bytes or text"
        raise invalid_notification(provider, reason)
    if len(body) > MAX_BYTES:
        raise invalid_notification(provider, f"is longer than {MAX_BYTES // 1024} KiB")
    try:
        content: object = parsed(body)
    except ValueError:
        raise invalid_notification(provider, "is not JSON") from None
    if not is_object(content):
        raise invalid_notification(provider, "is JSON, but no object")
    return content
