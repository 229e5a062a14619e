"""The rows of a source, in a temporary database of this process: what each row asks, encrypted.

`SourceRows` is the table, `SourceRow` a row of it. The methods are in the order in which a source
is read, decided about and stored.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Collection, Iterator, Sequence
from decimal import Decimal
from typing import NamedTuple

from victor_ext import Problem
from victor_ext._tables.temporary import TemporaryDatabase

from ._payments import PAGE, RequestedPayment, pages

_SCHEMA = """
CREATE TABLE asked (
    number INTEGER PRIMARY KEY, key TEXT UNIQUE, is_valid BOOLEAN, values_digest TEXT,
    due_date TEXT, row TEXT,
    bare_digest TEXT, skeleton_digest TEXT, reference_digest TEXT,
    line INTEGER, problems TEXT, instead_of TEXT, price TEXT, is_repeated BOOLEAN
);
"""


class SourceRow(NamedTuple):
    """A row of a source, with the columns of the table in their order.

    Attributes:
        asked: What it asks for; without a key, nothing asks for it.
        problems: As JSON: the field, the code and the message of each; None: there are none.
        instead_of: What names the payment that it asks for once more; None: nothing does.
        price: The exact amount, a blank and the currency; None: it has no valid ones.
        is_repeated: Whether an earlier row has its key. Nothing else is stored of it.
    """

    asked: RequestedPayment
    line: int | None
    problems: str | None = None
    instead_of: str | None = None
    price: str | None = None
    is_repeated: bool = False

    @classmethod
    def repeated(cls, number: int, line: int | None, problems: str | None) -> SourceRow:
        """Return a row that repeats an earlier one."""
        return cls(RequestedPayment(number), line, problems, is_repeated=True)

    @property
    def number(self) -> int:
        return self.asked.number

    def problem_list(self) -> list[Problem]:
        return [Problem(*problem) for problem in json.loads(self.problems or "[]")]


_MARKS = 1 << 22
"""Bytes of the marks of keys. A million rows leave three bytes of four unmarked."""
_ASKED = ", ".join(RequestedPayment._fields).replace("key", "COALESCE(key, '')")
_OTHERS = ", ".join(SourceRow._fields[1:])
_WIDTH = len(RequestedPayment._fields)
_PLACES = ", ".join("?" * (_WIDTH + len(SourceRow._fields) - 3))
"""Of the columns after the number and the key."""
_INSERT = f"INSERT INTO asked VALUES (?, NULLIF(?, ''), {_PLACES})"  # noqa: S608 - question marks


def problems_text(problems: Sequence[Problem]) -> str | None:
    """Return problems as the table has them."""
    if not problems:
        return None
    return json.dumps([[problem.field, problem.code, problem.message] for problem in problems])


class SourceRows(TemporaryDatabase):
    """The table of rows, by their numbers."""

    def __init__(self) -> None:
        super().__init__(_SCHEMA)
        self._hash = hashlib.sha256()
        self._added: list[SourceRow] = []
        """Rows that are not in the table yet."""
        self._marks = bytearray(_MARKS)
        """A mark for each key: a byte for many keys."""

    # While the source is read

    def add(self, row: SourceRow, content: str = "null") -> None:
        """Add a row. `content` is what its source has in it, as JSON."""
        asked = row.asked
        self._added.append(row)
        if len(self._added) == PAGE:
            self._store_added()
        if asked.key:
            self._marks[hash(asked.key) % _MARKS] = 1
        problems = "null" if row.problems is None else json.dumps(row.problems)
        text = f"[{asked.number}, {problems}, {content}]"
        self._hash.update(text.encode("utf-8", "surrogatepass"))

    def digest(self) -> str:
        """Return a digest that is equal for sources with the same rows in the same order."""
        return self._hash.hexdigest()

    def with_key(self, key: str) -> SourceRow | None:
        """Return the row with this key, or None."""
        if not self._marks[hash(key) % _MARKS]:  # most keys are surely new, without a look
            return None
        return next(self._select("WHERE key = ?", key), None)

    # While it is decided about

    def pages(self) -> Iterator[list[RequestedPayment]]:
        """Yield the rows with a key, in their order."""
        return pages(self._payments("WHERE key IS NOT NULL ORDER BY number"))

    def pages_by_key(self) -> Iterator[list[RequestedPayment]]:
        return pages(self._payments("WHERE key IS NOT NULL ORDER BY key"))

    def with_numbers(self, numbers: Collection[int]) -> list[RequestedPayment]:
        named = f"WHERE number IN ({_places(numbers)}) ORDER BY number"
        return [*self._payments(named, *numbers)]

    def keys_among(self, keys: Collection[str]) -> set[str]:
        """Return those of these keys that the sheet has."""
        named = f"WHERE key IN ({_places(keys)})"
        return {payment.key for payment in self._payments(named, *keys)}

    def first_with(self, column: str, digests: Collection[str]) -> dict[str, int]:
        """Return the number of the first row with each of these digests in this column."""
        query = f"""
            SELECT {column}, MIN(number) FROM asked
            WHERE key IS NOT NULL AND {column} IN ({_places(digests)}) GROUP BY {column}
        """  # noqa: S608 - a column, and question marks
        self.execute(f"CREATE INDEX IF NOT EXISTS first_{column} ON asked ({column})")
        return dict(self._read(query, [*digests]))

    def asking_once_more(self) -> Iterator[SourceRow]:
        """Yield the rows that ask once more for a payment, in order."""
        return self._select("WHERE instead_of IS NOT NULL ORDER BY number")

    def place_of(self, number: int) -> str:
        """Return where its source has a row, in the words of a message."""
        (row,) = self.named([number])
        return f"row {number}" if row.line is None else f"line {row.line}"

    # While it is stored

    def named(self, numbers: Collection[int]) -> list[SourceRow]:
        """Return the rows with these numbers, in their order."""
        named = f"WHERE number IN ({_places(numbers)}) ORDER BY number"
        return [*self._select(named, *numbers)]

    def prices(self, numbers: Collection[int]) -> Iterator[tuple[Decimal, str]]:
        """Yield the exact amounts of those of these rows that have a valid one, with their
        currencies.
        """
        query = f"SELECT price FROM asked WHERE number IN ({_places(numbers)})"  # noqa: S608 - as below
        for (price,) in self._read(query, [*numbers]):
            if price is not None:
                amount, _, currency = price.partition(" ")
                yield Decimal(amount), currency

    def all(self) -> Iterator[SourceRow]:
        """Yield the rows in order."""
        return self._select("ORDER BY number")

    def without_keys(self) -> Iterator[SourceRow]:
        """Yield the rows that have no key, or repeat that of an earlier row, in order."""
        return self._select("WHERE key IS NULL ORDER BY number")

    def _select(self, clauses: str, *values: str | int) -> Iterator[SourceRow]:
        """Yield the rows that these clauses of SQL choose."""
        query = f"SELECT {_ASKED}, {_OTHERS} FROM asked {clauses}"  # noqa: S608 - of this class
        return (
            SourceRow(RequestedPayment._make(columns[:_WIDTH]), *columns[_WIDTH:])
            for columns in self._read(query, values)
        )

    def _payments(self, clauses: str, *values: str | int) -> Iterator[RequestedPayment]:
        """Yield what the rows ask for that these clauses choose."""
        query = f"SELECT {_ASKED} FROM asked {clauses}"  # noqa: S608 - as above
        return map(RequestedPayment._make, self._read(query, values))

    def _read(self, query: str, values: Sequence[str | int] = ()) -> sqlite3.Cursor:
        """Return what a query of all rows finds."""
        self._store_added()
        return self.execute(query, values)

    def _store_added(self) -> None:
        self.executemany(_INSERT, [(*row.asked, *row[1:]) for row in self._added])
        self._added.clear()


def _places(values: Collection[object]) -> str:
    """Return a question mark for each value."""
    return ", ".join("?" * len(values))
