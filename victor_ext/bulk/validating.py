"""Check all rows of a source before any is sent: find new, invalid and changed rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from victor_ext import Problem, idempotency_key_for
from victor_ext.tables.sources import Record, RowSource, SourceBroken

from .columns import Fields, as_json, canonical_text, problems_of, split_record
from .layout import BY_CONTENT, Chunk
from .rows import SHOWN, Check, Row, RowProblem
from .settings import DAYS
from .spool import KnownRow, Spool, identity_of
from .vault import Vault

MAX_COLUMNS = 1000
_DIGESTS = 1 << 256


@dataclass(frozen=True, slots=True)
class Reading:
    """Terms for reading a source.

    Attributes:
        batch: Name of the batch, used in the keys.
        key_column: Column that identifies a row.
        due_date: Due date of rows without one.
        skip_invalid: Whether to set invalid rows aside.
        chunk: Terms of the chunks, without rows.
        chunk_rows: Rows per chunk.
    """

    batch: str
    key_column: str
    due_date: str | None
    skip_invalid: bool
    chunk: Chunk
    chunk_rows: int


@dataclass(frozen=True, slots=True)
class ChangedRow:
    """A row whose values differ from the stored ones with the same key.

    Attributes:
        place: Index of its problem in `Check.problems`.
        chunk: Number of the chunk with the stored row.
        key: Its idempotency key.
        arguments: Its new arguments.
    """

    place: int
    chunk: int
    key: str
    arguments: Mapping[str, Any] = field(repr=False)


class _NewRow(NamedTuple):
    """A row to store or to refuse; `known` is the refused row that it replaces."""

    record: Record
    fields: Fields
    key: str
    fingerprint: str
    known: KnownRow | None


@dataclass(eq=False, repr=False)
class RowValidator:
    """Checks all rows of a source and adds the rows to store to the spool, encrypted.

    Attributes:
        changed: Changed rows whose problems are stored.
        has_new_keys: Whether rows are to be sent under keys that the batch does not have.
        check: The result.
    """

    _spool: Spool
    _vault: Vault
    _terms: Reading
    _digests: Digests
    _on_row: Callable[[int], None] | None = None
    _rows: list[Row] = field(default_factory=list[Row], init=False)
    _columns: dict[str, None] = field(default_factory=dict[str, None], init=False)
    changed: list[ChangedRow] = field(default_factory=list[ChangedRow], init=False)
    has_new_keys: bool = field(default=False, init=False)
    check: Check = field(default_factory=Check, init=False)

    def read(self, source: RowSource) -> Check:
        """Check every row."""
        check = self.check
        try:
            for record in source.records():
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
        terms = self._terms
        fields = split_record(record.fields, terms.key_column)
        if record.problems:
            # Columns may have shifted: do not trust any value, especially the key.
            fields.key_value, fields.problems = None, list(record.problems)
        key = "" if fields.key_value is None else idempotency_key_for(terms.batch, fields.key_value)
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
        due_date = fields.arguments.get("due_date", terms.due_date)
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
        unit, column = "row" if record.line is None else "line", self._terms.key_column
        shown = (fields.key_value or "")[:60]
        message = f"{column} is {shown!r}, as in {unit} {before}: two rows cannot have one key."
        self.check.note(RowProblem(record.number, record.line, column, "repeated", message))

    def _compared(self, record: Record, fields: Fields, key: str, known: KnownRow, fingerprint: str) -> None:
        """Compare a row with its stored version, which was or will be sent."""
        if known.fingerprint == fingerprint:
            self.check.unchanged += 1
            return
        self.check.changed += 1
        if len(self.check.problems) < SHOWN:
            self.changed.append(ChangedRow(len(self.check.problems), known.chunk, key, fields.arguments))
        message = (
            "its values differ from the stored ones, which may have been sent under this key: it is refused. Put "
            "the old values back, or ask for another payment under another key."
        )
        self.check.note(RowProblem(record.number, record.line, self._terms.key_column, "changed", message))

    def _wrong(self, new: _NewRow, problems: list[Problem]) -> None:
        record, known = new.record, new.known
        self.check.invalid += 1
        for problem in problems:
            self.check.note(
                RowProblem(record.number, record.line, problem.field or None, problem.code, problem.message)
            )
        if not self._terms.skip_invalid:
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
        if len(self._rows) == self._terms.chunk_rows:
            self._flush()

    def _flush(self) -> None:
        if self._rows:
            self._spool.add(self._vault.seal(self._terms.chunk.with_rows(self._rows).to_json()))
            self._rows.clear()


class Digests:
    """Digests of all rows of a source, to detect a copy of what was sent before.

    A digest is a keyed sum over the rows, so it does not depend on their order and needs no row storage. A row counts
    by what is sent. In a digest of an older release it also counts by the value that identifies it, whatever the column
    of that value is called here.

    Args:
        vault: Makes the keyed digests.
        stored: The stored submissions, as `BatchStore.digests` returns them.
    """

    def __init__(self, vault: Vault, stored: Mapping[str, Mapping[str, str]]) -> None:
        self._vault = vault
        self._stored = stored
        self._sums: dict[tuple[str, str], int] = {("", ""): 0}
        """By the key column of an older submission, and the column that is read in its place; none by what is sent."""
        self._rows = 0

    def add(self, fields: Mapping[str, object], fingerprint: str) -> None:
        """Add a row: its original fields and the fingerprint of its arguments."""
        if not self._rows:
            self._sums |= {(theirs, ours): 0 for theirs in self._stored if theirs for ours in {theirs, *fields}}
        self._rows += 1
        for (theirs, ours), before in self._sums.items():
            value = fields.get(ours)
            text = f"{fingerprint} {theirs} {'' if value is None else value}" if theirs else fingerprint
            self._sums[theirs, ours] = (before + self._vault.number(text)) % _DIGESTS

    def own(self) -> str:
        """Return the digest of this source."""
        return self._of("", "")

    def batch_with_them(self) -> str | None:
        """Return a batch to which exactly these rows were submitted at once, or None."""
        batches = (self._stored.get(theirs, {}).get(self._of(theirs, ours)) for theirs, ours in self._sums)
        return next((batch for batch in batches if batch is not None), None)

    def _of(self, theirs: str, ours: str) -> str:
        return f"{'' if theirs else BY_CONTENT}{self._rows}:{self._sums[theirs, ours]:x}"
