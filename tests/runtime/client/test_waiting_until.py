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
    def test_the_pauses_of_a_wait_grow_by_half_up_to_fifteen_seconds(self):
        harness = Harness("not yet")
        with pytest.raises(TimedOut):
            harness.wait(150)
        growing = [0.5 * 1.5**n for n in range(9)]
        assert harness.pauses[:9] == pytest.approx(growing)
        assert harness.pauses[9:-1] == [15.0] * 7
        assert sum(harness.pauses) == pytest.approx(150)

    @pytest.mark.parametrize(
        ("asked", "pauses"), [(4.0, [4.0, 0.75]), (0.1, [0.5, 0.75]), (None, [0.5, 0.75])]
    )
    def test_a_longer_pause_is_made_once_when_the_provider_asks_for_it(self, asked, pauses):
        late = RateLimited("too many", outcome=Outcome.REJECTED, retry_after=asked)
        harness = Harness(late, "not yet", "there")
        assert harness.wait(60) == "there"
        assert harness.pauses == pauses


class TestTheReads:
    def test_a_read_of_a_wait_has_the_time_that_is_left_and_a_second_at_least(self):
        harness = Harness("not yet", read_takes=1.0)
        with pytest.raises(TimedOut):
            harness.wait(4)
        assert harness.reads == [4.0, 2.5, 1.0]
        assert harness.pauses == [0.5, 0.75]

    @pytest.mark.parametrize(
        ("timeout", "deadline", "first"),
        [(10, 4, None), (10, 10, None), (10, 11, 10), (10, None, 10), (0.2, 5, 1.0)],
    )
    def test_a_read_of_a_wait_keeps_the_clients_deadline_where_that_is_shorter(
        self, timeout, deadline, first
    ):
        harness = Harness("there")
        harness.wait(timeout, deadline)
        assert harness.reads == [first]

    @pytest.mark.parametrize("deadline", [None, 30.0])
    def test_a_wait_of_zero_seconds_is_one_read_with_the_whole_deadline(self, deadline):
        harness = Harness("not yet")
        with pytest.raises(TimedOut):
            harness.wait(0, deadline)
        assert (harness.reads, harness.pauses) == ([None], [])


class TestWhatIsSaid:
    def test_the_message_of_a_timed_out_wait_says_the_last_value_that_was_read(self):
        harness = Harness("first", "second")
        with pytest.raises(TimedOut, match=r"^In vain within 1 s: it is 'second'\.") as raised:
            harness.wait(1)
        assert raised.value.outcome is Outcome.UNKNOWN
        assert raised.value.__cause__ is None

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
