"""Read the latest sheets of batches: each of their rows with its payment (`lines_of`), and how many
a batch has by outcome (`counts_of`). What is said is the join of both: see `_joining.py`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import islice
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection

from victor_ext import idempotency_key_for
from victor_ext._event_queue.databases import Condition
from victor_ext.outbox._files import ENTRIES, UNDER_WAY, named_entries

from ._deciding import (
    Code,
    Verdict,
    decide,
    message_of,
    question_message,
)
from ._joining import (
    Numbers,
    StoredRows,
    is_askable,
    joined,
    may_be_asked,
)
from ._payments import (
    DECISIONS,
    EXISTS_OR_MAY,
    LINES,
    PAGE,
    PAY,
    PAYMENT_COLUMNS,
    PAYMENTS,
    SHEETS,
    STATE,
    WITH_ENTRIES,
    WITH_ROWS,
    RequestedPayment,
    Sheet,
    StoredPayment,
    is_of_sheet,
    lines_with_payments,
    lines_with_rows,
    pages,
    row_and_payment,
)
from ._rows import (
    Result,
    RowContent,
    RowOutcome,
    content_of,
    key_after,
    outcome_of,
    result_of,
    times_of,
)
from ._settings import Person
from ._state import StateLost
from ._store import Store

NAMED = 100
"""Of so many payments that the latest sheet lacks, a status has the names."""


@dataclass(slots=True)
class Line:
    """A row of the latest sheet of a batch; or a payment of the batch that this sheet lacks.

    Attributes:
        sheet: The batch whose latest sheet this is.
        number: The record number in the sheet, from 1; 0: the sheet lacks the payment.
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
        values_digest: Digest of the values of the row, or of the payment that the sheet lacks.
        is_decided: Whether a person has decided that the payment is paid though the sheet lacks it.
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
    values_digest: str = ""
    is_decided: bool = False
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
        values_digest=stored.values_digest,
        again=stored.again,
        **times_of(stored),
    )


class LineCounts(NamedTuple):
    """How many rows the latest sheet of a batch has.

    Attributes:
        outcomes: The rows by outcome, with the payments that the sheet lacks and that are in doubt,
            or wait for a decision.
        codes: The rows that are not simply sent, by the code that says why.
        under_way: Those of the unknown rows that a worker has begun with.
        lacking: How many payments of the batch were created, or may have been, that the sheet
            lacks.
    """

    outcomes: Counter[RowOutcome]
    codes: Counter[str]
    under_way: int
    lacking: int


# Counting


def counts_of(store: Store) -> LineCounts:
    """Count the rows of the latest sheet.

    Raises `StateLost` if the batch, or one of its payments, was deleted.
    """
    codes = Counter[str]()
    with store.snapshot() as connection:
        sheet = store.latest_sheet(connection)
        asked = _asked_counts(store, connection, sheet)
        outcomes = Counter[RowOutcome]()
        for state, count in asked.items():
            outcomes[outcome_of(state)] += count
        under_way = asked[UNDER_WAY]
        lacking = 0
        groups = _other_groups(store, connection, sheet, asked.total())
        verdicts = [
            (_verdict_of(group, sheet), group.rows) for group in groups if not group.may_be_asked
        ]
        if any(group.may_be_asked for group in groups):
            unasked = _verdicts_of_unasked(store, connection, sheet)
            verdicts += [(verdict, 1) for verdict in unasked.values()]
        for verdict, count in verdicts:
            outcomes[verdict.outcome] += count
            if verdict.code is not None:
                codes[verdict.code] += count
        under_way += sum(group.rows for group in groups if group.state == UNDER_WAY)
        for outcome, state, count in _lacking_counts(store, connection, sheet):
            lacking += count
            if outcome is not RowOutcome.CREATED:
                outcomes[outcome] += count
                under_way += count if state == UNDER_WAY else 0
    return LineCounts(outcomes, codes, under_way, lacking)


def _was_asked(store: Store, sheet: Sheet) -> Condition:
    """Holds for payments that were asked for rows of the sheet, and are not to be asked once more.

    What is said of such a row is what became of its payment: both have the same values.
    """
    columns = PAYMENTS.c
    return sa.and_(
        store.is_of_batch(),
        columns.sheet == sheet.id,
        columns.account == sheet.account,
        columns.entry.is_not(None),
        sa.not_(is_askable(store.owner, PAYMENTS)),
    )


def _is_other(store: Store, sheet: Sheet) -> Condition:
    """Holds for the other rows, joined with payments."""
    return sa.not_(sa.func.coalesce(_was_asked(store, sheet), False))


def _asked_counts(store: Store, connection: Connection, sheet: Sheet) -> Counter[str]:
    """Return how many payments were asked for rows of the sheet, by their state: the rows are not
    read.
    """
    state = STATE.label("state")
    query = sa.select(state, sa.func.count().label("rows")).select_from(WITH_ENTRIES)
    groups = connection.execute(query.where(_was_asked(store, sheet)).group_by(state))
    return Counter({group.state: group.rows for group in groups})


def _other_groups(store: Store, connection: Connection, sheet: Sheet, asked: int) -> Sequence[Any]:
    """Return how many of the other rows have all in common by which they are decided about, by one
    statement. Those that may be asked for are decided about one by one. Raises as `refuse_lost`
    does.

    Args:
        asked: How many rows there are beside them.
    """
    lines, columns = LINES.c, PAYMENTS.c
    in_sheet = is_of_sheet(sheet.id)
    listed = connection.execute(sa.select(sa.func.count()).select_from(LINES).where(in_sheet))
    if listed.scalar_one() == asked:
        return []
    dates_differ = lines.due_date.is_distinct_from(columns.due_date)
    by = (
        lines.is_valid,
        STATE.label("state"),
        columns.again,
        (lines.values_digest == columns.values_digest).label("has_same_values"),
        sa.case((dates_differ, lines.due_date)).label("due_date"),
        sa.case((dates_differ, columns.due_date)).label("asked_due_date"),
        columns.account,
        columns.batch,
        (columns.sheet == sheet.id).label("is_own"),
        (columns.sheet > sheet.id).label("is_newer"),
        may_be_asked(store.owner).label("may_be_asked"),
        _is_lost(store).label("is_lost"),
    )
    query = sa.select(*by, sa.func.count().label("rows"))
    query = query.select_from(lines_with_payments(store.owner))
    others = query.where(in_sheet, _is_other(store, sheet))
    groups = connection.execute(others.group_by(*by)).all()
    if any(group.is_lost for group in groups):
        raise _lost(store)
    return groups


def _verdict_of(group: Any, sheet: Sheet) -> Verdict:
    """Return what the rows of a group come to, which are not to be asked for now."""
    row = RequestedPayment(
        0, is_valid=group.is_valid, values_digest="values", due_date=group.due_date
    )
    stored = None
    if group.state is not None:
        stored = StoredPayment(
            key="",
            batch=group.batch,
            sheet=(sheet.id or 0) + (1 if group.is_newer else 0),
            state=group.state,
            again=group.again,
            account=group.account,
            values_digest=row.values_digest if group.has_same_values else "others",
            due_date=group.asked_due_date,
        )
    verdict = decide(row, stored, sheet)
    return replace(verdict, code=_reported_code(verdict, is_own=bool(group.is_own)))


def _reported_code(verdict: Verdict, *, is_own: bool) -> Code | None:
    """What is reported of a row. `is_own`: its payment was asked for this very row."""
    if is_own and verdict.code in (Code.CREATED_BEFORE, Code.REJECTED_BEFORE):
        return None
    return verdict.code


def refuse_lost(store: Store, connection: Connection, sheet: Sheet) -> None:
    """Raise `StateLost` if a payment of the sheet was deleted, or what asks for one."""
    lines = LINES.c
    query = sa.select(lines.number).select_from(lines_with_payments(store.owner))
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


# What the latest sheet lacks


def _is_lacking(store: Store, sheet: Sheet) -> Condition:
    """Whether a payment of the batch was sent, or may have been, and the latest sheet lacks it."""
    return sa.and_(store.is_lacking(sheet.id), STATE.in_(EXISTS_OR_MAY))


def _lacking_counts(
    store: Store, connection: Connection, sheet: Sheet
) -> Iterator[tuple[RowOutcome, str, int]]:
    """Yield the outcomes of payments that the latest sheet lacks, their states, and how many there
    are.
    """
    by = (STATE.label("state"), PAYMENTS.c.made, SHEETS.c.series, _is_to_pay(store))
    query = sa.select(*by, sa.func.count().label("rows"))
    query = query.select_from(WITH_ENTRIES.join(SHEETS, SHEETS.c.id == PAYMENTS.c.sheet))
    groups = connection.execute(query.where(_is_lacking(store, sheet)).group_by(*by)).all()
    is_open = open_units(store, connection, {group.made for group in groups})
    for group in groups:
        outcome = _outcome_of_lacking(group, sheet, is_open)
        if outcome is not None:
            yield outcome, group.state, group.rows


def _outcome_of_lacking(
    stored: Any, sheet: Sheet, is_open: Collection[str | None]
) -> RowOutcome | None:
    """Return what is reported of payments that a sheet lacks; None: nothing is, they are paid, or
    will be, and of an earlier series.

    Args:
        stored: A row with their state, what was made, its series, and `is_to_pay`.
        is_open: The payouts with which no step was taken yet.
    """
    if stored.made in is_open and not stored.is_to_pay:
        return RowOutcome.TO_DECIDE
    if stored.state == RowOutcome.CREATED and stored.series != sheet.series:
        return None
    return outcome_of(stored.state)


def open_units(
    store: Store, connection: Connection, units: Collection[str | None]
) -> set[str | None]:
    """Return those of these payouts with which no step was taken yet: their payments are accepted,
    and not paid.
    """
    if not store.kind.steps:
        return set()
    named = {unit for unit in units if unit is not None}
    by_key = {idempotency_key_for(step, unit): unit for unit in named for step in store.kind.steps}
    taken: set[str] = set()
    for page in pages(sorted(by_key)):
        is_step = named_entries(store.owner, page)
        query = sa.select(ENTRIES.c.key).where(is_step, ENTRIES.c.state == "sent")
        taken |= {by_key[key] for key in connection.execute(query).scalars()}
    return {*(named - taken)}


def _is_to_pay(store: Store) -> sa.ColumnElement[bool]:
    """The column `is_to_pay`. Whether a person has decided that a payment is paid as it was asked
    for: only of what has steps, somebody does.
    """
    columns = DECISIONS.c
    is_decided = sa.exists().where(
        columns.owner == store.owner,
        columns.key == PAYMENTS.c.key,
        columns.values_digest == PAYMENTS.c.values_digest,
        columns.what == PAY,
        columns.again == PAYMENTS.c.again,
    )
    return (is_decided if store.kind.steps else sa.literal(value=False)).label("is_to_pay")


def names_of_lacking(store: Store) -> list[str]:
    """Return what people call the payments that the latest sheet lacks, of at most `NAMED`."""
    with store.engine.connect() as connection:
        sheet = store.latest_sheet(connection)
        lacking = _Reading(store, connection, sheet).lacking()
        return [line.value or line.key for line in islice(lacking, NAMED)]


def _lacking(store: Store, sheet: Sheet, *more: sa.ColumnElement[Any]) -> sa.Select[Any]:
    """Return the query for the payments that the latest sheet lacks, in the order in which they
    were asked for: the `PAYMENT_COLUMNS`, and these.
    """
    columns = PAYMENTS.c
    query = sa.select(*PAYMENT_COLUMNS, *more)
    query = query.select_from(WITH_ROWS.join(SHEETS, SHEETS.c.id == columns.sheet))
    in_order = query.order_by(columns.sheet, columns.number, columns.key)
    return in_order.where(_is_lacking(store, sheet))


# Reading


def lines_of(stores: Sequence[Store]) -> Iterator[Line]:
    """Yield the lines of batches of one state, one batch after another, as they are at one moment.

    Of a batch, these are the rows of its latest sheet in their order, and then its payments that
    were created, or may have been, and that the sheet lacks. Raises as `counts_of` does: before the
    first line if a batch was deleted, else before the line of the payment.
    """
    with stores[0].snapshot() as connection:
        sheets = [store.latest_sheet(connection) for store in stores]
        for store, sheet in zip(stores, sheets, strict=True):
            read = _Reading(store, connection, sheet)
            yield from read.lines()
            yield from read.lacking()


def other_lines(store: Store, connection: Connection) -> Iterator[Line]:
    """Yield the lines of a batch as `lines_of` does, without the rows of which nothing is said but
    what became of their payments, which were asked for them.
    """
    sheet = store.latest_sheet(connection)
    read = _Reading(store, connection, sheet)
    yield from read.lines(_is_other(store, sheet))
    yield from read.lacking()


def lines_with_numbers(
    store: Store, connection: Connection, numbers: Collection[int]
) -> list[Line]:
    """Return the rows of the latest sheet with these numbers, as the transaction sees them, in
    their order.
    """
    sheet = store.latest_sheet(connection)
    return [*_Reading(store, connection, sheet).lines(LINES.c.number.in_(numbers))]


def _verdicts_of_unasked(store: Store, connection: Connection, sheet: Sheet) -> dict[int, Verdict]:
    """Return what the rows come to that may be asked for, by their numbers. Raises as `refuse_lost`
    does.
    """
    lines, is_lost = LINES.c, _is_lost(store)
    query = sa.select(lines.number, is_lost.label("is_lost"))
    query = query.select_from(lines_with_payments(store.owner)).where(is_of_sheet(sheet.id))
    unasked = Numbers()
    for line in connection.execute(query.where(sa.or_(may_be_asked(store.owner), is_lost))):
        if line.is_lost:
            raise _lost(store)
        unasked.add(line.number)
    rows = StoredRows(connection, sheet.id or 0)
    chosen = map(rows.with_numbers, pages(unasked))
    joins = joined(connection, store.owner, sheet, rows, chosen)
    return {each.row.number: each.verdict for each in joins}


class _Reading:
    """Reads the lines of a sheet."""

    def __init__(self, store: Store, connection: Connection, sheet: Sheet) -> None:
        self._store, self._connection, self._sheet = store, connection, sheet
        self._persons: dict[int, str | None] = {}
        self._verdicts: dict[int, Verdict] | None = None
        """Of the rows that may be asked for, by their numbers; None: none was met yet."""

    def lines(self, chosen: Condition | None = None) -> Iterator[Line]:
        """Yield the rows that are chosen as lines; None: all rows."""
        owner, number = self._store.owner, LINES.c.number
        more = (is_askable(owner).label("is_askable"), _is_to_pay(self._store), LINES.c.problems)
        query = lines_with_rows(owner, *more).where(is_of_sheet(self._sheet.id))
        rows = query if chosen is None else query.where(chosen)
        next_page = rows.where(number > sa.bindparam("last")).order_by(number).limit(PAGE)
        last = 0
        while page := self._connection.execute(next_page, {"last": last}).all():
            last = page[-1].line_number
            yield from map(self._line, page)

    def lacking(self) -> Iterator[Line]:
        """Yield the payments that the sheet lacks."""
        store = self._store
        more = (_is_to_pay(store), SHEETS.c.series)
        payments = self._connection.execute(_lacking(store, self._sheet, *more))
        for page in payments.partitions(PAGE):
            made = {stored.made for stored in page}
            is_open = open_units(store, self._connection, made)
            for stored in page:
                outcome = _outcome_of_lacking(stored, self._sheet, is_open)
                if outcome is not None:
                    yield self._line_of_lacking(stored, outcome)

    def _line_of_lacking(self, stored: Any, outcome: RowOutcome) -> Line:
        """Return a payment that the sheet lacks as a line."""
        message = _LACKING_OPEN if outcome is RowOutcome.TO_DECIDE else _LACKING
        line = line_of_payment(self._store, stored, self._person_of(stored.sheet))
        return replace(
            line,
            number=0,
            outcome=outcome,
            message=message.format(value=line.value),
            is_decided=bool(stored.is_to_pay),
        )

    def _line(self, stored: sa.Row[Any]) -> Line:
        """Return a row of the sheet as a line."""
        vault = self._store.vault
        row, payment = row_and_payment(stored)
        verdict = decide(row, payment, self._sheet)
        if stored.is_askable:
            verdict = self._verdicts_of_unasked().get(row.number, verdict)
        is_own = payment is not None and payment.sheet == self._sheet.id
        code = _reported_code(verdict, is_own=is_own)
        latest = content_of(vault, row.row)
        message = None if row.is_valid else self._problems(stored.problems)
        if code is not None:
            notice = self._message(row, latest, payment, verdict)
            message = f"{notice} {message}" if verdict.is_invalid and message else notice
        asked = None
        result = Result(verdict.outcome)
        times: dict[str, Any] = {}
        if payment is not None:
            asked = latest if is_own else content_of(vault, payment.row)
            result = result_of(vault, payment)
            times = times_of(payment)
            times["asked_by"] = self._person_of(payment.sheet)
            times["again"] = payment.again
        return Line(
            sheet=self._store.batch,
            number=row.number,
            key=row.key,
            batch=None if payment is None else payment.batch,
            code=code,
            row=asked,
            latest=latest,
            outcome=verdict.outcome,
            result=result,
            message=message,
            restored=payment is not None and bool(payment.restored),
            values_digest=row.values_digest,
            is_decided=bool(stored.is_to_pay),
            **times,
        )

    def _verdicts_of_unasked(self) -> dict[int, Verdict]:
        """Return what the rows come to that may be asked for. Raises as `refuse_lost` does."""
        if self._verdicts is None:
            self._verdicts = _verdicts_of_unasked(self._store, self._connection, self._sheet)
        return self._verdicts

    def _message(
        self,
        row: RequestedPayment,
        latest: RowContent,
        payment: StoredPayment | None,
        verdict: Verdict,
    ) -> str:
        vault = self._store.vault
        value = latest.value or row.key
        if verdict.question is not None:
            return question_message(value, verdict.question, vault)
        assert verdict.code is not None
        assert payment is not None
        return message_of(
            verdict.code, replace(latest, value=value), payment, vault, self._store.kind
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
            person: Person = {} if sealed is None else self._store.vault.opened(sealed)
            self._persons[sheet] = person.get("by")
        return self._persons[sheet]


_LACKING = "{value} was asked for, and the latest sheet lacks it."
_LACKING_OPEN = (
    "{value} is accepted and not paid, and the latest sheet lacks it. Withdraw its payout, or "
    "instruct it with --also {value}."
)
