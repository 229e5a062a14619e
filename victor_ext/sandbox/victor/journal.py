"""The durable state of the sandbox: none, or one SQLite file.

One `commit` is one transaction with a payment request and the record of its idempotency key. It returns before any byte
of the response is sent. A process that is killed at any moment has done the whole work under a key, or none of it.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

from victor_ext.sandbox.server.operations import JsonValue
from victor_ext.sandbox.server.privacy import make_private
from victor_ext.sandbox.victor.model import PaymentRequest

_SCHEMA = """
CREATE TABLE IF NOT EXISTS requests (
    position INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, record TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS keys (
    owner TEXT NOT NULL, key TEXT NOT NULL, fingerprint BLOB NOT NULL, request_id TEXT NOT NULL,
    PRIMARY KEY (owner, key)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS facts (kind TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL,
    PRIMARY KEY (kind, name)
) WITHOUT ROWID;
"""
_BESIDE = ("-wal", "-shm", "-journal")
"""The suffixes of files that SQLite makes beside the database, and leaves there when it is killed."""
_UPSERT = "INSERT INTO requests (id, record) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET record = excluded.record"


class KeyRecord(NamedTuple):
    """The work under an idempotency key: the fingerprint of the body, and the request that was made."""

    owner: str
    key: str
    fingerprint: bytes
    request_id: str


Saved: TypeAlias = tuple[list[PaymentRequest], list[KeyRecord], list[tuple[str, str, JsonValue]]]
"""Requests, keys and facts."""


class Journal:
    """The durable side of the sandbox. This one keeps nothing: the state ends with the process."""

    def load(self) -> Saved:
        return [], [], []

    def commit(self, requests: Sequence[PaymentRequest], key: KeyRecord | None = None) -> None:
        """Write requests, and the key under which the work was done, in one transaction."""

    def put(self, kind: str, name: str, value: object) -> None:
        """Write one fact, such as an account, an API key or the clock."""

    def drop(self, kind: str, name: str) -> None:
        """Remove one fact."""

    def clear(self) -> None:
        """Remove everything."""

    def close(self) -> None:
        """Close the file."""


class SqliteJournal(Journal):
    """State in one SQLite file that only its owner may read. `OSError` when another sandbox uses it or it is unusable.

    WAL with `synchronous=NORMAL` is safe against a killed process. A power cut may lose the last commits.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        shown = os.fspath(path)
        try:
            if shown != ":memory:":
                # SQLite gives the files that it makes beside this one the same mode.
                make_private(path, beside=_BESIDE)
        except OSError as error:
            raise OSError(f"the state file {shown!r} cannot be used: {error.strerror}") from error
        # One thread opens it, another one uses it; never both at once.
        self._db = sqlite3.connect(shown, isolation_level=None, timeout=0.5, check_same_thread=False)
        try:
            # Exclusive: a second sandbox would not see what this one keeps in memory.
            self._db.execute("PRAGMA locking_mode=EXCLUSIVE")
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=NORMAL")
            self._db.executescript(_SCHEMA)
            self._db.execute("BEGIN IMMEDIATE")
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            self._db.close()
            raise OSError(f"the state file {shown!r} cannot be used: {error}") from error

    def load(self) -> Saved:
        requests = self._db.execute("SELECT record FROM requests ORDER BY position")
        keys = self._db.execute("SELECT owner, key, fingerprint, request_id FROM keys")
        facts = self._db.execute("SELECT kind, name, value FROM facts ORDER BY kind, name")
        return (
            [PaymentRequest.from_dict(json.loads(record)) for (record,) in requests],
            [KeyRecord(*row) for row in keys],
            [(kind, name, json.loads(value)) for kind, name, value in facts],
        )

    def commit(self, requests: Sequence[PaymentRequest], key: KeyRecord | None = None) -> None:
        rows = [(request.id, json.dumps(request.to_dict())) for request in requests]
        self._db.execute("BEGIN IMMEDIATE")
        try:
            self._db.executemany(_UPSERT, rows)
            if key is not None:
                self._db.execute("INSERT OR REPLACE INTO keys VALUES (?, ?, ?, ?)", key)
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def put(self, kind: str, name: str, value: object) -> None:
        self._db.execute("INSERT OR REPLACE INTO facts VALUES (?, ?, ?)", (kind, name, json.dumps(value)))

    def drop(self, kind: str, name: str) -> None:
        self._db.execute("DELETE FROM facts WHERE kind = ? AND name = ?", (kind, name))

    def clear(self) -> None:
        for table in ("requests", "keys", "facts"):
            self._db.execute(f"DELETE FROM {table}")  # noqa: S608 (the three names are written above)

    def close(self) -> None:
        self._db.close()


def open_journal(state: str | os.PathLike[str] | None) -> Journal:
    return Journal() if state is None else SqliteJournal(state)
