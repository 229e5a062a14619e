"""Waiting for what a provider does later: repeated reads, until it is done or the time has
passed.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

from victor_ext import errors
from victor_ext._runtime.core.validation import MOST_SECONDS, are_seconds, shown
from victor_ext._runtime.loop.flow import Sleep
from victor_ext.errors import InvalidRequest, Outcome, Problem, TimedOut, VictorError

from .resources import Shared
from .runners import OperationFlow

T = TypeVar("T")

_logger = logging.getLogger("victor_ext.client")

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 15.0
"""Seconds between two reads, at most: half a second at first, and 1.5 times as much each time."""

LEAST_READ = 1.0  # seconds that the last read has, however little of the time is left

_PASSING = (
    errors.ConnectionFailed,
    TimedOut,
    errors.ServerError,
    errors.RateLimited,
    errors.UnreadableResponse,
)


def require_passing(error: VictorError) -> None:
    """Raise the error of a read, unless it is temporary, or says nothing of what is read: nobody
    knows what somebody in front of the provider means.
    """
    is_of_credentials = isinstance(error, errors.AuthenticationError)
    says_nothing = error.intermediary is not None and not is_of_credentials
    if not (says_nothing or isinstance(error, _PASSING)):
        raise error


def poll(
    shared: Shared,
    read: Callable[[float | None], OperationFlow[T]],
    reached: Callable[[T], bool],
    *,
    goal: str,
    advice: str,
    timeout: float,
    within: float | None = None,
    describe: Callable[[T], str] = repr,
    longest_pause: float = LONGEST_PAUSE,
) -> OperationFlow[T]:
    """Read something again and again, until it is as wanted, and return it.

    Args:
        shared: The client's clock and deadline.
        read: Reads it once, within these seconds (None: within the client's deadline).
        reached: Whether it is as wanted. May raise, where it can no longer become so.
        goal: What was not reached, for the error: see `timeout_error`; so are `advice` and
            `describe`, which says in what state it was last.
        timeout: Seconds until the error; 0: it is read once.
        within: The seconds that the error names, if they are not the `timeout`.
        longest_pause: Seconds between two reads, at most.

    Raises:
        TimedOut: The time has passed.
        InvalidRequest: The timeout is no number of seconds.
        VictorError: A read failed in a way that is not temporary.
    """
    monotonic = shared.clock.monotonic
    deadline = shared.deadline
    seconds = checked_seconds(timeout)
    ends = monotonic() + seconds
    pause = FIRST_PAUSE
    last_state = "it could not be read"
    while True:
        left = max(ends - monotonic(), LEAST_READ)
        is_bounded = seconds > 0 and (deadline is None or left < deadline)
        failure: VictorError | None = None
        try:
            result = yield from read(left if is_bounded else None)
        except VictorError as error:
            require_passing(error)
            failure = error
            if error.intermediary is not None:
                last_state = f"it could not be read ({error.summary.rstrip('.')})"
            _logger.info("%s", error.summary, extra={"notice": True})
        else:
            if reached(result):
                return result
            last_state = f"it is {describe(result)}"
        left = ends - monotonic()
        if left <= 0:
            named_seconds = seconds if within is None else within
            raise timeout_error(goal, named_seconds, last_state, advice) from failure
        retry_after = failure.retry_after if failure is not None else None
        yield Sleep(min(max(pause, retry_after or 0.0), left), is_between_reads=True)
        pause = min(pause * 1.5, longest_pause)


def timeout_error(goal: str, seconds: float, last_state: str, advice: str) -> TimedOut:
    """The error for a `goal` that was not reached in time, such as "Payout p-1 did not become
    ACCEPTED", with advice what to do. `last_state` says what was read last.
    """
    return TimedOut(
        f"{goal} within {seconds:g} s: {last_state}.", outcome=Outcome.UNKNOWN, hint=advice
    )


def checked_seconds(timeout: object, *, name: str = "timeout") -> float:
    """Seconds to wait. Raises `InvalidRequest`."""
    if not are_seconds(timeout, above_zero=False):
        message = (
            f"{name} is {shown(timeout)} and must be seconds, 0 or more, up to "
            f"{MOST_SECONDS:.0f} (30 days)."
        )
        raise InvalidRequest.of([Problem(name, "range", message)])
    return float(timeout)  # type: ignore[arg-type] # it is a number
