"""The fixtures of the plugin: failures by name, time that passes at once, what a failed test shows,
and their page.
"""

import time
from datetime import UTC, datetime, timedelta

import anyio
import pytest

from tests.cases import cases_beside
from tests.payments import cells, payment
from victor_ext import TimedOut, VictorError

pytestmark = pytest.mark.slow
pytest_plugins = ["pytester"]
KEY = "invoice-1042-0123456789"


def create(victor, **changes):
    known = {"payer_counterparty_id": "acceptsRfp", "idempotency_key": KEY}
    return victor.payment_requests.create(**payment(**{**known, **changes}))


def fault_of(calls):
    return [each.fault for each in calls]


def test_a_sandbox_is_empty_unless_the_mark_says_otherwise(victor_sandbox, victor):
    assert victor_sandbox.requests() == [*victor.payment_requests.list()] == []


@pytest.mark.parametrize(("kind", "first", "named", "met"), cases_beside(__file__)["failures"])
def test_each_method_of_faults_makes_the_next_attempts_meet_that_failure(
    victor, faults, sent_once, kind, first, named, met
):
    getattr(faults, kind)(*first, **named)
    began = time.monotonic()
    create(victor)
    assert fault_of(sent_once(KEY)) == met
    assert time.monotonic() - began < 25  # the Retry-After of 30 s has passed at once


def test_a_failing_sent_once_says_how_many_calls_the_sandbox_saw(victor, faults, sent_once):
    faults.status(503, times=None)
    with pytest.raises(VictorError):
        create(victor)
    with pytest.raises(
        AssertionError,
        match=r"has done no work under the key 'invoice-1042-0123456789', in 6 calls",
    ):
        sent_once(KEY)


@pytest.mark.victor_sandbox(key_life=1)
def test_sent_once_counts_work_that_was_done_twice(victor, sent_once, time_travel):
    create(victor)
    time_travel.advance(seconds=2)  # the provider has forgotten the key
    create(victor)
    with pytest.raises(AssertionError, match="has done the work 2 times"):
        sent_once(KEY)


def test_time_travels_forward_only(time_travel):
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    time_travel.advance(hours=23, minutes=59, seconds=60)
    assert timedelta(0) <= time_travel.now - tomorrow < timedelta(seconds=5)
    with pytest.raises(ValueError, match="must not be negative"):
        time_travel.advance(seconds=-1)


def test_a_wait_of_ten_minutes_is_over_in_seconds_with_time_travel(victor, time_travel):
    began = time.monotonic()
    request = create(victor)
    before = time_travel.now
    assert victor.payment_requests.wait(request.id).status == "completed"
    assert time_travel.now - before > timedelta(seconds=1)
    never = create(victor, payer_counterparty_id="ignoresRfp", idempotency_key=KEY + "-2")
    with pytest.raises(TimedOut):
        victor.payment_requests.wait(never.id, timeout=600)
    assert time.monotonic() - began < 25


def test_faults_time_travel_and_sent_once_work_for_awaited_calls(
    async_victor, faults, sent_once, time_travel
):
    async def ask() -> str:
        faults.lose_answer()
        faults.rate_limit(retry_after=30)
        async with async_victor as victor:
            request = await create(victor)
            return str((await victor.payment_requests.wait(request.id)).status)

    began = time.monotonic()
    assert anyio.run(ask) == "completed"
    assert fault_of(sent_once(KEY)) == ["lose_answer", "rate_limit", None]
    assert time.monotonic() - began < 25


FAILING = """
    import pytest
    {extra}
    def test_it({fixtures}):
        {prepare}
        victor.payment_requests.create(
            **{payment}, notes="for 043987673645", idempotency_key="invoice-1042-0123456789")
        {then}
"""


def failing(pytester, **parts):
    parts = {
        "extra": "",
        "fixtures": "victor, victor_sandbox",
        "prepare": "pass",
        "then": "assert 0",
        "payment": cells(),
        **parts,
    }
    pytester.makepyfile(FAILING.format(**parts))
    result = pytester.runpytest_inprocess("-p", "no:cacheprovider", "--tb=line")
    result.assert_outcomes(failed=1)
    return result.stdout.str()


def test_a_test_that_fails_shows_the_exchange(pytester):
    prepare = (
        "victor_sandbox.inject('lose_answer'); victor_sandbox.inject('status', operation='get')"
    )
    shown = failing(pytester, prepare=prepare).partition("- Victor sandbox -")[2]
    assert "  1  POST  /v2/payment-requests/request-payment  200" in shown
    assert "key=invoice-… attempt=1  fault=lose_answer" in shown
    assert "key=invoice-… attempt=2  replayed" in shown
    assert "outbound  created  44.23  key=invoice-…" in shown
    first, second = shown.split("  2  POST")
    for call in (first.partition("  1  POST")[2], second):
        sent, answered = call.splitlines()[1:3]
        assert sent.strip().startswith("> {") and '"amount": "44.23"' in sent
        assert answered.strip().startswith("< {") and "victor_payment_request_id" in answered
    assert "043987673645" not in shown and "0123456789" not in shown
    assert max(map(len, shown.splitlines())) < 230


# docs/testing.md
