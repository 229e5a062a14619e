"""Read the stored rows of a batch with what is known of each, also by the provider, and export
them.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any, TextIO

from victor_ext.tables.texts import write_table

from .lines import Line, lines_of
from .row_kind import RowKind
from .rows import RowResult
from .store import Store

COLUMNS = ("row", "key", "id", "status", "outcome", "error")
"""The attributes of a `RowResult` that come first."""
NOT_FOUND = "The provider does not have it any more."


def results_of(store: Store, kind: RowKind) -> Iterator[RowResult]:
    """Yield each line of the batch in order, with what became of it."""
    for line in lines_of(store):
        yield _shown(line, kind)


def _shown(line: Line, kind: RowKind) -> RowResult:
    row, result = line.row, line.result
    error = line.message
    if result.error and line.outcome is result.outcome:
        error = result.error
    return RowResult(
        row=line.number,
        key=line.key if row is None else row.key,
        id=result.id,
        status=result.status,
        outcome=line.outcome,
        error=error,
        extras={} if row is None else row.extras,
        asked=_asked_of(line, kind),
    )


def _asked_of(line: Line, kind: RowKind) -> dict[str, str]:
    """Return the values that an export has of a row."""
    values: dict[str, Any] = {}
    if line.row is not None and line.row.arguments is not None:
        values.update(line.row.arguments)
    if line.result.unit:
        values[kind.unit] = line.result.unit
    return {name: str(values[name]) for name in kind.asked if name in values}


def write_csv(
    file: TextIO,
    results: Iterable[RowResult],
    columns: Sequence[str],
    *,
    asked: Sequence[str],
    escape: bool = True,
) -> int:
    """Write results as CSV and return their number.

    An extra column whose name is taken gets the prefix `file_`, again until no other column has the
    name. The requested values come last; an argument that is the key column is among the extra
    columns. `escape` is as for `write_table`.
    """
    asked = [name for name in asked if name not in columns]
    heading = [*COLUMNS, *_distinct(columns, asked), *asked]
    lines = (_cells(result, columns, asked) for result in results)
    return write_table(file, chain([heading], lines), escape=escape)


def _cells(
    result: RowResult,
    columns: Sequence[str],
    asked: Sequence[str],
) -> Iterator[str | int | None]:
    for name in COLUMNS:
        yield getattr(result, name)
    yield from map(result.extras.get, columns)
    yield from map(result.asked.get, asked)


def _distinct(columns: Sequence[str], asked: Sequence[str]) -> Iterator[str]:
    """Yield a name for each extra column that no other column has, also where blanks around a name
    do not count.
    """
    taken = {*COLUMNS, *asked, ""}
    own = {column.strip() for column in columns} - taken
    for column in columns:
        name = column
        while name.strip() in taken or (name != column and name.strip() in own):
            name = f"file_{name}"
        taken.add(name.strip())
        yield name


def refreshed(store: Store, kind: RowKind) -> Iterator[RowResult]:
    """Return the results with the present statuses. A row that was created meanwhile keeps the one
    it has.

    All statuses are read before the first result is asked for: a provider that cannot be read cuts
    no export off.
    """
    statuses = kind.current(results_of(store, kind))

    def now(result: RowResult) -> RowResult:
        status = None if result.id is None else statuses.get(result.id)
        if status is None:
            return result
        error = NOT_FOUND if status.status is None else status.reason or result.error
        return replace(result, status=status.status, error=error)

    return map(now, results_of(store, kind))
