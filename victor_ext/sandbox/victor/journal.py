"""The state of the sandbox: one SQLite file, or memory.

One `commit` is one transaction with a payment request and the record of its idempotency key. It returns before any byte
of the response is sent. A process that is killed at any moment has done the whole work under a key, or none of it.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections import UserDict
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any, NamedTuple, TypeVar

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
T = TypeVar("T")
_UPSERT = "INSERT INTO requests (id, record) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET record = excluded.record"


class KeyRecord(NamedTuple):
    """The work under an idempotency key: the fingerprint of the body, and the request that was made."""

    owner: str
    key: str
    fingerprint: bytes
    request_id: str


class Journal:
    """State in one SQLite file that only its owner may read, or in memory alone (`path` is None).

    `OSError` when another sandbox uses the file or it is unusable. WAL with `synchronous=NORMAL` is safe against a
    killed process. A power cut may lose the last commits.
    """

    def __init__(self, path: str | os.PathLike[str] | None) -> None:
        db: sqlite3.Connection | None = None
        try:
            if path is not None:
                # SQLite gives the files that it makes beside this one the same mode.
                os.close(open_private(path, os.O_RDWR))
            # One thread opens it, another one uses it; never both at once.
            where = ":memory:" if path is None else path
            self._db = db = sqlite3.connect(where, isolation_level=None, timeout=0.5, check_same_thread=False)
            # Exclusive: a second sandbox would not see what this one keeps in memory.
            for name, value in (("locking_mode", "EXCLUSIVE"), ("journal_mode", "WAL"), ("synchronous", "NORMAL")):
                db.execute(f"PRAGMA {name}={value}")
            db.executescript(_SCHEMA + "BEGIN IMMEDIATE; COMMIT;")
        except (OSError, sqlite3.Error) as error:
            if db is not None:
                db.close()
            reason = error.strerror if isinstance(error, OSError) else error
            raise OSError(f"the state file {os.fspath(path or '')!r} cannot be used: {reason}") from error

    def load(self) -> tuple[list[PaymentRequest], list[KeyRecord]]:
        requests = self._db.execute("SELECT record FROM requests ORDER BY position")
        keys = self._db.execute("SELECT owner, key, fingerprint, request_id FROM keys")
        return [PaymentRequest(**json.loads(record)) for (record,) in requests], [KeyRecord(*row) for row in keys]

    def facts(self, kind: str) -> dict[str, JsonValue]:
        rows = self._db.execute("SELECT name, value FROM facts WHERE kind = ? ORDER BY name", (kind,))
        return {name: json.loads(value) for name, value in rows}

    def commit(self, requests: Sequence[PaymentRequest], key: KeyRecord | None = None) -> None:
        """Write requests, and the key under which the work was done, in one transaction."""
        rows = [(request.id, json.dumps(request.to_dict())) for request in requests]
        with self._db:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.executemany(_UPSERT, rows)
            if key is not None:
                self._db.execute("INSERT OR REPLACE INTO keys VALUES (?, ?, ?, ?)", key)

    def put(self, kind: str, name: str, value: object) -> None:
        row = kind, name, json.dumps(value, default=asdict)
        self._db.execute("INSERT OR REPLACE INTO facts VALUES (?, ?, ?)", row)

    def drop(self, kind: str, name: str) -> None:
        self._db.execute("DELETE FROM facts WHERE kind = ? AND name = ?", (kind, name))

    def clear(self) -> None:
        self._db.executescript("DELETE FROM requests; DELETE FROM keys; DELETE FROM facts;")

    def close(self) -> None:
        self._db.close()


class Facts(UserDict[str, T]):
    """Facts of one kind by name. Each is written to the journal before it counts."""

    def __init__(self, journal: Journal, kind: str, read: Callable[[Any], T] = lambda value: value) -> None:
        super().__init__()
        self._journal, self._kind = journal, kind
        self.data = {name: read(value) for name, value in journal.facts(kind).items()}

    def __setitem__(self, name: str, value: T) -> None:
        self._journal.put(self._kind, name, value)
        self.data[name] = value

    def __delitem__(self, name: str) -> None:
        self._journal.drop(self._kind, name)
        del self.data[name]
