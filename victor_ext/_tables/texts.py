"""Text of references, keys, ids and cells: damage by other programs (`damage_of`), invisible
characters (`invisible_in`), what a cell stands for (`text_of_cell`), and export to spreadsheets,
which run some cells as formulas (`write_table`, `escape_formulas`).
"""

import csv
import re
from collections.abc import Iterable
from typing import TextIO

from victor_ext import Problem
from victor_ext._values.ids import HALF_CHARACTER, KEPT_AS_TEXT, unseen_in

_MONTH = "(?:jan|feb|mar|mrz|apr|may|mai|jun|jul|aug|sep|sept|oct|okt|nov|dec|dez)"
SHORT_FORM = re.compile(
    r"[0-9](?:[.,][0-9]*)?e\+[0-9]{2,}"
    rf"|{_MONTH}[- ][0-9]{{2}}"
    rf"|[0-9]{{1,2}}\.?[- ]{_MONTH}(?:[- ][0-9]{{2}})?",
    re.IGNORECASE,
)
"""What a spreadsheet makes of a long number, and of a number such as `2026-07` that it takes for a
date: `4.3988E+10`, `Jul-26`, `7-Nov`, in English and German.

It is matched strictly, for columns that may contain letters.
"""
HALF_CHARACTERS = re.compile("[\ud800-\udfff]")
_ERROR_VALUE = re.compile(
    r"\s*(?:"
    # #REF!, #BEZUG!, #NOM?, #DIV/0!, #¡VALOR!
    r"#[¡¿]?[^\W\d_]+(?:[/_](?:0|[^\W\d_]+))*[!?]"
    # Not available, in English, German, Italian, French, Dutch, Danish, Turkish and others.
    r"|#(?:N/A|NV|N/D|ND|N/B|I/T|YOK|HIÁNYZIK|NENÍ_K_DISPOZICI|SAKNAS|\u041d/\u0414)[!?]?"
    r"|#GETTING_DATA|#ERR|Err:[0-9]{3}|#{2,}"
    r")\s*"
)
"""What a spreadsheet writes into the cell of a formula that has failed, in any of its languages;
and number signs alone, where a column was too narrow."""
# Spreadsheets run a cell as a formula if it begins with one of these characters, even after blanks
# or in quotes. A single quote prevents this. See
# https://owasp.org/www-community/attacks/CSV_Injection.
_SIGNS = (
    "=+\\-@"
    "\N{FULLWIDTH EQUALS SIGN}\N{FULLWIDTH PLUS SIGN}"
    "\N{FULLWIDTH HYPHEN-MINUS}\N{FULLWIDTH COMMERCIAL AT}"
)
_BLANK = "\\s\0-\x1f\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff"
"""Invisible characters: spaces, control characters and zero-width marks."""
_FORMULA_START = re.compile(rf"[{_BLANK}]*[{_SIGNS}]|[\t\r\n\0]")
_CELL_BREAK = re.compile(r"[;\t\r\n]")
_INNER_FORMULA = re.compile(rf"([;\t\r\n][{_BLANK}\"]*)(?=[{_SIGNS}])")
"""A formula at the start of a cell, in a spreadsheet that takes another delimiter and so ignores
the quotes.
"""
_BEFORE_CELL = "\x1f"
_PLAIN_CELL = rf"(?:\w[^{_BEFORE_CELL};\t\r\n]*+)?+"
_PLAIN_ROW = re.compile(rf"(?:{_BEFORE_CELL}{_PLAIN_CELL})*+")
"""Cells that `escape_formulas` leaves as they are, as most rows have: empty ones, and those that
begin with a letter or a digit and have nothing that ends a cell.
"""
_QUOTED_INNER_FORMULA = re.compile(rf"([;\t\r\n][{_BLANK}\"]*)'(?=[{_SIGNS}])")


def damage_of(
    name: str, text: str, short_form: re.Pattern[str] | None = SHORT_FORM
) -> Problem | None:
    """Return the problem of text that another program has damaged, so that the texts of different
    payments may be equal; None: it is not damaged.
    """
    if not text.isascii() and HALF_CHARACTERS.search(text):
        return Problem(name, "characters", f"{name} {HALF_CHARACTER}.")
    if is_error_value(text):
        return Problem(
            name,
            "error_value",
            f"{name} is {text}, which a spreadsheet writes where it has no value: correct the cell "
            "there, and export it once more.",
        )
    if short_form is None or not short_form.fullmatch(text):
        return None
    return Problem(
        name,
        "shortened",
        f"{name} is in a form that a spreadsheet gives to numbers and dates (such as 4.3988E+10 "
        "and Jul-26): format the column as text, enter the numbers again and export it once more.",
    )


def is_error_value(text: str) -> bool:
    """Return whether a spreadsheet writes this text where a formula has failed, such as `#N/A`,
    `#NV` or `#REF!`.
    """
    return _ERROR_VALUE.fullmatch(text) is not None


def invisible_in(name: str, text: str) -> Problem | None:
    """Return the problem with text that begins or ends with a space, or has a character that cannot
    be seen.
    """
    wrong = unseen_in(text)
    return Problem(name, "characters", f"{name} {wrong}.") if wrong else None


def write_table(file: TextIO, rows: Iterable[Iterable[object]]) -> int:
    """Write rows as CSV, the heading first, with LF at the ends of lines. Return the number of rows
    without the heading.

    None is an empty cell. Text that a spreadsheet would run has a single quote before it.
    """
    writer = csv.writer(_LfLines(file))
    count = 0
    for count, cells in enumerate(rows):  # noqa: B007 - it is returned
        texts = ["" if cell is None else str(cell) for cell in cells]
        if not _PLAIN_ROW.fullmatch(_BEFORE_CELL + _BEFORE_CELL.join(texts)):
            texts = [escape_formulas(text) for text in texts]
        writer.writerow(texts)
    return count


class _LfLines:
    """A file for `csv.writer`, which replaces CRLF at the end of a line with LF.

    The writer itself must use CRLF, or it leaves a single CR unquoted.
    """

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def write(self, line: str) -> int:
        return self._file.write(line.removesuffix("\r\n") + "\n")


def escape_formulas(text: str) -> str:
    """Put a single quote before text that a spreadsheet would run as a formula. Idempotent."""
    if _CELL_BREAK.search(text):
        text = _INNER_FORMULA.sub(r"\1'", text)
    if _FORMULA_START.match(text):
        return f"'{text}"
    return text


def unescape_formulas(text: str) -> str:
    """Undo `escape_formulas`. A text that itself begins with such a quote loses that."""
    plain = _QUOTED_INNER_FORMULA.sub(r"\1", text)
    # The text that `escape_formulas` turns into this one: without the first quote, or with it.
    for cell in (plain.removeprefix("'"), plain):
        if escape_formulas(cell) == text:
            return cell
    return text


def text_of_cell(cell: str) -> str:
    """Return the text that a cell stands for: without the quote that an export puts before a
    formula, and without the formula `="01042"`, by which tools keep zeros.
    """
    plain = unescape_formulas(cell)
    formula = KEPT_AS_TEXT.fullmatch(plain)
    return plain if formula is None else formula[1].replace('""', '"')
