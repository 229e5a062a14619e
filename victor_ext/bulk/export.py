"""Export the results of a batch: one line for each key."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TextIO

from victor_ext.settlement import Sent
from victor_ext.tables.temporary import TemporaryDatabase
from victor_ext.tables.texts import csv_writer, escape_formulas

from .batch_store import BatchStore, Try
from .layout import Submission, pages_of
from .rows import ASKED, Result, Row, RowOutcome, RowResult
from .validating import identity_of

COLUMNS = ("row", "key", "id", "status", "outcome", "error")


def columns_of(loads: Sequence[Submission]) -> list[str]:
    """Return the extra columns of the source, in order of first appearance."""
    return list(dict.fromkeys(column for load in loads for column in load.columns))


def results_of(store: BatchStore, loads: Sequence[Submission]) -> Iterator[RowResult]:
    """Yield each row of the batch in order, with its current result."""
    if not any(load.replaced for load in loads):
        for _, row, result in stored_rows(store, loads):
            yield _line(row, result)
        return
    # Corrected rows were stored again under the same key: the last row of each key counts, in the place of the first.
    chunks = TemporaryDatabase("CREATE TABLE chunks (id BLOB PRIMARY KEY, first INTEGER, last INTEGER) WITHOUT ROWID;")
    try:
        chunks.executemany(
            "INSERT INTO chunks VALUES (?1, ?2, ?2) ON CONFLICT DO UPDATE SET last = ?2",
            ((identity_of(row.key, row.number), number) for number, row, _ in stored_rows(store, loads, results=False)),
        )
        corrected: tuple[int, dict[bytes, RowResult]] = (0, {})
        for number, row, result in stored_rows(store, loads):
            identity = identity_of(row.key, row.number)
            first, last = chunks.execute("SELECT first, last FROM chunks WHERE id = ?", (identity,)).fetchone()
            if first == last:
                yield _line(row, result)
            elif first == number:
                if corrected[0] != last:  # most corrected rows come in the order of the first ones
                    corrected = last, _lines_of(store, last)
                yield corrected[1][identity]
    finally:
        chunks.close()


def _lines_of(store: BatchStore, number: int) -> dict[bytes, RowResult]:
    """Return the lines of a chunk by the identities of their rows."""
    rows = _rows_of(store, store.tries([number], rows=True)[number], results=True)
    return {identity_of(row.key, row.number): _line(row, result) for row, result in rows}


def write_csv(file: TextIO, results: Iterable[RowResult], columns: Sequence[str], *, escape: bool = True) -> int:
    """Write results as CSV and return their number.

    An extra column whose name is taken gets the prefix `file_`, again until no other column has the name. The requested
    values come last; an argument that is the key column is among the extra columns.

    Args:
        escape: Put a single quote before text that a spreadsheet would run as a formula.
    """
    writer = csv_writer(file)
    asked = [name for name in ASKED if name not in columns]
    heading = [*COLUMNS, *_distinct(columns, asked), *asked]
    writer.writerow(map(escape_formulas, heading) if escape else heading)
    count = 0
    for result in results:
        cells = [
            str(result.row),
            result.key,
            result.id or "",
            result.status or "",
            result.outcome.value,
            result.error or "",
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


def stored_rows(
    store: BatchStore, loads: Sequence[Submission], *, results: bool = True
) -> Iterator[tuple[int, Row, Result | None]]:
    """Yield each stored row in order, with the number of its chunk and its result, if known."""
    for page in pages_of(loads):
        tries = store.tries(list(page), rows=True)
        for number in page:
            for row, result in _rows_of(store, tries.get(number, []), results=results):
                yield number, row, result


def _rows_of(store: BatchStore, tries: Sequence[Try], *, results: bool) -> Iterator[tuple[Row, Result | None]]:
    """Yield the rows of a chunk with their results, if known."""
    if tries and tries[0].chunk is not None:
        known = latest_results(store, tries) if results else {}
        for row in tries[0].chunk.rows:
            yield row, known.get(row.place)


def latest_results(store: BatchStore, tries: Sequence[Try]) -> dict[int, Result]:
    """Return the known results of a chunk's rows after all attempts, by row place."""
    known: dict[int, Result] = {}
    for attempt in tries:
        if attempt.chunk is None or not (attempt.taken or attempt.over):
            continue
        stored, began = store.results(attempt)
        if not attempt.over and began is None:
            continue
        rows = attempt.chunk.rows
        for row, result in zip(rows, stored or [_open(row, began, over=attempt.over) for row in rows], strict=True):
            known[row.place] = result
    return known


def _open(row: Row, began: Sent | None, *, over: bool) -> Result:
    """Return the result of a row whose chunk has no stored results."""
    if row.arguments is None:
        return _set_aside(row)
    sent = row.sent or began
    if sent is None:
        return Result(RowOutcome.WAITING, error="Its chunk was cancelled before it was sent.")
    if not over:
        return Result(RowOutcome.UNKNOWN, error="It is being sent, or its sender was interrupted.", sent=sent)
    return Result(RowOutcome.UNKNOWN, error="Its chunk broke off before the result was stored.", sent=sent)


def _set_aside(row: Row) -> Result:
    return Result(RowOutcome.REFUSED, error=row.reason)


def _line(row: Row, result: Result | None) -> RowResult:
    final = result or (Result(RowOutcome.WAITING) if row.arguments is not None else _set_aside(row))
    asked = {name: str(row.arguments[name]) for name in ASKED if name in row.arguments} if row.arguments else {}
    return RowResult(row.number, row.key, final.id, final.status, final.outcome, final.error, row.extras, asked)
