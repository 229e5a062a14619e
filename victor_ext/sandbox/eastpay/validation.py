"""The checks of a form, from the vendor's table of parameters."""

from __future__ import annotations

import re
from collections.abc import Mapping

_PATTERNS = {
    "entityId": r"[A-Z0-9]{8}",
    "entityType": r"MERCHANT|POS|PARTICIPATOR",
    "amount": r"[0-9]{1,10}\.[0-9]{2}",
    "currency": r"[A-Z]{3}",
    "paymentBrand": r".{1,32}",
    "notificationUrl": r"[\s\S]{6,2048}",
    "shopperResultUrl": r"[\s\S]{6,2048}",
    "card.holder": r".{1,128}",
    "card.number": r"[0-9]{8,19}",
    "card.expiryMonth": r"0[1-9]|1[0-2]",
    "card.expiryYear": r"(19|20)[0-9]{2}",
    "card.cvv": r"[0-9]{3,4}",
    "card.token": r".{1,64}",
}
_CARD = ("card.number", "card.expiryMonth", "card.expiryYear")


def parameter_errors(form: Mapping[str, str], required: tuple[str, ...]) -> list[dict[str, str]]:
    """Every parameter that is missing or does not match its pattern. Values are never repeated."""
    errors = [
        {"name": name, "message": "is required"} for name in (*required, "entityId", "entityType") if not form.get(name)
    ]
    errors += [
        {"name": name, "message": "is not of the documented form"}
        for name, pattern in _PATTERNS.items()
        if form.get(name) and re.fullmatch(pattern, form[name]) is None
    ]
    if form.get("card.number") and not form.get("card.token"):
        errors += [{"name": name, "message": "is required with a card"} for name in _CARD if not form.get(name)]
    return errors


def hundredths(form: Mapping[str, str]) -> int:
    """The amount of a checked form, in hundredths; 0 without an amount."""
    return int(form["amount"].replace(".", "")) if form.get("amount") else 0
