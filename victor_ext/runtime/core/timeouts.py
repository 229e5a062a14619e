"""Timeouts of one attempt, bounded by the deadline of the whole call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from victor_ext.runtime.core.steady_clock import monotonic

LEAST = 0.001
"""Seconds that an expired timeout gets, so that it ends as a timeout and not as a wrong argument of a socket."""

WAITING_SHARE = 0.75
"""The part of the time left for which a call waits for its turn (`max_concurrency`), or for a place in the pool.

In an overload every turn comes at the end of the wait. A call that waited until its deadline would be sent with no time
left for the response, and end `unknown`."""


class DeadlineTimeout(float):
    """A timeout in seconds that ends at a fixed moment: `ends`, by the monotonic clock."""

    __slots__ = ("ends",)
    ends: float

    @classmethod
    def until(cls, ends: float, seconds: float) -> DeadlineTimeout:
        """A timeout of at most this many seconds that is over at `ends`."""
        left = cls(seconds)
        left.ends = ends
        return left


def as_of_now(timeout: float | None) -> float | None:
    """The seconds that a timeout has now. A `DeadlineTimeout` may have less than when it was made."""
    if type(timeout) is not DeadlineTimeout:
        return timeout
    return max(LEAST, min(timeout, timeout.ends - monotonic()))


def is_over(timeout: float | None) -> bool:
    """Whether a `DeadlineTimeout` has ended."""
    return type(timeout) is DeadlineTimeout and timeout.ends <= monotonic()


def share_of(timeout: float | None, parts: int) -> float | None:
    """A timeout for the next of `parts` steps, so that each step has an equal part of the time left."""
    if type(timeout) is not DeadlineTimeout:
        return timeout
    return max(LEAST, min(timeout, (timeout.ends - monotonic()) / parts))


class Timeouts(dict[str, Any]):
    """Timeouts by stage, each at most what is left of the deadline when its stage begins.

    Args:
        configured: Seconds by stage, as httpx has them.
        left: Seconds until the deadline, or None when there is none.
    """

    def __init__(self, configured: dict[str, float | None], left: Callable[[], float | None]) -> None:
        super().__init__(configured)
        self._left = left

    def get(self, key: str, default: Any = None) -> Any:
        """The timeout of a stage that begins now. It may be over: then it still has `LEAST` seconds."""
        configured = super().get(key, default)
        left = self._left()
        if left is None:
            return configured
        if key == "pool":
            left *= WAITING_SHARE
        seconds = max(left, LEAST)
        return DeadlineTimeout.until(monotonic() + left, seconds if configured is None else min(configured, seconds))


def configured_timeouts(extensions: dict[str, Any]) -> dict[str, float | None]:
    """The timeouts that a request was made with."""
    timeouts: dict[str, float | None] = extensions.get("timeout") or {}
    return timeouts
