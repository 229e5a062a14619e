"""`victor reconcile`, as a process or in this one: its status, output, file, and being killed; and
its page is true.
"""

import asyncio
import csv
import json
import os
import re
import signal
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.cases import cases_beside
from tests.cli.victor_command import Command, Ran
from tests.reconciliation.planted import Planted, planted
from victor_ext import AsyncVictor, zulu
from victor_ext.cli.reconcile import KINDS
from victor_ext.reconciliation import COLUMNS, Kind
from victor_ext.reconciliation.report import FIELDS

pytestmark = pytest.mark.pull_request
__all__ = ["planted"]


@pytest.fixture(scope="module")
def command(planted: Planted) -> Command:
    client_id, client_secret = planted.sandbox.add_oauth_client()
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return Command({
        **kept, "PYTHONWARNINGS": "error", "COLUMNS": "200", "VICTOR_BASE_URL": planted.sandbox.url,
        "VICTOR_CLIENT_ID": client_id, "VICTOR_CLIENT_SECRET": client_secret,
    })  # fmt: skip


@pytest.fixture
def book(planted: Planted, tmp_path: Path) -> Path:
    return planted.write(tmp_path / "ours.csv")


def window(planted: Planted) -> list[str]:
    return ["--start", zulu.format(planted.start), "--end", zulu.format(planted.end)]


def run(command: Command, planted: Planted, book: Path, *words: str) -> Ran:
    return command("reconcile", str(book), *window(planted), *words)


def test_books_that_differ(command: Command, planted: Planted, book: Path) -> None:
    ran = run(command, planted, book)
    assert (ran.status, ran.err) == (1, "")
    lines = ran.out.splitlines()
    assert [line.split("  ")[0] for line in lines[:4]] == ["ASKED TWICE"] * 3 + ["differs"]
    assert "ours: line " in lines[0]
    assert "(TWICE-0), 44.23 USD, pending; the other payment is " in lines[0]
    table = {
        line.split()[0]: line for line in lines if line.split()[1:2] and line.split()[1].isdigit()
    }
    assert {kind: int(line.split()[1]) for kind, line in table.items() if kind != "at"} == {
        kind: count for kind, count in planted.expected.items() if kind != "at_edge"
    }
    ends = {
        line.index("USD") + 3
        for kind, line in table.items()
        if kind in ("matched", "missing", "repeated")
    }
    assert len(ends) == 1, "sums are aligned"
    assert table["missing"].split()[2:] == ["221.15", "USD", "-", "ours,", "and", "not", "theirs"]
    total = (
        sum(planted.expected.values()) - planted.expected["matched"] - planted.expected["modified"]
    )
    assert lines[-1] == f"The books differ: {total} rows."
    assert f"... and {total - 10} more: --out report.csv writes all of them" in lines
    assert "\x1b" not in ran.out


@pytest.mark.parametrize("columns", [60, 150])
def test_a_terminal_has_colours_and_a_narrow_one_no_meanings(
    command: Command, planted: Planted, book: Path, columns: int
) -> None:
    words = ["reconcile", str(book), *window(planted)]
    ran = command.at_terminal(*words, columns=columns)
    assert (ran.status, "\x1b[1;37;41mASKED TWICE" in ran.out) == (1, True)
    assert "\x1b[1;37;41m" not in command.at_terminal(*words, columns=columns, NO_COLOR="1").out
    lines = re.sub(r"\x1b\[[0-9;]*m", "", ran.out).splitlines()
    table = lines[lines.index("") + 1 :]
    table = table[: table.index("")]
    assert max(map(len, table)) <= columns
    assert any("221.15 USD" in line for line in table), "no sum is cut"
    assert any("ours, and not theirs" in line for line in table) is (columns != 60)
    assert any(re.match(" {14}[^ ]", line) for line in lines) is (columns < 150), (
        "a difference goes on below itself"
    )


def test_books_that_agree(command: Command, planted: Planted, tmp_path: Path) -> None:
    requests = planted.victor.payment_requests.list(direction="outbound", end_datetime=planted.end)
    rows = [{"id": request.id, "amount": str(request.amount)} for request in requests]
    ran = run(command, planted, planted.write(tmp_path / "ours.csv", rows))
    assert ran.status == 0, ran.out
    assert ran.out.splitlines()[-1] == "The books agree."


def test_json_and_a_report_of_all_rows(
    command: Command, planted: Planted, book: Path, tmp_path: Path
) -> None:
    ran = run(command, planted, book, "--json", "--out", str(tmp_path / "report.csv"))
    assert (ran.status, ran.err, ran.json["agrees"]) == (1, "", False)
    assert {kind: count for kind, count in ran.json["counts"].items() if count} == planted.expected
    assert ran.json["sums"]["missing"] == {"ours": {"USD": "221.15"}, "theirs": {}}
    rows = list(csv.DictReader((tmp_path / "report.csv").read_text("utf-8").splitlines()))
    assert Counter(row["kind"] for row in rows) == planted.expected
    assert tuple(rows[0]) == FIELDS
    assert (tmp_path / "report.csv").stat().st_mode & 0o077 == 0, "only its owner can read it"
    run(command, planted, book, "--out", str(tmp_path / "report.jsonl"))
    lines = [
        json.loads(line) for line in (tmp_path / "report.jsonl").read_text("utf-8").splitlines()
    ]
    assert [
        {name: "" if value is None else str(value) for name, value in line.items()}
        for line in lines
    ] == rows
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "ours.csv",
        "report.csv",
        "report.jsonl",
    ]


def test_rows_that_are_wrong_are_told_before_the_provider_is_asked(
    command: Command, planted: Planted, tmp_path: Path
) -> None:
    before = len(planted.sandbox.received())
    book = planted.write(
        tmp_path / "ours.csv",
        [{"client_reference_id": "R", "amount": "1,5"}, {"id": "7" * 256, "amount": "1"}],
    )
    ran = run(command, planted, book)
    assert (ran.status, ran.out) == (2, "")
    first, *others = ran.err.splitlines()
    assert first.startswith("line 2, amount: amount is '1,5' and must be")
    assert others == [
        "line 3, id: id must be text of 1 to 255 characters.",
        "Error: the file cannot be compared. Nothing was read from the provider.",
    ]
    as_json = run(command, planted, book, "--json")
    assert [problem["field"] for problem in as_json.error["problems"]] == ["amount", "id"]
    assert len(planted.sandbox.received()) == before


def test_a_file_is_described_as_for_bulk(
    command: Command, planted: Planted, book: Path, tmp_path: Path
) -> None:
    """With the same options: what a file was sent with reads it here, too."""
    records = list(csv.DictReader(book.read_text("utf-8").splitlines()))
    own = tmp_path / "own.csv"
    with own.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [*records[0], "due_date"], delimiter=";")
        writer.writeheader()
        for record in records:
            amount = record["amount"].replace(".", ",")
            writer.writerow({**record, "amount": amount, "due_date": "25.11.2026"})
    words = ("--decimal", "comma", "--date-format", "DMY", "--encoding", "utf-8")
    ran, same = run(command, planted, own, *words), run(command, planted, book)
    assert (ran.status, ran.out) == (same.status, same.out)
    wrong = run(command, planted, own, "--date-format", "DYM")
    assert (wrong.status, "--date-format" in wrong.err) == (2, True)


MISUSE = cases_beside(__file__)["misuse"]


@pytest.mark.parametrize("message", MISUSE)
def test_a_misuse_is_named_and_nothing_is_printed(
    command: Command, planted: Planted, book: Path, message: str
) -> None:
    words = MISUSE[message].split()
    given = words if message.startswith(("--start", "--end")) else [*window(planted), *words]
    ran = command("reconcile", str(book), *given)
    assert (ran.status, ran.out) == (2, "")
    assert message in ran.err


def test_a_day_is_its_first_moment_in_utc(command: Command, book: Path) -> None:
    days, moments = ["2001-03-04", "2001-03-06"], ["2001-03-04T00:00:00Z", "2001-03-06T00:00:00Z"]
    ran, same = (
        command("reconcile", str(book), "--start", start, "--end", end)
        for start, end in (days, moments)
    )
    assert (ran.status, ran.out) == (same.status, same.out)
    assert "from 2001-03-04 00:00:00 UTC until just before 2001-03-06 00:00:00 UTC." in ran.out


def test_the_report_does_not_replace_our_book(
    command: Command, planted: Planted, book: Path
) -> None:
    before = book.read_bytes()
    linked = book.with_name("linked.csv")
    linked.symlink_to(book)
    for option, out in (
        ("--out", book),
        ("--html", linked),
        ("--out", book.parent / "." / book.name),
    ):
        ran = run(command, planted, book, option, str(out))
        assert (ran.status, ran.out) == (2, "")
        assert "is the file that is compared: name another one" in ran.err
    assert book.read_bytes() == before


def test_a_pipe_is_refused_before_it_is_read_and_a_file_has_to_be_there(
    command: Command, planted: Planted, tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "ours.jsonl")
    messages = {
        "ours.jsonl": "ours.jsonl is not a file but a pipe or a device",
        "none.csv": "none.csv cannot be read: No such file or directory.",
    }
    for name, message in messages.items():
        ran = run(command, planted, tmp_path / name)
        assert (ran.status, ran.out) == (2, "")
        assert message in ran.err


def test_the_wrong_window_is_told(command: Command, planted: Planted, tmp_path: Path) -> None:
    request = next(iter(planted.victor.payment_requests.list(direction="outbound")))
    assert request.amount is not None
    row = {"id": request.id, "amount": f"{request.amount:f}"}
    wrong = ["--start", "2001-01-01T00:00:00Z", "--end", "2001-01-02T00:00:00Z"]
    ran = command("reconcile", str(planted.write(tmp_path / "ours.csv", [row])), *wrong)
    assert ran.status == 0
    assert (
        "1 row of ours matched only by id, because the provider's list of the window has no such "
        "payment: whether the customer was asked twice is not known."
    ) in ran.out
    book = planted.write(tmp_path / "timed.csv", [{**row, "at": "2001-03-01T00:00:00Z"}])
    ran = command("reconcile", str(book), *wrong)
    assert ran.status == 0
    assert "Nothing was compared: no row of either book is in the window." in ran.out
    assert "agree" not in ran.out
    as_json = json.loads(command("reconcile", str(tmp_path / "ours.csv"), *wrong, "--json").out)
    assert (as_json["agrees"], as_json["elsewhere"]) == (True, 1)


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [(403, None, "403"), *((200, body, "no list of results") for body in ("{}",))],
)
def test_a_read_that_fails_is_no_difference(
    command: Command,
    planted: Planted,
    book: Path,
    tmp_path: Path,
    status: int,
    body: str | None,
    said: str,
) -> None:
    """Without its list, a page was not read: it is no empty one."""
    out = tmp_path / "report.csv"
    planted.sandbox.inject("status", status=status, body=body, operation="list", times=100)
    try:
        ran = run(command, planted, book, "--out", str(out), "--json")
    finally:
        planted.sandbox.clear_faults()
    assert (ran.status, ran.out) == (75, "")
    assert said in ran.err
    assert (ran.error["status_code"], json.loads(ran.err)["exit_status"]) == (status, 75)
    assert not out.exists()


@pytest.mark.parametrize(
    ("number", "status"),
    [
        (signal.SIGKILL, -9),
        *(
            pytest.param(*each, marks=pytest.mark.pull_request)
            for each in [(signal.SIGTERM, 143), (signal.SIGHUP, 129)]
        ),
    ],
    ids=str,
)
def test_it_is_ended_in_the_middle_and_repeated(
    command: Command,
    planted: Planted,
    book: Path,
    tmp_path: Path,
    number: signal.Signals,
    status: int,
) -> None:
    out, folder = tmp_path / "report.csv", tmp_path / "temporary"
    folder.mkdir()
    run(command, planted, book, "--out", str(out))
    expected = out.read_bytes()
    out.write_text("of yesterday", "utf-8")
    words = ["reconcile", book, *window(planted), "--page-size", "10", "--out", out]
    in_folder = Command({**command.environment, "TMPDIR": str(folder)})
    seen = len([call for call in planted.sandbox.received() if call.operation == "list"])
    planted.sandbox.inject("cut_answer", operation="list", skip=3, how="stall", after=1)
    with in_folder.started(*map(str, words)) as process:
        while (
            len([call for call in planted.sandbox.received() if call.operation == "list"])
            < seen + 4
        ):
            assert process.poll() is None
        assert in_folder.stopped(process, number).status == status
    planted.sandbox.clear_faults()
    assert out.read_text("utf-8") == "of yesterday"
    assert list(folder.iterdir()) == []
    assert command(*map(str, words)).status == 1
    assert out.read_bytes() == expected
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "ours.csv",
        "report.csv",
        "temporary",
    ]
    assert {call.method for call in planted.sandbox.received()[-30:]} == {"GET"} | {"POST"}, (
        "tokens and reads"
    )


PAGE = (Path(__file__).parent.parent.parent / "docs" / "reconcile.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


def table(heading: str) -> list[list[str]]:
    section = PAGE.split(f"## {heading}\n")[1].split("\n## ")[0]
    rows = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in row] for row in rows]


def test_the_kinds_are_those_there_are_in_their_order() -> None:
    assert [row[0].strip("`") for row in table("The rows of a report")] == [
        kind.value for kind in Kind
    ]
    assert list(KINDS) == [kind.value for kind in Kind]


def test_the_columns_are_those_that_are_read() -> None:
    by_name = {
        row[0].strip("`"): tuple(re.findall(r"`(\w+)`", row[1])) for row in table("The file")
    }
    assert by_name == dict(COLUMNS)


def test_the_awaited_example(async_victor: AsyncVictor) -> None:
    names: dict[str, Any] = {}
    exec(compile(BLOCKS[1], "docs/reconcile.md", "exec"), names)
    now = datetime.now(UTC)

    async def run() -> bool:
        async with async_victor:
            return bool(
                await names["agrees"](
                    async_victor, [], now - timedelta(hours=1), now - timedelta(minutes=30)
                )
            )

    assert asyncio.run(run()) is True
