"""Time: how long something takes, and what o'clock it is at the provider."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_tz

TOLERATED_SKEW = 2.0
"""Seconds. A `Date` header has whole seconds and has travelled: a smaller difference is not a fact."""

_SET = 0.1
"""Seconds by which a clock has moved against the monotonic one when somebody has set it: no drift is as fast."""

_EARLIEST, _LATEST = 1_577_836_800.0, 7_258_118_400.0
"""The years 2020 and 2200: a `Date` outside of them is a broken clock's, and no token or due date is made by it."""


@dataclass(frozen=True, slots=True)
class ProviderTime:
    """What time it is at the provider.

    Attributes:
        moment: An aware datetime, in UTC.
        is_known: Whether a `Date` header says so, to within two seconds and the time that its answer took. If it is
            not known, it is this machine's own time: no answer has come yet, none had a `Date`, or this machine's
            clock was set, or the machine slept, since it came.
    """

    moment: datetime
    is_known: bool


class ServerClock:
    """The provider's clock, as its `Date` headers show it.

    While this machine's clock agrees with it to within two seconds, this machine's clock is used. When it
    does not, the last `Date` is taken and carried forward by the monotonic clock, which no correction of
    the local clock moves.
    """

    def __init__(self) -> None:
        self._last: tuple[str, float] | None = None
        self._anchor: tuple[float, float] | None = None
        self._told: tuple[float, float] | None = None
        """The monotonic and the local time at which the last `Date` came."""

    def monotonic(self) -> float:
        """Seconds for measuring durations."""
        return time.monotonic()

    def countdown(self, seconds: float | None) -> Callable[[], float | None]:
        """Tells, at any later moment, what is left of so many seconds from now; None when they have no end."""
        if seconds is None:
            return lambda: None
        ends = self.monotonic() + seconds
        return lambda: ends - self.monotonic()

    def local(self) -> float:
        """This machine's own time, in seconds since the epoch."""
        return time.time()

    def now(self) -> float:
        """The provider's time, in seconds since the epoch."""
        anchor = self._anchor
        if anchor is None:
            return self.local()
        return anchor[0] + (self.monotonic() - anchor[1])

    def moment(self) -> datetime:
        """The provider's time, as an aware datetime in UTC."""
        return datetime.fromtimestamp(self.now(), UTC)

    def provider_time(self) -> ProviderTime:
        """The provider's time, and whether an answer has told it. See `ProviderTime`."""
        told = self._told
        if told is not None:
            then, local = told
            passed = self.monotonic() - then
            if abs(self.local() - local - passed) <= TOLERATED_SKEW:
                return ProviderTime(self.moment(), is_known=True)
        return ProviderTime(datetime.fromtimestamp(self.local(), UTC), is_known=False)

    @property
    def skew(self) -> float:
        """Seconds by which the provider's clock is ahead of this machine's; 0.0 while they agree."""
        return 0.0 if self._anchor is None else self.now() - self.local()

    def learn(self, date_header: str | None) -> None:
        """Take note of a `Date` header that has just arrived. One that cannot be read, or be true, changes nothing."""
        if date_header is None:
            return
        local, monotonic = self.local(), self.monotonic()
        last, self._last = self._last, (date_header, local - monotonic)
        # Within one second all answers carry the same text, and the first of them has been read. It says something new
        # where this machine's clock was set since: then the two clocks here have gone different ways.
        if last is not None and last[0] == date_header and abs(last[1] - self._last[1]) < _SET:
            return
        there = http_date(date_header)
        if there is None or not _EARLIEST <= there <= _LATEST:
            return
        self._told = (monotonic, local)
        self._anchor = (there, monotonic) if abs(there - local) > TOLERATED_SKEW else None


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
