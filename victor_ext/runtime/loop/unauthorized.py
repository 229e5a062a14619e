"""The token of each attempt, and the second attempt after a 401 (Unauthorized): once in a call, with another token."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import httpx

from victor_ext.errors import ConfigurationError, VictorError
from victor_ext.runtime.core.clock import ServerClock
from victor_ext.runtime.core.headers import header_complaint
from victor_ext.runtime.core.response import Response

from .flow import Flow

SIGNED = "victor_ext.signed"
"""The extension of a request with two facts of its token: whether an earlier call used it, and the skew of the clock
that it was signed by, in seconds; None for a token that somebody else issued."""


Exchange = Callable[..., Flow[Response]]
"""Sends a request of an authenticator, such as one for a token, within the deadline of the call.

With `best_effort=True`, it is tried once, for `BEST_EFFORT_SECONDS` at most."""


class Authenticator(Protocol):
    """Puts a token on each attempt."""

    def authorize(self, request: httpx.Request, exchange: Exchange, seconds: float | None) -> Flow[None]:
        """Set the header. Fetch a token with `exchange` if one is needed, within `seconds` (None: no bound)."""
        ...

    def should_retry_unauthorized(self, request: httpx.Request) -> bool:
        """After a 401: drop the token, and say whether another may help (see `may_be_outdated`). Once in a call."""
        ...


def may_be_outdated(request: httpx.Request, clock: ServerClock) -> bool:
    """Whether a request's token may have been revoked since an earlier call, or was signed by a clock that is off."""
    is_kept, skew = request.extensions.get(SIGNED, (False, None))
    return is_kept or (skew is not None and clock.was_corrected_since(skew))


def may_try_another_token(authenticator: Authenticator, request: httpx.Request, response: Response | None) -> bool:
    """Whether to send a request once more because of its response: a 401 to a token that may be outdated."""
    if response is None or response.status_code != 401:
        return False
    try:
        return authenticator.should_retry_unauthorized(request)
    except VictorError:
        # No other credentials can be had: the call's error is the 401, with its outcome and key.
        return False


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
