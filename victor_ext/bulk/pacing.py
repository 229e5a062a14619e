"""How fast rows are sent: an even pace when one was asked for, and pauses while the provider is in trouble."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from victor_ext import VictorError

_SLACK = 0.02
"""Seconds by which a row may make up for a late one before it: timers oversleep a little, every time."""
_FIRST_PAUSE = 1.0
_LONGEST_PAUSE = 30.0
_LONGEST_ASKED = 86_400.0
"""A day: a `Retry-After` can be longer than any lock can wait for."""


def pause_after(tries: int) -> float:
    """Seconds before a row that failed so many times (1, 2, ...) is tried again: 1, 2, 4, ... up to 30."""
    # The exponent is bounded so that no number of tries overflows a float.
    return min(_LONGEST_PAUSE, _FIRST_PAUSE * 2.0 ** min(tries - 1, 60))


def pause_asked(error: VictorError | None) -> float:
    """Seconds that the provider asks to wait, a day at most."""
    asked = None if error is None else error.retry_after
    return min(_LONGEST_ASKED, asked or 0.0)


class RateLimiter:
    """Lets rows go evenly: never more than `rate` a second, also right after it was made.

    Args:
        rate: Rows a second; None lets all go at once.
        stop: Ends every wait.
        monotonic: The clock, in seconds.
    """

    def __init__(
        self, rate: float | None, stop: threading.Event, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._gap = 0.0 if rate is None else 1.0 / rate
        self._stop = stop
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._next = monotonic() + self._gap

    def wait(self) -> None:
        """Wait for a turn of one's own."""
        if not self._gap:
            return
        with self._lock:
            now = self._monotonic()
            turn = max(self._next, now - _SLACK)
            self._next = turn + self._gap
        if turn > now:
            self._stop.wait(turn - now)


class Backoff:
    """Holds all rows of a process back while the provider fails, so that an outage does not use a batch up.

    Each failure after a pause makes the next pause twice as long, up to 30 seconds; a success after a pause makes the
    next one short again. No success ends a pause: its call was under way when the other one failed.
    """

    def __init__(self, stop: threading.Event, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._stop = stop
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._pause = 0.0
        self._until = 0.0
        self._number = 0

    def record_failure(self, at_least: float = 0.0) -> None:
        """A call failed. Those that failed together with it count as one failure."""
        with self._lock:
            now = self._monotonic()
            if now >= self._until:
                self._number += 1
                self._pause = min(_LONGEST_PAUSE, max(_FIRST_PAUSE, self._pause * 2))
                self._until = now + self._pause
            self._until = max(self._until, now + at_least)

    def record_success(self) -> None:
        """The provider answered."""
        if self._pause:
            with self._lock:
                if self._monotonic() >= self._until:
                    self._pause = 0.0

    def wait(self) -> None:
        """Wait until rows may go.

        All that wait for one pause go together when it ends, though one of them may have begun the next one before
        another one has woken: else a few would take all turns, and the patience of the others would end untried.
        """
        number = self._number
        while not self._stop.is_set() and self._number == number:
            left = self._until - self._monotonic()
            if left <= 0:
                return
            self._stop.wait(left)
