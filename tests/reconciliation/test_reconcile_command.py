"""`victor reconcile`, as a process or in this one: its status, output, file, and being killed; and
its page is true.
"""

import csv
import json
import os
import re
import signal
from collections import Counter
from pathlib import Path

import pytest

from tests.cases import cases_beside
from tests.cli.victor_command import calls, until
from victor_ext.cli._reconcile import KINDS
from victor_ext.reconciliation import COLUMNS, Kind
from victor_ext.reconciliation._report import FIELDS

pytestmark = pytest.mark.pull_request


def test_books_that_differ_end_the_command_with_status_1_and_show_the_differences(books, planted):
    ran = books()
    assert (ran.status, ran.err) == (1, "")
    lines = ran.out.splitlines()
    assert [line.split("  ")[0] for line in lines[:4]] == ["ASKED TWICE"] * 3 + ["differs"]
    assert "(TWICE-0), 44.23 USD, pending; the other payment is " in lines[0]
    total = planted.expected.total() - planted.expected["matched"] - planted.expected["modified"]
    assert f"... and {total - 10} more: --out report.csv writes all of them" in lines
    assert lines[-1] == f"The books differ: {total} rows."


def test_each_kind_has_its_count_and_its_sums_below_each_other(books, planted):
    out = books().out
    counted = re.findall(r"^([a-z ]+?) +(\d+)  ", out, re.MULTILINE)
    assert {kind.replace(" ", "_"): int(number) for kind, number in counted} == planted.expected
    assert re.search(r"^missing +5 +221\.15 USD +- +ours, and not theirs$", out, re.MULTILINE)
    sums = re.findall(r"^((?:matched|missing|repeated) .*?)USD", out, re.MULTILINE)
    assert len({*map(len, sums)}) == 1


@pytest.mark.parametrize(("columns", "is_narrow"), [(60, True), (150, False)])
def test_a_narrow_terminal_has_no_meanings_and_cuts_no_sum(books, command, columns, is_narrow):
    ran = command.at_terminal(*books.words(), columns=columns)
    assert "\x1b[1;37;41mASKED TWICE" in ran.out
    lines = re.sub(r"\x1b\[[0-9;]*m", "", ran.out).splitlines()
    begin = lines.index("") + 1
    table = lines[begin : lines.index("", begin)]
    assert max(map(len, table)) <= columns
    assert any("221.15 USD" in line for line in table)
    assert any("ours, and not theirs" in line for line in table) is not is_narrow
    goes_on_below = any(re.match(" {14}[^ ]", line) for line in lines)
    assert goes_on_below is is_narrow


def test_json_has_all_counts_and_sums(books, planted):
    ran = books("--json")
    assert (ran.status, ran.err, ran.json["agrees"]) == (1, "", False)
    assert {kind: count for kind, count in ran.json["counts"].items() if count} == planted.expected
    assert ran.json["sums"]["missing"] == {"ours": {"USD": "221.15"}, "theirs": {}}


def test_a_report_has_all_rows_as_csv_or_as_json_lines(books, planted):
    as_csv, as_lines = books.folder / "report.csv", books.folder / "report.jsonl"
    for out in (as_csv, as_lines):
        books("--out", out)
    rows = list(csv.DictReader(as_csv.read_text("utf-8").splitlines()))
    assert tuple(rows[0]) == FIELDS
    assert Counter(row["kind"] for row in rows) == planted.expected
    records = map(json.loads, as_lines.read_text("utf-8").splitlines())
    texts = [{name: str(value or "") for name, value in record.items()} for record in records]
    assert texts == rows
    assert as_csv.stat().st_mode & 0o077 == 0, "only its owner can read it"


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


MISUSE = cases_beside(__file__)["misuse"]


@pytest.mark.parametrize("message", MISUSE)
def test_a_misused_option_is_refused_with_its_mistake_and_prints_no_report(books, message):
    if message.startswith(("--start", "--end")):
        books.window = ()
    assert message in books.refused(*MISUSE[message].split())


@pytest.mark.parametrize(
    ("option", "out"),
    [("--out", "ours.csv"), ("--out", "./ours.csv"), ("--out", "linked.csv")],
)
def test_the_report_does_not_replace_our_book(books, option, out):
    before = books.ours.read_bytes()
    (books.folder / "linked.csv").symlink_to(books.ours)
    is_ours = "is the file that is compared: name another one"
    assert is_ours in books.refused(option, f"{books.folder}/{out}")
    assert books.ours.read_bytes() == before


def test_a_book_that_is_a_pipe_or_does_not_exist_is_refused(books):
    pipe, none = books.folder / "ours.jsonl", books.folder / "none.csv"
    os.mkfifo(pipe)
    assert "ours.jsonl is not a file but a pipe or a device" in books.refused(ours=pipe)
    assert "none.csv cannot be read: No such file or directory." in books.refused(ours=none)


def test_books_that_agree_end_the_command_with_status_0(books, planted):
    requests = planted.victor.payment_requests.list(direction="outbound", end_datetime=planted.end)
    rows = [{"id": request.id, "amount": str(request.amount)} for request in requests]
    agreed = books(ours=planted.write(books.folder / "equal.csv", rows))
    assert (agreed.status, agreed.out.splitlines()[-1]) == (0, "The books agree.")


@pytest.fixture
def one(planted):
    """A row whose payment is there, and not in 2001."""
    (made,) = planted.victor.payment_requests.find("INV-1", start_datetime=planted.start)
    return {"id": made.id, "amount": str(made.amount)}


OF_2001 = ("--start", "2001-01-01", "--end", "2001-01-02T00:00:00Z")


def test_a_row_that_is_matched_by_its_id_beyond_the_window_is_told(books, planted, one):
    books.window = OF_2001
    ran = books(ours=planted.write(books.folder / "one.csv", [one]))
    assert "from 2001-01-01 00:00:00 UTC until just before 2001-01-02 00:00:00 UTC." in ran.out
    assert (
        "1 row of ours matched only by id, because the provider's list of the window has no such "
        "payment: whether the customer was asked twice is not known."
    ) in ran.out


def test_where_no_row_is_in_the_window_nothing_agrees(books, planted, one):
    books.window = OF_2001
    later = [{**one, "at": "2001-03-01T00:00:00Z"}]
    ran = books(ours=planted.write(books.folder / "timed.csv", later))
    assert "Nothing was compared: no row of either book is in the window." in ran.out
    assert "agree" not in ran.out


@pytest.mark.parametrize(("status", "ends_with"), [(401, 2), (404, 75)])
def test_a_read_that_fails_is_no_difference(books, planted, status, ends_with):
    """And nobody has to repeat what refused credentials end."""
    out = books.folder / "report.csv"
    planted.sandbox.inject("status", status=status, operation="list", times=100)
    try:
        ran = books("--out", out, "--json")
    finally:
        planted.sandbox.clear_faults()
    assert (ran.status, ran.out, ran.error["status_code"]) == (ends_with, "", status)
    assert not out.exists()


@pytest.mark.parametrize(
    ("number", "status"),
    [(signal.SIGKILL, -9), (signal.SIGTERM, 143)],
    ids=["killed", "terminated"],
)
def test_a_command_that_is_ended_midway_leaves_no_file_and_keeps_an_old_report(
    books, planted, number, status
):
    out, temporary = books.folder / "report.csv", books.folder / "temporary"
    temporary.mkdir()
    out.write_text("of yesterday", "utf-8")
    before = calls(planted.sandbox, "list")
    planted.sandbox.inject("cut_answer", operation="list", skip=3, how="stall", after=1)
    words = books.words("--page-size", "10", "--out", out)
    with books.command.started(*words, TMPDIR=str(temporary)) as process:
        until(lambda: calls(planted.sandbox, "list") == before + 4)
        assert books.command.stopped(process, number).status == status
    planted.sandbox.clear_faults()
    assert out.read_text("utf-8") == "of yesterday"
    assert [*temporary.iterdir()] == []
    assert {*books.folder.iterdir()} == {books.ours, out, temporary}


PAGE = (Path(__file__).parents[2] / "docs" / "reconcile.md").read_text(encoding="utf-8")


def table(heading):
    """The names in code in the second cell of each row, by the one in the first."""
    section = PAGE.split(f"## {heading}\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \| ([^|]*)", section, re.MULTILINE)
    return {name: re.findall(r"`(\w+)`", cell) for name, cell in rows}


def test_the_page_of_reconcile_has_all_kinds_of_rows_in_their_order():
    kinds = [kind.value for kind in Kind]
    assert [*table("What to do about each row")] == [*KINDS] == kinds


def test_the_page_of_reconcile_has_the_columns_of_a_book_that_are_read():
    assert table("The file") == {name: [*columns] for name, columns in COLUMNS.items()}
