"""The provider's time, which all threads of a process share: at most one of them asks for it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from victor_ext import Outcome, RateLimited, StatusError, Victor, VictorError
from victor_ext.settlement import Moment, Now

_SHARED = 0.5
"""Seconds for which threads share a failed read; shorter than any retry wait."""


class ProviderClock:
    """The provider's time, shared by all chunks of a process.

    Args:
        victor: The client whose responses give the time; also used to request it.
    """

    def __init__(
        self,
        victor: Victor,
        monotonic: Callable[[], float] = time.monotonic,
        local: Callable[[], float] = time.time,
    ) -> None:
        self._victor = victor
        self._monotonic = monotonic
        self._local = local
        self._lock = threading.Lock()
        self._asked_at = 0.0
        self._error: VictorError | None = None
        self._tells_no_time = False

    def is_settled(self) -> bool:
        """Whether stored times can be evaluated: the provider's time is known, or its responses contain none."""
        if self._victor.provider_time().is_known:
            self._tells_no_time = False
            return True
        return self._tells_no_time

    def ask(self) -> VictorError | None:
        """Make a small read to get the provider's time, unless `is_settled`.

        Returns:
            The error if no response came. Threads that ask at about the same time share one read.
        """
        with self._lock:
            if self.is_settled():
                return None
            if self._error is None or self._monotonic() - self._asked_at >= _SHARED:
                self._error = self._read()
                self._asked_at = self._monotonic()
            return self._error

    def now(self) -> Now:
        """Return the present time. Makes no call."""
        error = None if self.is_settled() else self._error or VictorError("The provider has not answered yet.")
        return Now(Moment(self._local(), self._monotonic()), self._victor.provider_time(), error)

    def _read(self) -> VictorError | None:
        """Make a read; return the error if it gave no usable response."""
        try:
            next(self._victor.payment_requests.list(page_size=1).pages(), None)
        except VictorError as error:
            answered = isinstance(error, StatusError) and not isinstance(error, RateLimited)
            refused = answered and error.outcome is Outcome.REJECTED
            if not refused and not self._victor.provider_time().is_known:
                return error
        except Exception as error:  # noqa: BLE001 - whatever it was, no row must be sent for want of it
            return VictorError(f"An unexpected {type(error).__name__}.")
        self._tells_no_time = not self._victor.provider_time().is_known
        return None
