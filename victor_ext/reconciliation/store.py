"""Both books in a temporary database, so that memory does not grow with the number of rows.

It is an SQLite database without a name. The system removes its file when the process ends, however it ends, and no
other process can open it.
"""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Context, Decimal
from typing import Any

from victor_ext import ConfigurationError
from victor_ext.books import Theirs, Zone
from victor_ext.ids import canonical_id, trimmed
from victor_ext.money import Money
from victor_ext.tables.texts import folded

from .entries import Entry
from .matching import match
from .report import Kind, Row, Totals

_BATCH = 500
_CACHE_KIB = 4096
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EXACT = Context(prec=100, traps=[])
# Ids and references are compared as they are, and only what is left then as folded text.
_SCHEMA = """
CREATE TABLE ours (row INTEGER PRIMARY KEY, line INTEGER, reference TEXT, folded TEXT, id TEXT, folded_id TEXT,
    key TEXT, amount TEXT NOT NULL, currency TEXT NOT NULL, at INTEGER, doubt TEXT, core INTEGER NOT NULL,
    checked INTEGER NOT NULL);
CREATE TABLE theirs (number INTEGER PRIMARY KEY, id TEXT UNIQUE, folded_id TEXT, reference TEXT, folded TEXT,
    amount TEXT, requested TEXT, currency TEXT, status TEXT, at INTEGER, zone INTEGER NOT NULL);
CREATE TABLE listed (reading INTEGER NOT NULL, item TEXT NOT NULL, PRIMARY KEY (reading, item)) WITHOUT ROWID;
BEGIN;
"""
_ROWS = """
SELECT kind, differences, o.line, o.doubt, o.reference, o.id, o.key, o.amount, o.currency, o.at,
    t.number, t.id, t.reference, t.amount, t.requested, t.currency, t.status, t.at, other.id
FROM report LEFT JOIN ours o USING (row) LEFT JOIN theirs t USING (number)
    LEFT JOIN theirs other ON other.number = report.other
WHERE kind = ? ORDER BY report.rowid
"""
_LACKS_SOME = """SELECT EXISTS (SELECT 1 FROM ours o WHERE core AND coalesce(id, reference) IS NOT NULL
AND NOT EXISTS (SELECT 1 FROM theirs t WHERE t.folded_id = o.folded_id)
AND NOT EXISTS (SELECT 1 FROM theirs t WHERE t.folded = o.folded))"""
_ARE_EQUAL = """SELECT NOT EXISTS (SELECT item FROM listed WHERE reading = ?1 EXCEPT
SELECT item FROM listed WHERE reading = ?2)"""
_STATUSES = """SELECT coalesce(status, 'no status'), count(*) FROM report JOIN theirs USING (number)
WHERE kind IN ('matched', 'modified') GROUP BY status ORDER BY count(*) DESC, status LIMIT 20"""
_COUNTS = "SELECT kind, count(*) FROM report GROUP BY kind"
_OUR_SUMS = """SELECT kind, o.currency, exact_sum(o.amount) FROM report JOIN ours o USING (row)
WHERE kind <> 'duplicate' GROUP BY kind, o.currency ORDER BY o.currency"""
_THEIR_SUMS = """SELECT kind, t.currency, exact_sum(t.amount) FROM report JOIN theirs t USING (number)
WHERE t.amount IS NOT NULL GROUP BY kind, t.currency ORDER BY t.currency"""


class _ExactSum:
    """The aggregate function `exact_sum`: SQLite itself adds text as floats."""

    def __init__(self) -> None:
        self._sum = Decimal(0)

    def step(self, amount: str) -> None:
        self._sum = _EXACT.add(self._sum, Decimal(amount))

    def finalize(self) -> str:
        return f"{self._sum:f}"


@contextmanager
def _temporary() -> Generator[None]:
    try:
        yield
    except sqlite3.OperationalError as error:
        raise ConfigurationError(
            f"The folder for temporary files, {tempfile.gettempdir()}, cannot be used: {error}. Make room in it, or "
            "name another one by TMPDIR."
        ) from None


class Store:
    """Our entries, their payments, and the report. It is used by one thread at a time.

    Methods raise `ConfigurationError` if the disk is full.
    """

    @_temporary()
    def __init__(self) -> None:
        # An async client calls it from worker threads, one after the other.
        self._database = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        create: Any = self._database.create_aggregate  # typeshed wants a protocol that only it declares
        create("exact_sum", 1, _ExactSum)
        self._database.executescript(
            f"PRAGMA journal_mode = OFF; PRAGMA cache_size = -{_CACHE_KIB}; PRAGMA temp_store = FILE; {_SCHEMA}"
        )

    @_temporary()
    def add_ours(self, entries: Iterable[tuple[Entry, Zone]], *, checked: bool) -> None:
        """Add entries of ours. `checked`: whether the provider has a list that shows which of them it has not."""
        self._database.executemany(
            "INSERT INTO ours (line, reference, folded, id, folded_id, key, amount, currency, at, doubt, core, checked)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                (
                    entry.line, *_named(entry), trimmed(entry.key), f"{entry.amount.amount:f}", entry.amount.currency,
                    _microseconds(entry.at), entry.why_unchecked, zone <= Zone.EDGE, checked,
                )
                for entry, zone in entries
            ),
        )  # fmt: skip

    @_temporary()
    def add_theirs(self, payments: Iterable[tuple[Theirs, Zone]]) -> int:
        """Add payments of theirs, each id once. Return how many were new."""
        cursor = self._database.executemany(
            "INSERT OR IGNORE INTO theirs (reference, folded, id, folded_id, amount, requested, currency, status, at, "
            "zone) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                (
                    *_named(payment), _text(payment.amount), _text(payment.requested), _storable(payment.currency),
                    _storable(payment.status), _microseconds(payment.at), zone,
                )
                for payment, zone in payments
            ),
        )  # fmt: skip
        return cursor.rowcount

    @_temporary()
    def add_listed(self, reading: int, payments: Sequence[Theirs]) -> bool:
        """Note what a page of the list showed. Return whether this reading had shown none of it before.

        A payment without an id is known by all that the provider says of it.
        """
        cursor = self._database.executemany(
            "INSERT OR IGNORE INTO listed VALUES (?, ?)",
            ((reading, canonical_id(_storable(payment.id)) or repr(payment)) for payment in payments),
        )
        return not payments or cursor.rowcount == len(payments)

    @_temporary()
    def is_as_before(self, reading: int) -> bool:
        """Return whether this reading of the list showed what the one before it showed, in any order."""
        pairs = ((reading, reading - 1), (reading - 1, reading))
        return all(self._database.execute(_ARE_EQUAL, pair).fetchone()[0] for pair in pairs)

    @_temporary()
    def to_look_up(self, name: str, after: int, *, unless_referenced: bool = False) -> list[tuple[int, str]]:
        """Return a batch of rows of ours beyond the row `after` to look up by `name`: each row, and its value.

        By `"id"`: those whose id is not among theirs; with `unless_referenced`, nor their reference. By `"reference"`:
        all that have one.
        """
        condition = "id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM theirs t WHERE t.id = o.id)"
        if name == "reference":
            condition = "reference IS NOT NULL"
        elif unless_referenced:
            condition += " AND NOT EXISTS (SELECT 1 FROM theirs t WHERE t.reference = o.reference)"
        return self._database.execute(
            f"SELECT row, {name} FROM ours o WHERE row > ? AND core AND {condition} ORDER BY row LIMIT ?",  # noqa: S608 - no text of others
            (after, _BATCH),
        ).fetchall()

    @_temporary()
    def set_checked(self, row: int, checked: bool) -> None:  # noqa: FBT001 - the value of a column
        """Note whether the provider has been asked about a row of ours, and answered."""
        self._database.execute("UPDATE ours SET checked = ? WHERE row = ?", (checked, row))

    @_temporary()
    def set_ids_checked(self) -> None:
        """Note that the provider has been asked for all rows of ours with an id."""
        self._database.execute("UPDATE ours SET checked = 1 WHERE id IS NOT NULL")

    @_temporary()
    def lacks_some(self) -> bool:
        """Return whether a row of ours has nothing at the provider by its id or reference."""
        for name in ("folded", "folded_id"):
            self._database.execute(f"CREATE INDEX IF NOT EXISTS theirs_by_{name} ON theirs ({name})")
        return bool(self._database.execute(_LACKS_SOME).fetchone()[0])

    @_temporary()
    def statuses(self) -> dict[str, int]:
        """Return how many of the payments that are in both books, and equal, have each status; call `match` before."""
        return dict(self._database.execute(_STATUSES))

    @_temporary()
    def without_id(self) -> int:
        """Return how many payments of theirs have no id."""
        count: int = self._database.execute("SELECT count(*) FROM theirs WHERE id IS NULL").fetchone()[0]
        return count

    @_temporary()
    def match(self, *, amounts: bool, looked_up: bool = False, is_complete: bool = True) -> dict[Kind, Totals]:
        """Make the report, and return its counts and sums. The arguments are those of `matching.match`."""
        match(self._database, amounts=amounts, looked_up=looked_up, is_complete=is_complete)
        counts: dict[str, int] = dict(self._database.execute(_COUNTS))
        ours, theirs = self._sums(_OUR_SUMS), self._sums(_THEIR_SUMS)
        return {kind: Totals(counts[kind], ours.get(kind, ()), theirs.get(kind, ())) for kind in Kind if kind in counts}

    def _sums(self, query: str) -> dict[str, list[Money]]:
        sums: dict[str, list[Money]] = {}
        for kind, currency, amount in self._database.execute(query):
            sums.setdefault(kind, []).append(Money.of(amount, currency))
        return sums

    def rows(self, kinds: Sequence[Kind]) -> Iterator[Row]:
        """Yield the rows of these kinds, in this order."""
        for kind in kinds:
            with _temporary():
                cursor = self._database.execute(_ROWS, (kind,))
            while batch := cursor.fetchmany(_BATCH):
                yield from map(_row, batch)

    def close(self) -> None:
        """Remove the database."""
        self._database.close()


def _row(cells: Sequence[Any]) -> Row:
    kind, differences, line, doubt, reference, id_, key, amount, currency, at, number, *theirs, other_id = cells
    entry = None
    if amount is not None:
        entry = Entry(Money.of(amount, currency), reference, id_, key, _moment(at), line, doubt)
    return Row(Kind(kind), entry, None if number is None else _theirs(*theirs), tuple(differences.split()), other_id)


def _theirs(id_: Any, reference: Any, amount: Any, requested: Any, currency: Any, status: Any, at: Any) -> Theirs:
    first, second = (None if text is None else Money.of(text, currency) for text in (amount, requested))
    return Theirs(id_, reference, first, second, currency, status, _moment(at))


def _named(one: Entry | Theirs) -> Sequence[str | None]:
    """The reference and the id, each as it is and folded."""
    reference, id_ = _storable(one.reference), canonical_id(_storable(one.id))
    return reference, folded(reference), id_, folded(id_)


def _storable(text: str | None) -> str | None:
    # A provider's JSON may hold half of a character, which no database and no file takes.
    return trimmed((text or "").encode("utf-8", "backslashreplace").decode())


def _text(amount: Money | None) -> str | None:
    return None if amount is None else f"{amount.amount:f}"


def _microseconds(moment: datetime | None) -> int | None:
    return None if moment is None else (moment - _EPOCH) // timedelta(microseconds=1)


def _moment(microseconds: int | None) -> datetime | None:
    return None if microseconds is None else _EPOCH + timedelta(microseconds=microseconds)
