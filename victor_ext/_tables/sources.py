"""`records_of`: the records of a CSV file, a JSON Lines file or an iterable of mappings.

A CSV file is read as people and spreadsheets write it. A stray quote can merge rows: a file with a
row of several lines is refused.
"""

import codecs
import csv
import json
import os
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, count
from pathlib import Path
from typing import Any, BinaryIO, Self, TypeVar

from victor_ext import ConfigurationError, Problem
from victor_ext._privacy import (
    HiddenRows,
    NumberText,
    Secret,
    SecretBytes,
    hidden_fields,
    hidden_pairs,
)
from victor_ext._values.ids import in_one_form

from .row_file import (
    AMOUNT_AND_DUE_DATE,
    FileRecord,
    FormedColumns,
    Heading,
    HeadingCheck,
    RowFile,
    SourceBroken,
    repeated_in,
)

T = TypeVar("T")

MAX_LINE = 1 << 20
"""Maximum bytes of a line. It limits the memory for files that are not text."""

_JSON_LINES = {".jsonl", ".ndjson", ".json"}
_DELIMITERS = (",", ";", "\t")
_SEPARATOR = re.compile(r"[\"']?sep=([,;\t])[\"']?\s*", re.IGNORECASE)
"""A first line that tells a spreadsheet the delimiter."""
_LONGEST_HEADING = 100_000
"""The maximum number of characters of a heading by which its delimiter is chosen."""
_NO_VALUES = {"NaT", "<NA>", "nan", "NaN", "sNaN"}
"""What pandas, numpy and `decimal` show where a cell has no value."""
_SPREADSHEET_STARTS = {b"PK\x03\x04": ".xlsx or .ods", b"\xd0\xcf\x11\xe0": ".xls"}

Rows = str | os.PathLike[str] | Iterable[Mapping[str, object]]
"""A path, or mappings from column names to values."""


def hidden_rows(rows: str | os.PathLike[str] | Iterable[T]) -> str | os.PathLike[str] | Iterable[T]:
    """Return rows in a form whose `repr` does not show them, since they may have account numbers.

    A path is returned as it is.
    """
    if isinstance(rows, str | os.PathLike):
        return rows
    return HiddenRows(rows)


class FilePosition:
    """Up to where the file of a source is read."""

    def __init__(self) -> None:
        self._file: BinaryIO | None = None
        self._size = 0

    def begin(self, file: BinaryIO) -> None:
        """Begin with a file, which was just opened."""
        self._file = file
        self._size = os.fstat(file.fileno()).st_size

    def share(self) -> float | None:
        """Return how much of the file is read, from 0 to 1, by its bytes; None: the source is no
        file, or is not opened yet.
        """
        if self._file is None or self._size == 0:
            return None
        if self._file.closed:
            return 1.0
        return min(1.0, self._file.tell() / self._size)


def records_of(
    source: Rows,
    *,
    encoding: str | None,
    known: Collection[str],
    check: HeadingCheck,
    formed: FormedColumns = AMOUNT_AND_DUE_DATE,
    position: FilePosition | None = None,
    export: Sequence[str] = (),
) -> Iterator[FileRecord]:
    """Return the records of a path or of mappings. The file suffix selects the format: CSV, or a
    JSON object a line.

    A CSV file has a heading. Its delimiter is a comma, semicolon or tab. Rows without values are
    skipped. Numbers of a JSON file keep their digits. Names of columns are in one Unicode form. The
    iterator raises `SourceBroken`. A `RowFile` says how a file is written.

    Args:
        encoding: File encoding, unless a `RowFile` names one; None means UTF-8.
        known: Column names that a CSV heading may have. They tell its delimiter.
        check: Checks the names of a CSV heading.
        formed: The columns whose values are in the form that a `RowFile` names.
        position: What knows how much of a file is read, while the records are.
        export: The first columns of an export, behind which its sheet may name them once more.

    Raises:
        ConfigurationError: The file cannot be opened or has an unsupported format.
    """
    if not isinstance(source, str | os.PathLike):
        return map(_record_of_mapping, count(1), source)
    path = Path(source)
    file = source if isinstance(source, RowFile) else RowFile(source)
    file.check_columns(known)
    if path.exists() and not (path.is_file() or path.is_dir()):
        # The file is opened more than once, and a pipe gives its bytes only once.
        raise ConfigurationError(
            f"{path} is not a file but a pipe or a device: write the rows into a file first."
        )
    try:
        with path.open("rb") as binary:
            start = binary.read(16).removeprefix(codecs.BOM_UTF8).lstrip()
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror or error}.") from None
    for magic, kind in _SPREADSHEET_STARTS.items():
        if start.startswith(magic):
            raise ConfigurationError(
                f"{path} is a spreadsheet or an archive ({kind}). Export it as CSV (UTF-8)."
            )
    position = position or FilePosition()
    lines = _lines_of(path, _checked_encoding(file.encoding or encoding), position)
    if path.suffix.lower() in _JSON_LINES:
        records = _json_records(lines, file)
    else:
        records = _csv_records(lines, file, known, check, export)
    return (record if record.problems else file.read_values(record, formed) for record in records)


def _record_of_mapping(number: int, row: Mapping[str, object]) -> FileRecord:
    """Return the record of a row of Python's, which may turn out to be no mapping."""
    value: object = row
    names: list[object] = [*value] if isinstance(value, Mapping) else [None]
    if not all(isinstance(name, str) for name in names):
        message = f"a row must be a mapping with names for keys, not {type(row).__name__}."
        return FileRecord(number, None, {}, (Problem("", "type", message),))
    fields = {name: _cell_of(value) for name, value in hidden_fields(row.items()).items()}
    pairs = _names_in_one_form(fields.items())
    repeated = repeated_in([name for name, _ in pairs])
    problems = tuple(
        Problem(name, "repeated", f"the row names {name} twice.") for name in repeated[:1]
    )
    return FileRecord(number, None, dict(pairs), problems, dict(pairs))


class EmptyCell(str):
    """A cell of a data frame that has no value. It is empty text.

    Attributes:
        shown: What its library shows there, such as `NaT`.
    """

    __slots__ = ("shown",)
    shown: str

    def __new__(cls, shown: str) -> Self:
        cell = super().__new__(cls)
        cell.shown = shown.strip("<>")
        return cell


def _cell_of(value: object) -> object:
    """Return a value, or an `EmptyCell` for one that a data frame has where there is none."""
    is_text = isinstance(value, str) and not isinstance(value, NumberText)
    text = "" if is_text or isinstance(value, int) else str(value)
    return EmptyCell(text) if text in _NO_VALUES else value


def _names_in_one_form(pairs: Iterable[tuple[str, Any]]) -> list[tuple[str, Any]]:
    """Return pairs of name and value with the names in one Unicode form."""
    return [(in_one_form(name), value) for name, value in pairs]


def _json_records(lines: Iterator[str], file: RowFile) -> Iterator[FileRecord]:
    """Yield the records of a JSON Lines file. Raises `SourceBroken`."""
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
        yield _json_record(number, line, stripped, file)
    if number == 0:
        raise SourceBroken(1, None, "empty", "the file is empty: it needs rows.")


def _json_record(number: int, line: int, text: str, file: RowFile) -> FileRecord:
    """Return the record of a line. If the line is no JSON object, its problem says why."""
    try:
        row: Any = json.loads(
            text,
            parse_float=NumberText,
            parse_int=NumberText,
            parse_constant=_refuse_constant,
            object_pairs_hook=_object_of_pairs,
        )
        reason = "" if isinstance(row, dict) else "write {...}"
    except (ValueError, RecursionError) as error:
        row, reason = {}, str(error)
        if isinstance(error, json.JSONDecodeError):
            reason = f"{error.msg} at character {error.pos + 1}"
    if reason:
        return FileRecord(
            number, line, {}, (Problem("", "format", f"not a JSON object: {reason}."),)
        )
    fields: dict[str, Any] = row  # pyright: ignore[reportUnknownVariableType] - of `json`
    heading = Heading.of(list(fields), file.columns)
    return heading.record(number, line, list(fields.values()))


def _object_of_pairs(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Return a JSON object with hidden values. Raises `ValueError` if it names a member twice."""
    pairs = _names_in_one_form(hidden_pairs(pairs))
    repeated = repeated_in([name for name, _ in pairs])
    if repeated:
        raise ValueError(f"it names {repeated[0]!r} twice")
    return dict(pairs)


def _refuse_constant(name: str) -> object:
    """Refuse `NaN` and `Infinity`, which `json` would read as numbers."""
    raise ValueError(f"{name} is not a number")


def _checked_encoding(encoding: str | None) -> str:
    """Return the normalized name of an encoding; UTF-8 for None. Raises `ConfigurationError`."""
    name = encoding or "utf-8"
    try:
        # Lines are split at the byte LF before they are decoded, which UTF-16 does not allow.
        reads_lines = b"\n;".decode(name) == "\n;"
    except UnicodeError:
        reads_lines = False
    except LookupError:  # there is no such codec, or it is none of text
        message = (
            f"encoding={encoding!r} is not a text encoding: save the file as UTF-8, or name one "
            "such as windows-1252."
        )
        raise ConfigurationError.of([Problem("encoding", "choice", message)]) from None
    if not reads_lines:
        message = f"encoding={encoding!r} is not read: save the file as UTF-8, and leave it out."
        raise ConfigurationError.of([Problem("encoding", "choice", message)])
    return codecs.lookup(name).name


def _lines_of(path: Path, encoding: str, position: FilePosition) -> Iterator[str]:
    """Yield the lines of a text file, with their line ends. Raises `SourceBroken`.

    A byte order mark is left out, and takes precedence over `encoding`. Each line is decoded
    separately, so that the error of an invalid byte names its line.
    """
    with path.open("rb") as file:
        position.begin(file)
        number = 1
        while raw := SecretBytes(file.readline(MAX_LINE + 1)):
            if len(raw) > MAX_LINE:
                message = f"the line is longer than {MAX_LINE} bytes: this is not text in lines."
                raise SourceBroken(number, None, "length", message)
            if number == 1 and raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
                raise SourceBroken(1, None, "format", "the file is UTF-16: save it as UTF-8.")
            if number == 1 and raw.startswith(codecs.BOM_UTF8):
                raw, encoding = SecretBytes(raw.removeprefix(codecs.BOM_UTF8)), "utf-8"
            try:
                yield Secret(raw.decode(encoding))
            except UnicodeDecodeError as error:
                message = (
                    f"byte 0x{raw[error.start]:02X} at position {error.start + 1} of the line is "
                    f"not {error.encoding} text: save the file as UTF-8, or name its encoding."
                )
                raise SourceBroken(number, None, "encoding", message) from None
            number += 1


# CSV


def _csv_records(
    lines: Iterator[str],
    file: RowFile,
    known: Collection[str],
    check: HeadingCheck,
    export: Sequence[str],
) -> Iterator[FileRecord]:
    """Yield the records of a file with a heading. Raises `SourceBroken`.

    `known` are names of columns that a heading may have; `export` is as of `records_of`.
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
            heading = _heading_of(row, file, delimiter, export)
            check(heading, row.line)
            continue
        if row.has_several_lines:
            message = (
                "a quote here makes one row of several lines: take the quote out, or the line "
                "breaks. The lines after this one were not read."
            )
            raise SourceBroken(row.line, None, "quote", message)
        number += 1
        yield _record(number, row, heading)
    if heading is None:
        raise SourceBroken(1, None, "empty", "the file is empty: it needs a heading and rows.")


@dataclass(frozen=True, slots=True)
class _Row:
    """A row of the file: the number of the line where it begins, its cells, and whether it has
    several lines.
    """

    line: int
    cells: list[str] = field(repr=False)
    has_several_lines: bool = False

    @property
    def is_empty(self) -> bool:
        return not any(map(str.strip, self.cells))


def _rows(lines: Iterator[str], first_line: int, delimiter: str) -> Iterator[_Row]:
    """Yield the rows in lines, of which the first has the number `first_line`. Raises
    `SourceBroken`.
    """
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        line = first_line + reader.line_num
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise _unreadable_row(line, error) from None
        if cells is None:
            return
        yield _Row(line, cells, first_line + reader.line_num > line + 1)


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


def _heading_of(row: _Row, file: RowFile, delimiter: str, export: Sequence[str]) -> Heading:
    """Return the heading of the file. Raises `SourceBroken`: names are repeated, or lacking."""
    names: list[str] = []
    for place, cell in enumerate(row.cells, start=1):
        name = in_one_form(cell).strip()
        is_of_sheet = place > len(export) and name in export and names[: len(export)] == [*export]
        names.append(f"column_{place}" if is_of_sheet or not name else name)
    repeated = repeated_in(names)
    if repeated:
        message = f"the heading names {', '.join(repeated)} more than once."
        raise SourceBroken(row.line, repeated[0], "repeated", message)
    heading = Heading.of(names, file.columns, delimiter)
    heading.check_named(file.columns, row.line)
    return heading


def _record(number: int, row: _Row, heading: Heading) -> FileRecord:
    """Return the record of a row, with a problem if the row has not as many cells as the heading.

    Further cells may be empty.
    """
    columns = len(heading.own)
    cells = row.cells
    while len(cells) > columns and not cells[-1]:
        cells.pop()
    problems: tuple[Problem, ...] = ()
    if len(cells) != columns:
        mark = heading.delimiter
        advice = f"write each {mark} that is missing, also those of empty cells."
        if len(cells) > columns:
            advice = f"put the cell that has a {mark} in quotes, or take out the {mark}."
        message = f"the heading has {columns} columns, and the row {len(cells)}: {advice}"
        problems = (Problem("", "fields", message),)
    return heading.record(number, row.line, cells, problems)
