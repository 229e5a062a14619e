"""`victor reconcile`, as a process or in this one: its status, output, file, and being killed; and
its page is true.
"""

import csv
import json
from collections import Counter

import pytest

from tests.cases import cases_beside
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


MISUSE = cases_beside(__file__)["misuse"]


@pytest.mark.parametrize("message", MISUSE)
def test_a_misused_option_is_refused_with_its_mistake_and_prints_no_report(books, message):
    if message.startswith(("--start", "--end")):
        books.window = ()
    assert message in books.refused(*MISUSE[message].split())


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
