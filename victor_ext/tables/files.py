"""Read rows from CSV and JSON Lines files."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

from victor_ext import Problem
from victor_ext.privacy import HiddenValue, NumberText, Secret, hidden_fields, hidden_pairs

from .records import Record, SourceBroken, checked_encoding, lines_of

_DELIMITERS = (",", ";", "\t")

HeadingCheck = Callable[[Sequence[str], int], None]
"""Checks the names of a CSV heading, which is in this line."""


class _TextFile:
    """A text file that can be read again after a crash."""

    def __init__(self, path: Path, encoding: str | None) -> None:
        self._path = path
        self._encoding = checked_encoding(encoding)

    @property
    def path(self) -> str | None:
        """The absolute path."""
        return str(self._path.resolve())


class CsvFile(_TextFile):
    """A CSV file with a heading.

    The delimiter is a comma, semicolon or tab, detected from the heading. Quoted fields may contain line breaks. Rows
    without values are skipped.

    Args:
        path: The file.
        encoding: Its encoding; None means UTF-8.
        known: Names that a heading may have. They tell the delimiter.
        check: Called with the names of the heading and its line. It raises `SourceBroken` if a column is missing or
            must not be there.
    """

    def __init__(self, path: Path, encoding: str | None, known: Collection[str], check: HeadingCheck) -> None:
        super().__init__(path, encoding)
        self._known = known
        self._check = check

    def records(self) -> Iterator[Record]:
        """Yield the records. Raises `SourceBroken` for an invalid heading or unbalanced quotes."""
        lines = lines_of(self._path, self._encoding)
        # The heading determines the delimiter; it is assumed to be one line.
        first = next(lines, "")
        reader = csv.reader(_chained(first, lines), delimiter=_delimiter(first, self._known), strict=True)
        begins = 1
        number = 0
        heading: list[str] | None = None
        while (cells := _next(reader, begins)) is not None:
            line, begins = begins, reader.line_num + 1
            if not any(cells.value):
                continue
            if heading is None:
                heading = _heading(cells.value, line)
                self._check(heading, line)
                continue
            number += 1
            yield _csv_record(number, line, heading, cells)
        if heading is None:
            raise SourceBroken(1, None, "empty", "the file is empty: it needs a heading and rows.")


def _chained(first: str, rest: Iterator[str]) -> Iterator[str]:
    yield first
    yield from rest


def _delimiter(first: str, names: Collection[str]) -> str:
    """Return the delimiter that splits the heading into the most known names."""

    def known(delimiter: str) -> int:
        return sum(name.strip().strip('"') in names for name in first.split(delimiter))

    return max(_DELIMITERS, key=known)


def _next(reader: Iterator[list[str]], begins: int) -> HiddenValue[list[str]] | None:
    try:
        return next(map(HiddenValue, reader), None)
    except csv.Error as error:
        if "new-line character" in str(error):
            message = "a carriage return outside of quotes: save the file with the line ends of Windows or of Unix."
            raise SourceBroken(begins, None, "format", message) from None
        # Stop here: an unclosed quote would merge the following rows.
        raise SourceBroken(begins, None, "format", f"not a CSV row ({error}): mind the quotes from here on.") from None


def _heading(cells: list[str], line: int) -> list[str]:
    names = [cell.strip() or f"column_{place}" for place, cell in enumerate(cells, start=1)]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise SourceBroken(line, repeated[0], "repeated", f"the heading names {', '.join(repeated)} more than once.")
    return names


def _csv_record(number: int, line: int, heading: list[str], cells: HiddenValue[list[str]]) -> Record:
    fields = hidden_fields(zip(heading, cells.value, strict=False))
    count = len(cells.value)
    if count < len(heading) or any(cells.value[len(heading) :]):
        message = f"the row has {count} fields and the heading {len(heading)}: the columns may have shifted."
        return Record(number, line, fields, (Problem("", "fields", message),))
    return Record(number, line, fields)


class JsonLinesFile(_TextFile):
    """A file with one JSON object per line. Numbers keep their digits; empty lines are skipped."""

    def records(self) -> Iterator[Record]:
        """Yield the records. Raises `SourceBroken` for a single JSON array or an empty file."""
        number = 0
        for line, text in enumerate(lines_of(self._path, self._encoding), start=1):
            stripped = Secret(text.strip())
            if not stripped:
                continue
            if number == 0 and stripped.startswith("["):
                raise SourceBroken(line, None, "format", "the file is a JSON array: write one object a line instead.")
            number += 1
            yield _json_record(number, line, stripped)
        if number == 0:
            raise SourceBroken(1, None, "empty", "the file is empty: it needs rows.")


def _json_record(number: int, line: int, text: str) -> Record:
    try:
        row: Any = json.loads(
            text, parse_float=NumberText, parse_int=NumberText, parse_constant=_constant, object_pairs_hook=_object
        )
    except (ValueError, RecursionError) as error:
        return Record(number, line, {}, (Problem("", "format", f"not a JSON object: {_reason(error)}."),))
    if not isinstance(row, dict):
        return Record(number, line, {}, (Problem("", "format", "not a JSON object: write {...}."),))
    return Record(number, line, row)  # pyright: ignore[reportUnknownArgumentType] - `_object` made it


def _reason(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} at character {error.pos + 1}"
    return "nested too deeply" if isinstance(error, RecursionError) else str(error)


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    pairs = hidden_pairs(pairs)
    row = dict(pairs)
    if len(row) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"it names {next(name for name in names if names.count(name) > 1)!r} twice")
    return row


def _constant(name: str) -> object:
    raise ValueError(f"{name} is not a number")
