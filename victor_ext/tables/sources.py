"""Row sources: CSV files, JSON Lines files and iterables of mappings."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from victor_ext import ConfigurationError, Problem
from victor_ext.privacy import HiddenValue, hidden_fields

from .files import CsvFile, HeadingCheck, JsonLinesFile
from .records import Record, SourceBroken

__all__ = ["Record", "RowSource", "SourceBroken", "open_source"]

_JSON_LINES = {".jsonl", ".ndjson", ".json"}
_SPREADSHEETS = {b"PK\x03\x04": ".xlsx or .ods", b"\xd0\xcf\x11\xe0": ".xls"}
_FORMATS_HINT = "Export it as CSV (UTF-8)."


class RowSource(Protocol):
    """A source of records."""

    @property
    def path(self) -> str | None:
        """Path of a file that can be read again after a crash, or None."""
        ...

    def records(self) -> Iterator[Record]:
        """Yield the records, once. Raises `SourceBroken` if the source cannot be read further."""
        ...


@dataclass(slots=True)
class MappingSource:
    """A source of mappings."""

    rows: Iterable[Mapping[str, object]] = field(repr=False)
    path: str | None = None

    def records(self) -> Iterator[Record]:
        """Yield each mapping as a record."""
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
    known: Collection[str],
    check: HeadingCheck,
) -> RowSource:
    """Return a source for a path or for mappings. The file suffix selects the format.

    Args:
        source: A path, or mappings.
        encoding: File encoding; None means UTF-8.
        known: Column names that a CSV heading may have. They tell its delimiter.
        check: Checks the names of a CSV heading, and raises `SourceBroken`.

    Raises:
        ConfigurationError: The file cannot be opened or has an unsupported format.
    """
    if not isinstance(source, str | os.PathLike):
        return MappingSource(source)
    path = Path(source)
    if path.exists() and not (path.is_file() or path.is_dir()):
        # It is opened more than once, and what was read from a pipe does not come again.
        raise ConfigurationError(f"{path} is not a file but a pipe or a device: write the rows into a file first.")
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
    return CsvFile(path, encoding, known, check)
