"""Values that a document allows: what a test sends where nobody has written a value for it."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

from victor_ext import Word

DAY = date(2026, 3, 4)
MOMENT = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
TEXTS = {
    "date-time": "2026-03-04T05:06:07Z",
    "date": "2026-03-04",
    "uuid": "5b0c7a5e-3d1f-4f0a-9a43-0f9d2f1c8e77",
    "uri": "https://example.com/",
    "email": "ada@example.com",
}
"""By format. Those of a URL and an address may be longer."""
_USUAL = 11
"""The characters of a text that has a pattern, if the pattern lets it have so many."""
_LONGEST = 64
"""The most characters of a text whose length is free."""


def text_of_length(schema, length):
    """A text of so many characters with the pattern and the format of a schema; None: there is
    none.
    """
    if "pattern" in schema:
        return matching(schema["pattern"], length)
    text = TEXTS.get(schema.get("format", ""))
    if text is None:
        return "1" * length
    if schema["format"] == "email":
        text = text.rjust(length, "a")
    if schema["format"] == "uri":
        text = text.ljust(length, "a")
    return text if len(text) == length else None


def text_within(schema, usual):
    """A text that a schema allows: the usual one, if its limits let it be."""
    least, most = schema.get("minLength", 0), schema.get("maxLength", _LONGEST)
    if "pattern" in schema:
        shortest = max(least, 1)
        lengths = sorted(
            range(shortest, max(shortest, min(most, _LONGEST)) + 1),
            key=lambda length: abs(length - _USUAL),
        )
        fitting = (matching(schema["pattern"], length) for length in lengths)
        return next((text for text in fitting if text is not None), usual)
    text = TEXTS.get(schema.get("format", ""), usual)
    return text if "format" in schema else text[: schema.get("maxLength")].ljust(least, "1")


def matching(pattern, length):
    """A text of so many equal characters that a pattern matches; None: none does."""
    texts = (letter * length for letter in "1Aa")
    return next((text for text in texts if re.search(pattern, text)), None)


def argument_for(value, annotation):
    """What an argument of a type takes for a value of the wire."""
    if isinstance(value, list):
        return [argument_for(item, annotation) for item in value]
    if not isinstance(value, str):
        return value
    times = {"datetime": MOMENT, "date": DAY, "Word": Word(value)}
    return next((given for kind, given in times.items() if kind in annotation), value)
