"""How fast rows go: measured by a fake clock, and by the sandbox's record of arrivals."""

from __future__ import annotations

import threading
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from tests.bulk.bulk_runs import Bulk, asked_once, keys_of, rows, store_only, write_csv
from victor_ext.bulk import layout
from victor_ext.bulk.pacing import Backoff, RateLimiter
from victor_ext.sandbox import Sandbox

pytestmark = pytest.mark.slow


class Clock(threading.Event):
    """A clock that only waits move."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def wait(self, timeout: float | None = None) -> bool:
        if timeout is not None and timeout > threading.TIMEOUT_MAX:
            raise OverflowError("timeout value is too large")
        if not self.is_set():
            self.now += timeout or 0.0
        return self.is_set()


def test_rows_go_evenly_from_the_first_on() -> None:
    clock = Clock()
    limiter = RateLimiter(50, clock, clock)
    arrivals = []
    for _ in range(100):
        limiter.wait()
        arrivals.append(clock.now)
    assert arrivals[0] == pytest.approx(1000.02)
    assert [later - earlier for earlier, later in pairwise(arrivals)] == pytest.approx([0.02] * 99)


def test_after_a_halt_rows_do_not_come_in_a_crowd() -> None:
    clock = Clock()
    limiter = RateLimiter(50, clock, clock)
    limiter.wait()
    clock.now += 60
    arrivals = []
    for _ in range(100):
        limiter.wait()
        arrivals.append(clock.now)
    assert arrivals[-1] - arrivals[0] >= 97 / 50


def test_pauses_grow_while_the_provider_fails_and_end_with_its_first_answer() -> None:
    clock = Clock()
    backoff = Backoff(clock, clock)
    pauses = []
    for _ in range(8):
        begun = clock.now
        backoff.record_failure()
        backoff.record_failure()
        backoff.wait()
        pauses.append(clock.now - begun)
    assert pauses == [1, 2, 4, 8, 16, 30, 30, 30]
    backoff.record_success()
    begun = clock.now
    backoff.wait()
    assert clock.now == begun
    backoff.record_failure(at_least=90)
    backoff.wait()
    assert clock.now == begun + 90


def test_an_answer_that_was_under_way_when_the_provider_failed_ends_no_pause() -> None:
    clock = Clock()
    backoff = Backoff(clock, clock)
    pauses: list[float] = []
    for at_least in (0.0, 0.0, 90.0):
        begun = clock.now
        backoff.record_failure(at_least)
        backoff.record_success()
        backoff.wait()
        pauses.append(clock.now - begun)
    assert pauses == [1, 2, 90]


def test_all_that_wait_for_one_pause_go_together() -> None:
    clock = Clock()
    backoff = Backoff(clock, clock)
    wait, meanwhile = clock.wait, iter([60.0, -1.0])

    def woken_late(timeout: float | None = None) -> bool:
        if (at_least := next(meanwhile, 0.0)) != 0.0:
            if at_least < 0:
                wait(timeout)
            # While it sleeps, an answer asks for more; after that, the first one that wakes fails.
            backoff.record_failure(max(0.0, at_least))
            return False
        return wait(timeout)

    clock.wait = woken_late  # type: ignore[method-assign] - what happens while others wait is what is tested
    backoff.record_failure()
    backoff.wait()
    assert clock.now == 1060
    # Whoever comes now waits for the next pause.
    backoff.wait()
    assert clock.now == 1062


def test_stopping_ends_every_pause() -> None:
    clock = Clock()
    backoff, limiter = Backoff(clock, clock), RateLimiter(0.001, clock, clock)
    backoff.record_failure(at_least=1e9)
    clock.set()
    backoff.wait()
    limiter.wait()
    assert clock.now == 1000


def kept(victor_sandbox: Sandbox, rate: float) -> None:
    """The rows arrived at this pace at most, in all and in every two seconds.

    The pace is kept by the senders. A busy machine holds arrivals back and lets them come together, which is what
    the tolerance is for; two senders that did not know of each other would be twice as fast.
    """
    times = sorted(exchange.at for exchange in victor_sandbox.received() if exchange.operation == "create")
    assert times[-1] - times[0] >= (len(times) - 1) / rate - 0.7
    assert max(sum(begin <= time < begin + 2 for time in times) for begin in times) <= 2 * rate * 1.5


def test_a_rate_holds_for_all_workers_of_a_database_together(
    bulk: Bulk, victor_sandbox: Sandbox, postgres: str, sender: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write_csv(bulk.folder / "march", rows(60))
    with bulk.started("worker", "--state", postgres):
        # Two seconds' worth of rows go into a chunk: with 20 a second there are two chunks, for two workers.
        monkeypatch.setattr(layout, "PACED_SECONDS", 2.0)
        assert sender(state=postgres, rate=20).send(file).exit_status == 0
    asked_once(victor_sandbox, keys_of("march", rows(60)))
    kept(victor_sandbox, 20)


def test_a_new_rate_takes_the_place_of_the_old_one(sender: Callable[..., Any], victor_sandbox: Sandbox) -> None:
    store_only(sender(rate=1000), rows(60))
    assert victor_sandbox.attempts_by_key() == {}
    assert sender(rate=25).resume().exit_status == 0
    kept(victor_sandbox, 25)
