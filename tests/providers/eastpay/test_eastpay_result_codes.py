"""Result codes are classed by EastPay's own table, whatever text comes."""

from __future__ import annotations

import copy
import pickle
import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from victor_ext.providers.eastpay import ResultClass, ResultCode

TABLE = {
    "000.000.000": "succeeded",
    "000.000.00": "succeeded",
    "000.100.000": "pending",
    "000.200.000": "pending",
    "000.200.100": "pending",
    "000.200.300": "pending",
    "100.200.100": "pending",
    "100.200.200": "pending",
    "000.400.000": "review",
    "000.400.100": "review",
    "000.400.200": "review",
    "100.400.152": "rejected",
    "100.400.319": "rejected",
    "100.400.329": "rejected",
    "800.100.153": "rejected",
    # The forms of a bank's own code: two characters, as most send, and four.
    "800.100.05": "rejected",
    "800.400.A123": "rejected",
}
"""The codes that the vendor's pages name, and the forms that they describe."""

ANOTHER_GATEWAY = {
    "success": r"000\.000\.|000\.100\.1|000\.[36]",
    "review": r"000\.400\.0[^3]|000\.400\.100",
    "pending": r"000\.200|800\.400\.5|100\.400\.500",
    "rejected": r"000\.400\.1[0-9][1-9]|000\.400\.2|100\.100|100\.2[01]|800|100\.400",
}
"""The look-alike table of a widespread gateway whose codes have the same form: not to be used."""

DIFFERENT = {
    "000.100.000": None,
    "000.400.200": "rejected",
    "100.200.100": "rejected",
    "100.200.200": "rejected",
}
"""What that table makes of the four codes where it differs."""


def by_the_other_table(code: str) -> str | None:
    return next((kind for kind, pattern in ANOTHER_GATEWAY.items() if re.match(pattern, code)), None)


@pytest.mark.parametrize("code", TABLE)
def test_the_table(code: str) -> None:
    parsed = ResultCode.parse(code)
    assert (parsed.kind, parsed.is_code) == (TABLE[code], True)
    assert parsed.succeeded is (TABLE[code] == "succeeded")
    assert parsed.rejected is (TABLE[code] == "rejected")
    assert parsed.must_inquire is (TABLE[code] in ("pending", "review"))


def test_the_four_codes_where_the_look_alike_table_differs() -> None:
    theirs = {code: by_the_other_table(code) for code in TABLE}
    ours = {code: "success" if kind == "succeeded" else kind for code, kind in TABLE.items()}
    assert {code: kind for code, kind in theirs.items() if kind != ours[code]} == DIFFERENT
    assert all(ResultCode.parse(code).must_inquire for code in DIFFERENT)


def test_a_time_out_of_the_back_end_is_no_rejection() -> None:
    """Taken for one, the payment would be made again, though it may have been charged."""
    code = ResultCode.parse("100.200.100")
    assert (code.kind, code.rejected, code.must_inquire) == (ResultClass.PENDING, False, True)
    assert "inquire" in code.meaning


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        *((code, "unknown") for code in ("000.000.100", "000.000.0000", "000.300.000", "000.600.000", "000.100.100")),
        *((code, "unknown") for code in ("000.999.999", "100.000.000", "100.500.100", "800.000.000")),
        *((code, "pending") for code in ("000.200.999", "100.200.999", "800.200.12")),
        *((code, "review") for code in ("000.400.101", "000.400.999")),
        *((code, "rejected") for code in ("100.100.101", "100.300.700", "100.400.500", "800.400.501", "800.300.1A")),
        *((code, "unknown") for code in ("200.300.404", "900.100.100", "", " 000.000.000", "000.000.000\n")),
        *(
            (code, "unknown")
            for code in (
                "000.000.0",
                "000.000.00000",
                "0000.000.00",
                "000.000",
                "success",
                "\u0660\u0660\u0660.000.000",
            )
        ),
        *((code, "unknown") for code in ("100.400.A15", "800.100.15-", "000,000,000")),
    ],
)
def test_codes_that_the_table_does_not_name(code: str, kind: str) -> None:
    assert ResultCode.parse(code).kind == kind


@settings(derandomize=True, deadline=None)
@given(st.one_of(st.text(), st.from_regex(r"\A[0-9]{3}\.[0-9]{3}\.[0-9A-Za-z]{2,4}\Z")))
@example("")
@example("\x00" * 5000)
@example("\ud800")
def test_no_text_raises(text: str) -> None:
    code = ResultCode.parse(text)
    assert code.code == text
    assert code.kind in ResultClass
    assert code.meaning
    assert code.succeeded + code.rejected + code.must_inquire == 1
    assert len(str(code)) <= 50
    assert isinstance(repr(code) + code.family + code.group + code.detail, str)
    assert pickle.loads(pickle.dumps(code)) == copy.copy(code) == code


def test_only_two_codes_of_the_success_family_are_a_success() -> None:
    details = ("00", "01", "10", "000", "001", "100", "999", "0000", "1000")
    codes = {f"000.{group:03}.{detail}" for group in range(1000) for detail in details}
    assert {code for code in codes if ResultCode.parse(code).succeeded} == {"000.000.000", "000.000.00"}


@pytest.mark.parametrize("value", [None, 0, 3.5, True, b"000.000.000", [], {"code": "000.000.000"}])
def test_what_is_no_text_is_no_code(value: object) -> None:
    assert (ResultCode.parse(value).kind, ResultCode.parse(value).code) == (ResultClass.UNKNOWN, "")


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("800.100.153", "The bank declined the authorization: the CVV is wrong."),
        ("800.100.05", "The bank or card scheme: authorization; it was refused. The bank's own code is 05."),
        ("100.300.12", "; it was refused. It may be that an earlier payment has the reference: if one"),
        ("000.700.000", "group 700, which the table does not have; what it means is not known, inquire."),
        ("???", "This is no result code of EastPay: inquire for what became of the payment."),
    ],
)
def test_the_meaning_in_words(code: str, words: str) -> None:
    assert words in ResultCode.parse(code).meaning


def test_every_code_of_the_table_says_what_it_means() -> None:
    for code, kind in TABLE.items():
        meaning = ResultCode.parse(code).meaning
        assert ("inquire" in meaning or "wait" in meaning or "begun" in meaning) or kind != "pending"
        assert meaning.endswith(".")
