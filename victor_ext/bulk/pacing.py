"""When a row is sent: rate limiting, and the provider's time."""

import threading
import time
from collections.abc import Callable
from typing import Any

from victor_ext import Outcome, RateLimited, StatusError, VictorError
from victor_ext.settlement.key_age import Moment, Now, Sent

_SLACK = 0.02
"""Seconds that a row may catch up after a late one: timers wake slightly late."""
_SHARED = 0.5
"""Seconds for which threads share a failed read; shorter than any retry wait."""


class RateLimiter:
    """Spaces rows evenly: never more than `rate` per second, from the start. None: no limit."""

    def __init__(
        self,
        rate: float | None,
        stop: threading.Event,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._gap = 0.0 if rate is None else 1.0 / rate
        self._stop = stop
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._next = monotonic() + self._gap

    def wait(self) -> None:
        if not self._gap:
            return
        with self._lock:
            now = self._monotonic()
            turn = max(self._next, now - _SLACK)
            self._next = turn + self._gap
        if turn > now:
            self._stop.wait(turn - now)


class ProviderClock:
    """The provider's time, shared by all chunks of a process, by the responses to a client."""

    def __init__(self, client: Any, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._asked_at = 0.0
        self._error: VictorError | None = None
        self._tells_no_time = False

    def ask(self) -> VictorError | None:
        """Make a small read to get the provider's time, unless it is known, or no response has it.

        Return the error if no response came. Threads that ask at about the same time share one
        read.
        """
        with self._lock:
            if self.now().error is None:
                return None
            if self._error is None or self._monotonic() - self._asked_at >= _SHARED:
                self._error = self._read()
                self._asked_at = self._monotonic()
            return self._error

    def now(self) -> Now:
        provider = self._client.provider_time()
        if provider.is_known:
            self._tells_no_time = False
        error = None
        if not provider.is_known and not self._tells_no_time:
            error = self._error or VictorError("The provider has not answered yet.")
        return Now(Moment(time.time(), self._monotonic()), provider, error)

    def sent_now(self) -> Sent:
        """Ask for the time, and return the present one in a form that can be stored."""
        self.ask()
        now = self.now()
        return Sent.at(now.moment, now, self._client.caller)

    def _read(self) -> VictorError | None:
        try:
            self._client.ping()
        except VictorError as error:
            if not _is_refusal(error) and not self._client.provider_time().is_known:
                return error
        except Exception as error:  # noqa: BLE001 - whatever it was, no row must be sent for want of it
            return VictorError(f"An unexpected {type(error).__name__}.")
        self._tells_no_time = not self._client.provider_time().is_known
        return None


def _is_refusal(error: VictorError) -> bool:
    """Whether the provider has answered that it does not want the read."""
    is_status = isinstance(error, StatusError) and not isinstance(error, RateLimited)
    return is_status and error.outcome is Outcome.REJECTED
