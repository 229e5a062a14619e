"""Where rows come from: a CSV file, a JSON Lines file, or anything that yields mappings."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from victor_ext import ConfigurationError, Problem

from .files import CsvFile, JsonLinesFile
from .hidden import HiddenValue, hidden_fields
from .records import Record, SourceBroken

__all__ = ["Record", "RowSource", "SourceBroken", "open_source"]

_JSON_LINES = {".jsonl", ".ndjson", ".json"}
_SPREADSHEETS = {b"PK\x03\x04": ".xlsx or .ods", b"\xd0\xcf\x11\xe0": ".xls"}
_FORMATS_HINT = "Export it as CSV (UTF-8)."


class RowSource(Protocol):
    """Rows, read one by one."""

    @property
    def path(self) -> str | None:
        """The file that can be read again after a crash; None when there is none."""
        ...

    def records(self) -> Iterator[Record]:
        """Read it, once. Raises `SourceBroken` when the rest of it cannot be told apart."""
        ...


@dataclass(slots=True)
class MappingSource:
    """Rows from Python."""

    rows: Iterable[Mapping[str, object]] = field(repr=False)
    path: str | None = None

    def records(self) -> Iterator[Record]:
        """Each mapping as a record."""
        for number, row in enumerate(map(HiddenValue, self.rows), start=1):
            if isinstance(row.value, Mapping) and all(isinstance(name, str) for name in row.value):
                yield Record(number, None, hidden_fields(row.value.items()))
            else:
                message = f"a row must be a mapping with names for keys, not {type(row.value).__name__}."
                yield Record(number, None, {}, (Problem("", "type", message),))


def open_source(
    source: str | os.PathLike[str] | Iterable[Mapping[str, object]],
    *,
    encoding: str | None,
    key_column: str,
    required: Sequence[str],
) -> RowSource:
    """What to read rows with: by the file's name, or as it comes.

    Args:
        source: A path, or rows.
        encoding: Of the file; None is UTF-8.
        key_column: Must be a column of a file with a heading, as the `required` ones must.
        required: See `key_column`.

    Raises:
        ConfigurationError: The file cannot be opened, or is of a kind that is not read.
    """
    if not isinstance(source, str | os.PathLike):
        return MappingSource(source)
    path = Path(source)
    try:
        with path.open("rb") as file:
            start = file.read(4)
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror or error}.") from None
    for magic, kind in _SPREADSHEETS.items():
        if start.startswith(magic):
            raise ConfigurationError(f"{path} is a spreadsheet or an archive ({kind}). {_FORMATS_HINT}")
    if path.suffix.lower() in _JSON_LINES:
        return JsonLinesFile(path, encoding)
    return CsvFile(path, encoding, key_column, required)
