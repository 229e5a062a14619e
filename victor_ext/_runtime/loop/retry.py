"""When to try again, how long to wait before it, and what is sent then: the same body, and another
token after the credentials were refused.
"""

import random
import re
import threading
from collections.abc import Callable, Container
from dataclasses import dataclass
from typing import Protocol

import httpx

from victor_ext._runtime.core.clock import ServerClock, http_date
from victor_ext._runtime.core.headers import header_complaint
from victor_ext._runtime.core.locks import PerProcess
from victor_ext._runtime.core.response import Response
from victor_ext._runtime.core.validation import MOST_SECONDS, are_seconds, is_whole, shown
from victor_ext.errors import ConfigurationError, InvalidRequest, VictorError

from .flow import Flow

_SECONDS = r"[0-9]+(\.[0-9]+)?"
"""RFC 9110 has whole seconds; some providers send fractions."""

# seconds (300 years): a number of a `Retry-After` that no float can hold counts as this many
_MOST_ASKED = 1e10


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how patiently a call is tried again. It does not decide what may be tried
    again.

    The wait before retry n (1, 2, ...) is drawn evenly from 0 to min(cap, base * 2^(n-1)) seconds
    ("full jitter"). A `Retry-After` of the provider is added to it, as a minimum.

    Attributes:
        max_attempts: Attempts of one call in all, the first one included, 1 or more; 1 turns
            retries off.
        base: Upper bound of the first wait, in seconds; 0: only the wait that a `Retry-After` asks
            for.
        cap: Upper bound of any wait, in seconds (a `Retry-After` may be longer); 0 as for `base`.
        quota: Size of the client's retry quota in points: a retry costs 5, one after a timeout 10.
            0 allows no retry.

    Raises:
        ConfigurationError: A value is of another type, or out of range.
    """

    max_attempts: int = 6
    base: float = 0.5
    cap: float = 8.0
    quota: int = 500

    def __post_init__(self) -> None:
        if not is_whole(self.max_attempts, 1):
            attempts = shown(self.max_attempts)
            raise ConfigurationError(
                f"RetryPolicy(max_attempts={attempts}): give 1 (no retries) or more."
            )
        for name in ("base", "cap"):
            seconds: object = getattr(self, name)
            if not are_seconds(seconds, above_zero=False):
                limit = f"0 or more, up to {MOST_SECONDS:.0f} (30 days)"
                raise ConfigurationError(
                    f"RetryPolicy({name}={shown(seconds)}): give seconds, {limit}."
                )
        if not is_whole(self.quota, 0):
            raise ConfigurationError(
                f"RetryPolicy(quota={shown(self.quota)}): give a number of points, 0 or more."
            )

    def wait_before(self, retry: int, draw: Callable[[], float] = random.random) -> float:
        """Seconds to wait before the nth retry (n from 1). `draw` returns a number from 0 to 1."""
        # The exponent is bounded so that no number of retries overflows a float.
        return draw() * min(self.cap, self.base * 2.0 ** min(retry - 1, 60))


class RetryQuota:
    """A budget of retries for one client, so that those who wait for a failing provider do not
    overload it.

    Its figures are those of the AWS SDKs' standard retry mode. In a long outage a client sends
    about a hundred requests more than it has calls, however many share it. A success gives back 1,
    or what its last retry cost.
    """

    RETRY = 5
    RETRY_AFTER_TIMEOUT = 10
    REFUND = 1

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._available = capacity
        self._locks = PerProcess(threading.Lock)

    @property
    def available(self) -> int:
        return self._available

    def take(self, cost: int) -> bool:
        """Pay for a retry. False, and nothing is taken, when the bucket holds less than that."""
        with self._locks.here():
            if self._available < cost:
                return False
            self._available -= cost
            return True

    def give_back(self, amount: int) -> None:
        """Return what a retry cost once it succeeded, or `REFUND` after a success without any."""
        # The usual case, a full bucket, takes no lock. A stale read skips one refund of one token.
        if self._available >= self._capacity:
            return
        with self._locks.here():
            self._available = min(self._available + amount, self._capacity)


def parse_retry_after(value: str | None, now: float) -> float | None:
    """Seconds that a `Retry-After` header asks to wait (RFC 9110, 10.2.3), or None without a
    readable header.

    A date is compared with `now`, the provider's time in seconds since the epoch.
    """
    if value is None:
        return None
    text = value.strip()
    if re.fullmatch(_SECONDS, text):
        return min(float(text), _MOST_ASKED)
    moment = http_date(text)
    return None if moment is None else max(0.0, moment - now)


def keep_content(request: httpx.Request) -> None:
    """Read the body into memory, so that each attempt sends the same bytes.

    Raises:
        InvalidRequest: It must be awaited; or has another length than the request says: a file that
            was read before, in whole or in part.
    """
    if not isinstance(request.stream, httpx.SyncByteStream):
        raise InvalidRequest(
            "The request cannot be sent, and nothing was sent: its body must be awaited, so it can "
            "be read only once. Pass the bytes."
        )
    declared = request.headers.get("content-length")
    length = len(request.read())
    if declared is not None and declared != str(length):
        raise InvalidRequest(
            f"The request cannot be sent, and nothing was sent: of its body of {declared} bytes, "
            f"{length} are left to read. Pass the bytes, or a file that stands at its beginning."
        )


SIGNED = "victor_ext.signed"
"""The extension of a request with two facts of its token: whether an earlier call used it, and the
skew of the clock that it was signed by, in seconds; None for a token that somebody else issued."""


Exchange = Callable[..., Flow[Response]]
"""Sends a request of an authenticator, such as one for a token, within the deadline of the call.

With `best_effort=True`, it is tried once, for `BEST_EFFORT_SECONDS` at most."""


class Authenticator(Protocol):
    """Puts a token on each attempt."""

    def authorize(
        self, request: httpx.Request, exchange: Exchange, seconds: float | None, /
    ) -> Flow[None]:
        """Set the header.

        Fetch a token with `exchange` if one is needed, within `seconds` (None: no bound).
        """
        ...

    def should_retry_unauthorized(self, request: httpx.Request, /) -> bool:
        """After a refusal of the credentials: drop the token, and say whether another may help.

        Once in a call. See `may_be_outdated`.
        """
        ...


def may_be_outdated(request: httpx.Request, clock: ServerClock) -> bool:
    """Whether a request's token may have been revoked since an earlier call, or was signed by a
    clock that is off.
    """
    is_kept, skew = request.extensions.get(SIGNED, (False, None))
    return is_kept or (skew is not None and clock.was_corrected_since(skew))


def may_try_another_token(
    authenticator: Authenticator,
    request: httpx.Request,
    response: Response | None,
    refusing_statuses: Container[int],
) -> bool:
    """Whether to send a request once more, with another token: its response has a status that
    refuses the credentials (401 nearly everywhere), and its token may be outdated.
    """
    if response is None or response.status_code not in refusing_statuses:
        return False
    try:
        return authenticator.should_retry_unauthorized(request)
    except VictorError:
        # No other credentials can be had: the call's error is the refusal, with its outcome and
        # key.
        return False


def sendable(request: httpx.Request, authorize: Flow[None]) -> Flow[None]:
    """Authorize. Raises `ConfigurationError` when the header cannot be sent: httpx's error would
    show the token.
    """
    try:
        yield from authorize
        values = (value for name, value in request.headers.raw if name.lower() == b"authorization")
        complaint = next(map(header_complaint, values), None)
    except UnicodeEncodeError:  # the error holds the token
        complaint = "holds a character beyond ASCII"
    if complaint is not None:
        raise ConfigurationError(
            f"The credentials made an Authorization header that cannot be sent: it {complaint}. "
            "Check the token."
        )
