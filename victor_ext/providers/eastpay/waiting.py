"""Inquiring again and again, until it is known what became of a payment."""

from __future__ import annotations

import math
from collections.abc import Callable

from victor_ext.runtime.calls import Flow
from victor_ext.runtime.clock import ServerClock
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

from .records import Payment

_FIRST_PAUSE = 1.0
_LONGEST_PAUSE = 15.0
_SHORTEST_INQUIRY = 0.1
_PASSING = (ConnectionFailed, TimedOut, ServerError, RateLimited, UnreadableResponse)


def checked_timeout(timeout: object) -> float:
    """Seconds to wait. Raises `InvalidRequest`."""
    if isinstance(timeout, bool) or not isinstance(timeout, int | float) or not 0 <= timeout < math.inf:
        message = f"timeout={timeout!r} must be seconds, zero or more."
        raise InvalidRequest.of([Problem("timeout", "invalid", message)])
    return float(timeout)


def wait_for_result(
    inquire: Callable[[float | None], Flow[Payment]],
    asked: str,
    *,
    timeout: float,
    deadline: float | None,
    clock: ServerClock,
) -> Flow[Payment]:
    """Inquire until there is a result that is final, through troubles that pass.

    No inquiry lasts longer than what is left of the `timeout`, nor than the client's `deadline`. A `timeout` of zero
    is one inquiry, which has all of the deadline.
    """
    ends = clock.monotonic() + timeout
    pause = _FIRST_PAUSE
    last: Payment | None = None
    trouble: PaymentApiError | None = None
    while True:
        left = max(ends - clock.monotonic(), _SHORTEST_INQUIRY)
        bounded = timeout > 0 and (deadline is None or left < deadline)
        try:
            last = yield from inquire(left if bounded else None)
        except _PASSING as error:
            trouble = error
        else:
            trouble = None
            if not last.result.must_inquire:
                return last
        left = ends - clock.monotonic()
        if left <= 0:
            raise _waited_in_vain(asked, last, timeout) from trouble
        asked_to_wait = 0.0 if trouble is None else trouble.retry_after or 0.0
        yield Sleep(min(max(pause, asked_to_wait), left))
        pause = min(pause * 1.5, _LONGEST_PAUSE)


def _waited_in_vain(asked: str, last: Payment | None, timeout: float) -> TimedOut:
    seen = "it could not be read" if last is None else f"it is {last.result.kind.value} ({last.result})"
    return TimedOut(
        f"Payment {asked} was not settled within {timeout:g} s: {seen}. Wait again, or inquire later; do not charge "
        "again.",
        outcome=Outcome.UNKNOWN,
    )
