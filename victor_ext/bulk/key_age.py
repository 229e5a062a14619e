"""How old a key may be: by the provider's clock as its answers tell it, since its keys live by that one.

A machine's clock is set, drifts, and stops while the machine sleeps; two machines have two. So the moment before a row
is sent is the provider's, and so is the moment at which that is judged. A moment that a machine's clock alone tells is
not compared with the provider's. What cannot be judged is looked up.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from victor_ext import Outcome, RateLimited, StatusError, Victor, VictorError

from .rows import Sent

_MARGIN = 300.0
"""Seconds before the end of a key's life from which on it is not sent any more: a call and its retries take time."""
_LEAST_MARGIN = 70.0
"""The same for keys that live shorter: what a call takes by default, and a `Date` may be some seconds old."""
_DATES_DIFFER = 10.0
"""Seconds by which an age may be below zero: a `Date` has whole seconds and has travelled, and there are many hosts."""
_SHARED = 0.5
"""Seconds for which a read that failed stands for those of all threads: less than any of them waits for another."""
TIME_UNKNOWN = "It may have been sent, and the provider's time is not known."
"""The one reason that passes: an answer may tell the time yet."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment of this process, by both clocks of the machine."""

    local: float
    monotonic: float


class KeyClock:
    """The provider's time, for all chunks of a process.

    Args:
        victor: What the answers to its calls tell, counts; and it can be asked.
        caller: A digest of its credentials.
        monotonic, local: The clocks of this machine, in seconds.
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
        """Whether stored moments can be judged: the provider's time is known, or its answers tell none."""
        if self._victor.provider_time().is_known:
            self._tells_no_time = False
            return True
        return self._tells_no_time

    def ask(self) -> VictorError | None:
        """Make a small read, whose answer tells the time, unless that is settled.

        Returns:
            Why it is not settled: no answer came. Threads that ask at about the same time are told of one read.
        """
        with self._lock:
            if self.is_settled():
                return None
            if self._error is None or self._monotonic() - self._asked_at >= _SHARED:
                self._error = self._read()
                self._asked_at = self._monotonic()
            return self._error

    def now(self) -> Moment:
        """This moment."""
        return Moment(self._local(), self._monotonic())

    def as_sent(self, sent: Sent | Moment) -> Sent:
        """What is stored of a moment of this process: the provider's time then, if it is known by now."""
        if isinstance(sent, Sent):
            return sent
        time_there = self._victor.provider_time()
        if time_there.is_known:
            return Sent(time_there.moment.timestamp() - self._passed_since(sent), self._caller, known=True)
        return Sent(sent.local, self._caller, known=False)

    def reason_not_to_resend(self, sent: Sent | Moment, retention: float) -> str | None:
        """Why a row that may have been sent then is not sent once more; None if it can be.

        Args:
            sent: Since when it may have been sent: as it was stored, or a moment of this process.
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
        """Seconds since a moment of this process, by the clock of the machine that counts more of them."""
        return max(self._local() - moment.local, self._monotonic() - moment.monotonic)

    def _read(self) -> VictorError | None:
        """Ask; the error that is to be raised, if any."""
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


def _doubt_by_age(age: float, retention: float) -> str | None:
    """Why a key of this age is not sent: it may be forgotten before a call with it ends, or the age cannot be."""
    if age < -_DATES_DIFFER:
        return "It may have been sent at a moment that is yet to come: a clock was set."
    if age > retention - min(_MARGIN, max(_LEAST_MARGIN, retention / 10)):
        return "It may have been sent, longer ago than its key is kept."
    return None
