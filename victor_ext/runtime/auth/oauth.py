"""A token from a token endpoint: kept until shortly before it expires, and fetched once for all callers."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from dataclasses import dataclass
from math import inf
from typing import Any

import httpx

from victor_ext.errors import AuthenticationError, DeadlineExceeded, StatusError, UnreadableResponse, VictorError
from victor_ext.privacy import HOLDS_SECRETS, Secret
from victor_ext.runtime.loop.authenticator import Exchange
from victor_ext.runtime.loop.clock import ServerClock
from victor_ext.runtime.loop.flow import Acquire, Flow, Lock
from victor_ext.runtime.loop.headers import is_scheme, is_token

ADVISORY_SECONDS = 60.0
"""Seconds before a token's end from which one caller fetches the next one while the others use this one."""

MANDATORY_SECONDS = 10.0
"""Seconds before its end from which a token is not used."""

ADVISORY_PAUSE = 5.0
"""Seconds without another fetch after one failed, while the kept token can still be used."""

_PASSING_STATUSES = frozenset({408, 425, 429})
"""Statuses from 400 to 499 after which another attempt may help."""

FROM_CACHE = "token_from_cache"


@dataclass(frozen=True, slots=True, repr=False)
class IssuedToken:
    """A token as its endpoint issued it. Times are seconds since the epoch; `expires_at` may be None: not known."""

    header: str
    expires_at: float | None
    issued_at: float

    def seconds_left(self, now: float) -> float:
        """Seconds until the token ends. A token without a known end is kept until it is refused."""
        return float("inf") if self.expires_at is None else self.expires_at - now

    def window(self, seconds: float) -> float:
        """A renewal window in seconds, at most a fifth of the token's life."""
        if self.expires_at is None:
            return seconds
        return min(seconds, max(0.0, (self.expires_at - self.issued_at) / 5))


class KeptToken:
    """The token cache of one client: a token is kept until shortly before it ends, and obtained once for all callers.

    Args:
        clock: The provider's clock.
        lock: A lock for the mode of the client.
    """

    renewal_may_fail_with: type[Exception] = VictorError
    """What a renewal may raise without failing the call, which has a token that can still be used."""

    def __init__(self, clock: ServerClock, lock: Lock) -> None:
        self._clock = clock
        self._lock = lock
        self._token: IssuedToken | None = None
        self._failure: VictorError | None = None
        self._pause_ends = -inf

    def _obtain(self, exchange: Exchange, seconds: float | None, *, best_effort: bool) -> Flow[IssuedToken]:
        """Obtain a token within `seconds` (None: no bound)."""
        raise NotImplementedError

    def authorize(self, request: httpx.Request, exchange: Exchange, seconds: float | None) -> Flow[None]:
        """Set the header to the kept token, fetching one first when there is none or it is about to end."""
        kept = self._token
        left = -1.0 if kept is None else kept.seconds_left(self._clock.now())
        if kept is None or left <= kept.window(MANDATORY_SECONDS):
            token = yield from self._fetch_once(kept, exchange, seconds)
        elif left <= kept.window(ADVISORY_SECONDS) and self._clock.monotonic() >= self._pause_ends:
            token = (yield from self._fetch_if_nobody_does(kept, exchange, seconds)) or kept
        else:
            token = kept
        request.headers["Authorization"] = token.header
        request.extensions[FROM_CACHE] = token is kept

    @property
    def has_token(self) -> bool:
        """Whether a kept token has not expired."""
        kept = self._token
        return kept is not None and kept.seconds_left(self._clock.now()) > 0

    def forget(self) -> None:
        """Drop the token, after it was revoked. The next call fetches another."""
        self._token = None

    def should_retry_unauthorized(self, request: httpx.Request) -> bool:
        """True for a token from the cache, which may have been revoked and is dropped; False for a fresh one."""
        if not request.extensions.get(FROM_CACHE, False):
            return False
        current = self._token
        if current is not None and current.header == request.headers.get("Authorization"):
            self._token = None
        return True

    def _fetch_once(self, kept: IssuedToken | None, exchange: Exchange, seconds: float | None) -> Flow[IssuedToken]:
        earlier, began = self._failure, self._clock.monotonic()
        permit = self._lock.permit()
        try:
            if not (yield Acquire(permit, seconds)):
                raise DeadlineExceeded(
                    "No token yet: another call is still waiting for one, and the deadline has passed."
                )
            # The caller that held the lock before has fetched, or failed, for those that waited: otherwise two hundred
            # of them would call a failing endpoint two hundred times, one after the other.
            current = self._token
            if current is not None and current is not kept:
                return current
            if self._failure is not None and self._failure is not earlier:
                raise _for_another(self._failure)
            left = None if seconds is None else seconds - (self._clock.monotonic() - began)
            return (yield from self._fetch_for_all(exchange, left))
        finally:
            permit.release()

    def _fetch_for_all(self, exchange: Exchange, seconds: float | None) -> Flow[IssuedToken]:
        """Obtain. A failure counts for the waiting callers too, unless it is this caller's own deadline."""
        try:
            return (yield from self._renew(exchange, seconds))
        except DeadlineExceeded:
            raise
        except VictorError as error:
            self._failure = _for_another(error)
            raise

    def _renew(self, exchange: Exchange, seconds: float | None, *, best_effort: bool = False) -> Flow[IssuedToken]:
        self._token = yield from self._obtain(exchange, seconds, best_effort=best_effort)
        self._failure = None
        return self._token

    def _fetch_if_nobody_does(
        self, kept: IssuedToken, exchange: Exchange, seconds: float | None
    ) -> Flow[IssuedToken | None]:
        permit = self._lock.permit()
        try:
            if not (yield Acquire(permit, 0)):
                return None
            if self._token is not kept:
                return self._token  # another caller has just fetched it
            return (yield from self._renew(exchange, seconds, best_effort=True))
        except self.renewal_may_fail_with:
            # The kept token can still be used: neither this call nor the next one waits for another.
            self._pause_ends = self._clock.monotonic() + ADVISORY_PAUSE
            return None
        finally:
            permit.release()


class OAuthToken(KeptToken):
    """A token from a token endpoint.

    Args:
        ask: Makes the request to the token endpoint.
        read: Reads a token from the JSON object of the response and the provider's time; None if there is none.
        clock: The provider's clock.
        lock: A lock for the mode of the client.
        hint: What to check when the endpoint refuses.
    """

    def __init__(
        self,
        ask: Callable[[], httpx.Request],
        read: Callable[[dict[str, Any], float], IssuedToken | None],
        clock: ServerClock,
        lock: Lock,
        *,
        hint: str = "",
    ) -> None:
        super().__init__(clock, lock)
        self._ask = ask
        self._read = read
        self._hint = hint

    def _obtain(self, exchange: Exchange, seconds: float | None, *, best_effort: bool) -> Flow[IssuedToken]:  # noqa: ARG002 - the exchange knows what is left
        request = self._ask()
        request.extensions[HOLDS_SECRETS] = True
        try:
            response = yield from exchange(request, best_effort=best_effort)
        except StatusError as error:
            # A rejection, with an error status or in the body of a good one. A 404 counts too: raised as it is, it
            # would read as if the payment of the call did not exist.
            status = error.status_code or 0
            if 300 <= status < 400 or status >= 500 or status in _PASSING_STATUSES:
                raise
            refusal = error
        except UnreadableResponse as error:
            error.response = None  # its body may hold a token that works
            raise
        else:
            token = self._read(response.json(), self._clock.now())
            if token is None:
                raise UnreadableResponse(
                    f"The token endpoint {request.url.path} answered {response.status_code} without a usable token.",
                    request=request,
                )
            return token
        said = "refused the credentials" if refusal.status_code in (200, 400, 401, 403) else "issued no token"
        raise AuthenticationError(
            f"The token endpoint {request.url.path} {said} (status {refusal.status_code}). {self._hint}".rstrip(),
            request=request,
            response=refusal.response,
            request_id=refusal.request_id,
        )


def _for_another(failure: VictorError) -> VictorError:
    """A copy of the failure for another call, which sets its own outcome on it."""
    copied = copy(failure)
    copied.__cause__ = failure.__cause__
    return copied


def header_value(token_type: object, token: object) -> Secret | None:
    """`<type> <token>`, with `Bearer` where the endpoint named no type that is text of a header.

    None if no header can hold them: httpx refuses a blank at an end, and its error shows the value.
    """
    if not is_token(token):
        return None
    named = isinstance(token_type, str) and token_type != "" and token_type.isascii() and token_type.isprintable()
    scheme = str(token_type) if named else "Bearer"
    return Secret(f"{scheme} {token}") if is_scheme(scheme) else None
