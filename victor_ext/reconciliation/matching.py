"""Which entry of ours is which payment of theirs: SQL over the tables of `store`.

Ids come first, then references, those with equal amounts before others; last come references and ids that differ in
letter case, blanks, forms of one letter or invisible characters alone: nobody is to be asked again because of these.
docs/reconcile.md states the rules; the oracle of the tests implements them independently.
"""

from __future__ import annotations

import sqlite3

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
        SELECT row, {ours}, row_number() OVER (PARTITION BY {ours} ORDER BY id IS NOT NULL, row) AS place
        FROM ours WHERE {ours_known} AND row NOT IN (SELECT row FROM pairs)
    ),
    t AS (
        SELECT number, {theirs}, row_number() OVER (PARTITION BY {partition} ORDER BY zone >= 2, at, number) AS place
        FROM theirs WHERE {theirs_known} AND number NOT IN (SELECT number FROM pairs)
    )
SELECT o.row, t.number FROM o JOIN t USING ({ours}, place)
"""

_REPORT = """
CREATE TABLE claimed (folded TEXT PRIMARY KEY, row INTEGER NOT NULL, number INTEGER NOT NULL) WITHOUT ROWID;
INSERT OR IGNORE INTO claimed
    SELECT o.folded, p.row, p.number FROM pairs p JOIN ours o USING (row)
    WHERE o.reference IS NOT NULL ORDER BY p.row;
INSERT OR IGNORE INTO claimed
    SELECT t.folded, p.row, p.number FROM pairs p JOIN theirs t USING (number)
    WHERE t.reference IS NOT NULL ORDER BY p.row;

CREATE TABLE report (kind TEXT NOT NULL, row INTEGER, number INTEGER, differences TEXT NOT NULL DEFAULT '',
    other INTEGER);

INSERT INTO report
WITH keyed AS (
    SELECT row, first_value(number) OVER (PARTITION BY key ORDER BY row) AS first FROM pairs JOIN ours USING (row)
    WHERE key IS NOT NULL
),
compared AS (
    SELECT row, number, keyed.first, o.amount AS ours, t.amount, t.requested,
        iif(t.currency <> o.currency, 'currency ', '')
        || iif(iif(t.amount IS NULL, {amounts}, o.amount <> t.amount AND o.amount IS NOT t.requested), 'amount ', '')
        || iif(t.id <> o.id, 'id ', '') || iif(t.reference <> o.reference, 'reference ', '') AS differences
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
    THEN 'repeated' WHEN o.checked AND o.doubt IS NULL AND {is_complete} THEN 'missing' ELSE 'unchecked' END, row
FROM ours o WHERE core AND row NOT IN (SELECT row FROM pairs) ORDER BY row;

INSERT INTO report (kind, row, number, other)
SELECT 'duplicate', c.row, t.number, c.number FROM theirs t JOIN claimed c USING (folded) JOIN ours o USING (row)
WHERE t.number NOT IN (SELECT number FROM pairs) AND (t.zone < 2 OR (t.zone = 2 AND o.core) OR {looked_up})
ORDER BY c.row, t.at, t.number;

INSERT INTO report (kind, number)
SELECT iif(zone = 0, 'unknown', 'at_edge'), number FROM theirs t
WHERE zone < 2 AND number NOT IN (SELECT number FROM pairs)
    AND NOT EXISTS (SELECT 1 FROM claimed c WHERE c.folded = t.folded) ORDER BY at, number;

CREATE INDEX report_by_kind ON report (kind);
"""


def match(database: sqlite3.Connection, *, amounts: bool, looked_up: bool, is_complete: bool) -> None:
    """Fill the table `report`.

    Args:
        database: The database of `store`.
        amounts: Whether an amount that the provider does not say is a difference.
        looked_up: Whether payments of theirs are known by look-ups alone, so that none is outside of the window.
        is_complete: Whether what the provider's list did not show is not in it.
    """
    database.executescript(_PAIRS)
    for stage in _STAGES:
        database.execute(
            _PAIR.format(
                ours=", ".join(stage),
                theirs=", ".join(f"{theirs} AS {ours}" for ours, theirs in stage.items()),
                partition=", ".join(stage.values()),
                ours_known=" AND ".join(f"{name} IS NOT NULL" for name in stage),
                theirs_known=" AND ".join(f"{name} IS NOT NULL" for name in stage.values()),
            )
        )
    database.executescript(_REPORT.format(amounts=int(amounts), looked_up=int(looked_up), is_complete=int(is_complete)))
