"""The records of a CSV file, as people and spreadsheets write it.

`csv_records` reads the delimiter, the heading and the rows. A stray quote can merge rows: these are
found (`_Row.is_merged`), and reported one by one.
"""

import csv
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from victor_ext import Problem
from victor_ext.ids import in_one_form
from victor_ext.privacy import Secret, hidden_fields

from .row_file import Heading, HeadingCheck, Record, RowFile, SourceBroken, repeated_in

_DELIMITERS = (",", ";", "\t")
_SEPARATOR = re.compile(r"[\"']?sep=([,;\t])[\"']?\s*", re.IGNORECASE)
"""A first line that tells a spreadsheet the delimiter."""
_LONGEST_HEADING = 100_000
"""The maximum number of characters of a heading by which its delimiter is chosen."""
_STRAY_QUOTE = Problem(
    "",
    "quote",
    "a quote here makes one row of several lines, each of which is a row: take the quote out, or "
    'write it twice ("") within a quoted value.',
)


def csv_records(
    lines: Iterator[str], file: RowFile, known: Collection[str], check: HeadingCheck
) -> Iterator[Record]:
    """Yield the records of a file with a heading. Raises `SourceBroken`.

    `known` are names of columns that a heading may have.
    """
    first = next(lines, "")
    first_line = 1
    named_delimiter = _SEPARATOR.fullmatch(first)
    if named_delimiter is None:
        own_names = (name for name in file.columns.values() if name is not None)
        delimiter = _delimiter_of(first, {*known, *own_names})
    else:
        delimiter = named_delimiter[1]
        first = next(lines, "")
        first_line = 2
    number = 0
    heading: Heading | None = None
    for row in _rows(chain([first], lines), first_line, delimiter):
        if row.is_empty:
            continue
        if heading is None:
            heading = _heading_of(row, file)
            check(heading, row.line)
            continue
        if not row.is_merged(delimiter, len(heading.own)):
            number += 1
            yield _record(number, row, heading)
            continue
        for line, text in enumerate(row.written, start=row.line):
            if text.strip():
                number += 1
                fields = _fields(heading, text.rstrip("\r\n").split(delimiter))
                yield Record(number, line, fields, (_STRAY_QUOTE,))
    if heading is None:
        raise SourceBroken(1, None, "empty", "the file is empty: it needs a heading and rows.")


@dataclass(frozen=True, slots=True)
class _Row:
    """A row of the file: the number of the line where it begins, its cells, and its lines."""

    line: int
    cells: list[str] = field(repr=False)
    written: list[str] = field(repr=False)

    @property
    def is_empty(self) -> bool:
        return not any(map(str.strip, self.cells))

    def is_merged(self, delimiter: str, columns: int) -> bool:
        """Whether the lines of this row are rows by themselves: a quote that belongs to a text has
        been read as the beginning of a quoted value.

        A quoted value may have line breaks, and even delimiters. Its lines are taken for rows if
        two of them have as many columns as the heading: then the value holds a whole row.
        """
        if len(self.written) == 1:
            return False
        delimiters = columns - 1
        whole_rows = 0
        for text in self.written:
            # Empty fields beyond the heading are no columns.
            shortest = text.rstrip(f"\r\n{delimiter}").count(delimiter)
            if shortest <= delimiters <= text.count(delimiter):
                whole_rows += 1
        return whole_rows > 1


def _rows(lines: Iterator[str], first_line: int, delimiter: str) -> Iterator[_Row]:
    """Yield the rows in lines, of which the first has the number `first_line`. Raises
    `SourceBroken`.
    """
    written: list[str] = []  # the lines of the row that is read

    def noted_lines() -> Iterator[str]:
        for text in lines:
            written.append(text)
            yield text

    reader = csv.reader(noted_lines(), delimiter=delimiter, strict=True)
    while True:
        line = first_line + reader.line_num
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise _unreadable_row(line, error) from None
        if cells is None:
            return
        yield _Row(line, cells, written.copy())
        written.clear()


def _delimiter_of(first: str, names: Collection[str]) -> str:
    """Return the delimiter that splits the heading into the most known names; among equals, since
    headings may be in any language, into the most columns. The heading is assumed to be one line.
    """

    # Secret, since a file without a heading begins with a row.
    heading = Secret(in_one_form(first).partition("\r")[0][:_LONGEST_HEADING])

    def names_and_columns(delimiter: str) -> tuple[int, int]:
        """The number of known names, and of all columns."""
        cells = next(csv.reader([heading or "\n"], delimiter=delimiter))
        known = [cell for cell in cells if cell.strip() in names]
        return len(known), len(cells)

    return max(_DELIMITERS, key=names_and_columns)


def _unreadable_row(line: int, error: csv.Error) -> SourceBroken:
    """Return the error of a row that `csv` cannot read."""
    # The reading stops here: an unclosed quote would merge the following rows.
    message = (
        f"not a CSV row ({error}): look for a quote in this line that belongs to a text, and "
        "take it out or write it twice. The lines after this one were not read."
    )
    if "new-line character" in str(error):
        message = (
            "a carriage return outside of quotes: save the file with the line ends of "
            "Windows or of Unix."
        )
    return SourceBroken(line, None, "format", message)


def _heading_of(row: _Row, file: RowFile) -> Heading:
    """Return the heading of the file. Raises `SourceBroken`: names are repeated, or lacking."""
    names = [
        in_one_form(cell).strip() or f"column_{place}"
        for place, cell in enumerate(row.cells, start=1)
    ]
    repeated = repeated_in(names)
    if repeated:
        message = f"the heading names {', '.join(repeated)} more than once."
        raise SourceBroken(row.line, repeated[0], "repeated", message)
    heading = Heading.of(names, file.columns)
    heading.check_named(file.columns, row.line)
    return heading


def _record(number: int, row: _Row, heading: Heading) -> Record:
    """Return the record of a row, with a problem if the row has not as many cells as the heading.

    Further cells may be empty.
    """
    fields = _fields(heading, row.cells)
    count = len(row.cells)
    columns = len(heading.own)
    if count < columns or any(row.cells[columns:]):
        message = f"the heading has {columns} columns, and the row {count}: they may have shifted."
        return Record(number, row.line, fields, (Problem("", "fields", message),))
    return Record(number, row.line, fields)


def _fields(heading: Heading, cells: list[str]) -> dict[str, Any]:
    """Return the cells of a row by our names of columns, those that the row has."""
    count = len(cells)
    return hidden_fields(
        (name, cells[place]) for name, place in heading.places.items() if place < count
    )
