"""Monotonic time, and the provider's wall clock estimated from `Date` headers.

The time of one attempt is in extensions of its request: timeouts, bounded by the deadline, and what
is measured.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_tz
from functools import partial
from math import inf
from typing import Any

from victor_ext._values.clocks import TOLERATED_SKEW
from victor_ext._values.opaque import FrozenStruct

monotonic = partial(time.monotonic)
"""Seconds that always pass: freezegun, which stops `time.monotonic` wherever it finds it, leaves a
partial alone.
"""


_JUMP_SECONDS = 0.1
"""A clock that moves this much against the monotonic one between two responses was set."""

_EARLIEST = 1_577_836_800.0
_LATEST = 7_258_118_400.0
"""The years 2020 and 2200. A `Date` outside of them comes from a broken clock and is ignored."""


class ProviderTime(FrozenStruct, frozen=True):
    """The provider's wall clock time.

    Attributes:
        moment: An aware datetime, in UTC.
        is_known: Whether a `Date` header says so, to within two seconds and the time that the
            response took. If False, `moment` is this machine's own time: no response has come yet,
            none had a `Date`, or since then this machine slept or its clock was set.
    """

    moment: datetime
    is_known: bool


class ServerClock:
    """The provider's wall clock, estimated from its `Date` headers.

    While this machine's clock agrees with it to within two seconds, this machine's clock is used.
    Otherwise the last `Date` is carried forward by the monotonic clock, which no correction of the
    local clock moves.
    """

    _skipped = 0.0  # seconds of monotonic time that `skip` has let pass

    def __init__(self) -> None:
        # In all three, monotonic times are without what was skipped, which moves none of them.
        # The last `Date` as text, and the local time less the monotonic time at which it came:
        self._last: tuple[str, float] | None = None
        # The provider's time, and the monotonic time at which it was; None: the clocks agree.
        self._anchor: tuple[float, float] | None = None
        # The monotonic and the local time at which the last readable `Date` came:
        self._last_date: tuple[float, float] | None = None

    def monotonic(self) -> float:
        """Seconds that always pass, with those that `skip` has let pass."""
        return monotonic() + self._skipped

    def skip(self, seconds: float) -> None:
        """Let monotonic time pass at once, and the provider's wall clock stay: for tests that wait
        for nothing.
        """
        self._skipped += seconds

    def countdown(self, seconds: float | None) -> Callable[[], float | None]:
        """A function that returns how many of these seconds, counted from now, are left; for None,
        which is no bound, it returns None.
        """
        if seconds is None:
            return lambda: None
        ends = self.monotonic() + seconds
        return lambda: ends - self.monotonic()

    def local(self) -> float:
        """This machine's own time, in seconds since the epoch."""
        return time.time()

    def now(self) -> float:
        """The provider's time, in seconds since the epoch."""
        if self._anchor is None:
            return self.local()
        provider, then = self._anchor
        return provider + (self.monotonic() - self._skipped - then)

    def moment(self) -> datetime:
        """The provider's time, as an aware datetime in UTC."""
        return datetime.fromtimestamp(self.now(), UTC)

    def provider_time(self) -> ProviderTime:
        """The provider's time, and whether a `Date` header says so. See `ProviderTime`."""
        if self._last_date is not None:
            then, local = self._last_date
            passed = self.monotonic() - self._skipped - then
            if abs(self.local() - local - passed) <= TOLERATED_SKEW:
                return ProviderTime(self.moment(), is_known=True)
        return ProviderTime(datetime.fromtimestamp(self.local(), UTC), is_known=False)

    @property
    def skew(self) -> float:
        """Seconds by which the provider's clock is ahead of this machine's; 0.0 while they
        agree.
        """
        return 0.0 if self._anchor is None else self.now() - self.local()

    def was_corrected_since(self, skew: float) -> bool:
        """Whether the skew differs from this earlier one: a token that was signed then was signed
        by a wrong clock, so another token may help.
        """
        return abs(self.skew - skew) > TOLERATED_SKEW

    def learn(self, date_header: str | None) -> None:
        """Learn from a `Date` header that has just arrived. A header that is unreadable or out of
        range changes nothing.
        """
        if date_header is None:
            return
        local = self.local()
        monotonic = self.monotonic() - self._skipped
        last = self._last
        self._last = (date_header, local - monotonic)
        # Within one second all responses carry the same text, which needs to be read once only;
        # unless this machine's clock was set meanwhile, and has moved against the monotonic one.
        if (
            last is not None
            and last[0] == date_header
            and abs(last[1] - self._last[1]) < _JUMP_SECONDS
        ):
            return
        provider = http_date(date_header)
        if provider is None or not _EARLIEST <= provider <= _LATEST:
            return
        self._last_date = (monotonic, local)
        self._anchor = (provider, monotonic) if abs(provider - local) > TOLERATED_SKEW else None


def http_date(text: str) -> float | None:
    """An HTTP date (RFC 9110, 5.6.7) as seconds since the epoch, or None when it is not one."""
    try:
        parts = parsedate_tz(text)
        if parts is None:
            return None
        moment = datetime(*parts[:6], tzinfo=UTC) - timedelta(seconds=parts[9] or 0)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return moment.timestamp()


_SMALLEST_MILLISECONDS = 1e11  # the year 1973; in seconds it would be the year 5138


def epoch_seconds(value: object) -> float | None:
    """A moment in seconds since the epoch, from seconds or (from 10^11 on) milliseconds; None for
    what is no such number, and for a moment after 2200.
    """
    try:
        number = float(value) if isinstance(value, str) else value
    except ValueError:
        return None
    if isinstance(number, bool) or not isinstance(number, int | float):
        return None
    if not 0 < number < _LATEST * 1000:
        return None
    seconds = number / 1000 if number >= _SMALLEST_MILLISECONDS else float(number)
    return seconds if seconds <= _LATEST else None


_UNBOUNDED = 30 * 86_400.0
"""Seconds in place of no bound: not every system can wait for ever."""

LEAST = 0.001
"""Seconds that an expired timeout gets, so that it ends as a timeout and not as a wrong argument of
a socket.
"""

WAITING_SHARE = 0.75
"""The part of the time left for which a call waits for a place in the pool.

In an overload every place comes at the end of the wait. A call that waited until its deadline would
be sent with no time left for the response, and end `unknown`."""


SEND_BEFORE: ContextVar[tuple[float, float] | None] = ContextVar("SEND_BEFORE", default=None)
"""Until when the decision to make a write holds, by the wall clock of this machine and by the
monotonic one. See `send_before` of the clients."""


class DeadlineTimeout(float):
    """A timeout in seconds that is over at a fixed moment of both clocks: `ends`, by the monotonic
    clock, which stands still in a suspend; or `latest`, by the wall clock, which may be set.
    """

    __slots__ = ("ends", "latest")
    ends: float
    latest: float

    @classmethod
    def until(cls, ends: float, seconds: float, latest: float = inf) -> DeadlineTimeout:
        """A timeout of so many seconds that is over at this moment at the latest."""
        left = cls(seconds)
        left.ends = ends
        left.latest = latest
        return left


def as_of_now(timeout: float | None, parts: int = 1) -> float | None:
    """The seconds that a timeout has now. Those that a `DeadlineTimeout` has left are divided
    equally among so many `parts`, which are steps to come.
    """
    if type(timeout) is not DeadlineTimeout:
        return timeout
    return max(LEAST, min(timeout, (timeout.ends - monotonic()) / parts))


def is_over(timeout: float | None) -> bool:
    """Whether the moment of a `DeadlineTimeout` has come; no other timeout is ever over."""
    if type(timeout) is not DeadlineTimeout:
        return False
    return timeout.ends <= monotonic() or timeout.latest <= time.time()


class Timeouts(dict[str, Any]):
    """Timeouts by stage, as httpx has them. Each is at most what is left of the deadline when its
    stage begins: `left` returns that. `latest` returns when writing is over by the wall clock.
    """

    def __init__(
        self,
        configured: dict[str, float | None],
        left: Callable[[], float | None],
        latest: Callable[[], float] | None = None,
    ) -> None:
        super().__init__(configured)
        self._left = left
        self._latest = latest

    def get(self, key: str, default: Any = None) -> Any:
        """The timeout of a stage that begins now: what is configured, or the rest of the deadline
        if that is less.

        At least `LEAST` seconds of a rest, so that an expired one ends as a timeout. Waiting for
        the pool has a share of the rest alone; only writing has an end by the wall clock.
        """
        configured = super().get(key, default)
        write_until = self._latest() if key == "write" and self._latest is not None else inf
        left = self._left()
        if left is None:
            if write_until == inf:
                return configured
            left = _UNBOUNDED
        share = left * WAITING_SHARE if key == "pool" else left
        seconds = max(share, LEAST)
        if configured is not None:
            seconds = min(configured, seconds)
        return DeadlineTimeout.until(monotonic() + share, seconds, write_until)


TIMING = "victor_ext.timing"
"""The extension of a request with its `Timing`, where somebody listens."""
BEGUN = "victor_ext.begun"
"""The extension of a request: whether any of it may have been written. Transports of others do not
set it.
"""
ALLOW_IMMEDIATE_REUSE = "victor_ext.allow_immediate_reuse"
"""The extension of a request: whether it may go over a connection that has just been used, where a
late second response may come.
"""
REUSED_IMMEDIATELY = "victor_ext.reused_immediately"
"""The extension of a request: whether it went over a connection that had just been used."""
MAY_HAVE_BEEN_SENT = "victor_ext.may_have_been_sent"
"""The extension of a request: whether it may have been sent even if an error says that no
connection could be made.
"""


class Timing:
    """The times of one attempt, in seconds: see `AttemptEnded`.

    They stay None with a transport that tells none.
    """

    __slots__ = ("_since", "connecting", "waited")

    def __init__(self) -> None:
        self._since = monotonic()
        self.waited: float | None = None
        self.connecting: float | None = None

    def admitted(self) -> None:
        """Note that the wait for a place in the pool has ended, with or without a place."""
        self.waited = monotonic() - self._since
        self.connecting = 0.0

    def connected(self, began: float) -> None:
        """Note that a connection that was begun at this monotonic time is open, or has failed."""
        self.connecting = (self.connecting or 0.0) + monotonic() - began
