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
from victor_ext.sandbox.server.privacy import open_private
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
    """State in one SQLite file that only its owner may read, or nowhere (`path` is None).

    `OSError` when another sandbox uses the file or it is unusable. WAL with `synchronous=NORMAL` is safe against a
    killed process. A power cut may lose the last commits.
    """

    def __init__(self, path: str | os.PathLike[str] | None) -> None:
        self._db: sqlite3.Connection | None = None
        if path is None:
            return
        try:
            # SQLite gives the files that it makes beside this one the same mode.
            os.close(open_private(path, os.O_RDWR))
            # One thread opens it, another one uses it; never both at once.
            self._db = sqlite3.connect(path, isolation_level=None, timeout=0.5, check_same_thread=False)
            # Exclusive: a second sandbox would not see what this one keeps in memory.
            for name, value in (("locking_mode", "EXCLUSIVE"), ("journal_mode", "WAL"), ("synchronous", "NORMAL")):
                self._db.execute(f"PRAGMA {name}={value}")
            self._db.executescript(_SCHEMA + "BEGIN IMMEDIATE; COMMIT;")
        except (OSError, sqlite3.Error) as error:
            self.close()
            reason = error.strerror if isinstance(error, OSError) else error
            raise OSError(f"the state file {os.fspath(path)!r} cannot be used: {reason}") from error

    def load(self) -> Saved:
        if self._db is None:
            return [], [], []
        requests = self._db.execute("SELECT record FROM requests ORDER BY position")
        keys = self._db.execute("SELECT owner, key, fingerprint, request_id FROM keys")
        facts = self._db.execute("SELECT kind, name, value FROM facts ORDER BY kind, name")
        return (
            [PaymentRequest.from_dict(json.loads(record)) for (record,) in requests],
            [KeyRecord(*row) for row in keys],
            [(kind, name, json.loads(value)) for kind, name, value in facts],
        )

    def commit(self, requests: Sequence[PaymentRequest], key: KeyRecord | None = None) -> None:
        """Write requests, and the key under which the work was done, in one transaction."""
        if self._db is None:
            return
        rows = [(request.id, json.dumps(request.to_dict())) for request in requests]
        with self._db:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.executemany(_UPSERT, rows)
            if key is not None:
                self._db.execute("INSERT OR REPLACE INTO keys VALUES (?, ?, ?, ?)", key)

    def put(self, kind: str, name: str, value: object) -> None:
        if self._db is not None:
            self._db.execute("INSERT OR REPLACE INTO facts VALUES (?, ?, ?)", (kind, name, json.dumps(value)))

    def drop(self, kind: str, name: str) -> None:
        if self._db is not None:
            self._db.execute("DELETE FROM facts WHERE kind = ? AND name = ?", (kind, name))

    def clear(self) -> None:
        if self._db is not None:
            self._db.executescript("DELETE FROM requests; DELETE FROM keys; DELETE FROM facts;")

    def close(self) -> None:
        if self._db is not None:
            self._db.close()
