"""Exports: what a spreadsheet would run is escaped, unless switched off, and `--refresh` says who
has paid.
"""

import csv
import io
import json
from functools import partial
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import example, given

from tests.bulk.bulk_runs import KEY, Bulk, Senders, outbound, row, rows
from tests.cases import cases_beside
from victor_ext import ServerError
from victor_ext.bulk.payment_requests import PaymentRequests
from victor_ext.bulk.results import COLUMNS, NOT_FOUND, write_csv
from victor_ext.bulk.rows import RowOutcome, RowResult
from victor_ext.reconciliation.entries import EntryReader
from victor_ext.sandbox import Sandbox
from victor_ext.tables.texts import escape_formulas, folded, trimmed, unescape_formulas

write_export = partial(write_csv, exported=PaymentRequests.exported)
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


def exported(*texts: str, **options: Any) -> list[list[str]]:
    """The rows of an export whose texts, in all columns that can hold any, are these."""
    results = [
        RowResult(1, text, text, text, RowOutcome.CREATED, text, {"region": text}, {"amount": text})
        for text in texts
    ]
    file = io.StringIO(newline="")
    assert write_export(file, results, ["region"], **options) == len(texts)
    file.seek(0)
    return list(csv.reader(file, strict=True))[1:]


@pytest.mark.parametrize(("text", "escaped"), ESCAPED.items())
def test_what_a_spreadsheet_would_run_gets_a_quote_before_it(text: str, escaped: str) -> None:
    for before, shown in ((text, escaped), (escaped, escaped)):
        (cells,) = exported(before)
        assert cells == ["1", shown, shown, shown, "created", shown, shown, shown, "", "", ""]
    (cells,) = exported(text, escape=False)
    assert cells[1:4] + cells[5:8] == [text] * 6


@pytest.mark.parametrize("text", CASES["left"])
def test_other_text_is_left_as_it_is(text: str) -> None:
    assert exported(text) == exported(text, escape=False)
    assert exported(text)[0][6] == text


def test_the_heading_is_escaped_too() -> None:
    file = io.StringIO(newline="")
    write_export(file, [], [FORMULA, "region"])
    assert file.getvalue().startswith(f"row,key,id,status,outcome,error,'{FORMULA},region,")
    file = io.StringIO(newline="")
    write_export(file, [], [FORMULA], escape=False)
    assert f",{FORMULA}," in file.getvalue()


def test_a_column_whose_name_is_taken_takes_no_other_columns_name() -> None:
    file = io.StringIO(newline="")
    write_export(file, [], ["id", "file_id"])
    assert file.getvalue().startswith("row,key,id,status,outcome,error,file_file_id,file_id,")


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("quoting", [csv.QUOTE_MINIMAL, csv.QUOTE_NONE])
def test_by_whatever_delimiter_it_is_read_no_cell_begins_a_formula(
    delimiter: str, quoting: Any
) -> None:
    if (delimiter, quoting) == (",", csv.QUOTE_NONE):
        pytest.skip("who reads commas and no quotes reads no CSV")
    texts = [
        *ESCAPED,
        *(
            f"{before}{text}{after}"
            for text in ESCAPED
            for before in ('"', 'x";"', "a,b;")
            for after in ("", '"')
        ),
    ]
    results = [
        RowResult(1, "", None, None, RowOutcome.CREATED, None, {"region": text}) for text in texts
    ]
    for escape in (True, False):
        file = io.StringIO(newline="")
        write_export(file, results, ["region"], escape=escape)
        lines = file.getvalue().replace("\r\n", "\n").replace("\r", "\n").split("\n")
        cells = [
            cell
            for line in csv.reader(lines, delimiter=delimiter, quoting=quoting)
            for cell in line
        ]
        assert any(cell.lstrip().startswith(tuple(RUN)) for cell in cells) is not escape


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
    asked = {"amount": "44.23", "client_reference_id": reference}
    result = RowResult(
        1, "k-1", "ID-1", "", RowOutcome.CREATED, None, dict.fromkeys(columns, "of the file"), asked
    )
    path = tmp_path_factory.mktemp("export") / ("export.jsonl" if as_json else "export.csv")
    with path.open("w", encoding="utf-8", newline="") as file:
        if as_json:
            fields = {name: getattr(result, name) for name in (*COLUMNS, "asked")}
            file.write(json.dumps({**fields, "columns": dict(result.extras)}))
        else:
            write_export(file, [result], columns)
    (entry,) = EntryReader(currency="USD").read(path)
    assert (entry.id, entry.key, str(entry.amount)) == ("ID-1", "k-1", "44.23 USD")
    # A quote of its own before what a spreadsheet would run reads as one that the export has put
    # there.
    sent = reference if as_json else unescape_formulas(escape_formulas(reference))
    assert folded(entry.reference) == (folded(sent) if sent.strip() else None)
    assert entry.reference == trimmed(reference) or "'" in reference or not reference.strip()


def test_the_command_escapes_and_has_a_switch_and_its_json_is_as_it_was(
    bulk: Bulk, sender: Senders
) -> None:
    records = [row(1, region=FORMULA), row(2, region="\t-1"), row(3, region="north")]
    sender(state=f"sqlite:///{bulk.folder}/victor-bulk.sqlite").send(
        bulk.write(records, "march.csv")
    )
    assert [line["region"] for line in bulk("export").table] == [f"'{FORMULA}", "'\t'-1", "north"]
    assert [line["region"] for line in bulk("export", "--no-escape").table] == [
        FORMULA,
        "\t-1",
        "north",
    ]
    lines = [json.loads(line) for line in bulk("export", "--json").out.splitlines()]
    assert [line["columns"]["region"] for line in lines] == [FORMULA, "\t-1", "north"]


def reads(sandbox: Sandbox) -> list[str]:
    return [each.operation for each in sandbox.received() if each.operation in ("list", "get")]


def test_status_and_export_say_who_has_paid(bulk: Bulk, victor_sandbox: Sandbox) -> None:
    bulk.write([*rows(3), row(4, amount="0")])
    assert bulk("send", "invoices.csv", *KEY, "--skip-invalid").status == 1
    paid, declined, _ = (request["id"] for request in outbound(victor_sandbox))
    victor_sandbox.move(paid, "completed")
    victor_sandbox.move(declined, "declined", "Account 800000219 is\nclosed.")
    before = reads(victor_sandbox)
    exported = bulk("export", "--refresh")
    now = "The provider says now: 1 completed (paid), 1 created, 1 declined."
    assert (exported.status, exported.err) == (0, f"{now}\n")
    found = {line["id"]: (line["status"], line["error"]) for line in exported.table}
    assert found[paid] == ("completed", "")
    assert found[declined] == ("declined", "Account *****0219 is closed.")
    assert found[""][0] == ""
    # a page, and the empty one behind it
    assert reads(victor_sandbox)[len(before) :] == ["list"] * 2
    assert bulk("export", "--refresh", "-o", "now.csv").err == f"4 rows written to now.csv. {now}\n"

    shown = bulk("status", "--refresh")
    assert shown.status == 1
    assert "  1 completed (paid)\n" in shown.out
    assert bulk("status", "--refresh", "--json").json["payments"] == {
        "completed": 1,
        "declined": 1,
        "created": 1,
    }
    assert {
        json.loads(line)["status"]
        for line in bulk("export", "--refresh", "--json").out.splitlines()
    } == {
        "completed",
        "declined",
        "created",
        None,
    }


@pytest.mark.victor_sandbox(get_status="listed")
def test_what_the_list_lacks_is_read_by_its_id(sender: Senders, victor_sandbox: Sandbox) -> None:
    sender().send(rows(2))
    ids = [request["id"] for request in outbound(victor_sandbox)]
    victor_sandbox.move(ids[0], "completed")
    victor_sandbox.respond(ids[1], "Declined", "Not ours")
    victor_sandbox.inject(
        "status", operation="list", status=200, body='{"results": []}', times=None
    )
    assert dict(sender().status(refresh=True).payments) == {"completed": 1, "declined": 1}
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
    sender().send(rows(1))
    paid = outbound(victor_sandbox)[0]["id"]
    victor_sandbox.move(paid, "completed")
    victor_sandbox.inject("status", operation="list", status=200, body='{"results": []}', times=1)
    assert sender().status(refresh=True).payments == {"completed": 1}
    listed = json.dumps({"results": [{"victor_payment_request_id": paid}]})
    victor_sandbox.inject("status", operation="list", status=200, body=listed, times=1)
    assert sender().status(refresh=True).payments == {"no status": 1}


def test_a_provider_that_cannot_be_read_costs_no_old_file(
    bulk: Bulk, sender: Senders, victor_sandbox: Sandbox
) -> None:
    bulk.write(rows(1))
    assert bulk("send", "invoices.csv", *KEY).status == 0
    assert bulk("export", "-o", "results.csv").status == 0
    before = (bulk.folder / "results.csv").read_text()
    victor_sandbox.inject("status", operation="list", status=503, times=None)
    ran = bulk("export", "--refresh", "-o", "results.csv", "--deadline", "0.5")
    assert (ran.status, ran.out, (bulk.folder / "results.csv").read_text()) == (75, "", before)
    assert bulk("status", "--refresh", "--deadline", "0.5").status == 75
    sender().send(rows(1))
    with pytest.raises(ServerError):
        next(sender().export(refresh=True))


def test_a_batch_without_a_request_asks_nothing(sender: Senders, victor_sandbox: Sandbox) -> None:
    sender(skip_invalid=True).send([row(1, amount="0")])
    before = reads(victor_sandbox)
    assert sender().status(refresh=True).payments == {}
    assert reads(victor_sandbox) == before
