"""What puts a token on each attempt."""

from __future__ import annotations

from typing import Protocol

import httpx

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
