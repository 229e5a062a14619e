"""What each API answers (`answers.json`): one payment, and pages of them, with as many items and
about as many bytes for each client.

The members are those of the API's own models, so that its client decodes typed objects. What would
be null is left out where the API has so many members that its items would be several times as long
as the others'.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

THIS = "@@@@@"
"""Stands for the number of the page, or of the one payment, with five digits."""
NEXT = "#####"
"""Stands for the number of the next page."""


def _loaded() -> dict[str, dict[str, Any]]:
    text = Path(__file__).with_suffix(".json").read_text(encoding="utf-8")
    today = datetime.now(UTC).date()
    text = text.replace("TODAY", today.isoformat())
    text = text.replace("TOMORROW", (today + timedelta(days=1)).isoformat())
    apis: dict[str, dict[str, Any]] = json.loads(text)
    return apis


ANSWERS = _loaded()
"""Of each API: the paths of `one` payment and of `many`, the parameters for the `size` of a page and
for its `cursor`, where the five `fields` and the `items` stand, the `body` of a create, and the
texts of a `payment`, of what is around a payment that was `made`, and of a `page`.
"""


def payment(name: str, number: str) -> str:
    """The payment with this number, as JSON."""
    return json.dumps(ANSWERS[name]["payment"]).replace("NUMBER", number)


def one(name: str) -> bytes:
    """The answer of one payment."""
    around = json.dumps(ANSWERS[name]["made"])
    return around.replace('"PAYMENT"', payment(name, f"{THIS}001")).encode()


def page(name: str, size: int) -> bytes:
    """A page of this many payments."""
    items = ", ".join(payment(name, f"{THIS}{number:03d}") for number in range(size))
    text = json.dumps(ANSWERS[name]["page"]).replace('"ITEMS"', f"[{items}]")
    return text.replace('"SIZE"', str(size)).replace("SIZE", str(size)).encode()
