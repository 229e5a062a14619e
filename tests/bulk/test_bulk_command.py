"""`victor bulk` as a person and a script use it."""

import json
import os
import re
import runpy
import signal
import socket
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from tests.bulk.bulk_runs import (
    asked_once,
    made_in,
    referenced,
    respond_to_creates,
    row,
    rows,
    wait_for_rows,
    wait_until,
)
from tests.cases import cases_beside
from tests.cli.victor_command import Command, Ran, interruptible
from tests.programs import python
from victor_ext.bulk import RowOutcome
from victor_ext.cli import _bulk_output, _bulk_session
from victor_ext.cli._bulk_output import show_interruption

pytestmark = pytest.mark.pull_request
CYAN, GREEN = "\x1b[36m", "\x1b[32m"
RED = re.compile(r"\x1b\[(?:[0-9;]*;)?(?:31|91|38;5;(?:1|9|16[0-9]|19[6-9]))m")


def test_a_dry_run_sends_nothing_and_makes_no_file(bulk, victor_sandbox):
    dry = bulk.send(referenced(3), "--dry-run")
    assert dry == Ran(0, "3 rows: 3 new (9.69 USD). Nothing was sent.\n", "")
    assert os.listdir(bulk.folder) == ["invoices.csv"]
    assert victor_sandbox.attempts_by_key() == {}


def test_a_file_is_sent_once_and_its_status_is_what_was_said_at_the_end(bulk, victor_sandbox):
    done = "invoices.csv: 3 rows: 3 created\n"
    announced = "invoices.csv: 3 rows to send: 9.69 USD.\n"
    assert bulk.send(referenced(3)) == Ran(0, done, announced)
    asked_once(victor_sandbox, referenced(3))
    assert bulk("status").out == done


def test_an_export_is_written_to_the_output_or_to_a_file_with_the_usual_permissions(bulk):
    bulk.send(referenced(3))
    exported = bulk("export")
    assert [line["invoice_no"] for line in exported.table] == ["INV-1", "INV-2", "INV-3"]
    assert bulk("export", "-o", "results.csv").out == ""
    results = bulk.folder / "results.csv"
    assert results.read_text("utf-8") == exported.out
    umask = os.umask(0)
    os.umask(umask)
    assert results.stat().st_mode & 0o777 == 0o666 & ~umask, "as every new file"


def test_a_command_without_a_state_on_a_server_does_not_load_the_driver_of_the_server(bulk):
    """A check of rows, and a look at a state that is not there."""
    bulk.write(rows(2))
    code = f"""
import sys
from victor_ext.cli import main
assert main(["bulk", "send", "invoices.csv", *{bulk.sends}, "--dry-run"]) == 0
assert main(["bulk", "status"]) == 2
loaded = {{name.partition(".")[0] for name in sys.modules}}
assert "victor_ext.bulk._sender" in sys.modules
assert "psycopg" not in loaded, sorted(loaded)
"""
    ran = python("-c", code, cwd=bulk.folder, env=bulk.environment)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout == "2 rows: 2 new (5.46 USD). Nothing was sent.\n"


def test_wrong_rows_are_said_with_line_and_column_and_end_with_2(bulk, victor_sandbox):
    ended = bulk.send([row(1), row(2, amount="44,23"), row(2)])
    assert (ended.status, ended.out) == (2, "")
    first, second, advice, last = ended.err.splitlines()
    assert first.startswith("line 3: amount is '44,23'")
    assert second.startswith("line 4: invoice_no is 'INV-2', as in line 3")
    assert advice == "--decimal comma reads amounts such as 1.234,56."
    assert last == "Error: 1 row repeats a key and 1 row is wrong. Nothing was sent."
    problems = bulk.send("invoices.csv", "--json").error["problems"]
    assert [(each["line"], each["column"], each["code"]) for each in problems] == [
        (3, "amount", "format"),
        (4, "invoice_no", "repeated"),
    ]
    assert victor_sandbox.attempts_by_key() == {}
    assert os.listdir(bulk.folder) == ["invoices.csv"]


def test_wrong_rows_may_be_skipped_and_are_counted(bulk):
    wrong = [row(number, amount="0") for number in range(21, 43)]
    dry = bulk.send([*rows(20), *wrong], "--dry-run", "--skip-invalid")
    counts = "42 rows: 20 new (234.60 USD), 22 wrong. Nothing was sent.\n"
    assert (dry.status, dry.out) == (1, counts)
    lines = ", ".join(map(str, range(22, 42)))
    message = f"lines {lines}, ... (22 in all): amount is '0' and must be above zero."
    assert dry.err.splitlines()[0] == message
    sent = bulk.send([row(1), wrong[0]], "--skip-invalid", "--json").json
    assert sent["counts"] == {"created": 1, "refused": 1}
    assert sent["check"]["problems"][0]["line"] == 3


@pytest.mark.parametrize(("line", "message"), cases_beside(__file__)["misuse"])
def test_a_misused_command_ends_with_exit_status_2_and_makes_no_file(bulk, line, message):
    bulk.write(rows(1))
    ended = bulk(*line.split())
    assert ended.status == 2
    assert ended.out == ""
    assert message in ended.err
    assert os.listdir(bulk.folder) == ["invoices.csv"]


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


@pytest.mark.usefixtures("background")
def test_a_second_signal_waits_for_no_call(bulk, victor_sandbox):
    victor_sandbox.inject("delay", operation="create", delay=600, times=None)
    bulk.write(rows(3))
    with bulk.sending("invoices.csv") as process:
        wait_until(lambda: bool(victor_sandbox.attempts_by_key()), process)
        process.send_signal(signal.SIGINT)
        assert process.stderr is not None
        while not process.stderr.readline().startswith("Stopping. "):
            assert process.poll() is None
        ended = bulk.stopped(process, signal.SIGINT)
    assert ended.status == 130
    assert "victor bulk resume --batch invoices.csv" in ended.err


def test_a_batch_stops_after_a_signal_whose_exception_was_ignored(
    bulk, victor_sandbox, monkeypatch
):
    """A signal whose exception nobody sees, as in a finalizer."""

    def ignored_signal(*_):
        with suppress(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr(_bulk_session, "show_progress", ignored_signal)
    ran = bulk.send(rows(40), "--rate", "10")
    assert ran.status == 143
    assert "victor bulk resume --batch invoices.csv" in ran.err
    assert made_in(victor_sandbox) < 40


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
    assert f"--metrics-port: port={port} of host='0.0.0.0' cannot be used" in taken.err
    messages = [line["message"] for line in ended.json_lines]
    assert messages[0].startswith("Working on postgresql://")
    assert messages[-1] == "Stopped."
    asked_once(victor_sandbox, rows(30))


@pytest.mark.usefixtures("background")
def test_a_batch_is_watched_until_its_last_row_or_a_signal(bulk, sender):
    sender.store(rows(3), state=bulk.state)
    with (
        bulk.started("status", "--watch", "--json") as watching,
        bulk.started("status", "--watch") as stopped,
    ):
        assert watching.stdout is not None
        assert stopped.stderr is not None
        assert json.loads(watching.stdout.readline())["unsettled"] == 3
        assert stopped.stderr.readline() == "march: 0 of 3 rows: 3 waiting\n"
        message = "Stopped watching. That stops nothing else.\n"
        assert bulk.stopped(stopped, signal.SIGTERM) == Ran(143, "", message)
        sender.finish(state=bulk.state)
        out, _ = watching.communicate(timeout=60)
    assert watching.returncode == 0
    assert json.loads(out.splitlines()[-1])["counts"] == {"created": 3}


def test_a_row_under_way_moves_the_progress_bar_and_is_not_counted_as_unknown(bulk, victor_sandbox):
    victor_sandbox.inject("delay", operation="create", delay=1.0, times=None)
    bulk.write(rows(3))
    ran = bulk.at_terminal("bulk", "send", "invoices.csv", *bulk.sends)
    assert ran.status == 0
    begun = [frame for frame in ran.err.split("\r") if "3 under way" in frame]
    assert begun
    for frame in begun:
        assert f"{CYAN}\N{BOX DRAWINGS HEAVY HORIZONTAL}" in frame
        assert GREEN not in frame.partition("0/3")[0]  # that is of an end
    assert "unknown" not in ran.err
    assert not RED.search(ran.err)


def test_a_row_is_unknown_once_it_is_no_longer_under_way(sender, victor_sandbox):
    respond_to_creates(victor_sandbox, 503)
    seen = []
    ended = sender().send(rows(3), on_progress=seen.append)
    assert _bulk_output.counts(ended) == "3 unknown"
    for status in seen:
        unknown, shown = status.counts.get(RowOutcome.UNKNOWN, 0), _bulk_output.counts(status)
        assert ("unknown" in shown) == (unknown > status.under_way)
        assert ("under way" in shown) == (status.under_way > 0)


def test_the_totals_of_new_rows_are_said_once_and_first(bulk, victor_sandbox):
    respond_to_creates(victor_sandbox, 503)
    records = [*rows(2), row(3, amount="-1"), row(4, amount="0.01")]
    ran = bulk.send(records, "--skip-invalid", "--patience", "0", "--deadline", "0.1")
    assert ran.err.startswith("invoices.csv: 3 rows to send: 5.47 USD.\n")
    assert ran.err.count("to send") == 1
    victor_sandbox.clear_faults()
    assert "to send" not in bulk.send("invoices.csv", "--skip-invalid").err  # no row is new
    in_json = bulk.send([*records, *rows(2, start=5)], "--skip-invalid", "--json")
    assert "to send" not in in_json.err
    assert in_json.json["check"]["totals"] == {"USD": "13.46"}


def test_a_callback_that_refuses_the_check_stops_a_batch_before_its_state_is_made(sender, tmp_path):
    class NoError(Exception):
        pass

    def refuse(check):
        assert check.new == 2
        raise NoError

    with pytest.raises(NoError):
        sender().send(rows(2), on_check=refuse)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    "line", ["bulk status ma", "bulk send f.csv --batch ma", "bulk instruct ma", "bulk export ma"]
)
def test_a_shell_completes_the_names_of_batches(bulk, sender, line):
    sender.store(rows(1), state=bulk.state)
    words = f"victor {line}"
    count = str(words.count(" "))
    shell = {"_VICTOR_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": count}
    for folder, names in ((bulk.folder, ["march"]), (bulk.folder.parent, [])):
        assert Command(bulk.environment, folder).in_a_process(**shell).out.split() == names
    assert not (bulk.folder.parent / "victor-bulk.sqlite").exists()


def test_the_same_file_without_its_key_column_sends_no_row_again(bulk, victor_sandbox, sender):
    records = referenced(3)
    sender.finish(bulk.write(records, "key.csv"), state=bulk.state, batch=None)
    again = bulk("send", "key.csv")
    assert again.err.splitlines()[0] == "3 rows created before. Not sent again."
    ended = bulk("send", "key.csv", "--key-column", "client_reference_id")
    assert ended.status == 2
    advice = "leave --key-column out, and give the column of the file its former name.\n"
    assert f"would be sent again): {advice}" in ended.err
    asked_once(victor_sandbox, records)


def test_a_command_that_leaves_unknown_rows_shows_the_commands_that_settle_the_rows(
    bulk, victor_sandbox
):
    """What no `resume` may settle, a person does. A copy of the file settles it, too."""
    respond_to_creates(victor_sandbox, 503)
    ended = bulk.send(rows(2), "--batch", "one", "--patience", "0", "--deadline", "0.5")
    assert (ended.status, ended.out) == (3, "one: 2 rows: 2 unknown\n")
    assert "victor bulk resume --batch one" in ended.err
    (command,) = re.findall(r"victor bulk resolve .*", ended.err)
    assert " --batch one " in command
    assert command.endswith(" KEY --as created --id ID --by NAME --why HOW")
    victor_sandbox.clear_faults()
    assert bulk.send("invoices.csv", "--batch", "two").out == "two: 2 rows: 2 created\n"
    assert bulk("resume", "one").out == "one: 2 rows: 2 created\n"
    asked_once(victor_sandbox, rows(2))


def test_the_messages_about_rows_that_were_not_sent_give_the_line_and_the_reason(
    bulk, victor_sandbox
):
    """What concerns many rows is one line; what a person has to decide about is said by its line of
    the file. A dry run says the same.
    """
    assert bulk.send(rows(5)).status == 0
    bulk.write([*rows(3), row(4, amount="99.00"), row(6)], "march.csv")
    for options in (("--dry-run",), ()):
        ran = bulk.send("march.csv", *options)
        assert ran.status == 1
        assert "3 rows created before. Not sent again." in ran.err
        assert "Line 5: INV-4 was asked on" in ran.err
        assert "with another amount. Not sent. Write back what was asked." in ran.err
    assert ran.out == "march.csv: 5 rows: 4 created, 1 to decide\n"
    noticed = {"created_before": 3, "other_values": 1}
    assert bulk("status", "march.csv", "--json").json["noticed"] == noticed
    assert bulk("resume", "march.csv").status == 1, "it sends nothing of it"
    asked_once(victor_sandbox, rows(6))


def test_an_export_replaces_an_export_and_no_sheet(bulk):
    assert bulk.send(rows(1)).status == 0
    sheet = (bulk.folder / "invoices.csv").read_text()
    refused_export = bulk("export", "-o", "invoices.csv")
    assert (refused_export.status, (bulk.folder / "invoices.csv").read_text()) == (2, sheet)
    assert "is a file that is no export: name another one" in refused_export.err
    for _ in range(2):
        assert bulk("export", "-o", "results.csv").status == 0


def test_status_ends_as_send_would_and_export_with_0(bulk):
    bulk.write([row(1)], "good.csv")
    bulk.write([row(2, amount="0")], "bad.csv")
    for name, status in (("good.csv", 0), ("bad.csv", 1)):
        sent = bulk.send(name, "--skip-invalid")
        assert ("Correct or delete them in the sheet" in sent.err) == bool(status)
        assert sent.status == bulk("status", name).status == status
        assert bulk("export", name).status == 0
    assert bulk("status").status == 1


def test_batches_of_another_environment_are_named_and_left_alone(bulk):
    bulk.write([row(1)])
    assert bulk.send("invoices.csv").status == 0
    other = {"VICTOR_ENVIRONMENT": "production", "VICTOR_BASE_URL": ""}
    shown = bulk("status", **other)
    assert shown.status == 2
    (owner,) = re.findall(r"All batches in sqlite:\S+ are of (.+): name that", shown.err)
    assert owner == "victor staging"
    with bulk.started("worker", "--json", **other) as worker:
        assert worker.stdout is not None
        told = [json.loads(worker.stdout.readline())["message"] for _ in range(2)]
        bulk.stopped(worker, signal.SIGTERM)
    assert told[1] == f"All batches so far are of {owner}: left alone."


def test_an_export_without_the_name_of_one_of_several_batches_is_refused_with_the_names(
    bulk, sender
):
    for number, name in enumerate(("march", "april"), 1):
        sender.store(rows(1, start=number), state=bulk.state, batch=name)
    which = (
        "There are several batches (april, march): name those that you mean with --batch, or write "
        "--all."
    )
    assert bulk("export") == Ran(2, "", f"Error: {which}\n")


def test_a_batch_that_cannot_be_resumed_hides_no_other_one(bulk, sender, other_account):
    sender.store(rows(1), victor=other_account, state=bulk.state, batch="others")
    sender.store(rows(1, start=2), state=bulk.state, batch="ours")
    ended = bulk("resume")
    assert (ended.status, ended.out) == (2, "ours: 1 row: 1 created\n")
    assert "belongs to the account" in ended.err


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


@pytest.mark.parametrize(
    ("as_json", "advice"),
    [(True, '"next_command": null'), (False, "Run it again: nothing is stored twice.\n")],
)
def test_a_command_that_is_stopped_before_any_row_is_sent_does_not_advise_to_resume(
    capsys, as_json, advice
):
    """The rows may not be stored: `resume` would end with 0 without them."""
    show_interruption(None, "victor bulk resume", None, as_json=as_json)
    error = capsys.readouterr().err
    assert advice in error
    assert "resume" not in error


def test_rows_that_share_a_reference_are_one_warning_with_their_number(bulk):
    """Not each of them, and not those without one, or those that are wrong."""
    shared = [row(number, client_reference_id=f"R-{number % 2}") for number in range(1, 5)]
    alone = [row(5, client_reference_id="R-5"), row(6, client_reference_id=""), row(7)]
    wrong = row(8, client_reference_id="R-5", amount="0")
    bulk.write([*shared, *alone, wrong])
    warning = "Warning: 4 rows of the file have the client_reference_id of another one."
    for options in (("--dry-run",), ()):
        shown = bulk.send("invoices.csv", "--skip-invalid", *options)
        assert shown.err.count(warning) == shown.err.count("client_reference_id of another") == 1
    assert "of another one" not in bulk.send(alone).err


@pytest.mark.parametrize(
    ("variable", "words"), [("VICTOR_BULK_NEW_KEY", ()), ("OTHER", ("--new", "OTHER"))]
)
def test_the_message_about_a_secret_that_is_too_short_names_its_variable(bulk, variable, words):
    short = bulk("rekey", *words, **{variable: "short"})
    assert short.status == 2
    assert f"Error: {variable} has fewer than 16 characters" in short.err
