"""Rows from a CSV file, as spreadsheets write it."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

from victor_ext import Problem

from .columns import ARGUMENTS
from .hidden import Held, hidden_fields
from .records import Record, SourceBroken, checked_encoding, lines_of

_DELIMITERS = (",", ";", "\t")


class CsvFile:
    """A file with a heading and one record a row.

    The delimiter is a comma, or the semicolon or tab of a spreadsheet whose heading shows it. Fields may be
    quoted and hold line breaks then. Rows without any value are skipped.
    """

    def __init__(self, path: Path, encoding: str | None, key_column: str, required: Sequence[str]) -> None:
        self._path = path
        self._encoding = checked_encoding(encoding)
        self._key_column = key_column
        self._required = required

    @property
    def path(self) -> str | None:
        """The file, by its full name."""
        return str(self._path.resolve())

    def records(self) -> Iterator[Record]:
        """Read the file. Raises `SourceBroken` for a heading that is wrong, and where quotes do not pair."""
        lines = lines_of(self._path, self._encoding)
        # The heading decides the delimiter. It is one line in every file that anybody has.
        first = next(lines, "")
        reader = csv.reader(_chained(first, lines), delimiter=_delimiter(first), strict=True)
        begins = 1
        number = 0
        heading: list[str] | None = None
        while (cells := _next(reader, begins)) is not None:
            line, begins = begins, reader.line_num + 1
            if not any(cells.value):
                continue
            if heading is None:
                heading = _heading(cells.value, line, self._key_column, self._required)
                continue
            number += 1
            yield _record(number, line, heading, cells)
        if heading is None:
            raise SourceBroken(1, None, "empty", "the file is empty: it needs a heading and rows.")


def _chained(first: str, rest: Iterator[str]) -> Iterator[str]:
    yield first
    yield from rest


def _delimiter(first: str) -> str:
    """The delimiter under which the heading names the most arguments."""

    def known(delimiter: str) -> int:
        return sum(name.strip().strip('"') in ARGUMENTS for name in first.split(delimiter))

    return max(_DELIMITERS, key=known)


def _next(reader: Iterator[list[str]], begins: int) -> Held[list[str]] | None:
    try:
        return next(map(Held, reader), None)
    except csv.Error as error:
        if "new-line character" in str(error):
            message = "a carriage return outside of quotes: save the file with the line ends of Windows or of Unix."
            raise SourceBroken(begins, None, "format", message) from None
        # Were it read on, a quote that is never closed would swallow rows.
        raise SourceBroken(begins, None, "format", f"not a CSV row ({error}): mind the quotes from here on.") from None


def _heading(cells: list[str], line: int, key_column: str, required: Sequence[str]) -> list[str]:
    names = [cell.strip() or f"column_{place}" for place, cell in enumerate(cells, start=1)]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise SourceBroken(line, repeated[0], "repeated", f"the heading names {', '.join(repeated)} more than once.")
    if "idempotency_key" in names:
        raise SourceBroken(
            line, "idempotency_key", "column",
            f"keys are made from the column {key_column}; rename or drop the column idempotency_key.",
        )  # fmt: skip
    if key_column not in names:
        raise SourceBroken(
            line, key_column, "key_column",
            f"there is no column {key_column}, by which the rows are told apart. Name another key column. The heading "
            f"has: {', '.join(names)}.",
        )  # fmt: skip
    missing = [name for name in required if name not in names]
    if missing:
        raise SourceBroken(
            line, missing[0], "required",
            f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing in the heading, which names: "
            f"{', '.join(names)}.",
        )  # fmt: skip
    return names


def _record(number: int, line: int, heading: list[str], cells: Held[list[str]]) -> Record:
    fields = hidden_fields(zip(heading, cells.value, strict=False))
    count = len(cells.value)
    if count < len(heading) or any(cells.value[len(heading) :]):
        message = f"the row has {count} fields and the heading {len(heading)}: the columns may have shifted."
        return Record(number, line, fields, (Problem("", "fields", message),))
    return Record(number, line, fields)
