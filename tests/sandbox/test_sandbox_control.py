"""The control commands: the same in this process and over HTTP, reachable when the API is down,
clear when misused.
"""

import logging
from datetime import UTC, datetime
from decimal import Decimal

import httpx
import pytest

from tests.cases import cases_beside
from tests.payments import wire_body
from tests.sandbox.sandbox_callers import KEY, LIST, exchange
from victor_ext.sandbox import RemoteSandbox

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
    caller.create(KEY, {**wire_body(), "client_reference_id": "INV-1"})
    commands.inject("status", times=None)
    commands.advance(60)
    commands.set_clock_skew(30)
    commands.reset()
    assert commands.requests() == commands.faults() == commands.received() == []
    kept = (commands.attempts_by_key, commands.work_done_by_key, commands.work_done_by_reference)
    assert [read() for read in kept] == [{}, {}, {}]
    assert (commands.clock()["advanced"], commands.clock()["skew"]) == (0, 0)
    assert caller.list().status_code == 401


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


MISUSE = {
    **CASES["misuse"],
    "create_inbound": [
        *CASES["misuse"]["create_inbound"],
        ({"amount": Decimal("1.005")}, "amount: it does not match"),
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
