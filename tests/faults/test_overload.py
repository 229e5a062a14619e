"""A provider that is down is not stormed by those who wait for it, and is used again as soon as it
is back.

In a simulated time an outage of ten minutes takes a second: the attempt loop does no I/O, and
`Outage` takes its steps and returns their results.
"""

from __future__ import annotations

import heapq
import itertools
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from random import Random
from typing import Any

import httpx
import pytest

from tests.faults.adapters import Crowd, each_mode
from tests.providers.victor.adapter import payment
from tests.runtime.fakes import BEHAVIOUR, FakeClock
from victor_ext import (
    AsyncVictor,
    DeadlineExceeded,
    Outcome,
    RetryPolicy,
    Victor,
    VictorError,
    VictorJwt,
)
from victor_ext.runtime.auth.tokens import FixedToken
from victor_ext.runtime.core.response import Response
from victor_ext.runtime.loop.attempts import AttemptLoop
from victor_ext.runtime.loop.flow import Send, Sleep
from victor_ext.runtime.loop.retry import RetryQuota
from victor_ext.sandbox import Sandbox

pytestmark = pytest.mark.slow
WORKERS = 200
URL = "https://api.victorfi.com/v2/payment-requests/request-payment"
MADE = b'{"victor_payment_request_id": "a7ffd43c37c1"}'

Provider = Callable[[float, Random], httpx.Response | httpx.RequestError]
"""What an attempt at a moment comes to."""


def refused(_now: float, _dice: Random) -> httpx.RequestError:
    return httpx.ConnectError("[Errno 111] Connection refused")


def unanswered(_now: float, _dice: Random) -> httpx.RequestError:
    return httpx.ReadTimeout("The read operation timed out")


def failing(status: int, **headers: str) -> Provider:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _now, _dice: httpx.Response(status, headers=named, content=b"")


def good(_now: float, _dice: Random) -> httpx.Response:
    return httpx.Response(200, content=MADE)


def down_until(end: float, fault: Provider) -> Provider:
    return lambda now, dice: (fault if now < end else good)(now, dice)


@dataclass
class Ended:
    """One call: when it began and ended, how often it was attempted, whether it succeeded, and what
    it left.
    """

    began: float
    ended: float
    attempts: int
    good: bool
    quota: int


@dataclass
class Outage:
    """A simulation."""

    provider: Provider
    pause: float = 1.0  # seconds that a worker waits between two calls
    latency: float = 0.02  # seconds that an exchange takes

    def __post_init__(self) -> None:
        self.clock = FakeClock()
        policy = RetryPolicy()
        self.quota = RetryQuota(policy.quota)
        self._dice = Random(1)
        self._loop = AttemptLoop(
            behaviour=BEHAVIOUR,
            authenticator=FixedToken(lambda: "Token t"),
            policy=policy,
            quota=self.quota,
            clock=self.clock,
            deadline=60.0,
            draw=self._dice.random,
        )
        self.attempts: list[float] = []  # when each left
        self.retries: list[float] = []
        self.calls: list[Ended] = []  # in the order in which they ended
        self._order = itertools.count()

    def run(self, seconds: float) -> Outage:
        """Let the workers call for so long; calls that have begun by then are left to end."""
        agenda: list[tuple[float, int, Generator[float, None, None]]] = []
        for _ in range(WORKERS):
            heapq.heappush(agenda, (0.0, next(self._order), self._worker(seconds)))
        while agenda:
            self.clock.passed, _, worker = heapq.heappop(agenda)
            for wait in worker:
                heapq.heappush(agenda, (self.clock.passed + wait, next(self._order), worker))
                break
        return self

    def _worker(self, until: float) -> Generator[float, None, None]:
        while self.clock.passed < until:
            yield from self._call()
            yield self.pause

    def _call(self) -> Generator[float, None, None]:
        request = httpx.Request("POST", URL, content=b"{}", headers={"Idempotency-Key": "k" * 20})
        began = self.clock.passed
        flow = self._loop.call(request)
        sent = 0
        failed = False
        answer: Any = None
        try:
            while True:
                step = flow.throw(answer) if isinstance(answer, Exception) else flow.send(answer)
                if isinstance(step, Sleep):
                    answer = None
                    yield step.seconds
                    continue
                assert isinstance(step, Send)
                self.attempts.append(self.clock.passed)
                if sent:
                    self.retries.append(self.clock.passed)
                sent += 1
                yield self.latency
                answer = self._answer(step.request)
        except StopIteration:
            pass
        except VictorError:
            failed = True
        self.calls.append(Ended(began, self.clock.passed, sent, not failed, self.quota.available))

    def _answer(self, request: httpx.Request) -> Any:
        found = self.provider(self.clock.passed, self._dice)
        if isinstance(found, httpx.Response):
            found.request = request
            found.__class__ = Response
        return found


CROWD = WORKERS // 2
"""Workers over real sockets."""


class TestInSimulatedTime:
    """With the clients' defaults: 6 attempts a call, a quota of 500, waits of up to 8 s."""

    @pytest.mark.parametrize(
        ("fault", "takes", "calls", "extra"),
        [(failing(503), 0.02, 2_000, 100), (unanswered, 20.0, 1_000, 50)],
        ids=["503", "no answer"],
    )
    def test_what_is_sent_beyond_the_calls_is_the_quota(
        self, fault: Any, takes: float, calls: int, extra: int
    ) -> None:
        outage = Outage(fault, pause=20.0, latency=takes).run(200.0)
        assert len(outage.calls) == calls
        assert len(outage.attempts) - len(outage.calls) == len(outage.retries) == extra

    def test_a_provider_that_fails_most_of_the_time(self) -> None:
        """What now and then succeeds refills the quota, and must not feed a storm by that."""
        share = 0.9
        outage = Outage(
            lambda now, dice: (failing(503) if dice.random() < share else good)(now, dice)
        )
        outage.run(15.0)
        assert len(outage.attempts) / len(outage.calls) <= 1.0 + (1 - share) + 0.02

    @pytest.mark.parametrize("fault", [refused, unanswered])
    def test_it_recovers_within_seconds(self, fault: Any) -> None:
        end = 20.0
        outage = Outage(down_until(end, fault)).run(end + 6)
        after = [call for call in outage.calls if call.began >= end]
        assert after
        assert all(call.good and call.attempts == 1 for call in after)
        succeeded = sorted(call.ended for call in outage.calls if call.good and call.ended > end)
        assert len([moment for moment in succeeded if moment < end + 1.5]) >= WORKERS
        full = next(call.ended for call in outage.calls if call.ended > end and call.quota == 500)
        assert full < end + 5

    @pytest.mark.parametrize(
        ("fault", "soonest"),
        [(refused, 0.0), (failing(503, retry_after="3"), 3.0)],
        ids=["refused", "asked to wait"],
    )
    def test_first_failures_at_one_moment_are_not_tried_again_at_one_moment(
        self, fault: Any, soonest: float
    ) -> None:
        outage = Outage(fault).run(0.5)
        assert len(outage.retries) == len(set(outage.retries)) == 100
        assert min(outage.retries) >= soonest
        at_once = [
            sum(first <= each <= first + 0.05 for each in outage.retries)
            for first in outage.retries
        ]
        assert max(at_once) <= 30  # of 100, over half a second


CLIENTS: dict[str, Any] = {"sync": Victor, "async": AsyncVictor}
PLAIN: dict[str, Any] = {"sync": httpx.Client, "async": httpx.AsyncClient}


def create(victor: Any, worker: int) -> Any:
    known = {
        "client_reference_id": f"INV-{worker}",
        "idempotency_key": f"one-key-for-worker-{worker:04}",
    }
    return victor.payment_requests.create(
        **payment(payer_counterparty_id="ignoresRfp", amount="1.00", **known)
    )


@pytest.fixture
def patient_auth(victor_sandbox: Sandbox, victor_key_pair: tuple[str, str]) -> VictorJwt:
    private, public = victor_key_pair
    return VictorJwt(victor_sandbox.add_api_key(public), private, reuse=300)


@pytest.mark.pull_request
@pytest.mark.parametrize(("mode", "how"), [("sync", "down"), ("async", "503")])
def test_a_hundred_workers_over_real_sockets(
    victor_sandbox: Sandbox, patient_auth: VictorJwt, mode: str, how: str
) -> None:
    back: list[float] = []

    def break_down() -> None:
        if how == "down":
            victor_sandbox.down()
        else:
            victor_sandbox.inject("status", status=503, operation="create", times=None)

    def come_back() -> None:
        victor_sandbox.clear_faults()
        victor_sandbox.up()
        back.append(time.monotonic())

    def create_again(victor: Any, worker: int) -> Any:
        if worker == 0:
            come_back()
        return create(victor, worker)

    def client() -> Any:
        return CLIENTS[mode](
            patient_auth, base_url=victor_sandbox.url, retry=RetryPolicy(base=0.02)
        )

    began = time.monotonic()
    Crowd(mode, client, CROWD).run(lambda victor, worker: create(victor, worker + CROWD))
    in_peace = time.monotonic() - began
    break_down()
    crowd = Crowd(mode, client, CROWD)
    # In the round after the next to last worker 0 brings the provider back; the last one finds it
    # up.
    *outage, _, recovered = crowd.run(create, create, create, create, create_again, create)
    took = time.monotonic() - back[0]

    observed = [each for observed_in_round in outage for each in observed_in_round]
    assert all(isinstance(each, VictorError) for each in observed)
    assert {each.outcome for each in observed} == {
        Outcome.NOT_SENT if how == "down" else Outcome.UNKNOWN
    }
    attempts = sum(each.attempts for each in observed)
    assert len(observed) < attempts <= len(observed) + 100
    assert [each.client_reference_id for each in recovered] == [
        f"INV-{worker}" for worker in range(CROWD)
    ]
    assert took < 5 + 4 * in_peace, (
        "two rounds of a hundred creates; one round in peace is what the machine can do"
    )
    assert set(victor_sandbox.work_done_by_key().values()) == {1}


@each_mode
def test_a_deadline_holds_for_every_worker_of_a_crowd(
    victor_sandbox: Sandbox, patient_auth: VictorJwt, mode: str
) -> None:
    """All of them end at one moment.

    What plain httpx is late by then is this machine's own delay.
    """
    deadline = 1.0
    tolerated = 0.1
    victor_sandbox.inject("stall", times=None)
    # As many connections as callers: its limits are for each stage, and nobody is to wait for a
    # connection first.
    limits = httpx.Limits(max_connections=CROWD)
    plain = Crowd(
        mode,
        lambda: PLAIN[mode](base_url=victor_sandbox.url, timeout=deadline, limits=limits),
        CROWD,
    )
    crowd = Crowd(
        mode,
        lambda: CLIENTS[mode](patient_auth, base_url=victor_sandbox.url, deadline=deadline),
        CROWD,
    )
    late: list[float] = []
    for _ in range(
        6
        # slow moments are the machine's; what a client does wrong by itself it does wrong every
        # time
    ):
        plain.run(lambda client, _worker: client.get("/v2/payment-requests/b34783af0"))
        (observed,) = crowd.run(lambda victor, _worker: victor.payment_requests.get("b34783af0"))
        assert all(isinstance(each, DeadlineExceeded) for each in observed)
        late.append(max(crowd.spans) - max(plain.spans))
        if late[-1] <= tolerated:
            return
        crowd.spans.clear()
        plain.spans.clear()
    raise AssertionError(f"later than plain httpx by {late} s")
