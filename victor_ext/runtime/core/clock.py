"""Monotonic time, and the provider's wall clock estimated from `Date` headers."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_tz
from functools import partial

monotonic = partial(time.monotonic)
"""Seconds that always pass: freezegun, which stops `time.monotonic` wherever it finds it, leaves a partial alone."""


TOLERATED_SKEW = 2.0
"""Seconds. A `Date` header has whole seconds and was under way: a smaller difference means nothing."""

_SET = 0.1  # seconds: a clock that moves this much against the monotonic one between two responses was set

_EARLIEST, _LATEST = 1_577_836_800.0, 7_258_118_400.0
"""The years 2020 and 2200. A `Date` outside of them comes from a broken clock and is ignored."""


@dataclass(frozen=True, slots=True)
class ProviderTime:
    """The provider's wall clock time.

    Attributes:
        moment: An aware datetime, in UTC.
        is_known: Whether a `Date` header says so, to within two seconds and the time that the response took. If False,
            `moment` is this machine's own time: no response has come yet, none had a `Date`, or since then this
            machine slept or its clock was set.
    """

    moment: datetime
    is_known: bool


class ServerClock:
    """The provider's wall clock, estimated from its `Date` headers.

    While this machine's clock agrees with it to within two seconds, this machine's clock is used. Otherwise the last
    `Date` is carried forward by the monotonic clock, which no correction of the local clock moves.
    """

    _skipped = 0.0  # seconds of monotonic time that `skip` has let pass

    def __init__(self) -> None:
        self._last: tuple[str, float] | None = None
        self._anchor: tuple[float, float] | None = None
        self._last_date: tuple[float, float] | None = None  # the monotonic and the local time at which it came
        # The monotonic times of all three are without what was skipped, which moves none of them.

    def monotonic(self) -> float:
        return monotonic() + self._skipped

    def skip(self, seconds: float) -> None:
        """Let monotonic time pass at once, and the provider's wall clock stay: for tests that wait for nothing."""
        self._skipped += seconds

    def countdown(self, seconds: float | None) -> Callable[[], float | None]:
        """A function that returns how many of these seconds, counted from now, are left. None: no bound."""
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
        return self.local() if anchor is None else anchor[0] + (self.monotonic() - self._skipped - anchor[1])

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
        """Seconds by which the provider's clock is ahead of this machine's; 0.0 while they agree."""
        return 0.0 if self._anchor is None else self.now() - self.local()

    def was_corrected_since(self, skew: float) -> bool:
        """Whether a token that was signed with this skew was signed by a clock that was wrong: another may help."""
        return abs(self.skew - skew) > TOLERATED_SKEW

    def learn(self, date_header: str | None) -> None:
        """Learn from a `Date` header that has just arrived. One that is unreadable or out of range changes nothing."""
        if date_header is None:
            return
        local, monotonic = self.local(), self.monotonic() - self._skipped
        last, self._last = self._last, (date_header, local - monotonic)
        # Within one second all responses carry the same text, which needs to be read once only; unless this machine's
        # clock was set meanwhile, and has moved against the monotonic one.
        if last is not None and last[0] == date_header and abs(last[1] - self._last[1]) < _SET:
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
