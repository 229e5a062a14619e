"""`victor bulk` as a person and a script use it."""

import io
import json
import os
import re
import runpy
import signal
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path

import httpx
import pytest
from rich.console import Console
from rich.progress import BarColumn, Task, TaskID

from tests.bulk.bulk_runs import (
    KEY,
    Bulk,
    Senders,
    asked_once,
    keys_of,
    row,
    rows,
    store_only,
    wait_until,
)
from tests.cases import cases_beside
from tests.cli.victor_command import Command, Ran, interruptible
from tests.programs import python
from victor_ext import Victor, VictorOAuth
from victor_ext.bulk import BatchStatus, Check, RowOutcome
from victor_ext.cli import bulk_output, screen
from victor_ext.cli.bulk_output import show_interruption
from victor_ext.sandbox import Sandbox

pytestmark = pytest.mark.pull_request
CYAN, GREEN = "\x1b[36m", "\x1b[32m"
RED = re.compile(r"\x1b\[(?:[0-9;]*;)?(?:31|91|38;5;(?:1|9|16[0-9]|19[6-9]))m")


def test_a_batch_from_the_first_look_to_the_export(bulk: Bulk, victor_sandbox: Sandbox) -> None:
    records = [row(number, client_reference_id=f"R-{number}") for number in (1, 2, 3)]
    bulk.write(records)
    dry = bulk("send", "invoices.csv", *KEY, "--dry-run")
    assert (dry.status, dry.out) == (0, "3 rows: 3 new (9.69 USD). Nothing was sent.\n")
    assert os.listdir(bulk.folder) == ["invoices.csv"]
    assert victor_sandbox.attempts_by_key() == {}

    sent = bulk("send", "invoices.csv", *KEY)
    assert (sent.status, sent.out) == (0, "invoices.csv: 3 rows: 3 created\n")
    assert sent.err == "invoices.csv: 3 rows to send: 9.69 USD.\n"
    asked_once(victor_sandbox, keys_of(records))
    assert sorted(os.listdir(bulk.folder)) == [
        "invoices.csv",
        "victor-bulk.sqlite",
        "victor-bulk.sqlite-lock",
    ]

    assert bulk("status").out == "invoices.csv: 3 rows: 3 created\n"
    exported = bulk("export")
    assert exported.status == 0
    assert [list(line)[:6] for line in exported.table] == [
        ["row", "key", "id", "status", "outcome", "error"]
    ] * 3
    assert [line["invoice_no"] for line in exported.table] == ["INV-1", "INV-2", "INV-3"]

    ended = bulk("export", "-o", "results.csv")
    assert (ended.status, ended.out) == (0, "")
    assert (bulk.folder / "results.csv").read_text("utf-8") == exported.out
    umask = os.umask(0)
    os.umask(umask)
    assert (bulk.folder / "results.csv").stat().st_mode & 0o777 == 0o666 & ~umask, (
        "as every new file"
    )


def test_a_program_that_runs_the_command_goes_on_while_threads_of_it_end(
    bulk: Bulk, monkeypatch: pytest.MonkeyPatch
) -> None:
    bulk.write(rows(1))
    monkeypatch.chdir(bulk.folder)
    monkeypatch.setattr(
        os, "_exit", lambda status: pytest.fail(f"the process was ended with {status}")
    )
    with ThreadPoolExecutor(1, thread_name_prefix="victor-bulk") as others:
        over = threading.Event()
        others.submit(over.wait)
        try:
            assert Command(bulk.environment)("bulk", "send", "invoices.csv", *KEY).status == 0
        finally:
            over.set()


def test_what_reads_no_state_loads_no_database(bulk: Bulk) -> None:
    """DBOS is half of a start: a check of rows, and a look at a state that is not there, begin
    without it.
    """
    bulk.write(rows(2))
    code = f"""
import sys
from victor_ext.cli import main
assert main(["bulk", "send", "invoices.csv", *{KEY}, "--dry-run"]) == 0
assert main(["bulk", "status"]) == 2
loaded = {{name.partition(".")[0] for name in sys.modules}}
assert "victor_ext.bulk.sender" in sys.modules
assert not loaded & {{"dbos", "psycopg"}}, sorted(loaded)
"""
    ran = python("-c", code, cwd=bulk.folder, env=bulk.environment)
    assert (ran.returncode, ran.stdout) == (0, "2 rows: 2 new (5.46 USD). Nothing was sent.\n"), (
        ran.stderr
    )


def test_wrong_rows_are_said_with_line_and_column_and_end_with_2(
    bulk: Bulk, victor_sandbox: Sandbox
) -> None:
    bulk.write([row(1), row(2, amount="44,23"), row(2)])
    ended = bulk("send", "invoices.csv", *KEY)
    assert (ended.status, ended.out) == (2, "")
    first, second, advice, last = ended.err.splitlines()
    assert first.startswith("line 3: amount is '44,23'")
    assert second.startswith("line 4: invoice_no is 'INV-2', as in line 3")
    assert advice == "--decimal comma reads amounts such as 1.234,56."
    assert last == "Error: 1 row repeats a key and 1 row is wrong. Nothing was sent."
    assert (victor_sandbox.attempts_by_key(), os.listdir(bulk.folder)) == ({}, ["invoices.csv"])

    ended = bulk("send", "invoices.csv", *KEY, "--json")
    document = json.loads(ended.err)
    assert (ended.status, ended.out, document["exit_status"]) == (2, "", 2)
    places = [
        (problem["line"], problem["column"], problem["code"])
        for problem in document["error"]["problems"]
    ]
    assert places == [(3, "amount", "format"), (4, "invoice_no", "repeated")]


def test_the_counts_of_a_dry_run_add_up(bulk: Bulk) -> None:
    bulk.write([*rows(20), *(row(number, amount="0") for number in range(21, 43))])
    dry = bulk("send", "invoices.csv", *KEY, "--dry-run", "--skip-invalid")
    assert (dry.status, dry.out) == (
        1,
        "42 rows: 20 new (234.60 USD), 22 wrong. Nothing was sent.\n",
    )
    places = ", ".join(str(line) for line in range(22, 42))
    wrong, _ = dry.err.splitlines()
    assert wrong == f"lines {places}, ... (22 in all): amount is '0' and must be above zero."


def test_a_file_that_was_cut_is_refused_by_its_control_totals(
    bulk: Bulk, victor_sandbox: Sandbox
) -> None:
    bulk.write(rows(2))
    ended = bulk("send", "invoices.csv", *KEY, "--expect-rows", "3", "--expect-total", "9.69")
    assert ended.status == 2
    assert ended.err.splitlines() == [
        "invoices.csv: the amounts are 5.46 in all, and 9.69 is expected: nothing was stored.",
        "invoices.csv: the number of rows is 2, and 3 is expected: nothing was stored.",
        "Error: the file is not the one that is expected. Nothing was sent.",
    ]
    assert (
        "--expect-total '5,46' is not"
        in bulk("send", "invoices.csv", *KEY, "--expect-total", "5,46").err
    )
    assert victor_sandbox.attempts_by_key() == {}
    assert (
        bulk("send", "invoices.csv", *KEY, "--expect-rows", "2", "--expect-total", "5.46").status
        == 0
    )


def test_json_for_programs(bulk: Bulk) -> None:
    bulk.write([row(1), row(2, amount="0")])
    sent = bulk("send", "invoices.csv", *KEY, "--skip-invalid", "--json")
    assert sent.status == 1
    assert sent.json["counts"] == {"created": 1, "refused": 1}
    assert (sent.json["exit_status"], sent.json["check"]["problems"][0]["line"]) == (1, 3)
    assert bulk("status", "--json").json["rows"] == 2
    lines = [json.loads(line) for line in bulk("export", "--json").out.splitlines()]
    assert [line["asked"].get("amount") for line in lines] == ["2.23", None]
    assert [(line["row"], line["outcome"], line["columns"]["region"]) for line in lines] == [
        (1, "created", "north"),
        (2, "refused", "north"),
    ]


@pytest.mark.parametrize(("line", "message"), cases_beside(__file__)["misuse"])
def test_misuse_ends_with_2_and_makes_nothing(bulk: Bulk, line: str, message: str) -> None:
    bulk.write(rows(1))
    ended = bulk(*line.split())
    assert (ended.status, ended.out) == (2, "")
    assert message in ended.err
    assert os.listdir(bulk.folder) == ["invoices.csv"]


@pytest.fixture
def background() -> Iterator[None]:
    """This process ignores signals, as a shell's background job and one of nohup do."""
    with interruptible():
        for number in (signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        yield


@pytest.mark.usefixtures("background")
@pytest.mark.parametrize(
    ("how", "status"),
    [
        (signal.SIGINT, 130),
        pytest.param(signal.SIGTERM, 143, marks=pytest.mark.pull_request),
        (signal.SIGHUP, 129),
    ],
)
def test_a_stop_is_clean_and_says_how_to_go_on(
    bulk: Bulk, victor_sandbox: Sandbox, sender: Senders, how: signal.Signals, status: int
) -> None:
    records = rows(40)
    bulk.write(records)
    with bulk.started("send", "invoices.csv", *KEY, "--rate", "10") as process:
        wait_until(lambda: len(victor_sandbox.work_done_by_key()) >= 5, process)
        process.send_signal(how)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (status, "")
    assert "victor bulk resume --batch invoices.csv" in err
    assert 5 <= len(victor_sandbox.work_done_by_key()) < 40

    again = sender(
        state=f"sqlite:///{bulk.folder}/victor-bulk.sqlite", batch="invoices.csv", rate=1000
    )
    counts = again.status().counts
    assert counts == {
        "created": len(victor_sandbox.work_done_by_key()),
        "waiting": 40 - counts["created"],
    }
    assert again.resume().exit_status == 0
    asked_once(victor_sandbox, keys_of(records))
    # What was sent before was not sent again: nothing had been left open.
    assert set(victor_sandbox.attempts_by_key().values()) == {1}


def test_a_worker_joins_and_ends_with_a_signal(
    bulk: Bulk, victor_sandbox: Sandbox, postgres: str, sender: Senders
) -> None:
    records = rows(30)
    bulk.write(records)
    with bulk.started("send", "invoices.csv", *KEY, "--rate", "10", "--state", postgres) as sending:
        wait_until(lambda: len(victor_sandbox.work_done_by_key()) >= 3, sending)
        sending.kill()
        sending.communicate()
        # The sender is gone: the worker takes over what it had taken, and the rest.
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        with bulk.started(
            "worker", "--json", "--state", postgres, "--metrics-port", str(port)
        ) as worker:
            wait_until(lambda: len(victor_sandbox.work_done_by_key()) >= 30, worker)
            scraped = {
                path: httpx.get(f"http://127.0.0.1:{port}/{path}").text
                for path in ("metrics", "readyz")
            }
            worker.send_signal(signal.SIGTERM)
            out, err = worker.communicate(timeout=60)
    assert (worker.returncode, err) == (0, "")
    assert re.search(
        r'\nvictor_ext_call_duration_seconds_count\{.*="success"} [1-9]', scraped["metrics"]
    )
    assert 'victor_ext_worker_idle_seconds{victor_ext_of="BulkSender"} ' in scraped["metrics"]
    assert scraped["readyz"] == "ok\n"
    with socket.socket() as taken:
        taken.bind(("0.0.0.0", 0))  # as the command listens
        taken.listen()
        port = taken.getsockname()[1]
        refused = bulk("worker", "--state", postgres, "--metrics-port", str(port))
    assert refused.status == 2
    assert f"--metrics-port: port={port} of host='0.0.0.0' cannot be used" in refused.err
    begun, *_, ended = map(json.loads, out.splitlines())
    assert (begun["event"], ended["event"], ended["message"]) == ("working", "stopped", "Stopped.")
    assert begun["message"].startswith("Working on postgresql://")
    asked_once(victor_sandbox, keys_of(records))
    assert sender(state=postgres, batch="invoices.csv").resume().exit_status == 0


@pytest.mark.usefixtures("background")
def test_a_batch_is_watched_until_its_last_row_or_a_signal(bulk: Bulk, sender: Senders) -> None:
    sending = sender(state=f"sqlite:///{bulk.folder}/victor-bulk.sqlite")
    store_only(sending, rows(3))
    with (
        bulk.started("status", "--watch", "--json") as watching,
        bulk.started("status", "--watch") as stopped,
    ):
        assert watching.stdout is not None
        assert stopped.stderr is not None
        line = json.loads(watching.stdout.readline())
        assert (line["batch"], line["over"], line["unsettled"]) == ("march", False, 3)
        assert stopped.stderr.readline() == "march: 0 of 3 rows: 3 waiting\n"
        assert bulk.stopped(stopped, signal.SIGTERM) == Ran(
            143, "", "Stopped watching. That stops nothing else.\n"
        )
        assert sending.resume().exit_status == 0
        out, err = watching.communicate(timeout=60)
    last = json.loads(out.splitlines()[-1])
    assert (watching.returncode, err, last["over"], last["counts"]) == (0, "", True, {"created": 3})
    seen = bulk.at_terminal("bulk", "status", "--watch")
    assert (seen.status, seen.out) == (0, "march: 3 rows: 3 created\n")
    assert "3/3" in seen.err


def test_a_bar_at_a_terminal(bulk: Bulk) -> None:
    bulk.write(rows(20))
    ran = bulk.at_terminal("bulk", "send", "invoices.csv", *KEY, "--rate", "20")
    assert (ran.status, ran.out) == (0, "invoices.csv: 20 rows: 20 created\n")
    assert "20/20" in ran.err
    assert "20 created" in ran.err


def test_what_is_under_way_moves_the_bar_and_is_not_unknown(
    bulk: Bulk, victor_sandbox: Sandbox
) -> None:
    victor_sandbox.inject("delay", operation="create", delay=1.0, times=None)
    bulk.write(rows(3))
    ran = bulk.at_terminal("bulk", "send", "invoices.csv", *KEY)
    assert ran.status == 0
    first_line, bar = ran.err.split("\n", 1)
    assert first_line.rstrip() == "invoices.csv: 3 rows to send: 9.69 USD."
    begun = [frame for frame in bar.split("\r") if "3 under way" in frame]
    assert begun
    for frame in begun:
        assert "0/3" in frame
        assert f"{CYAN}\N{BOX DRAWINGS HEAVY HORIZONTAL}" in frame
        assert GREEN not in frame.partition("0/3")[0]  # that is of an end
    assert "unknown" not in ran.err
    assert not RED.search(ran.err)


def test_a_row_is_unknown_once_it_is_no_longer_under_way(
    sender: Senders, victor_sandbox: Sandbox
) -> None:
    victor_sandbox.inject("status", operation="create", status=503, times=None)
    seen: list[BatchStatus] = []
    ended = sender().send(rows(3), on_progress=seen.append)
    assert (ended.under_way, ended.counts) == (0, {RowOutcome.UNKNOWN: 3})
    assert bulk_output.counts(ended) == "3 unknown"
    for status in seen:
        unknown = status.counts.get(RowOutcome.UNKNOWN, 0)
        assert 0 <= status.under_way <= unknown
        shown = bulk_output.counts(status)
        assert ("unknown" in shown) == (unknown > status.under_way)
        assert ("under way" in shown) == (status.under_way > 0)


def test_the_bar_of_nothing_is_red() -> None:
    """Not even where its total is not known, or its first row has not ended."""
    for total, completed in ((None, 0), (3, 0), (3, 1.5), (3, 3)):
        console = Console(file=io.StringIO(), force_terminal=True, color_system="truecolor")
        bar = next(
            column for column in screen._bar(remains=True).columns if isinstance(column, BarColumn)
        )
        task = Task(TaskID(0), "", total, completed, _get_time=lambda: 0.0)
        task.start_time = 0.0
        styles = [part.style for part in console.render(bar.render(task)) if part.style]
        colors = [style.color.get_truecolor() for style in styles if style.color is not None]
        assert colors
        assert all(color.red <= max(color.green, color.blue) for color in colors), colors


def test_totals_are_said_once_before_anything_is_sent(bulk: Bulk, victor_sandbox: Sandbox) -> None:
    victor_sandbox.inject("status", operation="create", status=503, times=None)
    records = [*rows(2), row(3, amount="-1"), row(4, amount="0.01")]
    bulk.write(records)
    send = ("send", "invoices.csv", *KEY, "--skip-invalid", "--patience", "0")
    ran = bulk(*send, "--deadline", "0.1")
    first, *others = ran.err.splitlines()
    assert first == "invoices.csv: 3 rows to send: 5.47 USD."
    assert not any("to send" in line for line in others)
    victor_sandbox.clear_faults()
    assert "to send" not in bulk(*send).err  # no row is new
    bulk.write([row(5), row(6)], "more.csv")
    more = ("send", "more.csv", *KEY)
    checked = bulk(*more, "--dry-run", "--json").json
    assert (checked["new"], checked["totals"]) == (2, {"USD": "13.46"})
    in_json = bulk(*more, "--json")
    assert "to send" not in in_json.err
    assert in_json.json["check"]["totals"] == {"USD": "13.46"}


def test_whoever_is_asked_before_may_still_say_no(sender: Senders, tmp_path: Path) -> None:
    class NoError(Exception):
        pass

    def refuse(check: Check) -> None:
        assert (check.new, check.totals) == (2, {"USD": Decimal("5.46")})
        raise NoError

    with pytest.raises(NoError):
        sender().send(rows(2), on_check=refuse)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    "line", ["bulk status ma", "bulk send f.csv --batch ma", "bulk instruct ma", "bulk export ma"]
)
def test_a_shell_completes_the_names_of_batches(bulk: Bulk, sender: Senders, line: str) -> None:
    sending = sender(state=f"sqlite:///{bulk.folder}/victor-bulk.sqlite")
    store_only(sending, rows(1))
    words = f"victor {line}"
    shell = {
        "_VICTOR_COMPLETE": "complete_bash",
        "COMP_WORDS": words,
        "COMP_CWORD": str(words.count(" ")),
    }
    ran = Command(bulk.environment, bulk.folder).in_a_process(**shell)
    assert (ran.out.split(), ran.err) == (["march"], "")
    elsewhere = Command(bulk.environment, bulk.folder.parent).in_a_process(**shell)
    assert (elsewhere.out.split(), elsewhere.err) == ([], "")
    assert not (bulk.folder.parent / "victor-bulk.sqlite").exists()


def test_the_same_file_without_its_key_column_asks_nobody_again(
    bulk: Bulk, victor_sandbox: Sandbox, sender: Senders
) -> None:
    records = [row(number, client_reference_id=f"ref {number}") for number in (1, 2, 3)]
    file = bulk.write(records, "key.csv")
    sender(state=f"sqlite:///{bulk.folder}/victor-bulk.sqlite", batch=None).send(file)
    again = bulk("send", "key.csv")
    assert (again.status, again.out) == (0, "key.csv: 3 rows: 3 created\n")
    assert again.err.splitlines()[0] == "3 rows created before. Not sent again."
    ended = bulk("send", "key.csv", "--key-column", "client_reference_id")
    assert (ended.status, ended.out) == (2, "")
    assert "has the key column invoice_no" in ended.err
    assert (
        "would be sent again): leave --key-column out, and give the column of the file its former "
        "name.\n" in ended.err
    )
    asked_once(victor_sandbox, keys_of(records))
    assert len(victor_sandbox.work_done_by_key()) == 3


def test_a_copy_of_what_may_have_been_sent_settles_it_and_asks_nobody_again(
    bulk: Bulk, victor_sandbox: Sandbox
) -> None:
    bulk.write(rows(2))
    send = ("send", "invoices.csv", *KEY, "--batch")
    victor_sandbox.inject("status", operation="create", status=503, times=None)
    hasty = ("--patience", "0", "--deadline", "0.5")
    assert bulk(*send, "one", *hasty).status == 3
    copy = bulk(*send, "two", *hasty)
    assert (copy.status, copy.out) == (3, "two: 2 rows: 2 unknown\n")
    assert "victor bulk resume --batch two" in copy.err
    victor_sandbox.clear_faults()
    again = bulk(*send, "two")
    assert (again.status, again.out) == (0, "two: 2 rows: 2 created\n")
    assert bulk("resume", "one").out == "one: 2 rows: 2 created\n"
    third = bulk(*send, "three")
    assert (third.status, third.out) == (0, "three: 2 rows: 2 created\n")
    assert "2 rows created before. Not sent again." in third.err
    asked_once(victor_sandbox, keys_of(rows(2)))


def test_what_an_operator_reads_of_rows_that_are_not_simply_sent(
    bulk: Bulk, victor_sandbox: Sandbox
) -> None:
    """What concerns many rows is one line; what a person has to decide about is said by its line of
    the file. A dry run says the same.
    """
    bulk.write(rows(5), "march.csv")
    assert bulk("send", "march.csv", *KEY).status == 0
    changed = row(4, amount="99.00")
    copied = row(5, invoice_no="inv-5")
    bulk.write([*rows(3), changed, copied, row(6)], "march (1).csv")
    dry = bulk("send", "march (1).csv", *KEY, "--dry-run")
    sent = bulk("send", "march (1).csv", *KEY)
    assert (dry.status, sent.status) == (1, 1)
    assert sent.out == "march (1).csv: 6 rows: 5 created, 1 refused\n"
    for ran in (dry, sent):
        assert "3 rows created before. Not sent again." in ran.err
        assert "Line 5: INV-4 was asked on" in ran.err
        assert "with another amount. Not sent." in ran.err
        assert "Line 6: inv-5 asks what INV-5 asked (march.csv, " in ran.err
    assert "4 rows created before" not in sent.err
    status = bulk("status", "march (1).csv", "--json")
    noticed = {"created_before": 3, "other_values": 1, "looks_like": 1}
    assert (status.status, status.json["noticed"]) == (1, noticed)
    # `resume` sends nothing of it.
    assert bulk("resume", "march (1).csv").status == 1
    asked_once(victor_sandbox, keys_of(rows(6)))
    assert len(victor_sandbox.requests()) == 6


def test_status_ends_as_send_would_and_export_with_0(bulk: Bulk) -> None:
    for name, amount in (("good.csv", "1"), ("bad.csv", "0")):
        bulk.write([row(len(name), amount=amount)], name)
        sent = bulk("send", name, *KEY, "--skip-invalid")
        dropping = f"\n  victor bulk drop --batch {name}\n" in sent.err
        assert (sent.status, dropping) == (amount == "0", amount == "0")
    assert bulk("status", "good.csv").status == 0
    assert [bulk("status", *words).status for words in ((), ("bad.csv",))] == [1, 1]
    bad = bulk("status", "bad.csv", "--json").json
    assert (bad["over"], bad["unsettled"], bad["counts"]) == (True, 0, {"refused": 1})
    assert bulk("export", "bad.csv").status == 0
    ended = bulk("export")
    assert (ended.status, ended.out) == (2, "")
    assert (
        ended.err
        == "Error: There are several batches (good.csv, bad.csv): name one of them with --batch.\n"
    )


def test_a_batch_that_cannot_be_resumed_hides_no_other_one(
    bulk: Bulk, victor_sandbox: Sandbox, sender: Senders
) -> None:
    state = f"sqlite:///{bulk.folder}/victor-bulk.sqlite"
    with Victor(
        VictorOAuth(*victor_sandbox.add_oauth_client()), base_url=victor_sandbox.url
    ) as other:
        store_only(sender(victor=other, state=state, batch="others"), rows(1))
    store_only(sender(state=state, batch="ours"), rows(1, 2))
    victor_sandbox.inject("lose_answer", operation="create", times=None)
    ended = bulk("resume", "--patience", "0", "--deadline", "1")
    assert (ended.status, ended.out) == (3, "ours: 1 row: 1 unknown\n")
    assert "belongs to the account" in ended.err
    victor_sandbox.clear_faults()
    ended = bulk("resume")
    assert (ended.status, ended.out) == (2, "ours: 1 row: 1 created\n")


def test_the_example_asks_once(
    bulk: Bulk,
    victor_sandbox: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(bulk.folder)
    for name, value in bulk.environment.items():
        monkeypatch.setenv(name, value)
    for _ in range(2):
        with pytest.raises(SystemExit, match="1"):
            runpy.run_path(
                str(Path(__file__).parents[2] / "examples" / "bulk_send.py"), run_name="__main__"
            )
        shown = capsys.readouterr()
        assert shown.err == ""
        first, *lines = shown.out.splitlines()
        assert first == "12 created, 1 refused"
        assert sum(": created " in line for line in lines) == 12
        (refused,) = (line for line in lines if ": refused " in line)
        assert refused.startswith("invoice 2046: refused amount is '12.345'")
    assert set(victor_sandbox.attempts_by_key().values()) == {1}
    assert len(victor_sandbox.work_done_by_key()) == 12


def test_who_stops_a_command_before_it_sends_is_not_told_to_resume(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The rows may not be stored: `resume` would end with 0 without them."""
    for as_json, told in ((True, '"next_command": null'), (False, "Run the same command again.\n")):
        show_interruption(None, "victor bulk resume", None, as_json=as_json)
        error = capsys.readouterr().err
        assert told in error and "resume" not in error


def test_rows_that_share_a_reference_are_one_warning_with_their_number(bulk: Bulk) -> None:
    """Not each of them, and not those without one, or those that are wrong."""
    shared = [row(number, client_reference_id=f"R-{number % 2}") for number in range(1, 5)]
    alone = [row(5, client_reference_id="R-5"), row(6, client_reference_id=""), row(7)]
    wrong = row(8, client_reference_id="R-5", amount="0")
    bulk.write([*shared, *alone, wrong])
    words = ("send", "invoices.csv", *KEY, "--skip-invalid")
    said = "Warning: 4 rows of the file have the client_reference_id of another one."
    assert bulk(*words, "--dry-run").err.count("client_reference_id of another") == 1
    assert said in bulk(*words, "--dry-run").err
    assert bulk(*words, "--dry-run", "--json").json["warnings"][0].startswith(said)
    sent = bulk(*words)
    assert (sent.status, sent.err.count(said)) == (1, 1)
    assert bulk(*words, "--json").json["warnings"][0].startswith(said)
    bulk.write(alone)
    assert "of another one" not in bulk("send", "invoices.csv", *KEY).err


def test_messages_say_what_is_so(bulk: Bulk, victor_sandbox: Sandbox) -> None:
    """Of rows that a person has resolved, of a secret that is too short, and of columns."""
    bulk.write([row(1), row(2)])
    victor_sandbox.inject("lose_answer", operation="create", times=None)
    assert bulk("send", "invoices.csv", *KEY, "--patience", "0").status == 3
    victor_sandbox.clear_faults()
    who = ("--by", "Ann", "--why", "seen")
    assert bulk("resolve", "INV-1", "--as", "created", *who).status == 3
    resolved = bulk("resolve", "INV-2", "--as", "not-created", *who)
    assert "Refused rows were not created." in resolved.err
    told = bulk("ask-again", "INV-1", *who).err
    assert "its id is not known" in told and "name its id" in told
    assert "send or resume" not in told
    told = bulk("ask-again", "INV-2", *who).err
    assert "INV-2 is refused, and was not created: send a file that has it, or drop it." in told
    dropped = bulk("drop")
    assert dropped.out == "invoices.csv: 1 row dropped. None of them was created.\n"
    for variable, words in (("VICTOR_BULK_NEW_KEY", ()), ("OTHER", ("--new", "OTHER"))):
        short = bulk("rekey", *words, **{variable: "short"})
        assert short.status == 2
        assert f"{variable} has fewer than 16 characters" in short.err
        assert "storage_key" not in short.err and "VICTOR_BULK_KEY" not in short.err
    unknown = bulk("send", "invoices.csv", "--column", "betrag=Betrag").err
    assert "due_date" in unknown and "--due-date" not in unknown
