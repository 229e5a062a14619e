"""What a source is compared with while it is checked: its own keys, the keys of the batch, and digests of all rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from victor_ext.tables.temporary import TemporaryDatabase

from .vault import Vault

_SCHEMA = """
CREATE TABLE seen (id BLOB PRIMARY KEY, line INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE known (id BLOB PRIMARY KEY, fingerprint TEXT NOT NULL, refused INTEGER NOT NULL,
    chunk INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE chunks (number INTEGER PRIMARY KEY, encrypted TEXT NOT NULL);
"""


class Digests:
    """Digests of all rows of a source: keyed sums, so they do not depend on the order and need no row storage."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._rows = self._asked = self._source = 0

    def add(self, identity: bytes, fingerprint: str) -> None:
        number = self._vault.number(fingerprint)
        self._rows += 1
        self._asked += number
        self._source += number * int.from_bytes(identity)

    @property
    def asked(self) -> str:
        """Digest of what the rows ask, whatever their keys are: copies have the same one."""
        return f"{self._rows}:{self._asked:x}"

    @property
    def source(self) -> str:
        """Digest of what the rows ask under their keys, to know a source again."""
        return f"{self._rows}:{self._source:x}"


class KnownRow(NamedTuple):
    """A stored row of the batch. `refused`: it was refused locally, so that nothing was sent under its key."""

    fingerprint: str
    refused: bool
    chunk: int


class Spool:
    """Encrypted chunks of checked rows, the keys of the source, and the keys of the batch."""

    def __init__(self) -> None:
        self._db = TemporaryDatabase(_SCHEMA)

    def first_line_of(self, identity: bytes, line: int) -> int | None:
        """Record the line of a key; return its earlier line, if any."""
        if self._db.execute("INSERT OR IGNORE INTO seen VALUES (?, ?)", (identity, line)).rowcount:
            return None
        (before,) = self._db.execute("SELECT line FROM seen WHERE id = ?", (identity,)).fetchone()
        return int(before)

    def learn(self, rows: Iterable[tuple[bytes, str, bool, int]]) -> None:
        """Add stored rows: identity and the fields of `KnownRow`. A later row replaces an earlier one."""
        self._db.executemany("INSERT OR REPLACE INTO known VALUES (?, ?, ?, ?)", rows)

    def known(self, identity: bytes) -> KnownRow | None:
        query = "SELECT fingerprint, refused, chunk FROM known WHERE id = ?"
        row = self._db.execute(query, (identity,)).fetchone()
        return None if row is None else KnownRow(*row)

    def add(self, encrypted: str) -> None:
        self._db.execute("INSERT INTO chunks (encrypted) VALUES (?)", (encrypted,))

    def __iter__(self) -> Iterator[str]:
        return (encrypted for (encrypted,) in self._db.execute("SELECT encrypted FROM chunks ORDER BY number"))

    def close(self) -> None:
        self._db.close()
