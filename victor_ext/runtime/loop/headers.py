"""What a header can hold. Other values are refused before they are sent: httpx would show and log them."""

from __future__ import annotations

import re

import httpx

from victor_ext.errors import ConfigurationError

from .flow import Flow

LONGEST = 16_384
"""The most characters of a token: no server takes a longer header."""

_FIELD = re.compile(rb"[!-~\x80-\xff]+(?:[ \t]+[!-~\x80-\xff]+)*")
"""A field value (RFC 9110, 5.5): visible characters, and blanks between them."""
_TOKEN = re.compile("[!-~]+")
_SCHEME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


def is_token(value: object) -> bool:
    """Whether a value is text that can be sent as a token: visible ASCII without blanks."""
    return isinstance(value, str) and len(value) <= LONGEST and _TOKEN.fullmatch(value) is not None


def is_scheme(value: str) -> bool:
    """Whether a value is an authentication scheme (RFC 9110, 11.1), such as `Bearer`."""
    return _SCHEME.fullmatch(value) is not None


def header_complaint(value: bytes) -> str | None:
    """Why a value cannot be sent in a header, or None. It does not show the value."""
    if _FIELD.fullmatch(value):
        return None if len(value) <= LONGEST else f"has {len(value)} characters"
    if not value:
        return "is empty"
    if value.strip(b" \t") != value:
        return "has a blank at one of its ends"
    return "holds a line break or another control character"


def sendable(request: httpx.Request, authorize: Flow[None]) -> Flow[None]:
    """Authorize. Raises `ConfigurationError` when the header cannot be sent: httpx's error would show the token."""
    try:
        yield from authorize
        complaint = _authorization_complaint(request)
    except UnicodeEncodeError:  # the error holds the token
        complaint = "holds a character beyond ASCII"
    if complaint is not None:
        raise ConfigurationError(
            f"The credentials made an Authorization header that cannot be sent: it {complaint}. Check the token."
        )


def _authorization_complaint(request: httpx.Request) -> str | None:
    # In a frame of its own, which no traceback of `sendable` shows: the value is the token.
    value = next((value for name, value in request.headers.raw if name.lower() == b"authorization"), None)
    return None if value is None else header_complaint(value)
