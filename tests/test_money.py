"""Amounts, and `Money`: exact in both directions, and everything that is not an amount refused with
a sentence.
"""

import math
import pickle
import time
from copy import copy, deepcopy
from decimal import Context, Decimal, Inexact, localcontext
from enum import IntEnum, StrEnum
from fractions import Fraction

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from victor_ext import InvalidRequest
from victor_ext._runtime.core import currencies
from victor_ext.money import from_wire, to_decimal, to_wire
from victor_ext.providers import Money

MANY = settings(max_examples=300)
CENTS = st.integers(1, 10**17 - 1)


def codes_of(amount):
    """The codes of an amount's problems, each of which its message says."""
    with pytest.raises(InvalidRequest) as raised:
        to_wire(amount, field="price")
    assert {problem.field for problem in raised.value.problems} == {"price"}
    assert all(
        problem.message.removesuffix(".") in str(raised.value) for problem in raised.value.problems
    )
    assert raised.value.outcome == "not_sent"
    return " ".join(problem.code for problem in raised.value.problems)


class Price(StrEnum):
    SMALL = "0.99"


class Count(IntEnum):
    TWO = 2


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
        ("007.50", "7.50"),
        (Decimal("4.2E1"), "42"),
        (Decimal("5E-1"), "0.5"),
        (999_999_999_999_999, "999999999999999"),
        ("999999999999999.99", "999999999999999.99"),
        (Price.SMALL, "0.99"),
        (Count.TWO, "2"),
    ],
)
def test_an_accepted_amount_is_written_in_plain_digits(amount, wire):
    assert to_wire(amount) == wire
    assert str(to_decimal(amount)) == wire


REFUSED = {
    "float": [44.23, 44.0, 0.0, math.nan, math.inf, 1e300],
    "type": [None, True, b"44.23", [44], ("44",), Fraction(1, 2), 1 + 0j, object()],
    "decimals": ["12.345", "0.001", "44.230", Decimal("0.009"), Decimal("1E-3")],
    "range": [
        "0",
        "0.00",
        0,
        -1,
        "-0.01",
        "1" + "0" * 15,
        10**15,
        "9" * 100_000,
        *map(
            Decimal, ("-0", "0.000", "0E+5", "0E-9", "-44.23", "NaN", "sNaN", "Infinity", "1E+9999")
        ),
        Decimal("1000000000000000.01"),
    ],
    "format": [
        "\uff11\uff12",
        "\u0661\u0662",
        "1\uff0e50",
        "\u221212",
        "\u00bd",
        "44.23\n",
        "\n44.23",
        " 44.23",
        "44.23 ",
        "44,23",
        "1,000.00",
        "1 000",
        "1_000",
        "1e3",
        "+44.23",
        ".50",
        "-.5",
        "44.",
        "44.23.1",
        "$44.23",
        "44.23 USD",
        "0x10",
        "NaN",
        "-Infinity",
        "",
        "--1",
        "1\x00",
        "\ud800",
    ],
    "range decimals": ["-1.234", Decimal("-1.234"), "0.000", Decimal("-1E-50"), "1" * 16 + ".001"],
    "range range decimals": ["-" + "1" * 16 + ".001"],
}


@pytest.mark.parametrize("codes", REFUSED)
def test_an_amount_is_refused_with_all_that_is_wrong(codes):
    assert {codes_of(amount) for amount in REFUSED[codes]} == {codes}


def test_the_message_of_a_refusal_says_what_to_write_instead():
    with pytest.raises(
        InvalidRequest, match=r"price is a float.*write Decimal\('44.23'\) or '44.23'"
    ):
        to_wire(44.23, field="price")
    with pytest.raises(
        InvalidRequest, match=r"price is '12.345': write at most two decimals; nothing is rounded"
    ):
        to_wire("12.345", field="price")


@pytest.mark.parametrize(
    "amount",
    [
        *map(
            Decimal,
            ("1E+999999999", "-1E+999999999", "1E-999999999", "0E+999999999", "-0E-999999999"),
        ),
        10**1_000_000,
        -(10**1_000_000),
        "1" * 1_000_000,
        "1." + "1" * 1_000_000,
        "x" * 1_000_000,
    ],
    ids=lambda amount: (
        "long-int" if isinstance(amount, int) else f"{type(amount).__name__}-{str(amount)[:14]}"
    ),
)
def test_an_amount_with_a_million_digits_or_a_huge_exponent_is_refused_fast_and_in_a_short_message(
    amount,
):
    began = time.process_time()
    with pytest.raises(InvalidRequest) as raised:
        to_wire(amount)
    assert time.process_time() - began < 2.0
    assert len(str(raised.value)) < 300


@MANY
@given(CENTS, st.integers(1, 12))
def test_cents_survive_whatever_the_users_arithmetic_context(cents, precision):
    amount = Decimal(cents).scaleb(-2)
    longer = Decimal(f"{amount}0")
    with localcontext(Context(prec=precision, traps=[Inexact])):
        assert to_wire(longer) == to_wire(to_wire(longer)) == f"{amount:f}"
        assert from_wire(f"{amount:f}") == amount


@MANY
@given(st.decimals(allow_nan=True, allow_infinity=True))
def test_a_decimal_is_exact_or_refused(amount):
    try:
        wire = to_wire(amount)
    except InvalidRequest:
        return
    assert Decimal(wire) == amount


@MANY
@given(st.one_of(st.text(), st.from_regex(r"\A[-+]?\d*[.,]?\d{0,4}\s?\Z")))
def test_a_text_is_the_documents_pattern_or_refused(text):
    try:
        wire = to_wire(text)
    except InvalidRequest:
        return
    assert Decimal(wire) == Decimal(text) > 0
    assert text.isascii()
    assert len(wire.partition(".")[2]) <= 2


@pytest.mark.parametrize(
    ("value", "amount"),
    [
        ("44.23", "44.23"),
        ("0", "0"),
        ("007", "7"),
        (44, "44"),
        (44.23, "44.23"),
        (0.1, "0.1"),
        (44.234, "44.234"),
        (Decimal("44.23"), "44.23"),
        ("44.2300", "44.23"),
        ("44.234", "44.234"),
        ("44.23\n", "44.23"),
        ("USD 44.23", "44.23"),
        ("$44.23", "44.23"),
        ("44.23usd", "44.23"),
        *(
            (value, None)
            for value in (None, "", "\uff14\uff14", "NaN", "1e3", True, math.nan, math.inf, [])
        ),
        *((value, None) for value in ("EUR 44.23", "44,23", "1,044.23", "USD", "44.23 of 50")),
        *((value, None) for value in (Decimal("NaN"), Decimal("sNaN"), {"amount": "1"})),
    ],
)
def test_a_value_of_the_wire_is_read_as_an_amount_or_as_none(value, amount):
    assert from_wire(value) == (None if amount is None else Decimal(amount))


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.decimals()),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(), inner, max_size=3)
    ),
    max_leaves=4,
)


@MANY
@example(10**5000)
@example("9" * 100_000)
@given(JSON)
def test_reading_an_amount_never_raises_whatever_the_wire_holds(value):
    amount = from_wire(value)
    assert amount is None or amount.is_finite()


LONGEST = 10**30 - 1
CURRENCIES = st.sampled_from(["USD", "EUR", "JPY", "KWD", "CLF", "XCG"])


@pytest.mark.parametrize(
    ("money", "amount", "text"),
    [
        (Money(4423, "USD"), Decimal("44.23"), "44.23 USD"),
        (Money(4423, "JPY"), Decimal(4423), "4423 JPY"),
        (Money(4423, "KWD"), Decimal("4.423"), "4.423 KWD"),
        (Money(44235, "CLF"), Decimal("4.4235"), "4.4235 CLF"),
        (Money(-5, "USD"), Decimal("-0.05"), "-0.05 USD"),
    ],
)
def test_minor_units_follow_the_currency(money, amount, text):
    assert (money.amount, str(money.amount), str(money)) == (
        amount,
        text.split(maxsplit=1)[0],
        text,
    )
    assert Money.of(amount, money.currency) == money


@example(LONGEST, "USD")
@example(-LONGEST, "USD")
@given(st.integers(-(10**24), 10**24), CURRENCIES)
def test_the_amount_of_money_is_read_back_as_the_same_money_in_any_decimal_context(minor, currency):
    money = Money(minor, currency)
    with localcontext(Context(prec=3)):
        assert Money.of(money.amount, currency) == money
        assert Money.of(f"{money.amount:f}", currency) == money


@pytest.mark.parametrize(
    "amount", [44.23, "44,23", "4.4E1", "44.234", " 44", "", "NaN", Decimal("Infinity"), True, None]
)
def test_money_refuses_a_value_that_is_no_amount_of_the_currency(amount):
    with pytest.raises(
        InvalidRequest, match=r"amount is .* at most 2 decimals for USD, such as '44.23'"
    ) as caught:
        Money.of(amount, "USD")
    assert caught.value.problems[0].field == "amount"


@pytest.mark.parametrize(
    ("make", "amount", "currency", "words"),
    [
        (Money.of, "44.5", "JPY", "decimals for JPY"),
        (Money.of, "1.2345", "KWD", "decimals for KWD"),
        *(
            (Money, it, "USD", "minor_units is .* must be an int of cents")
            for it in (44.0, "44", Decimal(44), True, None)
        ),
        *(
            (Money, minor, "USD", "minor_units has more than 30 digits")
            for minor in (10**30, -(10**30))
        ),
        *(
            (Money, 1, it, "currency is .* three capital letters")
            for it in ("usd", "US", "USDX", "", None, 840)
        ),
    ],
)
def test_money_refuses_wrong_minor_units_a_wrong_currency_or_too_many_decimals(
    make, amount, currency, words
):
    with pytest.raises(InvalidRequest, match=words):
        make(amount, currency)


TODAY = {"XCG": 2, "ZWG": 2, "XAD": 2, "SLE": 2, "VED": 2, "VES": 2, "EUR": 2, "UYW": 4, "ISK": 0}


@pytest.mark.parametrize(("code", "decimals"), TODAY.items())
def test_a_code_of_today_has_the_decimals_of_the_standard(code, decimals):
    assert Money.of("7", code) == Money(7 * 10**decimals, code)


GONE = {
    "HRK": ("2023-01", "EUR"),
    "BGN": ("2026-01", "EUR"),
    "ANG": ("2025-03", "XCG"),
    "ZWL": ("2024-09", "ZWG"),
    "SLL": ("2023-12", "SLE"),
    "VEF": ("2018-08", "VES"),
    "CUC": ("2021-06", "CUP"),
    "DEM": ("2002-03", "EUR"),
    "BYR": ("2017-01", "BYN"),
    "BGK": ("1990", "EUR"),
    "CSK": ("1993-03", ""),
}


@pytest.mark.parametrize(("code", "facts"), GONE.items())
def test_a_code_that_is_gone_is_refused_with_its_end_and_with_what_is_in_its_place(code, facts):
    withdrawn, successor = facts
    with pytest.raises(InvalidRequest) as raised:
        Money.of("44.23", code)
    [problem] = raised.value.problems
    assert (problem.field, problem.code) == ("currency", "gone")
    assert f"{code}, which is gone: ISO 4217 withdrew it in {withdrawn}." in problem.message
    assert ("Convert the amount" in problem.message) == bool(successor)
    assert successor in problem.message
    assert f"'{code}', own_decimals=2" in str(raised.value)


def test_the_replaced_code_of_whichever_year_leads_to_a_code_of_today():
    for code, (withdrawn, successor) in currencies.WITHDRAWN.items():
        assert code not in currencies.DECIMALS
        assert withdrawn <= currencies.PUBLISHED
        assert not successor or successor in currencies.DECIMALS


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("UDS", "UDS, which is not in ISO 4217 .list of 2026-01-01.. Correct the code"),
        ("BTC", "BTC, which is not in ISO 4217"),
        ("XAU", "XAU, which has no decimals in ISO 4217"),
        ("XXX", "XXX, which has no decimals in ISO 4217"),
    ],
)
def test_a_code_whose_decimals_nobody_knows_is_refused_and_not_guessed(code, words):
    with pytest.raises(InvalidRequest, match=words) as raised:
        Money.of("44.23", code)
    [problem] = raised.value.problems
    assert (problem.field, problem.code) == ("currency", "unknown")


@pytest.mark.parametrize(
    ("amount", "code", "decimals", "minor"),
    [
        ("250", "PTS", 0, 250),
        ("44.23", "PTS", 2, 4423),
        ("0.000000000000000001", "ETH", 18, 1),
        ("44.23", "HRK", 2, 4423),
        ("1.5", "XAU", 4, 15000),
        ("44.23", "USD", 2, 4423),
    ],
)
def test_a_code_of_the_callers_own_has_the_decimals_that_he_says(amount, code, decimals, minor):
    money = Money.of(amount, code, own_decimals=decimals)
    assert (money.minor_units, money.decimals, money.amount) == (minor, decimals, Decimal(amount))
    assert money == Money(minor, code, own_decimals=decimals)
    assert Decimal(str(money).split()[0]) == Decimal(amount)


def test_an_amount_that_comes_back_without_its_decimals_equals_the_one_that_was_sent():
    assert Money.of("250", "PTS", own_decimals=0) == Money(250, "PTS")


@pytest.mark.parametrize("decimals", [-1, 19, True, "2", 2.0])
def test_decimals_that_no_code_can_have_are_refused(decimals):
    with pytest.raises(InvalidRequest, match=r"own_decimals is .* a whole number from 0 to 18"):
        Money.of("44", "PTS", own_decimals=decimals)


def test_own_decimals_that_contradict_the_standard_are_refused():
    with pytest.raises(InvalidRequest, match=r"own_decimals is 2, and JPY has 0 decimals .*leave"):
        Money.of("44.23", "JPY", own_decimals=2)


@pytest.mark.parametrize("again", [copy, deepcopy, lambda it: pickle.loads(pickle.dumps(it))])
@pytest.mark.parametrize(
    "money", [Money(4423, "HRK"), Money(4423, "UDS"), Money(250, "PTS", own_decimals=0)], ids=str
)
def test_an_amount_of_the_past_stays_readable(money, again):
    assert again(money) == money
    assert str(again(money)) == str(money)
    assert again(money).decimals == money.decimals


@pytest.mark.parametrize("code", ["HRK", "UDS", "XAU"])
def test_a_stored_amount_in_major_units_is_read_with_whichever_code(code):
    assert Money.recorded("44.23", code) == Money(4423, code)
    with pytest.raises(InvalidRequest, match=f"at most 2 decimals for {code}"):
        Money.recorded("44.234", code)
