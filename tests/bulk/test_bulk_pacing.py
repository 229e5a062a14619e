"""How fast rows go, and when failed ones go again: by a clock that only waits move, and by the
record of arrivals.
"""

import httpx
import pytest

from tests.bulk.bulk_runs import Bulk, Clients, Senders, asked_once, rows
from victor_ext import RetryPolicy
from victor_ext.sandbox import Sandbox
from victor_ext.settlement.failures import Backoff

pytestmark = pytest.mark.slow


class Clock:
    """A clock that only waits move."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


def paused(clock: Clock, backoff: Backoff) -> float:
    begun = clock.now
    clock.now += backoff.left()
    return clock.now - begun


def test_pauses_grow_while_the_provider_fails_and_end_with_its_first_answer() -> None:
    clock = Clock()
    backoff = Backoff(clock)
    pauses: list[float] = []
    for _ in range(8):
        backoff.record_failure()
        backoff.record_failure()
        pauses.append(paused(clock, backoff))
    assert pauses == [1, 2, 4, 8, 16, 30, 30, 30]
    backoff.record_success()
    assert paused(clock, backoff) == 0
    # An answer that was under way when the provider failed ends no pause.
    for at_least, least in ((0, 1), (0, 2), (90, 90)):
        backoff.record_failure(at_least)
        backoff.record_success()
        assert paused(clock, backoff) == least


def kept(victor_sandbox: Sandbox, rate: float) -> None:
    """The rows arrived at this pace at most, in all and in every two seconds.

    The pace is kept by the senders. A busy machine holds arrivals back and lets them come together,
    which is what the tolerance is for; two senders that did not know of each other would be twice
    as fast.
    """
    received = victor_sandbox.received()
    times = sorted(exchange.at for exchange in received if exchange.operation == "create")
    assert times[-1] - times[0] >= (len(times) - 1) / rate - 0.7
    for begin in times:
        assert sum(begin <= time < begin + 2 for time in times) <= 2 * rate * 1.5


def test_a_rate_holds_for_all_workers_of_a_database_together(
    bulk: Bulk, victor_sandbox: Sandbox, postgres: str, sender: Senders
) -> None:
    """A worker reserves the turns of five seconds: the other one has those that follow."""
    file = bulk.write(rows(60), "march")
    with bulk.started("worker", "--state", postgres):
        sender.finish(file, state=postgres, rate=8)
    asked_once(victor_sandbox, rows(60))
    kept(victor_sandbox, 8)


def test_a_new_rate_takes_the_place_of_the_old_one(
    sender: Senders, victor_sandbox: Sandbox
) -> None:
    sender.store(rows(60), rate=1000)
    assert victor_sandbox.attempts_by_key() == {}
    sender.finish(rate=25)
    kept(victor_sandbox, 25)


def test_when_the_provider_says_to_come_back_no_row_goes_before(
    sender: Senders, clients: Clients, victor_sandbox: Sandbox
) -> None:
    victor_sandbox.inject("rate_limit", operation="create", retry_after=2, times=1)
    victor = clients(retry=RetryPolicy(max_attempts=1))
    assert sender(victor=victor, workers=1, patience=30).send(rows(3)).counts == {"created": 3}
    received = victor_sandbox.received()
    first, *others = sorted(call.at for call in received if call.operation == "create")
    assert len(others) == 3
    assert min(others) - first >= 2


class Timeouts(httpx.HTTPTransport):
    """The way to the provider, which notes how long each create may take."""

    def __init__(self) -> None:
        super().__init__()
        self.of_creates: list[float] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/request-payment"):
            self.of_creates.append(request.extensions["timeout"].get("read"))
        return super().handle_request(request)


@pytest.mark.parametrize(
    ("deadline", "stored_with", "sent_with", "within"),
    [
        (60, 600, 600, 60),
        (60, None, None, 60),
        (600, None, None, 290),
        (None, 600, 600, 60),
        (None, 600, None, 60),  # a key lives as long as was said when it was stored
    ],
)
def test_a_call_ends_before_its_key_can_expire(
    sender: Senders,
    clients: Clients,
    deadline: float | None,
    stored_with: float | None,
    sent_with: float | None,
    within: float,
) -> None:
    way = Timeouts()
    sender.store(rows(1), key_retention=stored_with)
    victor = clients(transport=way, deadline=deadline, timeout=None)
    sender.finish(victor=victor, key_retention=sent_with)
    assert way.of_creates == [pytest.approx(within, abs=5)]
