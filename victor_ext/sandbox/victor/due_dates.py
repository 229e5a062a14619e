"""The rule for due dates: from today until 24 hours from now.

The provider does not say in which time zone. Without a zone, a date that is right anywhere on earth is accepted. With
one, only its days count, so that a caller can meet the refusal that the provider may give.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from victor_ext.sandbox.server.context import Clock

_WESTERNMOST = timezone(timedelta(hours=-12))
_EASTERNMOST = timezone(timedelta(hours=14))
_FURTHEST = timedelta(hours=24)


def read_zone(name: str) -> ZoneInfo:
    """A zone by its name in the IANA database; `ValueError` for an unknown name."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        example = "America/New_York"
        raise ValueError(f"due_date_zone must be the name of a time zone such as {example}, not {name!r}") from None


class DueDates:
    """The accepted due dates, by the business clock."""

    def __init__(self, clock: Clock, zone: str | None) -> None:
        self._clock = clock
        own = None if zone is None else read_zone(zone)
        self._west: tzinfo = own or _WESTERNMOST
        self._east: tzinfo = own or _EASTERNMOST

    def earliest(self) -> date:
        """Today, in the zone where the date is earliest."""
        return self._now().astimezone(self._west).date()

    def tomorrow(self) -> date:
        """The day after `earliest`."""
        return self.earliest() + timedelta(days=1)

    def latest(self) -> date:
        """The date 24 hours from now, in the zone where it is latest."""
        return (self._now() + _FURTHEST).astimezone(self._east).date()

    def end_of(self, day: date) -> float:
        """Epoch seconds at which a day is over in every zone that counts."""
        following = day + timedelta(days=1)
        return datetime(following.year, following.month, following.day, tzinfo=self._west).timestamp()

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock.now(), UTC)
