"""Rate limiting, and backoff while the provider fails."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from sqlalchemy.exc import SQLAlchemyError

from victor_ext import VictorError

from .notices import database_notices

_SLACK = 0.02
"""Seconds that a row may catch up after a late one: timers wake slightly late."""
_FIRST_PAUSE = 1.0
_LONGEST_PAUSE = 30.0
_LONGEST_ASKED = 86_400.0
"""Seconds. A longer `Retry-After` could exceed the maximum timeout of a lock."""


def pause_after(tries: int) -> float:
    """Return the seconds before the next attempt after `tries` failures: 1, 2, 4, ... up to 30."""
    # Limit the exponent to avoid float overflow.
    return min(_LONGEST_PAUSE, _FIRST_PAUSE * 2.0 ** min(tries - 1, 60))


def pause_asked(error: VictorError | None) -> float:
    """Return the seconds that the provider asks to wait, at most one day."""
    asked = None if error is None else error.retry_after
    return min(_LONGEST_ASKED, asked or 0.0)


class RateLimiter:
    """Spaces rows evenly: never more than `rate` per second, from the start.

    Args:
        rate: Rows per second, or None for no limit.
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
        """Wait for the caller's turn."""
        if not self._gap:
            return
        with self._lock:
            now = self._monotonic()
            turn = max(self._next, now - _SLACK)
            self._next = turn + self._gap
        if turn > now:
            self._stop.wait(turn - now)


class Backoff:
    """Pauses all rows of a process while the provider fails, so that an outage does not exhaust a batch.

    A failure after a pause doubles the next pause, up to 30 seconds; a success after a pause resets it. A success
    during a pause has no effect: its call started before the failure.
    """

    def __init__(self, stop: threading.Event, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._stop = stop
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._pause = 0.0
        self._until = 0.0
        self._number = 0

    def record_failure(self, at_least: float = 0.0) -> None:
        """Record a failed call; pause at least `at_least` seconds. Failures during a pause count as one."""
        with self._lock:
            now = self._monotonic()
            if now >= self._until:
                self._number += 1
                self._pause = min(_LONGEST_PAUSE, max(_FIRST_PAUSE, self._pause * 2))
                self._until = now + self._pause
            self._until = max(self._until, now + at_least)

    def record_success(self) -> None:
        """Record a successful call."""
        if self._pause:
            with self._lock:
                if self._monotonic() >= self._until:
                    self._pause = 0.0

    def wait(self) -> None:
        """Wait until the pause ends.

        All waiters of one pause are released together, even if one of them has already started the next pause.
        Otherwise a few rows would take every turn, and the patience of the others would end before they were tried.
        """
        number = self._number
        while not self._stop.is_set() and self._number == number:
            left = self._until - self._monotonic()
            if left <= 0:
                return
            self._stop.wait(left)


def rate_of(queue: str, stop: threading.Event) -> float | None:
    """Return the rate of a batch from its queue. Retries while the database is unavailable."""
    from dbos import DBOS  # noqa: PLC0415 - a check of rows needs no DBOS, and it takes half of the start
    from dbos import error as dbos_error  # noqa: PLC0415 - see above

    failures = 0
    while not stop.is_set():
        try:
            registered = DBOS.retrieve_queue(queue)
            limiter = None if registered is None else registered.limiter
        except (SQLAlchemyError, dbos_error.DBOSException) as error:
            database_notices.report(error)
            failures += 1
            stop.wait(pause_after(failures))
            continue
        return None if limiter is None else limiter["limit"] / limiter["period"]
    return None
