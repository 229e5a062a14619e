"""Records of CSV files, as people and spreadsheets write them."""

import csv
import re
from collections.abc import Collection, Iterator, Sequence
from itertools import chain

from victor_ext import Problem
from victor_ext.ids import in_one_form
from victor_ext.privacy import HiddenValue, Secret, hidden_fields

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
    physical = _PhysicalLines(chain([first], lines))
    reader = csv.reader(physical, delimiter=delimiter, strict=True)
    offset, number = begins - 1, 0
    heading: Heading | None = None
    while (cells := _next(reader, begins)) is not None:
        line, begins = begins, reader.line_num + offset + 1
        written = physical.take()
        if not any(map(str.strip, cells.value)):
            continue
        if heading is None:
            heading = _heading(cells.value, line, file)
            check(heading, line)
            continue
        is_merged = len(written) > 1 and _has_rows(written, delimiter, len(heading.own))
        if not is_merged:
            number += 1
            yield _record(number, line, heading, cells, file)
            continue
        for place, text in enumerate(written):
            if text.strip():
                number += 1
                fields = _fields(heading, HiddenValue(text.rstrip("\r\n").split(delimiter)))
                yield Record(number, line + place, fields, (_STRAY_QUOTE,))
    if heading is None:
        raise SourceBroken(1, None, "empty", "the file is empty: it needs a heading and rows.")


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

    # A file without a heading begins with a row.
    heading = Secret(in_one_form(first).partition("\r")[0][:_LONGEST_HEADING])

    def names_and_columns(delimiter: str) -> tuple[int, int]:
        cells = HiddenValue(next(csv.reader([heading or "\n"], delimiter=delimiter)))
        known = map(names.__contains__, map(str.strip, cells.value))
        return sum(known), len(cells.value)

    return max(_DELIMITERS, key=names_and_columns)


def _has_rows(written: Sequence[str], delimiter: str, columns: int) -> bool:
    """Return whether the lines of one record are rows of this file by themselves: a quote that
    belongs to a text has been read as the beginning of a quoted value.

    A quoted value may have line breaks, and even delimiters. It is taken for rows if two of the
    lines have as many columns as the heading: then the value holds a whole row.
    """
    least = columns - 1
    # Empty fields beyond the heading are no columns.
    whole = [
        text.count(delimiter) >= least and text.rstrip(f"\r\n{delimiter}").count(delimiter) <= least
        for text in written
    ]
    return whole.count(True) > 1


def _next(reader: Iterator[list[str]], begins: int) -> HiddenValue[list[str]] | None:
    try:
        return next(map(HiddenValue, reader), None)
    except csv.Error as error:
        if "new-line character" in str(error):
            message = (
                "a carriage return outside of quotes: save the file with the line ends of "
                "Windows or of Unix."
            )
            raise SourceBroken(begins, None, "format", message) from None
        # Stop here: an unclosed quote would merge the following rows.
        message = (
            f"not a CSV row ({error}): look for a quote in this line that belongs to a text, and "
            "take it out or write it twice. The lines after this one were not read."
        )
        raise SourceBroken(begins, None, "format", message) from None


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


def _record(
    number: int, line: int, heading: Heading, cells: HiddenValue[list[str]], file: RowFile
) -> Record:
    fields = _fields(heading, cells)
    count, columns = len(cells.value), len(heading.own)
    if count < columns or any(cells.value[columns:]):
        message = f"the heading has {columns} columns, and the row {count}: they may have shifted."
        return Record(number, line, fields, (Problem("", "fields", message),))
    file.read_values(fields)
    return Record(number, line, fields)


def _fields(heading: Heading, cells: HiddenValue[list[str]]) -> dict[str, object]:
    count = len(cells.value)
    return hidden_fields(
        (name, cells.value[place]) for name, place in heading.places.items() if place < count
    )
