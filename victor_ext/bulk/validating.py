"""What a source is compared with while it is checked: its own keys, the keys of the batch, and digests of all rows."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from victor_ext.tables.temporary import TemporaryDatabase

from .vault import Vault

_DIGESTS = 1 << 256
_SCHEMA = """
CREATE TABLE seen (id BLOB PRIMARY KEY, line INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE known (id BLOB PRIMARY KEY, fingerprint TEXT NOT NULL, refused INTEGER NOT NULL,
    chunk INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE chunks (number INTEGER PRIMARY KEY, encrypted TEXT NOT NULL);
"""


class Digests:
    """Digests of all rows of a source, to detect a copy of what was sent before.

    A digest is a keyed sum over the rows, so it does not depend on their order and needs no row storage. A row counts
    by what is sent.

    Args:
        vault: Makes the keyed digests.
        stored: The stored submissions, as `BatchStore.digests` returns them.
    """

    def __init__(self, vault: Vault, stored: Mapping[str, str]) -> None:
        self._vault = vault
        self._stored = stored
        self._sum = 0
        self._rows = 0

    def add(self, fingerprint: str) -> None:
        """Add a row by the fingerprint of its arguments."""
        self._rows += 1
        self._sum = (self._sum + self._vault.number(fingerprint)) % _DIGESTS

    def own(self) -> str:
        """Return the digest of this source."""
        return f"{self._rows}:{self._sum:x}"

    def batch_with_them(self) -> str | None:
        """Return a batch to which exactly these rows were submitted at once, or None."""
        return self._stored.get(self.own())


class KnownRow(NamedTuple):
    """A stored row of the batch. `refused`: it was refused locally, so that nothing was sent under its key."""

    fingerprint: str
    refused: bool
    chunk: int


class Spool:
    """Encrypted chunks of checked rows, the keys of the source, and the keys of the batch.

    All methods raise `ConfigurationError` if the disk is full.
    """

    def __init__(self) -> None:
        self._db = TemporaryDatabase(_SCHEMA)

    def first_line_of(self, identity: bytes, line: int) -> int | None:
        """Record the line of a key; return its earlier line, if any."""
        try:
            self._db.execute("INSERT INTO seen VALUES (?, ?)", (identity, line))
        except sqlite3.IntegrityError:
            row = self._db.execute("SELECT line FROM seen WHERE id = ?", (identity,)).fetchone()
            return int(row[0])
        return None

    def learn(self, rows: Iterable[tuple[bytes, str, bool, int]]) -> None:
        """Add stored rows: identity and the fields of `KnownRow`. A later row replaces an earlier one."""
        self._db.executemany("INSERT OR REPLACE INTO known VALUES (?, ?, ?, ?)", rows)

    def known(self, identity: bytes) -> KnownRow | None:
        """Return the stored row, or None."""
        query = "SELECT fingerprint, refused, chunk FROM known WHERE id = ?"
        row = self._db.execute(query, (identity,)).fetchone()
        return None if row is None else KnownRow(*row)

    def add(self, encrypted: str) -> None:
        """Add an encrypted chunk."""
        self._db.execute("INSERT INTO chunks (encrypted) VALUES (?)", (encrypted,))

    def __iter__(self) -> Iterator[str]:
        for (encrypted,) in self._db.execute("SELECT encrypted FROM chunks ORDER BY number"):
            yield encrypted

    def close(self) -> None:
        """Close the database, which deletes it."""
        self._db.close()


def identity_of(key: str, number: int) -> bytes:
    """Return a row's identity: its key, or its number if it has none."""
    return bytes.fromhex(key.replace("-", "")) if key else hashlib.sha256(b"row %d" % number).digest()[:16]
