"""Waiting for what Velo does later: reading it now and again, until it is there or the time is up."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeVar

from victor_ext.runtime.calls import Flow
from victor_ext.runtime.errors import (
    ConnectionFailed,
    InvalidRequest,
    PaymentApiError,
    Problem,
    RateLimited,
    ServerError,
    TimedOut,
    UnreadableResponse,
)
from victor_ext.runtime.flow import Sleep
from victor_ext.runtime.outcome import Outcome

T = TypeVar("T")

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 15.0
_PASSING = (ConnectionFailed, TimedOut, ServerError, RateLimited, UnreadableResponse)


def wait_until(
    read: Callable[[], Flow[T]],
    there: Callable[[T], bool],
    *,
    what: str,
    timeout: float,
    monotonic: Callable[[], float],
) -> Flow[T]:
    """Read until it is there.

    Args:
        read: Reads it once.
        there: Whether it is as it is waited for; may raise when that can no longer be.
        what: What is waited for, for the message.
        timeout: Seconds in all.
        monotonic: A clock.

    Raises:
        TimedOut: It did not come to that in time.
    """
    ends = monotonic() + timeout
    pause = FIRST_PAUSE
    while True:
        trouble: PaymentApiError | None = None
        try:
            last = yield from read()
        except _PASSING as error:
            trouble, seen = error, "it could not be read"
        else:
            if there(last):
                return last
            seen = "it is not there" if last is None else f"it is {last!r}"
        left = ends - monotonic()
        if left <= 0:
            raise TimedOut(
                f"{what} did not come about within {timeout:g} s: {seen}. Wait again, or read it now and again.",
                outcome=Outcome.UNKNOWN,
            ) from trouble
        asked = trouble.retry_after if trouble is not None else None
        yield Sleep(min(max(pause, asked or 0.0), left))
        pause = min(pause * 1.5, LONGEST_PAUSE)


def checked_timeout(timeout: object) -> float:
    """Seconds to wait, or `InvalidRequest`."""
    if isinstance(timeout, bool) or not isinstance(timeout, int | float) or not math.isfinite(timeout) or timeout < 0:
        message = f"timeout is {timeout!r} and must be seconds, 0 or more."
        raise InvalidRequest.of([Problem("timeout", "range", message)])
    return float(timeout)
