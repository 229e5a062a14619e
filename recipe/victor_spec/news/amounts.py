"""Which new members are money, and the line of settings that makes each a Decimal."""

from __future__ import annotations

import re

from victor_spec.rewrites.keys import words_of
from victor_spec.rewrites.schemas import is_amount
from victor_spec.typed.settings import why_unread

AS_DECIMAL = "as a Decimal: "
"""What stands before the line of settings: a person decides it."""
NO_AMOUNT = frozenset(
    {"id", "type", "currency", "code", "status", "reason", "name", "date", "number"}
)
"""The last words of names that have a word of money and are none: `priceId`."""
_DESCRIBED = re.compile(r"(?i)\bdecimals?\b|\bmajor units?\b")


def why_money(name: str, pattern: str = "", description: str = "") -> str:
    """What says that a text or a number is money; empty if nothing does."""
    if is_amount(name) and words_of(name)[-1] not in NO_AMOUNT:
        return "name"
    if _admits_decimals_alone(pattern):
        return "pattern"
    return "description" if _DESCRIBED.search(description) else ""


def _admits_decimals_alone(pattern: str) -> bool:
    """Whether a pattern has a decimal point, and admits no other text."""
    if "." not in pattern or why_unread(pattern):
        return False
    return re.search(pattern, "12.34") is not None and re.search(pattern, "x") is None


def decision(why: str, line: str, condition: str = "") -> str:
    """What a line of news says of a member that is money by its `why`; `condition` says for which
    amounts the line of settings is right.
    """
    return f"money by its {why}; {condition}{AS_DECIMAL}`{line}`"
