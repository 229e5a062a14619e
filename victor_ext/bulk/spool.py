"""Temporary storage for checked rows and known keys.

It is an unnamed temporary SQLite database, which the system removes when the process ends. Its cache is limited, so
memory does not grow with the number of rows.
"""

from __future__ import annotations

import hashlib
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ContextDecorator
from dataclasses import dataclass
from typing import Self

from victor_ext import ConfigurationError

_CACHE_KIB = 4096
_SCHEMA = """
CREATE TABLE seen (id BLOB PRIMARY KEY, line INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE known (id BLOB PRIMARY KEY, fingerprint TEXT NOT NULL, refused INTEGER NOT NULL,
    chunk INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE chunks (number INTEGER PRIMARY KEY, encrypted TEXT NOT NULL);
"""


@dataclass(frozen=True, slots=True)
class KnownRow:
    """A stored row of the batch."""

    fingerprint: str
    refused: bool
    """Whether it was refused locally, so that nothing was sent under its key."""
    chunk: int
    """Number of its chunk."""


class _Temporary(ContextDecorator):
    """Raises `ConfigurationError` if a temporary database cannot be used."""

    # Not made by `contextmanager`, which makes a new one each time: it is entered for each row.

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if isinstance(error, sqlite3.OperationalError):
            raise ConfigurationError(
                f"The folder for temporary files, {tempfile.gettempdir()}, cannot be used: {error}. Make room in it, "
                "or name another one by TMPDIR."
            ) from None


temporary = _Temporary()


class Spool:
    """Encrypted chunks of checked rows, the keys of the source, and the keys of the batch.

    All methods raise `ConfigurationError` if the disk is full.
    """

    @temporary
    def __init__(self) -> None:
        self._db = sqlite3.connect("", isolation_level=None)
        self._db.executescript(
            f"PRAGMA cache_size=-{_CACHE_KIB}; PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; {_SCHEMA} BEGIN"
        )
        self._chunks = 0
        self._has_known = False

    @temporary
    def first_line_of(self, identity: bytes, line: int) -> int | None:
        """Record the line of a key; return its earlier line, if any."""
        try:
            self._db.execute("INSERT INTO seen VALUES (?, ?)", (identity, line))
        except sqlite3.IntegrityError:
            row = self._db.execute("SELECT line FROM seen WHERE id = ?", (identity,)).fetchone()
            return int(row[0])
        return None

    @temporary
    def learn(self, rows: Iterable[tuple[bytes, str, bool, int]]) -> None:
        """Add stored rows: identity and the fields of `KnownRow`. A later row replaces an earlier one."""
        self._has_known = True
        self._db.executemany("INSERT OR REPLACE INTO known VALUES (?, ?, ?, ?)", rows)

    @temporary
    def known(self, identity: bytes) -> KnownRow | None:
        """Return the stored row, or None."""
        if not self._has_known:
            return None
        query = "SELECT fingerprint, refused, chunk FROM known WHERE id = ?"
        row = self._db.execute(query, (identity,)).fetchone()
        return None if row is None else KnownRow(row[0], bool(row[1]), row[2])

    @temporary
    def add(self, encrypted: str) -> None:
        """Add an encrypted chunk."""
        self._chunks += 1
        self._db.execute("INSERT INTO chunks VALUES (?, ?)", (self._chunks, encrypted))

    @property
    def chunks(self) -> int:
        """Number of chunks."""
        return self._chunks

    def __iter__(self) -> Iterator[str]:
        with temporary:
            chunks = self._db.execute("SELECT encrypted FROM chunks ORDER BY number")
        for (encrypted,) in chunks:
            yield encrypted

    def close(self) -> None:
        """Close the database, which deletes it."""
        self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def identity_of(key: str, number: int) -> bytes:
    """Return a row's identity: its key, or its number if it has none."""
    return bytes.fromhex(key.replace("-", "")) if key else hashlib.sha256(b"row %d" % number).digest()[:16]
