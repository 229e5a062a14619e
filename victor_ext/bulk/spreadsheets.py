"""Text in a CSV file that a spreadsheet shows, and does not run.

A spreadsheet takes a cell for a formula that begins with one of a few characters, also after blanks, however it is
quoted. A single quote before them makes it text. See https://owasp.org/www-community/attacks/CSV_Injection.
"""

from __future__ import annotations

import re

_SIGNS = "=+\\-@\N{FULLWIDTH EQUALS SIGN}\N{FULLWIDTH PLUS SIGN}\N{FULLWIDTH HYPHEN-MINUS}\N{FULLWIDTH COMMERCIAL AT}"
_BLANK = "\\s\0-\x1f\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff"
"""What is not seen before a sign: spaces of all kinds, control characters, marks without a width."""
_BEGINS = re.compile(rf"[{_BLANK}]*[{_SIGNS}]|[\t\r\n\0]")
_BREAKS = re.compile(r"[;\t\r\n]")
_WITHIN = re.compile(rf"([;\t\r\n][{_BLANK}\"]*)(?=[{_SIGNS}])")
"""Where a cell begins for a spreadsheet that goes by another delimiter, and so not by the quotes around the text."""


def harmless(text: str) -> str:
    """The text with a single quote wherever a spreadsheet would begin to run it. Applied twice, it adds nothing."""
    if _BREAKS.search(text):
        text = _WITHIN.sub(r"\1'", text)
    return f"'{text}" if _BEGINS.match(text) else text
