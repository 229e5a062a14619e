"""Records of CSV files, JSON Lines files and iterables of mappings."""

import codecs
import csv
import json
import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar

from victor_ext import ConfigurationError, Problem
from victor_ext.ids import in_one_form
from victor_ext.privacy import (
    HiddenRows,
    HiddenValue,
    NumberText,
    Secret,
    SecretBytes,
    hidden_fields,
    hidden_pairs,
)

T = TypeVar("T")

MAX_LINE = 1 << 20
"""Maximum bytes of a line. This limits memory for files that are not text."""

_DELIMITERS = (",", ";", "\t")
_JSON_LINES = {".jsonl", ".ndjson", ".json"}
_SPREADSHEETS = {b"PK\x03\x04": ".xlsx or .ods", b"\xd0\xcf\x11\xe0": ".xls"}

Rows = str | os.PathLike[str] | Iterable[Mapping[str, object]]
"""A path, or mappings from column names to values."""
HeadingCheck = Callable[[Sequence[str], int], None]
"""Checks the names of a CSV heading, which is in this line. It raises `SourceBroken`."""


@dataclass(frozen=True, slots=True)
class Record:
    """One record of a source: its number and, in a file, the line where it begins, both from 1.

    If there are problems, the record cannot be read, and `fields` is unreliable.
    """

    number: int
    line: int | None
    fields: Mapping[str, object] = field(repr=False)
    problems: tuple[Problem, ...] = ()


class SourceBroken(Exception):
    """The source cannot be read further: the following records could be misread."""

    def __init__(self, line: int | None, column: str | None, code: str, message: str) -> None:
        super().__init__(message)
        self.line, self.column, self.code, self.message = line, column, code, message


def hidden(rows: str | os.PathLike[str] | Iterable[T]) -> str | os.PathLike[str] | Iterable[T]:
    """Return rows in a form that no `repr` shows: one may have an account number.

    A path is returned as it is.
    """
    return rows if isinstance(rows, str | os.PathLike) else HiddenRows(rows)


def records_of(
    source: Rows, *, encoding: str | None, known: Collection[str], check: HeadingCheck
) -> Iterator[Record]:
    """Return the records of a path or of mappings. The file suffix selects the format: CSV, or a
    JSON object a line.

    A CSV file has a heading. Its delimiter is a comma, semicolon or tab. Rows without values are
    skipped. Numbers of a JSON file keep their digits. Names of columns are in one Unicode form. The
    iterator raises `SourceBroken`.

    Args:
        encoding: File encoding; None means UTF-8.
        known: Column names that a CSV heading may have. They tell its delimiter.
        check: Checks the names of a CSV heading.

    Raises:
        ConfigurationError: The file cannot be opened or has an unsupported format.
    """
    if not isinstance(source, str | os.PathLike):
        return _of_mappings(source)
    path = Path(source)
    if path.exists() and not (path.is_file() or path.is_dir()):
        # It is opened more than once, and what was read from a pipe does not come again.
        raise ConfigurationError(
            f"{path} is not a file but a pipe or a device: write the rows into a file first."
        )
    try:
        with path.open("rb") as file:
            start = file.read(4)
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror or error}.") from None
    for magic, kind in _SPREADSHEETS.items():
        if start.startswith(magic):
            raise ConfigurationError(
                f"{path} is a spreadsheet or an archive ({kind}). Export it as CSV (UTF-8)."
            )
    lines = _lines_of(path, _checked_encoding(encoding))
    return _of_json(lines) if path.suffix.lower() in _JSON_LINES else _of_csv(lines, known, check)


def _of_mappings(rows: Iterable[Mapping[str, object]]) -> Iterator[Record]:
    for number, row in enumerate(map(HiddenValue, rows), start=1):
        if not (
            isinstance(row.value, Mapping) and all(isinstance(name, str) for name in row.value)
        ):
            message = (
                f"a row must be a mapping with names for keys, not {type(row.value).__name__}."
            )
            yield Record(number, None, {}, (Problem("", "type", message),))
            continue
        pairs = _in_one_form(hidden_fields(row.value.items()).items())
        repeated = _repeated([name for name, _ in pairs])
        problems = tuple(
            Problem(name, "repeated", f"the row names {name} twice.") for name in repeated[:1]
        )
        yield Record(number, None, dict(pairs), problems)


def _of_csv(lines: Iterator[str], known: Collection[str], check: HeadingCheck) -> Iterator[Record]:
    # The delimiter splits the heading, which is assumed to be one line, into the most known names.
    first = next(lines, "")
    counts = {
        char: sum(name.strip().strip('"') in known for name in in_one_form(first).split(char))
        for char in _DELIMITERS
    }
    reader = csv.reader(
        chain([first], lines), delimiter=max(counts, key=counts.__getitem__), strict=True
    )
    begins, number = 1, 0
    heading: list[str] | None = None
    while (cells := _next(reader, begins)) is not None:
        line, begins = begins, reader.line_num + 1
        if not any(cells.value):
            continue
        if heading is None:
            heading = _heading(cells.value, line)
            check(heading, line)
            continue
        number += 1
        yield _csv_record(number, line, heading, cells)
    if heading is None:
        raise SourceBroken(1, None, "empty", "the file is empty: it needs a heading and rows.")


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
        raise SourceBroken(
            begins, None, "format", f"not a CSV row ({error}): mind the quotes from here on."
        ) from None


def _heading(cells: list[str], line: int) -> list[str]:
    names = [
        in_one_form(cell).strip() or f"column_{place}" for place, cell in enumerate(cells, start=1)
    ]
    if repeated := _repeated(names):
        raise SourceBroken(
            line,
            repeated[0],
            "repeated",
            f"the heading names {', '.join(repeated)} more than once.",
        )
    return names


def _repeated(names: list[str]) -> list[str]:
    return (
        []
        if len(set(names)) == len(names)
        else sorted({name for name in names if names.count(name) > 1})
    )


def _in_one_form(pairs: Iterable[tuple[str, Any]]) -> list[tuple[str, Any]]:
    return [(in_one_form(name), value) for name, value in pairs]


def _csv_record(
    number: int, line: int, heading: list[str], cells: HiddenValue[list[str]]
) -> Record:
    fields = hidden_fields(zip(heading, cells.value, strict=False))
    count = len(cells.value)
    if count < len(heading) or any(cells.value[len(heading) :]):
        message = (
            f"the heading has {len(heading)} columns, and the row {count}: they may have shifted."
        )
        return Record(number, line, fields, (Problem("", "fields", message),))
    return Record(number, line, fields)


def _of_json(lines: Iterator[str]) -> Iterator[Record]:
    number = 0
    for line, text in enumerate(lines, start=1):
        stripped = Secret(text.strip())
        if not stripped:
            continue
        if number == 0 and stripped.startswith("["):
            raise SourceBroken(
                line, None, "format", "the file is a JSON array: write one object a line instead."
            )
        number += 1
        yield _json_record(number, line, stripped)
    if number == 0:
        raise SourceBroken(1, None, "empty", "the file is empty: it needs rows.")


def _json_record(number: int, line: int, text: str) -> Record:
    try:
        row: Any = json.loads(
            text,
            parse_float=NumberText,
            parse_int=NumberText,
            parse_constant=_constant,
            object_pairs_hook=_object,
        )
        reason = "" if isinstance(row, dict) else "write {...}"
    except (ValueError, RecursionError) as error:
        row, reason = {}, str(error)
        if isinstance(error, json.JSONDecodeError):
            reason = f"{error.msg} at character {error.pos + 1}"
    if reason:
        return Record(number, line, {}, (Problem("", "format", f"not a JSON object: {reason}."),))
    return Record(number, line, row)  # pyright: ignore[reportUnknownArgumentType] - `_object` made it


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    pairs = _in_one_form(hidden_pairs(pairs))
    if repeated := _repeated([name for name, _ in pairs]):
        raise ValueError(f"it names {repeated[0]!r} twice")
    return dict(pairs)


def _constant(name: str) -> object:
    raise ValueError(f"{name} is not a number")


def _checked_encoding(encoding: str | None) -> str:
    """Return the normalized name of an encoding; UTF-8 for None. Raises `ConfigurationError`."""
    with suppress(LookupError, UnicodeError):
        # Lines are split before decoding, and some codecs are not text encodings.
        if b"\n;".decode(encoding or "utf-8") == "\n;":
            return codecs.lookup(encoding or "utf-8").name
    message = (
        f"encoding={encoding!r} is not a text encoding: save the file as UTF-8, or name one "
        "such as windows-1252."
    )
    raise ConfigurationError.of([Problem("encoding", "choice", message)])


def _lines_of(path: Path, encoding: str) -> Iterator[str]:
    """Yield the lines of a text file with line ends, without a byte order mark, which wins over
    `encoding`.

    Each line is decoded separately, so that an invalid byte is reported with its line, by
    `SourceBroken`.
    """
    with path.open("rb") as file:
        number = 1
        while raw := SecretBytes(file.readline(MAX_LINE + 1)):
            if len(raw) > MAX_LINE:
                message = f"the line is longer than {MAX_LINE} bytes: this is not text in lines."
                raise SourceBroken(number, None, "length", message)
            if number == 1 and raw.startswith(codecs.BOM_UTF8):
                raw, encoding = SecretBytes(raw.removeprefix(codecs.BOM_UTF8)), "utf-8"
            try:
                yield Secret(raw.decode(encoding))
            except UnicodeDecodeError as error:
                message = (
                    f"byte 0x{raw[error.start]:02X} at position {error.start + 1} of the line is "
                    f"not {error.encoding} text: save the file as UTF-8, or say what it is, such "
                    "as encoding windows-1252."
                )
                raise SourceBroken(number, None, "encoding", message) from None
            number += 1
