"""Exports: what a spreadsheet would run is escaped, unless switched off, and `--refresh` says who
has paid.
"""

import csv
import io
import json
import re
from collections.abc import Sequence
from functools import partial
from itertools import chain, product
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import example, given

from tests.bulk.bulk_runs import Bulk, Senders, outbound, row, rows
from tests.cases import cases_beside
from victor_ext import ServerError
from victor_ext.bulk.payment_requests import PaymentRequests
from victor_ext.bulk.results import COLUMNS, NOT_FOUND, write_csv
from victor_ext.bulk.rows import RowOutcome, RowResult
from victor_ext.ids import skeleton_of, trimmed
from victor_ext.reconciliation.entries import EntryReader
from victor_ext.sandbox import Sandbox
from victor_ext.tables.row_file import RowFile
from victor_ext.tables.texts import text_of_cell

write_export = partial(write_csv, kind=PaymentRequests, source=RowFile(""))
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
ESCAPED: dict[str, str] = {**{f"{sign}1+1": f"'{sign}1+1" for sign in RUN}, **CASES["escaped"]}


def text_of(results: Sequence[RowResult], *columns: str, **options: Any) -> str:
    """An export of these results, from a file that has these other columns."""
    file = io.StringIO(newline="")
    write_export(file, results, columns, **options)
    return file.getvalue()


def exported(text: str, **options: Any) -> list[str]:
    """The row of an export that has this text wherever it can have any."""
    extras, asked = {"region": text}, {"amount": text}
    result = RowResult(1, text, text, text, RowOutcome.CREATED, text, extras, asked)
    lines = io.StringIO(text_of([result], "region", **options), newline="")
    _, cells = csv.reader(lines, strict=True)
    return cells


@pytest.mark.parametrize(("text", "escaped"), ESCAPED.items())
def test_what_a_spreadsheet_would_run_gets_a_quote_before_it(text: str, escaped: str) -> None:
    shown = [escaped] * 3
    for before in (text, escaped):
        assert exported(before) == ["1", *shown, "created", *shown, "", "", ""]
    cells = exported(text, escape=False)
    assert cells[1:4] + cells[5:8] == [text] * 6


@pytest.mark.parametrize("text", CASES["left"])
def test_other_text_is_left_as_it_is(text: str) -> None:
    assert exported(text) == exported(text, escape=False)
    assert exported(text)[6] == text


def test_the_heading_is_escaped_too() -> None:
    escaped = text_of([], FORMULA, "region")
    assert escaped.startswith(f"row,key,id,status,outcome,error,'{FORMULA},region,")
    assert f",{FORMULA}," in text_of([], FORMULA, escape=False)


def test_a_column_whose_name_is_taken_takes_no_other_columns_name() -> None:
    heading = "row,key,id,status,outcome,error,file_file_id,file_id,"
    assert text_of([], "id", "file_id").startswith(heading)
    # Nor does a sent value, whose heading in the file is taken: the other column keeps its name.
    file = io.StringIO()
    write_csv(
        file, [], ["file_id"], kind=PaymentRequests, source=RowFile("", columns={"amount": "id"})
    )
    assert file.getvalue().startswith("row,key,id,status,outcome,error,file_id,file_file_id,")


@pytest.mark.parametrize(
    ("delimiter", "quoting"),
    [
        (",", csv.QUOTE_MINIMAL),  # who reads commas and no quotes reads no CSV
        (";", csv.QUOTE_MINIMAL),
        ("\t", csv.QUOTE_MINIMAL),
        (";", csv.QUOTE_NONE),
        ("\t", csv.QUOTE_NONE),
    ],
)
def test_by_whatever_delimiter_it_is_read_no_cell_begins_a_formula(
    delimiter: str, quoting: Any
) -> None:
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
    st.lists(
        st.sampled_from(["id", "file_id", "file_file_id", " id", "row", "", "reference", "Id"]),
        unique=True,
    ),
    st.text("=+-@;'\"\t\r\n, aA\u200b\u00a0\ufeff1", max_size=12),
    st.booleans(),
)
@example(columns=[], reference="\t\u00a0", as_json=False)
@example(columns=[], reference="'\t=", as_json=False)
def test_reconcile_reads_what_was_sent_whatever_columns_the_file_has(
    tmp_path_factory: pytest.TempPathFactory, columns: list[str], reference: str, as_json: bool
) -> None:
    extras = dict.fromkeys(columns, "of the file")
    asked = {"amount": "44.23", "client_reference_id": reference}
    result = RowResult(1, "k-1", "ID-1", "", RowOutcome.CREATED, None, extras, asked)
    if as_json:
        fields = {name: getattr(result, name) for name in (*COLUMNS, "asked")}
        text, name = json.dumps({**fields, "columns": extras}), "export.jsonl"
    else:
        text, name = text_of([result], *columns), "export.csv"
    path = tmp_path_factory.mktemp("export") / name
    path.write_bytes(text.encode())
    (entry,) = EntryReader(currency="USD").read(path)
    assert entry.id == "ID-1"
    assert entry.key == "k-1"
    assert str(entry.amount) == "44.23 USD"
    # A quote of its own before what a spreadsheet would run reads as one that the export has put
    # there.
    sent = text_of_cell(reference)
    read = None if entry.reference is None else skeleton_of(entry.reference)
    assert read == (skeleton_of(sent) if sent.strip() else None)
    assert entry.reference == trimmed(reference) or "'" in reference or not reference.strip()


def test_the_command_escapes_and_has_a_switch_and_its_json_is_as_it_was(
    bulk: Bulk, sender: Senders
) -> None:
    regions = [FORMULA, "\t-1", "north"]
    records = [row(number, region=region) for number, region in enumerate(regions, 1)]
    sender.finish(records, state=bulk.state)
    escaped = [f"'{FORMULA}", "'\t'-1", "north"]
    assert [line["region"] for line in bulk("export").table] == escaped
    assert [line["region"] for line in bulk("export", "--no-escape").table] == regions
    in_json = bulk("export", "--json").json_lines
    assert [line["columns"]["region"] for line in in_json] == regions


def reads(sandbox: Sandbox) -> list[str]:
    return [each.operation for each in sandbox.received() if each.operation in ("list", "get")]


def test_status_and_export_say_who_has_paid(bulk: Bulk, victor_sandbox: Sandbox) -> None:
    assert bulk.send([*rows(3), row(4, amount="0")], "--skip-invalid").status == 1
    paid, declined, _ = (request["id"] for request in outbound(victor_sandbox))
    victor_sandbox.move(paid, "completed")
    victor_sandbox.move(declined, "declined", "Account 800000219 is\nclosed: a@b.example")
    before = reads(victor_sandbox)
    exported = bulk("export", "--refresh")
    now = "The provider says now: 1 completed (paid), 1 created, 1 declined."
    assert exported.status == 0
    assert exported.err == f"{now}\n"
    shown = {line["id"]: (line["status"], line["error"]) for line in exported.table}
    assert shown[paid] == ("completed", "")
    assert shown[declined] == ("declined", "Account *****0219 is closed: [e-mail]")
    assert shown[""][0] == ""
    # a page, and the empty one behind it
    assert reads(victor_sandbox) == [*before, "list", "list"]
    assert bulk("export", "--refresh", "-o", "now.csv").err == f"4 rows written to now.csv. {now}\n"

    status = bulk("status", "--refresh")
    assert status.status == 1
    assert "  1 completed (paid)\n" in status.out
    payments = {"completed": 1, "declined": 1, "created": 1}
    assert bulk("status", "--refresh", "--json").json["payments"] == payments
    in_json = bulk("export", "--refresh", "--json").json_lines
    assert {line["status"] for line in in_json} == {*payments, None}


NOTHING = json.dumps({"results": []})


def list_as(sandbox: Sandbox, body: str, times: int | None = 1) -> None:
    """The next list, or each one, has this body."""
    sandbox.inject("status", operation="list", status=200, body=body, times=times)


@pytest.mark.victor_sandbox(get_status="listed")
def test_what_the_list_lacks_is_read_by_its_id(sender: Senders, victor_sandbox: Sandbox) -> None:
    sender.finish(rows(2))
    first, second = (request["id"] for request in outbound(victor_sandbox))
    victor_sandbox.move(first, "completed")
    victor_sandbox.respond(second, "Declined", "Not ours")
    list_as(victor_sandbox, NOTHING, times=None)
    assert sender().status(refresh=True).payments == {"completed": 1, "declined": 1}
    assert {one.error for one in sender().export(refresh=True)} == {None, "Not ours"}
    victor_sandbox.inject("status", operation="get", status=404, body="{}", times=None)
    assert sender().status(refresh=True).payments == {"not found": 2}
    assert {(one.status, one.error) for one in sender().export(refresh=True)} == {(None, NOT_FOUND)}


def test_what_is_read_by_its_id_has_the_status_of_the_list(
    sender: Senders, victor_sandbox: Sandbox
) -> None:
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


def test_a_provider_that_cannot_be_read_costs_no_old_file(
    bulk: Bulk, sender: Senders, victor_sandbox: Sandbox
) -> None:
    assert bulk.send(rows(1)).status == 0
    assert bulk("export", "-o", "results.csv").status == 0
    results = bulk.folder / "results.csv"
    before = results.read_text()
    victor_sandbox.inject("status", operation="list", status=503, times=None)
    ended = bulk("export", "--refresh", "-o", "results.csv", "--deadline", "0.5")
    assert ended.status == 75
    assert ended.out == ""
    assert results.read_text() == before
    assert bulk("status", "--refresh", "--deadline", "0.5").status == 75
    exported = sender(state=bulk.state, batch="invoices.csv").export(refresh=True)
    with pytest.raises(ServerError):
        next(exported)


def test_a_batch_without_a_request_asks_nothing(sender: Senders, victor_sandbox: Sandbox) -> None:
    sender(skip_invalid=True).send([row(1, amount="0")])
    before = reads(victor_sandbox)
    assert sender().status(refresh=True).payments == {}
    assert reads(victor_sandbox) == before
