"""How long a sender waits after a failure: `pause_after` for one payment, `Backoff` for all
payments while the provider fails.
"""

import threading
import time
from collections.abc import Callable

from victor_ext import VictorError

_FIRST_PAUSE = 1.0
_LONGEST_PAUSE = 30.0
_LONGEST_ASKED = 86_400.0
"""The maximum seconds of a `Retry-After`: more could exceed the maximum timeout of a lock."""


def pause_after(tries: int) -> float:
    """Return the seconds before the next attempt after `tries` failures: 1, 2, 4, ... up to 30."""
    # Limit the exponent to avoid float overflow.
    return min(_LONGEST_PAUSE, _FIRST_PAUSE * 2.0 ** min(tries - 1, 60))


def pause_asked(error: VictorError | None) -> float:
    """Return the seconds that the provider asks to wait, at most one day."""
    asked = None if error is None else error.retry_after
    return min(_LONGEST_ASKED, asked or 0.0)


class Backoff:
    """Pauses all payments of a process while the provider fails, so that an outage does not exhaust
    a batch, and a refusal does not become a storm.

    A failure after a pause doubles the next pause, up to 30 seconds; a success after a pause resets
    it. A success during a pause has no effect: its call started before the failure.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._pause = 0.0
        self._until = 0.0

    def record_failure(self, at_least: float = 0.0) -> None:
        """Record a failed call, and pause for at least `at_least` seconds.

        Failures during a pause do not double it.
        """
        with self._lock:
            now = self._monotonic()
            if now >= self._until:
                self._pause = min(_LONGEST_PAUSE, max(_FIRST_PAUSE, self._pause * 2))
                self._until = now + self._pause
            self._until = max(self._until, now + at_least)

    def record_success(self) -> None:
        """Record a call that succeeded: after a pause, the next pause is a short one again."""
        if self._pause:
            with self._lock:
                if self._monotonic() >= self._until:
                    self._pause = 0.0

    def left(self) -> float:
        """Return the seconds that are left of the pause; 0: there is none."""
        return max(0.0, self._until - self._monotonic())
