"""Read the latest sheets of batches: each of their rows with its payment (`lines_of`), and how many
a batch has by outcome (`counts_of`). What is said is the join of both: see `_joining.py`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection

from victor_ext.outbox._files import ENTRIES, UNDER_WAY

from ._deciding import Verdict, decide, message_of
from ._payments import (
    LINES,
    PAYMENTS,
    STATE,
    RequestedPayment,
    Sheet,
    StoredPayment,
    is_of_sheet,
    lines_with_payments,
    stored_lines,
)
from ._rows import Result, RowContent, RowOutcome, asked_at_of, content_of, key_after, result_of
from ._state import StateLost
from ._store import Store


@dataclass(slots=True)
class Line:
    """A row of the latest sheet of a batch, with its payment.

    Attributes:
        sheet: The batch whose latest sheet this is.
        number: The record number in the sheet, from 1.
        key: The key of the payment; empty: the row has none.
        batch: The batch that sends, or has sent, the payment; None: there is no payment.
        row: The row that the payment was asked for; None: there is none.
        latest: The row of the latest sheet, which may have other values than `row`.
        outcome: What became of the row: what became of its payment, or `TO_DECIDE`.
        result: What became of the payment.
        message: Why the row is not simply sent, or its problems; None: there is nothing to say.
        restored: Whether the payment may have been asked since the backup of the state.
        asked_at: When the payment was first sent, an aware time; None: it was not.
        again: How many keys the payment had before the one that it is asked with.
    """

    sheet: str
    number: int
    key: str
    batch: str | None
    row: RowContent | None = field(repr=False)
    latest: RowContent | None = field(repr=False)
    outcome: RowOutcome
    result: Result
    message: str | None
    restored: bool = False
    asked_at: datetime | None = None
    again: int = 0

    @property
    def sent_key(self) -> str:
        """The idempotency key that its payment is asked with; empty: it has none."""
        return key_after(self.key, self.again)

    @property
    def value(self) -> str:
        """What a person calls the row: the value in the key column, or the key of the row if the
        value is forgotten.
        """
        for row in (self.latest, self.row):
            if row is not None and row.value:
                return row.value
        return self.key


def line_of_payment(store: Store, stored: StoredPayment) -> Line:
    """Return a payment as the line of the sheet that it was asked for."""
    row = content_of(store.vault, stored.row)
    result = result_of(store.vault, stored)
    return Line(
        sheet=stored.batch,
        number=stored.number,
        key=stored.key,
        batch=stored.batch,
        row=row,
        latest=row,
        outcome=result.outcome,
        result=result,
        message=None,
        restored=bool(stored.restored),
        asked_at=asked_at_of(stored),
        again=stored.again,
    )


class LineCounts(NamedTuple):
    """How many rows the latest sheet of a batch has.

    Attributes:
        outcomes: The rows by outcome.
        codes: The rows that are not simply sent, by the code that says why.
        under_way: Those of the unknown rows that a worker has begun with.
    """

    outcomes: Counter[RowOutcome]
    codes: Counter[str]
    under_way: int


# Counting


def counts_of(store: Store) -> LineCounts:
    """Count the rows of the latest sheet: by one statement, those that have all in common by which
    they are decided about.

    Raises `StateLost` if the batch, or one of its payments, was deleted.
    """
    outcomes, codes, under_way = Counter[RowOutcome](), Counter[str](), 0
    with store.snapshot() as connection:
        sheet = store.latest_sheet(connection)
        refuse_lost(store, connection, sheet)
        for group in _groups(store, connection, sheet):
            verdict = _verdict_of(group, sheet)
            outcomes[verdict.outcome] += group.rows
            under_way += group.rows if group.state == UNDER_WAY else 0
            if verdict.code is not None:
                codes[verdict.code] += group.rows
    return LineCounts(outcomes, codes, under_way)


def _groups(store: Store, connection: Connection, sheet: Sheet) -> Sequence[Any]:
    lines, columns = LINES.c, PAYMENTS.c
    dates_differ = lines.due_date.is_distinct_from(columns.due_date)
    by = (
        lines.is_valid,
        STATE.label("state"),
        columns.again,
        (lines.values_digest == columns.values_digest).label("has_same_values"),
        sa.case((dates_differ, lines.due_date)).label("due_date"),
        sa.case((dates_differ, columns.due_date)).label("asked_due_date"),
        columns.key.is_not(None).label("has_payment"),
        columns.batch,
        (columns.sheet > sheet.id).label("is_newer"),
    )
    query = sa.select(*by, sa.func.count().label("rows"))
    query = query.select_from(lines_with_payments(store.owner)).where(is_of_sheet(sheet.id))
    return connection.execute(query.group_by(*by)).all()


def _verdict_of(group: Any, sheet: Sheet) -> Verdict:
    """Return what the rows of a group come to."""
    row = RequestedPayment(
        0, is_valid=group.is_valid, values_digest="values", due_date=group.due_date
    )
    stored = None
    if group.has_payment:
        stored = StoredPayment(
            key="",
            batch=group.batch,
            sheet=(sheet.id or 0) + (1 if group.is_newer else 0),
            state=group.state,
            again=group.again,
            values_digest=row.values_digest if group.has_same_values else "others",
            due_date=group.asked_due_date,
        )
    return decide(row, stored, sheet)


def refuse_lost(store: Store, connection: Connection, sheet: Sheet) -> None:
    """Raise `StateLost` if a payment of the sheet was deleted, or what asks for one."""
    columns = PAYMENTS.c
    others = ENTRIES.alias()
    has_entry = sa.exists().where(others.c.scope == store.owner, others.c.key == LINES.c.key)
    is_lost = sa.or_(
        sa.and_(columns.key.is_(None), has_entry),
        sa.and_(columns.entry.is_not(None), STATE.is_(None)),
    )
    query = sa.select(LINES.c.number).select_from(lines_with_payments(store.owner))
    if connection.execute(query.where(is_of_sheet(sheet.id), is_lost).limit(1)).first():
        raise StateLost.deleted(f"What {store.batch} has of its payments")


# Reading


def lines_of(stores: Sequence[Store]) -> Iterator[Line]:
    """Yield the rows of the latest sheets of batches of one state, one batch after another, as they
    are at one moment.

    Raises as `counts_of` does, before the first line.
    """
    with stores[0].snapshot() as connection:
        sheets = [store.latest_sheet(connection) for store in stores]
        for store, sheet in zip(stores, sheets, strict=True):
            refuse_lost(store, connection, sheet)
        for store, sheet in zip(stores, sheets, strict=True):
            for stored in stored_lines(connection, store.owner, sheet.id):
                yield _line_of(store, sheet, *stored)


def _line_of(
    store: Store,
    sheet: Sheet,
    row: RequestedPayment,
    payment: StoredPayment | None,
    problems: str | None,
) -> Line:
    """Return a row of a sheet as a line. `problems` are encrypted."""
    verdict = decide(row, payment, sheet)
    message = None if row.is_valid else _problems_of(store, problems)
    if payment is None:
        return Line(
            sheet=store.batch,
            number=row.number,
            key=row.key,
            batch=None,
            row=None,
            latest=content_of(store.vault, row.row),
            outcome=verdict.outcome,
            result=Result(verdict.outcome),
            message=message,
        )
    line = line_of_payment(store, payment)
    line.sheet, line.number = store.batch, row.number
    line.outcome = verdict.outcome
    if payment.sheet != sheet.id:
        line.latest = content_of(store.vault, row.row)
    if verdict.code is not None and line.latest is not None:
        named = replace(line.latest, value=line.value)
        notice = message_of(verdict.code, named, payment, store.vault, store.kind)
        message = " ".join(filter(None, [notice, message]))
    line.message = message
    return line


def _problems_of(store: Store, sealed: str | None) -> str | None:
    """Return the problems of a row, in sentences; None: they are forgotten."""
    if sealed is None:
        return None
    return " ".join(message for _, _, message in store.vault.opened(sealed))
