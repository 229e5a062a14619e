"""The control commands: the same in this process and over HTTP, reachable when the API is down,
clear when misused.
"""

import json
import logging
import re
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import product

import httpx
import pytest

from tests.cases import cases_beside
from tests.cli.victor_command import until
from tests.providers.systems import ADAPTERS, CLIENTS
from tests.sandbox.sandbox_callers import KEY, LIST, RawConnection, a_body, exchange
from victor_ext.sandbox import RemoteSandbox, Sandbox

pytestmark = pytest.mark.slow
CASES = cases_beside(__file__)


@pytest.fixture(params=["here", "over-http"])
def commands(request, sandbox):
    """The same sandbox, commanded in one way or the other."""
    return sandbox if request.param == "here" else RemoteSandbox(sandbox.url)


def test_commands_lead_a_request_with_a_lost_response_to_its_completion(commands, caller):
    commands.add_account("243884643621", name="Victor Doe")
    commands.add_counterparty("aHeq349838", account_number="243884643621")
    commands.inject("lose_answer", operation="create")
    with pytest.raises(httpx.TransportError):
        caller.create(KEY)
    made = caller.create(KEY).json()
    assert commands.attempts_by_key() == {KEY: 2}
    assert commands.work_done_by_key() == {KEY: 1}
    first, second = commands.received()
    assert (first.fault, first.work_done, first.attempt) == ("lose_answer", True, 1)
    assert (second.fault, second.replayed, second.attempt) == (None, True, 2)
    assert commands.received(after=first.number) == [second]
    caller.respond(made["victor_payment_request_child_id"])
    assert commands.advance(2) == 2
    assert [request["status"] for request in commands.requests()] == ["completed", "completed"]
    assert commands.requests()[1]["direction"] == "inbound"


def test_a_reset_forgets_everything(commands, caller):
    caller.create(KEY, {**a_body(), "client_reference_id": "INV-1"})
    commands.inject("status", times=None)
    commands.advance(60)
    commands.set_clock_skew(30)
    commands.reset()
    assert commands.requests() == commands.faults() == commands.received() == []
    kept = (commands.attempts_by_key, commands.work_done_by_key, commands.work_done_by_reference)
    assert [read() for read in kept] == [{}, {}, {}]
    assert (commands.clock()["advanced"], commands.clock()["skew"]) == (0, 0)
    assert caller.list().status_code == 401


JSON = {"content-type": "application/json"}
HALF = "\ud83d"  # of a surrogate pair: JSON can write it, and UTF-8 cannot


@pytest.mark.parametrize("system", CLIENTS)
def test_half_a_character_is_refused_by_every_command_and_no_list_fails_after_it(system, http):
    with ADAPTERS[system].SANDBOX() as sandbox:
        reads = [each for each in sandbox.commands() if each.method == "GET"]
        for command in {*sandbox.commands()} - {*reads}:
            url = sandbox.url + re.sub(r"\{\w+\}", "x", command.path)
            in_body = [each.name for each in command.parameters if each.name not in command.path]
            for name, value in product(in_body, (HALF, [{"notes": HALF}])):
                content = json.dumps({name: value})
                refused = http.request(command.method, url, content=content, headers=JSON)
                assert refused.status_code == 400, (command.name, name, refused.text)
                assert f"{name} has half of a surrogate pair" in refused.json()["message"]
        for command in reads:
            if "{" not in command.path:
                assert http.get(sandbox.url + command.path).status_code == 200, command.name


def test_the_headers_of_a_call_are_recorded_without_credentials(commands, sandbox, caller):
    caller.call("GET", LIST, headers={"X-Team": "billing", "Cookie": "session=1"})
    sandbox.inject("cut_request")
    exchange(sandbox.url, caller.raw("GET", LIST, headers={"x-team": "billing\r\nx-team: ops"}))
    names = ("authorization", "x-team", "cookie")
    assert [[call.headers.get(name) for name in names] for call in commands.received()] == [
        ["Token …", "billing", "…"],
        ["Token …", "billing, ops", None],
    ]
    assert caller.token().split(".")[0] not in repr(commands.received())


@pytest.mark.parametrize(
    ("name", "given", "shown"),
    [
        ("amount", Decimal("12.00"), "12.00"),
        ("amount", 12, "12"),
        ("amount", Decimal("1E+2"), "100"),
        ("amount", "7.5", "7.5"),
        ("due_date", date(2021, 10, 25), "2021-10-25"),
        ("due_date", "2021-10-25", "2021-10-25"),
    ],
)
def test_an_amount_is_a_decimal_an_int_or_text_and_a_due_date_may_have_passed(
    commands, caller, name, given, shown
):
    request_id = commands.create_inbound(**{name: given})
    (listed,) = caller.listed()
    assert listed["payment_request"]["payment_details"][name] == shown
    assert commands.request(request_id)[name] == shown


def test_time_is_seconds_or_a_timedelta(commands):
    commands.advance(timedelta(days=1))
    commands.advance(60)
    commands.set_clock_skew(timedelta(minutes=-2))
    clock = commands.clock()
    assert (clock["advanced"], clock["skew"]) == (86_460, -120)


MISUSE = {
    **CASES["misuse"],
    "create_inbound": [
        *CASES["misuse"]["create_inbound"],
        ({"amount": Decimal("1.005")}, "amount breaks the rule 'pattern'"),
        ({"due_date": datetime(2026, 1, 2, 3, tzinfo=UTC)}, "due_date must be YYYY-MM-DD"),
    ],
}
"""What each command refuses, and why."""


@pytest.mark.parametrize("name", MISUSE)
def test_a_misused_command_raises_a_value_error_with_the_reason_and_changes_no_request(
    commands, name
):
    about = (
        {"request_id": commands.create_inbound(), "status": "failed"}
        if name in ("respond", "move")
        else {}
    )
    before = commands.requests()
    for given, reason in MISUSE[name]:
        with pytest.raises(ValueError, match=reason):
            getattr(commands, name)(**{**about, **given})
    assert [commands.requests(), commands.faults()] == [before, []]


@pytest.mark.parametrize("content", ["{", "[]"])
def test_a_body_of_a_command_is_a_json_object(sandbox, content):
    wrong = httpx.post(f"{sandbox.url}/_sandbox/clock/advance", content=content, headers=JSON)
    assert (wrong.status_code, wrong.json()["error"]) == (400, "misuse")


def test_the_command_down_over_http_requires_the_seconds_until_the_sandbox_is_up(sandbox):
    remote = RemoteSandbox(sandbox.url)
    with pytest.raises(ValueError, match="give seconds"):
        remote.down()
    assert remote.clock(), "and it still listens"
    remote.down(0.1)
    with pytest.raises(ConnectionRefusedError):
        RawConnection(sandbox.url)
    until(lambda: is_listening(sandbox))
    assert remote.clock(), "and it listens again by itself"


def is_listening(sandbox):
    with suppress(ConnectionRefusedError), RawConnection(sandbox.url):
        return True
    return False


def test_a_sandbox_that_does_not_run_has_no_url_and_raises_an_error():
    sandbox = Sandbox()
    sandbox.stop()
    with pytest.raises(RuntimeError, match="does not run"):
        _ = sandbox.url
    with sandbox, pytest.raises(RuntimeError, match="runs already"):
        sandbox.start()


def test_bytes_that_are_not_http_are_answered_with_400(sandbox):
    answer, ending = exchange(sandbox.url, b"NONSENSE\r\n\r\n")
    assert (answer[:13], ending) == (b"HTTP/1.1 400 ", "close")


def test_a_sandbox_logs_one_line_per_call_with_no_key_id_or_query(sandbox, caller, caplog):
    caplog.set_level(logging.INFO, "victor_ext.sandbox.access")
    sandbox.inject("status", status=503)
    for _ in range(3):
        caller.create(KEY)
    caller.get("043987673645")
    caller.call("GET", f"{LIST}/a%0Ab?secret=1")
    lines = [each for each in caplog.messages if LIST in each]
    failed, _, repeated, read, odd = lines
    shown = ("POST", "503", "fault=status", f"key={KEY[:8]}… attempt=1")
    assert [text for text in shown if text not in failed] == []
    assert "replayed" in repeated
    assert "••••••••3645" in read
    assert odd.split()[1] == f"{LIST}/a%0Ab"
    assert not [secret for secret in (KEY, "043987673645") if secret in "".join(lines)]
