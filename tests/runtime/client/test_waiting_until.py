"""Waiting: how long each read may last, how long the pauses are, and when it is given up; by a
clock of its own.
"""

import math
from types import SimpleNamespace

import pytest

from victor_ext._runtime.client.polling import checked_seconds, poll
from victor_ext._runtime.loop.flow import Sleep
from victor_ext.errors import InvalidRequest, Outcome, RateLimited, ServerError, TimedOut

BEGAN = 5_000.0


class Harness:
    """A clock, and what each read brings: a word, or an error; the last of them for ever.

    A read may take its time.
    """

    def __init__(self, *brings, read_takes=0.0):
        self.now = BEGAN
        self.brings = list(brings)
        self.read_takes = read_takes
        self.reads = []
        self.pauses = []

    def read(self, seconds):
        self.reads.append(seconds)
        self.now += self.read_takes
        brought = self.brings.pop(0) if len(self.brings) > 1 else self.brings[0]
        if isinstance(brought, Exception):
            raise brought
        return brought
        yield  # what makes it a flow

    def wait(self, timeout, deadline=None, **options):
        resource = SimpleNamespace(
            deadline=deadline, clock=SimpleNamespace(monotonic=lambda: self.now)
        )
        flow = poll(
            resource,
            self.read,
            lambda word: word == "there",
            goal="In vain",
            advice="",
            timeout=timeout,
            **options,
        )
        while True:
            try:
                step = next(flow)
            except StopIteration as ended:
                return str(ended.value)
            assert isinstance(step, Sleep)
            self.pauses.append(step.seconds)
            self.now += step.seconds


class TestThePauses:
    @pytest.mark.parametrize(
        ("asked", "pauses"), [(4.0, [4.0, 0.75]), (0.1, [0.5, 0.75]), (None, [0.5, 0.75])]
    )
    def test_a_longer_pause_is_made_once_when_the_provider_asks_for_it(self, asked, pauses):
        late = RateLimited("too many", outcome=Outcome.REJECTED, retry_after=asked)
        harness = Harness(late, "not yet", "there")
        assert harness.wait(60) == "there"
        assert harness.pauses == pauses


class TestWhatIsSaid:
    def test_a_timed_out_wait_whose_reads_failed_says_so_and_has_the_cause(self):
        fault = ServerError("down", outcome=Outcome.UNKNOWN)
        with pytest.raises(
            TimedOut, match=r"^In vain within 1 s: it could not be read\."
        ) as raised:
            Harness(fault).wait(1)
        assert raised.value.__cause__ is fault


@pytest.mark.parametrize("seconds", [-1, 30 * 24 * 3600 + 1, math.nan, math.inf, "5", None, True])
def test_seconds_that_cannot_be_waited_are_refused_by_name(seconds):
    with pytest.raises(InvalidRequest, match=r"patience is .* \(30 days\)") as raised:
        checked_seconds(seconds, name="patience")
    assert raised.value.problems[0].field == "patience"
    assert [checked_seconds(each) for each in (0, 0.5, 30 * 24 * 3600)] == [0, 0.5, 30 * 24 * 3600]
