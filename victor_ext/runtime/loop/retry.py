"""When to try again, and how long to wait before it."""

from __future__ import annotations

import math
import random
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any

from victor_ext.errors import ConfigurationError
from victor_ext.runtime.client.seconds import MOST_SECONDS, are_seconds
from victor_ext.runtime.client.validation import shown

_SECONDS = re.compile(r"[0-9]+(\.[0-9]+)?")
"""RFC 9110 has whole ones; some providers send fractions, and to come back too early is no use."""

_MOST_ASKED = 1e10
"""Seconds (300 years) that a `Retry-After` can ask for: a number too large to be a float asks for no less."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how patiently a call is tried again. What may be tried again is not up to it.

    The wait before retry n (1, 2, ...) is drawn evenly from 0 to min(cap, base * 2^(n-1)) seconds
    ("full jitter"); a `Retry-After` of the provider is added to it as a minimum.

    Attributes:
        max_attempts: Attempts of one call in all, the first one included; 1 turns retries off.
        base: Upper bound of the first wait, in seconds.
        cap: Upper bound of any wait, in seconds (a `Retry-After` may be longer).
        quota: Size of the client's retry budget in tokens; a retry costs 5, one after a timeout 10.

    Raises:
        ConfigurationError: A value that no policy can have.
    """

    max_attempts: int = 6
    base: float = 0.5
    cap: float = 8.0
    quota: int = 500

    def __post_init__(self) -> None:
        if not _is_whole(self.max_attempts) or self.max_attempts < 1:
            attempts = shown(self.max_attempts)
            raise ConfigurationError(f"RetryPolicy(max_attempts={attempts}): give 1 (no retries) or more.")
        for name in ("base", "cap"):
            seconds: object = getattr(self, name)
            if not are_seconds(seconds, above_zero=False):
                limit = f"0 or more, up to {MOST_SECONDS:.0f} (30 days)"
                raise ConfigurationError(f"RetryPolicy({name}={shown(seconds)}): give seconds, {limit}.")
        if not _is_whole(self.quota) or self.quota < 0:
            raise ConfigurationError(f"RetryPolicy(quota={shown(self.quota)}): give a number of tokens, 0 or more.")

    def wait_before(self, retry: int, draw: Callable[[], float] = random.random) -> float:
        """Seconds to wait before the nth retry (n from 1); `draw` gives a number from 0 to 1."""
        # The exponent is bounded so that no number of retries overflows a float.
        return draw() * min(self.cap, self.base * 2.0 ** min(retry - 1, 60))

    def with_changes(self, **changes: Any) -> RetryPolicy:
        """A copy with some values changed."""
        return replace(self, **changes)


def _is_whole(number: object) -> bool:
    return isinstance(number, int) and not isinstance(number, bool)


def parse_retry_after(value: str | None, now: float) -> float | None:
    """Seconds that a `Retry-After` header asks to wait (RFC 9110, 10.2.3), or None when it asks nothing.

    Args:
        value: The header: seconds, or an HTTP date.
        now: The provider's time, in seconds since the epoch, which a date is compared with.
    """
    if value is None:
        return None
    text = value.strip()
    if _SECONDS.fullmatch(text):
        return min(float(text), _MOST_ASKED)
    try:
        moment = parsedate_to_datetime(text)
        seconds = moment.replace(tzinfo=moment.tzinfo or UTC).timestamp() - now
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return max(0.0, seconds) if math.isfinite(seconds) else None
