"""Rows that have been checked, on disk until all of them have been; and what is known of their keys.

One temporary SQLite database without a name: the system removes it with the process, however that ends. Its
cache is bounded, so that memory does not grow with the number of rows. A hash set of a million keys would take
a hundred times as much, and sorting the keys in runs would take a second pass to find the lines of a repeat.
"""

from __future__ import annotations

import hashlib
import sqlite3
import tempfile
import uuid
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Self

from victor_ext import ConfigurationError

_CACHE_KIB = 4096
_SCHEMA = """
CREATE TABLE seen (id BLOB PRIMARY KEY, line INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE known (id BLOB PRIMARY KEY, fingerprint TEXT NOT NULL, refused INTEGER NOT NULL,
    chunk INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE chunks (number INTEGER PRIMARY KEY, sealed TEXT NOT NULL);
"""


@dataclass(frozen=True, slots=True)
class KnownRow:
    """What the batch holds under a key already."""

    fingerprint: str
    refused: bool
    """Whether it was refused on this side: nothing was ever sent under the key."""
    chunk: int
    """The number of the chunk where it lies."""


@contextmanager
def temporary() -> Generator[None]:
    """Say in a sentence, as `ConfigurationError`, that a temporary database cannot be used."""
    try:
        yield
    except sqlite3.OperationalError as error:
        raise ConfigurationError(
            f"The folder for temporary files, {tempfile.gettempdir()}, cannot be used: {error}. Make room in it, or "
            "name another one by TMPDIR."
        ) from None


class Spool:
    """Checked rows in sealed chunks, the keys of the source, and the keys of the batch.

    All methods raise `ConfigurationError` when there is no room for them.
    """

    @temporary()
    def __init__(self) -> None:
        self._db = sqlite3.connect("", isolation_level=None)
        self._db.executescript(
            f"PRAGMA cache_size=-{_CACHE_KIB}; PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; {_SCHEMA} BEGIN"
        )
        self._chunks = 0

    @temporary()
    def first_line_of(self, identity: bytes, line: int) -> int | None:
        """Note where a key stands; the line where it stood before, if it did."""
        try:
            self._db.execute("INSERT INTO seen VALUES (?, ?)", (identity, line))
        except sqlite3.IntegrityError:
            found = self._db.execute("SELECT line FROM seen WHERE id = ?", (identity,)).fetchone()
            return int(found[0])
        return None

    @temporary()
    def learn(self, rows: Iterable[tuple[bytes, str, bool, int]]) -> None:
        """Take rows of the batch over: identity, and what `KnownRow` has. The last one counts."""
        self._db.executemany("INSERT OR REPLACE INTO known VALUES (?, ?, ?, ?)", rows)

    @temporary()
    def known(self, identity: bytes) -> KnownRow | None:
        """What the batch holds of a row."""
        query = "SELECT fingerprint, refused, chunk FROM known WHERE id = ?"
        found = self._db.execute(query, (identity,)).fetchone()
        return None if found is None else KnownRow(found[0], bool(found[1]), found[2])

    @temporary()
    def add(self, sealed: str) -> None:
        """Keep one chunk."""
        self._chunks += 1
        self._db.execute("INSERT INTO chunks VALUES (?, ?)", (self._chunks, sealed))

    @property
    def chunks(self) -> int:
        """How many are kept."""
        return self._chunks

    def __iter__(self) -> Iterator[str]:
        with temporary():
            found = self._db.execute("SELECT sealed FROM chunks ORDER BY number")
        for (sealed,) in found:
            yield sealed

    def close(self) -> None:
        """Let the file go."""
        self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def identity_of(key: str, number: int) -> bytes:
    """What a row is known by: its key, or its place among the rows when it has none."""
    return uuid.UUID(key).bytes if key else hashlib.sha256(b"row %d" % number).digest()[:16]
