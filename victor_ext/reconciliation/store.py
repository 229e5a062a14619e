"""Both books in a temporary database, so that memory does not grow with their rows, and the SQL
that matches them.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Context, Decimal
from functools import partial
from typing import Any

from victor_ext.books import Theirs, Zone
from victor_ext.ids import canonical_id, in_one_form, trimmed
from victor_ext.money import Money
from victor_ext.tables.temporary import TemporaryDatabase
from victor_ext.tables.texts import folded

from .entries import Entry
from .report import Kind, Row, Totals, plain

_BATCH = 500
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EXACT = Context(prec=100, traps=[])
# Ids and references are compared as they are, and only what is left then as folded text.
_SCHEMA = """
CREATE TABLE ours (
    row INTEGER PRIMARY KEY, line INTEGER, reference TEXT, folded TEXT, id TEXT, folded_id TEXT,
    key TEXT, amount TEXT NOT NULL, currency TEXT NOT NULL, at INTEGER, doubt TEXT,
    core INTEGER NOT NULL, checked INTEGER NOT NULL
);
CREATE TABLE theirs (
    number INTEGER PRIMARY KEY, id TEXT UNIQUE, folded_id TEXT, reference TEXT, folded TEXT,
    amount TEXT, requested TEXT, currency TEXT, status TEXT, at INTEGER,
    zone INTEGER NOT NULL, unread INTEGER
);
CREATE TABLE listed (
    reading INTEGER NOT NULL, item TEXT NOT NULL, PRIMARY KEY (reading, item)
) WITHOUT ROWID;
"""
_ROWS = """
SELECT kind, differences, o.line, o.doubt, o.reference, o.id, o.key, o.amount, o.currency, o.at,
    t.number, t.id, t.reference, t.amount, t.requested, t.currency, t.status, t.at, other.id
FROM report LEFT JOIN ours o USING (row) LEFT JOIN theirs t USING (number)
    LEFT JOIN theirs other ON other.number = report.other
WHERE kind = ? ORDER BY report.rowid
"""
_LACKS_SOME = """
SELECT EXISTS (SELECT 1 FROM ours o WHERE core AND coalesce(id, reference) IS NOT NULL
AND NOT EXISTS (SELECT 1 FROM theirs t WHERE t.folded_id = o.folded_id)
AND NOT EXISTS (SELECT 1 FROM theirs t WHERE t.folded = o.folded))"""
_ARE_EQUAL = """SELECT NOT EXISTS (SELECT item FROM listed WHERE reading = ?1 EXCEPT
SELECT item FROM listed WHERE reading = ?2)"""
_STATUSES = """SELECT coalesce(status, 'no status'), count(*) FROM report JOIN theirs USING (number)
WHERE kind IN ('matched', 'modified') GROUP BY status ORDER BY count(*) DESC, status LIMIT 20"""
_AMOUNTS = """SELECT kind, iif(kind = 'duplicate', NULL, o.amount), o.currency, t.amount, t.currency
FROM report LEFT JOIN ours o USING (row) LEFT JOIN theirs t USING (number)"""

# Ids come first, then references, those with equal amounts before others; last come references and
# ids that differ in letter case, blanks, forms of one letter or invisible characters alone: nobody
# is to be asked again because of these.
_PAIRS = """
CREATE TABLE pairs (row INTEGER PRIMARY KEY, number INTEGER NOT NULL UNIQUE);
CREATE INDEX ours_by_id ON ours (id);
CREATE INDEX ours_by_reference ON ours (reference);
CREATE INDEX ours_by_folded ON ours (folded);
CREATE INDEX ours_by_folded_id ON ours (folded_id);
CREATE INDEX ours_by_key ON ours (key);
CREATE INDEX theirs_by_reference ON theirs (reference);
CREATE INDEX IF NOT EXISTS theirs_by_folded ON theirs (folded);
CREATE INDEX IF NOT EXISTS theirs_by_folded_id ON theirs (folded_id);
"""

_STAGES = (
    {"id": "id"},
    {"reference": "reference", "amount": "requested", "currency": "currency"},
    {"reference": "reference", "amount": "amount", "currency": "currency"},
    {"reference": "reference"},
    {"folded": "folded"},
    {"folded_id": "folded_id"},
)
"""The columns that are equal in a pair, ours and theirs, from the surest to the least sure."""

_PAIR = """
INSERT INTO pairs
WITH
    o AS (
        SELECT row, {ours},
            row_number() OVER (PARTITION BY {ours} ORDER BY id IS NOT NULL, row) AS place
        FROM ours WHERE {ours_known} AND row NOT IN (SELECT row FROM pairs)
    ),
    t AS (
        SELECT number, {theirs},
            row_number() OVER (PARTITION BY {partition} ORDER BY zone >= 2, at, number) AS place
        FROM theirs WHERE {theirs_known} AND number NOT IN (SELECT number FROM pairs)
    )
SELECT o.row, t.number FROM o JOIN t USING ({ours}, place)
"""

# No payment of theirs has a reference, and a row of ours has nothing else to be found by.
_LACK_REFERENCES = """
SELECT EXISTS (SELECT 1 FROM theirs) AND NOT EXISTS (SELECT 1 FROM theirs WHERE folded IS NOT NULL)
AND EXISTS (SELECT 1 FROM ours WHERE core AND id IS NULL AND reference IS NOT NULL)"""

_REPORT = """
CREATE TABLE claimed (
    folded TEXT PRIMARY KEY, row INTEGER NOT NULL, number INTEGER NOT NULL
) WITHOUT ROWID;
INSERT OR IGNORE INTO claimed
    SELECT o.folded, p.row, p.number FROM pairs p JOIN ours o USING (row)
    WHERE o.reference IS NOT NULL ORDER BY p.row;
INSERT OR IGNORE INTO claimed
    SELECT t.folded, p.row, p.number FROM pairs p JOIN theirs t USING (number)
    WHERE t.reference IS NOT NULL ORDER BY p.row;

CREATE TABLE report (
    kind TEXT NOT NULL, row INTEGER, number INTEGER, differences TEXT NOT NULL DEFAULT '',
    other INTEGER
);

INSERT INTO report
WITH keyed AS (
    SELECT row, first_value(number) OVER (PARTITION BY key ORDER BY row) AS first
    FROM pairs JOIN ours USING (row)
    WHERE key IS NOT NULL
),
compared AS (
    SELECT row, number, keyed.first, o.amount AS ours, t.amount, t.requested,
        iif(t.currency <> o.currency, 'currency ', '')
        || iif(
            t.unread
            OR iif(t.amount IS NULL, {amounts},
                o.amount <> t.amount AND o.amount IS NOT t.requested),
            'amount ', '')
        || iif(t.id <> o.id, 'id ', '')
        || iif(
            t.reference <> o.reference AND in_one_form(t.reference) <> in_one_form(o.reference),
            'reference ', '')
            AS differences
    FROM pairs JOIN ours o USING (row) JOIN theirs t USING (number) LEFT JOIN keyed USING (row)
    WHERE o.core OR t.zone < 2
)
SELECT CASE WHEN first <> number THEN 'duplicate' WHEN differences <> '' THEN 'differs'
        WHEN ours = requested AND ours <> amount THEN 'modified' ELSE 'matched' END,
    row, number, differences, iif(first <> number, first, NULL)
FROM compared ORDER BY row;

INSERT INTO report (kind, row)
SELECT CASE
    WHEN EXISTS (SELECT 1 FROM theirs t WHERE t.folded_id = o.folded_id)
        OR EXISTS (SELECT 1 FROM theirs t WHERE t.folded = o.folded)
        OR EXISTS (SELECT 1 FROM ours e WHERE e.key = o.key AND e.row <> o.row
            AND (e.row < o.row OR e.row IN (SELECT row FROM pairs)))
    THEN 'repeated'
    WHEN o.checked AND o.doubt IS NULL AND {is_complete}
        AND (o.id IS NOT NULL OR NOT {lack_references}) THEN 'missing'
    ELSE 'unchecked' END, row
FROM ours o WHERE core AND row NOT IN (SELECT row FROM pairs) ORDER BY row;

INSERT INTO report (kind, row, number, other)
SELECT 'duplicate', c.row, t.number, c.number
FROM theirs t JOIN claimed c USING (folded) JOIN ours o USING (row)
WHERE t.number NOT IN (SELECT number FROM pairs)
    AND (t.zone < 2 OR (t.zone = 2 AND o.core) OR {looked_up})
ORDER BY c.row, t.at, t.number;

INSERT INTO report (kind, number)
SELECT iif(zone = 0, iif({lack_references}, 'unchecked', 'unknown'), 'at_edge'), number
FROM theirs t
WHERE zone < 2 AND number NOT IN (SELECT number FROM pairs)
    AND NOT EXISTS (SELECT 1 FROM claimed c WHERE c.folded = t.folded) ORDER BY at, number;

CREATE INDEX report_by_kind ON report (kind);
"""


class Store(TemporaryDatabase):
    """Our entries, their payments, and the report. It is used by one thread at a time."""

    def __init__(self) -> None:
        super().__init__(_SCHEMA)
        self.lack_references = False
        """Whether no payment of theirs has a reference, so that rows of ours without an id cannot
        be compared. `match` finds it out.
        """
        self.create_function("in_one_form", 1, in_one_form, deterministic=True)

    def add_ours(self, entries: Iterable[tuple[Entry, Zone]], *, checked: bool) -> None:
        """Add entries of ours.

        `checked`: whether the provider has a list that shows which of them it has not.
        """
        self.executemany(
            "INSERT INTO ours (line, reference, folded, id, folded_id, key, amount, currency, at, "
            "doubt, core, checked)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                (
                    entry.line,
                    *_named(entry),
                    trimmed(entry.key),
                    plain(entry.amount),
                    entry.amount.currency,
                    _microseconds(entry.at),
                    entry.why_unchecked,
                    zone <= Zone.EDGE,
                    checked,
                )
                for entry, zone in entries
            ),
        )

    def add_theirs(self, payments: Iterable[tuple[Theirs, Zone]]) -> int:
        """Add payments of theirs, each id once. Return how many were new."""
        cursor = self.executemany(
            "INSERT OR IGNORE INTO theirs (reference, folded, id, folded_id, amount, requested, "
            "currency, status, at, zone, unread) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                (
                    *_named(payment),
                    plain(payment.amount),
                    plain(payment.requested),
                    trimmed(payment.currency),
                    trimmed(payment.status),
                    _microseconds(payment.at),
                    zone,
                    payment.is_unreadable,
                )
                for payment, zone in payments
            ),
        )
        return cursor.rowcount

    def add_listed(self, reading: int, payments: Sequence[Theirs]) -> bool:
        """Note what a page of the list showed.

        Return whether this reading had shown none of it before.
        """
        # Without an id, it is known by all that the provider says of it.
        items = [canonical_id(trimmed(payment.id)) or repr(payment) for payment in payments]
        rows = [(reading, item) for item in items]
        cursor = self.executemany("INSERT OR IGNORE INTO listed VALUES (?, ?)", rows)
        return not payments or cursor.rowcount == len(payments)

    def is_as_before(self, reading: int) -> bool:
        """Return whether this reading of the list showed what the one before it showed, in any
        order.
        """
        pairs = ((reading, reading - 1), (reading - 1, reading))
        return all(self.execute(_ARE_EQUAL, pair).fetchone()[0] for pair in pairs)

    def to_look_up(
        self, name: str, after: int, *, unless_referenced: bool = False
    ) -> list[tuple[int, str]]:
        """Return a batch of rows of ours beyond the row `after` to look up by `name`: each row, and
        its value.

        By `"id"`: those whose id is not among theirs; with `unless_referenced`, nor their
        reference. By `"reference"`: all that have one.
        """
        condition = "id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM theirs t WHERE t.id = o.id)"
        if name == "reference":
            condition = "reference IS NOT NULL"
        elif unless_referenced:
            condition += " AND NOT EXISTS (SELECT 1 FROM theirs t WHERE t.reference = o.reference)"
        return self.execute(
            f"SELECT row, {name} FROM ours o "  # noqa: S608 - no text of others
            f"WHERE row > ? AND core AND {condition} ORDER BY row LIMIT ?",
            (after, _BATCH),
        ).fetchall()

    def set_checked(self, row: int, checked: bool) -> None:  # noqa: FBT001 - the value of a column
        """Note whether the provider has been asked about a row of ours, and answered."""
        self.execute("UPDATE ours SET checked = ? WHERE row = ?", (checked, row))

    def set_ids_checked(self) -> None:
        self.execute("UPDATE ours SET checked = 1 WHERE id IS NOT NULL")

    def lacks_some(self) -> bool:
        """Return whether a row of ours has nothing at the provider by its id or reference."""
        for name in ("folded", "folded_id"):
            self.execute(f"CREATE INDEX IF NOT EXISTS theirs_by_{name} ON theirs ({name})")
        return bool(self.execute(_LACKS_SOME).fetchone()[0])

    def statuses(self) -> dict[str, int]:
        """Return how many payments that are in both books, and equal, have each status; call
        `match` before.
        """
        return dict(self.execute(_STATUSES))

    def without_id(self) -> int:
        count: int = self.execute("SELECT count(*) FROM theirs WHERE id IS NULL").fetchone()[0]
        return count

    def match(
        self, *, amounts: bool, looked_up: bool = False, is_complete: bool = True
    ) -> dict[Kind, Totals]:
        """Make the report, and return its counts and sums. docs/reconcile.md states the rules.

        `amounts`: whether one that the provider does not say is a difference. `looked_up`: payments
        of theirs are known by look-ups alone, so that none is outside of the window. `is_complete`:
        the provider's list showed all of it.
        """
        self._pair()
        self.lack_references = not looked_up and bool(self.execute(_LACK_REFERENCES).fetchone()[0])
        report = _REPORT.format(
            amounts=int(amounts),
            looked_up=int(looked_up),
            is_complete=int(is_complete),
            lack_references=int(self.lack_references),
        )
        self.executescript(report)
        return self._totals()

    def _pair(self) -> None:
        """Pair ours with theirs, the surest pairs first."""
        self.executescript(_PAIRS)
        for stage in _STAGES:
            named = [f"{theirs} AS {ours}" for ours, theirs in stage.items()]
            statement = _PAIR.format(
                ours=", ".join(stage),
                theirs=", ".join(named),
                partition=", ".join(stage.values()),
                ours_known=_are_known(stage),
                theirs_known=_are_known(stage.values()),
            )
            self.execute(statement)

    def _totals(self) -> dict[Kind, Totals]:
        """Count the rows of each kind, and add up both sides by currency."""
        counts = Counter[str]()
        ours = defaultdict[str, _Sums](_Sums)
        theirs = defaultdict[str, _Sums](_Sums)
        for kind, our_amount, our_currency, their_amount, their_currency in self.execute(_AMOUNTS):
            counts[kind] += 1
            ours[kind].add(our_amount, our_currency)
            theirs[kind].add(their_amount, their_currency)
        return {
            kind: Totals(counts[kind], ours[kind].money(), theirs[kind].money())
            for kind in Kind
            if counts[kind]
        }

    def rows(self, kinds: Sequence[Kind]) -> Iterator[Row]:
        for kind in kinds:
            cursor = self.execute(_ROWS, (kind,))
            for batch in iter(partial(cursor.fetchmany, _BATCH), []):
                yield from map(_row, batch)


class _Sums:
    """Exact sums by currency."""

    def __init__(self) -> None:
        self._by_currency: dict[str, Decimal] = {}

    def add(self, amount: str | None, currency: str) -> None:
        if amount is None:
            return
        before = self._by_currency.get(currency, Decimal(0))
        self._by_currency[currency] = _EXACT.add(before, Decimal(amount))

    def money(self) -> list[Money]:
        sums = sorted(self._by_currency.items())
        return [Money.of(f"{total:f}", currency) for currency, total in sums]


def _are_known(columns: Iterable[str]) -> str:
    return " AND ".join(f"{column} IS NOT NULL" for column in columns)


def _row(cells: Sequence[Any]) -> Row:
    (
        kind,
        differences,
        line,
        doubt,
        reference,
        id_,
        key,
        amount,
        currency,
        at,
        number,
        *theirs,
        other_id,
    ) = cells
    entry = None
    if amount is not None:
        entry = Entry(Money.of(amount, currency), reference, id_, key, _moment(at), line, doubt)
    payment = None if number is None else _theirs(*theirs)
    return Row(Kind(kind), entry, payment, tuple(differences.split()), other_id)


def _theirs(
    id_: Any, reference: Any, amount: Any, requested: Any, currency: Any, status: Any, at: Any
) -> Theirs:
    return Theirs(
        id_,
        reference,
        _money(amount, currency),
        _money(requested, currency),
        currency,
        status,
        _moment(at),
    )


def _money(amount: str | None, currency: str) -> Money | None:
    return None if amount is None else Money.of(amount, currency)


def _named(payment: Entry | Theirs) -> Sequence[str | None]:
    """The reference and the id, each as it is and folded."""
    reference = trimmed(payment.reference)
    id_ = canonical_id(trimmed(payment.id))
    return reference, folded(reference), id_, folded(id_)


def _microseconds(moment: datetime | None) -> int | None:
    return None if moment is None else (moment - _EPOCH) // timedelta(microseconds=1)


def _moment(microseconds: int | None) -> datetime | None:
    return None if microseconds is None else _EPOCH + timedelta(microseconds=microseconds)
