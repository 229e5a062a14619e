"""The export of a batch: each row with what is stored of it (`results_of`), with its present status
(`refreshed_results`), and as CSV (`write_csv`).
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
"""The attributes of a `RowResult` that are the first columns of the CSV."""
NOT_FOUND = "The provider does not have it any more."


def results_of(store: Store, kind: RowKind) -> Iterator[RowResult]:
    """Yield the result of each line of the batch, in order."""
    for line in lines_of(store):
        yield _result_of_line(line, kind)


def _result_of_line(line: Line, kind: RowKind) -> RowResult:
    """Return a line of a batch as a line of its export."""
    row, result = line.row, line.result
    error = line.message
    # The reason of a result says more than the notice, if it is about the present outcome.
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
        asked=_exported_values(line, kind),
    )


def _exported_values(line: Line, kind: RowKind) -> dict[str, str]:
    """Return the sent values of a row that an export has, and the id of its payout."""
    values: dict[str, Any] = {}
    if line.row is not None and line.row.arguments is not None:
        values.update(line.row.arguments)
    if line.result.unit:
        values[kind.unit_column] = line.result.unit
    return {name: str(values[name]) for name in kind.exported if name in values}


def write_csv(
    file: TextIO,
    results: Iterable[RowResult],
    columns: Sequence[str],
    *,
    exported: Sequence[str],
    escape: bool = True,
) -> int:
    """Write results as CSV and return their number.

    Args:
        columns: The extra columns of the source. If another column has the name of one, it gets the
            prefix `file_`, again until the name is free.
        exported: The columns of sent values, which come last. If a sent value is the key column, it
            is among the extra columns, and not repeated.
        escape: As for `write_table`.
    """
    value_columns = [name for name in exported if name not in columns]
    heading = [*COLUMNS, *_free_names(columns, value_columns), *value_columns]
    lines = (_cells(result, columns, value_columns) for result in results)
    return write_table(file, chain([heading], lines), escape=escape)


def _cells(
    result: RowResult,
    columns: Sequence[str],
    value_columns: Sequence[str],
) -> Iterator[str | int | None]:
    """Yield the cells of a line, in the order of the heading."""
    for name in COLUMNS:
        yield getattr(result, name)
    yield from map(result.extras.get, columns)
    yield from map(result.asked.get, value_columns)


def _free_names(columns: Sequence[str], value_columns: Sequence[str]) -> Iterator[str]:
    """Yield a name for each extra column that no other column has.

    Names that differ only by blanks around them count as the same.
    """
    used_names = {*COLUMNS, *value_columns, ""}
    # A column that keeps its name goes before one that would get this name by a prefix.
    unprefixed = {column.strip() for column in columns} - used_names
    for column in columns:
        name = column
        while name.strip() in used_names or (name != column and name.strip() in unprefixed):
            name = f"file_{name}"
        used_names.add(name.strip())
        yield name


def refreshed_results(store: Store, kind: RowKind) -> Iterator[RowResult]:
    """Return the results of the batch with the provider's present statuses.

    All statuses are read before this returns, so that a provider that cannot be read does not cut
    an export off. A row that is created after that keeps the status of its response.
    """
    statuses = kind.current_statuses(results_of(store, kind))

    def with_status(result: RowResult) -> RowResult:
        status = None if result.id is None else statuses.get(result.id)
        if status is None:
            return result
        error = NOT_FOUND if status.status is None else status.reason or result.error
        return replace(result, status=status.status, error=error)

    return map(with_status, results_of(store, kind))
