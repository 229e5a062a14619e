"""`victor rfp create`: what it sends, what it shows, and what its exit status says of the money."""

import json
import re
import shlex
import signal
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from tests.cases import cases_beside
from tests.cli.victor_command import SCRIPT, calls, until
from tests.payments import create_words
from victor_ext import Victor, VictorOAuth
from victor_ext.cli import _signals

pytestmark = pytest.mark.slow
ACCOUNT = "043987673645"
KEY = "invoice-1042-of-2026"


def words(**changes):
    """A whole command line, with some options changed or added."""
    return create_words(**{"payer_counterparty_id": "acme000001", "due_date": "today"} | changes)


def test_create_shows_the_record_with_a_masked_account_and_shows_json_in_full(
    command, victor_sandbox
):
    """And every option reaches the provider."""
    texts = {"notes": "--json is no option", "client_reference_id": "INV 7"}
    asked = [*words(**texts, idempotency_key=KEY), "--amount-modification-allowed"]
    ran = command(*asked)
    assert (ran.status, ran.err) == (0, "")
    [made] = victor_sandbox.requests()[:1]
    expected = {**texts, "payee_account": ACCOUNT, "amount": "44.23", "idempotency_key": KEY}
    assert made.items() >= {**expected, "amount_modification_allowed": True}.items()
    shown = (made["id"], "44.23 USD", "****3645", " UTC", KEY)
    assert [text for text in shown if text not in ran.out] == []
    assert ACCOUNT not in ran.out
    whole = command(*asked, "--json").json
    assert (whole["id"], whole["payee"]["account_number"]) == (made["id"], ACCOUNT)
    assert (whole["amount"], whole["status"]) == ("44.23", "created")


def test_a_due_date_that_is_too_late_or_past_is_refused_with_the_reason_and_nothing_is_sent(
    command, victor_sandbox
):
    ran = command(*words(due_date="2999-01-01"))
    right = rf"so write {datetime.now(UTC):%Y-%m}-\d\d or \d{{4}}-\d\d-\d\d\."
    too_late = r"--due-date 2999-01-01 is too late: .* at most 24 hours ahead; .*"
    assert re.search(too_late + right, ran.err)
    ran = command(*words(due_date="2020-01-01"))
    assert "--due-date 2020-01-01 is in the past" in ran.err
    assert "Outcome: not_sent" in ran.err
    assert calls(victor_sandbox, "create") == 0


def test_an_unknown_outcome_shows_the_exact_command_at_a_terminal_and_no_account_number_in_a_log(
    command, victor_sandbox
):
    victor_sandbox.inject("lose_answer", operation="create", times=None)
    asked = [*words(idempotency_key=KEY), "--deadline", "1"]
    log, shown = command(*asked), command.at_terminal(*asked)
    victor_sandbox.clear_faults()
    assert log.status == shown.status == 3
    said = ("Outcome: unknown", f"Idempotency key: {KEY}", f"--idempotency-key {KEY}")
    assert [text for text in said if text not in log.err] == []
    assert ACCOUNT not in log.err
    [line] = [line for line in shown.err.splitlines() if line.startswith("  victor rfp create ")]
    assert command(*shlex.split(line)[1:]).status == 0
    assert victor_sandbox.work_done_by_key() == {KEY: 1}


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_an_interrupted_create_tells_its_key(command, victor_sandbox, number, status):
    victor_sandbox.inject("stall", operation="create", work=True)
    with command.started(*words(), "--json") as process:
        until(victor_sandbox.attempts_by_key)
        ran = command.stopped(process, number)
    assert (ran.status, ran.out, json.loads(ran.err)["exit_status"]) == (status, "", status)
    [key] = victor_sandbox.attempts_by_key()
    assert (ran.error["outcome"], ran.error["idempotency_key"]) == ("unknown", key)
    assert command(*shlex.split(ran.error["next_command"])[1:]).status == 0
    assert victor_sandbox.work_done_by_key() == {key: 1}


def test_no_attempt_begins_after_a_signal(monkeypatch):
    """Also in a thread that outlives the command."""
    monkeypatch.setattr(_signals._signals, "received", [signal.SIGTERM])
    sent = []
    transport = httpx.MockTransport(sent.append)
    auth = VictorOAuth("id", "not-a-secret")
    client = Victor(auth, transport=transport, on_event=_signals.raise_received)
    with client, pytest.raises(_signals.Terminated):
        client.payment_requests.get("R1")
    assert sent == []


LOOPS = cases_beside(__file__)["loops"]


@pytest.mark.parametrize(
    "case", [*list(LOOPS)[:-1], pytest.param(list(LOOPS)[-1], marks=pytest.mark.pull_request)]
)
def test_the_documented_retry_loop_ends_with_the_expected_status_and_creates(
    command, victor_sandbox, tmp_path, case
):
    """As it is written in docs/cli.md, in a real shell with the real command."""
    status, pauses, seen, done = LOOPS[case]["ends"]
    for fault in LOOPS[case].get("faults", []):
        victor_sandbox.inject(**fault)
    page = (Path(__file__).parents[2] / "docs" / "cli.md").read_text(encoding="utf-8")
    [written] = re.findall(r"^key=\$\(victor key .*?^done$", page, re.MULTILINE | re.DOTALL)
    create = words(due_date=datetime.now(UTC).date().isoformat(), deadline="1.5")
    loop = written.replace("victor rfp create ...", shlex.join(["victor", *create]))
    script = f"sleep() {{ echo $1 >> pauses; }}\n{loop}\nexit $result\n"
    path = {"PATH": f"{SCRIPT.parent}:/usr/bin:/bin"}
    ended = subprocess.run(
        ["/bin/sh", "-c", script],
        env={**command.environment, **LOOPS[case].get("variables", {}), **path},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == status, ended.stderr
    assert (tmp_path / "pauses").read_text().split() == pauses.split()
    assert calls(victor_sandbox, "create") == seen
    assert [*victor_sandbox.work_done_by_key().values()] == done
    if status == 0:
        asked = json.loads((tmp_path / "asked.json").read_text())
        assert [request["id"] for request in victor_sandbox.requests()][:1] == [asked["id"]]
