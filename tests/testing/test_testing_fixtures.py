"""The fixtures of the plugin: failures by name, time that passes at once, what a failed test shows,
and their page.
"""

import inspect
import re
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio
import pytest

from tests.cases import cases_beside
from tests.providers.victor.adapter import payment
from victor_ext import Outcome, TimedOut, VictorError
from victor_ext.testing import Faults, plugin

pytestmark = [pytest.mark.slow, pytest.mark.hours]
pytest_plugins = ["pytester"]
KEY = "invoice-1042-0123456789"


def create(victor, **changes):
    known = {"payer_counterparty_id": "acceptsRfp", "idempotency_key": KEY}
    return victor.payment_requests.create(**payment(**{**known, **changes}))


def fault_of(calls):
    return [each.fault for each in calls]


def test_a_sandbox_is_empty_unless_the_mark_says_otherwise(victor_sandbox, victor):
    assert victor_sandbox.requests() == [*victor.payment_requests.list()] == []


@pytest.mark.victor_sandbox(demo_data=True)
def test_a_sandbox_has_demo_data_if_the_mark_says_so(victor):
    assert len([*victor.payment_requests.list()]) == 2


@pytest.mark.parametrize(("kind", "first", "named", "met"), cases_beside(__file__)["failures"])
def test_each_method_of_faults_makes_the_next_attempts_meet_that_failure(
    victor, faults, sent_once, kind, first, named, met
):
    getattr(faults, kind)(*first, **named)
    began = time.monotonic()
    create(victor)
    assert fault_of(sent_once(KEY)) == met
    assert time.monotonic() - began < 25  # the Retry-After of 30 s has passed at once


def test_silence_ends_each_attempt_by_the_timeout(victor, victor_sandbox, faults):
    faults.stall(times=None)
    began = time.monotonic()
    with pytest.raises(TimedOut, match="failed after 6 attempts") as caught:
        create(victor.with_options(timeout=0.05))
    assert caught.value.outcome is Outcome.UNKNOWN
    assert fault_of(victor_sandbox.received()) == ["stall"] * 6
    assert time.monotonic() - began < 25


def test_the_message_about_a_wrong_option_names_the_option(faults):
    with pytest.raises(ValueError, match="status"):
        faults.status(42)
    with pytest.raises(ValueError, match="tims is no parameter"):
        faults.lose_answer(tims=2)  # type: ignore[call-arg] # on purpose


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


def test_wait_takes_no_real_time_with_other_options_and_a_skewed_clock(
    victor, victor_sandbox, time_travel
):
    victor_sandbox.set_clock_skew(-3000)
    began = time.monotonic()
    request = create(victor.with_options(deadline=20), payer_counterparty_id="ignoresRfp")
    with pytest.raises(TimedOut):
        victor.with_options(deadline=20).payment_requests.wait(request.id, timeout=3000)
    assert time.monotonic() - began < 25
    # the skipped time is none of the tokens'
    assert {each.status for each in victor_sandbox.received()[2:]} == {200}


@pytest.mark.victor_sandbox(auto=0.01)
def test_wait_does_not_advance_the_sandbox_clock_without_time_travel(victor, victor_sandbox):
    request = create(victor)
    victor.payment_requests.wait(request.id)
    assert victor_sandbox.clock()["advanced"] == 0


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
    from datetime import date, datetime, UTC
    {extra}
    def test_it({fixtures}):
        {prepare}
        victor.payment_requests.create(
            payee_account_number="043987673645", payer_counterparty_id="aHeq349838", amount="44.23",
            biller_type="BUSINESS", due_date=datetime.now(UTC).date(), notes="for 043987673645",
            idempotency_key="invoice-1042-0123456789")
        {then}
"""


def failing(pytester, **parts):
    parts = {
        "extra": "",
        "fixtures": "victor, victor_sandbox",
        "prepare": "pass",
        "then": "assert 0",
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


def test_a_fixture_that_fails_shows_the_exchange_too(pytester):
    pytester.makepyfile("""
        import pytest

        @pytest.fixture
        def paid(victor):
            return victor.payment_requests.get("NOSUCHID01")

        def test_it(paid): pass
    """)
    result = pytester.runpytest_inprocess("-p", "no:cacheprovider")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*- Victor sandbox -*", "*GET */v2/payment-requests/NOSUCHID01*"])


def test_a_sandbox_that_was_stopped_spoils_no_report(pytester):
    assert "not known: this sandbox does not run" in failing(
        pytester, then="victor_sandbox.stop(); assert 0"
    )


def test_a_test_that_passes_shows_nothing(pytester):
    pytester.makepyfile("def test_it(victor): [*victor.payment_requests.list()]")
    result = pytester.runpytest_inprocess("-p", "no:cacheprovider", "-rA")
    result.assert_outcomes(passed=1)
    result.stdout.no_fnmatch_line("*Victor sandbox*")


def test_a_fixture_without_its_extra_shows_the_error_of_the_import_in_one_line(
    pytester, monkeypatch
):
    """What to install is in that error: tests/release/test_sources.py."""
    monkeypatch.setitem(sys.modules, "victor_ext.sandbox", None)
    pytester.makepyfile("def test_it(victor_sandbox): pass")
    ran = pytester.runpytest_inprocess()
    ran.stdout.fnmatch_lines(["The fixture victor_sandbox: import of victor_ext.sandbox halted*"])
    ran.stdout.no_fnmatch_line("*raise *")


# docs/testing.md

PAGE = (Path(__file__).parents[2] / "docs" / "testing.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


def rows(heading):
    return PAGE.split(f"## {heading}\n")[1].split("\n## ")[0]


def test_the_page_names_each_fixture():
    first_cells = re.findall(r"^\| (`.*?) \|", rows("The first test"), re.MULTILINE)
    named = set(re.findall(r"`(\w+)", " ".join(first_cells)))
    hooks = {"pytest_configure", "pytest_runtest_makereport"}
    assert named == set(plugin.__all__) - hooks


def test_the_page_names_each_failure():
    named = set(re.findall(r"`faults\.(\w+)\(", rows("Failures").partition("| method")[2]))
    methods = {
        name
        for name, value in vars(Faults).items()
        if inspect.isfunction(value) and not name.startswith("_")
    }
    assert named == methods


def test_the_first_test_of_the_page_fails_if_a_retry_uses_a_second_key(pytester):
    billing = BLOCKS[0].replace(
        'idempotency_key_for("invoice", invoice.number)', "__import__('uuid').uuid4().hex"
    )
    two_requests = BLOCKS[1].replace(".id == request.id", ".id")
    assert billing != BLOCKS[0]
    assert two_requests != BLOCKS[1]
    pytester.makepyfile(billing=billing, test_it=two_requests)
    pytester.syspathinsert()
    result = pytester.runpytest_inprocess("-p", "no:cacheprovider")
    result.stdout.fnmatch_lines([">*assert len(*victor.payment_requests.list()*) == 1*"])


def test_the_page_about_testing_shows_the_real_output_of_a_failed_test(pytester):
    example = re.search(r"```text\n(.*?)```", PAGE, re.DOTALL)
    assert example is not None
    pytester.makepyfile(billing=BLOCKS[0], test_it=BLOCKS[1] + "    assert 0\n")
    pytester.syspathinsert()
    result = pytester.runpytest_inprocess("-p", "no:cacheprovider")
    shown = re.search(r"-+ Victor sandbox -+\n.*?(?=\n=)", result.stdout.str(), re.DOTALL)
    assert shown is not None

    def steady(text: str) -> str:
        changing = r"[0-9.]+ ms|key=[0-9a-f]{8}|\b[A-Z0-9]{10}\b|\d{4}-\d\d-\d\d|-+"
        return re.sub(changing, "*", text.strip())

    assert steady(shown[0]) == steady(example[1])
