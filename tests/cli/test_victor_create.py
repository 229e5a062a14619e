"""`victor rfp create`: what it sends, what it shows, and what its exit status says of the money."""

import json
import re
import shlex
import signal
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.cases import cases_beside
from tests.cli.victor_command import SCRIPT, Command, calls, until
from victor_ext import PaymentRequest, RetryPolicy
from victor_ext.sandbox import Sandbox

pytestmark = [pytest.mark.slow, pytest.mark.hours]
ACCOUNT = "043987673645"
NEEDED = {
    "--payee-account-number": ACCOUNT,
    "--payer-counterparty-id": "acme000001",
    "--amount": "44.23",
    "--biller-type": "BUSINESS",
    "--due-date": "today",
}
KEY = "invoice-1042-of-2026"


def words(**changes: str) -> list[str]:
    """A whole command line, with some options changed or added."""
    options = {
        **NEEDED,
        **{"--" + name.replace("_", "-"): value for name, value in changes.items()},
    }
    return ["rfp", "create", *(word for pair in options.items() for word in pair)]


def outbound(sandbox: Sandbox) -> list[Any]:
    return [request for request in sandbox.requests() if request["direction"] == "outbound"]


def test_it_shows_the_record_with_the_account_masked_and_json_in_full(
    command: Command, victor_sandbox: Sandbox
) -> None:
    ran = command(*words(notes="Thank you", idempotency_key=KEY))
    assert (ran.status, ran.err) == (0, "")
    [made] = outbound(victor_sandbox)
    assert (made["payee_account"], made["amount"], made["idempotency_key"]) == (
        ACCOUNT,
        "44.23",
        KEY,
    )
    assert [
        text for text in (made["id"], "44.23 USD", "****3645", " UTC", KEY) if text not in ran.out
    ] == []
    assert [text for text in (ACCOUNT, "\x1b") if text in ran.out] == []
    whole = command(*words(notes="Thank you", idempotency_key=KEY), "--json").json
    assert (whole["id"], whole["payee"]["account_number"], whole["idempotency_key"]) == (
        made["id"],
        ACCOUNT,
        KEY,
    )
    assert (whole["amount"], whole["status"]) == ("44.23", "created")


def test_every_option_reaches_the_provider(command: Command, victor_sandbox: Sandbox) -> None:
    texts = {
        "ultimate_creditor": "SampleCo Inc.",
        "notes": "--json is no option",
        "client_reference_id": "INV 7",
    }
    assert (
        command(*words(**texts, due_date="tomorrow"), "--amount-modification-allowed").status == 0
    )
    [made] = outbound(victor_sandbox)
    assert {name: made[name] for name in texts} == texts
    assert (made["amount_modification_allowed"], len(made["due_date"])) == (True, 10)


def test_a_date_too_late_says_which_are_right_and_why(
    command: Command, victor_sandbox: Sandbox
) -> None:
    for ran in (
        command(*words(due_date="2999-01-01")),
        command(*words(due_date="2999-01-01", idempotency_key=KEY)),
    ):
        assert ran.status == 2
        right = rf"so write {datetime.now(UTC):%Y-%m}-\d\d or \d{{4}}-\d\d-\d\d\."
        assert re.search(
            r"--due-date 2999-01-01 is too late: .* at most 24 hours ahead; .*" + right, ran.err
        )
    ran = command(*words(due_date="2020-01-01", biller_type="X"))
    assert "--due-date 2020-01-01 is in the past" in ran.err
    assert "Outcome: not_sent" in ran.err
    assert calls(victor_sandbox, "create") == 0


def test_a_repeat_on_a_later_day_is_sent_as_it_was(
    command: Command, victor_sandbox: Sandbox
) -> None:
    asked = words(idempotency_key=KEY, due_date=datetime.now(UTC).date().isoformat())
    made = command(*asked, "--json").json
    victor_sandbox.set_clock_skew(4 * 86400)
    assert command(*words(idempotency_key=KEY, due_date="2020-01-01")).status == 3, (
        "the provider decides"
    )
    assert command(*asked, "--json").json["id"] == made["id"]


def test_an_unknown_outcome_is_status_3_with_the_command_that_settles_it(
    command: Command, victor_sandbox: Sandbox
) -> None:
    victor_sandbox.inject("lose_answer", operation="create", times=None)
    ran = command(*words(notes="It's late", due_date="tomorrow"), "--deadline", "1", "--json")
    assert (ran.status, ran.out) == (3, "")
    key = ran.error["idempotency_key"]
    assert ran.error["outcome"] == "unknown"

    victor_sandbox.clear_faults()
    program, *rest = shlex.split(ran.error["next_command"])
    assert program == "victor"
    again = command(*rest)
    assert again.status == 0, again.err
    assert again.json["idempotency_key"] == key
    assert victor_sandbox.work_done_by_key() == {key: 1}


def test_an_unknown_outcome_shows_the_exact_command_at_a_terminal_and_no_account_number_in_a_log(
    command: Command, victor_sandbox: Sandbox
) -> None:
    victor_sandbox.inject("lose_answer", operation="create", times=None)
    asked = [*words(idempotency_key=KEY), "--deadline", "1"]
    log, shown = command(*asked), command.at_terminal(*asked)
    victor_sandbox.clear_faults()
    assert log.status == shown.status == 3
    said = ("Outcome: unknown", f"Idempotency key: {KEY}", f"--idempotency-key {KEY}")
    assert [text in log.err for text in (*said, ACCOUNT)] == [True, True, True, False]
    [line] = [line for line in shown.err.splitlines() if line.startswith("  victor rfp create ")]
    assert command(*shlex.split(line)[1:]).status == 0
    assert victor_sandbox.work_done_by_key() == {KEY: 1}


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_an_interrupted_create_tells_its_key(
    command: Command, victor_sandbox: Sandbox, number: signal.Signals, status: int
) -> None:
    victor_sandbox.inject("stall", operation="create", work=True)
    with command.started(*words(), "--json") as process:
        until(victor_sandbox.attempts_by_key)
        ran = command.stopped(process, number)
    assert (ran.status, ran.out) == (status, "")
    [key] = victor_sandbox.attempts_by_key()
    assert (ran.error["outcome"], ran.error["idempotency_key"]) == ("unknown", key)
    assert json.loads(ran.err)["exit_status"] == status
    again = command(*shlex.split(ran.error["next_command"])[1:])
    assert again.status == 0
    assert victor_sandbox.work_done_by_key() == {key: 1}


def test_it_says_where_it_wrote_to(command: Command, victor_sandbox: Sandbox) -> None:
    inbound = victor_sandbox.create_inbound()
    for ran in (command(*words()), command("rfp", "decline", inbound, "--notes", "No")):
        assert re.search(
            rf"^Environment +staging, {re.escape(victor_sandbox.url)}$", ran.out, re.MULTILINE
        )
    assert "Environment" not in command("rfp", "get", inbound).out


def test_a_mistake_of_the_command_itself_does_not_look_like_a_refusal(
    command: Command, victor_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PaymentRequest, "to_dict", lambda _: 1 / 0)
    ran = command(*words(idempotency_key=KEY), "--json")
    assert (ran.status, ran.out) == (3, "")
    assert (KEY in ran.err, victor_sandbox.work_done_by_key()) == (True, {KEY: 1})


def test_a_limit_is_status_75_unless_an_answer_was_lost_before(
    command: Command, victor_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    victor_sandbox.inject("rate_limit", operation="create", retry_after=60)
    ran = command(*words(), "--deadline", "5", "--json")
    assert (ran.status, ran.error["outcome"], ran.error["retry_after"]) == (75, "rejected", 60)
    victor_sandbox.inject("status", operation="create", status=429)
    with monkeypatch.context() as patched:
        patched.setattr(RetryPolicy, "wait_before", lambda *_: 60.0)
        ran = command(*words(), "--deadline", "5", "--json")
    assert (ran.status, ran.error["type"], ran.error["outcome"]) == (
        75,
        "DeadlineExceeded",
        "rejected",
    )
    victor_sandbox.clear_faults()
    victor_sandbox.inject("lose_answer", operation="create")
    victor_sandbox.inject("rate_limit", operation="create", retry_after=60)
    ran = command(*words(), "--deadline", "5", "--json")
    assert (ran.status, ran.error["outcome"]) == (3, "unknown")


LOOPS: dict[str, dict[str, Any]] = cases_beside(__file__)["loops"]


@pytest.mark.parametrize(
    "case", [*list(LOOPS)[:-1], pytest.param(list(LOOPS)[-1], marks=pytest.mark.pull_request)]
)
def test_the_retry_loop_of_the_page(
    command: Command, victor_sandbox: Sandbox, tmp_path: Path, case: str
) -> None:
    """As it is written in docs/cli.md, in a real shell with the real command."""
    status, pauses, seen, done = LOOPS[case]["ends"]
    for fault in LOOPS[case].get("faults", []):
        victor_sandbox.inject(**fault)
    page = (Path(__file__).parents[2] / "docs" / "cli.md").read_text(encoding="utf-8")
    [written] = re.findall(r"^key=\$\(victor key .*?^done$", page, re.MULTILINE | re.DOTALL)
    options = {**NEEDED, "--due-date": datetime.now(UTC).date().isoformat(), "--deadline": "1.5"}
    create = shlex.join(
        ["victor", "rfp", "create", *(word for pair in options.items() for word in pair)]
    )
    script = f"sleep() {{ echo $1 >> pauses; }}\n{written}\nexit $result\n".replace(
        "victor rfp create ...", create
    )
    ended = subprocess.run(
        ["/bin/sh", "-c", script],
        env={
            **command.environment,
            **LOOPS[case].get("variables", {}),
            "PATH": f"{SCRIPT.parent}:/usr/bin:/bin",
        },
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (ended.returncode, (tmp_path / "pauses").read_text().split()) == (
        status,
        pauses.split(),
    ), ended.stderr
    assert (calls(victor_sandbox, "create"), [*victor_sandbox.work_done_by_key().values()]) == (
        seen,
        done,
    )
    if status == 0:
        asked = json.loads((tmp_path / "asked.json").read_text())
        assert [request["id"] for request in outbound(victor_sandbox)] == [asked["id"]]
