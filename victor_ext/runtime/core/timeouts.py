"""The time of one attempt, in extensions of its request: timeouts, bounded by the deadline, and what is measured."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from victor_ext.runtime.core.clock import monotonic

LEAST = 0.001
"""Seconds that an expired timeout gets, so that it ends as a timeout and not as a wrong argument of a socket."""

WAITING_SHARE = 0.75
"""The part of the time left for which a call waits for its turn (`max_concurrency`), or for a place in the pool.

In an overload every turn comes at the end of the wait. A call that waited until its deadline would be sent with no time
left for the response, and end `unknown`."""


class DeadlineTimeout(float):
    """A timeout in seconds that is over at a fixed moment: `ends`, by the monotonic clock."""

    __slots__ = ("ends",)
    ends: float

    @classmethod
    def until(cls, ends: float, seconds: float) -> DeadlineTimeout:
        left = cls(seconds)
        left.ends = ends
        return left


def as_of_now(timeout: float | None, parts: int = 1) -> float | None:
    """The seconds that a timeout has now; of a `DeadlineTimeout`, for each of `parts` steps an equal part of it."""
    if type(timeout) is not DeadlineTimeout:
        return timeout
    return max(LEAST, min(timeout, (timeout.ends - monotonic()) / parts))


def is_over(timeout: float | None) -> bool:
    return type(timeout) is DeadlineTimeout and timeout.ends <= monotonic()


class Timeouts(dict[str, Any]):
    """Timeouts by stage, as httpx has them, each at most what is `left` of the deadline when its stage begins."""

    def __init__(self, configured: dict[str, float | None], left: Callable[[], float | None]) -> None:
        super().__init__(configured)
        self._left = left

    def get(self, key: str, default: Any = None) -> Any:
        """The timeout of a stage that begins now. If it is over, it still has `LEAST` seconds."""
        configured = super().get(key, default)
        left = self._left()
        if left is None:
            return configured
        if key == "pool":
            left *= WAITING_SHARE
        seconds = max(left, LEAST)
        return DeadlineTimeout.until(monotonic() + left, seconds if configured is None else min(configured, seconds))


# Extensions of a request: its `Timing`, where somebody listens, and whether ...
TIMING = "victor_ext.timing"
BEGUN = "victor_ext.begun"  # any of it may have been written; other transports do not say it
ALLOW_IMMEDIATE_REUSE = "victor_ext.allow_immediate_reuse"  # also where a late second response may come
REUSED_IMMEDIATELY = "victor_ext.reused_immediately"  # it went over a connection that had just been used
MAY_HAVE_BEEN_SENT = "victor_ext.may_have_been_sent"  # an error of its connection leaves open what was sent


class Timing:
    """The times of one attempt, in seconds: see `AttemptEnded`. They stay None with a transport that tells none."""

    __slots__ = ("_since", "connecting", "waited")

    def __init__(self) -> None:
        self._since = monotonic()
        self.waited: float | None = None
        self.connecting: float | None = None

    def admitted(self) -> None:
        """The wait for a place has ended, with or without one."""
        self.waited, self.connecting = monotonic() - self._since, 0.0

    def connected(self, began: float) -> None:
        """A connection that was begun at this monotonic time is open, or has failed."""
        self.connecting = (self.connecting or 0.0) + monotonic() - began
