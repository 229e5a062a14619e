"""How fast rows go, and when failed ones go again: by stored moments, and by the
record of arrivals.
"""

import time

import httpx
import pytest

from tests.bulk.bulk_runs import rows
from victor_ext import RetryPolicy
from victor_ext._settlement.failures import Backoff

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


def test_a_process_begins_no_more_rows_than_its_rate(sender, victor_sandbox):
    sender.store(rows(30), rate=1000)
    assert victor_sandbox.attempts_by_key() == {}
    began = time.monotonic()
    sender.finish(rate=25)
    assert time.monotonic() - began >= 29 / 25


def test_when_the_provider_says_to_come_back_no_row_goes_before(sender, clients, victor_sandbox):
    victor_sandbox.inject("rate_limit", operation="create", retry_after=2, times=1)
    victor = clients(retry=RetryPolicy(max_attempts=1))
    assert sender(victor=victor, workers=1, patience=30).send(rows(3)).counts == {"created": 3}
    received = victor_sandbox.received()
    first, *others = sorted(call.at for call in received if call.operation == "create")
    assert len(others) == 3
    assert min(others) - first >= 2


SHORT_LIFE = 600
"""Seconds for which a provider keeps a key, of which no call begins in the last 70."""
LONGEST, LONGEST_OF_SHORT = 290, 60
"""Seconds that a call with a key may take: the clocks of two servers may differ by 10."""


@pytest.mark.parametrize(
    ("deadline", "stored_with", "sent_with", "within"),
    [
        (30, SHORT_LIFE, SHORT_LIFE, 30),
        (600, None, None, LONGEST),
        (None, SHORT_LIFE, SHORT_LIFE, LONGEST_OF_SHORT),
        (None, SHORT_LIFE, None, LONGEST_OF_SHORT),  # as was said when it was stored
    ],
    ids=["its own deadline is earlier", "a key of a day", "a short life", "stored with that"],
)
def test_a_call_ends_before_its_key_can_expire(
    sender, clients, deadline, stored_with, sent_with, within
):
    allowed = []

    class Way(httpx.HTTPTransport):
        def handle_request(self, request):
            if request.url.path.endswith("/request-payment"):
                allowed.append(request.extensions["timeout"].get("read"))
            return super().handle_request(request)

    sender.store(rows(1), key_retention=stored_with)
    victor = clients(transport=Way(), deadline=deadline, timeout=None)
    sender.finish(victor=victor, key_retention=sent_with)
    assert allowed == [pytest.approx(within, abs=5)]
