"""Read the stored rows of a batch with what is known of each, also by the provider, and export
them.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain
from typing import TextIO

from victor_ext.settlement.key_age import Sent
from victor_ext.tables.texts import write_table

from .batch_store import BatchStore, Try
from .layout import Submission
from .row_kind import RowKind
from .rows import Result, Row, RowOutcome, RowResult

COLUMNS = ("row", "key", "id", "status", "outcome", "error")
"""The attributes of a `RowResult` that come first."""
NOT_FOUND = "The provider does not have it any more."


def results_of(
    store: BatchStore, loads: Sequence[Submission], kind: RowKind
) -> Iterator[RowResult]:
    """Yield each row of the batch in the order of its files, with its current result."""
    # Corrected rows were stored again under the same key: the last row of each key counts, in the
    # place of the first. The submissions that correct rows are held in memory: few rows, unless one
    # of them adds many
    #     as well.
    corrections = [load for load in loads if load.replaced]
    corrected = stored_rows(store, corrections, dropped_in(loads))
    latest = {row.identity: _line(row, result, kind) for _, row, result in corrected}
    given: set[bytes] = set()
    for row, result in _in_order(store, loads, kind):
        if row.identity not in latest:
            yield _line(row, result, kind)
        elif row.identity not in given:
            given.add(row.identity)
            yield latest[row.identity]


def _in_order(
    store: BatchStore, loads: Sequence[Submission], kind: RowKind
) -> Iterator[tuple[Row, Result | None]]:
    """Yield each stored row in the order of its file, which rows that are sent together leave.

    Those of one file are then held in memory.
    """
    dropped = dropped_in(loads)
    for load in loads:
        rows = ((row, result) for _, row, result in stored_rows(store, [load], dropped))
        if kind.together > 1:
            yield from sorted(rows, key=lambda pair: pair[0].number)
        else:
            yield from rows


def stored_rows(
    store: BatchStore,
    loads: Sequence[Submission],
    dropped: Collection[tuple[int, ...]] | None = None,
    *,
    only_refused: bool = False,
) -> Iterator[tuple[int, Row, Result | None]]:
    """Yield the chunk's number, each stored row in order, and its result, if known. `dropped`: that
    in `loads`.

    With `only_refused` there are results of chunks alone in which rows were refused.
    """
    dropped = dropped_in(loads) if dropped is None else dropped
    for number, tries in store.chunks(loads, rows=True):
        refused = any(
            attempt.counts and attempt.counts.get(RowOutcome.REFUSED) for attempt in tries
        )
        known = latest_results(store, tries) if refused or not only_refused else {}
        rows = (row for row in tries[0].chunk.rows if (number, row.place) not in dropped)
        yield from ((number, row, known.get(row.place)) for row in rows)


def dropped_in(loads: Sequence[Submission]) -> set[tuple[int, ...]]:
    return {tuple(place) for load in loads for place in load.dropped}


def was_refused(row: Row, result: Result | None) -> bool:
    """Whether a row was refused before it was sent."""
    return row.arguments is None or (result is not None and result.outcome is RowOutcome.REFUSED)


def latest_results(store: BatchStore, tries: Sequence[Try]) -> dict[int, Result]:
    """Return the known results of a chunk's rows after all attempts, by row place."""
    known: dict[int, Result] = {}
    for attempt in tries:
        if not (attempt.taken or attempt.over):
            continue
        progress = store.progress(attempt)
        if attempt.over or progress.begun:
            for index, row in enumerate(attempt.chunk.rows):
                known[row.place] = progress.results.get(index) or _open(
                    row, progress.sent(index), is_over=attempt.over
                )
    return known


def _open(row: Row, began: Sent | None, *, is_over: bool) -> Result:
    """Return the result of a row that has none stored."""
    if row.arguments is None:
        return Result(RowOutcome.REFUSED, error=row.reason)
    sent = row.sent or began
    if sent is None:
        return Result(
            RowOutcome.WAITING,
            error="Its chunk was cancelled before it was sent." if is_over else None,
        )
    return Result(
        RowOutcome.UNKNOWN, error="It is being sent, or its sender was interrupted.", sent=sent
    )


def _line(row: Row, result: Result | None, kind: RowKind) -> RowResult:
    final = result or _open(row, None, is_over=False)
    known = {**(row.arguments or {}), **({kind.unit: final.unit} if final.unit else {})}
    asked = {name: str(known[name]) for name in kind.asked if name in known}
    return RowResult(
        row.number, row.key, final.id, final.status, final.outcome, final.error, row.extras, asked
    )


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
    cells = (
        chain(
            (getattr(one, name) for name in COLUMNS),
            map(one.extras.get, columns),
            map(one.asked.get, asked),
        )
        for one in results
    )
    return write_table(file, chain([heading], cells), escape=escape)


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


def refreshed(store: BatchStore, loads: Sequence[Submission], kind: RowKind) -> Iterator[RowResult]:
    """Return the results with the present statuses. A row that was created meanwhile keeps the one
    it has.

    All statuses are read before the first result is asked for: a provider that cannot be read cuts
    no export off.
    """
    statuses = kind.current(results_of(store, loads, kind))

    def now(result: RowResult) -> RowResult:
        status = None if result.id is None else statuses.get(result.id)
        if status is None:
            return result
        error = NOT_FOUND if status.status is None else status.reason or result.error
        return replace(result, status=status.status, error=error)

    return map(now, results_of(store, loads, kind))
