"""The two authenticators that need no exchange: a fixed token, and tokens signed on this side."""

from __future__ import annotations

from collections.abc import Callable

import httpx

from victor_ext.redaction import Secret
from victor_ext.runtime.loop.authenticator import Exchange
from victor_ext.runtime.loop.clock import TOLERATED_SKEW, ServerClock
from victor_ext.runtime.loop.flow import Flow, done

SIGNED_WITH_SKEW = "signed_with_skew"
FROM_EARLIER_CALL = "signed_for_an_earlier_call"


class FixedToken:
    """A header value that needs no exchange: the same on every attempt, or what a function returns for it."""

    def __init__(self, value: str | Callable[[], str], *, header: str = "Authorization") -> None:
        self._value = value if callable(value) else Secret(value)
        self._header = header

    def _current(self) -> str:
        return Secret(self._value()) if callable(self._value) else self._value

    def authorize(self, request: httpx.Request, exchange: Exchange, seconds: float | None) -> Flow[None]:  # noqa: ARG002
        """Set the header; no exchange is needed."""
        request.headers[self._header] = self._current() if callable(self._value) else self._value
        return done()

    def should_retry_unauthorized(self, request: httpx.Request) -> bool:
        """True if another token has replaced the one that was sent."""
        return callable(self._value) and request.headers.get(self._header) != self._current()


class SignedToken:
    """A token that this side signs, for each attempt or for a few seconds.

    Args:
        sign: Makes the header's value from the time of issue: the provider's, in seconds since the epoch.
        clock: The provider's clock.
        reuse: Seconds for which one token serves all calls; 0 signs each attempt anew.
        header: The header's name.
    """

    def __init__(
        self, sign: Callable[[float], str], clock: ServerClock, *, reuse: float = 0.0, header: str = "Authorization"
    ) -> None:
        self._sign = sign
        self._header = header
        self._clock = clock
        self._reuse = reuse
        self._kept: tuple[str, float, float] | None = None

    def authorize(self, request: httpx.Request, exchange: Exchange, seconds: float | None) -> Flow[None]:  # noqa: ARG002
        """Set the header; no exchange is needed."""
        kept = self._kept
        if kept is not None and self._clock.monotonic() >= kept[2]:
            kept = None
        value, skew, _until = kept or self._signed()
        request.headers[self._header] = value
        request.extensions[SIGNED_WITH_SKEW], request.extensions[FROM_EARLIER_CALL] = skew, kept is not None
        return done()

    def _signed(self) -> tuple[str, float, float]:
        """A header value, the clock skew at signing, and the monotonic time until which it may be reused."""
        skew = self._clock.skew
        signed = Secret(self._sign(self._clock.now())), skew, self._clock.monotonic() + self._reuse
        if self._reuse > 0:
            self._kept = signed
        return signed

    def should_retry_unauthorized(self, request: httpx.Request) -> bool:
        """True if this token was kept from an earlier call, or was signed by a clock that was wrong."""
        self._kept = None
        signed_with: float = request.extensions.get(SIGNED_WITH_SKEW, 0.0)
        was_kept: bool = request.extensions.get(FROM_EARLIER_CALL, False)
        return was_kept or abs(self._clock.skew - signed_with) > TOLERATED_SKEW
