"""The join of what is wanted and what was asked: each row of a sheet with its payment, and what it
comes to (`joined`). All that is said is said by it, and all that is asked is asked by it.
"""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterable, Iterator, Sequence
from operator import attrgetter
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection

from ._deciding import Verdict, decide
from ._payments import (
    LINES,
    ROW_COLUMNS,
    RequestedPayment,
    Sheet,
    StoredPayment,
    is_of_sheet,
    lock_payments,
    pages,
    stored_payments,
)


class Numbers:
    """Numbers of rows, in their order. Each takes a byte: a sheet may have a million rows."""

    def __init__(self) -> None:
        self._marks = bytearray()

    def __iter__(self) -> Iterator[int]:
        return (number for number, mark in enumerate(self._marks) if mark)

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


def joined(
    connection: Connection | None,
    owner: str,
    sheet: Sheet,
    chosen: Iterable[Sequence[RequestedPayment]],
    *,
    lock: bool = False,
) -> Iterator[Joined]:
    """Yield rows of a sheet that have a key, each with its payment.

    Args:
        connection: The transaction that sees the state; None: there is no state.
        chosen: The rows, in pages: in the order of their keys, in which payments are locked
            everywhere, so that nobody waits in a circle.
        lock: Whether the payments stay as they are until the transaction ends.
    """
    for page in chosen:
        stored: dict[str, StoredPayment] = {}
        if connection is not None:
            keys = [row.key for row in page]
            if lock:
                lock_payments(connection, owner, keys)
            stored = stored_payments(connection, owner, keys)
        for row in page:
            payment = stored.get(row.key)
            yield Joined(row, payment, decide(row, payment, sheet))


class StoredRows:
    """The rows of a sheet that is stored."""

    def __init__(self, connection: Connection, sheet: int) -> None:
        self._connection, self._sheet = connection, sheet
        self._query = sa.select(*ROW_COLUMNS).where(is_of_sheet(sheet))

    def pages_by_key(self) -> Iterator[list[RequestedPayment]]:
        """Yield the rows with a key, in the order of their keys."""
        key = LINES.c.key
        query = sa.select(LINES.c.number).where(is_of_sheet(self._sheet), key.is_not(None))
        numbers = array("q", self._connection.execute(query.order_by(key)).scalars())
        for page in pages(numbers):
            yield sorted(self.with_numbers(page), key=attrgetter("key"))

    def with_numbers(self, numbers: Collection[int]) -> list[RequestedPayment]:
        """Return the rows with these numbers, in their order."""
        number = LINES.c.number
        return self._rows(self._query.where(number.in_(numbers)).order_by(number))

    def _rows(self, query: sa.Select[Any]) -> list[RequestedPayment]:
        return [*map(RequestedPayment._make, self._connection.execute(query))]
