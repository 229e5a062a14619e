"""The fixture `time_travel`: the sandbox's business clock, and clients that wait for nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from victor_ext.sandbox.server import ServerCommands

__all__ = ("TimeTravel",)


class TimeTravel:
    """Sets the business clock of a sandbox forward. Requests that are due then have moved, such as to `expired`.

    The wall clock stays, by which tokens expire.

    Args:
        sandbox: The sandbox of any provider, in this process or in another one.
    """

    def __init__(self, sandbox: ServerCommands) -> None:
        self._sandbox = sandbox

    @property
    def now(self) -> datetime:
        """The time of the business clock, in UTC."""
        return datetime.fromtimestamp(self._sandbox.clock()["now"], UTC)

    def advance(self, *, days: float = 0, hours: float = 0, minutes: float = 0, seconds: float = 0) -> int:
        """Let `days`, `hours`, `minutes` and `seconds` pass; returns how many moves of requests that made.

        A negative time is a `ValueError`.
        """
        return self._sandbox.advance(timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds))

    def to(self, moment: datetime) -> int:
        """Let the time pass until `moment`, an aware datetime; returns as `advance` does.

        A moment in the past is a `ValueError`.
        """
        if moment.utcoffset() is None:
            raise ValueError("moment must be an aware datetime, such as datetime(2026, 3, 4, 12, tzinfo=UTC)")
        return self._sandbox.advance(moment - self.now)
