"""The tokens of a client: fixed, signed by this side, or issued by a token endpoint, and then kept
for all callers.
"""

import base64
import json
from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import dataclass
from functools import partial
from math import inf
from typing import Any, cast
from urllib.parse import urlencode

import httpx

from victor_ext.errors import (
    AuthenticationError,
    DeadlineExceeded,
    Problem,
    StatusError,
    UnreadableResponse,
    VictorError,
)
from victor_ext.privacy import Secret, SecretBytes
from victor_ext.runtime.core.clock import ServerClock, moment_of
from victor_ext.runtime.core.headers import is_scheme, is_token
from victor_ext.runtime.core.response import OPERATION
from victor_ext.runtime.loop.flow import Flow, Lock, done
from victor_ext.runtime.loop.operations import TOKEN, Operation
from victor_ext.runtime.loop.resending import SIGNED, Exchange, may_be_outdated

ADVISORY_SECONDS = (
    60.0  # before a token's end, from which one caller fetches the next one while others use this
)
MANDATORY_SECONDS = 10.0  # before its end, from which a token is not used
ADVISORY_PAUSE = (
    5.0  # seconds without another fetch after one failed, while the kept token can still be used
)
_NO_ENDPOINT = frozenset({404, 405, 410})
_PASSING_STATUSES = frozenset(
    {408, 425, 429}
)  # of 400 to 499, after which another attempt may help
_LONGEST_LIFE = (
    10 * 366 * 86_400.0
)  # in seconds: a token endpoint that names a longer life is not believed


class FixedToken:
    """A header value that needs no exchange: what a function returns for each attempt."""

    def __init__(self, current: Callable[[], str], *, header: str = "Authorization") -> None:
        self._current = current
        self._header = header

    def authorize(
        self,
        request: httpx.Request,
        exchange: Exchange,  # noqa: ARG002 - it makes no request of its own
        seconds: float | None,  # noqa: ARG002 - nothing here takes time
    ) -> Flow[None]:
        request.headers[self._header] = Secret(self._current())
        return done()

    def should_retry_unauthorized(self, request: httpx.Request) -> bool:
        """True if another token has replaced the one that was sent."""
        return bool(request.headers.get(self._header) != self._current())


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
        header: str = "Authorization",
    ) -> None:
        self._sign = sign
        self._clock = clock
        self._reuse = reuse
        self._header = header
        # A header value, the clock skew at signing, and the monotonic time until which it may be
        # reused.
        self._kept: tuple[str, float, float] | None = None

    def authorize(
        self,
        request: httpx.Request,
        exchange: Exchange,  # noqa: ARG002 - it makes no request of its own
        seconds: float | None,  # noqa: ARG002 - nothing here takes time
    ) -> Flow[None]:
        signed = self._kept
        is_kept = True
        if signed is None or self._clock.monotonic() >= signed[2]:
            skew = self._clock.skew
            is_kept = False
            signed = (
                Secret(self._sign(self._clock.now())),
                skew,
                self._clock.monotonic() + self._reuse,
            )
            self._kept = signed if self._reuse else None
        request.headers[self._header], skew, _until = signed
        request.extensions[SIGNED] = is_kept, skew
        return done()

    def should_retry_unauthorized(self, request: httpx.Request) -> bool:
        """See `may_be_outdated`."""
        self._kept = None
        return may_be_outdated(request, self._clock)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class IssuedToken:
    """A token as it was issued. Times are seconds since the epoch; `expires_at` may be None: not
    known.

    `skew` is that of the clock, in seconds, if this side has signed it.
    """

    header: str
    expires_at: float | None
    issued_at: float
    skew: float | None = None

    def seconds_left(self, now: float) -> float:
        """Seconds until the token ends. A token without a known end is kept until it is refused."""
        return inf if self.expires_at is None else self.expires_at - now

    def window(self, seconds: float) -> float:
        """A renewal window in seconds, at most a fifth of the token's life."""
        if self.expires_at is None:
            return seconds
        return min(seconds, max(0.0, (self.expires_at - self.issued_at) / 5))


def issued_for(body: dict[str, Any], now: float) -> IssuedToken | None:
    """Read `{access_token, token_type, expires_in}` (RFC 6749, 5.1), with `expires_in` in seconds.

    None without a token. One without a readable `expires_in` is kept until the provider refuses it.
    """
    said = body.get("expires_in")
    header = header_value(body.get("token_type"), body.get("access_token"))
    try:
        life = 0.0 if isinstance(said, bool) else float(cast("float", said))
    except (TypeError, ValueError, OverflowError):
        life = 0.0
    return (
        None
        if header is None
        else IssuedToken(header, now + life if 0 < life < _LONGEST_LIFE else None, now)
    )


def issued_until(
    body: dict[str, Any], now: float, *, member: str = "access_token", scheme: str | None = None
) -> IssuedToken | None:
    """As `issued_for`, of a body that has the token in this `member`, and `expires`: see
    `moment_of`.
    """
    header = header_value(scheme or body.get("token_type"), body.get(member))
    return None if header is None else IssuedToken(header, moment_of(body.get("expires")), now)


class TokenCache:
    """A client's token cache: a token is kept until shortly before it ends, and obtained once for
    all callers.
    """

    renewal_may_fail_with: type[Exception] = VictorError
    """What a renewal may raise without failing the call, which has a token that can still be used.
    """

    def __init__(self, clock: ServerClock, lock: Lock) -> None:
        self._clock = clock
        self._lock = lock
        self._token: IssuedToken | None = None
        self._failure: VictorError | None = None
        self._pause_ends = -inf

    def _obtain(
        self, exchange: Exchange, seconds: float | None, *, best_effort: bool
    ) -> Flow[IssuedToken]:
        raise NotImplementedError

    def authorize(
        self, request: httpx.Request, exchange: Exchange, seconds: float | None
    ) -> Flow[None]:
        """Set the header to the kept token.

        Fetches one first if none is kept, or it is about to expire.
        """
        kept = self._token
        if kept is None or (left := kept.seconds_left(self._clock.now())) <= kept.window(
            MANDATORY_SECONDS
        ):
            token = yield from self._fetch_once(kept, exchange, seconds)
        elif left <= kept.window(ADVISORY_SECONDS) and self._clock.monotonic() >= self._pause_ends:
            token = (yield from self._fetch_if_nobody_does(kept, exchange, seconds)) or kept
        else:
            token = kept
        request.headers["Authorization"] = token.header
        request.extensions[SIGNED] = token is kept, token.skew

    @property
    def has_token(self) -> bool:
        """Whether a kept token has not expired."""
        kept = self._token  # which another thread may drop meanwhile
        return kept is not None and kept.seconds_left(self._clock.now()) > 0

    def forget(self) -> None:
        """Drop the token, after it was revoked."""
        self._token = None

    def should_retry_unauthorized(self, request: httpx.Request) -> bool:
        """See `may_be_outdated`.

        Another caller may have fetched another token meanwhile, which is kept.
        """
        current = self._token
        is_outdated = may_be_outdated(request, self._clock)
        if (
            is_outdated
            and current is not None
            and current.header == request.headers.get("Authorization")
        ):
            self._token = None
        return is_outdated

    def _fetch_once(
        self, kept: IssuedToken | None, exchange: Exchange, seconds: float | None
    ) -> Flow[IssuedToken]:
        earlier = self._failure
        began = self._clock.monotonic()
        permit = self._lock.permit()
        try:
            if not (yield partial(permit.acquire, seconds)):
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
            except DeadlineExceeded:  # which is this caller's own
                raise
            except VictorError as error:  # it counts for the waiting callers, too
                self._failure = _for_another(error)
                raise
        finally:
            permit.release()

    def _renew(
        self, exchange: Exchange, seconds: float | None, *, best_effort: bool = False
    ) -> Flow[IssuedToken]:
        self._token = yield from self._obtain(exchange, seconds, best_effort=best_effort)
        self._failure = None
        return self._token

    def _fetch_if_nobody_does(
        self, kept: IssuedToken, exchange: Exchange, seconds: float | None
    ) -> Flow[IssuedToken | None]:
        permit = self._lock.permit()
        try:
            if not (yield partial(permit.acquire, 0)):
                return None
            if self._token is not kept:
                return self._token  # another caller has just fetched it
            return (yield from self._renew(exchange, seconds, best_effort=True))
        except self.renewal_may_fail_with:
            # The kept token can still be used: neither this call nor the next one waits for
            # another.
            self._pause_ends = self._clock.monotonic() + ADVISORY_PAUSE
            return None
        finally:
            permit.release()


def _for_another(failure: VictorError) -> VictorError:
    copied = copy(failure)  # the other call sets its own outcome on it
    copied.__cause__ = failure.__cause__
    return copied


class OAuthToken(TokenCache):
    """A token from a token endpoint, whose row in the table of its system is `row`.

    `ask` makes the request. `read` reads a token from the JSON object of the response and the
    provider's time; None without a token. `hint` says what to check when the endpoint refuses, and
    `code_of` reads the provider's code then.
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
        self,
        exchange: Exchange,
        seconds: float | None,  # noqa: ARG002 - the exchange knows what is left
        *,
        best_effort: bool,
    ) -> Flow[IssuedToken]:
        request = self._ask()
        request.extensions[OPERATION] = self._row
        try:
            response = yield from exchange(request, best_effort=best_effort)
        except StatusError as error:
            # A rejection, with an error status or in the body of a good one. A 404 counts too:
            # raised as it is, it would read as if the payment of the call did not exist.
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
                    f"The response of the token endpoint {request.url.path} has status "
                    f"{response.status_code}, but no usable token.",
                    request=request,
                )
            return token
        what = (
            "refused the credentials"
            if refusal.status_code in (200, 400, 401, 403)
            else "issued no token"
        )
        hint = (
            "Check the path of the base URL." if refusal.status_code in _NO_ENDPOINT else self._hint
        )
        code = "" if refusal.response is None else self._code_of(refusal.response)
        said = (
            f"status {refusal.status_code}, code {code}"
            if code
            else f"status {refusal.status_code}"
        )
        raise AuthenticationError(
            f"The token endpoint {request.url.path} {what} ({said}). {hint}".rstrip(),
            request=request,
            response=refusal.response,
            request_id=refusal.request_id,
            problems=[Problem("", code, f"the provider gave the code {code}")] if code else (),
        )


def token_request(
    url: httpx.URL,
    body: Mapping[str, str],
    *,
    as_form: bool = False,
    headers: Mapping[str, str] | None = None,
) -> httpx.Request:
    """A POST with these members, of which no frame of httpx shows the text."""
    content = SecretBytes((urlencode(body) if as_form else json.dumps(body)).encode())
    kind = "application/x-www-form-urlencoded" if as_form else "application/json"
    # as httpx spells it: mocks compare it
    always = {
        "accept": "application/json",
        "Content-Type": kind,
    }
    return httpx.Request("POST", url, headers={**always, **(headers or {})}, content=content)


def header_value(token_type: object, token: object) -> Secret | None:
    """`<type> <token>`, with `Bearer` where the endpoint named no type, or that one in any letter
    case: some servers take no other spelling. None if no header can hold them.
    """
    if not is_token(token):
        return None
    named = (
        isinstance(token_type, str)
        and token_type != ""
        and token_type.isascii()
        and token_type.isprintable()
    )
    scheme = str(token_type) if named else "Bearer"
    if scheme.lower() == "bearer":
        scheme = "Bearer"
    return Secret(f"{scheme} {token}") if is_scheme(scheme) else None


def basic(username: Secret, password: Secret) -> Secret:
    """The header of Basic authentication (RFC 7617)."""
    pair = Secret(f"{username}:{password}")
    return Secret("Basic " + base64.b64encode(pair.encode()).decode())
