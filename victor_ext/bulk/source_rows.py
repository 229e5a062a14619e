"""The rows of a source, in a database of this process: what each one asks, encrypted, and what is
decided about it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from victor_ext import Problem
from victor_ext.tables.temporary import TemporaryDatabase

from .deciding import Act
from .payments import RequestedPayment, pages

_SCHEMA = """
CREATE TABLE asked (
    number INTEGER PRIMARY KEY, line INTEGER, key TEXT UNIQUE, problems TEXT,
    asked TEXT, spelling TEXT, reference TEXT, grouping TEXT, amount TEXT, currency TEXT,
    is_repeated BOOLEAN DEFAULT FALSE,
    act TEXT, code TEXT, message TEXT, again INTEGER, since TEXT, has_own BOOLEAN DEFAULT FALSE,
    chunk INTEGER, place INTEGER
);
CREATE INDEX spelled ON asked (spelling);
"""
_DECIDE = """
UPDATE asked SET act = :act, code = :code, message = :message, again = :again, since = :since,
    has_own = :has_own WHERE number = :number
"""
_SHARING = """
WITH shared AS (
    SELECT COUNT(*) AS rows_of_one FROM asked WHERE reference IS NOT NULL
    GROUP BY reference HAVING COUNT(*) > 1
)
SELECT COALESCE(SUM(rows_of_one), 0) FROM shared
"""


class SourceRow(NamedTuple):
    """A row of a source, with the columns of the table in their order.

    Attributes:
        key: Of its payment; None: the row does not say which it is, or repeats an earlier one.
        problems: As JSON: the field, the code and the message of each; None: there are none.
        asked: `RequestedPayment`, as JSON; None: the row repeats an earlier one.
        spelling: The same for rows that ask for the same under keys that are spelled otherwise.
        reference: A digest of what another row may have, too.
        grouping: The same for rows that are sent together.
        act: The name of what is decided; None: nothing is.
        code: Of its notice, as is the message.
        again: How many keys its payment had before.
        since: The time from which it may have been sent, though the state does not have it.
        has_own: Whether its line has the row, too: its payment is stored with another one.
        chunk: The number of the one that sends it.
    """

    number: int
    line: int | None
    key: str | None = None
    problems: str | None = None
    asked: str | None = None
    spelling: str | None = None
    reference: str | None = None
    grouping: str | None = None
    amount: str | None = None
    currency: str | None = None
    is_repeated: bool = False
    act: str | None = None
    code: str | None = None
    message: str | None = None
    again: int = 0
    since: str | None = None
    has_own: bool = False
    chunk: int | None = None
    place: int | None = None

    def payment(self) -> RequestedPayment:
        """Return what it asks for, unless it repeats an earlier row."""
        assert self.asked is not None
        return RequestedPayment(*json.loads(self.asked))

    def problem_list(self) -> list[Problem]:
        return [Problem(*problem) for problem in json.loads(self.problems or "[]")]

    def reasons(self) -> str:
        """Return what an operator reads of it: its notice, and its problems."""
        messages = [problem.message for problem in self.problem_list()]
        return " ".join(filter(None, [self.message, *messages]))


class RowDecision(NamedTuple):
    """What is decided about the row with this number: see `SourceRow`."""

    number: int
    act: str
    code: str | None
    message: str | None
    again: int
    since: str | None
    has_own: bool


_INSERT = "INSERT INTO asked VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"


def problems_text(problems: Sequence[Problem]) -> str | None:
    """Return problems as they are stored."""
    if not problems:
        return None
    return json.dumps([[problem.field, problem.code, problem.message] for problem in problems])


class SourceRows(TemporaryDatabase):
    """The table of rows, by their numbers."""

    def __init__(self) -> None:
        super().__init__(_SCHEMA)

    # While the source is read

    def add(self, row: SourceRow) -> None:
        self.execute(_INSERT, row)

    def with_key(self, key: str) -> SourceRow | None:
        """Return the row with this key."""
        return next(self._chosen("WHERE key = ?", key), None)

    def spelled(self, spelling: str) -> SourceRow | None:
        """Return the first row with this spelling."""
        return next(self._chosen("WHERE spelling = ? ORDER BY number LIMIT 1", spelling), None)

    def sharing(self) -> int:
        """Return how many rows have the reference of another one."""
        (count,) = self.execute(_SHARING).fetchone()
        return int(count)

    # While it is decided

    def with_keys(self) -> Iterator[SourceRow]:
        """Yield the rows that are decided about, in the order of their keys."""
        return self._chosen("WHERE key IS NOT NULL ORDER BY key")

    def decide(self, decisions: Iterable[RowDecision]) -> None:
        self.executemany(_DECIDE, [decision._asdict() for decision in decisions])

    # While it is stored

    def all(self) -> Iterator[SourceRow]:
        """Yield the rows in order."""
        return self._chosen("ORDER BY number")

    def to_store(self) -> Iterator[SourceRow]:
        """Yield the rows whose payments are stored with them, in the order of their keys."""
        acts = Act.STORE.name, Act.REFUSE.name
        return self._chosen("WHERE act IN (?, ?) ORDER BY key", *acts)

    def assign_chunks(self, first: int, size: int) -> int:
        """Give each row that is sent its chunk and its place there. Return how many chunks are new.

        What is looked up is in no call with what is sent.
        """
        places = _Places(first, size)
        to_send = self._chosen("WHERE act = ? ORDER BY number", Act.STORE.name)
        for page in pages(to_send):
            assigned = [
                (*places.next_of(row.grouping, is_looked_up=row.since is not None), row.number)
                for row in page
            ]
            self.executemany("UPDATE asked SET chunk = ?, place = ? WHERE number = ?", assigned)
        return places.chunks

    def keys_of(self, chunk: int) -> list[str]:
        """Return the keys of the rows of a chunk, in order."""
        query = "SELECT key FROM asked WHERE chunk = ? ORDER BY place"
        return [key for (key,) in self.execute(query, (chunk,))]

    def _chosen(self, clauses: str, *values: str) -> Iterator[SourceRow]:
        query = f"SELECT * FROM asked {clauses}"  # noqa: S608 - the clauses are those of this class
        return map(SourceRow._make, self.execute(query, values))


class _Places:
    """Fills chunks with rows: each has those of one group."""

    def __init__(self, first: int, size: int) -> None:
        self._first, self._size = first, size
        self._last: dict[tuple[str | None, bool], tuple[int, int]] = {}
        self.chunks = 0

    def next_of(self, grouping: str | None, *, is_looked_up: bool) -> tuple[int, int]:
        """Return the chunk and the place of the next row of a group."""
        group = grouping, is_looked_up
        chunk, place = self._last.get(group, (0, self._size))
        if place == self._size:
            chunk, place = self._first + self.chunks, 0
            self.chunks += 1
        self._last[group] = chunk, place + 1
        return chunk, place
