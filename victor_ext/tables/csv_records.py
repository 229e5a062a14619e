"""Records of CSV files, as people and spreadsheets write them."""

import csv
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from itertools import chain

from victor_ext import Problem
from victor_ext.ids import in_one_form
from victor_ext.privacy import Secret, hidden_fields

from .records import HeadingCheck, Record, SourceBroken, repeated_in
from .row_file import Heading, RowFile, near_names

_DELIMITERS = (",", ";", "\t")
_SEPARATOR = re.compile(r"[\"']?sep=([,;\t])[\"']?\s*", re.IGNORECASE)
"""A first line that tells a spreadsheet the delimiter."""
_LONGEST_HEADING = 100_000
"""Characters of a heading that are looked at for its delimiter."""
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
    names = {*known, *(name for name in file.columns.values() if name is not None)}
    first, begins = next(lines, ""), 1
    delimiter = _named_delimiter(first)
    if delimiter is not None:
        first, begins = next(lines, ""), 2
    else:
        delimiter = _delimiter_of(first, names)
    number = 0
    heading: Heading | None = None
    for row in _RowReader(chain([first], lines), begins, delimiter):
        if row.is_empty:
            continue
        if heading is None:
            heading = _heading(row.cells, row.line, file)
            check(heading, row.line)
            continue
        if not row.is_merged(delimiter, len(heading.own)):
            number += 1
            yield _record(number, row, heading, file)
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
    """A row as the file has it: where it begins, its cells, and its lines."""

    line: int
    cells: list[str] = field(repr=False)
    written: list[str] = field(repr=False)

    @property
    def is_empty(self) -> bool:
        return not any(map(str.strip, self.cells))

    def is_merged(self, delimiter: str, columns: int) -> bool:
        """Whether its lines are rows of this file by themselves: a quote that belongs to a text has
        been read as the beginning of a quoted value.

        A quoted value may have line breaks, and even delimiters. It is taken for rows if two of the
        lines have as many columns as the heading: then the value holds a whole row.
        """
        if len(self.written) == 1:
            return False
        delimiters = columns - 1
        whole = 0
        for text in self.written:
            # Empty fields beyond the heading are no columns.
            shortest = text.rstrip(f"\r\n{delimiter}").count(delimiter)
            if shortest <= delimiters <= text.count(delimiter):
                whole += 1
        return whole > 1


class _RowReader(Iterator[_Row]):
    """The rows of lines that begin at a line of the file. Raises `SourceBroken`."""

    def __init__(self, lines: Iterator[str], begins: int, delimiter: str) -> None:
        self._begins = begins
        self._lines = _PhysicalLines(lines)
        self._reader = csv.reader(self._lines, delimiter=delimiter, strict=True)

    def __next__(self) -> _Row:
        line = self._begins + self._reader.line_num
        try:
            cells = next(self._reader)
        except csv.Error as error:
            raise _broken(line, error) from None
        return _Row(line, cells, self._lines.take())


class _PhysicalLines(Iterator[str]):
    """Lines of a file. Those that were read since `take` are remembered: a record may have several
    ones.
    """

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self._read: list[str] = []

    def __next__(self) -> str:
        line = next(self._lines)
        self._read.append(line)
        return line

    def take(self) -> list[str]:
        lines, self._read = self._read, []
        return lines


def _named_delimiter(first: str) -> str | None:
    """Return the delimiter that a line `sep=;` names, or None."""
    match = _SEPARATOR.fullmatch(first)
    return None if match is None else match[1]


def _delimiter_of(first: str, names: Collection[str]) -> str:
    """Return the delimiter that splits the heading, which is assumed to be one line, into the most
    known names; or else, as headings may be in any language, into the most columns.
    """

    # Secret, since a file without a heading begins with a row.
    heading = Secret(in_one_form(first).partition("\r")[0][:_LONGEST_HEADING])

    def names_and_columns(delimiter: str) -> tuple[int, int]:
        cells = next(csv.reader([heading or "\n"], delimiter=delimiter))
        known = map(names.__contains__, map(str.strip, cells))
        return sum(known), len(cells)

    return max(_DELIMITERS, key=names_and_columns)


def _broken(line: int, error: csv.Error) -> SourceBroken:
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


def _heading(cells: list[str], line: int, file: RowFile) -> Heading:
    names = [
        in_one_form(cell).strip() or f"column_{place}" for place, cell in enumerate(cells, start=1)
    ]
    if repeated := repeated_in(names):
        message = f"the heading names {', '.join(repeated)} more than once."
        raise SourceBroken(line, repeated[0], "repeated", message)
    heading = Heading.of(names, file.columns)
    lacking = heading.lacking(file.columns)
    if lacking:
        _, first = lacking[0]
        absent = ", ".join(f"{name} (named for {ours})" for ours, name in lacking)
        near = [match for _, name in lacking for match in near_names(name, names)]
        advice = f" Near it: {', '.join(dict.fromkeys(near))}." if near else ""
        raise SourceBroken(line, first, "column", f"{heading} has no column {absent}.{advice}")
    return heading


def _record(number: int, row: _Row, heading: Heading, file: RowFile) -> Record:
    fields = _fields(heading, row.cells)
    count, columns = len(row.cells), len(heading.own)
    if count < columns or any(row.cells[columns:]):
        message = f"the heading has {columns} columns, and the row {count}: they may have shifted."
        return Record(number, row.line, fields, (Problem("", "fields", message),))
    file.read_values(fields)
    return Record(number, row.line, fields)


def _fields(heading: Heading, cells: list[str]) -> dict[str, object]:
    count = len(cells)
    return hidden_fields(
        (name, cells[place]) for name, place in heading.places.items() if place < count
    )
