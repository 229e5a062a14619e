"""Exact amounts of money: never rounded, and no floats. `Money` is an amount with a currency.

`to_decimal`, `to_wire` and `from_wire` convert Victor's amounts: US dollars as text, such as
`"44.23"` (pattern `\\d+(\\.\\d{1,2})?` of the OpenAPI document).
"""

import re
from dataclasses import dataclass, field, replace
from decimal import Context, Decimal
from typing import Self

from ._runtime.core import currencies
from ._runtime.core.json_values import decimal_of
from ._runtime.core.validation import shown
from .errors import InvalidRequest, Problem

__all__ = ["Money", "from_wire", "to_decimal", "to_wire"]

Amount = Decimal | str | int

_WIRE = re.compile(r"[0-9]+(?:\.[0-9]{1,2})?")
_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")
_USUAL = re.compile(r"[1-9][0-9]{0,14}(?:\.[0-9]{1,2})?")
"""Amounts with no problem: above zero, and at most `_MAX_WHOLE_DIGITS` before the point."""
# More lenient than `_WIRE`: a provider may send 44.2300, or name the currency.
_READ = re.compile(r"(?:(\$|[A-Z]{3}) ?)?([0-9]+(?:\.[0-9]+)?)(?: ?([A-Z]{3}))?", re.IGNORECASE)
_CENT = Decimal("0.01")
# Independent of the precision and the traps of the caller's decimal context.
_EXACT = Context(prec=60, traps=[])
_UNKNOWN_DECIMALS = 2
"""What an amount is read with whose code has no decimals in ISO 4217 today."""
_MOST_DECIMALS = 18
_MOST_DIGITS = 30
_MAX_WHOLE_DIGITS = 15  # of dollars; the provider documents no limit
_MAX_BITS = (10**_MAX_WHOLE_DIGITS).bit_length()


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in minor units: `Money(4423, "USD")` is 44.23 dollars, `Money(4423, "JPY")` is
    4,423 yen.

    An amount may have any code, because what was asked or paid once must stay readable. But only
    an amount can be sent whose code has decimals in ISO 4217 today, by the lists of 2026-01-01, or
    that has `own_decimals`.

    Attributes:
        minor_units: The amount in the currency's smallest unit (ISO 4217), such as cents; at most
            30 digits.
        currency: Three capital letters (ISO 4217).
        own_decimals: The decimals of a code of your own, such as a loyalty point or an exchange's
            token: 0 to 18. None: the code is one of ISO 4217. It does not count when two amounts
            are compared.

    Raises:
        InvalidRequest: The amount is not an int of up to 30 digits, the currency is not three
            capital letters, or `own_decimals` is no such number, or not that of ISO 4217.
    """

    minor_units: int
    currency: str
    own_decimals: int | None = field(default=None, compare=False, repr=False, kw_only=True)

    def __post_init__(self) -> None:
        minor: object = self.minor_units
        problems: list[Problem] = []
        if isinstance(minor, bool) or not isinstance(minor, int):
            message = (
                f"minor_units is {shown(minor)} and must be an int of cents (or the like): "
                "write Money(4423, 'USD'), or Money.of('44.23', 'USD') for major units."
            )
            problems.append(Problem("minor_units", "type", message))
        elif abs(minor) >= 10**_MOST_DIGITS:
            problems.append(
                Problem("minor_units", "range", f"minor_units has more than {_MOST_DIGITS} digits.")
            )
        code: object = self.currency
        if not isinstance(code, str) or not re.fullmatch("[A-Z]{3}", code):
            message = (
                f"currency is {shown(code)} and must be three capital letters (ISO 4217), such "
                "as 'USD'."
            )
            problems.append(Problem("currency", "invalid", message))
        elif self.own_decimals is not None:
            problems += _own_decimals_problems(self.own_decimals, code)
        if problems:
            raise InvalidRequest.of(problems)

    @classmethod
    def of(
        cls, amount: Decimal | str | int, currency: str, *, own_decimals: int | None = None
    ) -> Self:
        """Create an amount from major units, such as `Money.of("44.23", "USD")`.

        Args:
            amount: A plain number in major units, never a float.
            currency: A code of ISO 4217 as it is today, or your own.
            own_decimals: The decimals of your own code, 0 to 18, such as
                `Money.of("250", "PTS", own_decimals=0)`. None: the decimals are those of ISO 4217.

        Raises:
            InvalidRequest: The amount is a float, is not a plain number, or has more decimals than
                the currency; or the currency is not three capital letters, is gone, or is unknown.
        """
        unit = cls(0, currency, own_decimals=own_decimals)
        if problem := currencies.code_problem("currency", currency, own_decimals):
            raise InvalidRequest.of([problem])
        return replace(unit, minor_units=_minor_units(amount, unit))

    @classmethod
    def recorded(cls, amount: Decimal | str | int, currency: str) -> Self:
        """Read an amount in major units that was asked or paid before, such as
        `Money.recorded("44.23", "HRK")`: also one whose code is gone or unknown.

        Raises:
            InvalidRequest: As of `of`, but for the code.
        """
        unit = cls(0, currency)
        return replace(unit, minor_units=_minor_units(amount, unit))

    @property
    def decimals(self) -> int:
        """The number of decimals of the currency: your own, or those of ISO 4217 today; 2 for a
        code that has none there.
        """
        if self.own_decimals is not None:
            return self.own_decimals
        return currencies.DECIMALS.get(self.currency, _UNKNOWN_DECIMALS)

    @property
    def amount(self) -> Decimal:
        """The amount in major units, with the decimals of the currency."""
        return Decimal(self.minor_units).scaleb(-self.decimals, _EXACT)

    def __str__(self) -> str:
        return f"{self.amount:f} {self.currency}"


def _own_decimals_problems(decimals: object, code: str) -> list[Problem]:
    if type(decimals) is not int or not 0 <= decimals <= _MOST_DECIMALS:
        message = (
            f"own_decimals is {shown(decimals)} and must be a whole number from 0 to "
            f"{_MOST_DECIMALS}."
        )
        return [Problem("own_decimals", "range", message)]
    standard = currencies.DECIMALS.get(code, decimals)
    if standard != decimals:
        message = (
            f"own_decimals is {decimals}, and {code} has {standard} decimals (ISO 4217): leave it "
            "out, or give your currency another code."
        )
        return [Problem("own_decimals", "currency", message)]
    return []


def _minor_units(amount: object, unit: Money) -> int:
    """Return an amount in major units as minor units of the currency of `unit`."""
    places = unit.decimals
    exact = _decimal(amount)
    minor = None if exact is None else exact.scaleb(places, _EXACT)
    if minor is None or minor != minor.to_integral_value():
        example = f"44.{'2300'[:places]}".rstrip(".")
        # Text comes from files, too: who reads that message need not know Python.
        kind, end = (
            ("digits", ".")
            if isinstance(amount, str)
            else ("Decimal, text or int", "; never a float.")
        )
        message = (
            f"{kind} with at most {places} decimals for {unit.currency}, such as '{example}'{end}"
        )
        message = f"amount is {shown(amount)} and must be {message}"
        raise InvalidRequest.of([Problem("amount", "invalid", message)])
    return int(minor)


def _decimal(amount: object) -> Decimal | None:
    """Return the exact number, or None if the amount is invalid."""
    if isinstance(amount, bool):
        return None
    if isinstance(amount, int):
        return Decimal(amount) if abs(amount) < 10**_MOST_DIGITS else None
    if isinstance(amount, str):
        is_short = len(amount) <= _MOST_DIGITS + 2  # a sign and a point, too
        plain = is_short and amount.isascii() and _NUMBER.fullmatch(amount)
        return Decimal(amount) if plain else None
    if isinstance(amount, Decimal) and amount.is_finite():
        _, digits, exponent = amount.as_tuple()
        return amount if len(digits) + abs(int(exponent)) <= 2 * _MOST_DIGITS else None
    return None


def to_decimal(amount: Amount, *, field: str = "amount") -> Decimal:
    """Convert an amount to an exact Decimal. `field` is its name in messages.

    Raises:
        InvalidRequest: The amount is a float or not a number, is zero or less, or has more than two
            decimals or more than 15 digits before the point.
    """
    if isinstance(amount, str | Decimal) and _USUAL.fullmatch(str(amount)):
        return Decimal(amount)
    result = _read_unusual(amount, field)
    if isinstance(result, Decimal):
        return result
    raise InvalidRequest.of(result)


def to_wire(amount: Amount, *, field: str = "amount") -> str:
    """Convert an amount to text for a request. `field` and the errors are those of `to_decimal`."""
    return f"{to_decimal(amount, field=field):f}"


def from_wire(value: object, currency: str = "USD") -> Decimal | None:
    """Read an amount from a response; None if `value` is absent, no number, or names another
    currency.

    The document declares text, but JSON numbers are accepted too. All decimals are kept.
    """
    if isinstance(value, str):
        if _USUAL.fullmatch(value):  # as nearly all amounts are written
            return Decimal(value)
        said = _READ.fullmatch(value.strip())
        if said is None or said[1] is said[3] is None:
            return None if said is None else Decimal(value)
        named = {each.upper().replace("$", "USD") for each in said.group(1, 3) if each}
        return Decimal(said[2]) if named == {currency} else None
    return decimal_of(value)


def _read_unusual(amount: object, field: str) -> Decimal | list[Problem]:
    """Return the amount, or all of its problems."""
    if isinstance(amount, float):
        message = f"{field} is a float, which cannot hold cents exactly."
        return [Problem(field, "float", message, hint="write Decimal('44.23') or '44.23'")]
    if isinstance(amount, bool) or not isinstance(amount, (str, Decimal, int)):
        message = f"{field} must be a number, not {type(amount).__name__}."
        return [Problem(field, "type", message, hint="write Decimal('44.23')")]
    if isinstance(amount, str) and not _NUMBER.fullmatch(amount):
        message = (
            f"{field} is {shown(amount)}: write ASCII digits with at most two decimals, "
            "such as 44.23."
        )
        return [Problem(field, "format", message)]
    if isinstance(amount, int) and amount.bit_length() > _MAX_BITS:
        return [_too_large(field)]  # Decimal takes the square of their length for its digits
    value = Decimal(amount)
    if not value.is_finite():
        return [Problem(field, "range", f"{field} is {value} and must be a number above zero.")]
    problems: list[Problem] = []
    if value <= 0:
        problems.append(
            Problem(field, "range", f"{field} is {shown(amount)} and must be above zero.")
        )
    if value.adjusted() >= _MAX_WHOLE_DIGITS:
        problems.append(_too_large(field))
    exponent = value.as_tuple().exponent
    assert isinstance(exponent, int)
    cents = value if exponent >= -2 else value.quantize(_CENT, context=_EXACT)
    if cents != value or (
        isinstance(amount, str) and not _WIRE.fullmatch(amount.removeprefix("-"))
    ):
        message = (
            f"{field} is {shown(amount)}: write at most two decimals; nothing is rounded for you."
        )
        problems.append(Problem(field, "decimals", message))
    return problems or Decimal(f"{cents:f}")  # without an exponent


def _too_large(field: str) -> Problem:
    return Problem(
        field, "range", f"{field} has more than {_MAX_WHOLE_DIGITS} digits before the point."
    )
