"""Rows from a JSON Lines file: one object a line. Its numbers are read by their digits, never as binary floats."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from victor_ext import Problem

from .hidden import Hidden, NumberText, hidden_pairs
from .records import Record, SourceBroken, checked_encoding, lines_of


class JsonLinesFile:
    """A file with one JSON object a line. Empty lines are skipped."""

    def __init__(self, path: Path, encoding: str | None) -> None:
        self._path = path
        self._encoding = checked_encoding(encoding)

    @property
    def path(self) -> str | None:
        """The file, by its full name."""
        return str(self._path.resolve())

    def records(self) -> Iterator[Record]:
        """Read the file. Raises `SourceBroken` for one that is a single JSON document."""
        number = 0
        for line, text in enumerate(lines_of(self._path, self._encoding), start=1):
            stripped = Hidden(text.strip())
            if not stripped:
                continue
            if number == 0 and stripped.startswith("["):
                raise SourceBroken(line, None, "format", "the file is a JSON array: write one object a line instead.")
            number += 1
            yield _record(number, line, stripped)
        if number == 0:
            raise SourceBroken(1, None, "empty", "the file is empty: it needs rows.")


def _record(number: int, line: int, text: str) -> Record:
    try:
        found: Any = json.loads(
            text, parse_float=NumberText, parse_int=NumberText, parse_constant=_constant, object_pairs_hook=_object
        )
    except (ValueError, RecursionError) as error:
        return Record(number, line, {}, (Problem("", "format", f"not a JSON object: {_reason(error)}."),))
    if not isinstance(found, dict):
        return Record(number, line, {}, (Problem("", "format", "not a JSON object: write {...}."),))
    return Record(number, line, found)  # pyright: ignore[reportUnknownArgumentType] - `_object` made it


def _reason(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} at character {error.pos + 1}"
    return "nested too deeply" if isinstance(error, RecursionError) else str(error)


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    pairs = hidden_pairs(pairs)
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"it names {next(name for name in names if names.count(name) > 1)!r} twice")
    return found


def _constant(name: str) -> object:
    raise ValueError(f"{name} is no number")
