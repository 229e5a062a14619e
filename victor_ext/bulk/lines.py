"""Read the lines of a batch: the rows of its latest file, each with its payment (`lines_of`), and
their number by outcome (`counts_of`).

The lines are written by `storing.replace_lines`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection

from victor_ext.outbox.files import ENTRIES

from .deciding import TO_DECIDE
from .payments import ASKED, LEFT_OUT, LINES, PAGE, PAYMENT_COLUMNS, STATE, UNDER_WAY
from .rows import FileRow, Result, RowOutcome, result_of, row_of
from .state import StateLost
from .store import Store


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a batch: a row of its latest file, or a payment that was in doubt and that the file
    lacks.

    Attributes:
        number: The record number in the file, from 1; 0: the file lacks the payment.
        key: The key of the payment; empty: the row has none.
        batch: The batch that sends, or has sent, the payment; None: there is no payment.
        code: The code of the notice about the line; None: there is no notice.
        row: The row that the payment was asked with; None: there is none, or it was forgotten.
        latest: The row of the latest file, which may have other values than `row`.
        outcome: What became of the row: what became of its payment, or `TO_DECIDE`.
        result: What became of the payment.
        message: The message of the notice, or the problems of a row that cannot be sent; None:
            there is none.
        restored: Whether the payment may have been asked since the backup of the state.
    """

    number: int
    key: str
    batch: str | None
    code: str | None
    row: FileRow | None = field(repr=False)
    latest: FileRow | None = field(repr=False)
    outcome: RowOutcome
    result: Result
    message: str | None
    restored: bool = False

    @property
    def sent_key(self) -> str:
        """The idempotency key that its payment is asked with; empty: it has none."""
        return self.key if self.row is None else self.row.key

    @property
    def value(self) -> str:
        """What a person calls the row: the value in the key column, or the key of the row if the
        value is forgotten.
        """
        for row in (self.row, self.latest):
            if row is not None and row.value:
                return row.value
        return self.key


class LineCounts(NamedTuple):
    """How many lines a batch has.

    Attributes:
        outcomes: The lines by outcome.
        codes: The lines with a notice, by its code.
        under_way: Those of the unknown lines that a worker has begun with.
        left_out: Those of the refused lines whose payment belongs to another batch, and which the
            latest file of that batch lacks.
    """

    outcomes: Counter[RowOutcome]
    codes: Counter[str]
    under_way: int
    left_out: int


def counts_of(store: Store) -> LineCounts:
    """Count the lines of the batch.

    Raises `StateLost` if the batch, or one of its payments, was deleted.
    """
    with store.engine.connect() as connection:
        if not store.is_stored(connection):
            raise StateLost.deleted(f"The batch {store.batch}")
        groups = _groups(store, connection)
    outcomes = Counter[RowOutcome]()
    codes = Counter[str]()
    states = Counter[str | None]()
    for group in groups:
        outcomes[_outcome_of(group.state, group.code)] += group.lines
        states[group.state] += group.lines
        if group.code is not None:
            codes[group.code] += group.lines
    return LineCounts(outcomes, codes, states[UNDER_WAY], states[LEFT_OUT])


def _groups(store: Store, connection: Connection) -> Sequence[Any]:
    """Return the number of lines, by notice and by the state of their payment. Raises as
    `refuse_lost` does.
    """
    lines = LINES.c
    by = (lines.code, STATE.label("state"), lines.key.is_not(None).label("has_key"))
    query = sa.select(*by, sa.func.count().label("lines")).select_from(_lines_with_payments())
    groups = connection.execute(query.where(store.is_line()).group_by(*by)).all()
    if any(group.state is None and group.has_key for group in groups):
        raise StateLost.deleted(f"What {store.batch} has of its payments")
    return groups


def refuse_lost(store: Store, connection: Connection) -> None:
    """Raise `StateLost` if a line of the batch has a key whose payment was deleted."""
    _groups(store, connection)


def lines_of(store: Store) -> Iterator[Line]:
    """Yield the lines of the batch in the order of its latest file, and then the payments that were
    in doubt and that the file lacks.
    """
    number = LINES.c.number
    query = _lines_query(store)
    listed = query.order_by(number).limit(PAGE)
    unlisted = query.where(number < 0).order_by(number.desc())
    last = 0
    with store.engine.connect() as connection:
        refuse_lost(store, connection)
        while page := connection.execute(listed.where(number > last)).all():
            yield from (_line(store, stored) for stored in page)
            last = page[-1].number
        yield from (_line(store, stored) for stored in connection.execute(unlisted).all())


def present_lines(
    store: Store,
    connection: Connection,
    keys: Sequence[str],
) -> dict[str, Line]:
    """Return the lines of the batch with these keys, by key, as the transaction sees them."""
    query = _lines_query(store).where(LINES.c.key.in_(keys))
    lines = [_line(store, stored) for stored in connection.execute(query)]
    return {line.key: line for line in lines}


def _lines_with_payments() -> Any:
    """Return the tables of lines, payments and entries, joined: a line without a payment stays."""
    lines, columns = LINES.c, ASKED.c
    is_its_payment = sa.and_(columns.owner == lines.owner, columns.key == lines.key)
    is_its_entry = sa.and_(ENTRIES.c.scope == columns.owner, ENTRIES.c.key == columns.entry)
    return LINES.outerjoin(ASKED, is_its_payment).outerjoin(ENTRIES, is_its_entry)


def _lines_query(store: Store) -> sa.Select[Any]:
    """Return the query for the lines of the batch, which `_line` reads.

    `line_key` and `line_row` are the columns of the line; `key` and `row` are those of its payment.
    """
    lines = LINES.c
    return (
        sa.select(lines.number, lines.key.label("line_key"), lines.code, lines.message)
        .add_columns(lines.row.label("line_row"), *PAYMENT_COLUMNS)
        .select_from(_lines_with_payments())
        .where(store.is_line())
    )


def _line(store: Store, stored: Any) -> Line:
    """Return the line that a row of `_lines_query` has."""
    vault = store.vault
    key = stored.line_key or ""
    line_row: FileRow | None = None
    if stored.line_row is not None:
        line_row = FileRow.of_stored(vault, key, stored.line_row)
    payment_row: FileRow | None = None
    result = Result(RowOutcome.REFUSED)
    if stored.state is not None:  # there is a payment
        payment_row = row_of(vault, stored)
        result = result_of(vault, stored)
    message = None if stored.message is None else str(vault.deserialize(stored.message))
    return Line(
        number=max(0, stored.number),
        key=key,
        batch=stored.batch,
        code=stored.code,
        row=payment_row or line_row,
        latest=line_row or payment_row,
        outcome=_outcome_of(stored.state, stored.code),
        result=result,
        message=message,
        restored=bool(stored.restored),
    )


def _outcome_of(state: str | None, code: str | None) -> RowOutcome:
    """Return the outcome of a line.

    Args:
        state: The state of its payment; None: it has no payment.
        code: The code of its notice; None: there is none.
    """
    if state == UNDER_WAY:
        return RowOutcome.UNKNOWN
    if state is None or state == LEFT_OUT:
        return RowOutcome.REFUSED
    if state == RowOutcome.CREATED and code in TO_DECIDE:
        # What was created is not what the row asks for.
        return RowOutcome.TO_DECIDE
    return RowOutcome(state)
