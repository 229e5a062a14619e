"""Whatever happens, in whatever order: what holds of every call."""

import os
from dataclasses import dataclass, field, replace

import httpx
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.runtime.fakes import (
    BODY,
    KEY,
    TRANSIENT,
    Happens,
    Harness,
    http_date,
)
from victor_ext._runtime.loop.call_events import Event
from victor_ext._runtime.loop.retry import RetryPolicy
from victor_ext.errors import DeadlineExceeded, VictorError

SEARCHED = 3 if "VICTOR_SEARCH" in os.environ else 1
MANY = settings(max_examples=200 * SEARCHED)

NEVER_LEFT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
LEFT = (
    httpx.ReadError,
    httpx.ReadTimeout,
    httpx.WriteError,
    httpx.WriteTimeout,
    httpx.RemoteProtocolError,
    httpx.LocalProtocolError,
    httpx.CloseError,
)
STATUSES = (200, 201, 204, 301, 302, 307, 400, 401, 403, 404, 409, 422, 429, 501, 530, *TRANSIENT)
SECONDS = st.sampled_from([0.0, 0.0, 0.0, 0.3, 4.0, 19.0, 45.0])
ASLEEP = st.sampled_from([0.0, 0.0, 0.0, 0.0, 400.0, 90_000.0])
RETRY_AFTERS = st.sampled_from(
    [None, None, None, "0", "2", "50", "700", "soon", http_date(1_770_000_030.0)]
)
LOCATIONS = st.sampled_from(
    [None, "/moved", "https://pay.example/moved", "https://evil.example/moved"]
)


@st.composite
def answers(draw):
    headers = [("Retry-After", draw(RETRY_AFTERS)), ("Location", draw(LOCATIONS))]
    return Happens(
        status=draw(st.sampled_from(STATUSES)),
        body=draw(
            st.sampled_from([b'{"id": "1"}', b'{"id": "1"}', b'{"id": "1', b"", b"<html>", b"[]"])
        ),
        headers=tuple((name, value) for name, value in headers if value is not None),
        cut=draw(st.sampled_from([False, False, False, True])),
        seconds=draw(SECONDS),
        suspended=draw(ASLEEP),
    )


faults = st.builds(
    lambda error, seconds, asleep: Happens(error=error, seconds=seconds, suspended=asleep),
    st.sampled_from(NEVER_LEFT + LEFT),
    SECONDS,
    ASLEEP,
)
happenings = st.lists(st.one_of(answers(), faults), min_size=1, max_size=10)
policies = st.builds(
    RetryPolicy,
    max_attempts=st.integers(1, 7),
    base=st.sampled_from([0.0, 0.5, 3.0]),
    cap=st.sampled_from([0.0, 2.0, 8.0]),
    quota=st.sampled_from([0, 5, 14, 500]),
)


@dataclass
class Case:
    """One call of one harness, ready to run in either mode."""

    script: list[Happens]
    method: str
    key: str | None
    policy: RetryPolicy
    deadline: float | None
    drift: float | None
    luck: float
    events: list[Event] = field(default_factory=list)

    def run(self, mode):
        self.events = []
        harness = Harness(
            self.script,
            mode,
            self.policy,
            self.deadline,
            drift=self.drift,
            draw=lambda: self.luck,
            on_event=self.events.append,
        )
        harness.network.keeps_limits = True
        try:
            answer = harness.call(self.method, self.key)
        except VictorError as error:
            return harness, error
        assert 200 <= answer.status_code < 300
        assert answer.json() == {"id": "1"}
        return harness, None


cases = st.builds(
    Case,
    script=happenings,
    method=st.sampled_from(["GET", "POST", "PUT", "DELETE", "PATCH"]),
    key=st.sampled_from([None, KEY]),
    policy=policies,
    deadline=st.sampled_from([None, 1.0, 25.0, 60.0]),
    drift=st.sampled_from([None, 0.0, 500.0, -500.0]),
    luck=st.sampled_from([0.0, 0.4, 1.0]),
)


@MANY
@given(cases)
def test_attempts_and_deadline_are_kept_and_no_unkeyed_write_is_repeated_in_doubt(case):
    harness, error = case.run("sync")
    _attempts_are_bounded(case, harness, error)
    _the_deadline_holds(case, harness, error)
    _a_write_without_a_key_is_not_repeated_in_doubt(case, harness)
    _requests_are_the_same_and_signed(case, harness)


def _attempts_are_bounded(case, harness, error):
    # A token that is refused is renewed once.
    assert 1 <= len(harness.received) <= case.policy.max_attempts + 1
    assert len(harness.sleeps) <= case.policy.max_attempts - 1
    assert error is None or error.attempts == len(harness.received)


def _the_deadline_holds(case, harness, error):
    if case.deadline is None:
        has_slept = any(happened.suspended for happened in harness.network.brought)
        assert has_slept or not isinstance(error, DeadlineExceeded)
        return
    # The last thousandth is what a stage gets at least.
    assert harness.clock.passed <= case.deadline + 0.001
    for one in harness.received:
        left = case.deadline - one.at
        assert left > 0
        assert all(limit is not None and limit <= left + 0.001 for limit in one.timeouts.values())


def _a_write_without_a_key_is_not_repeated_in_doubt(case, harness):
    """Only after what never left, a 429 and a 401, which are refusals."""
    if case.method == "GET" or case.key is not None:
        return
    for happened in harness.network.brought[:-1]:
        is_refused = happened.status in (401, 429) and not happened.error and not happened.cut
        assert happened.error in NEVER_LEFT or is_refused


def _requests_are_the_same_and_signed(case, harness):
    body = b"" if case.method == "GET" else BODY
    assert {(one.method, one.key, one.body) for one in harness.received} == {
        (case.method, case.key, body)
    }
    assert len({one.token for one in harness.received}) == len(harness.received)
    assert {httpx.URL(one.url).host for one in harness.received} == {"pay.example"}
    if case.method != "GET":
        assert {one.url for one in harness.received} == {"https://pay.example/payments"}


@MANY
@given(cases)
def test_blocking_and_awaited_calls_do_the_same(case):
    ours, our_events = case.run("sync"), case.events
    theirs, their_events = case.run("async"), case.events
    for harness, error in (ours, theirs):
        if error is not None:
            assert error.idempotency_key == (None if case.method == "GET" else case.key)
        assert harness.quota.available <= case.policy.quota
    assert ours[0].received == theirs[0].received
    assert ours[0].sleeps == theirs[0].sleeps
    assert [replace(event, call_id="") for event in our_events] == [
        replace(event, call_id="") for event in their_events
    ]
    assert ours[0].quota.available == theirs[0].quota.available
    assert _facts(ours[1]) == _facts(theirs[1])


def _facts(error):
    if error is None:
        return None
    return (
        type(error),
        str(error),
        error.outcome,
        error.attempts,
        error.retry_after,
        error.status_code,
        error.body,
    )
