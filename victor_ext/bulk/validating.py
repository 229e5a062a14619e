"""Check all rows of a source before any is sent: find new, invalid and changed rows."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from victor_ext import Problem, idempotency_key_for
from victor_ext.tables.sources import Record, SourceBroken
from victor_ext.tables.temporary import TemporaryDatabase

from .columns import Fields, as_json, canonical_text, differing, problems_of, split_record
from .layout import BY_CONTENT, Chunk, chunk_rows_for
from .rows import SHOWN, Check, Row, RowProblem
from .settings import DAYS, Settings
from .vault import Vault

MAX_COLUMNS = 1000
_DIGESTS = 1 << 256
_SCHEMA = """
CREATE TABLE seen (id BLOB PRIMARY KEY, line INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE known (id BLOB PRIMARY KEY, fingerprint TEXT NOT NULL, refused INTEGER NOT NULL,
    chunk INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE chunks (number INTEGER PRIMARY KEY, encrypted TEXT NOT NULL);
"""


class _NewRow(NamedTuple):
    """A row to store or to refuse; `known` is the refused row that it replaces."""

    record: Record
    fields: Fields
    key: str
    fingerprint: str
    known: KnownRow | None


@dataclass(eq=False, repr=False)
class RowValidator:
    """Checks all rows of a source and adds the rows to store to the spool, encrypted, in chunks with these terms.

    Attributes:
        has_new_keys: Whether rows are to be sent under keys that the batch does not have.
        check: The result.
    """

    _batch: str
    _key_column: str
    _settings: Settings
    _spool: Spool
    _vault: Vault
    _chunk: Chunk
    _digests: Digests
    _stored: Callable[[int], Mapping[str, Mapping[str, Any]]]
    _on_row: Callable[[int], None] | None
    _rows: list[Row] = field(default_factory=list[Row], init=False)
    _columns: dict[str, None] = field(default_factory=dict[str, None], init=False)
    has_new_keys: bool = field(default=False, init=False)
    check: Check = field(default_factory=Check, init=False)

    def read(self, source: Iterable[Record]) -> Check:
        """Check every row."""
        check = self.check
        try:
            for record in source:
                check.rows += 1
                self._take(record)
                if self._on_row is not None:
                    self._on_row(check.rows)
        except SourceBroken as broken:
            check.broken = True
            check.note(RowProblem(None, broken.line, broken.column, broken.code, broken.message))
        if check.rows == 0 and not check.broken:
            check.broken = True
            check.note(RowProblem(None, None, None, "empty", "the source has no rows."))
        self._flush()
        check.columns = list(self._columns)
        return check

    def _take(self, record: Record) -> None:
        fields = split_record(record.fields, self._key_column)
        if record.problems:
            # Columns may have shifted: do not trust any value, especially the key.
            fields.key_value, fields.problems = None, list(record.problems)
        key = "" if fields.key_value is None else idempotency_key_for(self._batch, fields.key_value)
        identity = identity_of(key, record.number)
        if key:
            before = self._spool.first_line_of(identity, record.line or record.number)
            if before is not None:
                self._repeated(record, fields, before)
                return
        fingerprint = self._vault.fingerprint(canonical_text(fields.arguments))
        self._digests.add(record.fields, fingerprint)
        known = self._spool.known(identity)
        if known is not None and not known.refused:
            self._compared(record, fields, key, known, fingerprint)
            return
        # Resolve dates after the comparison: a row with `today` has not changed if it is read again tomorrow.
        due_date = fields.arguments.get("due_date", self._settings.due_date)
        if due_date is not None:
            is_word = isinstance(due_date, str) and due_date in DAYS
            fields.arguments["due_date"] = DAYS[due_date]() if is_word else due_date
        problems = fields.problems if record.problems else problems_of(fields, in_file=record.line is not None)
        new = _NewRow(record, fields, key, fingerprint, known)
        if problems:
            self._wrong(new, problems)
        else:
            self._store(new, as_json(fields.arguments), None)

    def _repeated(self, record: Record, fields: Fields, before: int) -> None:
        self.check.repeated += 1
        unit, column = "row" if record.line is None else "line", self._key_column
        shown = (fields.key_value or "")[:60]
        message = f"{column} is {shown!r}, as in {unit} {before}: two rows cannot have one key."
        self.check.note(RowProblem(record.number, record.line, column, "repeated", message))

    def _compared(self, record: Record, fields: Fields, key: str, known: KnownRow, fingerprint: str) -> None:
        """Compare a row with its stored version, which was or will be sent."""
        if known.fingerprint == fingerprint:
            self.check.unchanged += 1
            return
        self.check.changed += 1
        columns: Sequence[str] = ()
        if len(self.check.problems) < SHOWN:
            # Values are omitted: one may be an account number.
            columns = differing(self._stored(known.chunk)[key], fields.arguments, self._settings.due_date)
        message = (
            f"{', '.join(columns)}: not what is stored under this key and may have been sent. The row is refused: put "
            "the old values back, or ask for another payment under another key."
        )
        self.check.note(RowProblem(record.number, record.line, self._key_column, "changed", message))

    def _wrong(self, new: _NewRow, problems: list[Problem]) -> None:
        record, known = new.record, new.known
        self.check.invalid += 1
        for problem in problems:
            self.check.note(
                RowProblem(record.number, record.line, problem.field or None, problem.code, problem.message)
            )
        if not self._settings.skip_invalid:
            return
        if known is not None and known.fingerprint == new.fingerprint:
            # Already set aside with the same values.
            return
        self._store(new, None, " ".join(problem.message for problem in problems))

    def _store(self, new: _NewRow, arguments: Mapping[str, Any] | None, reason: str | None) -> None:
        record, fields = new.record, new.fields
        self.check.new += reason is None
        self.check.set_aside += reason is not None
        self.check.replaced += new.known is not None
        self.has_new_keys |= new.known is None and reason is None
        for column in fields.extras:
            if column not in self._columns:
                self._columns[column] = None
                if len(self._columns) > MAX_COLUMNS:
                    raise SourceBroken(
                        record.line, column, "columns", f"there are more than {MAX_COLUMNS} different columns."
                    )
        place = len(self._rows)
        self._rows.append(Row(record.number, new.key, new.fingerprint, arguments, fields.extras, reason, None, place))
        if len(self._rows) == chunk_rows_for(self._settings.rate):
            self._flush()

    def _flush(self) -> None:
        if self._rows:
            self._spool.add(self._vault.seal(self._chunk.with_rows(self._rows).to_json()))
            self._rows.clear()


class Digests:
    """Digests of all rows of a source, to detect a copy of what was sent before.

    A digest is a keyed sum over the rows, so it does not depend on their order and needs no row storage. A row counts
    by what is sent. In a digest of an older release it also counts by the value of that release's key column.

    Args:
        vault: Makes the keyed digests.
        stored: The stored submissions, as `BatchStore.digests` returns them.
    """

    def __init__(self, vault: Vault, stored: Mapping[str, Mapping[str, str]]) -> None:
        self._vault = vault
        self._stored = stored
        self._sums = dict.fromkeys(["", *stored], 0)
        """By the key column of an older submission; of none by what is sent."""
        self._rows = 0

    def add(self, fields: Mapping[str, object], fingerprint: str) -> None:
        """Add a row: its original fields and the fingerprint of its arguments."""
        self._rows += 1
        for column, before in self._sums.items():
            value = fields.get(column)
            text = f"{fingerprint} {column} {'' if value is None else value}" if column else fingerprint
            self._sums[column] = (before + self._vault.number(text)) % _DIGESTS

    def own(self) -> str:
        """Return the digest of this source."""
        return self._of("")

    def batch_with_them(self) -> str | None:
        """Return a batch to which exactly these rows were submitted at once, or None."""
        batches = (digests.get(self._of(column)) for column, digests in self._stored.items())
        return next(filter(None, batches), None)

    def _of(self, column: str) -> str:
        return f"{'' if column else BY_CONTENT}{self._rows}:{self._sums[column]:x}"


@dataclass(frozen=True, slots=True)
class KnownRow:
    """A stored row of the batch."""

    fingerprint: str
    refused: bool
    """Whether it was refused locally, so that nothing was sent under its key."""
    chunk: int
    """Number of its chunk."""


class Spool:
    """Encrypted chunks of checked rows, the keys of the source, and the keys of the batch.

    All methods raise `ConfigurationError` if the disk is full.
    """

    def __init__(self) -> None:
        self._db = TemporaryDatabase(_SCHEMA)
        self._has_known = False

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
        self._has_known = True
        self._db.executemany("INSERT OR REPLACE INTO known VALUES (?, ?, ?, ?)", rows)

    def known(self, identity: bytes) -> KnownRow | None:
        """Return the stored row, or None."""
        if not self._has_known:
            return None
        query = "SELECT fingerprint, refused, chunk FROM known WHERE id = ?"
        row = self._db.execute(query, (identity,)).fetchone()
        return None if row is None else KnownRow(row[0], bool(row[1]), row[2])

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
