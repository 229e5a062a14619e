"""Exports: what a spreadsheet would run is escaped, unless switched off, and `--refresh` says who
has paid.
"""

import csv
import io
import json
import re
from itertools import chain, product

import hypothesis.strategies as st
import pytest
from hypothesis import example, given

from tests.bulk.bulk_runs import outbound, row, rows
from tests.cases import cases_beside
from victor_ext import TimedOut
from victor_ext.bulk.payment_requests import PaymentRequests
from victor_ext.bulk.results import NOT_FOUND, write_csv
from victor_ext.bulk.rows import RowOutcome, RowResult
from victor_ext.ids import skeleton_of
from victor_ext.reconciliation.entries import EntryReader
from victor_ext.tables.row_file import RowFile
from victor_ext.tables.texts import text_of_cell

OWN = "row,key,id,status,outcome,error,batch,asked_at,asked_by"
pytestmark = pytest.mark.slow
RUN = (
    "=+-@"
    "\N{FULLWIDTH EQUALS SIGN}\N{FULLWIDTH PLUS SIGN}"
    "\N{FULLWIDTH HYPHEN-MINUS}\N{FULLWIDTH COMMERCIAL AT}"
)
"""What a cell begins with that a spreadsheet runs; with a tab or an end of a line before it, too.
"""
FORMULA = "=cmd|'/c calc'!A1"
CASES = cases_beside(__file__)
LEFT = CASES["left"]
ESCAPED = {**{f"{sign}1+1": f"'{sign}1+1" for sign in RUN}, **CASES["escaped"]}


def text_of(results, *columns, **options):
    """An export of these results, from a file that has these other columns."""
    file = io.StringIO(newline="")
    write_csv(file, results, columns, kind=PaymentRequests, source=RowFile(""), **options)
    return file.getvalue()


def exported(text, **options):
    """The row of an export that has this text wherever it can have any."""
    extras, asked = {"region": text}, {"amount": text}
    result = RowResult(
        1, text, text, text, RowOutcome.CREATED, text, extras, asked, batch=text, asked_by=text
    )
    lines = io.StringIO(text_of([result], "region", **options), newline="")
    _, cells = csv.reader(lines, strict=True)
    return cells


@pytest.mark.parametrize(("text", "escaped"), [*ESCAPED.items(), *zip(LEFT, LEFT, strict=True)])
def test_text_that_a_spreadsheet_would_run_is_exported_with_a_quote_before_it(text, escaped):
    """Other text is left as it is."""
    shown = [escaped] * 3
    for before in (text, escaped):
        asked_at = ""
        own = ["1", *shown, "created", escaped, escaped, asked_at]
        assert exported(before) == [*own, *shown, "", "", ""]
    cells = exported(text, escape=False)
    assert cells[1:4] + cells[5:7] + cells[8:11] == [text] * 8


def test_the_heading_is_escaped_too():
    escaped = text_of([], FORMULA, "region")
    assert escaped.startswith(f"{OWN},'{FORMULA},region,")
    assert f",{FORMULA}," in text_of([], FORMULA, escape=False)


def test_a_column_whose_name_is_taken_takes_no_other_columns_name():
    heading = "row,key,id,status,outcome,error,batch,asked_at,asked_by,file_file_id,file_id,"
    assert text_of([], "id", "file_id").startswith(heading)
    # Nor does a sent value, whose heading in the file is taken: the other column keeps its name.
    file = io.StringIO()
    write_csv(
        file, [], ["file_id"], kind=PaymentRequests, source=RowFile("", columns={"amount": "id"})
    )
    assert file.getvalue().startswith(
        "row,key,id,status,outcome,error,batch,asked_at,asked_by,file_id,file_file_id,"
    )


@pytest.mark.parametrize(
    ("delimiter", "quoting"),
    [
        (",", csv.QUOTE_MINIMAL),  # who reads commas and no quotes reads no CSV
        (";", csv.QUOTE_MINIMAL),
        ("\t", csv.QUOTE_NONE),
    ],
)
def test_no_cell_of_an_export_begins_a_formula_whatever_the_delimiter_of_the_reader(
    delimiter, quoting
):
    around = product(("", '"', 'x";"', "a,b;"), ("", '"'))
    texts = [f"{before}{text}{after}" for before, after in around for text in ESCAPED]
    results = [
        RowResult(1, "", None, None, RowOutcome.CREATED, None, {"region": text}) for text in texts
    ]
    for escape in (True, False):
        lines = re.split(r"\r\n|\r|\n", text_of(results, "region", escape=escape))
        cells = chain.from_iterable(csv.reader(lines, delimiter=delimiter, quoting=quoting))
        formulas = [cell for cell in cells if cell.lstrip().startswith(tuple(RUN))]
        assert bool(formulas) is not escape


@given(
    st.lists(st.sampled_from(["id", "file_id", "row", "", "reference", "Id"]), unique=True),
    st.text("=+-@;'\"\t\r\n, aA\u200b\u00a0\ufeff1", max_size=12),
)
@example(columns=[], reference="\t\u00a0")
@example(columns=[], reference="'\t=")
def test_reconcile_reads_the_sent_values_of_an_export_whatever_columns_the_file_has(
    tmp_path_factory, columns, reference
):
    """A quote of its own before what a spreadsheet would run reads as one of the export's."""
    asked = {"amount": "44.23", "client_reference_id": reference}
    extras = dict.fromkeys(columns, "of the file")
    result = RowResult(1, "k-1", "ID-1", "", RowOutcome.CREATED, None, extras, asked)
    path = tmp_path_factory.mktemp("export") / "export.csv"
    path.write_bytes(text_of([result], *columns).encode())
    (entry,) = EntryReader(currency="USD").read(path)
    assert (entry.id, entry.key, str(entry.amount)) == ("ID-1", "k-1", "44.23 USD")
    sent = text_of_cell(reference)
    read = None if entry.reference is None else skeleton_of(entry.reference)
    assert read == (skeleton_of(sent) if sent.strip() else None)


def reads(sandbox):
    return [each.operation for each in sandbox.received() if each.operation in ("list", "get")]


def test_status_and_export_say_who_has_paid(bulk, victor_sandbox):
    records = [*rows(3), row(4, amount="0")]
    assert bulk.send(records, "--skip-invalid").status == 1
    paid, declined, _ = (request["id"] for request in outbound(victor_sandbox))
    victor_sandbox.move(paid, "completed")
    victor_sandbox.move(declined, "declined", "Account 800000219 is\nclosed: a@b.example")
    before = reads(victor_sandbox)
    exported = bulk("export", "--refresh")
    now = "The provider says now: 1 completed (paid), 1 created, 1 declined."
    assert (exported.status, exported.err) == (0, f"{now}\n")
    shown = {line["id"]: (line["status"], line["error"]) for line in exported.table}
    assert shown[paid] == ("completed", "")
    assert shown[declined] == ("declined", "Account *****0219 is closed: [e-mail]")
    # a page, and the empty one behind it
    assert reads(victor_sandbox) == [*before, "list", "list"]
    assert bulk("export", "--refresh", "-o", "now.csv").err == f"4 rows written to now.csv. {now}\n"
    assert "  1 completed (paid)\n" in bulk("status", "--refresh").out
    payments = {"completed": 1, "declined": 1, "created": 1}
    assert bulk("status", "--refresh", "--json").json["payments"] == payments


def test_a_formula_is_escaped_in_a_csv_export_unless_no_escape_is_given(bulk):
    assert bulk.send([row(1, region=FORMULA)]).status == 0
    assert bulk("export").table[0]["region"] == f"'{FORMULA}"
    assert bulk("export", "--no-escape").table[0]["region"] == FORMULA
    assert bulk("export", "--json").json_lines[0]["columns"]["region"] == FORMULA


NOTHING = json.dumps({"results": []})


def list_as(sandbox, body, times=1):
    """The next list, or each one, has this body."""
    sandbox.inject("status", operation="list", status=200, body=body, times=times)


@pytest.mark.victor_sandbox(get_status="listed")
def test_a_payment_that_the_list_of_the_provider_lacks_is_read_by_its_id(sender, victor_sandbox):
    sender.finish(rows(2))
    first, second = (request["id"] for request in outbound(victor_sandbox))
    victor_sandbox.move(first, "completed")
    victor_sandbox.respond(second, "Declined", "Not ours")
    list_as(victor_sandbox, NOTHING, times=None)
    assert sender().status(refresh=True).payments == {"completed": 1, "declined": 1}
    assert {one.error for one in sender().export(refresh=True)} == {None, "Not ours"}
    victor_sandbox.inject("html", operation="get", status=404)
    with pytest.raises(TimedOut, match="it could not be read"):
        list(sender().export(refresh=True))
    victor_sandbox.inject("status", operation="get", status=404, times=None)
    assert {one.error for one in sender().export(refresh=True)} == {NOT_FOUND}


def test_a_payment_that_is_read_by_its_id_gets_the_status_that_a_list_would_show(
    sender, victor_sandbox
):
    """`get` says "Pending" of what is paid; and a request without a status is not one that has
    gone.
    """
    sender.finish(rows(1))
    paid = sender.result().id
    victor_sandbox.move(paid, "completed")
    without_status = json.dumps({"results": [{"victor_payment_request_id": paid}]})
    for body, status in ((NOTHING, "completed"), (without_status, "no status")):
        list_as(victor_sandbox, body)
        assert sender().status(refresh=True).payments == {status: 1}


def test_a_provider_that_cannot_be_read_costs_no_old_file(bulk, victor_sandbox):
    assert bulk.send(rows(1)).status == 0
    assert bulk("export", "-o", "results.csv").status == 0
    before = (bulk.folder / "results.csv").read_text()
    victor_sandbox.inject("status", operation="list", status=503, times=None)
    for words in (("export", "-o", "results.csv"), ("status",)):
        ended = bulk(*words, "--refresh", "--deadline", "0.5")
        assert (ended.status, ended.out) == (75, "")
    assert (bulk.folder / "results.csv").read_text() == before
