"""Result codes are classed by EastPay's own table, whatever text comes."""

import copy
import pickle
import re
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.cases import cases_beside
from tests.providers.eastpay.adapter import observe
from victor_ext.errors import BadRequest, Outcome
from victor_ext.providers.eastpay import Payment, Rejection, ResultClass, ResultCode

FORMAT = "A result code has the format ddd.ddd.ddd, i.e. 3 groups of 3-digit numbers."
SUCCESS = "000.000.000 represents transaction is succeeded."
BANK = "800 Bank declined"
"""Sentences of the vendor's page "API Introduction"."""
PAID, DECLINED = SUCCESS[:11], BANK[:3]

KINDS = {
    "succeeded": "000.000.000",
    "pending": "000.100.000 000.200.000 000.200.100 000.200.300 100.200.100 100.200.200",
    "review": "000.400.000 000.400.100 000.400.200",
    "rejected": "100.400.152 100.400.319 100.400.329 800.100.153",
}
TABLE = {code: kind for kind, codes in KINDS.items() for code in codes.split()}
"""The codes that the vendor's pages name."""

DIFFERENT = ("000.100.000", "000.400.200", "100.200.100", "100.200.200")
"""Those that another gateway, whose codes have the same form, calls refusals or does not know."""


NOT_NAMED = {
    "unknown": "000.000.100 000.300.000 000.600.000 000.100.100 000.999.999 100.000.000 "
    "100.500.100 200.300.404 "
    "900.100.201",
    "pending": "000.200.999 100.200.999",
    "review": "000.400.101 000.400.999",
    "rejected": "100.100.101 100.300.700 100.400.500 800.400.501 800.300.001",
}
"""Codes that are on no page of the vendor's."""


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        *TABLE.items(),
        *((code, kind) for kind, codes in NOT_NAMED.items() for code in codes.split()),
    ],
)
def test_a_code_has_the_kind_of_its_group_in_the_table(code, kind):
    parsed = ResultCode.parse(code)
    assert (parsed.kind, parsed.is_code) == (kind, True)
    assert parsed.rejected is (kind == "rejected")


FORM = re.compile(re.search(r"ddd\S+ddd", FORMAT)[0].replace(".", r"\.").replace("d", "[0-9]"))  # type: ignore[index] # it is there
GROUPS = st.sampled_from(["000", "100", "200", "300", "400", "800", "900"]) | st.from_regex(
    r"\A[0-9]{3}\Z"
)
DETAILS = GROUPS | st.sampled_from(
    ["00", "15", "AB", "A15", "0000", "1234", "", "15-", "000\n", "\u0660\u0660\u0660"]
)
CODES = st.tuples(GROUPS, GROUPS, DETAILS).map(".".join) | st.text(alphabet="018. ,", max_size=13)


@settings(max_examples=500)
@given(CODES, st.sampled_from([200, 400]), st.sampled_from([{}, {"id": "pay-1"}]))
@example("000.000.00", 200, {})
@example("800.100.15", 400, {})
@example("800.100.AB", 400, {"id": "pay-1"})
@example("100.400.15", 400, {})
@example("900.100.201", 400, {})
@example("800.000.001", 200, {"id": "pay-1"})
@example("800.200.001", 400, {})
@example("bad request", 400, {})
def test_the_sentences_of_the_page_hold_for_every_code(text, status, named):
    """What has another form than the page's was neither paid nor refused, alone and in an answer
    about a payment.
    """
    code, has_form = ResultCode.parse(text), FORM.fullmatch(text) is not None
    assert code.is_code is has_form
    assert code.succeeded is (text == PAID)
    if not has_form or text[:3] not in ("000", "100", "800"):
        assert code.kind is ResultClass.UNKNOWN
    if has_form:
        is_declined = text[:3] == DECLINED or TABLE.get(text) == "rejected"
        assert (code.rejection is Rejection.DECLINED) is is_declined
        assert text[:3] != DECLINED or not re.search("succeeded|pending", code.meaning)
    seen = observe(status, {**named, "result": {"code": text}})
    if text and not has_form:
        assert isinstance(seen, Payment) and seen.result.must_inquire
    elif isinstance(seen, Payment) or code.rejection is Rejection.DECLINED:
        assert isinstance(seen, Payment)
        assert (seen.result.code, seen.succeeded) == (text, status == 200 and code.succeeded)
    else:
        assert isinstance(seen, BadRequest) is (seen.outcome is Outcome.REJECTED)
        assert seen.outcome is not Outcome.REJECTED or not text or (code.rejected and not named)


@given(st.one_of(st.text(), st.from_regex(r"\A[0-9]{3}\.[0-9]{3}\.[0-9A-Za-z]{2,4}\Z")))
@example("")
@example("\x00" * 5000)
@example("\ud800")
def test_any_text_is_a_code_of_some_kind(text):
    code = ResultCode.parse(text)
    assert code.code == text
    assert code.kind in ResultClass
    assert code.meaning
    assert code.succeeded + code.rejected + code.must_inquire == 1
    assert len(str(code)) <= 250
    assert isinstance(repr(code), str)
    assert pickle.loads(pickle.dumps(code)) == copy.copy(code) == code


@pytest.mark.parametrize("value", [None, 0, 3.5, True, b"000.000.000", [], {"code": "000.000.000"}])
def test_what_is_no_text_is_no_code(value):
    assert (ResultCode.parse(value).kind, ResultCode.parse(value).code) == (ResultClass.UNKNOWN, "")


@pytest.mark.parametrize(("code", "words"), cases_beside(__file__)["words"])
def test_the_meaning_in_words(code, words):
    assert words in ResultCode.parse(code).meaning


@pytest.fixture
def page() -> str:
    return (Path(__file__).resolve().parents[3] / "docs" / "eastpay.md").read_text(encoding="utf-8")


def test_the_pages_table_of_codes(page):
    rows = dict(
        re.findall(
            r"^\| `(succeeded|pending|review|rejected)` \|[^|]*\|([^|]*)\|$", page, re.MULTILINE
        )
    )
    assert set(rows) == {"succeeded", "pending", "review", "rejected"}
    for kind, codes in rows.items():
        named = re.findall(r"`([0-9]{3}\.[0-9.*]+)`", codes)
        assert named
        for code in named:
            assert (
                ResultCode.parse(code.replace("800.*", "800.200.*").replace("*", "100")).kind
                == kind
            ), code
    for code in DIFFERENT:
        (row,) = re.findall(rf"^\| `{re.escape(code)}` [^|]*\|([^|]*)\|", page, re.MULTILINE)
        assert row.strip().startswith(ResultCode.parse(code).kind)


def test_the_pages_table_of_rejections(page):
    rows = re.findall(
        r"^\| ([^|]*`[18]00\.[^|]*)\| `(\w+)` \|[^|]*\| (?:a )?`(\w+)`", page, re.MULTILINE
    )
    assert [rejection for _, rejection, _ in rows] == ["declined", "declined", "request", "unclear"]
    for codes, rejection, kind in rows:
        for code in re.findall(r"`([0-9]{3}\.[0-9.*]+)`", codes):
            each = code.replace("800.*", "800.000.*").replace("*", "100")
            assert ResultCode.parse(each).rejection == rejection, code
            assert type(observe(400, {"result": {"code": each}})).__name__ == kind
