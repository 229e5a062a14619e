"""Exports: what a spreadsheet would run is escaped, unless switched off, and `--refresh` says who
has paid.
"""

import csv
import io
from collections import Counter
from decimal import Decimal

import hypothesis.strategies as st
import pytest
from hypothesis import example, given

from tests.bulk.bulk_runs import outbound, respond_to_creates, row, rows
from tests.cases import cases_beside
from tests.payments import today
from victor_ext._tables.texts import text_of_cell
from victor_ext._values.ids import skeleton_of
from victor_ext.bulk._results import COLUMNS, write_csv
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


def text_of(results, *headings):
    """An export of these results, from sheets that have these headings."""
    file = io.StringIO(newline="")
    write_csv(file, results, headings)
    return file.getvalue()


def result_with(text, **cells):
    """A row of an export that has this text wherever it can have any."""
    amounts = {"asked": Decimal("44.23"), "agreed": None, "currency": "USD"}
    return RowResult(
        text, text, text, RowOutcome.CREATED, text, **amounts, batch=text, cells=cells, key=text
    )


@pytest.mark.parametrize(("text", "escaped"), [*ESCAPED.items(), *zip(LEFT, LEFT, strict=True)])
def test_text_that_a_spreadsheet_would_run_is_exported_with_a_quote_before_it(text, escaped):
    """Other text is left as it is."""
    for before in (text, escaped):
        exported = text_of([result_with(before, region=before)], "region")
        _, cells = csv.reader(io.StringIO(exported, newline=""), strict=True)
        ours = [*[escaped] * 3, "created", escaped, "44.23", "", "USD", escaped]
        assert cells == [*ours, escaped]


@given(
    st.lists(st.sampled_from(["id", "number", "row", "currency", "Id"]), unique=True),
    st.text('=+-@;"\t, aA\u200b\u00a0\ufeff1', max_size=12),
)
@example(headings=[], reference="\t\u00a0")
@example(headings=[], reference="'\t=")
def test_reconcile_reads_our_columns_of_an_export_whatever_headings_its_sheet_has(
    tmp_path_factory, headings, reference
):
    """A quote of its own before what a spreadsheet would run reads as one of the export's."""
    cells = {**dict.fromkeys(headings, "of the file"), "client_reference_id": reference}
    path = tmp_path_factory.mktemp("export") / "export.csv"
    path.write_bytes(text_of([result_with("ID-1", **cells)], *cells).encode())
    (entry,) = EntryReader().read(path)
    assert (entry.id, entry.key, str(entry.amount)) == ("ID-1", "ID-1", "44.23 USD")
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
    assert (exported.status, exported.err) == (0, "")
    shown = {line["id"]: (line["status"], line["error"]) for line in exported.table}
    assert shown[paid] == ("completed", "")
    assert shown[declined] == ("declined", "Account *****0219 is closed: [e-mail]")
    # a page, and the empty one behind it
    assert reads(victor_sandbox) == [*before, "list", "list"]
    assert bulk("export", "--refresh", "-o", "now.csv").err == "4 rows written to now.csv\n"
    assert "  1 completed (paid)\n" in bulk("status", "--refresh").out
    payments = {"completed": 1, "declined": 1, "created": 1}
    assert bulk("status", "--refresh", "--json").json["payments"] == payments


def test_an_export_says_what_was_asked_and_what_was_agreed_to_in_part(bulk, victor_sandbox):
    """It counts once the payer has agreed: until then, nothing is agreed to."""
    records = [
        row(1, amount="100.00", amount_modification_allowed="true"),
        row(2, amount="30"),
        row(3, amount="40.50"),
        row(4, amount="50.00"),
    ]
    assert bulk.send([*records, row(5, amount="0")], "--skip-invalid").status == 1
    ids = {request["amount"]: request["id"] for request in outbound(victor_sandbox)}
    in_part, whole, failed = ids["100.00"], ids["30"], ids["50.00"]
    victor_sandbox.respond(in_part, "Accepted", modified_amount="60.00")
    victor_sandbox.move(in_part, "completed")
    victor_sandbox.move(whole, "accepted")
    victor_sandbox.move(failed, "failed")
    amounts = [("100.00", "60.00"), ("30.00", "30.00"), ("40.50", ""), ("50.00", ""), ("", "")]
    shown = bulk("export", "--refresh").table
    assert [(line["asked"], line["agreed"]) for line in shown] == amounts
    assert [line["status"] for line in shown[:2]] == ["completed", "accepted"]
    assert not any(line["agreed"] for line in bulk("export").table)


def test_a_status_counts_what_an_export_lists(sender, victor_sandbox, any_state):
    options = {"state": any_state, "skip_invalid": True, "workers": 1}
    respond_to_creates(victor_sandbox, 400, 1)
    sender(**options).send(rows(4))
    another = row(5, payer_counterparty_id="payer-5")
    changed = [row(1), row(2), row(3, amount="5.00"), row(4), another, row(6, amount="0")]
    status = sender(**options).send(changed)
    results = [*sender(**options).export()]
    listed = Counter(result.outcome for result in results)
    assert status.counts == listed
    with_an_amount = [result.outcome for result in results if result.asked is not None]
    assert Counter(with_an_amount) == {"created": 3, "to_decide": 1}
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


MARCH = [(f"INV-{number}", "march.csv", "created") for number in (1, 2, 3)]
APRIL = [
    ("INV-4", "april.csv", "created"),
    ("INV-2", "april.csv", "to_decide"),
    ("INV-5", "april.csv", "refused"),
]


def shown_of(table):
    return [(line["number"], line["batch"], line["outcome"]) for line in table]


def test_an_export_of_several_batches_has_them_in_the_order_that_is_given(months):
    words = ("--batch", "march.csv", "--batch", "april.csv", "--batch", "march.csv")
    assert shown_of(months("export", *words).table) == MARCH + APRIL
    assert shown_of(months("export", "--all").table) == APRIL + MARCH
    assert shown_of(months("export", "--all", "--json").json_lines) == APRIL + MARCH
    written = months("export", "--all", "-o", "all.csv")
    assert written.err == "6 rows of 2 batches written to all.csv\n"
    assert (months.folder / "all.csv").read_text() == months("export", "--all").out


def test_an_export_has_our_columns_in_one_form_and_then_the_cells_of_each_sheet_as_they_came(bulk):
    german = {"invoice_no": "Rechnung", "amount": "Betrag", "due_date": "Fällig"}
    ours = row(1, amount="1.234,50", due_date=f"{today():%d.%m.%Y}", status="neu")
    bulk.write([{german.get(name, name): value for name, value in ours.items()}], "a.csv")
    columns = [f"--column={name}={own}" for name, own in german.items() if name != "invoice_no"]
    form = [*columns, "--decimal", "comma", "--date-format", "DMY"]
    assert bulk("send", "a.csv", "--key-column", "Rechnung", *form).status == 0
    bulk.write([row(2, amount="1,235.50", client_reference_id="'-2", notes="=1+1")], "b.csv")
    sent = bulk("send", "b.csv", "--key-column", "client_reference_id", "--decimal", "point")
    assert sent.status == 0
    exported = bulk("export", "--all").out
    heading, first, second = csv.reader(io.StringIO(exported))
    assert tuple(heading[: len(COLUMNS)]) == COLUMNS
    amount, currency = COLUMNS.index("asked"), COLUMNS.index("currency")
    assert [(line[0], line[amount], line[currency]) for line in (first, second)] == [
        ("INV-1", "1234.50", "USD"),
        ("'-2", "1235.50", "USD"),
    ]
    of_sheets = heading[len(COLUMNS) :]
    assert Counter(of_sheets) == Counter([*german.values(), *(ours.keys() - german.keys()),
        "invoice_no", "amount", "due_date", "client_reference_id", "notes"])  # fmt: skip
    first_cells, second_cells = (
        dict(zip(of_sheets, line[len(COLUMNS) :], strict=True)) for line in (first, second)
    )
    assert (first_cells["Betrag"], first_cells["Fällig"]) == ("1.234,50", f"{today():%d.%m.%Y}")
    assert (first_cells["status"], first_cells["amount"]) == ("neu", "")
    assert (second_cells["amount"], second_cells["client_reference_id"]) == ("1,235.50", "'-2")
    assert second_cells["notes"] == "'=1+1"


def test_an_export_shows_one_moment_whatever_is_sent_while_it_is_read(sender, any_state):
    own = sender.of(state=any_state)
    own.finish(rows(2), batch="april")
    own.store(rows(2, start=3), batch="march")
    results = own().export(batches=["april", "march"])
    read = [next(results)]
    own.finish(batch="march")
    read += results
    assert [(result.batch, result.outcome) for result in read] == [
        *(("april", "created"), ("april", "created")),
        *(("march", "waiting"), ("march", "waiting")),
    ]
