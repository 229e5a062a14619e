"""Two hundred workers and a provider that is down, in a time of their own: an outage of ten minutes takes a second.

The attempt loop does no I/O: these functions take its steps and return their results.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Generator
from dataclasses import dataclass
from random import Random
from typing import Any

import httpx

from tests.runtime.fakes import FakeClock
from victor_ext import RetryPolicy, VictorError
from victor_ext.runtime.auth.tokens import FixedToken
from victor_ext.runtime.core.response import Response
from victor_ext.runtime.loop.attempts import AttemptLoop
from victor_ext.runtime.loop.behaviour import Behaviour
from victor_ext.runtime.loop.flow import Send, Sleep
from victor_ext.runtime.loop.idempotency_keys import HeaderKey
from victor_ext.runtime.loop.retry import RetryQuota

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
    """One call: when it began and ended, how often it was attempted, whether it succeeded, and what it left."""

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
        self.clock, policy = FakeClock(), RetryPolicy()
        self.quota = RetryQuota(policy.quota)
        self._dice = Random(1)
        self._loop = AttemptLoop(
            behaviour=Behaviour(name="Pay", key_place=HeaderKey("Idempotency-Key")),
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
        began, flow, sent, failed = self.clock.passed, self._loop.call(request), 0, False
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


def busiest(moments: list[float], window: float) -> int:
    """The maximum number of these moments within one window of `seconds`."""
    moments = sorted(moments)
    first, most = 0, 0
    for last, moment in enumerate(moments):
        while moments[first] < moment - window:
            first += 1
        most = max(most, last - first + 1)
    return most
