"""`Money`: an amount of a currency, exact, which each call spells in the unit that its provider wants.

One provider counts cents, another writes dollars, a third does both in two calls of one API. A program that holds
`Money` cannot mix them up: it says what it means, and the call converts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Context, Decimal
from typing import Any, Self

from victor_ext.runtime.errors import InvalidRequest, Problem
from victor_ext.runtime.findings import shown

__all__ = ["Money"]

# ISO 4217, table A.1: the currencies whose minor unit is not a hundredth.
_DECIMALS = {
    **dict.fromkeys(
        ("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF",
         "XOF", "XPF"),
        0,
    ),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
    **dict.fromkeys(("CLF", "UYW"), 4),
}  # fmt: skip
_CURRENCY = re.compile("[A-Z]{3}")
_PLAIN = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")
# Arithmetic of our own, so that the precision and the traps of the caller's context change no amount.
_EXACT = Context(prec=60, traps=[])
_MOST_DIGITS = 30


@dataclass(frozen=True, slots=True)
class Money:
    """An amount of a currency in its minor unit: `Money(4423, "USD")` is 44.23 dollars, `Money(4423, "JPY")` 4,423 yen.

    Attributes:
        minor_units: The amount in cents, or whatever the currency's smallest unit is (ISO 4217).
        currency: Three capital letters (ISO 4217).

    Raises:
        InvalidRequest: The amount is no int, or the currency not three letters. A float is never taken.
    """

    minor_units: int
    currency: str

    def __post_init__(self) -> None:
        minor: object = self.minor_units
        problems: list[Problem] = []
        if isinstance(minor, bool) or not isinstance(minor, int):
            message = (
                f"minor_units is {_shown(minor)} and must be an int of cents (or the like): "
                "write Money(4423, 'USD'), or Money.of('44.23', 'USD') for major units."
            )
            problems.append(Problem("minor_units", "type", message))
        elif abs(minor) >= 10**_MOST_DIGITS:
            problems.append(Problem("minor_units", "range", f"minor_units has more than {_MOST_DIGITS} digits."))
        problem = _currency_problem(self.currency)
        if problem is not None:
            problems.append(problem)
        if problems:
            raise InvalidRequest.of(problems)

    @classmethod
    def of(cls, amount: Decimal | str | int, currency: str) -> Self:
        """Money from major units: `Money.of("44.23", "USD")`. Nothing is rounded.

        Raises:
            InvalidRequest: A float, text that is no plain number, or more decimals than the currency has.
        """
        problem = _currency_problem(currency)
        if problem is not None:
            raise InvalidRequest.of([problem])
        places = _DECIMALS.get(currency, 2)
        exact = _decimal(amount)
        minor = None if exact is None else exact.scaleb(places, _EXACT)
        if minor is None or minor != minor.to_integral_value():
            message = (
                f"amount is {_shown(amount)} and must be Decimal, text or int with at most {places} decimals for "
                f"{currency}, such as {_example(places)!r}; never a float."
            )
            raise InvalidRequest.of([Problem("amount", "invalid", message)])
        return cls(int(minor), currency)

    @property
    def decimals(self) -> int:
        """How many decimals the currency has (ISO 4217; 2 for a currency that is not known here)."""
        return _DECIMALS.get(self.currency, 2)

    @property
    def amount(self) -> Decimal:
        """The amount in major units, with as many decimals as the currency has."""
        return Decimal(self.minor_units).scaleb(-self.decimals, _EXACT)

    def __str__(self) -> str:
        return f"{self.amount:f} {self.currency}"


def _currency_problem(currency: object) -> Problem | None:
    if isinstance(currency, str) and _CURRENCY.fullmatch(currency):
        return None
    message = f"currency is {_shown(currency)} and must be three capital letters (ISO 4217), such as 'USD'."
    return Problem("currency", "invalid", message)


def _decimal(amount: object) -> Decimal | None:
    """The exact number that was meant, or None."""
    if isinstance(amount, bool):
        return None
    if isinstance(amount, int):
        return Decimal(amount) if abs(amount) < 10**_MOST_DIGITS else None
    if isinstance(amount, str):
        plain = amount.isascii() and len(amount) <= _MOST_DIGITS and _PLAIN.fullmatch(amount)
        return Decimal(amount) if plain else None
    if isinstance(amount, Decimal) and amount.is_finite():
        sign, digits, exponent = amount.as_tuple()
        del sign
        return amount if len(digits) + abs(int(exponent)) <= 2 * _MOST_DIGITS else None
    return None


def _example(places: int) -> str:
    return "44" if places == 0 else f"44.{'23' + '0' * places}"[: 3 + places]


def _shown(value: Any) -> str:
    if isinstance(value, int) and abs(value) >= 10**_MOST_DIGITS:
        return "a very large number"
    if not isinstance(value, str | Decimal):
        return shown(value)
    text = str(value)
    return repr(text if len(text) <= 40 else text[:37] + "...")
