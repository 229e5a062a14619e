"""Time-outs of one attempt that know of the deadline of the whole call."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

LEAST = 0.001
"""Seconds. What is over gets this much, so that it ends as a time-out and not as a misuse of a socket."""


class DeadlineTimeout(float):
    """A time-out in seconds that shrinks: `ends` is the moment, by the monotonic clock, at which it is over."""

    __slots__ = ("ends",)
    ends: float

    @classmethod
    def until(cls, ends: float, seconds: float) -> DeadlineTimeout:
        """A time-out of at most so many seconds, that is over at `ends`."""
        left = cls(seconds)
        left.ends = ends
        return left


def as_of_now(timeout: float | None) -> float | None:
    """A time-out as it is at this moment: one that shrinks may have shrunk since it was made."""
    if type(timeout) is not DeadlineTimeout:
        return timeout
    return max(LEAST, min(timeout, timeout.ends - time.monotonic()))


def is_over(timeout: float | None) -> bool:
    """Whether a time-out that shrinks has nothing left."""
    return type(timeout) is DeadlineTimeout and timeout.ends <= time.monotonic()


def share_of(timeout: float | None, parts: int) -> float | None:
    """A time-out for the next of so many steps, none of which may use up what the others need."""
    if type(timeout) is not DeadlineTimeout:
        return timeout
    return max(LEAST, min(timeout, (timeout.ends - time.monotonic()) / parts))


class Timeouts(dict[str, Any]):
    """Time-outs by stage, each never more than what is left of the deadline when its stage begins.

    Args:
        configured: Seconds by stage, as httpx has them.
        left: Seconds until the deadline, or None when there is none.
    """

    def __init__(self, configured: dict[str, float | None], left: Callable[[], float | None]) -> None:
        super().__init__(configured)
        self._left = left

    def get(self, key: str, default: Any = None) -> Any:
        """The time-out of a stage that begins now."""
        configured = super().get(key, default)
        left = self._left()
        if left is None:
            return configured
        left = max(left, LEAST)
        return DeadlineTimeout.until(time.monotonic() + left, left if configured is None else min(configured, left))


def configured_timeouts(extensions: dict[str, Any]) -> dict[str, float | None]:
    """What a request was given."""
    timeouts: dict[str, float | None] = extensions.get("timeout") or {}
    return timeouts
