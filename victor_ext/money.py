"""Amounts: exact decimals to and from the wire. Nothing is ever rounded.

On the wire an amount is text, `"44.23"` (the document's pattern `\\d+(\\.\\d{1,2})?`, meant as a full match
on ASCII digits). No currency is named there; the networks carry US dollars.
"""

from __future__ import annotations

import re
from decimal import Context, Decimal

from .runtime.errors import InvalidRequest, Problem

__all__ = ["from_wire", "to_decimal", "to_wire"]

Amount = Decimal | str | int

_WIRE = re.compile(r"[0-9]+(?:\.[0-9]{1,2})?")
# What is read is not what may be sent: a provider that writes 44.2300 says an amount, and one that is not hidden.
_READ = re.compile(r"[0-9]+(?:\.[0-9]+)?")
_CENT = Decimal("0.01")
# Arithmetic of our own, so that the precision and the traps of the caller's context change no amount.
_EXACT = Context(prec=40, traps=[])
_MAX_WHOLE_DIGITS = 15
"""No payment network carries more than this many digits of dollars; the provider's own limit is unknown."""


def to_decimal(amount: Amount, *, field: str = "amount") -> Decimal:
    """An amount as an exact decimal above zero, with at most two decimals.

    Raises:
        InvalidRequest: A float, a text that is not an amount, more than two decimals, zero or less.
    """
    result = read(amount, field)
    if isinstance(result, Problem):
        raise InvalidRequest.of([result])
    return result


def to_wire(amount: Amount, *, field: str = "amount") -> str:
    """An amount as the wire has it. Raises as `to_decimal` does."""
    return spell(to_decimal(amount, field=field))


def spell(amount: Decimal) -> str:
    """A checked amount as plain digits, without an exponent."""
    return f"{amount:f}"


def from_wire(value: object) -> Decimal | None:
    """An amount that the provider sent, or None when there is none or it cannot be read as one.

    The wire has text; a number is read too, by its shortest spelling, since providers slip. Decimals beyond the
    second are kept as they came.
    """
    if isinstance(value, str):
        return Decimal(value) if _READ.fullmatch(value) else None
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    try:
        amount = Decimal(repr(value) if isinstance(value, float) else value)
    except ValueError:
        return None
    return amount if amount.is_finite() else None


def read(amount: object, field: str) -> Decimal | Problem:
    """The amount, or what is wrong with it."""
    if isinstance(amount, float):
        return Problem(
            field,
            "float",
            f"{field} is a float, which cannot hold cents exactly: write Decimal('44.23') or '44.23'.",
        )
    if isinstance(amount, bool) or not isinstance(amount, Decimal | str | int):
        return Problem(
            field,
            "type",
            f"{field} must be Decimal, str or int, not {type(amount).__name__}: write Decimal('44.23').",
        )
    value = _from_text(amount, field) if isinstance(amount, str) else _from_number(amount, field)
    if isinstance(value, Problem):
        return value
    if value.adjusted() >= _MAX_WHOLE_DIGITS:
        return Problem(field, "range", f"{field} has more than {_MAX_WHOLE_DIGITS} digits before the point.")
    if value <= 0:
        return Problem(field, "range", f"{field} is {_shown(str(value))} and must be above zero.")
    return _with_at_most_two_decimals(value, field)


def _from_text(text: str, field: str) -> Decimal | Problem:
    if _WIRE.fullmatch(text):
        return Decimal(text)
    shown = repr(_shown(text))
    if re.fullmatch(r"-[0-9.]+", text):
        return Problem(field, "range", f"{field} is {shown} and must be above zero.")
    if re.fullmatch(r"[0-9]+\.[0-9]{3,}", text):
        return Problem(
            field, "decimals", f"{field} is {shown}: write at most two decimals; nothing is rounded for you."
        )
    return Problem(
        field, "format", f"{field} is {shown}: write ASCII digits with at most two decimals, such as '44.23'."
    )


def _from_number(number: Decimal | int, field: str) -> Decimal | Problem:
    value = Decimal(number)
    if not value.is_finite():
        return Problem(field, "range", f"{field} is {value} and must be a number above zero.")
    return value


def _with_at_most_two_decimals(value: Decimal, field: str) -> Decimal | Problem:
    exponent = value.as_tuple().exponent
    assert isinstance(exponent, int)  # noqa: S101 - it is finite
    if exponent > 0:
        return value.quantize(Decimal(1), context=_EXACT)
    if exponent >= -2:
        return value
    cents = value.quantize(_CENT, context=_EXACT) if value.adjusted() >= -2 else Decimal(0)
    if cents != value:
        shown = _shown(str(value))
        return Problem(
            field, "decimals", f"{field} is {shown}: write at most two decimals; nothing is rounded for you."
        )
    return cents


def _shown(text: str) -> str:
    return text if len(text) <= 30 else text[:30] + "..."
