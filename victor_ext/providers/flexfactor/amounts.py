"""`Money` to the wire and its checks. One API counts cents in three calls and writes dollars in a fourth."""

from __future__ import annotations

from victor_ext.errors import Problem
from victor_ext.money import Money

_MOST_CENTS = 10**15
"""An amount of up to fifteen digits has its own digits when it is written as a JSON number (IEEE 754, binary64)."""


def amount_problem(field: str, amount: object, *, zero: bool = False) -> Problem | None:
    """What is wrong with an amount, or None."""
    if not isinstance(amount, Money):
        message = (
            f"{field} must be Money, not {type(amount).__name__}: write Money.of('44.23', 'USD'), or "
            "Money(4423, 'USD') in cents."
        )
        return Problem(field, "type", message)
    if amount.decimals != 2:
        message = (
            f"{field} is in {amount.currency}, which has {amount.decimals} decimals: FlexFactor counts hundredths, and "
            "how it would count these is not documented."
        )
        return Problem(field, "currency", message)
    if amount.minor_units < 0 or (amount.minor_units == 0 and not zero):
        return Problem(field, "range", f"{field} is {amount} and must be above zero.")
    if amount.minor_units >= _MOST_CENTS:
        return Problem(field, "range", f"{field} must have at most fifteen digits.")
    return None


def refund_problem(field: str, amount: object) -> Problem | None:
    """What is wrong with an amount to be given back, or None."""
    problem = amount_problem(field, amount)
    if problem is None and isinstance(amount, Money) and amount.currency != "USD":
        message = (
            f"{field} is in {amount.currency}: a refund names no currency, and FlexFactor documents its amount as "
            f"dollars, so {amount} could be given back as that many dollars. Refund what is not in USD in its portal."
        )
        return Problem(field, "currency", message)
    return problem


def cents(amount: Money) -> int:
    """For `transmit`, `evaluate` and `capture`."""
    return amount.minor_units


def dollars(amount: Money) -> float:
    """For `refund`, which takes a JSON number of dollars.

    The one place where an amount becomes a float, and only to be written: with at most fifteen digits, the shortest
    text of the float is the amount's own digits.
    """
    return float(amount.amount)
