"""Export the results of a batch: one line for each key."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TextIO

from victor_ext.tables.texts import csv_writer, escape_formulas

from .rows import ASKED, RowResult

COLUMNS = ("row", "key", "id", "status", "outcome", "error")
"""The attributes of a `RowResult` that come first."""


def write_csv(
    file: TextIO,
    results: Iterable[RowResult],
    columns: Sequence[str],
    *,
    escape: bool = True,
    on_result: Callable[[RowResult], object] | None = None,
) -> int:
    """Write results as CSV and return their number.

    An extra column whose name is taken gets the prefix `file_`, again until no other column has the name. The requested
    values come last; an argument that is the key column is among the extra columns. `escape` puts a single quote before
    what a spreadsheet would run.
    """
    writer = csv_writer(file)
    asked = [name for name in ASKED if name not in columns]
    heading = [*COLUMNS, *_distinct(columns, asked), *asked]
    writer.writerow(map(escape_formulas, heading) if escape else heading)
    count = 0
    for result in results:
        if on_result is not None:
            on_result(result)
        cells = [
            *(str(getattr(result, name) or "") for name in COLUMNS),
            *(result.extras.get(column, "") for column in columns),
            *(result.asked.get(name, "") for name in asked),
        ]
        writer.writerow(map(escape_formulas, cells) if escape else cells)
        count += 1
    return count


def _distinct(columns: Sequence[str], asked: Sequence[str]) -> Iterator[str]:
    """Yield a name for each extra column that no other column has, also where blanks around a name do not count."""
    taken = {*COLUMNS, *asked, ""}
    own = {column.strip() for column in columns} - taken
    for column in columns:
        name = column
        while name.strip() in taken or (name != column and name.strip() in own):
            name = f"file_{name}"
        taken.add(name.strip())
        yield name
