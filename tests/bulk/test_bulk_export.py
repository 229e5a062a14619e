"""Exports: what a spreadsheet would run is escaped, unless switched off, and `--refresh` says who
has paid.
"""

import csv
import io
import json
import re
from collections import Counter
from itertools import chain, product

import hypothesis.strategies as st
import pytest
from hypothesis import example, given

from tests.bulk.bulk_runs import outbound, refused, respond_to_creates, row, rows, today
from tests.cases import cases_beside
from victor_ext import TimedOut
from victor_ext._ids import skeleton_of
from victor_ext._tables.row_file import RowFile
from victor_ext._tables.texts import text_of_cell
from victor_ext.bulk._payment_requests import PaymentRequests
from victor_ext.bulk._results import NOT_FOUND, write_csv
from victor_ext.bulk._rows import RowOutcome, RowResult
from victor_ext.reconciliation._entries import EntryReader

OWN = "row,key,id,status,outcome,error,batch,asked_at,asked_by,sheet"
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
        1,
        text,
        text,
        text,
        RowOutcome.CREATED,
        text,
        extras,
        asked,
        text,
        asked_by=text,
        sheet=text,
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
        assert exported(before) == [*own, *shown, escaped, "", "", ""]
    cells = exported(text, escape=False)
    assert cells[1:4] + cells[5:7] + cells[8:12] == [text] * 9


def test_the_heading_is_escaped_too():
    escaped = text_of([], FORMULA, "region")
    assert escaped.startswith(f"{OWN},'{FORMULA},region,")
    assert f",{FORMULA}," in text_of([], FORMULA, escape=False)


def test_a_column_whose_name_is_taken_takes_no_other_columns_name():
    assert text_of([], "id", "file_id").startswith(f"{OWN},file_file_id,file_id,")
    # Nor does a sent value, whose heading in the file is taken: the other column keeps its name.
    file = io.StringIO()
    write_csv(
        file, [], ["file_id"], kind=PaymentRequests, source=RowFile("", columns={"amount": "id"})
    )
    assert file.getvalue().startswith(f"{OWN},file_id,file_file_id,")


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
    st.text("=+-@;'\"\t, aA\u200b\u00a0\ufeff1", max_size=12),
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


def test_a_payment_that_two_sheets_list_is_counted_once_by_its_status(bulk, victor_sandbox):
    for batch in ("march", "april"):
        assert bulk.send(rows(2), "--batch", batch).status == 0
    paid = outbound(victor_sandbox)[0]["id"]
    victor_sandbox.move(paid, "completed")
    exported = bulk("export", "--all", "--refresh")
    # Two workers make the requests of a batch in any order.
    assert Counter(line["status"] for line in exported.table) == {"completed": 2, "created": 2}
    assert exported.err == "The provider says now: 1 completed (paid), 1 created.\n"


def test_a_status_counts_what_an_export_lists(sender, victor_sandbox, any_state):
    """A row that was asked for the sheet is counted by its payment alone."""
    options = {"state": any_state, "skip_invalid": True, "workers": 1}
    respond_to_creates(victor_sandbox, 400, 1)
    sender(**options).send(rows(4))
    another = row(5, payer_counterparty_id="payer-5")
    changed = [row(1), row(2), row(3, amount="5.00"), row(4), another, row(6, amount="0")]
    status = sender(**options).send(changed)
    listed = Counter(result.outcome for result in sender(**options).export())
    assert status.counts == listed
    assert listed == {"created": 3, "refused": 1, "to_decide": 1, "rejected": 1}
    assert status.noticed["other_values"] == 1


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


# Several batches


@pytest.fixture
def months(bulk, victor_sandbox):
    """March; and April, which has a row of March with
    another amount, and one that is wrong.
    """
    bulk.write(rows(3), "march.csv")
    assert bulk.send("march.csv").status == 0
    april = [row(4, region="south"), row(2, amount="7.00", region="south"), row(5, amount="0")]
    bulk.write(april, "april.csv")
    assert bulk.send("april.csv", "--skip-invalid").status == 1
    return bulk


MARCH = [
    ("march.csv", "1", "created"),
    ("march.csv", "2", "created"),
    ("march.csv", "3", "created"),
]
APRIL = [
    ("april.csv", "1", "created"),
    ("april.csv", "2", "to_decide"),
    ("april.csv", "3", "refused"),
]


def shown_of(table):
    return [(line["sheet"], line["row"], line["outcome"]) for line in table]


def test_an_export_of_several_batches_has_them_in_the_order_that_is_given(months):
    for words in (
        ("--batch", "march.csv", "--batch", "april.csv"),
        ("march.csv", "april.csv", "--batch", "march.csv"),
    ):
        assert shown_of(months("export", *words).table) == MARCH + APRIL
    assert shown_of(months("export", "--all").table) == APRIL + MARCH
    lines = months("export", "--all", "--json").json_lines
    shown = [(line["sheet"], str(line["row"]), line["outcome"]) for line in lines]
    assert shown == APRIL + MARCH
    written = months("export", "--all", "-o", "all.csv")
    assert written.err == "6 rows of 2 batches written to all.csv\n"
    assert (months.folder / "all.csv").read_text() == months("export", "--all").out


def test_a_payment_that_two_sheets_list_has_a_line_for_each_and_counts_once_by_its_key(
    months, victor_sandbox
):
    table = months("export", "--all").table
    second = [line for line in table if line["invoice_no"] == "INV-2"]
    assert [line["sheet"] for line in second] == ["april.csv", "march.csv"]
    assert [line["outcome"] for line in second] == ["to_decide", "created"]
    assert [line["region"] for line in second] == ["south", "north"]
    assert {line["batch"] for line in second} == {"march.csv"}
    created = {line["key"]: line["amount"] for line in table if line["id"]}
    asked = [request["amount"] for request in outbound(victor_sandbox)]
    assert sorted(created.values()) == sorted(asked)


def test_a_batch_that_does_not_exist_costs_no_old_file(months):
    assert months("export", "--all", "-o", "all.csv").status == 0
    before = (months.folder / "all.csv").read_text()
    words = ("export", "--batch", "march.csv", "--batch", "may.csv")
    for way in ((), ("--json",)):
        ended = months(*words, *way)
        assert (ended.status, ended.out) == (2, "")
        assert "There is no batch may.csv" in ended.err
        assert months(*words, *way, "-o", "all.csv").status == 2
    assert (months.folder / "all.csv").read_text() == before


def test_all_batches_beside_a_name_are_refused(months):
    ended = months("export", "--all", "--batch", "march.csv")
    assert (ended.status, ended.out) == (2, "")
    assert "--all has march.csv, too: leave one of the two out." in ended.err


def test_python_names_the_batches_of_an_export(months, sender):
    own = sender(state=months.state)
    names = sorted(own.batches())
    assert [result.sheet for result in own.export(batches=names)] == [
        *names[:1] * 3,
        *names[1:] * 3,
    ]
    for wrong in ([], "march.csv"):
        with refused("must be a list with the name of at least one batch"):
            list(own.export(batches=wrong))
    with refused("There is no batch may"):
        next(own.export(batches=["march.csv", "may"]))


def test_one_walk_of_the_provider_serves_all_batches_of_an_export(months, victor_sandbox):
    paid, *_ = (request["id"] for request in outbound(victor_sandbox))
    victor_sandbox.move(paid, "completed")
    before = reads(victor_sandbox)
    exported = months("export", "--all", "--refresh")
    assert "1 completed (paid)" in exported.err
    assert reads(victor_sandbox) == [*before, "list", "list"]


def test_sheets_that_are_written_in_different_ways_are_exported_in_one(bulk):
    """What is common stays as the sheets have it; the rest is as `create` takes it."""
    german = {"invoice_no": "Rechnung", "amount": "Betrag", "due_date": "Fällig"}
    ours = row(1, amount="1.234,50", due_date=f"{today():%d.%m.%Y}", client_reference_id="REF-1")
    bulk.write([{german.get(name, name): value for name, value in ours.items()}], "a.csv")
    columns = [f"--column={name}={own}" for name, own in german.items() if name != "invoice_no"]
    form = [*columns, "--decimal", "comma", "--date-format", "DMY"]
    assert bulk("send", "a.csv", "--key-column", "Rechnung", *form).status == 0
    bulk.write([row(2, amount="1,235.50", client_reference_id="REF-2")], "b.csv")
    sent = bulk("send", "b.csv", "--key-column", "client_reference_id", "--decimal", "point")
    assert sent.status == 0
    first, second = bulk("export", "--all").table
    for number, line in enumerate((first, second), 1):
        asked = [line[name] for name in ("amount", "due_date", "client_reference_id")]
        assert asked == [f"{1233.5 + number:.2f}", f"{today()}", f"REF-{number}"]
    assert (first["Rechnung"], first["invoice_no"]) == ("INV-1", "")
    assert (second["Rechnung"], second["invoice_no"]) == ("", "INV-2")
    (alone,) = bulk("export", "a.csv").table
    assert alone["Betrag"] == "1234,50"


def test_an_export_shows_one_moment_whatever_is_sent_while_it_is_read(sender, any_state):
    own = sender.of(state=any_state)
    own.finish(rows(2), batch="april")
    own.store(rows(2, start=3), batch="march")
    results = own().export(batches=["april", "march"])
    read = [next(results)]
    own.finish(batch="march")
    read += results
    assert [(result.sheet, result.outcome) for result in read] == [
        *(("april", "created"), ("april", "created")),
        *(("march", "waiting"), ("march", "waiting")),
    ]
