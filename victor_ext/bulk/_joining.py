"""The join of what is wanted and what was asked: each row of a sheet with its payment, and what it
comes to (`joined`). All that is said is said by it, and all that is asked is asked by it.
"""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from operator import attrgetter
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection

from victor_ext._event_queue.databases import Condition

from ._deciding import LookAlike, Question, Verdict, decide
from ._load_progress import OnRows, ignore_rows
from ._payments import (
    ASK,
    DECISIONS,
    LINES,
    PAYMENTS,
    ROW_COLUMNS,
    STATE,
    RequestedPayment,
    Sheet,
    StoredPayment,
    is_of_sheet,
    lock_payments,
    pages,
    stored_payments,
)
from ._questions import SheetRows, questions_of
from ._rows import RowOutcome

PASSES = 3
"""The passes of `joined`: rows are decided about, are looked for in another spelling, and come."""
_FEW = 3
"""So many new rows of payers whose payments the sheet lacks are asked about one by one."""


class Numbers:
    """Numbers of rows, in their order. Each takes a byte: a sheet may have a million rows."""

    def __init__(self) -> None:
        self._marks = bytearray()

    def __len__(self) -> int:
        return self._marks.count(1)

    def __iter__(self) -> Iterator[int]:
        return (number for number, mark in enumerate(self._marks) if mark)

    def __contains__(self, number: int) -> bool:
        return number < len(self._marks) and self._marks[number] == 1

    def add(self, number: int) -> None:
        missing = number + 1 - len(self._marks)
        if missing > 0:
            self._marks.extend(bytes(missing))
        self._marks[number] = 1


class Joined(NamedTuple):
    """A row of a sheet with its payment.

    Attributes:
        row: The row.
        payment: The payment with its key; None: there is none.
        verdict: What it comes to.
    """

    row: RequestedPayment
    payment: StoredPayment | None
    verdict: Verdict


class NextList(Exception):
    """Most new rows of a sheet ask payers whose payments it lacks: it is another list."""


def joined(
    connection: Connection | None,
    owner: str,
    sheet: Sheet,
    rows: SheetRows,
    chosen: Iterable[Sequence[RequestedPayment]] | None = None,
    *,
    lock: bool = False,
    on_rows: OnRows = ignore_rows,
) -> Iterator[Joined]:
    """Yield the rows of a sheet that have a key, each with its payment.

    They are locked in the order of their keys, in which payments are locked everywhere: nobody
    waits in a circle. Those that would be asked for come last, once all are known.

    Args:
        connection: The transaction that sees the state; None: there is no state.
        chosen: Only these of the rows, in pages.
        lock: Whether the payments stay as they are until the transaction ends.
        on_rows: Called with the rows that have come through one more of the `PASSES`.

    Raises `NextList`.
    """
    new, waiting, with_payments = Numbers(), Numbers(), Numbers()
    for page in _counted(rows.pages_by_key() if chosen is None else chosen, on_rows):
        for each in _without_questions(connection, owner, sheet, page, lock=lock):
            if not (each.verdict.is_new or each.verdict.waits):
                on_rows(PASSES - 1)
                yield each
                continue
            number = each.row.number
            (new if each.verdict.is_new else waiting).add(number)
            if each.payment is not None:
                with_payments.add(number)

    def pages_of(numbers: Iterable[int]) -> Iterator[Sequence[RequestedPayment]]:
        return _counted(map(rows.with_numbers, pages(numbers)), on_rows)

    questions = questions_of(connection, owner, sheet, rows, pages_of(new), pages_of(waiting))
    if sheet.is_being_sent:
        _refuse_next_list(questions, len(new))
    for page in pages_of(chain(new, waiting)):
        keys = [row.key for row in page if row.number in with_payments]
        stored = _stored(connection, owner, keys)
        for row in page:
            payment, question = stored.get(row.key), questions.get(row.number)
            yield Joined(row, payment, decide(row, payment, sheet, question=question))


def _counted(
    pages_of_rows: Iterable[Sequence[RequestedPayment]], on_rows: OnRows
) -> Iterator[Sequence[RequestedPayment]]:
    """Yield pages, and call `on_rows` after each."""
    for page in pages_of_rows:
        yield page
        on_rows(len(page))


def _refuse_next_list(questions: dict[int, Question], new: int) -> None:
    """Raise `NextList` for a sheet of another month or week under the name of one before."""
    of_party = sum(each.likeness is LookAlike.PARTY for each in questions.values())
    if of_party > max(_FEW, new / 2):
        raise NextList


def _without_questions(
    connection: Connection | None,
    owner: str,
    sheet: Sheet,
    rows: Sequence[RequestedPayment],
    *,
    lock: bool = False,
) -> Iterator[Joined]:
    """Yield rows with their payments. A row of whose payment a person has decided is not new."""
    keys = [row.key for row in rows]
    decided: dict[tuple[str, str], int] = {}
    if connection is not None:
        if lock:
            lock_payments(connection, owner, keys)
        decided = _decided(connection, owner, keys)
    stored = _stored(connection, owner, keys)
    for row in rows:
        payment = stored.get(row.key)
        by_hand = decided.get((row.key, row.values_digest))
        verdict = decide(row, payment, sheet, decided=by_hand)
        if by_hand is not None:
            verdict = replace(verdict, is_new=False, waits=False)
        yield Joined(row, payment, verdict)


def _stored(
    connection: Connection | None, owner: str, keys: Sequence[str]
) -> Mapping[str, StoredPayment]:
    """Return the payments with these keys, by key; without a state there are none."""
    if connection is None or not keys:
        return {}
    return stored_payments(connection, owner, keys)


def _decided(
    connection: Connection, owner: str, keys: Collection[str]
) -> dict[tuple[str, str], int]:
    """Return how many keys payments had had when a person has decided that they are asked for, by
    their keys and the digests of the values that they are asked for with.
    """
    columns = DECISIONS.c
    query = sa.select(columns.key, columns.values_digest, columns.again).where(
        columns.owner == owner, columns.key.in_(keys), columns.what == ASK
    )
    rows = connection.execute(query.order_by(columns.id))
    return {(row.key, row.values_digest): row.again for row in rows}


def is_askable(owner: str, rows: sa.Table = LINES) -> Condition:
    """Holds for rows, joined with payments, for which nothing was asked, or in vain, or which a
    person has decided to ask for.

    Args:
        rows: The table with the keys and values of the rows.
    """
    columns = DECISIONS.c
    is_decided = sa.exists().where(
        columns.owner == owner,
        columns.key == rows.c.key,
        columns.values_digest == rows.c.values_digest,
        columns.what == ASK,
        columns.again > PAYMENTS.c.again,
    )
    state = sa.func.coalesce(STATE, RowOutcome.REFUSED)
    return sa.or_(state.in_([RowOutcome.REFUSED, RowOutcome.REJECTED]), is_decided)


def may_be_asked(owner: str) -> Condition:
    """Holds for valid rows that are askable."""
    return sa.and_(LINES.c.is_valid, LINES.c.key.is_not(None), is_askable(owner))


class StoredRows:
    """The rows of a sheet that is stored."""

    def __init__(self, connection: Connection, sheet: int) -> None:
        self._connection, self._sheet = connection, sheet
        self._query = sa.select(*ROW_COLUMNS).where(is_of_sheet(sheet))

    def pages_by_key(self) -> Iterator[list[RequestedPayment]]:
        key = LINES.c.key
        query = sa.select(LINES.c.number).where(is_of_sheet(self._sheet), key.is_not(None))
        numbers = array("q", self._connection.execute(query.order_by(key)).scalars())
        for page in pages(numbers):
            yield sorted(self.with_numbers(page), key=attrgetter("key"))

    def with_numbers(self, numbers: Collection[int]) -> list[RequestedPayment]:
        number = LINES.c.number
        return self._rows(self._query.where(number.in_(numbers)).order_by(number))

    def keys_among(self, keys: Collection[str]) -> set[str]:
        query = sa.select(LINES.c.key).where(is_of_sheet(self._sheet), LINES.c.key.in_(keys))
        return set(self._connection.execute(query).scalars())

    def first_with(self, skeletons: Collection[str]) -> dict[str, int]:
        columns = LINES.c
        query = sa.select(
            columns.skeleton_digest, sa.func.min(columns.number).label("first")
        ).where(
            is_of_sheet(self._sheet),
            columns.key.is_not(None),
            columns.skeleton_digest.in_(skeletons),
        )
        groups = self._connection.execute(query.group_by(columns.skeleton_digest))
        return {group.skeleton_digest: group.first for group in groups}

    def place_of(self, number: int) -> str:
        named = sa.and_(is_of_sheet(self._sheet), LINES.c.number == number)
        line = self._connection.execute(sa.select(LINES.c.line).where(named)).scalar()
        return f"row {number}" if line is None else f"line {line}"

    def _rows(self, query: sa.Select[Any]) -> list[RequestedPayment]:
        return [*map(RequestedPayment._make, self._connection.execute(query))]
