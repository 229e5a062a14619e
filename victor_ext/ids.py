"""When two ids are one: the rule for all payment systems, files and databases."""

from __future__ import annotations

import re

_UUID = re.compile(r"[0-9A-F]{8}(?:-[0-9A-F]{4}){3}-[0-9A-F]{12}", re.IGNORECASE)
_BLANKS = " \t\n\v\f\r"


def trimmed(text: str | None) -> str | None:
    """Return the text without ASCII blanks around it, or None if nothing is left."""
    return (text or "").strip(_BLANKS) or None


def canonical_id(text: str | None) -> str | None:
    """Return an id so that equal text is the same id: a UUID has no letter case, and any other id is exact."""
    exact = trimmed(text)
    return exact.lower() if exact is not None and _UUID.fullmatch(exact) else exact


def is_same_id(one: str | None, other: str | None) -> bool:
    """Return whether two ids are one."""
    return canonical_id(one) == canonical_id(other)
