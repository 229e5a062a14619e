"""`victor bulk` as a person and a script use it."""

import os
import re
import runpy
import signal
import socket
from pathlib import Path

import httpx
import pytest

from tests.bulk.bulk_runs import (
    asked_once,
    made_in,
    referenced,
    row,
    rows,
    wait_for_rows,
)
from tests.cases import cases_beside
from tests.cli.victor_command import Ran, interruptible

pytestmark = pytest.mark.pull_request


def test_a_dry_run_sends_nothing_and_makes_no_file(bulk, victor_sandbox):
    dry = bulk.send(referenced(3), "--dry-run")
    assert dry == Ran(0, "3 rows: 3 new (9.69 USD). Nothing was sent.\n", "")
    assert os.listdir(bulk.folder) == ["invoices.csv"]
    assert victor_sandbox.attempts_by_key() == {}


def test_a_file_is_sent_once_and_its_status_is_what_was_said_at_the_end(bulk, victor_sandbox):
    done = "invoices.csv: 3 rows: 3 created\n"
    told = f"invoices.csv: 3 rows to send: 9.69 USD.\nThe state is {bulk.state}.\n"
    assert bulk.send(referenced(3)) == Ran(0, done, told)
    asked_once(victor_sandbox, referenced(3))
    assert bulk("status").out == done


def test_wrong_rows_are_said_with_line_and_column_and_end_with_2(bulk, victor_sandbox):
    ended = bulk.send([row(1), row(2, amount="44,23"), row(2)])
    assert (ended.status, ended.out) == (2, "")
    first, second, advice, last = ended.err.splitlines()
    assert first.startswith("line 3: amount is '44,23'")
    assert second.startswith("line 4: invoice_no is 'INV-2', as in line 3")
    assert "--decimal comma" in advice
    assert (
        last
        == "Error: the file is refused: 3 rows, 1 wrong, 1 with a repeated key. Nothing was sent."
    )
    problems = bulk.send("invoices.csv", "--json").error["problems"]
    assert [(each["line"], each["column"], each["code"]) for each in problems] == [
        (3, "amount", "format"),
        (4, "invoice_no", "repeated"),
    ]
    assert victor_sandbox.attempts_by_key() == {}


@pytest.mark.parametrize(("line", "message"), cases_beside(__file__)["misuse"])
def test_a_misused_command_ends_with_exit_status_2_and_makes_no_file_but_the_state(
    bulk, line, message
):
    bulk.write(rows(1))
    ended = bulk(*line.split())
    assert ended.status == 2
    assert ended.out == ""
    assert message in ended.err
    assert {*os.listdir(bulk.folder)} <= {"invoices.csv", "victor-bulk.sqlite"}


@pytest.fixture
def background():
    """This process ignores signals, as a shell's background job and one of nohup do."""
    with interruptible():
        for number in (signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        yield


@pytest.mark.usefixtures("background")
@pytest.mark.parametrize(
    ("how", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_a_stopped_command_leaves_no_row_open_and_shows_the_command_that_goes_on(
    bulk, victor_sandbox, how, status
):
    bulk.write(rows(40))
    with bulk.sending("invoices.csv", "--rate", "10") as process:
        wait_for_rows(victor_sandbox, 5, process)
        ended = bulk.stopped(process, how)
    assert (ended.status, ended.out) == (status, "")
    assert "victor bulk resume --batch invoices.csv" in ended.err
    made = made_in(victor_sandbox)
    assert 5 <= made < 40
    counts = {"created": made, "waiting": 40 - made}
    assert bulk("status", "--json").json["counts"] == counts, "nothing was left open"


def test_a_worker_joins_and_ends_with_a_signal(bulk, victor_sandbox, postgres):
    """The sender is gone: the worker takes over what it had taken, and the rest."""
    bulk.write(rows(30))
    with bulk.sending("invoices.csv", "--rate", "10", "--state", postgres) as sending:
        wait_for_rows(victor_sandbox, 3, sending)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        _, port = probe.getsockname()
    work = ("worker", "--json", "--state", postgres, "--metrics-port", str(port))
    with bulk.started(*work) as worker:
        wait_for_rows(victor_sandbox, 30, worker)
        metrics = httpx.get(f"http://127.0.0.1:{port}/metrics").text
        taken = bulk(*work)
        ended = bulk.stopped(worker, signal.SIGTERM)
    assert (ended.status, ended.err) == (0, "")
    assert re.search(r'\nvictor_ext_call_duration_seconds_count\{.*="success"} [1-9]', metrics)
    assert "--metrics-port: " in taken.err
    assert "Address already in use" in taken.err
    messages = [line["message"] for line in ended.json_lines]
    assert messages[0].startswith("Working on postgresql://")
    assert messages[-1] == "Stopped."
    asked_once(victor_sandbox, rows(30))


def test_status_ends_as_send_would_and_export_with_0(bulk):
    bulk.write([row(1)], "good.csv")
    bulk.write([row(2, amount="0")], "bad.csv")
    for name, status in (("good.csv", 0), ("bad.csv", 1)):
        sent = bulk.send(name, "--skip-invalid")
        assert ("Correct or delete them in the sheet" in sent.err) == bool(status)
        assert sent.status == bulk("status", "--batch", name).status == status
        assert bulk("export", "--batch", name).status == 0
    assert bulk("status").status == 1


def test_the_example_of_bulk_sending_creates_the_same_payments_once_in_two_runs(
    bulk, victor_sandbox, monkeypatch, capsys
):
    example = Path(__file__).parents[2] / "examples" / "bulk_send.py"
    monkeypatch.chdir(bulk.folder)
    for name, value in bulk.environment.items():
        monkeypatch.setenv(name, value)
    for _ in range(2):
        with pytest.raises(SystemExit, match="1"):
            runpy.run_path(str(example), run_name="__main__")
        shown = capsys.readouterr()
        assert shown.err == ""
        assert shown.out.startswith("12 created, 1 refused\n")
        assert shown.out.count(": created ") == 12
        assert "invoice 2046: refused amount is '12.345'" in shown.out
    assert [*victor_sandbox.attempts_by_key().values()] == [1] * 12
