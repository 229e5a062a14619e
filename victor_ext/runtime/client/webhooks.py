"""Requests that a provider posts to a webhook: their headers, signature, age and body.

In this order: headers, bytes and age; `Delivery`, what an inbox stores; the body. The signature as
most providers make it is in `hmac_signature`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from victor_ext.errors import AuthenticationError, ConfigurationError, InvalidRequest, Problem
from victor_ext.privacy import kind_of
from victor_ext.runtime.core.json_values import is_object, parsed
from victor_ext.runtime.core.validation import are_seconds, seconds_complaint

NOTIFICATION = "notification"
"""The code of the problem that a request to a webhook is not a notification."""
MAX_BYTES = 1 << 20
"""The longest body that is read (1 MiB). A notification has about one KiB."""

Headers = Mapping[str, str] | Iterable[tuple[str, str]] | Iterable[tuple[bytes, bytes]]


def headers_by_name(headers: Headers) -> dict[str, str]:
    """The headers of a request by their names in lower case; of a repeated one, the last.

    Raises:
        InvalidRequest: They are neither a mapping nor pairs.
    """
    try:
        pairs = cast("Mapping[str, str]", headers).items() if hasattr(headers, "items") else headers
        return {_header_text(name).lower(): _header_text(value) for name, value in pairs}
    except (TypeError, ValueError):
        message = f"headers must be a mapping, or pairs of name and value, not {kind_of(headers)}."
    raise InvalidRequest.of([Problem("headers", "type", message)])


def _header_text(part: object) -> str:
    """A name or a value of a header as text; empty for another type, which no header has."""
    if isinstance(part, bytes):
        return part.decode("latin-1")
    return part if isinstance(part, str) else ""


def header_bytes(text: str) -> bytes:
    """The bytes that are signed of a text, such as the value of a header."""
    return text.encode("utf-8", "surrogatepass")


def body_bytes(body: object) -> bytes:
    """The bytes of a body. Raises `InvalidRequest` for any other type: a parser made it."""
    if isinstance(body, bytes | bytearray | memoryview):
        return bytes(cast("bytes", body))
    if isinstance(body, str):
        return header_bytes(body)
    message = (
        f"body must be the raw bytes of the request, read before any parser, not {kind_of(body)}."
    )
    raise InvalidRequest.of([Problem("body", "type", message)])


def checked_tolerance(tolerance: object) -> float:
    """The seconds that a request may be old. Raises `ConfigurationError`."""
    if not are_seconds(tolerance):
        raise ConfigurationError(seconds_complaint("tolerance", tolerance, "above zero"))
    return float(cast("float", tolerance))


def check_age(sent_at: float, now: float, tolerance: float) -> None:
    """Raise `AuthenticationError` for a request that was sent too long ago, or in the future; all
    in seconds.
    """
    age = now - sent_at
    if abs(age) > tolerance:
        when = f"{age:.0f} s old" if age > 0 else f"{-age:.0f} s ahead"
        raise AuthenticationError(
            f"The notification is {when}, and {tolerance:g} s are allowed: a replay, or a clock "
            "that is off."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A request to a webhook that is known to be the system's, as an inbox stores it.

    Attributes:
        name: What happened, such as `payment.accepted`.
        subject: The id of the event, or of what it is about, for people.
        content: JSON that the webhook reads again when the event is handled.
        ids: What identifies it. It is a repeat if one of them identified one that came before: so
            it has only what proves that it is the same event.
        number: Its place in the sequence of its source, where the system counts.
        once: While another event with this text waits, it is a repeat.
    """

    name: str
    subject: str
    content: str = field(repr=False)
    ids: tuple[str, ...] = ()
    number: int | None = None
    once: str | None = None


# ---- The body ----


def invalid_notification(provider: str, reason: str) -> InvalidRequest:
    """The error for a body that is not a notification of this provider; the reason follows "the
    body".
    """
    message = f"This is not a notification of {provider}'s: the body {reason}."
    return InvalidRequest.of([Problem("body", NOTIFICATION, message)])


def notification_body(body: object, *, provider: str) -> dict[str, Any]:
    """The JSON object in the body of a notification.

    Raises:
        InvalidRequest: It is longer than `MAX_BYTES` bytes, or no JSON object.
    """
    raw = body_bytes(body)
    if len(raw) > MAX_BYTES:
        raise invalid_notification(provider, f"is longer than {MAX_BYTES // 1024} KiB")
    try:
        content: object = parsed(raw, is_strict=True)
    except ValueError:
        raise invalid_notification(provider, "is not JSON") from None
    if not is_object(content):
        raise invalid_notification(provider, "is JSON, but no object")
    return content
