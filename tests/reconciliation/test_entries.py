"""Our book as it comes: CSV, JSON Lines, an export of bulk sending, entries, a window; what is said
of wrong rows.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from unicodedata import normalize

import pytest

from tests.cases import cases_beside
from tests.frames import assert_hidden, locals_of
from victor_ext import ConfigurationError, InvalidRequest, PermissionDenied
from victor_ext._books import Window, Zone
from victor_ext.money import Money
from victor_ext.reconciliation import Entry, InvalidEntries, RowFile, reconcile
from victor_ext.reconciliation._entries import EntryReader

pytestmark = pytest.mark.slow
PRICE = Money.of("44.23", "USD")
ASKED = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


def read(ours, **options):
    return list(EntryReader(**{"currency": "USD", **options}).read(ours))


def problems(ours, **options):
    with pytest.raises(InvalidEntries) as caught:
        read(ours, **options)
    return [problem.message for problem in caught.value.problems]


@pytest.fixture
def write(tmp_path):
    """Writes a file of ours."""

    def written(text, name="ours.csv"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return written


def test_a_file_of_bulk_sending_is_read_as_entries(write):
    heading = (
        "invoice_no,payee_account_number,payer_counterparty_id,amount,biller_type,due_date,"
        "client_reference_id"
    )
    text = f"{heading}\n1042,043987673645,aHeq349838,44.23,BUSINESS,2026-03-04,INV-1042\n"
    assert read(write(text)) == [Entry(PRICE, "INV-1042", line=2)]
    assert read(write(text), columns={"reference": "invoice_no"}) == [Entry(PRICE, "1042", line=2)]


def test_an_export_of_bulk_sending_is_read_without_rows_that_were_not_asked(write):
    text = (
        "row,key,id,status,outcome,error,batch,asked_at,asked_by,"
        "invoice_no,amount,payer_counterparty_id,due_date,client_reference_id\n"
        "1,k-1,QNNEVS9JL4,created,created,,a,,,1,44.23,aHeq349838,2026-03-04,INV-1\n"
        "2,k-2,,,unknown,It may have been sent.,a,,,2,44.23,aHeq349838,2026-03-04,'=INV-2\n"
        "3,k-3,,,rejected,No.,a,,,3,44.23,aHeq349838,2026-03-04,INV-3\n"
        "4,,,,refused,No.,,,,4,,,,\n"
        "5,k-5,,,unknown,Conflict: HTTP 409.,a,,,5,44.23,aHeq349838,2026-03-04,\n"
        "6,k-6,,,accepted,It cannot be read.,a,2026-03-04T05:06:07Z,,6,44.23,p,2026-03-04,\n"
        "7,k-7,,,to_decide,INV-7?,,,,7,44.23,aHeq349838,2026-03-04,INV-7\n"
        "8,k-8,Q8,created,created,,a,,,8,,,,\n"
        "9,k-9,Q9,created,to_decide,,a,2026-03-04T05:06:07Z (our clock),,9,44.23,p,2026-03-04,R\n"
    )
    reader, unknown = EntryReader(currency="USD"), "Bulk sending calls it unknown."
    entries = [
        Entry(PRICE, "INV-1", "QNNEVS9JL4", "k-1", line=2),
        Entry(PRICE, "=INV-2", None, "k-2", line=3, doubt=f"{unknown} It may have been sent."),
        Entry(PRICE, None, None, "k-5", line=6, doubt=f"{unknown} Conflict: HTTP 409."),
        Entry(PRICE, None, None, "k-6", at=ASKED, line=7),
        Entry(PRICE, "R", "Q9", "k-9", at=ASKED, line=10),
    ]
    in_batch = [replace(entry, batch="a") for entry in entries]
    assert [*reader.read(write(text))] == in_batch
    assert (reader.not_asked, reader.forgotten) == (3, 1)


@pytest.mark.parametrize("form", ["JSON Lines", "mappings", "entries"])
def test_a_book_is_a_file_or_mappings_or_entries(write, form):
    text = '{"reference": "R-1", "amount": 44.23}\n{"id": "A", "amount": "44.23"}\n'
    book = {
        "JSON Lines": write(text, "ours.jsonl"),
        "mappings": [
            {"reference": "R-1", "amount": Decimal("44.23")},
            {"id": "A", "amount": PRICE},
        ],
        "entries": [Entry(PRICE, "R-1"), Entry(PRICE, id="A")],
    }[form]
    assert read(book) == [Entry(PRICE, "R-1", line=1), Entry(PRICE, id="A", line=2)]


def test_a_file_may_have_a_mark_of_its_encoding_semicolons_currencies_and_times(write):
    text = "\ufeffreference;amount;currency;at\nR-1;4423;JPY;2026-03-04T05:06:07.5Z\n"
    at = datetime(2026, 3, 4, 5, 6, 7, 500_000, tzinfo=UTC)
    assert read(write(text)) == [Entry(Money(4423, "JPY"), "R-1", at=at, line=2)]


def test_a_book_of_the_past_has_currencies_that_are_gone(write):
    text = "reference,amount,currency\nR-1,44.23,HRK\n"
    assert read(write(text)) == [Entry(Money(4423, "HRK"), "R-1", line=2)]
    without = write("reference,amount\nR-1,44.23\n")
    assert read(without, currency="HRK") == [Entry(Money(4423, "HRK"), "R-1", line=2)]


def test_a_row_needs_a_currency_where_the_provider_has_none():
    told = problems([{"reference": "R", "amount": "1"}], currency=None)
    assert told == ["line 1, currency: currency is missing."]


CASES = cases_beside(__file__)


@pytest.mark.parametrize(("row", "told"), CASES["wrong"].items())
def test_a_row_that_is_wrong_is_told_by_line_and_field(write, row, told):
    path = write(f"reference,amount,currency,at\n{row.replace('LONG', 'R' * 256)}\n")
    assert problems(path) == [told]


def test_wrong_rows_are_reported_together_but_not_more_than_twenty(write):
    path = write("reference,amount\n" + "R,no\n" * 30)
    told = problems(path)
    assert [text.split(",")[0] for text in told[:20]] == [f"line {n}" for n in range(2, 22)]
    assert told[20:] == ["... The rows after these were not read."]


@pytest.mark.parametrize(("heading", "beginning"), CASES["headings"].items())
def test_a_heading_that_lacks_a_column_is_refused_with_the_column(write, heading, beginning):
    (told,) = problems(write(f"{heading}\n1,2,3\n"))
    assert told.startswith(beginning)


def test_a_given_column_that_the_heading_lacks_is_refused(write):
    (told,) = problems(write("reference,amount\nR,1\n"), columns={"reference": "invoice_no"})
    has_no = "the heading (reference, amount) has no column invoice_no (named for reference)."
    assert told == f"line 1, invoice_no: {has_no}"


@pytest.mark.parametrize(("named", "written_as"), [("NFC", "NFD"), ("NFD", "NFC")])
def test_two_unicode_forms_of_a_column_are_one(write, named, written_as):
    columns = {"reference": normalize(named, "Schlüssel")}
    name = normalize(written_as, "Schlüssel")
    in_a_file = write(f"{name};amount\nR-1;44.23\n")
    assert read(in_a_file, columns=columns) == [Entry(PRICE, "R-1", line=2)]
    assert read([{name: "R-1", "amount": PRICE}], columns=columns) == [Entry(PRICE, "R-1", line=1)]


def test_a_column_that_is_there_in_both_unicode_forms_is_refused():
    both = {normalize(form, "Schlüssel"): "R-1" for form in ("NFC", "NFD")}
    (told,) = problems([{**both, "amount": PRICE}], columns={"reference": "Schlüssel"})
    assert "Schlüssel" in normalize("NFC", told)


@pytest.mark.parametrize("amount", ["-44.23", "(44.23)"])
def test_an_amount_below_zero_is_refused(write, amount):
    (told,) = problems(write(f"reference,amount\nR-1,44.23\nR-2,{amount}\n"))
    assert told.startswith("line 3, amount: amount is ")


COLUMNS = {"client_reference_id": "Rechnung", "amount": "Betrag"}


def test_a_row_file_is_read_by_its_own_headings_and_decimal_commas(write):
    path = write("Rechnung;Betrag;amount\nR-1;1.234,50;1\n")
    entry = Entry(Money.of("1234.50", "USD"), "R-1", line=2)
    assert read(RowFile(path, COLUMNS, decimal="comma")) == [entry]


def test_a_heading_for_a_field_that_no_entry_has_is_refused(write):
    path = write("Rechnung;Betrag\nR-1;1.234,50\n")
    with pytest.raises(ConfigurationError, match="columns names notes: the fields are "):
        read(RowFile(path, {"notes": "Rechnung"}))


def test_mistakes_of_a_file_are_reported_with_its_own_headings(write):
    wrong = write("Rechnung;Betrag\n4,3E+10;12.50\nR-2;\n#NV;1,00\n")
    told = problems(RowFile(wrong, COLUMNS, decimal="comma"))
    assert [text.split(" is ")[0] for text in told] == [
        "line 2, Betrag: Betrag",
        "line 3, Betrag: Betrag",
        "line 4, Rechnung: Rechnung",
    ]
    assert "with a decimal comma" in told[0]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"amount": "44.23"}, "amount"),
        ({"amount": Money(0, "USD")}, "amount"),
        ({"amount": Money.of("250", "PTS", own_decimals=0)}, "amount"),
        ({"reference": 7}, "reference"),
        ({"id": " "}, "id"),
        ({"at": datetime(2026, 3, 4)}, "at"),  # noqa: DTZ001 - what is refused
    ],
)
def test_an_entry_with_a_wrong_value_is_refused_when_the_entry_is_made(changes, field):
    with pytest.raises(InvalidRequest) as caught:
        Entry(**{"amount": PRICE, "reference": "R", **changes})
    assert [problem.field for problem in caught.value.problems] == [field]


START = datetime(2026, 3, 4, tzinfo=UTC)
END = START + timedelta(days=1)


@pytest.mark.parametrize(
    ("margin", "zone", "minutes"),
    [
        (10, Zone.OUTSIDE, (-11, 1451)),
        (10, Zone.AROUND, (-10, -1, 1440, 1450)),
        (10, Zone.EDGE, (0, 9, 1430, 1439)),
        (10, Zone.INSIDE, (10, 1429)),
        (0, Zone.INSIDE, (0, 1439)),
        (0, Zone.AROUND, (1440,)),
    ],
)
def test_a_day_has_edges_of_the_margin_on_both_sides(margin, zone, minutes):
    window = Window(START, END, timedelta(minutes=margin))
    zones = [window.zone(START + timedelta(minutes=minute)) for minute in minutes]
    assert zones == [zone] * len(minutes)


def test_an_entry_without_a_time_counts_as_inside_the_window():
    assert Window(START, END).zone(None) is Zone.INSIDE


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"start": datetime(2026, 3, 4)}, ["start"]),  # noqa: DTZ001 - what is refused
        ({"start": "2026-03-04", "end": None}, ["start", "end"]),
        ({"end": START}, ["end"]),
        ({"margin": timedelta(-1)}, ["margin"]),
        ({"start": datetime(1, 1, 2, tzinfo=UTC)}, ["margin"]),
        ({"margin": timedelta.max}, ["margin"]),
    ],
)
def test_an_impossible_window_is_refused_with_its_fields(changes, fields):
    with pytest.raises(InvalidRequest) as caught:
        Window(**{"start": START, "end": END, **changes})
    assert [problem.field for problem in caught.value.problems] == fields


ACCOUNT = "043987673645"
ROW = {"reference": "R", "amount": "1", "payee_account_number": ACCOUNT}


def breaking():
    yield from [ROW] * 3
    raise RuntimeError("the database of the caller has gone")


@pytest.mark.parametrize(
    ("ours", "error"),
    [
        ([ROW], PermissionDenied),
        ([ROW, {**ROW, "amount": "no"}], InvalidEntries),
        (breaking(), RuntimeError),
    ],
    ids=["a provider that fails", "a wrong row", "one that breaks"],
)
def test_no_local_variable_of_an_error_shows_an_account_number(victor, victor_sandbox, ours, error):
    victor_sandbox.inject("status", status=403, operation="list", times=5)
    with pytest.raises(error) as caught:
        reconcile(victor, ours, start=START, end=END)
    assert_hidden(caught.value, [ACCOUNT])
    assert len([*locals_of(caught.value)]) > 2
