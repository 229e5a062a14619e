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
_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")
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
    if isinstance(result, Decimal):
        return result
    raise InvalidRequest.of(result)


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


def read(amount: object, field: str) -> Decimal | list[Problem]:
    """The amount, or all that is wrong with it."""
    if isinstance(amount, float):
        message = f"{field} is a float, which cannot hold cents exactly: write Decimal('44.23') or '44.23'."
        return [Problem(field, "float", message)]
    if isinstance(amount, bool) or not isinstance(amount, Decimal | str | int):
        message = f"{field} must be Decimal, str or int, not {type(amount).__name__}: write Decimal('44.23')."
        return [Problem(field, "type", message)]
    if isinstance(amount, str) and not _NUMBER.fullmatch(amount):
        message = f"{field} is {_shown(amount)!r}: write ASCII digits with at most two decimals, such as '44.23'."
        return [Problem(field, "format", message)]
    value = Decimal(amount)
    if not value.is_finite():
        return [Problem(field, "range", f"{field} is {value} and must be a number above zero.")]
    shown = repr(_shown(amount)) if isinstance(amount, str) else _shown(str(value))
    problems: list[Problem] = []
    if value <= 0:
        problems.append(Problem(field, "range", f"{field} is {shown} and must be above zero."))
    if value.adjusted() >= _MAX_WHOLE_DIGITS:
        message = f"{field} has more than {_MAX_WHOLE_DIGITS} digits before the point."
        problems.append(Problem(field, "range", message))
    whole_cents = _in_cents(value)
    if whole_cents is None or (isinstance(amount, str) and not _WIRE.fullmatch(amount.removeprefix("-"))):
        message = f"{field} is {shown}: write at most two decimals; nothing is rounded for you."
        problems.append(Problem(field, "decimals", message))
    return whole_cents if whole_cents is not None and not problems else problems


def _in_cents(value: Decimal) -> Decimal | None:
    """The same amount without an exponent and with at most two decimals, or None when it has more."""
    exponent = value.as_tuple().exponent
    assert isinstance(exponent, int)  # noqa: S101 - it is finite
    if value.adjusted() >= _MAX_WHOLE_DIGITS:
        return value if exponent >= -2 else None  # too large to be written out, and refused for it
    if exponent > 0:
        return value.quantize(Decimal(1), context=_EXACT)
    if exponent >= -2:
        return value
    cents = value.quantize(_CENT, context=_EXACT) if value.adjusted() >= -2 else Decimal(0)
    return cents if cents == value else None


def _shown(text: str) -> str:
    return text if len(text) <= 30 else text[:30] + "..."
