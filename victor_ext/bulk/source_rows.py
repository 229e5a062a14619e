"""The rows of a source, in a temporary database of this process: what each row asks, encrypted.

`SourceRows` is the table, `SourceRow` a row of it. The methods are in the order in which a source
is read, decided about and stored.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from victor_ext import Problem
from victor_ext.tables.temporary import TemporaryDatabase

from .payments import RequestedPayment, pages

_SCHEMA = """
CREATE TABLE asked (
    number INTEGER PRIMARY KEY, line INTEGER, key TEXT UNIQUE, problems TEXT,
    asked TEXT, skeleton TEXT, reference TEXT, price TEXT,
    is_repeated BOOLEAN DEFAULT FALSE,
    entry TEXT
);
CREATE INDEX skeletons ON asked (skeleton);
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
        reference: The digest of its reference, if other rows may have the same one.
        price: The exact amount, a blank and the currency; None: it has no valid ones.
        is_repeated: Whether an earlier row has its key.
        entry: The columns of the entry that sends it under its first key, as JSON; None: it is not
            valid, or is sent with others.
    """

    number: int
    line: int | None
    key: str | None = None
    problems: str | None = None
    asked: str | None = None
    skeleton: str | None = None
    reference: str | None = None
    price: str | None = None
    is_repeated: bool = False
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

    def problems_in_words(self) -> str:
        """Return what is wrong with the row, in sentences."""
        return " ".join(problem.message for problem in self.problem_list())


_PLACES = ", ".join("?" * len(SourceRow._fields))
_INSERT = f"INSERT INTO asked VALUES ({_PLACES})"  # noqa: S608 - there are only question marks


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

    # While the source is read

    def add(self, row: SourceRow, content: object = None) -> None:
        """Add a row. `content` is what it asks for, and its other columns."""
        self.execute(_INSERT, row)
        plain = json.dumps([row.number, row.problems, content], default=str, sort_keys=True)
        self._hash.update(plain.encode("utf-8", "surrogatepass"))

    def digest(self) -> str:
        """Return a digest that is equal for sources with the same rows in the same order."""
        return self._hash.hexdigest()

    def with_key(self, key: str) -> SourceRow | None:
        """Return the row with this key, or None."""
        return next(self._select("WHERE key = ?", key), None)

    def sharing(self) -> int:
        """Return how many rows have the reference of another row."""
        (count,) = self.execute(_SHARING).fetchone()
        return int(count)

    # While it is decided about: see `questions.SheetRows`

    def pages_by_key(self) -> Iterator[list[RequestedPayment]]:
        rows = self._select("WHERE key IS NOT NULL ORDER BY key")
        return pages(row.payment() for row in rows)

    def with_numbers(self, numbers: Collection[int]) -> list[RequestedPayment]:
        return [row.payment() for row in self.named(numbers)]

    def keys_among(self, keys: Collection[str]) -> set[str]:
        named = f"WHERE key IN ({_places(keys)})"
        return {str(row.key) for row in self._select(named, *keys)}

    def first_with(self, skeletons: Collection[str]) -> dict[str, int]:
        query = f"""
            SELECT skeleton, MIN(number) FROM asked
            WHERE key IS NOT NULL AND skeleton IN ({_places(skeletons)}) GROUP BY skeleton
        """  # noqa: S608 - there are only question marks
        return dict(self.execute(query, [*skeletons]))

    def place_of(self, number: int) -> str:
        (row,) = self.named([number])
        return row.place_text

    # While it is stored

    def named(self, numbers: Collection[int]) -> list[SourceRow]:
        """Return the rows with these numbers, in their order."""
        named = f"WHERE number IN ({_places(numbers)}) ORDER BY number"
        return [*self._select(named, *numbers)]

    def all(self) -> Iterator[SourceRow]:
        """Yield the rows in order."""
        return self._select("ORDER BY number")

    def without_keys(self) -> Iterator[SourceRow]:
        """Yield the rows that have no key, or repeat that of an earlier row, in order."""
        return self._select("WHERE key IS NULL ORDER BY number")

    def keys(self) -> Iterator[str]:
        """Yield the keys of the rows."""
        return (str(key) for (key,) in self.execute("SELECT key FROM asked WHERE key IS NOT NULL"))

    def _select(self, clauses: str, *values: str | int) -> Iterator[SourceRow]:
        """Yield the rows that these clauses of SQL choose."""
        query = f"SELECT * FROM asked {clauses}"  # noqa: S608 - the clauses are those of this class
        return map(SourceRow._make, self.execute(query, values))


def _places(values: Collection[object]) -> str:
    """Return a question mark for each value."""
    return ", ".join("?" * len(values))
