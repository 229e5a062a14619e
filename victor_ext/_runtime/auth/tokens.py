"""The tokens of a client: fixed, signed by this side, or issued by a token endpoint, and then kept
for all callers.

`FixedToken`, `SignedToken` and `TokenCache` are `Authenticator`s; a subclass of the last says how a
token is obtained, and `OAuthToken` asks an endpoint for it. Behind them stand the parts of requests
and headers.
"""

import base64
import json
from collections.abc import Callable, Mapping
from copy import copy
from functools import partial
from math import inf
from typing import Any, cast
from urllib.parse import urlencode

import httpx

from victor_ext import errors
from victor_ext._privacy import Secret, SecretBytes
from victor_ext._runtime.core.clock import ServerClock, epoch_seconds
from victor_ext._runtime.core.headers import is_scheme, is_token
from victor_ext._runtime.core.response import OPERATION
from victor_ext._runtime.loop.flow import Flow, Lock, done
from victor_ext._runtime.loop.operations import TOKEN, Operation
from victor_ext._runtime.loop.retry import SIGNED, Exchange, may_be_outdated
from victor_ext._values.opaque import FrozenOpaque
from victor_ext.errors import (
    AuthenticationError,
    DeadlineExceeded,
    Problem,
    RateLimited,
    StatusError,
    UnreadableResponse,
    VictorError,
)

ADVISORY_SECONDS = 60.0
"""So long before a token's end one caller fetches the next token, while others use this one."""
MANDATORY_SECONDS = 10.0
"""So long before its end a token is not used any more."""
ADVISORY_PAUSE = 5.0
"""Seconds without another fetch after a fetch failed, while the kept token can still be used."""
_NO_ENDPOINT = frozenset({404, 405, 410})
"""Statuses that say that there is no token endpoint at the URL."""
_LONGEST_LIFE = 10 * 366 * 86_400.0
"""In seconds. A token endpoint that names a longer life is not believed."""


class FixedToken:
    """A token that needs no exchange: at each attempt, `current` returns the header's value."""

    def __init__(self, current: Callable[[], str], *, header: str = "Authorization") -> None:
        self._current = current
        self._header = header

    def authorize(
        self, request: httpx.Request, _exchange: Exchange, _seconds: float | None, /
    ) -> Flow[None]:
        request.headers[self._header] = Secret(self._current())
        return done()

    def should_retry_unauthorized(self, request: httpx.Request) -> bool:
        """Whether another token has replaced the one that was sent."""
        return bool(request.headers.get(self._header) != self._current())


class _SignedHeader(FrozenOpaque, frozen=True):
    """A header's value that was signed with this skew of the clock, in seconds, and may be used
    until a monotonic time.
    """

    value: Secret
    skew: float
    until: float


class SignedToken:
    """A token that this side signs: for each attempt, or for all calls of `reuse` seconds.

    `sign` makes the header's value from the time of issue: the provider's, in seconds since the
    epoch.
    """

    def __init__(
        self,
        sign: Callable[[float], str],
        clock: ServerClock,
        *,
        reuse: float = 0.0,
    ) -> None:
        self._sign = sign
        self._clock = clock
        self._reuse = reuse
        self._kept: _SignedHeader | None = None

    def authorize(
        self, request: httpx.Request, _exchange: Exchange, _seconds: float | None, /
    ) -> Flow[None]:
        """Set the header to the kept value, if it may still be used, or else sign another."""
        signed = self._kept
        is_kept = True
        if signed is None or self._clock.monotonic() >= signed.until:
            is_kept = False
            skew = self._clock.skew
            value = Secret(self._sign(self._clock.now()))
            signed = _SignedHeader(value, skew, self._clock.monotonic() + self._reuse)
            self._kept = signed if self._reuse else None
        request.headers["Authorization"] = signed.value
        request.extensions[SIGNED] = is_kept, signed.skew
        return done()

    def should_retry_unauthorized(self, request: httpx.Request) -> bool:
        """Drop the kept value, and say whether it may have been outdated."""
        self._kept = None
        return may_be_outdated(request, self._clock)


class IssuedToken(FrozenOpaque, frozen=True):
    """A token as it was issued, in `header` as the value of the header.

    Times are seconds since the epoch; without `expires_at`, the token's end is not known. `skew` is
    that of the clock, in seconds, if this side has signed the token.
    """

    header: str
    expires_at: float | None
    issued_at: float
    skew: float | None = None

    def seconds_left(self, now: float) -> float:
        """Seconds until the token ends. Without a known end, it is kept until it is refused."""
        return inf if self.expires_at is None else self.expires_at - now

    def window(self, seconds: float) -> float:
        """A renewal window in seconds, at most a fifth of the token's life."""
        if self.expires_at is None:
            return seconds
        return min(seconds, max(0.0, (self.expires_at - self.issued_at) / 5))


def issued_for(body: dict[str, Any], now: float) -> IssuedToken | None:
    """The token in `{access_token, token_type, expires_in}` (RFC 6749, 5.1); None without a token.

    `expires_in` is in seconds. A token without a readable one has no known end.
    """
    header = header_value(body.get("token_type"), body.get("access_token"))
    if header is None:
        return None
    expires_in = body.get("expires_in")
    try:
        life = 0.0 if isinstance(expires_in, bool) else float(cast("float", expires_in))
    except (TypeError, ValueError, OverflowError):
        life = 0.0
    expires_at = now + life if 0 < life < _LONGEST_LIFE else None
    return IssuedToken(header, expires_at, now)


def issued_until(
    body: dict[str, Any], now: float, *, member: str = "access_token", scheme: str | None = None
) -> IssuedToken | None:
    """The token in this `member` of a body, which has its end in `expires` (see `epoch_seconds`);
    None without a token. With a `scheme`, the body's `token_type` is not read.
    """
    header = header_value(scheme or body.get("token_type"), body.get(member))
    return None if header is None else IssuedToken(header, epoch_seconds(body.get("expires")), now)


class TokenCache:
    """A client's token cache: a token is kept until shortly before it ends, and obtained once for
    all callers.
    """

    renewal_may_fail_with: type[Exception] = VictorError
    """What the advisory fetch may raise without failing the call: the kept token can still be used.
    """

    def __init__(self, clock: ServerClock, lock: Lock) -> None:
        self._clock = clock
        self._lock = lock
        self._token: IssuedToken | None = None
        # of the last fetch; None after a fetch that succeeded
        self._failure: VictorError | None = None
        self._pause_ends = -inf  # the monotonic time until which no advisory fetch is made

    def _obtain(
        self, exchange: Exchange, seconds: float | None, /, *, best_effort: bool
    ) -> Flow[IssuedToken]:
        """Obtain a token, within `seconds` (None: no bound). `best_effort`: the kept token can
        still be used, so the attempt may be short.
        """
        raise NotImplementedError

    def authorize(
        self, request: httpx.Request, exchange: Exchange, seconds: float | None
    ) -> Flow[None]:
        """Set the header to the kept token. Before that, fetch a token if none is kept, or the kept
        one is about to expire.
        """
        kept = self._token
        left = -inf if kept is None else kept.seconds_left(self._clock.now())
        if kept is None or left <= kept.window(MANDATORY_SECONDS):
            token = yield from self._fetch_once(kept, exchange, seconds)
        elif left <= kept.window(ADVISORY_SECONDS) and self._clock.monotonic() >= self._pause_ends:
            token = (yield from self._fetch_if_nobody_does(kept, exchange, seconds)) or kept
        else:
            token = kept
        request.headers["Authorization"] = token.header
        request.extensions[SIGNED] = token is kept, token.skew

    def should_retry_unauthorized(self, request: httpx.Request) -> bool:
        """See `may_be_outdated`. A token that another caller has fetched meanwhile stays."""
        current = self._token
        is_outdated = may_be_outdated(request, self._clock)
        if is_outdated and current is not None:
            was_sent = current.header == request.headers.get("Authorization")
            if was_sent:
                self._token = None
        return is_outdated

    def _fetch_once(
        self, kept: IssuedToken | None, exchange: Exchange, seconds: float | None
    ) -> Flow[IssuedToken]:
        """Return a token that is newer than the kept one. Of the callers that need one at a time,
        the first fetches it; the others wait for its token, or raise its error.
        """
        earlier = self._failure
        began = self._clock.monotonic()
        place = self._lock()
        try:
            if not (yield partial(place.acquire, seconds)):
                raise DeadlineExceeded(
                    "No token was issued before the deadline: another call still waits for the "
                    "token endpoint."
                )
            # The caller that held the lock before has fetched, or failed, for those that waited:
            # otherwise two hundred of them would call a failing endpoint two hundred times, one
            # after the other.
            current = self._token
            if current is not None and current is not kept:
                return current
            if self._failure is not None and self._failure is not earlier:
                raise _for_another(self._failure)
            left = None if seconds is None else seconds - (self._clock.monotonic() - began)
            try:
                return (yield from self._renew(exchange, left))
            except DeadlineExceeded:  # the deadline is this caller's own
                raise
            except VictorError as error:  # the failure counts for the waiting callers, too
                self._failure = _for_another(error)
                raise
        finally:
            place.release()

    def _renew(
        self, exchange: Exchange, seconds: float | None, *, best_effort: bool = False
    ) -> Flow[IssuedToken]:
        """Obtain a token, and keep it."""
        self._token = yield from self._obtain(exchange, seconds, best_effort=best_effort)
        self._failure = None
        return self._token

    def _fetch_if_nobody_does(
        self, kept: IssuedToken, exchange: Exchange, seconds: float | None
    ) -> Flow[IssuedToken | None]:
        """Fetch a token before the kept one ends. None: another caller fetches it, or the fetch
        failed, and the kept token is used.
        """
        place = self._lock()
        try:
            if not (yield partial(place.acquire, 0)):
                return None
            if self._token is not kept:
                return self._token  # another caller has just fetched it
            return (yield from self._renew(exchange, seconds, best_effort=True))
        except self.renewal_may_fail_with:
            # The kept token can still be used: for a while no call tries to fetch another.
            self._pause_ends = self._clock.monotonic() + ADVISORY_PAUSE
            return None
        finally:
            place.release()


def _for_another(failure: VictorError) -> VictorError:
    """A copy of the error for another call, which sets its own outcome on it."""
    copied = copy(failure)
    copied.__cause__ = failure.__cause__
    return copied


class OAuthToken(TokenCache):
    """A token from a token endpoint.

    Args:
        ask: Makes the request.
        read: Reads a token from the JSON object of the response and the provider's time; None
            without a token.
        hint: What to check when the endpoint refuses, for the message.
        code_of: Reads the provider's code from the response that refuses.
        row: The row of the endpoint in the table of its system.
    """

    def __init__(
        self,
        ask: Callable[[], httpx.Request],
        read: Callable[[dict[str, Any], float], IssuedToken | None],
        clock: ServerClock,
        lock: Lock,
        *,
        hint: str = "",
        code_of: Callable[[httpx.Response], str] = lambda _response: "",
        row: Operation = TOKEN,
    ) -> None:
        super().__init__(clock, lock)
        self._ask = ask
        self._read = read
        self._hint = hint
        self._code_of = code_of
        self._row = row

    def _obtain(
        self, exchange: Exchange, _seconds: float | None, /, *, best_effort: bool
    ) -> Flow[IssuedToken]:
        """Ask the endpoint for a token. Raises `AuthenticationError` if it issues none, and
        `StatusError` if somebody else responds in its place.
        """
        request = self._ask()
        request.extensions[OPERATION] = self._row
        try:
            response = yield from exchange(request, best_effort=best_effort)
        except UnreadableResponse as error:
            error.response = None  # its body may hold a token that works
            raise
        except StatusError as error:
            if not _is_refusal(error):
                raise
            refusal = self._refusal_error(request, error)
        else:
            token = self._read(response.json(), self._clock.now())
            if token is not None:
                return token
            raise UnreadableResponse(
                f"The response of the token endpoint {request.url.path} has status "
                f"{response.status_code}, but no usable token.",
                request=request,
            )
        raise refusal  # without the provider's error as its context

    def _refusal_error(self, request: httpx.Request, refusal: StatusError) -> StatusError:
        """The error for an endpoint that issued no token. One that somebody else wrote in its place
        says nothing of the credentials.
        """
        status = refusal.status_code
        is_page = refusal.intermediary is not None and status != 401
        is_refused = status in (200, 400, 401, 403) and not is_page
        what = "refused the credentials" if is_refused else "issued no token"
        hint = self._hint
        if status in _NO_ENDPOINT:
            hint = "Check the path of the base URL."
        elif is_page:
            hint = "That says nothing of the credentials: look at what is in front of the provider."
        code = "" if refusal.response is None or is_page else self._code_of(refusal.response)
        parts = (f"status {status}", refusal.intermediary, code and f"code {code}")
        problems = [Problem("", code, f"the provider gave the code {code}")] if code else []
        error_class = StatusError if is_page else AuthenticationError
        error = error_class(
            f"The token endpoint {request.url.path} {what} ({', '.join(filter(None, parts))}). "
            f"{hint}".rstrip(),
            request=request,
            response=refusal.response,
            request_id=refusal.request_id,
            problems=problems,
        )
        error.intermediary = refusal.intermediary
        return error


def _is_refusal(error: StatusError) -> bool:
    """Whether the endpoint refused, with an error status or in the body of a good one.

    A 404 counts too: raised as it is, it would read as if the payment of the call did not exist.
    """
    status = error.status_code or 0
    is_for_now = status >= 500 or status in errors.TRANSIENT_STATUSES
    return not (is_for_now or 300 <= status < 400 or isinstance(error, RateLimited))


def token_request(
    url: httpx.URL,
    body: Mapping[str, str],
    *,
    as_form: bool = False,
    headers: Mapping[str, str] | None = None,
) -> httpx.Request:
    """A POST with these members, as JSON or a form. No frame of httpx shows their text."""
    text = urlencode(body) if as_form else json.dumps(body)
    kind = "application/x-www-form-urlencoded" if as_form else "application/json"
    # `Content-Type` as httpx spells it: mocks compare it
    always = {"accept": "application/json", "Content-Type": kind}
    return httpx.Request(
        "POST", url, headers={**always, **(headers or {})}, content=SecretBytes(text.encode())
    )


def header_value(token_type: object, token: object) -> Secret | None:
    """The value of a header, `<type> <token>`; None if no header can hold it.

    Where the endpoint names no type, it is `Bearer`.
    """
    if not is_token(token):
        return None
    scheme = "Bearer"
    if isinstance(token_type, str) and token_type.isascii() and token_type.isprintable():
        scheme = str(token_type) or scheme
    if scheme.lower() == "bearer":
        scheme = "Bearer"  # some servers take no other spelling
    return Secret(f"{scheme} {token}") if is_scheme(scheme) else None


def basic(username: Secret, password: Secret) -> Secret:
    """The header of Basic authentication (RFC 7617)."""
    pair = Secret(f"{username}:{password}")
    return Secret("Basic " + base64.b64encode(pair.encode()).decode())
