"""Result codes are classed by EastPay's own table, whatever text comes."""

import copy
import re
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.cases import cases_beside
from tests.providers.eastpay.adapter import observe
from victor_ext.errors import Outcome
from victor_ext.providers.eastpay import Payment, ResultClass, ResultCode

NAMED = {
    "succeeded": "000.000.000",
    "pending": "000.100.000 000.200.000 000.200.100 000.200.300 100.200.100 100.200.200",
    "review": "000.400.000 000.400.100 000.400.200",
    "rejected": "100.400.152 100.400.319 100.400.329 800.100.153",
}
"""The codes that the vendor's pages name."""
NOT_NAMED = {
    "unknown": "000.000.100 000.300.000 000.600.000 000.100.100 000.999.999 100.000.000 "
    "100.500.100 200.300.404 "
    "900.100.201",
    "pending": "000.200.999 100.200.999",
    "review": "000.400.101 000.400.999",
    "rejected": "100.100.101 100.300.700 100.400.500 800.400.501 800.300.001 800.000.001",
}
"""Codes that are on no page of the vendor's."""
CODES = [
    (code, kind)
    for table in (NAMED, NOT_NAMED)
    for kind, codes in table.items()
    for code in codes.split()
]


DECLINES = (*NAMED["rejected"].split(), "800.000.001", "800.400.501", "800.300.001")
""" "800 Bank declined"; and what the pages name."""


@pytest.mark.parametrize(("code", "kind"), CODES)
def test_a_code_has_the_kind_of_its_group_in_the_table(code, kind):
    parsed = ResultCode.parse(code)
    assert (parsed.kind, parsed.is_code) == (kind, True)
    assert (parsed.succeeded, parsed.rejected) == (kind == "succeeded", kind == "rejected")
    assert (parsed.rejection == "declined") is (code in DECLINES)


@pytest.mark.parametrize(
    ("code", "status", "succeeded"),
    [
        ("000.000.000", 200, True),
        *product(DECLINES, (200, 400), (False,)),
        *product(("100.200.100", "000.400.000"), (200, 400), (False,)),
    ],
)
def test_an_answer_whose_code_tells_what_became_of_a_payment_is_a_payment(code, status, succeeded):
    payment = observe(status, {"id": "pay-1", "result": {"code": code}})
    assert isinstance(payment, Payment)
    assert (payment.result.code, payment.succeeded) == (code, succeeded)


OTHER_FORMS = (
    *("000.000.00", "000.000.0000", "000.000.000\n", "000.000", "0,0,0", "bad request"),
    *("800.100.15", "800.100.AB", "800.100.A15", "100.400.15", "800.100.\u0661\u0665\u0663"),
)


@pytest.mark.parametrize("named", [{}, {"id": "pay-1"}])
@pytest.mark.parametrize("status", [200, 400])
@pytest.mark.parametrize("text", OTHER_FORMS)
def test_a_payment_with_a_code_of_another_form_is_neither_paid_nor_refused(text, status, named):
    """ "A result code has the format ddd.ddd.ddd, i.e. 3 groups of 3-digit numbers." """
    code = ResultCode.parse(text)
    assert (code.kind, code.is_code, code.rejection) == (ResultClass.UNKNOWN, False, None)
    seen = observe(status, {**named, "result": {"code": text}})
    assert isinstance(seen, Payment) and seen.result.must_inquire


@pytest.mark.parametrize("code", NOT_NAMED["unknown"].split())
def test_no_code_of_an_unknown_group_refuses_a_payment(code):
    for status, named in product((200, 400), ({}, {"id": "pay-1"})):
        seen = observe(status, {**named, "result": {"code": code}})
        if isinstance(seen, Payment):
            assert seen.result.must_inquire
        else:
            assert seen.outcome is not Outcome.REJECTED


@given(st.text() | st.sampled_from(["", "\x00" * 5000, "\ud800"]))
def test_any_text_is_a_code_of_some_kind(text):
    code = ResultCode.parse(text)
    assert code.code == text
    assert code.meaning
    assert code.succeeded + code.rejected + code.must_inquire == 1
    assert len(str(code)) <= 250
    assert copy.copy(code) == code


@pytest.mark.parametrize("value", [None, 0, 3.5, True, b"000.000.000", [], {"code": "000.000.000"}])
def test_a_result_code_that_is_no_text_is_read_as_unknown_and_empty(value):
    assert (ResultCode.parse(value).kind, ResultCode.parse(value).code) == (ResultClass.UNKNOWN, "")


@pytest.mark.parametrize(("code", "words"), cases_beside(__file__)["words"])
def test_the_meaning_of_a_code_is_told_in_words(code, words):
    assert words in ResultCode.parse(code).meaning


PAGE = (Path(__file__).resolve().parents[3] / "docs" / "eastpay.md").read_text(encoding="utf-8")


def rows(number, pattern):
    """The rows of a table of the page, which has so many."""
    found = re.findall(pattern, PAGE, re.MULTILINE)
    assert len(found) == number, pattern
    return found


def codes_in(cell):
    """The codes of a cell, each group by one of its codes."""
    named = re.findall(r"`([0-9]{3}\.[0-9.*]+)`", cell)
    assert named
    return [each.replace("800.*", "800.200.*").replace("*", "100") for each in named]


@pytest.mark.parametrize(
    ("kind", "cell"),
    rows(4, r"^\| `(succeeded|pending|review|rejected)` \|[^|]*\|([^|]*)\|$"),
)
def test_the_codes_of_a_row_of_the_page_are_of_its_kind(kind, cell):
    assert {ResultCode.parse(code).kind for code in codes_in(cell)} == {kind}


@pytest.mark.parametrize("code", ["000.100.000", "000.400.200", "100.200.100", "100.200.200"])
def test_codes_that_another_gateway_reads_otherwise_are_on_the_page(code):
    [cell] = rows(1, rf"^\| `{re.escape(code)}` [^|]*\|([^|]*)\|")
    assert cell.strip().startswith(ResultCode.parse(code).kind)


REJECTIONS = rows(4, r"^\| ([^|]*`[18]00\.[^|]*)\| `(\w+)` \|[^|]*\| (?:a )?`(\w+)`")


@pytest.mark.parametrize(("cell", "rejection", "kind"), REJECTIONS)
def test_the_codes_of_each_rejection_have_the_name_and_result_that_the_page_gives(
    cell, rejection, kind
):
    for code in codes_in(cell):
        assert ResultCode.parse(code).rejection == rejection, code
        assert type(observe(400, {"result": {"code": code}})).__name__ == kind
