"""Our book as it comes: CSV, JSON Lines, an export of bulk sending, entries, a window; what is said
of wrong rows.
"""

import json
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
        "number,id,status,outcome,error,asked,agreed,currency,batch,"
        "invoice_no,amount,currency,id,client_reference_id\n"
        "1,QNNEVS9JL4,created,created,,44.23,,USD,a,1,44.23,USD,A,INV-1\n"
        "2,,,unknown,It may have been sent.,44.23,,USD,a,2,44.23,USD,B,'=INV-2\n"
        "3,,,rejected,No.,,,USD,a,3,44.23,USD,C,INV-3\n"
        ",,,refused,No.,,,USD,a,4,,,,\n"
        "5,,,unknown,Conflict: HTTP 409.,44.23,,USD,a,5,44.23,USD,E,\n"
        "6,,,accepted,It cannot be read.,44.23,,USD,a,6,44.23,USD,F,\n"
        "7,,,to_decide,INV-7?,,,USD,a,7,44.23,USD,G,INV-7\n"
        "k-8,Q8,created,created,,,,USD,a,,,,,\n"
        "9,Q9,created,to_decide,,44.23,,USD,a,9,12.00,USD,I,R\n"
        "10,Q10,created,created,,44.23,,USD,a,10,44.23,USD,J,\n"
    )
    reader, unknown = EntryReader(), "Bulk sending calls it unknown."
    entries = [
        Entry(PRICE, "INV-1", "QNNEVS9JL4", "QNNEVS9JL4", line=2),
        Entry(PRICE, "=INV-2", None, "2", line=3, doubt=f"{unknown} It may have been sent."),
        Entry(PRICE, "5", None, "5", line=6, doubt=f"{unknown} Conflict: HTTP 409."),
        Entry(PRICE, "6", None, "6", line=7),
        Entry(PRICE, "R", "Q9", "Q9", line=10),
        Entry(PRICE, None, "Q10", "Q10", line=11),
    ]
    in_batch = [replace(entry, batch="a") for entry in entries]
    assert [*reader.read(write(text))] == in_batch
    assert (reader.not_asked, reader.forgotten) == (3, 1)


def test_a_result_of_bulk_sending_has_its_key_its_reference_and_when_it_was_asked(write):
    """So a book is read, and an export as JSON."""
    names = ("number", "id", "status", "outcome", "error", "asked", "agreed", "currency", "batch")
    values = ("1", "Q1", "created", "created", None, "44.23", None, "USD", "a")
    more = {"key": "k-1", "reference": "R", "asked_at": "2026-03-04T05:06:07Z", "row": 7}
    result = {**dict(zip(names, values, strict=True)), **more, "cells": {"id": "A"}}
    path = write(json.dumps(result), "export.jsonl")
    expected = [Entry(PRICE, "R", "Q1", "k-1", at=ASKED, line=7, batch="a")]
    assert [*EntryReader().read(path)] == expected


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
