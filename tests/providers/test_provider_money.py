"""`Money`: exact in both directions, and never a guess."""

from __future__ import annotations

from decimal import Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from victor_ext import InvalidRequest
from victor_ext.providers import Money

CURRENCIES = st.sampled_from(["USD", "EUR", "JPY", "KWD", "CLF", "XYZ"])


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
def test_minor_units_follow_the_currency(money: Money, amount: Decimal, text: str) -> None:
    assert (money.amount, str(money.amount), str(money)) == (amount, text.split(maxsplit=1)[0], text)
    assert Money.of(amount, money.currency) == money


@given(st.integers(-(10**24), 10**24), CURRENCIES)
def test_there_and_back_is_the_same(minor: int, currency: str) -> None:
    money = Money(minor, currency)
    with localcontext() as context:
        context.prec = 3
        assert Money.of(money.amount, currency) == money
        assert Money.of(f"{money.amount:f}", currency) == money


@pytest.mark.parametrize(
    "amount", [44.23, "44,23", "4.4E1", "44.234", " 44", "", "NaN", Decimal("Infinity"), True, None]
)
def test_what_is_no_amount_is_refused(amount: object) -> None:
    with pytest.raises(InvalidRequest, match=r"amount is .* at most 2 decimals for USD, such as '44.23'") as caught:
        Money.of(amount, "USD")  # type: ignore[arg-type] # on purpose
    assert caught.value.problems[0].field == "amount"


@pytest.mark.parametrize(("amount", "currency"), [("44.5", "JPY"), ("1.2345", "KWD")])
def test_a_currency_has_only_so_many_decimals(amount: str, currency: str) -> None:
    with pytest.raises(InvalidRequest, match=f"decimals for {currency}"):
        Money.of(amount, currency)


@pytest.mark.parametrize("minor", [44.0, "44", Decimal(44), True, None])
def test_minor_units_are_an_int(minor: object) -> None:
    with pytest.raises(InvalidRequest, match=r"minor_units is .* must be an int of cents"):
        Money(minor, "USD")  # type: ignore[arg-type] # on purpose


@pytest.mark.parametrize("currency", ["usd", "US", "USDX", "", None, 840])
def test_currencies_are_three_capital_letters(currency: object) -> None:
    with pytest.raises(InvalidRequest, match=r"currency is .* three capital letters"):
        Money(1, currency)  # type: ignore[arg-type] # on purpose


@pytest.mark.parametrize("sign", [1, -1])
def test_an_amount_has_thirty_digits_at_most(sign: int) -> None:
    assert Money(sign * (10**30 - 1), "USD").minor_units == sign * (10**30 - 1)
    with pytest.raises(InvalidRequest, match="minor_units has more than 30 digits"):
        Money(sign * 10**30, "USD")
