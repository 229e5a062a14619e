"""Amounts: exact to and from the wire, and everything that is not an amount refused with a sentence."""

from __future__ import annotations

import math
import time
from decimal import Context, Decimal, Inexact, localcontext
from enum import IntEnum, StrEnum
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from victor_ext import InvalidRequest
from victor_ext.money import _read_unusual, from_wire, to_decimal, to_wire

MANY = settings(max_examples=300)
CENTS = st.integers(1, 10**17 - 1)


def code_of(amount: object) -> str:
    with pytest.raises(InvalidRequest) as raised:
        to_wire(amount, field="amount")
    [problem] = raised.value.problems
    assert problem.field == "amount"
    assert "amount" in problem.message
    assert str(raised.value) == str(problem)
    assert raised.value.outcome == "not_sent"
    return problem.code


class TestWhatIsTaken:
    @pytest.mark.parametrize(
        ("amount", "wire"),
        [
            (Decimal("44.23"), "44.23"),
            ("44.23", "44.23"),
            (44, "44"),
            ("44.2", "44.2"),
            ("0.01", "0.01"),
            (Decimal("0.010"), "0.01"),
            (Decimal("44.2300000"), "44.23"),
            (Decimal("1E+2"), "100"),
            (Decimal("1.5E+1"), "15"),
            ("007.50", "7.50"),
            (Decimal("4.2E1"), "42"),
            (999_999_999_999_999, "999999999999999"),
            ("999999999999999.99", "999999999999999.99"),
            (Decimal("5E-1"), "0.5"),
        ],
    )
    def test_it_is_written_plainly(self, amount, wire):
        assert to_wire(amount) == wire
        assert to_decimal(amount) == Decimal(wire)

    def test_a_subclass_is_what_it_is(self):
        class Price(StrEnum):
            SMALL = "0.99"

        class Count(IntEnum):
            TWO = 2

        assert to_wire(Price.SMALL) == "0.99"
        assert to_wire(Count.TWO) == "2"


class TestWhatIsRefused:
    @pytest.mark.parametrize("amount", [44.23, 44.0, 0.0, -1.0, math.nan, math.inf, 1e300])
    def test_floats(self, amount):
        assert code_of(amount) == "float"

    @pytest.mark.parametrize("amount", [None, True, False, b"44.23", [44], ("44",), Fraction(1, 2), 1 + 0j, object()])
    def test_other_types(self, amount):
        assert code_of(amount) == "type"

    @pytest.mark.parametrize(
        "amount", ["12.345", "0.001", "44.2301", Decimal("12.345"), Decimal("0.009"), Decimal("1E-3")]
    )
    def test_more_than_two_decimals(self, amount):
        assert code_of(amount) == "decimals"

    def test_a_third_zero_is_no_rounding_in_a_decimal_and_no_amount_as_text(self):
        assert to_wire(Decimal("44.230")) == "44.23"
        assert code_of("44.230") == "decimals"

    @pytest.mark.parametrize(
        "amount",
        ["0", "0.00", "000", 0, -1, Decimal(0), Decimal("-0"), Decimal("0.00"), Decimal("-44.23"), "-1", "-0.01"],
    )
    def test_zero_and_less(self, amount):
        assert code_of(amount) == "range"

    @pytest.mark.parametrize("amount", [Decimal("NaN"), Decimal("sNaN"), Decimal("Infinity"), Decimal("-Infinity")])
    def test_what_is_not_finite(self, amount):
        assert code_of(amount) == "range"

    @pytest.mark.parametrize(
        "amount",
        [
            *("\uff11\uff12", "\u0661\u0662", "44.23\n", " 44.23", "44,23", "1,000.00", "1_000", "1e3", "+44.23"),
            *(".50", "44.23.1", "$44.23", "44.23 USD", "0x10", "NaN", "", "--1", "1\x00", "\u221212", "\ud800"),
        ],
    )
    def test_text_that_is_not_an_amount(self, amount):
        assert code_of(amount) == "format"

    @pytest.mark.parametrize(
        ("amount", "codes"),
        [
            ("-1.234", ["range", "decimals"]),
            ("-0.000", ["range", "decimals"]),
            (Decimal("-1E-50"), ["range", "decimals"]),
            ("1" * 16 + ".001", ["range", "decimals"]),
            ("-" + "1" * 16 + ".001", ["range", "range", "decimals"]),
            ("-1.2.3", ["format"]),
            ("-.5", ["format"]),
        ],
    )
    def test_all_that_is_wrong_is_said(self, amount, codes):
        with pytest.raises(InvalidRequest) as raised:
            to_decimal(amount, field="price")
        assert [problem.code for problem in raised.value.problems] == codes
        assert {problem.field for problem in raised.value.problems} == {"price"}
        for problem in raised.value.problems:
            assert problem.message.removesuffix(".") in str(raised.value)

    def test_the_sentence_says_what_to_write(self):
        with pytest.raises(InvalidRequest, match=r"price is a float.*write Decimal\('44.23'\) or '44.23'"):
            to_wire(44.23, field="price")
        with pytest.raises(InvalidRequest, match=r"price is '12.345': write at most two decimals; nothing is rounded"):
            to_wire("12.345", field="price")

    def test_more_digits_than_any_network_carries(self):
        assert code_of(10**15) == "range"
        assert code_of("1" + "0" * 15) == "range"
        assert code_of("9" * 100_000) == "range"


class TestItIsFast:
    @pytest.mark.parametrize(
        "amount",
        [
            *(Decimal("1E+999999999"), Decimal("-1E-999999999"), Decimal("0E-999999999")),
            *(10**1_000_000, "1." + "1" * 1_000_000, "x" * 1_000_000),
        ],
        ids=lambda amount: "long-int" if isinstance(amount, int) else f"{type(amount).__name__}-{str(amount)[:14]}",
    )
    def test_whatever_the_exponent_and_short_whatever_the_amount(self, amount):
        began = time.process_time()
        with pytest.raises(InvalidRequest) as raised:
            to_wire(amount)
        assert time.process_time() - began < 2.0
        assert len(str(raised.value)) < 300


class TestRoundTrips:
    @MANY
    @given(CENTS)
    def test_cents_survive(self, cents):
        amount = Decimal(cents).scaleb(-2)
        assert from_wire(to_wire(amount)) == amount
        assert to_wire(to_wire(amount)) == to_wire(amount)

    @MANY
    @given(st.decimals(allow_nan=True, allow_infinity=True))
    def test_a_decimal_is_exact_or_refused(self, amount):
        try:
            wire = to_wire(amount)
        except InvalidRequest:
            return
        assert Decimal(wire) == amount

    @MANY
    @given(st.one_of(st.text(), st.from_regex(r"\A[-+]?\d*[.,]?\d{0,4}\s?\Z")))
    def test_a_text_is_the_documents_pattern_or_refused(self, text):
        try:
            wire = to_wire(text)
        except InvalidRequest:
            return
        assert Decimal(wire) == Decimal(text) > 0
        assert text.isascii()
        assert len(wire.partition(".")[2]) <= 2

    @MANY
    @given(CENTS, st.integers(1, 12))
    def test_no_arithmetic_context_of_the_users_rounds_or_breaks_it(self, cents, precision):
        amount = Decimal(cents).scaleb(-2)
        longer = Decimal(f"{amount}0")
        with localcontext(Context(prec=precision, traps=[Inexact])):
            assert to_wire(longer) == f"{amount:f}"
            assert from_wire(f"{amount:f}") == amount


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.decimals()),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(), inner, max_size=3)),
    max_leaves=4,
)


class TestFromTheWire:
    @pytest.mark.parametrize(
        ("value", "amount"),
        [
            *(("44.23", Decimal("44.23")), ("0.00", Decimal(0)), ("007", Decimal(7)), (44, Decimal(44))),
            *((44.23, Decimal("44.23")), (0.1, Decimal("0.1")), ("44.2300", Decimal("44.23")), ("", None)),
            *(("44.23\n", None), ("\uff14\uff14", None), ("1e3", None), (True, None), (math.nan, None), ([], None)),
        ],
    )
    def test_what_is_an_amount_and_what_is_none(self, value, amount):
        assert from_wire(value) == amount

    @MANY
    @given(JSON)
    def test_no_value_can_make_it_raise(self, value):
        amount = from_wire(value)
        assert amount is None or amount.is_finite()

    @pytest.mark.parametrize(
        "value",
        [10**5000, "9" * 100_000, 5e-324, 1.7976931348623157e308],
        ids=["long-int", "long-text", "least-float", "largest-float"],
    )
    def test_nor_can_a_large_one(self, value):
        assert from_wire(value) is not None


@pytest.mark.parametrize("text", ["1", "9", "10", "44.2", "44.20", "44.23", "999999999999999", "999999999999999.99"])
def test_usual_text_is_read_as_any_other_amount(text: str) -> None:
    """It is read at once. The long way, by its digits, has the same result and refuses the first digit too many."""
    assert str(to_decimal(text)) == str(_read_unusual(text, "amount")) == text
    with pytest.raises(InvalidRequest):
        to_decimal("1000000000000000" + text[1:])
