"""CSV output: what a spreadsheet would run as a formula is escaped."""

from __future__ import annotations

import csv
import re
from typing import Any, TextIO

# Spreadsheets run a cell as a formula if it begins with one of these characters, even after blanks or in quotes. A
# single quote prevents this. See https://owasp.org/www-community/attacks/CSV_Injection.
_SIGNS = "=+\\-@\N{FULLWIDTH EQUALS SIGN}\N{FULLWIDTH PLUS SIGN}\N{FULLWIDTH HYPHEN-MINUS}\N{FULLWIDTH COMMERCIAL AT}"
_BLANK = "\\s\0-\x1f\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff"
"""Invisible characters: spaces, control characters and zero-width marks."""
_BEGINS = re.compile(rf"[{_BLANK}]*[{_SIGNS}]|[\t\r\n\0]")
_BREAKS = re.compile(r"[;\t\r\n]")
_WITHIN = re.compile(rf"([;\t\r\n][{_BLANK}\"]*)(?=[{_SIGNS}])")
"""Start of a cell in a spreadsheet that uses another delimiter and so ignores the quotes."""
_QUOTED = re.compile(rf"([;\t\r\n][{_BLANK}\"]*)'(?=[{_SIGNS}])")


def csv_writer(file: TextIO) -> Any:
    """Return a writer of `csv` that ends lines with LF."""
    return csv.writer(_Lines(file))


class _Lines:
    """Replaces CRLF with LF. The writer itself must use CRLF, or it leaves a single CR unquoted."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def write(self, line: str) -> int:
        return self._file.write(line.removesuffix("\r\n") + "\n")


def escape_formulas(text: str) -> str:
    """Put a single quote before text that a spreadsheet would run as a formula. Idempotent."""
    if _BREAKS.search(text):
        text = _WITHIN.sub(r"\1'", text)
    return f"'{text}" if _BEGINS.match(text) else text


def unescape_formulas(text: str) -> str:
    """Undo `escape_formulas`. Text that has such a quote of its own loses it."""
    plain = _QUOTED.sub(r"\1", text)
    return next((cell for cell in (plain.removeprefix("'"), plain) if escape_formulas(cell) == text), text)
