"""Our book as it comes: CSV, JSON Lines, an export of bulk sending, entries, a window; what is said
of wrong rows.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from tests.cases import cases_beside
from victor_ext import InvalidRequest
from victor_ext.money import Money
from victor_ext.providers._books import Window, Zone
from victor_ext.reconciliation import Entry, InvalidEntries
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


@pytest.mark.parametrize("amount", ["-44.23", "(44.23)"])
def test_an_amount_below_zero_is_refused(write, amount):
    (told,) = problems(write(f"reference,amount\nR-1,44.23\nR-2,{amount}\n"))
    assert told.startswith("line 3, amount: amount is ")


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
