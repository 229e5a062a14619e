"""Our book as it comes: CSV, JSON Lines, an export of bulk sending, entries, a window; what is said
of wrong rows.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from tests.cases import cases_beside
from victor_ext import InvalidRequest
from victor_ext._books import Window, Zone
from victor_ext.money import Money
from victor_ext.reconciliation import Entry, InvalidEntries, RowFile
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


CASES = cases_beside(__file__)


@pytest.mark.parametrize(("row", "told"), CASES["wrong"].items())
def test_a_row_that_is_wrong_is_told_by_line_and_field(write, row, told):
    path = write(f"reference,amount,currency,at\n{row.replace('LONG', 'R' * 256)}\n")
    assert problems(path) == [told]


# Lines of a bank's file (reference, amount), and what is said of the second one.
BELOW_ZERO = {"point": ["-44.23", "44.23-", "(44.23)", "\N{MINUS SIGN}44.23", "-1,044.23"]}
BELOW_ZERO["comma"] = [text.translate({44: ".", 46: ","}) for text in BELOW_ZERO["point"]]
SIGNED = [(mark, text) for mark, texts in BELOW_ZERO.items() for text in texts]


@pytest.mark.parametrize(("decimal", "debit"), SIGNED)
def test_a_negative_amount_is_refused_with_the_words_that_leave_debits_out(write, decimal, debit):
    credit = "44,23" if decimal == "comma" else "44.23"
    path = write(f"Ref;Betrag\nR-1;{credit}\nR-2;{debit}\n")
    columns = {"reference": "Ref", "amount": "Betrag"}
    (told,) = problems(RowFile(path, columns, decimal=decimal))
    assert told == (
        f"line 3, Betrag: Betrag is {debit!r} and must be above zero. To leave debits out, name "
        "their column: debit=Betrag."
    )
    reader = EntryReader(currency="USD")
    left = [*reader.read(RowFile(path, {**columns, "debit": "Betrag"}, decimal=decimal))]
    assert (left, reader.debits) == ([Entry(PRICE, "R-1", line=2)], 1)


@pytest.mark.parametrize("credit", ["", "0.00"])
def test_a_line_with_an_amount_in_a_column_of_debits_is_left_out_if_that_is_named(write, credit):
    path = write(f"reference,amount,Paid out\nR-1,44.23,{credit}\nR-2,{credit},10.00\n")
    (told,) = problems(path)
    assert told.startswith("line 3, amount: amount is ")
    assert told.endswith("To leave debits out, name their column: debit=NAME.")
    reader = EntryReader({"debit": "Paid out"}, "USD")
    assert [*reader.read(path)] == [Entry(PRICE, "R-1", line=2)]
    assert reader.debits == 1


def test_nothing_but_an_amount_makes_a_line_a_debit(write):
    columns = {"debit": "Paid out"}
    path = write("reference,amount,Paid out\nR-1,,\nR-2,,no\nR-3,10.00,44.23\nR-4,44.23,no\n")
    *missing, both = problems(path, columns=columns)
    assert missing == [f"line {line}, amount: amount is missing." for line in (2, 3)]
    is_both = "Paid out is '44.23', and amount is '10.00': one of them has to be empty."
    assert both == f"line 4, Paid out: {is_both}"


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
