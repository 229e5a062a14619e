"""The window of time of a reconciliation, by the provider's clock, with a margin at both ends."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import IntEnum

from victor_ext import InvalidRequest, Problem

MARGIN = timedelta(minutes=10)
"""How far the time of one payment may differ in the two books: clocks differ, and calls are tried again."""

_BEYOND = timedelta(seconds=1)
"""How much further than the margin is read: no provider documents whether its ends are inclusive."""


class Zone(IntEnum):
    """Where a moment lies."""

    INSIDE = 0
    """In the window, and further than the margin from its ends. A payment without a time counts as inside."""

    EDGE = 1
    """In the window, near to an end: the other side may have it in the neighbouring window."""

    AROUND = 2
    """Outside of the window, near to an end: it is matched, and no part of the report if it is not."""

    OUTSIDE = 3
    """Further away. Theirs is matched, because the filter of a list may mean another time; ours is left out."""


@dataclass(frozen=True, slots=True)
class Window:
    """From `start` until just before `end`.

    Raises:
        InvalidRequest: A time is not aware, the window is empty, or the margin is negative.
    """

    start: datetime
    end: datetime
    margin: timedelta = MARGIN

    def __post_init__(self) -> None:
        problems = [
            Problem(name, "type", f"{name} must be an aware datetime: write datetime(2026, 3, 4, tzinfo=UTC).")
            for name, value in (("start", self.start), ("end", self.end))
            if not _is_aware(value)
        ]
        margin: object = self.margin
        if not isinstance(margin, timedelta) or margin < timedelta(0):
            problems.append(Problem("margin", "range", "margin must be a timedelta of 0 or more."))
        if not problems and self.start >= self.end:
            problems.append(Problem("end", "range", "end must be after start."))
        if problems:
            raise InvalidRequest.of(problems)

    @property
    def first(self) -> datetime:
        """The earliest moment within the margin."""
        return _moved(self.start, -self.margin)

    @property
    def last(self) -> datetime:
        """The latest moment within the margin."""
        return _moved(self.end, self.margin)

    @property
    def read_from(self) -> datetime:
        """Where the provider's list is read from: before `first`, because its filter may exclude its own ends."""
        return _moved(self.first, -_BEYOND)

    @property
    def read_to(self) -> datetime:
        """Where the provider's list is read to: after `last`, for the same reason."""
        return _moved(self.last, _BEYOND)

    def zone(self, moment: datetime | None) -> Zone:
        """Return where a moment lies."""
        if moment is None:
            return Zone.INSIDE
        if not self.first <= moment <= self.last:
            return Zone.OUTSIDE
        if not self.start <= moment < self.end:
            return Zone.AROUND
        near = moment - self.start < self.margin or self.end - moment <= self.margin
        return Zone.EDGE if near else Zone.INSIDE


def _is_aware(value: object) -> bool:
    return isinstance(value, datetime) and value.tzinfo is not None


def _moved(moment: datetime, by: timedelta) -> datetime:
    try:
        return moment + by
    except OverflowError:  # outside the years 1 to 9999
        return moment.astimezone(UTC)
