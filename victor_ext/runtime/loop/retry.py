"""When to try again, and how long to wait before it."""

import random
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass

from victor_ext.errors import ConfigurationError
from victor_ext.runtime.core.clock import http_date
from victor_ext.runtime.core.locks import PerProcess
from victor_ext.runtime.core.validation import MOST_SECONDS, are_seconds, shown

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
        if not _is_whole(self.max_attempts) or self.max_attempts < 1:
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
        if not _is_whole(self.quota) or self.quota < 0:
            raise ConfigurationError(
                f"RetryPolicy(quota={shown(self.quota)}): give a number of points, 0 or more."
            )

    def wait_before(self, retry: int, draw: Callable[[], float] = random.random) -> float:
        """Seconds to wait before the nth retry (n from 1). `draw` returns a number from 0 to 1."""
        # The exponent is bounded so that no number of retries overflows a float.
        return draw() * min(self.cap, self.base * 2.0 ** min(retry - 1, 60))


def _is_whole(number: object) -> bool:
    return isinstance(number, int) and not isinstance(number, bool)


class RetryQuota:
    """A budget of retries for one client, so that those who wait for a failing provider do not
    overload it.

    Its figures are those of the AWS SDKs' standard retry mode. In a long outage a client sends
    about a hundred requests more than it has calls, however many share it. A success gives back 1,
    or what its own retries cost.
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
