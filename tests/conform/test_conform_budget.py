"""Whatever fails and wherever it is killed, no more is made than planned, and nothing is invented
of odd answers.
"""

import json
import subprocess
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial

import httpx
import pytest

from tests.conform.conftest import WHOLE, made, run_over
from tests.faults.raw_provider import RawProvider
from tests.sandbox.sandbox_callers import API_KEY
from tests.tiers import borders
from victor_ext import ConfigurationError, Victor, VictorError, VictorJwt
from victor_ext.conform import Plan, creates, load, measure, reads
from victor_ext.conform.exchanges import stamp
from victor_ext.conform.measuring import only_writer
from victor_ext.sandbox import Sandbox, SandboxSettings
from victor_ext.sandbox.server.faults import KINDS, OF_NOTIFICATIONS

pytestmark = pytest.mark.slow


def writes(report) -> list[dict]:
    return [each for each in report.document["calls"] if "step" in each]


def check_the_file(measured, report) -> None:
    """What the sandbox has is what the file says; of the rest, the file says that it is not
    known.
    """
    outbound = {
        each["id"] for each in measured.sandbox.requests() if each["direction"] == "outbound"
    }
    made = writes(report)
    unknown = [each for each in made if each["state"] in ("sent", "unknown") and not each["id"]]
    assert {*report.made} <= outbound
    assert len(outbound - {*report.made}) <= len(unknown)
    assert len(outbound) <= WHOLE.writes
    assert len(made) <= WHOLE.writes
    assert len({each["step"] for each in made}) == len(made)


@pytest.mark.parametrize(
    "kind", borders(sorted({*KINDS} - OF_NOTIFICATIONS), "lose_answer", "status")
)
def test_under_every_fault(started, kind):
    measured = started()
    options = (
        {"after": 20} if kind.startswith("cut") else {"delay": 0.01} if kind == "delay" else {}
    )
    fault = measured.sandbox.inject(kind, probability=0.3, seed=7, skip=1, **options)
    report = measured(timeout=0.3)
    assert any(each["id"] == fault and each["applied"] for each in measured.sandbox.faults())
    check_the_file(measured, report)
    assert bool(report.failures) is (kind != "delay"), "what failed is said"
    assert report.differences == [], "no failure looks like a rule"
    measured.sandbox.clear_faults()
    again = measured()
    check_the_file(measured, again)
    assert again.differences == []
    assert len(again.failures) <= len(report.failures)


class Killed(BaseException):
    """What no handler takes for an error."""


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["request", "response"])
@pytest.mark.parametrize("call", borders(range(2, 90), *range(2, 90, 11)))
def test_killed_at_every_call(started, call, moment):
    """Killed at this call of the first run and of the second one, before it is sent or after it was
    answered.
    """
    measured = started()
    for _ in range(2):
        left = iter(range(call, -1, -1))

        def count(_: object, left=left) -> None:
            if next(left, 0) == 1:
                raise Killed

        with suppress(Killed):
            measured(event_hooks={moment: [count]})
        if (measured.path / "measured.json").exists():
            check_the_file(measured, load(measured.path / "measured.json"))
    report = measured()
    check_the_file(measured, report)
    assert report.differences == []


def test_a_killed_process_goes_on_from_its_file(started):
    """A whole process ends at once, without a handler, when its third create has been answered."""
    measured = started()
    code = """
import os, sys, httpx
from contextlib import nullcontext
from tests.conform.conftest import WHOLE
from victor_ext import Victor, VictorJwt
from victor_ext.conform import measure, measuring
from victor_ext.conform.exchanges import Senders

url, key, pem, path = sys.argv[1:]
posts = []


def end(response):
    posts.extend([1] * (response.request.method == "POST"))
    if len(posts) == 3:
        os._exit(9)


sender = httpx.Client(event_hooks={"response": [end]})
measuring._senders = lambda _: nullcontext(Senders(sender, sender))
measure(
    path,
    WHOLE,
    lambda **more: Victor(VictorJwt(key, pem), base_url=url, **more),
    sleep=lambda _: None,
)
"""
    path = measured.path / "measured.json"
    arguments = [measured.sandbox.url, API_KEY, str(measured.path / "key.pem"), str(path)]
    assert subprocess.run([sys.executable, "-c", code, *arguments], check=False).returncode == 9
    assert [each["state"] for each in writes(load(path))] == ["made", "made", "sent"]
    with only_writer(path), pytest.raises(ConfigurationError, match="is written by another"):
        measured()
    report = measured()
    check_the_file(measured, report)
    assert [each["assumption"] for each in report.failures] == ["key-repeat", "key-in-progress"]
    states = {each["state"] for each in writes(report)}
    assert states == {"made", "repeated", "answered", "found", "refused"}
    assert (
        "with this file cannot measure key-repeat, key-in-progress: measure into another file."
        in report.text()
    )


def test_a_create_never_meets_a_connection_that_is_about_to_be_closed(victor_key_pair, tmp_path):
    """Each has one of its own: a create that is lost is never sent again."""
    with Sandbox(SandboxSettings(demo_data=True)) as sandbox:
        sandbox.add_api_key(victor_key_pair[1], API_KEY)
        connect = partial(Victor, VictorJwt(API_KEY, victor_key_pair[0]), base_url=sandbox.url)
        report = measure(tmp_path / "measured.json", WHOLE, connect, sleep=sandbox.advance)
    answered = [call for call in report.document["calls"] if "response" in call]
    creates = [call["connection"] for call in answered if "step" in call]
    reads_over = {call["connection"] for call in answered if "step" not in call}
    assert len(creates) == len({*creates} - reads_over) > 20


def test_a_file_of_another_plan_or_place_is_refused(started):
    measured = started()
    measured(Plan())
    with pytest.raises(
        ConfigurationError, match=r"another measurement \(payee=, payer=, own_payer=, "
    ):
        measured(WHOLE)
    other = started()
    with pytest.raises(ConfigurationError, match=r"another measurement \(base_url=\)"):
        other(Plan())
    (measured.path / "measured.json").write_text("[]")
    with pytest.raises(VictorError, match="is no file of 'victor conform' of format 1"):
        measured(Plan())


def test_a_request_of_somebody_else_is_never_answered():
    """The list ignores the filter by id."""
    responded = []

    def answer(request):
        if request.url.path.endswith("/request-payment"):
            return made("OURS")
        if request.method == "POST":
            responded.append(request.url.path)
            return made("OTHERS")
        theirs = {
            "victor_payment_request_id": "OTHERS",
            "victor_payment_request_child_id": "THEIRTWIN",
            "status": "x",
        }
        return httpx.Response(200, json={"results": [theirs]})

    run = run_over(answer)
    run.measure(creates._responses)
    assert responded == []
    assert run.finding("twins")["value"] is None, "the list does not show ours, with or without"
    run.measure(creates._repeats)
    assert run.finding("key-repeat")["value"] is None, "the status of another request shows nothing"


def test_a_create_that_is_answered_with_201_was_made():
    run = run_over(lambda _: httpx.Response(201, json={"victor_payment_request_id": "OURS"}))
    assert run.made("lag").id == "OURS"
    assert [each["state"] for each in run.writes.values()] == ["made"]


def test_it_trusts_whom_the_client_trusts(background, authority, victor_key_pair, tmp_path):
    """Such as the authority of a company, which the system has and certifi has not."""
    provider = RawProvider(background, tls=authority.server())
    auth = VictorJwt(API_KEY, victor_key_pair[0])
    connect = partial(Victor, auth, base_url=provider.url(), verify=authority.trusted())
    assert (
        measure(tmp_path / "measured.json", Plan(), connect).document["findings"]["tls"]["value"]
        == "TLSv1.3"
    )
    provider.close()


def test_two_that_were_not_sent_at_once_show_nothing():
    sent = []

    def answer(request):
        key = request.headers["idempotency-key"]
        sent.append(key)
        if len(sent) == 1:
            while len(sent) == 1:
                time.sleep(0.001)
            time.sleep(0.05)
            raise httpx.ConnectError("refused")
        return made(key)

    first = run_over(answer)
    first.measure(creates._two_at_once)
    assert first.finding("two-at-once")["certainty"] == "not measured"
    again = run_over(answer, first.document)
    again.measure(creates._two_at_once)
    assert again.finding("two-at-once")["value"] is None
    assert len(sent) == 2


@pytest.mark.parametrize(
    ("says", "found"), [(lambda _: 25, None), (lambda asked: min(asked, 40), "40")]
)
def test_what_a_page_says_of_itself_counts_if_it_follows_what_is_asked(says, found):
    run = run_over(
        lambda request: httpx.Response(
            200, json={"results": [], "page_size": says(int(request.url.params["page_size"]))}
        )
    )
    run.measure(reads._page_size)
    assert run.finding("max-page-size")["value"] == found
    played = {"max_page_size": 40, "large_page": "reduce"} if found else {}
    assert run.document["sandbox"] == played


def test_what_the_provider_says_of_how_long_it_keeps_a_connection_is_noted():
    run = run_over(lambda _: httpx.Response(404, headers={"keep-alive": "timeout=5"}))
    run.measure(reads._unknown_id)
    run.measure(reads.connection)
    found = run.finding("keep-alive")
    assert (found["value"], found["note"]) == ("kept", "the provider says: timeout=5")


def test_two_calls_do_not_show_whether_a_connection_is_kept():
    """Each may have had a connection of its own for a reason of the client's: it lets one rest
    before a list.
    """
    run = run_over(lambda _: httpx.Response(404))
    run.measure(reads._unknown_id)
    for number, call in enumerate(run.document["calls"]):
        call["connection"] = number
    run.measure(reads.connection)
    assert (run.finding("keep-alive")["value"], run.finding("tls")["value"]) == (None, "none")


def test_of_two_at_once_that_had_no_answer_each_is_named():
    """Both have one key and one reference, and the list has one request of it, and its twin."""
    sent = []

    def answer(request):
        if request.method == "POST":
            sent.append(json.loads(request.content)["client_reference_id"])
            raise httpx.ReadTimeout("none")
        items = {"OURS": "Outbound", "THEIRS": "Inbound"}.items()
        names = ("victor_payment_request_id", "direction", "client_reference_id")
        results = [dict(zip(names, (*item, sent[0]), strict=True)) for item in items]
        return httpx.Response(200, json={"results": results})

    run = run_over(answer)
    run.measure(creates._two_at_once)
    run.settle()
    assert {(each["state"], each["id"]) for each in run.writes.values()} == {("found", "OURS")}


class Clock:
    """It goes on by each wait; a kill at the first wait is a stop of 30 hours."""

    def __init__(self) -> None:
        self.seconds = 1e9
        self.is_killed = False

    def now(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        if self.is_killed and seconds:
            raise KeyboardInterrupt
        self.seconds += seconds


def test_a_key_that_is_still_refused_has_not_been_forgotten():
    keys = set()
    clock = Clock()

    def answer(request):
        key = request.headers["idempotency-key"]
        is_used = key in keys
        keys.add(key)
        return httpx.Response(409, json={"error": {"code": "1"}}) if is_used else made(key)

    run = run_over(answer, now=clock.now, sleep=clock.sleep, key_life=57_600)
    run.measure(creates._key_life)
    assert (run.finding("key-life")["value"], run.document["sandbox"]) == (None, {})


def test_the_life_of_a_key_after_a_long_stop():
    """Keys are kept for 24 hours.

    Repeats that come 30 hours late say that, and nothing about the planned ages.
    """
    used = {}
    clock = Clock()

    def answer(request):
        key = request.headers["idempotency-key"]
        if clock.seconds - used.get(key, 0) >= 86_400:
            used[key] = clock.seconds
        return made(f"{json.loads(request.content)['client_reference_id']}-{used[key]:.0f}")

    run = run_over(answer, now=clock.now, sleep=clock.sleep, key_life=93_600)
    clock.is_killed = True
    with pytest.raises(KeyboardInterrupt):
        run.measure(creates._key_life)
    clock.is_killed = False
    clock.seconds = clock.seconds + 108_000
    run = run_over(answer, run.document, now=clock.now, sleep=clock.sleep)
    run.measure(creates._key_life)
    assert run.finding("key-life")["value"] == "0 to 108000 s"


def test_a_folder_that_does_not_exist(tmp_path):
    with (
        pytest.raises(
            ConfigurationError, match=r"\.measured\.json\.lock cannot be written \(unable to open"
        ),
        only_writer(tmp_path / "nowhere" / "measured.json"),
    ):
        pass


def test_times_are_compared_as_texts_also_at_a_whole_second():
    times = [datetime(2026, 3, 4, 5, 6, 7, micros, UTC) for micros in (0, 1000, 999_999)]
    assert [*map(stamp, times)] == sorted(map(stamp, times))
