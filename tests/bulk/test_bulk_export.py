"""Exports: what a spreadsheet would run is escaped, unless switched off, and `--refresh` says who
has paid.
"""

import csv
import io
from collections import Counter

import hypothesis.strategies as st
import pytest
from hypothesis import example, given

from tests.bulk.bulk_runs import outbound, respond_to_creates, row, rows
from tests.cases import cases_beside
from tests.payments import today
from victor_ext._tables.row_file import RowFile
from victor_ext._tables.texts import text_of_cell
from victor_ext._values.ids import skeleton_of
from victor_ext.bulk._payment_requests import PaymentRequests
from victor_ext.bulk._results import write_csv
from victor_ext.bulk._rows import RowOutcome, RowResult
from victor_ext.reconciliation._entries import EntryReader

pytestmark = pytest.mark.slow
RUN = (
    "=+-@"
    "\N{FULLWIDTH EQUALS SIGN}\N{FULLWIDTH PLUS SIGN}"
    "\N{FULLWIDTH HYPHEN-MINUS}\N{FULLWIDTH COMMERCIAL AT}"
)
"""What a cell begins with that a spreadsheet runs; with a tab or an end of a line before it, too.
"""
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


def test_a_status_counts_what_an_export_lists(sender, victor_sandbox, any_state):
    options = {"state": any_state, "skip_invalid": True, "workers": 1}
    respond_to_creates(victor_sandbox, 400, 1)
    sender(**options).send(rows(4))
    another = row(5, payer_counterparty_id="payer-5")
    changed = [row(1), row(2), row(3, amount="5.00"), row(4), another, row(6, amount="0")]
    status = sender(**options).send(changed)
    listed = Counter(result.outcome for result in sender(**options).export())
    assert status.counts == listed
    assert listed == {"created": 3, "refused": 1, "to_decide": 1, "rejected": 1}
    assert status.noticed == {"asked_before": 1}


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
