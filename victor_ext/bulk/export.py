"""The results of a batch, row by row, one line for each key."""

from __future__ import annotations

import csv
import re
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TextIO

from .batch_store import BatchStore, Try, numbers_of
from .layout import Submission
from .rows import ASKED, Result, Row, RowOutcome, RowResult, Sent
from .spool import identity_of, temporary

COLUMNS = ("row", "key", "id", "status", "outcome", "error")
_AT_ONCE = 50

# A spreadsheet takes a cell for a formula that begins with one of a few characters, also after blanks, however it is
# quoted. A single quote before them makes it text. See https://owasp.org/www-community/attacks/CSV_Injection.
_SIGNS = "=+\\-@\N{FULLWIDTH EQUALS SIGN}\N{FULLWIDTH PLUS SIGN}\N{FULLWIDTH HYPHEN-MINUS}\N{FULLWIDTH COMMERCIAL AT}"
_BLANK = "\\s\0-\x1f\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff"
"""What is not seen before a sign: spaces of all kinds, control characters, marks without a width."""
_BEGINS = re.compile(rf"[{_BLANK}]*[{_SIGNS}]|[\t\r\n\0]")
_BREAKS = re.compile(r"[;\t\r\n]")
_WITHIN = re.compile(rf"([;\t\r\n][{_BLANK}\"]*)(?=[{_SIGNS}])")
"""Where a cell begins for a spreadsheet that goes by another delimiter, and so not by the quotes around the text."""


def columns_of(loads: Sequence[Submission]) -> list[str]:
    """The columns that were carried through, in the order in which they came up."""
    return list(dict.fromkeys(column for load in loads for column in load.columns))


def results_of(store: BatchStore, loads: Sequence[Submission]) -> Iterator[RowResult]:
    """Every row of the batch in its order, with what is known of it now."""
    if not any(load.replaced for load in loads):
        for _, row, result in stored_rows(store, loads):
            yield _line(row, result)
        return
    # Some rows were corrected and stored anew under their keys: of each key, the last row counts.
    latest = sqlite3.connect("", isolation_level=None)
    try:
        with temporary():
            latest.executescript(
                "CREATE TABLE latest (id BLOB PRIMARY KEY, load INTEGER NOT NULL) WITHOUT ROWID; BEGIN"
            )
            latest.executemany(
                "INSERT OR REPLACE INTO latest VALUES (?, ?)",
                ((identity_of(row.key, row.number), load) for load, row, _ in stored_rows(store, loads, results=False)),
            )
        for load, row, result in stored_rows(store, loads):
            found = latest.execute(
                "SELECT load FROM latest WHERE id = ?", (identity_of(row.key, row.number),)
            ).fetchone()
            if found[0] == load:
                yield _line(row, result)
    finally:
        latest.close()


def write_csv(file: TextIO, results: Iterable[RowResult], columns: Sequence[str], *, escape: bool = True) -> int:
    """Write results as CSV; how many there were.

    A carried column that is called like one of the results gets `file_` before its name. What was asked comes last; an
    argument that is the key column is among the carried ones.

    Args:
        file: An open text file.
        results: One for each line.
        columns: The carried columns.
        escape: Put a single quote before what a spreadsheet would run.
    """
    writer = csv.writer(_Lines(file))
    asked = [name for name in ASKED if name not in columns]
    heading = [*COLUMNS, *(f"file_{column}" if column in COLUMNS else column for column in columns), *asked]
    writer.writerow(map(escape_formulas, heading) if escape else heading)
    count = 0
    for result in results:
        cells = [
            str(result.row), result.key, result.id or "", result.status or "", result.outcome.value, result.error or "",
            *(result.extras.get(column, "") for column in columns),
            *(result.asked.get(name, "") for name in asked),
        ]  # fmt: skip
        writer.writerow(map(escape_formulas, cells) if escape else cells)
        count += 1
    return count


class _Lines:
    """Ends lines as Unix does. The writer itself is told of both characters, or it leaves a lone return unquoted."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def write(self, line: str) -> int:
        return self._file.write(line.removesuffix("\r\n") + "\n")


def stored_rows(
    store: BatchStore, loads: Sequence[Submission], *, results: bool = True
) -> Iterator[tuple[int, Row, Result | None]]:
    """Every row that was stored, in order, with the number of its load, and with what is known of it."""
    numbers = numbers_of(loads)
    while page := list(islice(numbers, _AT_ONCE)):
        found = store.tries([number for _, number in page], rows=True)
        for load, number in page:
            tries = found.get(number)
            if tries and tries[0].chunk is not None:
                known = latest_results(store, tries) if results else {}
                for row in tries[0].chunk.rows:
                    yield load.number, row, known.get(row.place)


def latest_results(store: BatchStore, tries: Sequence[Try]) -> dict[int, Result]:
    """What is known of the rows of a chunk, by their places, after all of its tries."""
    known: dict[int, Result] = {}
    for attempt in tries:
        if attempt.chunk is None or not (attempt.taken or attempt.over):
            continue
        found, began = store.results(attempt)
        if not attempt.over and began is None:
            continue
        rows = attempt.chunk.rows
        for row, result in zip(rows, found or [_open(row, began, over=attempt.over) for row in rows], strict=True):
            known[row.place] = result
    return known


def _open(row: Row, began: Sent | None, *, over: bool) -> Result:
    """The result of a row whose chunk ended without any, or has none yet."""
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
    found = result or (Result(RowOutcome.WAITING) if row.arguments is not None else _set_aside(row))
    asked = {name: str(row.arguments[name]) for name in ASKED if name in row.arguments} if row.arguments else {}
    return RowResult(row.number, row.key, found.id, found.status, found.outcome, found.error, row.extras, asked)


def escape_formulas(text: str) -> str:
    """The text with a single quote wherever a spreadsheet would begin to run it. Applied twice, it adds nothing."""
    if _BREAKS.search(text):
        text = _WITHIN.sub(r"\1'", text)
    return f"'{text}" if _BEGINS.match(text) else text
