"""Most rows are made of a template that was checked once. Whatever the rows are, the result is that
of checking each row: outcome, message, key, digests and the bytes of the call.
"""

from contextlib import closing

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from tests.bulk.bulk_runs import ACCOUNT, in_days, row
from victor_ext import Victor, VictorOAuth
from victor_ext.bulk.check import Check, ControlTotals
from victor_ext.bulk.payment_requests import PaymentRequests
from victor_ext.bulk.payments import KeyOrigin
from victor_ext.bulk.plain import PlainRows
from victor_ext.bulk.row_kind import PlainForm
from victor_ext.bulk.settings import Settings
from victor_ext.bulk.source_rows import SourceRows
from victor_ext.bulk.storing import EntryMaker
from victor_ext.bulk.validating import RowValidation
from victor_ext.bulk.vault import RowVault
from victor_ext.outbox.files import FileTerms
from victor_ext.vault import new_key

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


GOOD = row(1, client_reference_id="REF-0", notes="")
PLAIN = st.fixed_dictionaries({name: st.sampled_from(each) for name, each in PLAIN_CELLS.items()})
ODD = st.sampled_from([(name, cell) for name, odd in ODD_CELLS.items() for cell in odd])
NOTES = st.sampled_from(PLAIN_CELLS["notes"])
OTHER = st.sampled_from([(name, cell) for name, odd in COMMON_CELLS.items() for cell in odd])


@st.composite
def sheets(draw):
    """Ordinary rows, which have a template, and rows beside them, of which each may have one odd
    cell.
    """
    common = {**GOOD, **dict(draw(st.lists(OTHER, max_size=2))), "notes": draw(NOTES)}
    records = [
        {**common, "invoice_no": f"Z{number}", "client_reference_id": f"Z{number}"}
        for number in range(3)
    ]
    for _ in range(draw(st.integers(1, 8))):
        odd = draw(st.one_of(st.just({}), ODD.map(lambda cell: dict([cell]))))
        records.append({**common, **draw(PLAIN), "notes": common["notes"], **odd})
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

    def __init__(self, client):
        self.kind = PaymentRequests(client)
        self.vault = RowVault(new_key(), "Victor")
        terms = FileTerms("Victor staging", "sender", "march", 86400.0)
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
            return told, check, rows.digest()

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
    with Victor(VictorOAuth("an-id", "not-a-real-secret-00"), base_url="http://localhost:9") as one:
        yield Validations(one)


@pytest.mark.slow
@settings(max_examples=300)
@given(
    records=sheets(),
    column=st.sampled_from(["invoice_no", "client_reference_id"]),
    prepares=st.booleans(),
)
def test_a_row_of_a_template_is_what_checking_it_makes(validations, records, column, prepares):
    made = validations.read(records, column, prepares=prepares)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PlainRows, "row_of", lambda _self, _record: None)
        checked = validations.read(records, column, prepares=prepares)
    if not prepares:  # what is only checked needs no calls
        made, checked = without_entries(made), without_entries(checked)
    assert made == checked


def without_entries(read):
    told, *others = read
    return [(row, content) for row, content, _ in told], *others


@pytest.mark.parametrize("key_column", ["invoice_no", "client_reference_id"])
def test_ordinary_rows_are_made_of_a_template(validations, monkeypatch, key_column):
    """But for the first one; a template takes four checks more."""
    checked, check = [], RowValidation._checked
    monkeypatch.setattr(
        RowValidation, "_checked", lambda self, record: checked.append(1) or check(self, record)
    )
    records = [row(number, client_reference_id=f"REF-{number}") for number in range(1, 301)]
    told, result, *_ = validations.read(records, key_column)
    assert (len(told), result.problems, len(checked)) == (300, [], 5)


def test_a_template_whose_call_is_another_one_is_not_used(validations, monkeypatch):
    """What a template makes of a row is compared before it is used: the checks decide."""
    monkeypatch.setattr(
        PlainRows, "_mark_of", lambda _self, name: "7.07" if name == "amount" else "m"
    )
    records = [row(number, notes=f"m {number}") for number in range(1, 20)]
    made = validations.read(records, "invoice_no")
    monkeypatch.setattr(PlainRows, "row_of", lambda _self, _record: None)
    assert made == validations.read(records, "invoice_no")


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
