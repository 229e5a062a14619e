"""Whatever happens, in whatever order: what holds of every call."""

import os
from dataclasses import dataclass
from typing import Any

import httpx
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.runtime.fakes import (
    BODY,
    KEY,
    OK,
    TRANSIENT,
    Happens,
    Harness,
    by_oauth,
    http_date,
    token_answer,
)
from victor_ext.errors import DeadlineExceeded, Outcome, VictorError
from victor_ext.runtime.loop.retry import RetryPolicy

SEARCHED = 3 if "VICTOR_SEARCH" in os.environ else 1
MANY = settings(max_examples=250 * SEARCHED)
PAIRS = settings(max_examples=120 * SEARCHED)

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
RETRY_AFTERS = st.sampled_from(
    [None, None, None, "0", "2", "50", "700", "soon", http_date(1_770_000_030.0)]
)
LOCATIONS = st.sampled_from(
    [None, "/moved", "https://pay.example/moved", "https://evil.example/moved"]
)


@st.composite
def answers(draw: st.DrawFn) -> Happens:
    headers = [("Retry-After", draw(RETRY_AFTERS)), ("Location", draw(LOCATIONS))]
    return Happens(
        status=draw(st.sampled_from(STATUSES)),
        body=draw(
            st.sampled_from([b'{"id": "1"}', b'{"id": "1"}', b'{"id": "1', b"", b"<html>", b"[]"])
        ),
        headers=tuple((name, value) for name, value in headers if value is not None),
        cut=draw(st.sampled_from([False, False, False, True])),
        seconds=draw(SECONDS),
    )


faults = st.builds(
    lambda error, seconds: Happens(error=error, seconds=seconds),
    st.sampled_from(NEVER_LEFT + LEFT),
    SECONDS,
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

    def run(
        self, mode: str, tokens: Any = None, **options: Any
    ) -> tuple[Harness, VictorError | None]:
        options = {"policy": self.policy, "deadline": self.deadline, "drift": self.drift, **options}
        harness = Harness(mode, self.script, draw=lambda: self.luck, **options)
        harness.network.keeps_limits, harness.network.tokens = True, tokens
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


GOOD_BODY = b'{"id": "1"}'
"""What a response to a good call has: the id of what was made."""


def outcome_of(happened: Happens, method: str) -> Outcome | None:
    """What one exchange says of the money, said once more and in other words than the loop's; None:
    a good answer.
    """
    if happened.error in NEVER_LEFT:
        return Outcome.NOT_SENT
    if happened.error is not None or happened.cut:
        return Outcome.UNKNOWN
    if happened.status < 300:
        if happened.body == GOOD_BODY:
            return None
        return Outcome.ACCEPTED if happened.body.startswith(b'{"') else Outcome.UNKNOWN
    if happened.status < 400 or happened.status >= 500 or happened.status in (409, *TRANSIENT):
        return Outcome.UNKNOWN
    # The status refuses, and the body begins with what only a write that was done has.
    is_proof = method != "GET" and happened.body.startswith(b'{"id"')
    return Outcome.UNKNOWN if is_proof else Outcome.REJECTED


def followed(happened: Happens, method: str) -> bool:
    """Whether this answer may have sent a read on to another address."""
    location = dict(happened.headers).get("Location")
    redirects = happened.status in (301, 302, 307) and happened.error is None and not happened.cut
    return method == "GET" and redirects and location is not None and "evil" not in location


@MANY
@given(cases)
def test_the_promises_of_a_call_hold(case):
    harness, error = case.run("sync")
    brought = list(harness.network.brought)
    _attempts_are_bounded(case, harness, error)
    _the_deadline_holds(case, harness, error)
    _a_write_without_a_key_is_not_repeated_in_doubt(case, harness)
    _requests_are_the_same_and_signed(case, harness)
    if error is None:
        assert outcome_of(brought[-1], case.method) is None
        return
    order = list(Outcome)
    happened = [
        outcome_of(one, case.method)
        for index, one in enumerate(brought)
        if not _led_on(brought, index, case.method)
    ]
    assert None not in happened, "a good answer is never turned into an error"
    outcomes = [one for one in happened if one is not None]
    assert error.outcome is max(outcomes, key=order.index, default=Outcome.NOT_SENT)


def _attempts_are_bounded(case: Case, harness: Harness, error: VictorError | None) -> None:
    redirects = min(5, sum(followed(happened, case.method) for happened in harness.network.brought))
    renewal = any(happened.status == 401 for happened in harness.network.brought)
    assert 1 <= len(harness.received) <= case.policy.max_attempts + renewal + redirects
    assert len(harness.sleeps) <= case.policy.max_attempts - 1
    assert error is None or error.attempts == len(harness.received)


def _the_deadline_holds(case: Case, harness: Harness, error: VictorError | None) -> None:
    if case.deadline is None:
        assert not isinstance(error, DeadlineExceeded)
        return
    # The last thousandth is what a stage gets at least.
    assert harness.clock.passed <= case.deadline + 0.001
    for one in harness.received:
        assert one.at < case.deadline
        assert all(
            limit is not None and limit <= case.deadline - one.at + 0.001
            for limit in one.timeouts.values()
        )


def _a_write_without_a_key_is_not_repeated_in_doubt(case: Case, harness: Harness) -> None:
    if case.method == "GET" or case.key is not None:
        return
    for happened in harness.network.brought[:-1]:
        outcome = outcome_of(happened, case.method)
        assert outcome in (Outcome.NOT_SENT, Outcome.REJECTED), "it may have done the work"


def _requests_are_the_same_and_signed(case: Case, harness: Harness) -> None:
    body = b"" if case.method == "GET" else BODY
    assert {(one.method, one.key, one.body) for one in harness.received} == {
        (case.method, case.key, body)
    }
    assert len({one.token for one in harness.received}) == len(harness.received)
    assert {httpx.URL(one.url).host for one in harness.received} == {"pay.example"}
    if case.method != "GET":
        assert {one.url for one in harness.received} == {"https://pay.example/payments"}


def _led_on(brought: list[Happens], index: int, method: str) -> bool:
    earlier = sum(followed(one, method) for one in brought[:index])
    return followed(brought[index], method) and earlier < 5


@PAIRS
@given(cases)
def test_both_drivers_do_the_same(case):
    ours = case.run("sync")
    theirs = case.run("async")
    for harness, error in (ours, theirs):
        if error is not None:
            assert error.idempotency_key == (None if case.method == "GET" else case.key)
        assert harness.quota.available <= case.policy.quota
    assert ours[0].received == theirs[0].received
    assert ours[0].sleeps == theirs[0].sleeps
    assert ours[0].quota.available == theirs[0].quota.available
    assert _facts(ours[1]) == _facts(theirs[1])


def _facts(error: VictorError | None) -> object:
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


TOKEN_SCRIPTS = st.lists(
    st.sampled_from(
        [
            60.0,
            0.0,
            None,
            400,
            401,
            403,
            429,
            500,
            503,
            httpx.ConnectError,
            httpx.ReadTimeout,
            "nonsense",
        ]
    ),
    max_size=8,
)


def _with_token_endpoint(
    case: Case, mode: str, lives: list[object]
) -> tuple[Harness, VictorError | None]:
    """The same call, with tokens from an endpoint that has a script of its own, and is good after
    its end.
    """
    left = list(lives)

    def endpoint(_request: httpx.Request) -> httpx.Response:
        happens = left.pop(0) if left else 3600.0
        if isinstance(happens, type) and issubclass(happens, Exception):
            raise happens("it happened")
        if isinstance(happens, int):
            return httpx.Response(happens, json={})
        return (
            token_answer(access_token="tok", lives=happens)
            if happens != "nonsense"
            else token_answer(token=1)
        )

    return case.run(mode, endpoint, drift=None, auth=by_oauth)


@PAIRS
@given(cases, TOKEN_SCRIPTS)
def test_whatever_the_token_endpoint_does_the_calls_promises_hold(case, lives):
    harness, error = _with_token_endpoint(case, "sync", lives)
    theirs, other = _with_token_endpoint(case, "async", lives)
    assert (harness.received, harness.sleeps, _facts(error)) == (
        theirs.received,
        theirs.sleeps,
        _facts(other),
    )
    if case.deadline is not None:
        assert harness.clock.passed <= case.deadline + 0.001
    _a_write_without_a_key_is_not_repeated_in_doubt(case, harness)
    if error is not None:
        assert error.attempts == len(harness.received)
        if not harness.received:
            assert error.outcome is Outcome.NOT_SENT
    # The lock is free: with a healthy endpoint and a healthy provider the next call succeeds.
    for left in (harness, theirs):
        left.network.script[:] = [OK]
        left.network.tokens = lambda _request: token_answer(access_token="tok", lives=3600.0)
        assert left.call("POST", KEY).status_code == 200
