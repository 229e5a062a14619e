"""Result codes are classed by EastPay's own table, whatever text comes."""

import copy
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.providers.eastpay.adapter import observe
from victor_ext.providers.eastpay import Payment, ResultClass, ResultCode

LISTED = {
    "succeeded": "000.000.000",
    "pending": "000.100.000 000.200.000 000.200.100 000.200.300 100.200.100 100.200.200",
    "review": "000.400.000 000.400.100 000.400.200",
    "rejected": "100.400.152 100.400.319 100.400.329 800.100.153",
}
"""The codes that the vendor's pages name."""
NOT_LISTED = {
    "unknown": "000.000.100 000.100.100 000.300.000 000.600.000 000.999.999 "
    "100.000.000 100.100.000 100.100.101 100.300.000 100.300.701 100.400.000 100.400.500 "
    "100.400.151 100.400.153 100.400.318 100.400.328 100.500.100 "
    "800.000.000 800.000.159 800.200.000 800.200.159 800.400.500 800.400.501 800.400.599 "
    "200.300.404 900.100.201",
    "pending": "000.200.999 100.200.000 100.200.999",
    "review": "000.400.101 000.400.999",
    "rejected": "800.100.000 800.100.500 800.300.001 800.400.000 800.400.499 800.400.600 "
    "800.500.500 800.900.300",
}
"""Codes that are on no page of the vendor's: groups, and the borders of those that differ."""
CODES = [
    (code, kind)
    for table in (LISTED, NOT_LISTED)
    for kind, codes in table.items()
    for code in codes.split()
]
DECLINES = [code for code, kind in CODES if kind == "rejected"]


@pytest.mark.parametrize(("code", "kind"), CODES)
def test_a_code_has_the_kind_that_the_pages_give_to_it_or_to_its_group(code, kind):
    parsed = ResultCode.parse(code)
    assert (parsed.kind, parsed.is_code) == (kind, True)
    assert (parsed.succeeded, parsed.rejected) == (kind == "succeeded", kind == "rejected")


DIGITS = st.from_regex(r"[0-9]{3}", fullmatch=True)
FAMILIES = st.sampled_from(["000", "100", "800"]) | DIGITS
GROUPS = st.sampled_from(["000", "100", "200", "300", "400"]) | DIGITS
DETAILS = st.sampled_from(["000", "152", "153", "319", "329", "500", "599"]) | DIGITS


@given(st.tuples(FAMILIES, GROUPS, DETAILS).map(".".join))
def test_a_code_that_no_page_calls_a_decline_is_not_rejected(code):
    """ "800 Bank declined", and the codes that are listed: nothing else says that nothing was
    charged.
    """
    is_listed = code in LISTED["rejected"].split()
    family, group, detail = code.split(".")
    is_open = group in ("000", "200") or (group == "400" and detail[0] == "5")
    is_of_bank = family == "800" and not is_open
    assert ResultCode.parse(code).rejected is (is_listed or is_of_bank)


@pytest.mark.parametrize("named", [{}, {"id": "pay-1"}])
@pytest.mark.parametrize("status", [200, 400])
@pytest.mark.parametrize("code", NOT_LISTED["unknown"].split())
def test_a_payment_with_a_code_that_no_page_explains_has_to_be_inquired(code, status, named):
    payment = observe(status, {**named, "result": {"code": code}})
    assert isinstance(payment, Payment)
    assert (payment.result.kind, payment.result.must_inquire) == ("unknown", True)


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
    assert (code.kind, code.is_code) == (ResultClass.UNKNOWN, False)
    seen = observe(status, {**named, "result": {"code": text}})
    assert isinstance(seen, Payment) and seen.result.must_inquire


@given(st.text() | st.sampled_from(["", "\x00" * 5000, "\ud800"]))
def test_any_text_is_a_code_of_some_kind(text):
    code = ResultCode.parse(text)
    assert code.code == text
    assert code.meaning
    assert code.succeeded + code.rejected + code.must_inquire == 1
    assert len(str(code)) <= 250
    assert copy.copy(code) == code
