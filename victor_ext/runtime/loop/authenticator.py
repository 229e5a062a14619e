"""What puts a token on each attempt."""

from __future__ import annotations

from typing import Protocol

import httpx

from victor_ext.errors import ConfigurationError
from victor_ext.runtime.core.headers import header_complaint
from victor_ext.runtime.core.response import Response

from .flow import Flow


class Exchange(Protocol):
    """Sends a request of an authenticator, such as one for a token, within the deadline of the call."""

    def __call__(self, request: httpx.Request, *, best_effort: bool = False) -> Flow[Response]:
        """The response. A best-effort request is tried once, for `BEST_EFFORT_SECONDS` at most."""
        ...


class Authenticator(Protocol):
    """Puts a token on each attempt."""

    def authorize(self, request: httpx.Request, exchange: Exchange, seconds: float | None) -> Flow[None]:
        """Set the header. Fetch a token with `exchange` if one is needed, within `seconds` (None: no bound)."""
        ...

    def should_retry_unauthorized(self, request: httpx.Request) -> bool:
        """After a 401: whether another token may help. Called at most once in a call."""
        ...


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
