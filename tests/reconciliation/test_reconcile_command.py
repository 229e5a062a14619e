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

import pytest

from tests.cases import cases_beside
from tests.cli.victor_command import Command, calls
from victor_ext.cli.reconcile import KINDS
from victor_ext.reconciliation import COLUMNS, Kind
from victor_ext.reconciliation.report import FIELDS

pytestmark = pytest.mark.pull_request


def test_books_that_differ(books, planted):
    ran = books()
    assert (ran.status, ran.err) == (1, "")
    lines = ran.out.splitlines()
    assert [line.split("  ")[0] for line in lines[:4]] == ["ASKED TWICE"] * 3 + ["differs"]
    assert "(TWICE-0), 44.23 USD, pending; the other payment is " in lines[0]
    expected = dict(planted.expected)
    total = sum(expected.values()) - expected["matched"] - expected["modified"]
    assert lines[-1] == f"The books differ: {total} rows."
    assert f"... and {total - 10} more: --out report.csv writes all of them" in lines
    del expected["at_edge"]
    counted = re.findall(r"^([a-z]+) +(\d+)  ", ran.out, re.MULTILINE)
    assert {kind: int(number) for kind, number in counted} == expected
    sums = [line.index("USD") for line in lines if re.match(r"(matched|missing|repeated) ", line)]
    assert len({*sums}) == 1, "sums are aligned"
    assert re.search(r"^missing +5 +221\.15 USD +- +ours, and not theirs$", ran.out, re.MULTILINE)


@pytest.mark.parametrize("columns", [60, 150])
def test_a_terminal_has_colours_and_a_narrow_one_no_meanings(books, command, columns):
    ran = command.at_terminal(*books.words(), columns=columns)
    assert "\x1b[1;37;41mASKED TWICE" in ran.out
    plain = command.at_terminal(*books.words(), columns=columns, NO_COLOR="1").out
    assert "\x1b[1;37;41m" not in plain
    lines = re.sub(r"\x1b\[[0-9;]*m", "", plain).splitlines()
    begin = lines.index("") + 1
    table = lines[begin : lines.index("", begin)]
    assert max(map(len, table)) <= columns
    assert any("221.15 USD" in line for line in table), "no sum is cut"
    assert any("ours, and not theirs" in line for line in table) is (columns != 60)
    has_second_line = any(re.match(" {14}[^ ]", line) for line in lines)
    assert has_second_line is (columns < 150), "a difference goes on below itself"


def test_json_and_a_report_of_all_rows(books, planted):
    as_csv, as_lines = books.folder / "report.csv", books.folder / "report.jsonl"
    ran = books("--json", "--out", as_csv)
    assert (ran.status, ran.err, ran.json["agrees"]) == (1, "", False)
    assert {kind: count for kind, count in ran.json["counts"].items() if count} == planted.expected
    assert ran.json["sums"]["missing"] == {"ours": {"USD": "221.15"}, "theirs": {}}
    rows = list(csv.DictReader(as_csv.read_text("utf-8").splitlines()))
    assert Counter(row["kind"] for row in rows) == planted.expected
    assert tuple(rows[0]) == FIELDS
    assert as_csv.stat().st_mode & 0o077 == 0, "only its owner can read it"
    books("--out", as_lines)
    records = [json.loads(line) for line in as_lines.read_text("utf-8").splitlines()]
    texts = [{name: str(value or "") for name, value in record.items()} for record in records]
    assert texts == rows


def test_rows_that_are_wrong_are_told_before_the_provider_is_asked(books, planted):
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


def test_a_file_is_described_as_for_bulk(books):
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
    ran = books(*words, ours=own)
    assert "221,15 USD" in ran.out, "amounts are written as the file writes them"
    assert ran.out.splitlines()[-1] == books().out.splitlines()[-1]


MISUSE = cases_beside(__file__)["misuse"]


@pytest.mark.parametrize("message", MISUSE)
def test_a_misuse_is_named_and_nothing_is_printed(books, message):
    if message.startswith(("--start", "--end")):
        books.window = ()
    assert message in books.refused(*MISUSE[message].split())


def test_the_report_does_not_replace_our_book(books):
    before = books.ours.read_bytes()
    linked = books.folder / "linked.csv"
    linked.symlink_to(books.ours)
    same = f"{books.folder}/./{books.ours.name}"
    for option, out in (("--out", books.ours), ("--html", linked), ("--out", same)):
        is_ours = "is the file that is compared: name another one"
        assert is_ours in books.refused(option, out)
    assert books.ours.read_bytes() == before
    pipe = books.folder / "ours.jsonl"
    os.mkfifo(pipe)
    assert "ours.jsonl is not a file but a pipe or a device" in books.refused(ours=pipe)
    none = books.folder / "none.csv"
    assert "none.csv cannot be read: No such file or directory." in books.refused(ours=none)


def test_books_that_agree_and_the_wrong_window(books, planted):
    requests = planted.victor.payment_requests.list(direction="outbound", end_datetime=planted.end)
    rows = [{"id": request.id, "amount": str(request.amount)} for request in requests]
    agreed = books(ours=planted.write(books.folder / "equal.csv", rows))
    assert (agreed.status, agreed.out.splitlines()[-1]) == (0, "The books agree.")
    books.window = ("--start", "2001-01-01", "--end", "2001-01-02T00:00:00Z")
    ran = books(ours=planted.write(books.folder / "one.csv", rows[:1]))
    assert "from 2001-01-01 00:00:00 UTC until just before 2001-01-02 00:00:00 UTC." in ran.out
    assert (
        "1 row of ours matched only by id, because the provider's list of the window has no such "
        "payment: whether the customer was asked twice is not known."
    ) in ran.out
    later = [{**rows[0], "at": "2001-03-01T00:00:00Z"}]
    ran = books(ours=planted.write(books.folder / "timed.csv", later))
    assert "Nothing was compared: no row of either book is in the window." in ran.out
    assert "agree" not in ran.out


@pytest.mark.parametrize(
    ("status", "body", "message", "ends_with"),
    [(401, None, "401", 2), (404, None, "404", 75), (200, "{}", "no list of results", 75)],
)
def test_a_read_that_fails_is_no_difference(books, planted, status, body, message, ends_with):
    """Without its list, a page was not read: it is no empty one. And nobody has to repeat what
    refused credentials end.
    """
    out = books.folder / "report.csv"
    planted.sandbox.inject("status", status=status, body=body, operation="list", times=100)
    try:
        ran = books("--out", out, "--json")
    finally:
        planted.sandbox.clear_faults()
    assert (ran.status, ran.out) == (ends_with, "")
    assert message in ran.err
    assert ran.error["status_code"] == status
    assert not out.exists()


@pytest.mark.parametrize(
    ("number", "status"),
    [(signal.SIGKILL, -9), (signal.SIGTERM, 143), (signal.SIGHUP, 129)],
    ids=str,
)
def test_it_is_ended_in_the_middle_and_leaves_nothing(books, planted, number, status):
    out, temporary = books.folder / "report.csv", books.folder / "temporary"
    temporary.mkdir()
    out.write_text("of yesterday", "utf-8")
    in_folder = Command({**books.command.environment, "TMPDIR": str(temporary)})
    before = calls(planted.sandbox, "list")
    planted.sandbox.inject("cut_answer", operation="list", skip=3, how="stall", after=1)
    with in_folder.started(*books.words("--page-size", "10", "--out", out)) as process:
        while calls(planted.sandbox, "list") < before + 4:
            assert process.poll() is None
        assert in_folder.stopped(process, number).status == status
    planted.sandbox.clear_faults()
    assert out.read_text("utf-8") == "of yesterday"
    assert list(temporary.iterdir()) == []
    assert {*books.folder.iterdir()} == {books.ours, out, temporary}


PAGE = (Path(__file__).parent.parent.parent / "docs" / "reconcile.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


def table(heading: str) -> list[list[str]]:
    section = PAGE.split(f"## {heading}\n")[1].split("\n## ")[0]
    rows = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in row] for row in rows]


def test_the_kinds_are_those_there_are_in_their_order():
    kinds = [kind.value for kind in Kind]
    assert [row[0].strip("`") for row in table("What to do about each row")] == kinds
    assert list(KINDS) == kinds


def test_the_columns_are_those_that_are_read():
    rows = table("The file")
    by_name = {row[0].strip("`"): tuple(re.findall(r"`(\w+)`", row[1])) for row in rows}
    assert by_name == dict(COLUMNS)


def test_the_awaited_example(async_victor):
    names = {}
    exec(compile(BLOCKS[1], "docs/reconcile.md", "exec"), names)
    now = datetime.now(UTC)
    start, end = now - timedelta(hours=1), now - timedelta(minutes=30)

    async def run():
        async with async_victor:
            return await names["agrees"](async_victor, [], start, end)

    assert asyncio.run(run()) is True
