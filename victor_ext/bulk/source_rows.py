"""The rows of a source, in a temporary database of this process: what each row asks, encrypted, and
what is decided about it.

`SourceRows` is the table, `SourceRow` a row of it. The methods are in the order in which a source
is read, decided about and stored.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from victor_ext import Problem
from victor_ext.tables.temporary import TemporaryDatabase

from .deciding import Act
from .payments import RequestedPayment

_SCHEMA = """
CREATE TABLE asked (
    number INTEGER PRIMARY KEY, line INTEGER, key TEXT UNIQUE, problems TEXT,
    asked TEXT, skeleton TEXT, spelling TEXT, twin INTEGER, reference TEXT, grouping TEXT,
    price TEXT,
    is_repeated BOOLEAN DEFAULT FALSE,
    act TEXT, code TEXT, message TEXT, again INTEGER, since TEXT, has_own BOOLEAN DEFAULT FALSE,
    entry TEXT
);
CREATE INDEX skeletons ON asked (skeleton);
CREATE INDEX spellings ON asked (spelling);
"""
_DECIDE = """
UPDATE asked SET act = :act, code = :code, message = :message, again = :again, since = :since,
    has_own = :has_own WHERE number = :number
"""
_TWIN = """
SELECT MIN(number) FROM (
    SELECT number FROM asked WHERE skeleton = ? AND key IS NOT NULL
    UNION SELECT number FROM asked WHERE spelling = ? AND key IS NOT NULL
)
"""
_SHARING = """
WITH shared AS (
    SELECT COUNT(*) AS rows_of_one FROM asked WHERE reference IS NOT NULL AND problems IS NULL
    GROUP BY reference HAVING COUNT(*) > 1
)
SELECT COALESCE(SUM(rows_of_one), 0) FROM shared
"""


class SourceRow(NamedTuple):
    """A row of a source, with the columns of the table in their order.

    Attributes:
        key: The key of its payment; None: the row has no key, or repeats an earlier row.
        problems: As JSON: the field, the code and the message of each; None: there are none.
        asked: The `RequestedPayment`, as JSON; None: the row repeats an earlier row.
        skeleton: The digest of the skeleton of its key.
        spelling: The digest of its values, due date and key (`spelling_digest`).
        twin: The number of the first row with a key that has its skeleton or spelling; None: there
            is none before it.
        reference: The digest of its reference, if other rows may have the same one.
        grouping: The digest of its `RowKind.group`, for rows that are sent in one call.
        price: The exact amount, a blank and the currency; None: it has no valid ones.
        is_repeated: Whether an earlier row has its key.
        act: The name of the `Act` that is decided; None: nothing is decided.
        code: The code of its notice.
        message: The message of its notice.
        again: As in `RowDecision`.
        since: As in `RowDecision`.
        has_own: Whether its line stores the row: the payment is stored with the row of another
            file.
        entry: The columns of the entry that sends it under its first key, as JSON; None: it is not
            valid, or is sent with others.
    """

    number: int
    line: int | None
    key: str | None = None
    problems: str | None = None
    asked: str | None = None
    skeleton: str | None = None
    spelling: str | None = None
    twin: int | None = None
    reference: str | None = None
    grouping: str | None = None
    price: str | None = None
    is_repeated: bool = False
    act: str | None = None
    code: str | None = None
    message: str | None = None
    again: int = 0
    since: str | None = None
    has_own: bool = False
    entry: str | None = None

    @property
    def place_text(self) -> str:
        """Where its source has the row, in the words of a message."""
        return f"row {self.number}" if self.line is None else f"line {self.line}"

    def payment(self) -> RequestedPayment:
        """Return what the row asks for. The row must not repeat an earlier one."""
        assert self.asked is not None
        return RequestedPayment(*json.loads(self.asked))

    def problem_list(self) -> list[Problem]:
        return [Problem(*problem) for problem in json.loads(self.problems or "[]")]

    def reasons(self) -> str:
        """Return why the row is not sent, in sentences: its notice, and its problems."""
        messages = [problem.message for problem in self.problem_list()]
        return " ".join(filter(None, [self.message, *messages]))


_PLACES = ", ".join("?" * len(SourceRow._fields))
_INSERT = f"INSERT INTO asked VALUES ({_PLACES})"  # noqa: S608 - there are only question marks


def problems_text(problems: Sequence[Problem]) -> str | None:
    """Return problems as the table has them."""
    if not problems:
        return None
    return json.dumps([[problem.field, problem.code, problem.message] for problem in problems])


class SourceRows(TemporaryDatabase):
    """The table of rows, by their numbers."""

    def __init__(self, rows_per_unit: int) -> None:
        super().__init__(_SCHEMA)
        self._rows_per_unit = rows_per_unit

    # While the source is read

    def add(self, row: SourceRow) -> None:
        self.execute(_INSERT, row)

    def with_key(self, key: str) -> SourceRow | None:
        """Return the row with this key, or None."""
        return next(self._select("WHERE key = ?", key), None)

    def twin_of(self, row: SourceRow) -> int | None:
        """Return the number of the first row with the skeleton or spelling of a row, or None."""
        (twin,) = self.execute(_TWIN, (row.skeleton, row.spelling)).fetchone()
        return None if twin is None else int(twin)

    def with_number(self, number: int) -> SourceRow:
        return next(self._select("WHERE number = ?", number))

    def sharing(self) -> int:
        """Return how many rows have the reference of another row."""
        (count,) = self.execute(_SHARING).fetchone()
        return int(count)

    # While it is decided about

    def with_keys(self) -> Iterator[SourceRow]:
        """Yield the rows that are decided about, in the order of their keys."""
        return self._select("WHERE key IS NOT NULL ORDER BY key")

    def decide(self, rows: Iterable[SourceRow]) -> None:
        """Store what is decided about rows: their columns from `act` to `has_own`."""
        self.executemany(_DECIDE, [row._asdict() for row in rows])

    # While it is stored

    def all(self) -> Iterator[SourceRow]:
        """Yield the rows in order."""
        return self._select("ORDER BY number")

    def to_store(self) -> Iterator[SourceRow]:
        """Yield the rows whose payments are stored as the rows have them, in the order in which
        they are sent.
        """
        acts = Act.STORE.name, Act.REFUSE.name
        return self._select("WHERE act IN (?, ?) ORDER BY number", *acts)

    def units(self) -> Iterator[list[SourceRow]]:
        """Yield the rows that are sent in one call, of kinds whose calls have several rows."""
        query = (
            "WHERE act = ? AND grouping IS NOT NULL ORDER BY grouping, since IS NOT NULL, number"
        )
        unit: list[SourceRow] = []
        for row in self._select(query, Act.STORE.name):
            # A row that is only looked up is in no call with rows that are sent.
            is_next = bool(unit) and (row.grouping, row.since) != (unit[0].grouping, unit[0].since)
            if is_next or len(unit) == self._rows_per_unit:
                yield unit
                unit = []
            unit.append(row)
        if unit:
            yield unit

    def _select(self, clauses: str, *values: str | int) -> Iterator[SourceRow]:
        """Yield the rows that these clauses of SQL choose."""
        query = f"SELECT * FROM asked {clauses}"  # noqa: S608 - the clauses are those of this class
        return map(SourceRow._make, self.execute(query, values))
