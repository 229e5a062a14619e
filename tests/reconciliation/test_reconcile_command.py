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
from tests.cli.victor_command import Command
from tests.reconciliation.conftest import Books
from tests.reconciliation.planted import Planted
from victor_ext import AsyncVictor
from victor_ext.cli.reconcile import KINDS
from victor_ext.reconciliation import COLUMNS, Kind
from victor_ext.reconciliation.report import FIELDS

pytestmark = pytest.mark.pull_request


def test_books_that_differ(books: Books, planted: Planted) -> None:
    ran = books()
    assert ran.status == 1
    assert ran.err == ""
    lines = ran.out.splitlines()
    assert [line.split("  ")[0] for line in lines[:4]] == ["ASKED TWICE"] * 3 + ["differs"]
    assert "ours: line " in lines[0]
    assert "(TWICE-0), 44.23 USD, pending; the other payment is " in lines[0]
    expected = dict(planted.expected)
    total = sum(expected.values()) - expected["matched"] - expected["modified"]
    assert lines[-1] == f"The books differ: {total} rows."
    assert f"... and {total - 10} more: --out report.csv writes all of them" in lines
    assert "\x1b" not in ran.out
    counted = [line for line in lines if line.split()[1:2] and line.split()[1].isdigit()]
    table = {line.split()[0]: line for line in counted if not line.startswith("at ")}
    del expected["at_edge"]
    assert {kind: int(line.split()[1]) for kind, line in table.items()} == expected
    ends = {table[kind].index("USD") for kind in ("matched", "missing", "repeated")}
    assert len(ends) == 1, "sums are aligned"
    assert table["missing"].split()[2:] == ["221.15", "USD", "-", "ours,", "and", "not", "theirs"]


@pytest.mark.parametrize("columns", [60, 150])
def test_a_terminal_has_colours_and_a_narrow_one_no_meanings(
    books: Books, command: Command, columns: int
) -> None:
    ran = command.at_terminal(*books.words(), columns=columns)
    plain = command.at_terminal(*books.words(), columns=columns, NO_COLOR="1")
    assert ran.status == 1
    assert "\x1b[1;37;41mASKED TWICE" in ran.out
    assert "\x1b[1;37;41m" not in plain.out
    lines = re.sub(r"\x1b\[[0-9;]*m", "", ran.out).splitlines()
    table = lines[lines.index("") + 1 :]
    table = table[: table.index("")]
    assert max(map(len, table)) <= columns
    assert any("221.15 USD" in line for line in table), "no sum is cut"
    assert any("ours, and not theirs" in line for line in table) is (columns != 60)
    has_second_line = any(re.match(" {14}[^ ]", line) for line in lines)
    assert has_second_line is (columns < 150), "a difference goes on below itself"


def test_books_that_agree(books: Books, planted: Planted) -> None:
    requests = planted.victor.payment_requests.list(direction="outbound", end_datetime=planted.end)
    rows = [{"id": request.id, "amount": str(request.amount)} for request in requests]
    ran = books(ours=planted.write(books.folder / "equal.csv", rows))
    assert ran.status == 0, ran.out
    assert ran.out.splitlines()[-1] == "The books agree."


def test_json_and_a_report_of_all_rows(books: Books, planted: Planted) -> None:
    as_csv, as_lines = books.folder / "report.csv", books.folder / "report.jsonl"
    ran = books("--json", "--out", as_csv)
    assert ran.status == 1
    assert ran.err == ""
    assert ran.json["agrees"] is False
    assert {kind: count for kind, count in ran.json["counts"].items() if count} == planted.expected
    assert ran.json["sums"]["missing"] == {"ours": {"USD": "221.15"}, "theirs": {}}
    rows = list(csv.DictReader(as_csv.read_text("utf-8").splitlines()))
    assert Counter(row["kind"] for row in rows) == planted.expected
    assert tuple(rows[0]) == FIELDS
    assert as_csv.stat().st_mode & 0o077 == 0, "only its owner can read it"
    books("--out", as_lines)
    records = [json.loads(line) for line in as_lines.read_text("utf-8").splitlines()]
    texts = [
        {name: "" if value is None else str(value) for name, value in record.items()}
        for record in records
    ]
    assert texts == rows
    assert {*books.folder.iterdir()} == {books.ours, as_csv, as_lines}


def test_rows_that_are_wrong_are_told_before_the_provider_is_asked(
    books: Books, planted: Planted
) -> None:
    before = len(planted.sandbox.received())
    rows = [{"client_reference_id": "R", "amount": "1,5"}, {"id": "7" * 256, "amount": "1"}]
    wrong = planted.write(books.folder / "wrong.csv", rows)
    first, *others = books.refused(ours=wrong).splitlines()
    assert first.startswith("line 2, amount: amount is '1,5' and must be")
    assert others == [
        "line 3, id: id must be text of 1 to 255 characters.",
        "Error: the file cannot be compared. Nothing was read from the provider.",
    ]
    problems = books("--json", ours=wrong).error["problems"]
    assert [problem["field"] for problem in problems] == ["amount", "id"]
    assert len(planted.sandbox.received()) == before


def test_a_file_is_described_as_for_bulk(books: Books) -> None:
    """With the same options: what a file was sent with reads it here, too."""
    records = list(csv.DictReader(books.ours.read_text("utf-8").splitlines()))
    own = books.folder / "own.csv"
    with own.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [*records[0], "due_date"], delimiter=";")
        writer.writeheader()
        for record in records:
            amount = record["amount"].replace(".", ",")
            writer.writerow({**record, "amount": amount, "due_date": "25.11.2026"})
    words = ("--decimal", "comma", "--date-format", "DMY", "--encoding", "utf-8")
    ran, same = books(*words, ours=own), books()
    assert ran.status == same.status
    separators = str.maketrans(".,", ",.")
    own_amounts = re.sub(
        r"[\d.,]+(?= (?:USD|EUR))", lambda amount: amount[0].translate(separators), same.out
    )
    assert ran.out == own_amounts != same.out, "amounts are written as the file writes them"
    assert "--date-format" in books.refused("--date-format", "DYM", ours=own)


MISUSE = cases_beside(__file__)["misuse"]


@pytest.mark.parametrize("message", MISUSE)
def test_a_misuse_is_named_and_nothing_is_printed(books: Books, message: str) -> None:
    if message.startswith(("--start", "--end")):
        books.window = ()
    assert message in books.refused(*MISUSE[message].split())


def test_a_day_is_its_first_moment_in_utc(books: Books) -> None:
    books.window = ()
    ran = books("--start", "2001-03-04", "--end", "2001-03-06")
    same = books("--start", "2001-03-04T00:00:00Z", "--end", "2001-03-06T00:00:00Z")
    assert ran.status == same.status
    assert ran.out == same.out
    assert "from 2001-03-04 00:00:00 UTC until just before 2001-03-06 00:00:00 UTC." in ran.out


def test_the_report_does_not_replace_our_book(books: Books) -> None:
    before = books.ours.read_bytes()
    linked = books.folder / "linked.csv"
    linked.symlink_to(books.ours)
    for option, out in (
        ("--out", books.ours),
        ("--html", linked),
        ("--out", f"{books.folder}/./{books.ours.name}"),
    ):
        is_ours = "is the file that is compared: name another one"
        assert is_ours in books.refused(option, out)
    assert books.ours.read_bytes() == before


def test_a_pipe_is_refused_before_it_is_read_and_a_file_has_to_be_there(books: Books) -> None:
    pipe = books.folder / "ours.jsonl"
    os.mkfifo(pipe)
    assert "ours.jsonl is not a file but a pipe or a device" in books.refused(ours=pipe)
    none = books.folder / "none.csv"
    assert "none.csv cannot be read: No such file or directory." in books.refused(ours=none)


def test_the_wrong_window_is_told(books: Books, planted: Planted) -> None:
    request = next(iter(planted.victor.payment_requests.list(direction="outbound")))
    assert request.amount is not None
    row = {"id": request.id, "amount": f"{request.amount:f}"}
    one = planted.write(books.folder / "one.csv", [row])
    books.window = ("--start", "2001-01-01T00:00:00Z", "--end", "2001-01-02T00:00:00Z")
    ran = books(ours=one)
    assert ran.status == 0
    assert (
        "1 row of ours matched only by id, because the provider's list of the window has no such "
        "payment: whether the customer was asked twice is not known."
    ) in ran.out
    as_json = books("--json", ours=one).json
    assert as_json["agrees"] is True
    assert as_json["elsewhere"] == 1
    timed = planted.write(books.folder / "timed.csv", [{**row, "at": "2001-03-01T00:00:00Z"}])
    ran = books(ours=timed)
    assert ran.status == 0
    assert "Nothing was compared: no row of either book is in the window." in ran.out
    assert "agree" not in ran.out


@pytest.mark.parametrize(
    ("status", "body", "message", "ends_with"),
    [
        (401, None, "401", 2),
        (403, None, "403", 2),
        (404, None, "404", 75),
        (200, "{}", "no list of results", 75),
    ],
)
def test_a_read_that_fails_is_no_difference(
    books: Books, planted: Planted, status: int, body: str | None, message: str, ends_with: int
) -> None:
    """Without its list, a page was not read: it is no empty one. And nobody has to repeat what
    refused credentials end.
    """
    out = books.folder / "report.csv"
    planted.sandbox.inject("status", status=status, body=body, operation="list", times=100)
    try:
        ran = books("--out", out, "--json")
    finally:
        planted.sandbox.clear_faults()
    assert ran.status == ends_with
    assert ran.out == ""
    assert message in ran.err
    assert ran.error["status_code"] == status
    assert json.loads(ran.err)["exit_status"] == ends_with
    assert not out.exists()


def lists(planted: Planted) -> int:
    """How many pages of the list were asked for."""
    return [call.operation for call in planted.sandbox.received()].count("list")


@pytest.mark.parametrize(
    ("number", "status"),
    [(signal.SIGKILL, -9), (signal.SIGTERM, 143), (signal.SIGHUP, 129)],
    ids=str,
)
def test_it_is_ended_in_the_middle_and_repeated(
    books: Books, planted: Planted, number: signal.Signals, status: int
) -> None:
    out, temporary = books.folder / "report.csv", books.folder / "temporary"
    temporary.mkdir()
    books("--out", out)
    expected = out.read_bytes()
    out.write_text("of yesterday", "utf-8")
    words = books.words("--page-size", "10", "--out", out)
    in_folder = Command({**books.command.environment, "TMPDIR": str(temporary)})
    before = lists(planted)
    planted.sandbox.inject("cut_answer", operation="list", skip=3, how="stall", after=1)
    with in_folder.started(*words) as process:
        while lists(planted) < before + 4:
            assert process.poll() is None
        assert in_folder.stopped(process, number).status == status
    planted.sandbox.clear_faults()
    assert out.read_text("utf-8") == "of yesterday"
    assert list(temporary.iterdir()) == []
    assert books.command(*words).status == 1
    assert out.read_bytes() == expected
    assert {*books.folder.iterdir()} == {books.ours, out, temporary}
    methods = {call.method for call in planted.sandbox.received()[-30:]}
    assert methods == {"GET", "POST"}, "tokens and reads"


PAGE = (Path(__file__).parent.parent.parent / "docs" / "reconcile.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


def table(heading: str) -> list[list[str]]:
    section = PAGE.split(f"## {heading}\n")[1].split("\n## ")[0]
    rows = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in row] for row in rows]


def test_the_kinds_are_those_there_are_in_their_order() -> None:
    kinds = [kind.value for kind in Kind]
    assert [row[0].strip("`") for row in table("What to do about each row")] == kinds
    assert list(KINDS) == kinds


def test_the_columns_are_those_that_are_read() -> None:
    rows = table("The file")
    by_name = {row[0].strip("`"): tuple(re.findall(r"`(\w+)`", row[1])) for row in rows}
    assert by_name == dict(COLUMNS)


def test_the_awaited_example(async_victor: AsyncVictor) -> None:
    names: dict[str, Any] = {}
    exec(compile(BLOCKS[1], "docs/reconcile.md", "exec"), names)
    now = datetime.now(UTC)
    start, end = now - timedelta(hours=1), now - timedelta(minutes=30)

    async def run() -> Any:
        async with async_victor:
            return await names["agrees"](async_victor, [], start, end)

    assert asyncio.run(run()) is True
