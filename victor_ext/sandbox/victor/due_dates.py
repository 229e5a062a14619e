"""Which due dates are right: from today until 24 hours from now, by the days of some zone.

The provider does not say of which. Without a zone, what is right anywhere on earth is right; with one, its days alone
count, so that a caller meets the refusal that the provider may give.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from victor_ext.sandbox.server.clock import Clock

_WESTERNMOST = timezone(timedelta(hours=-12))
"""Where a day begins last, and ends last."""
_EASTERNMOST = timezone(timedelta(hours=14))
"""Where it begins first."""
_FURTHEST = timedelta(hours=24)
"""A due date may not lie further ahead than this."""


def read_zone(name: str) -> ZoneInfo:
    """A zone by its name in the IANA database; `ValueError` when there is none."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        example = "America/New_York"
        raise ValueError(f"due_date_zone must be the name of a time zone such as {example}, not {name!r}") from None


class DueDates:
    """The rule for due dates, by the business clock."""

    def __init__(self, clock: Clock, zone: str | None) -> None:
        self._clock = clock
        own = None if zone is None else read_zone(zone)
        self._west: tzinfo = own or _WESTERNMOST
        self._east: tzinfo = own or _EASTERNMOST

    def earliest(self) -> date:
        """Today, where the day is the earliest of those that count."""
        return self._now().astimezone(self._west).date()

    def latest(self) -> date:
        """The day of 24 hours from now, where it is the latest of those that count."""
        return (self._now() + _FURTHEST).astimezone(self._east).date()

    def over(self, day: date) -> float:
        """Epoch seconds at which a day is over wherever it counts."""
        following = day + timedelta(days=1)
        return datetime(following.year, following.month, following.day, tzinfo=self._west).timestamp()

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock.now(), UTC)
