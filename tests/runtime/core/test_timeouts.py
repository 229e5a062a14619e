"""The time-outs of an attempt shrink with the deadline of the call, and what it waits for is told
from the wire.
"""

from types import SimpleNamespace

import pytest

from victor_ext._runtime.core import clock as times
from victor_ext._runtime.core.clock import (
    DeadlineTimeout,
    ServerClock,
    is_over,
)

BEGAN = 5_000.0


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands still until `now` is set."""
    clock = SimpleNamespace(now=BEGAN)
    monkeypatch.setattr(times, "monotonic", lambda: clock.now)
    return clock


@pytest.mark.parametrize(
    ("passed", "passed_by_wall", "over"), [(9, 9, False), (10, 9, True), (9, 10, True)]
)
def test_a_write_is_over_by_the_clock_that_comes_first(
    clock, monkeypatch, passed, passed_by_wall, over
):
    """The wall clock may have been set back, and the other one stands still while it sleeps."""
    timeout = DeadlineTimeout.until(BEGAN + 10, 10, latest=80_010.0)
    monkeypatch.setattr(times.time, "time", lambda: 80_000.0 + passed_by_wall)
    clock.now = BEGAN + passed
    assert is_over(timeout) is over


def test_time_that_is_skipped_leaves_the_providers_clock_alone():
    clock = ServerClock()
    clock.learn("Fri, 01 Jan 2027 00:00:00 GMT")
    provider = clock.now()
    monotonic = clock.monotonic()
    clock.skip(60.0)
    assert abs(clock.now() - provider) < 30
    assert clock.monotonic() - monotonic >= 60
    assert clock.provider_time().is_known
