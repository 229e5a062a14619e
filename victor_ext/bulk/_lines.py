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

from victor_ext._event_queue.databases import Condition
from victor_ext.outbox._files import ENTRIES, UNDER_WAY

from ._deciding import Verdict, decide, message_of
from ._payments import (
    LINES,
    PAGE,
    PAYMENTS,
    SHEETS,
    STATE,
    RequestedPayment,
    Sheet,
    StoredPayment,
    is_of_sheet,
    lines_with_payments,
    lines_with_rows,
    row_and_payment,
)
from ._rows import Result, RowContent, RowOutcome, content_of, key_after, result_of, times_of
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
        code: Why the row is not simply sent; None: it is, or was.
        row: The row that the payment was asked for; None: there is none.
        latest: The row of the latest sheet, which may have other values than `row`.
        outcome: What became of the row: what became of its payment, or `TO_DECIDE`.
        result: What became of the payment.
        message: The sentence about `code`, or the problems of a row that cannot be sent; None:
            there is none.
        restored: Whether the payment may have been asked since the backup of the state.
        asked_at: When the payment was first sent, an aware time; None: it was not.
        by_provider_clock: Whether this is the provider's time.
        asked_by: Who has sent the sheet that it was asked for.
        again: How many keys the payment had before the one that it is asked with.
    """

    sheet: str
    number: int
    key: str
    batch: str | None
    code: str | None
    row: RowContent | None = field(repr=False)
    latest: RowContent | None = field(repr=False)
    outcome: RowOutcome
    result: Result
    message: str | None
    restored: bool = False
    asked_at: datetime | None = None
    by_provider_clock: bool = False
    asked_by: str | None = None
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


def line_of_payment(store: Store, stored: Any, asked_by: str | None) -> Line:
    """Return a payment as the line of the sheet that it was asked for.

    Args:
        stored: A row with the `PAYMENT_COLUMNS`.
        asked_by: Who has sent that sheet.
    """
    row = content_of(store.vault, stored.row)
    result = result_of(store.vault, stored)
    return Line(
        sheet=stored.batch,
        number=stored.number,
        key=stored.key,
        batch=stored.batch,
        code=None,
        row=row,
        latest=row,
        outcome=result.outcome,
        result=result,
        message=None,
        restored=bool(stored.restored),
        asked_by=asked_by,
        again=stored.again,
        **times_of(stored),
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
        _is_lost(store).label("is_lost"),
    )
    query = sa.select(*by, sa.func.count().label("rows"))
    query = query.select_from(lines_with_payments(store.owner)).where(is_of_sheet(sheet.id))
    groups = connection.execute(query.group_by(*by)).all()
    if any(group.is_lost for group in groups):
        raise _lost(store)
    return groups


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
    query = sa.select(LINES.c.number).select_from(lines_with_payments(store.owner))
    lost = query.where(is_of_sheet(sheet.id), _is_lost(store)).limit(1)
    if connection.execute(lost).first():
        raise _lost(store)


def _is_lost(store: Store) -> Condition:
    """Holds for lines, joined with payments, whose payment was deleted, or what asks for it."""
    columns = PAYMENTS.c
    others = ENTRIES.alias()
    has_entry = sa.exists().where(others.c.scope == store.owner, others.c.key == LINES.c.key)
    return sa.or_(
        sa.and_(columns.key.is_(None), has_entry),
        sa.and_(columns.entry.is_not(None), STATE.is_(None)),
    )


def _lost(store: Store) -> StateLost:
    return StateLost.deleted(f"What {store.batch} has of its payments")


# Reading


def lines_of(stores: Sequence[Store]) -> Iterator[Line]:
    """Yield the rows of the latest sheets of batches of one state, one batch after another, as they
    are at one moment.

    Raises as `counts_of` does: before the first line if a batch was deleted, else before the line
    of the payment.
    """
    with stores[0].snapshot() as connection:
        sheets = [store.latest_sheet(connection) for store in stores]
        for store, sheet in zip(stores, sheets, strict=True):
            yield from _Reading(store, connection, sheet).lines()


class _Reading:
    """Reads the lines of a sheet."""

    def __init__(self, store: Store, connection: Connection, sheet: Sheet) -> None:
        self._store, self._connection, self._sheet = store, connection, sheet
        self._persons: dict[int, str | None] = {}

    def lines(self) -> Iterator[Line]:
        """Yield the rows as lines."""
        store, number = self._store, LINES.c.number
        more = (_is_lost(store).label("is_lost"), LINES.c.problems)
        query = lines_with_rows(store.owner, *more).where(is_of_sheet(self._sheet.id))
        next_page = query.where(number > sa.bindparam("last")).order_by(number).limit(PAGE)
        last = 0
        while page := self._connection.execute(next_page, {"last": last}).all():
            last = page[-1].line_number
            yield from map(self._line, page)

    def _line(self, stored: sa.Row[Any]) -> Line:
        """Return a row of the sheet as a line."""
        if stored.is_lost:
            raise _lost(self._store)
        vault = self._store.vault
        row, payment = row_and_payment(stored)
        verdict = decide(row, payment, self._sheet)
        is_own = payment is not None and payment.sheet == self._sheet.id
        latest = content_of(vault, row.row)
        message = None if row.is_valid else self._problems(stored.problems)
        asked = None
        result = Result(verdict.outcome)
        times: dict[str, Any] = {}
        if payment is not None:
            asked = latest if is_own else content_of(vault, payment.row)
            result = result_of(vault, payment)
            times = times_of(payment)
            times["asked_by"] = self._person_of(payment.sheet)
            times["again"] = payment.again
            if verdict.code is not None:
                named = replace(latest, value=latest.value or row.key)
                notice = message_of(verdict.code, named, payment, vault, self._store.kind)
                message = f"{notice} {message}" if message else notice
        return Line(
            sheet=self._store.batch,
            number=row.number,
            key=row.key,
            batch=None if payment is None else payment.batch,
            code=verdict.code,
            row=asked,
            latest=latest,
            outcome=verdict.outcome,
            result=result,
            message=message,
            restored=payment is not None and bool(payment.restored),
            **times,
        )

    def _problems(self, sealed: str | None) -> str | None:
        """Return the problems of a row, in sentences."""
        if sealed is None:
            return None
        return " ".join(message for _, _, message in self._store.vault.opened(sealed))

    def _person_of(self, sheet: int) -> str | None:
        if sheet not in self._persons:
            query = sa.select(SHEETS.c.person).where(SHEETS.c.id == sheet)
            sealed = self._connection.execute(query).scalar()
            self._persons[sheet] = None if sealed is None else self._store.vault.opened(sealed)
        return self._persons[sheet]
