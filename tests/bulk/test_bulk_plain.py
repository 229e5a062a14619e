"""Most rows are made of a template that was checked once. Whatever the rows are, the result is that
of checking each row: outcome, message, key, digests and the bytes of the call.
"""

import os
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from unittest.mock import Mock

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from tests.bulk.bulk_runs import ACCOUNT, in_days, row
from victor_ext import Victor, VictorOAuth
from victor_ext._vault import new_key
from victor_ext.bulk._check import Check, ControlTotals
from victor_ext.bulk._payment_requests import PaymentRequests
from victor_ext.bulk._payments import KeyOrigin
from victor_ext.bulk._payouts import Payouts
from victor_ext.bulk._plain import PlainRows
from victor_ext.bulk._row_kind import PlainForm
from victor_ext.bulk._settings import Settings
from victor_ext.bulk._source_rows import SourceRows
from victor_ext.bulk._storing import EntryMaker
from victor_ext.bulk._validating import RowValidation
from victor_ext.bulk._vault import state_vault
from victor_ext.outbox._files import FileTerms
from victor_ext.providers.velo import Velo, VeloAuth

SEARCHED = 300 if "VICTOR_SEARCH" in os.environ else 60
GUID = "0a1b2c3d-0000-4000-8000-00000000000a"
KEYS = ["A B", "1042", *(f"INV-{number}" for number in range(20))]
PLAIN_CELLS = {
    "invoice_no": [*KEYS, "inv-2", "01042", "1042.0", "2042/2", GUID],
    "client_reference_id": [*KEYS, "ref-2", GUID],
    "payer_counterparty_id": ["aHeq349838", "payer_2", "a-b", "x" * 16],
    "amount": ["10.00", "1.23", "9999999.99", "0.01"],
    "notes": ["", "Invoice for March", "2 of 3."],
}
ODD_CELLS = {
    "invoice_no": [
        "",
        " INV-1",
        "INV-1 ",
        "1E5",
        "4.3988E+10",
        "4" + "1" * 15,
        GUID.upper(),
        "u\u0308",
        "\u00fc",
        "I\u200bNV",
        "'=1",
        '="01042"',
        "#N/A",
        "x" * 36,
        "x" * 201,
        "1,042",
        "a\\b",
    ],
    "client_reference_id": [
        " REF",
        "x" * 35,
        "x" * 36,
        "x" * 300,
        "4" + "1" * 15,
        "r\u00e9f",
        "#REF!",
    ],
    "payer_counterparty_id": [
        "",
        "a b",
        "x" * 17,
        "x" * 36,
        "x" * 300,
        "p\u00e4yer",
        "1E5",
        "9E+11",
    ],
    "amount": [
        "",
        "0.00",
        "00.10",
        "007.00",
        "10",
        "1.5",
        "-1.00",
        "1e3",
        "10,00",
        "1.234",
        "9" * 9 + ".00",
    ],
    "notes": [
        "x" * 100,
        "x" * 101,
        "x" * 2000,
        "card " + "4" + "1" * 15,
        "=1+1",
        "\u00fc",
        'a "b"',
        "-",
        "#N/A",
    ],
}
COMMON_CELLS = {
    "payee_account_number": [ACCOUNT, "0" + ACCOUNT, "", "4.39877E+11", "12a"],
    "biller_type": ["BUSINESS", "CONSUMER", "business", ""],
    "due_date": [in_days(n) for n in (-2, -1, 0, 1, 2, 3)]
    + ["today", "tomorrow", "", "2042-13-01"],
    "ultimate_creditor": ["", "ACME"],
    "region": ["north", "", 'say "x"', "a\\b", "\u00fc", "=1"],
    "currency": ["USD", "", "EUR"],
}


class Cells(NamedTuple):
    """The cells of generated rows.

    Attributes:
        keys: The columns by which a row is told apart, of which each row needs other values.
        good: A row that is sent.
        plain: The cells of columns that differ from row to row, with which nothing is wrong.
        odd: Cells of these columns that are wrong, or that no template has.
        common: Cells of columns that rows have in common.
        fixed: One of the columns of `plain`, which is the same in each row of a sheet.
    """

    keys: tuple[str, ...]
    good: dict
    plain: dict
    odd: dict
    common: dict
    fixed: str


REQUESTS = Cells(
    ("invoice_no", "client_reference_id"),
    row(1, client_reference_id="REF-0", notes=""),
    PLAIN_CELLS,
    ODD_CELLS,
    COMMON_CELLS,
    "notes",
)
PAYOUTS = Cells(
    ("payor_payment_id",),
    {
        "payor_id": GUID,
        "remote_id": "payee-7",
        "amount": "1.50",
        "currency": "USD",
        "source_account_name": "USD account",
        "payor_payment_id": "PAY-0",
        "memo": "",
        "region": "north",
    },
    {
        "payor_payment_id": PLAIN_CELLS["invoice_no"],
        "remote_id": ["payee-7", "payee.2", "a_b", "x" * 35],
        "amount": PLAIN_CELLS["amount"],
        "memo": ["", "Wages for March", "2 of 3.", "x" * 40],
    },
    {
        "payor_payment_id": [*ODD_CELLS["invoice_no"], "x" * 40, "x" * 41],
        "remote_id": ["", "a b", "x" * 36, "x" * 100, "x" * 101, "p\u00e4yee", "1E5", "9E+11"],
        "amount": ODD_CELLS["amount"],
        "memo": [*ODD_CELLS["notes"], "x" * 41],
    },
    {
        "payor_id": [GUID, GUID.upper(), "", "payor"],
        "currency": ["USD", "EUR", "JPY", "KWD", "", "usd"],
        "source_account_name": ["USD account", "", "a" * 200],
        "payout_memo": ["", "March", "x" * 41],
        "transmission_type": ["", "SAME_DAY_ACH", "PIGEON"],
        "region": COMMON_CELLS["region"],
    },
    "memo",
)


@st.composite
def sheets(draw, cells):
    """Ordinary rows, which have a template, and rows beside them, of which each may have one odd
    cell.
    """
    plain = {name: st.sampled_from(each) for name, each in cells.plain.items()}
    odd = [(name, cell) for name, each in cells.odd.items() for cell in each]
    other = [(name, cell) for name, each in cells.common.items() for cell in each]
    fixed = {cells.fixed: draw(plain[cells.fixed])}
    common = {**cells.good, **dict(draw(st.lists(st.sampled_from(other), max_size=2))), **fixed}
    records = [{**common, **dict.fromkeys(cells.keys, f"Z{number}")} for number in range(3)]
    for _ in range(draw(st.integers(1, 8))):
        changed = draw(st.one_of(st.just({}), st.sampled_from(odd).map(lambda cell: dict([cell]))))
        records.append({**common, **draw(st.fixed_dictionaries(plain)), **fixed, **changed})
    return records


SETTINGS = Settings(
    key_column=None,
    rate=None,
    workers=1,
    key_retention=None,
    patience=None,
    due_date=None,
    skip_invalid=True,
    encoding=None,
)


class Validations:
    """Reads rows with and without templates, and tells what became of each."""

    def __init__(self, kind):
        self.kind = kind
        self.vault = state_vault(new_key())
        terms = FileTerms("staging", "sender", "march", 86400.0)
        self.maker = EntryMaker(self.kind, self.vault, terms)

    def read(self, records, column, *, prepares=True):
        check = Check()
        expected = ControlTotals.of([], None, None)
        origin = KeyOrigin("invoice", column)
        with closing(SourceRows()) as rows:
            validation = RowValidation(
                self.maker, SETTINGS, rows, origin, expected, prepares=prepares
            )
            validation.read(records, check)
            told = [self._told(each, rows) for each in rows.all()]
            read = told, check, rows.digest()
            return read if prepares else without_entries(read)

    def _told(self, stored, rows):
        entry = rows.entries([stored.number]).get(stored.number)
        values = {} if entry is None else entry.values()
        values.pop("had_by", None)
        for name in {"call", "look_up_by"} & values.keys():
            values[name] = self.vault.opened(values[name])
        row = stored.asked.row
        content = None if row is None else self.vault.opened(row)
        return stored._replace(asked=stored.asked._replace(row=None)), content, values


@pytest.fixture(scope="module")
def validations():
    auth = VictorOAuth("an-id", "not-a-real-secret-00")
    with Victor(auth, base_url="http://localhost:9") as one:
        yield Validations(PaymentRequests(one))


@pytest.fixture(scope="module")
def validations_of_payouts():
    auth = VeloAuth("an-id", "not-a-real-secret-00")
    with Velo(auth, base_url="http://localhost:9") as one:
        yield Validations(Payouts(one))


@pytest.mark.slow
@settings(max_examples=SEARCHED)
@given(
    records=sheets(REQUESTS),
    column=st.sampled_from(["invoice_no", "client_reference_id", "amount"]),
    prepares=st.booleans(),
)
def test_a_row_read_by_a_template_is_stored_as_if_it_were_checked(
    validations, records, column, prepares
):
    by_template = validations.read(records, column, prepares=prepares)
    assert by_template == read_by_checking(validations, records, column, prepares=prepares)


@pytest.mark.slow
@settings(max_examples=SEARCHED)
@given(records=sheets(PAYOUTS), prepares=st.booleans())
def test_a_payment_of_a_template_is_what_checking_it_makes(
    validations_of_payouts, records, prepares
):
    column = "payor_payment_id"
    made = validations_of_payouts.read(records, column, prepares=prepares)
    assert made == read_by_checking(validations_of_payouts, records, column, prepares=prepares)


def read_by_checking(validations, records, column, *, prepares):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PlainRows, "row_of", lambda _self, _record: None)
        return validations.read(records, column, prepares=prepares)


def without_entries(read):
    told, *others = read
    return [(row, content) for row, content, _ in told], *others


def test_a_template_whose_call_is_another_one_is_not_used(validations, monkeypatch):
    """What a template makes of a row is compared before it is used: the checks decide."""
    monkeypatch.setattr(
        PlainRows, "_mark_of", lambda _self, name: "7.07" if name == "amount" else "m"
    )
    records = [row(number, notes=f"m {number}") for number in range(1, 20)]
    made = validations.read(records, "invoice_no")
    monkeypatch.setattr(PlainRows, "row_of", lambda _self, _record: None)
    assert made == validations.read(records, "invoice_no")


def test_a_template_is_used_on_the_day_on_which_it_was_checked(validations, monkeypatch):
    """A source may be read over midnight: `today` is another date then."""
    days = [datetime.now(UTC), datetime.now(UTC) + timedelta(days=1)]
    clock = Mock(now=lambda _zone: days[0])
    monkeypatch.setattr("victor_ext.bulk._settings.datetime", clock)

    def read_over_midnight():
        for number in range(1, 7):
            yield row(number, due_date="today")
            if number == 3:
                days.pop(0)

    told, *_ = validations.read(read_over_midnight(), "invoice_no")
    first, second = (str(day.date()) for day in (datetime.now(UTC), days[0]))
    assert [stored.asked.due_date for stored, *_ in told] == [first] * 3 + [second] * 3


def test_a_form_that_is_wider_than_the_document_makes_no_template(validations, monkeypatch):
    """As when a newer document takes shorter values: the extremes of each form are checked."""
    wider = {**PaymentRequests.plain, "payer_counterparty_id": PlainForm.of("_-", 35)}
    monkeypatch.setattr(PaymentRequests, "plain", wider)
    records = [row(number) for number in range(1, 6)]
    records.append(row(6, payer_counterparty_id="x" * 17))
    told, *_ = validations.read(records, "invoice_no")
    (*right, (wrong, *_)) = told
    assert [stored.problems for stored, *_ in right] == [None] * 5
    assert "1 to 16 characters" in wrong.problems
