"""The export of batches: each row with what is stored of it, or with its present status
(`results_of`), and as CSV (`write_csv`); and the book of a state, for a comparison with the
provider's (`results_of_payments`).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any, TextIO

import sqlalchemy as sa
from sqlalchemy import Connection

from victor_ext import zulu
from victor_ext._tables.row_file import RowFile, in_own_words
from victor_ext._tables.texts import write_table

from ._column_types import formed_columns
from ._lines import Line, line_of_payment, lines_of
from ._payments import PAGE, PAYMENT_COLUMNS, PAYMENTS, SHEETS, WITH_ROWS
from ._row_kind import RowKind
from ._rows import RowResult
from ._state import StateLost
from ._store import Store

COLUMNS = (
    *("row", "key", "id", "status", "outcome", "error"),
    *("batch", "asked_at", "asked_by", "sheet"),
)
"""The attributes of a `RowResult` that are the first columns of the CSV."""
OUR_CLOCK = " (our clock)"
"""What stands after a time that is not the provider's."""
NOT_FOUND = "The provider does not have it any more."


def results_of(stores: Sequence[Store], *, refresh: bool = False) -> Iterator[RowResult]:
    """Return the result of each line of the batches, in the order of `lines_of`.

    Args:
        refresh: Read the provider's present statuses. All of them are read before this returns, so
            that a provider that cannot be read does not cut an export off. A row that is created
            after that keeps the status of its response.
    """
    kind = stores[0].kind
    results = (result_of_line(line, kind) for line in lines_of(stores))
    if not refresh:
        return results
    statuses = kind.current_statuses(results)

    def current(line: Line) -> RowResult:
        result = result_of_line(line, kind)
        status = statuses.get(result.id or "")
        if status is None:
            return result
        error = NOT_FOUND if status.status is None else status.reason or result.error
        return replace(result, status=status.status, error=error)

    return map(current, lines_of(stores))


def result_of_line(line: Line, kind: RowKind) -> RowResult:
    """Return a line of a batch as a line of its export."""
    result = line.result
    asked = line.row or line.latest
    values: Mapping[str, Any] = {}
    if asked is not None and asked.arguments is not None:
        values = asked.arguments
    if result.unit:
        values = {**values, kind.unit_column: result.unit}
    # The reason of a result says more than the notice, if it is about the present outcome.
    is_about_outcome = result.error and line.outcome is result.outcome
    return RowResult(
        row=line.number,
        key=line.sent_key,
        id=result.id,
        status=result.status,
        outcome=line.outcome,
        error=result.error if is_about_outcome else line.message,
        extras={} if line.latest is None else line.latest.extras,
        asked={name: str(values[name]) for name in kind.exported if name in values},
        batch=line.batch,
        asked_at=line.asked_at,
        by_provider_clock=line.by_provider_clock,
        asked_by=line.asked_by,
        sheet=line.sheet,
    )


# The book: payments, whatever sheets list them


def results_of_payments(store: Store) -> Iterator[RowResult]:
    """Yield the result of each payment of the batch, or of all batches that were sent to this
    address if the store has no batch.

    Raises `StateLost` if what asks for a payment was deleted.
    """
    last_key = ""
    with store.engine.connect() as connection:
        while page := _page_after(store, connection, last_key):
            for stored in page:
                yield result_of_line(_line_of(store, stored), store.kind)
            last_key = page[-1].key


def _page_after(store: Store, connection: Connection, key: str) -> list[Any]:
    """Return the next payments after the one with this key."""
    columns, batches = PAYMENTS.c, SHEETS.c
    of_address = sa.and_(batches.owner == store.owner, batches.address == store.address)
    of_batches = sa.select(batches.batch).where(of_address)
    if store.batch:
        of_batches = of_batches.where(batches.batch == store.batch)
    query = sa.select(*PAYMENT_COLUMNS, SHEETS.c.person)
    query = query.select_from(WITH_ROWS.outerjoin(SHEETS, SHEETS.c.id == columns.sheet))
    query = query.where(
        columns.owner == store.owner, columns.batch.in_(of_batches), columns.key > key
    )
    return [*connection.execute(query.order_by(columns.key).limit(PAGE))]


def _line_of(store: Store, stored: Any) -> Line:
    """Return a payment as the line of the sheet that it was asked for."""
    if stored.entry is not None and stored.state is None:
        raise StateLost.deleted(f"What {stored.batch} has of its payments")
    by = None if stored.person is None else store.vault.opened(stored.person)
    return line_of_payment(store, stored, by)


# As CSV


def common_form(forms: Iterable[Mapping[str, Any]]) -> RowFile:
    """Return how all sheets of these forms are written. Where they differ, it is as without any
    form: columns have our names, and amounts and dates are as `create` takes them.
    """
    files = [RowFile("", **form) for form in forms]
    first, *others = files
    return RowFile(
        "",
        {
            name: heading
            for name, heading in first.columns.items()
            if all(other.columns.get(name) == heading for other in others)
        },
        decimal=_common({file.decimal for file in files}),
        date_format=_common({file.date_format for file in files}),
    )


def _common(values: set[str | None]) -> str | None:
    """Return the only one of these values; None: there are several."""
    return values.pop() if len(values) == 1 else None


def write_csv(
    file: TextIO,
    results: Iterable[RowResult],
    columns: Sequence[str],
    *,
    kind: RowKind | type[RowKind],
    source: RowFile,
    escape: bool = True,
    on_result: Callable[[RowResult], object] | None = None,
) -> int:
    """Write results as CSV and return their number.

    Columns and messages name the columns as the source does, which also says how amounts and dates
    are written. If the name of a column of the source is that of another column, it gets the prefix
    `file_`, again until the name is free. The columns of sent values come last. If a sent value is
    the key column, it is among the extra columns, and not repeated.

    Args:
        columns: The extra columns of the source, or of all sources.
        source: How the source is written: see `common_form`.
        escape: As for `write_table`.
        on_result: Called with each result before it is written.
    """
    value_columns = [name for name in kind.exported if name not in columns]
    own_names = [source.columns.get(name) or name for name in (*value_columns, *columns)]
    names = list(_free_names(own_names))
    heading = [*COLUMNS, *names[len(value_columns) :], *names[: len(value_columns)]]
    formed = formed_columns(kind.columns)

    def cells(result: RowResult) -> list[str | int | None]:
        if on_result is not None:
            on_result(result)
        extras, sent = result.extras, result.asked
        if not source.is_written_as_read:
            sent = {name: source.written(name, text, formed) for name, text in sent.items()}
        return [  # in the order of `COLUMNS`, and then of the heading
            result.row,
            result.key,
            result.id,
            result.status,
            result.outcome,
            in_own_words(result.error, source.columns) if result.error else result.error,
            result.batch,
            asked_at_text(result),
            result.asked_by,
            result.sheet,
            # One may be the key column of another batch.
            *[extras.get(name, sent.get(name)) for name in columns],
            # A row that is wrong asks for nothing: it has its cells.
            *[sent.get(name, extras.get(name)) for name in value_columns],
        ]

    return write_table(file, chain([heading], map(cells, results)), escape=escape)


def asked_at_text(result: RowResult) -> str | None:
    """Return when a row was first sent, as text; None: it was not."""
    if result.asked_at is None:
        return None
    text = zulu.format(result.asked_at)
    return text if result.by_provider_clock else f"{text}{OUR_CLOCK}"


def _free_names(columns: Sequence[str]) -> Iterator[str]:
    """Yield a name for each of these columns that no other column has.

    Names that differ only by blanks around them count as the same.
    """
    used_names = {*COLUMNS, ""}
    # A column that keeps its name goes before one that would get this name by a prefix.
    unprefixed = {column.strip() for column in columns} - used_names
    for column in columns:
        name = column
        while name.strip() in used_names or (name != column and name.strip() in unprefixed):
            name = f"file_{name}"
        used_names.add(name.strip())
        yield name
