"""Read the stored rows of a batch with what is known of each, also by the provider, and export them."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import NamedTuple, TextIO

from victor_ext import BadRequest, NotFound, PaymentRequest, Status, Victor
from victor_ext.settlement.key_age import Sent
from victor_ext.tables.texts import csv_writer, escape_formulas

from .batch_store import BatchStore, Try
from .layout import Submission, dropped_in
from .rows import ASKED, Result, Row, RowOutcome, RowResult

COLUMNS = ("row", "key", "id", "status", "outcome", "error")
"""The attributes of a `RowResult` that come first."""
NOT_FOUND = "The provider does not have it any more."


def results_of(store: BatchStore, loads: Sequence[Submission]) -> Iterator[RowResult]:
    """Yield each row of the batch in order, with its current result."""
    # Corrected rows were stored again under the same key: the last row of each key counts, in the place of the first.
    # The submissions that correct rows are held in memory: few rows, unless one of them adds many as well.
    corrections = [load for load in loads if load.replaced]
    dropped = dropped_in(loads)
    latest = {row.identity: _line(row, result) for row, result in stored_rows(store, corrections, dropped)}
    given: set[bytes] = set()
    for row, result in stored_rows(store, loads):
        if row.identity not in latest:
            yield _line(row, result)
        elif row.identity not in given:
            given.add(row.identity)
            yield latest[row.identity]


def stored_rows(
    store: BatchStore, loads: Sequence[Submission], dropped: Collection[tuple[int, int]] | None = None
) -> Iterator[tuple[Row, Result | None]]:
    """Yield each stored row in order, with its result, if known. `dropped`: by default that in `loads`."""
    dropped = dropped_in(loads) if dropped is None else dropped
    for number, tries in store.chunks(loads, rows=True):
        known = latest_results(store, tries)
        yield from ((row, known.get(row.place)) for row in tries[0].chunk.rows if (number, row.place) not in dropped)


def latest_results(store: BatchStore, tries: Sequence[Try]) -> dict[int, Result]:
    """Return the known results of a chunk's rows after all attempts, by row place."""
    known: dict[int, Result] = {}
    for attempt in tries:
        if not (attempt.taken or attempt.over):
            continue
        progress = store.progress(attempt)
        if attempt.over or progress.begun:
            for index, row in enumerate(attempt.chunk.rows):
                known[row.place] = progress.results.get(index) or _open(row, progress.sent(index), is_over=attempt.over)
    return known


def _open(row: Row, began: Sent | None, *, is_over: bool) -> Result:
    """Return the result of a row that has none stored."""
    if row.arguments is None:
        return Result(RowOutcome.REFUSED, error=row.reason)
    sent = row.sent or began
    if sent is None:
        return Result(RowOutcome.WAITING, error="Its chunk was cancelled before it was sent." if is_over else None)
    return Result(RowOutcome.UNKNOWN, error="It is being sent, or its sender was interrupted.", sent=sent)


def _line(row: Row, result: Result | None) -> RowResult:
    final = result or _open(row, None, is_over=False)
    asked = {name: str(row.arguments[name]) for name in ASKED if name in row.arguments} if row.arguments else {}
    return RowResult(row.number, row.key, final.id, final.status, final.outcome, final.error, row.extras, asked)


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


class CurrentStatus(NamedTuple):
    """What the provider says of a request now, and why it failed or was declined. No status: it does not have it."""

    status: str | None = None
    reason: str | None = None


def current_statuses(victor: Victor, results: Iterable[RowResult]) -> dict[str, CurrentStatus]:
    """Return what the provider says of each created request, by id.

    The provider's list is read once, for the due dates of the rows: a page for many rows, in place of a call for each.
    What is not in it is read by its id. Ids and statuses are held in memory.
    """
    statuses: dict[str, CurrentStatus] = {}
    dates: set[str] = set()
    for result in results:
        if result.outcome is RowOutcome.CREATED and result.id:
            statuses[result.id] = CurrentStatus()
            dates.add(result.asked["due_date"])
    if not statuses:
        return statuses
    requests = victor.payment_requests
    listed: set[str] = set()
    first, last = map(date.fromisoformat, (min(dates), max(dates)))
    for request in requests.list(direction="outbound", due_date_start_date=first, due_date_end_date=last):
        if request.id in statuses:
            statuses[request.id] = _current(request)
            listed.add(request.id)
    for missing in statuses.keys() - listed:
        try:
            # `get` may say "Pending" of what is paid. A watch begins with the status of the list, if it has one.
            statuses[missing] = _current(next(iter(requests.watch(missing, timeout=0))))
        except (BadRequest, NotFound):
            continue
    return statuses


def _current(request: PaymentRequest) -> CurrentStatus:
    reason = request.error_message or (request.approval_notes if request.status == Status.DECLINED else None) or ""
    # The export has no account number: of long numbers the last four digits are left.
    masked = re.sub(r"\d(?=\d{4})", "*", " ".join(reason.split()))
    return CurrentStatus(request.status or "no status", masked or None)


def refreshed(results: Iterable[RowResult], statuses: Mapping[str, CurrentStatus]) -> Iterator[RowResult]:
    """Yield the results with these statuses. A row that was created meanwhile keeps the one it has."""
    for result in results:
        now = None if result.id is None else statuses.get(result.id)
        if now is None:
            yield result
        else:
            error = NOT_FOUND if now.status is None else now.reason or result.error
            yield replace(result, status=now.status, error=error)
