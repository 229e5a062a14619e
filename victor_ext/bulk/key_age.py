"""Decide from the age of a key whether a row can be sent again.

The age is measured with the provider's clock, estimated from its responses, because the provider expires its keys by
that clock. Local clocks drift, stop during sleep and differ between machines, so a local time is never compared with
the provider's. If the age cannot be determined, the row is looked up.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from victor_ext import Outcome, RateLimited, StatusError, Victor, VictorError

from .rows import Sent

_MARGIN = 300.0
"""Seconds before a key expires in which it is no longer sent: a call and its retries take time."""
_LEAST_MARGIN = 70.0
"""Minimum margin for short retentions: the default call duration, plus the age of a `Date` header."""
_DATES_DIFFER = 10.0
"""Tolerance in seconds for a negative age: `Date` has whole seconds, arrives late, and differs between hosts."""
_SHARED = 0.5
"""Seconds for which threads share a failed read; shorter than any retry wait."""
TIME_UNKNOWN = "It may have been sent, and the provider's time is not known."
"""The only temporary reason: a later response may give the time."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A time in this process, by both local clocks."""

    local: float
    monotonic: float


class KeyClock:
    """The provider's time, shared by all chunks of a process.

    Args:
        victor: The client whose responses give the time; also used to request it.
        caller: Digest of the client's credentials.
        monotonic, local: Clocks of this machine, in seconds.
    """

    def __init__(
        self,
        victor: Victor,
        caller: str | None,
        monotonic: Callable[[], float] = time.monotonic,
        local: Callable[[], float] = time.time,
    ) -> None:
        self._victor = victor
        self._caller = caller
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

    def now(self) -> Moment:
        """Return the current time."""
        return Moment(self._local(), self._monotonic())

    def as_sent(self, sent: Sent | Moment) -> Sent:
        """Convert a time of this process for storage: to the provider's time, if it is known."""
        if isinstance(sent, Sent):
            return sent
        time_there = self._victor.provider_time()
        if time_there.is_known:
            return Sent(time_there.moment.timestamp() - self._passed_since(sent), self._caller, known=True)
        return Sent(sent.local, self._caller, known=False)

    def reason_not_to_resend(self, sent: Sent | Moment, retention: float) -> str | None:
        """Return why a row that may have been sent must not be sent again; None if it can be.

        Args:
            sent: Earliest possible send, as stored or as a time in this process.
            retention: Seconds for which the provider keeps a key.
        """
        if isinstance(sent, Moment):
            return _doubt_by_age(self._passed_since(sent), retention)
        time_there = self._victor.provider_time()
        if not time_there.is_known and not self._tells_no_time:
            return TIME_UNKNOWN
        if sent.known != time_there.is_known:
            return "It may have been sent at a moment that only the clock of a machine tells."
        now = time_there.moment.timestamp()
        if (doubt := _doubt_by_age(now - sent.since, retention)) is not None:
            return doubt
        if sent.by != self._caller:
            return "It may have been sent with other credentials, whose keys the provider may keep apart."
        return None

    def _passed_since(self, moment: Moment) -> float:
        """Return the seconds since `moment`, by whichever local clock shows more."""
        return max(self._local() - moment.local, self._monotonic() - moment.monotonic)

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


def longest_call(retention: float) -> float:
    """Return the seconds within which a call must end, all its attempts included, so that its key does not expire.

    Args:
        retention: Seconds for which the provider keeps a key.
    """
    return _margin(retention) - _DATES_DIFFER


def _margin(retention: float) -> float:
    return min(_MARGIN, max(_LEAST_MARGIN, retention / 10))


def _doubt_by_age(age: float, retention: float) -> str | None:
    """Return why a key of this age must not be sent: it may expire during the call, or the age is impossible."""
    if age < -_DATES_DIFFER:
        return "It may have been sent at a moment that is yet to come: a clock was set."
    if age > retention - _margin(retention):
        return "It may have been sent, longer ago than its key is kept."
    return None
