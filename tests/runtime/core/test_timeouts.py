"""The time-outs of an attempt shrink with the deadline of the call, and what it waits for is told
from the wire.
"""

from types import SimpleNamespace

import pytest

from victor_ext._runtime.core import clock as times
from victor_ext._runtime.core.clock import (
    LEAST,
    DeadlineTimeout,
    ServerClock,
    Timeouts,
    as_of_now,
    is_over,
)

BEGAN = 5_000.0
CONFIGURED = {"connect": 5.0, "read": 20.0, "pool": None}


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands still until `now` is set."""
    clock = SimpleNamespace(now=BEGAN)
    monkeypatch.setattr(times, "monotonic", lambda: clock.now)
    return clock


def test_a_shrinking_timeout_is_shared_by_its_parts_and_never_falls_to_zero(clock):
    left = DeadlineTimeout.until(BEGAN + 10, 10)
    over = {passed: [LEAST] * 3 for passed in (10.0, 9.9999, 11.0, 5_000.0)}
    for passed, seconds in {
        0: [10, 5, 2.5],
        3: [7, 3.5, 1.75],
        9.5: [0.5, 0.25, 0.125],
        **over,
    }.items():
        clock.now = BEGAN + passed
        assert [as_of_now(left, parts) for parts in (1, 2, 4)] == seconds
    clock.now = BEGAN + 3
    assert as_of_now(DeadlineTimeout.until(BEGAN + 10, 2), 2) == 2


@pytest.mark.parametrize("timeout", [None, 0.0, 0.25, 7])
def test_a_timeout_without_a_deadline_does_not_change(clock, timeout):
    clock.now += 1_000
    assert as_of_now(timeout) is timeout
    assert as_of_now(timeout, 3) is timeout
    assert not is_over(timeout)


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


class TestByStage:
    def test_the_timeouts_of_an_attempt_without_a_deadline_are_as_configured(self, clock):
        stages = Timeouts(CONFIGURED, lambda: None)
        assert [stages.get(stage) for stage in ("connect", "read", "pool", "write")] == [
            5.0,
            20.0,
            None,
            None,
        ]
        assert stages.get("write", 3.0) == 3.0

    def test_a_timeout_is_at_most_the_time_left_when_its_stage_begins(self, clock):
        stages = Timeouts(CONFIGURED, lambda: BEGAN + 12 - clock.now)
        assert [stages.get(stage) for stage in ("connect", "read", "pool")] == [5.0, 12.0, 9.0]
        clock.now += 9
        assert [stages.get(stage) for stage in ("connect", "read")] == [3.0, 3.0]
        assert stages.get("write", 2.0) == 2.0

    @pytest.mark.parametrize("left", [0.0, -3.0, LEAST / 2])
    def test_a_timeout_after_the_deadline_is_a_short_moment(self, clock, left):
        read = Timeouts(CONFIGURED, lambda: left).get("read")
        assert read == as_of_now(read) == pytest.approx(LEAST)


def test_time_that_is_skipped_leaves_the_providers_clock_alone():
    clock = ServerClock()
    clock.learn("Fri, 01 Jan 2027 00:00:00 GMT")
    provider = clock.now()
    monotonic = clock.monotonic()
    clock.skip(60.0)
    assert abs(clock.now() - provider) < 30
    assert clock.monotonic() - monotonic >= 60
    assert clock.provider_time().is_known
