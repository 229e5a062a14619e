"""How fast rows go, and when failed ones go again: by a clock that only waits move, and by the
record of arrivals.
"""

import httpx
import pytest

from tests.bulk.bulk_runs import asked_once, rows
from victor_ext import RetryPolicy
from victor_ext.sandbox import Sandbox
from victor_ext.settlement.failures import Backoff

pytestmark = pytest.mark.slow


def test_pauses_grow_while_the_provider_fails_and_end_with_its_first_answer():
    now = 1000.0
    backoff = Backoff(lambda: now)
    pauses = []
    for _ in range(8):
        backoff.record_failure()
        backoff.record_failure()
        pauses.append(backoff.left())
        now += pauses[-1]
    assert pauses == [1, 2, 4, 8, 16, 30, 30, 30]
    backoff.record_success()
    assert backoff.left() == 0
    # An answer that was under way when the provider failed ends no pause.
    backoff.record_failure(90)
    backoff.record_success()
    assert backoff.left() == 90


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
    bulk, victor_sandbox, postgres, sender
):
    """A worker reserves the turns of five seconds: the other one has those that follow."""
    file = bulk.write(rows(60), "march")
    with bulk.started("worker", "--state", postgres):
        sender.finish(file, state=postgres, rate=8)
    asked_once(victor_sandbox, rows(60))
    kept(victor_sandbox, 8)


def test_a_new_rate_takes_the_place_of_the_old_one(sender, victor_sandbox):
    sender.store(rows(60), rate=1000)
    assert victor_sandbox.attempts_by_key() == {}
    sender.finish(rate=25)
    kept(victor_sandbox, 25)


def test_when_the_provider_says_to_come_back_no_row_goes_before(sender, clients, victor_sandbox):
    victor_sandbox.inject("rate_limit", operation="create", retry_after=2, times=1)
    victor = clients(retry=RetryPolicy(max_attempts=1))
    assert sender(victor=victor, workers=1, patience=30).send(rows(3)).counts == {"created": 3}
    received = victor_sandbox.received()
    first, *others = sorted(call.at for call in received if call.operation == "create")
    assert len(others) == 3
    assert min(others) - first >= 2


@pytest.mark.parametrize(
    ("deadline", "stored_with", "sent_with", "within"),
    [
        (60, 600, 600, 60),
        (600, None, None, 290),
        (None, 600, 600, 60),
        (None, 600, None, 60),  # a key lives as long as was said when it was stored
    ],
)
def test_a_call_ends_before_its_key_can_expire(
    sender,
    clients,
    deadline,
    stored_with,
    sent_with,
    within,
):
    allowed = list[float]()

    class Way(httpx.HTTPTransport):
        def handle_request(self, request):
            if request.url.path.endswith("/request-payment"):
                allowed.append(request.extensions["timeout"].get("read"))
            return super().handle_request(request)

    sender.store(rows(1), key_retention=stored_with)
    victor = clients(transport=Way(), deadline=deadline, timeout=None)
    sender.finish(victor=victor, key_retention=sent_with)
    assert allowed == [pytest.approx(within, abs=5)]
