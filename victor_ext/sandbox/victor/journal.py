"""Where the sandbox writes what must outlive it: nowhere, or one SQLite file.

One `commit` is one transaction: a payment request and the record of its idempotency key are in it together,
and it has returned before any byte of the answer leaves. A process that is killed at any moment has therefore
done the whole work under a key, or none of it.
"""

from __future__ import annotations

import json
import os
import sqlite3
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from victor_ext.sandbox.server.private_files import make_private
from victor_ext.sandbox.victor.model import PaymentRequest

if TYPE_CHECKING:
    from collections.abc import Sequence

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
"""What SQLite makes beside a file, and leaves there when it is killed."""
_UPSERT = "INSERT INTO requests (id, record) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET record = excluded.record"


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """What was done under an idempotency key: which body asked for it and which request it made."""

    owner: str
    key: str
    fingerprint: bytes
    request_id: str


@dataclass(slots=True)
class Saved:
    """Everything a journal held when it was opened."""

    requests: list[PaymentRequest] = field(default_factory=list[PaymentRequest])
    keys: list[KeyRecord] = field(default_factory=list[KeyRecord])
    facts: list[tuple[str, str, Any]] = field(default_factory=list[tuple[str, str, Any]])


class Journal(Protocol):
    """The durable side of the sandbox."""

    def load(self) -> Saved:
        """Everything that was committed so far."""
        ...

    def commit(self, requests: Sequence[PaymentRequest], key: KeyRecord | None = None) -> None:
        """Write requests, and the key under which the work was done, in one transaction."""
        ...

    def put(self, kind: str, name: str, value: object) -> None:
        """Remember one fact (an account, an API key, the clock)."""
        ...

    def drop(self, kind: str, name: str) -> None:
        """Forget one fact."""
        ...

    def clear(self) -> None:
        """Forget everything."""
        ...

    def close(self) -> None:
        """Let go of the file."""
        ...


class NoJournal:
    """State that ends with the process."""

    def load(self) -> Saved:
        """Nothing."""
        return Saved()

    def commit(self, requests: Sequence[PaymentRequest], key: KeyRecord | None = None) -> None:
        """Write nothing."""

    def put(self, kind: str, name: str, value: object) -> None:
        """Write nothing."""

    def drop(self, kind: str, name: str) -> None:
        """Write nothing."""

    def clear(self) -> None:
        """Nothing to forget."""

    def close(self) -> None:
        """Nothing to close."""


class SqliteJournal:
    """State in one SQLite file, its owner's alone. `OSError` when it cannot be used or another sandbox holds it.

    WAL with `synchronous=NORMAL`: safe against a killed process at any moment. A power cut of the machine
    may lose the last commits, which a stand-in for tests can live with.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        shown = os.fspath(path)
        try:
            if shown != ":memory:":
                # SQLite gives the files that it makes beside this one the same mode.
                make_private(path, beside=_BESIDE)
        except OSError as error:
            raise OSError(f"the state file {shown!r} cannot be used: {error.strerror}") from error
        # Opened by the thread that starts the sandbox, used by the one that serves; never by both at once.
        self._db = sqlite3.connect(shown, isolation_level=None, timeout=0.5, check_same_thread=False)
        try:
            # Exclusive: a second sandbox on the file would not see what this one keeps in memory.
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
        """Everything that was committed so far."""
        requests = self._db.execute("SELECT record FROM requests ORDER BY position")
        keys = self._db.execute("SELECT owner, key, fingerprint, request_id FROM keys")
        facts = self._db.execute("SELECT kind, name, value FROM facts ORDER BY kind, name")
        return Saved(
            [PaymentRequest.from_dict(json.loads(record)) for (record,) in requests],
            [KeyRecord(*row) for row in keys],
            [(kind, name, json.loads(value)) for kind, name, value in facts],
        )

    def commit(self, requests: Sequence[PaymentRequest], key: KeyRecord | None = None) -> None:
        """Write requests, and the key under which the work was done, in one transaction."""
        rows = [(request.id, json.dumps(request.to_dict())) for request in requests]
        self._db.execute("BEGIN IMMEDIATE")
        try:
            self._db.executemany(_UPSERT, rows)
            if key is not None:
                row = (key.owner, key.key, key.fingerprint, key.request_id)
                self._db.execute("INSERT OR REPLACE INTO keys VALUES (?, ?, ?, ?)", row)
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def put(self, kind: str, name: str, value: object) -> None:
        """Remember one fact (an account, an API key, the clock)."""
        self._db.execute("INSERT OR REPLACE INTO facts VALUES (?, ?, ?)", (kind, name, json.dumps(value)))

    def drop(self, kind: str, name: str) -> None:
        """Forget one fact."""
        self._db.execute("DELETE FROM facts WHERE kind = ? AND name = ?", (kind, name))

    def clear(self) -> None:
        """Forget everything."""
        for table in ("requests", "keys", "facts"):
            self._db.execute(f"DELETE FROM {table}")  # noqa: S608 (the three names are written above)

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()


def open_journal(state: str | os.PathLike[str] | None) -> Journal:
    """The journal for a `state` setting."""
    return NoJournal() if state is None else SqliteJournal(state)
