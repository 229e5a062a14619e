"""The SQL of a reconciliation, in the order in which `ComparedEntries` uses it: tables, pairs,
report, reads.

`core` are rows of ours within the window or near its ends; `zone` is the `Zone` of a payment of
theirs; a `skeleton` is what `skeleton_of` returns.
"""

# Ids and references are compared as they are; only rows that are left then are compared by their
# skeletons.
SCHEMA = """
CREATE TABLE ours (
    row INTEGER PRIMARY KEY, line INTEGER, reference TEXT, skeleton TEXT, id TEXT, id_skeleton TEXT,
    key TEXT, amount TEXT NOT NULL, currency TEXT NOT NULL, at INTEGER, doubt TEXT, batch TEXT,
    core INTEGER NOT NULL, checked INTEGER NOT NULL
);
CREATE TABLE theirs (
    number INTEGER PRIMARY KEY, id TEXT UNIQUE, id_skeleton TEXT, reference TEXT, skeleton TEXT,
    amount TEXT, requested TEXT, currency TEXT, status TEXT, at INTEGER,
    zone INTEGER NOT NULL, unread INTEGER
);
CREATE INDEX theirs_by_skeleton ON theirs (skeleton);
CREATE INDEX theirs_by_id_skeleton ON theirs (id_skeleton);
CREATE TABLE listed (
    reading INTEGER NOT NULL, item TEXT NOT NULL, PRIMARY KEY (reading, item)
) WITHOUT ROWID;
"""

ADD_OURS = """
INSERT INTO ours
    (reference, skeleton, id, id_skeleton, key, amount, currency, at, line, batch, doubt,
    core, checked)
VALUES
    (:reference, :skeleton, :id, :id_skeleton, :key, :amount, :currency, :at, :line, :batch, :doubt,
    :core, :checked)"""
ADD_THEIRS = """
INSERT OR IGNORE INTO theirs
    (reference, skeleton, id, id_skeleton, amount, requested, currency, status, at, zone, unread)
VALUES
    (:reference, :skeleton, :id, :id_skeleton, :amount, :requested, :currency, :status, :at, :zone,
    :unread)"""

# Ids come first, then references, those with equal amounts before others; last come references and
# ids whose skeletons are equal: nobody is to be asked again because of these.
PAIRS = """
CREATE TABLE pairs (row INTEGER PRIMARY KEY, number INTEGER NOT NULL UNIQUE);
CREATE INDEX ours_by_id ON ours (id);
CREATE INDEX ours_by_reference ON ours (reference);
CREATE INDEX ours_by_skeleton ON ours (skeleton);
CREATE INDEX ours_by_id_skeleton ON ours (id_skeleton);
CREATE INDEX ours_by_key ON ours (key);
CREATE INDEX theirs_by_reference ON theirs (reference);
"""

STAGES = (
    {"id": "id"},
    {"reference": "reference", "amount": "requested", "currency": "currency"},
    {"reference": "reference", "amount": "amount", "currency": "currency"},
    {"reference": "reference"},
    {"skeleton": "skeleton"},
    {"id_skeleton": "id_skeleton"},
)
"""The columns that are equal in a pair, ours and theirs, from the surest to the least sure."""

PAIR = """
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

# Whether no payment of theirs has a reference, although a row of ours has nothing else to be found
# by.
LACK_REFERENCES = """
SELECT EXISTS (SELECT 1 FROM theirs)
AND NOT EXISTS (SELECT 1 FROM theirs WHERE skeleton IS NOT NULL)
AND EXISTS (SELECT 1 FROM ours WHERE core AND id IS NULL AND reference IS NOT NULL)"""

REPORT = """
CREATE TABLE claimed (
    skeleton TEXT PRIMARY KEY, row INTEGER NOT NULL, number INTEGER NOT NULL
) WITHOUT ROWID;
INSERT OR IGNORE INTO claimed
    SELECT o.skeleton, p.row, p.number FROM pairs p JOIN ours o USING (row)
    WHERE o.reference IS NOT NULL ORDER BY p.row;
INSERT OR IGNORE INTO claimed
    SELECT t.skeleton, p.row, p.number FROM pairs p JOIN theirs t USING (number)
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
referred AS (
    SELECT row, row_number() OVER (PARTITION BY reference ORDER BY row) AS place
    FROM pairs JOIN ours USING (row)
    WHERE reference IS NOT NULL
),
compared AS (
    SELECT row, number, keyed.first, referred.place, o.amount AS ours, t.amount, t.requested,
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
        LEFT JOIN referred USING (row)
    WHERE o.core OR t.zone < 2
)
SELECT CASE WHEN first <> number THEN 'duplicate' WHEN place > 1 THEN 'repeated'
        WHEN differences <> '' THEN 'differs'
        WHEN ours = requested AND ours <> amount THEN 'modified' ELSE 'matched' END,
    row, number, differences, iif(first <> number, first, NULL)
FROM compared ORDER BY row;

INSERT INTO report (kind, row)
SELECT CASE
    WHEN EXISTS (SELECT 1 FROM theirs t WHERE t.id_skeleton = o.id_skeleton)
        OR EXISTS (SELECT 1 FROM theirs t WHERE t.skeleton = o.skeleton)
        OR EXISTS (SELECT 1 FROM ours e WHERE e.key = o.key AND e.row <> o.row
            AND (e.row < o.row OR e.row IN (SELECT row FROM pairs)))
    THEN 'repeated'
    WHEN o.checked AND o.doubt IS NULL AND {is_complete}
        AND (o.id IS NOT NULL OR NOT {lack_references}) THEN 'missing'
    ELSE 'unchecked' END, row
FROM ours o WHERE core AND row NOT IN (SELECT row FROM pairs) ORDER BY row;

INSERT INTO report (kind, row, number, other)
SELECT 'duplicate', c.row, t.number, c.number
FROM theirs t JOIN claimed c USING (skeleton) JOIN ours o USING (row)
WHERE t.number NOT IN (SELECT number FROM pairs)
    AND (t.zone < 2 OR (t.zone = 2 AND o.core) OR {looked_up})
ORDER BY c.row, t.at, t.number;

INSERT INTO report (kind, number)
SELECT iif(zone = 0, iif({lack_references}, 'unchecked', 'only_theirs'), 'at_edge'), number
FROM theirs t
WHERE zone < 2 AND number NOT IN (SELECT number FROM pairs)
    AND NOT EXISTS (SELECT 1 FROM claimed c WHERE c.skeleton = t.skeleton) ORDER BY at, number;

CREATE INDEX report_by_kind ON report (kind);
"""

# Reads

ROWS = """
SELECT kind, differences, o.line, o.doubt, o.batch, o.reference, o.id, o.key, o.amount, o.currency,
    o.at, t.number, t.id, t.reference, t.amount, t.requested, t.currency, t.status, t.at, other.id
FROM report LEFT JOIN ours o USING (row) LEFT JOIN theirs t USING (number)
    LEFT JOIN theirs other ON other.number = report.other
WHERE kind = ? ORDER BY report.rowid
"""
LACKS_SOME = """
SELECT EXISTS (SELECT 1 FROM ours o WHERE core AND coalesce(id, reference) IS NOT NULL
AND NOT EXISTS (SELECT 1 FROM theirs t WHERE t.id_skeleton = o.id_skeleton)
AND NOT EXISTS (SELECT 1 FROM theirs t WHERE t.skeleton = o.skeleton))"""
IN_ONE_READING = """SELECT item FROM listed WHERE reading IN (?, ?)
GROUP BY item HAVING count(*) = 1 LIMIT 1"""
STATUSES = """SELECT coalesce(status, 'no status'), count(*) FROM report JOIN theirs USING (number)
WHERE kind IN ('matched', 'modified') GROUP BY status ORDER BY count(*) DESC, status LIMIT 20"""
AMOUNTS = """SELECT kind, iif(kind = 'duplicate', NULL, o.amount), o.currency, t.amount, t.currency
FROM report LEFT JOIN ours o USING (row) LEFT JOIN theirs t USING (number)"""
