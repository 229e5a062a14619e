"""The export of batches: each row with what is stored of it, or with its present status
(`results_of`), and as CSV (`write_csv`); and the book of a state, for a comparison with the
provider's (`results_of_payments`).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, TextIO

import sqlalchemy as sa

from victor_ext._tables.texts import write_table
from victor_ext.money import Money

from ._lines import Line, line_of_payment, lines_of
from ._payments import (
    EXISTS_OR_MAY,
    PAGE,
    PAYMENT_COLUMNS,
    PAYMENTS,
    SHEETS,
    WITH_ROWS,
    StoredPayment,
)
from ._row_kind import CurrentStatus, RowKind
from ._rows import RowOutcome, RowResult
from ._state import StateLost
from ._store import Store

COLUMNS = (
    *("number", "id", "status", "outcome", "error"),
    *("asked", "agreed", "currency", "batch"),
)
"""The attributes of a `RowResult` that are the first columns of the CSV."""
NOT_FOUND = "The provider does not have it any more."


def results_of(stores: Sequence[Store], *, refresh: bool = False) -> Iterator[RowResult]:
    """Return the result of each line of the batches, in the order of `lines_of`.

    Args:
        refresh: Read the provider's present statuses. All of them are read before this returns, so
            that a provider that cannot be read does not cut an export off. A row that is created
            after that keeps the status of its response.
    """
    kind = stores[0].kind
    statuses = current_statuses(kind, lines_of(stores)) if refresh else {}
    return (_result_of(line, kind, statuses.get(line.result.id or "")) for line in lines_of(stores))


def current_statuses(kind: RowKind, lines: Iterable[Line]) -> dict[str, CurrentStatus]:
    """Return what the provider says now of each payment of these lines that was created, by its id.
    Raises `VictorError`.
    """
    payments: dict[str, str | None] = {}
    for line in lines:
        # A person may have to decide about the row, whatever became of its payment.
        may_be_created = line.outcome in (RowOutcome.CREATED, RowOutcome.TO_DECIDE)
        if line.result.id is not None and may_be_created:
            payments[line.result.id] = _sent_values(line, kind).get(kind.list_filter_column)
    return kind.current_statuses(payments)


def _sent_values(line: Line, kind: RowKind) -> Mapping[str, Any]:
    """Return what the payment of a line asks for, by column, and the payout that it is in."""
    values: Mapping[str, Any] = {}
    if line.row is not None and line.row.arguments is not None:
        values = line.row.arguments
    return {**values, kind.unit_column: line.result.unit} if line.result.unit else values


def _result_of(line: Line, kind: RowKind, current: CurrentStatus | None = None) -> RowResult:
    """Return a line of a batch as a line of its export. `current` is what the provider says now."""
    result = line.result
    values = _sent_values(line, kind)
    asked, currency = None, kind.currency or None
    if result.outcome in EXISTS_OR_MAY and "amount" in values:
        amount, currency = kind.price(values)
        asked = Money.of(amount, currency).amount  # with all decimals of the currency
    # The reason of a result says more than the notice, if it is about the present outcome.
    is_about_outcome = result.error and line.outcome is result.outcome
    status, error = result.status, result.error if is_about_outcome else line.message
    agreed = None
    if current is not None:
        status = current.status
        error = NOT_FOUND if status is None else current.reason or error
        is_whole = current.amount in (None, asked)
        if current.is_agreed:
            agreed = asked if is_whole else current.amount
    return RowResult(
        number=line.value,
        id=result.id,
        status=status,
        outcome=line.outcome,
        error=error,
        asked=asked,
        agreed=agreed,
        currency=currency,
        batch=line.sheet,
        cells={} if line.latest is None else line.latest.cells,
        key=line.sent_key,
        reference=values.get(kind.reference),
        asked_at=line.asked_at,
        unit=result.unit,
        row=line.number,
    )


def results_of_payments(store: Store) -> Iterator[RowResult]:
    """Yield the result of each payment of the batch, or of all batches that were sent to this
    address if the store has no batch: the book, whatever sheets list the payments.

    Raises `StateLost` if what asks for a payment was deleted.
    """
    columns, batches = PAYMENTS.c, SHEETS.c
    of_address = sa.and_(batches.owner == store.owner, batches.address == store.address)
    of_batches = sa.select(batches.batch).where(of_address)
    if store.batch:
        of_batches = of_batches.where(batches.batch == store.batch)
    of_book = sa.and_(columns.owner == store.owner, columns.batch.in_(of_batches))
    query = sa.select(*PAYMENT_COLUMNS).select_from(WITH_ROWS).where(of_book)
    next_page = query.where(columns.key > sa.bindparam("last")).order_by(columns.key).limit(PAGE)
    last = ""
    with store.engine.connect() as connection:
        while page := connection.execute(next_page, {"last": last}).all():
            for payment in map(StoredPayment._make, page):
                if payment.entry is not None and payment.state is None:
                    raise StateLost.deleted(f"What {payment.batch} has of its payments")
                yield _result_of(line_of_payment(store, payment), store.kind)
            last = page[-1].key


# As CSV


def write_csv(file: TextIO, results: Iterable[RowResult], headings: Sequence[str]) -> int:
    """Write results as CSV and return their number: `COLUMNS`, and then the sheets' own cells under
    these headings.
    """

    def cells(result: RowResult) -> list[object]:
        ours: list[object] = [getattr(result, name) for name in COLUMNS]
        return ours + [result.cells.get(heading) for heading in headings]

    return write_table(file, chain([[*COLUMNS, *headings]], map(cells, results)))
