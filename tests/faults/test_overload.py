"""A provider that is down is not stormed by those who wait for it, and is used again as soon as it
is back.

In a simulated time an outage of ten minutes takes a second: the attempt loop does no I/O, and
`Outage` takes its steps and returns their results.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Generator
from dataclasses import dataclass
from random import Random
from typing import Any

import httpx
import pytest

from tests.runtime.fakes import BEHAVIOUR, FakeClock
from victor_ext import RetryPolicy, VictorError
from victor_ext.runtime.auth.tokens import FixedToken
from victor_ext.runtime.core.response import Response
from victor_ext.runtime.loop.attempts import AttemptLoop
from victor_ext.runtime.loop.flow import Send, Sleep
from victor_ext.runtime.loop.retry import RetryQuota

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
