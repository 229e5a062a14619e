"""All rows of a source are looked at before the first is sent: which are new, which are wrong, which have changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from victor_ext import Problem, idempotency_key_for

from .columns import Fields, as_json, canonical_text, problems_of, split_record
from .layout import Chunk
from .rows import Row, RowProblem
from .settings import DAYS
from .sources import Record, RowSource, SourceBroken
from .spool import KnownRow, Spool, identity_of
from .vault import Vault

SHOWN = 100
"""Problems that are kept to be shown; the others are counted."""
MAX_COLUMNS = 1000
_DIGESTS = 1 << 256


@dataclass(slots=True)
class Check:
    """What looking at all rows of a source found. Nothing has been sent by it.

    Attributes:
        rows: How many rows the source has.
        new: How many are to be stored and sent.
        unchanged: How many the batch has already.
        changed: How many have other values than the batch has under their key. They are not sent.
        invalid: How many break a rule.
        repeated: How many have the key of a row before them. These five make up all rows.
        set_aside: How many of the invalid are to be stored as refused; the batch may have others of them already.
        replaced: How many of the new, and of those set aside, take the place of a row that was refused before.
        problems: The first hundred of everything that is wrong.
        problem_count: How much is wrong in all.
        broken: Whether the source cannot be read to its end.
        columns: The columns that are carried through.
    """

    rows: int = 0
    new: int = 0
    unchanged: int = 0
    changed: int = 0
    invalid: int = 0
    repeated: int = 0
    set_aside: int = 0
    replaced: int = 0
    problems: list[RowProblem] = field(default_factory=list[RowProblem])
    problem_count: int = 0
    broken: bool = False
    columns: list[str] = field(default_factory=list[str])

    @property
    def stored(self) -> int:
        """How many are to be stored."""
        return self.new + self.set_aside

    def note(self, problem: RowProblem) -> None:
        """Count a problem, and keep it if it is among the first."""
        self.problem_count += 1
        if len(self.problems) < SHOWN:
            self.problems.append(problem)


@dataclass(frozen=True, slots=True)
class Reading:
    """How a source is read.

    Attributes:
        batch: The batch's name, of which the keys are made.
        key_column: The column that tells the rows apart.
        due_date: The due date of rows that have none.
        skip_invalid: Whether rows that break a rule are set aside.
        chunk: The terms of the chunks; its rows are left out.
        chunk_rows: Rows of a chunk.
    """

    batch: str
    key_column: str
    due_date: str | None
    skip_invalid: bool
    chunk: Chunk
    chunk_rows: int


@dataclass(frozen=True, slots=True)
class ChangedRow:
    """A row with other values than those that are stored under its key.

    Attributes:
        place: Of its problem among the check's.
        chunk: The number of the chunk where the stored row lies.
        key: Its key.
        arguments: What it asks for now.
    """

    place: int
    chunk: int
    key: str
    arguments: Mapping[str, Any] = field(repr=False)


class RowValidator:
    """Reads a source to its end, and keeps what is to be stored in the spool, sealed."""

    def __init__(
        self,
        spool: Spool,
        vault: Vault,
        terms: Reading,
        digests: Digests,
        on_row: Callable[[int], None] | None = None,
    ) -> None:
        self._spool = spool
        self._vault = vault
        self._terms = terms
        self._digests = digests
        self._on_row = on_row
        self._rows: list[Row] = []
        self._columns: dict[str, None] = {}
        self._changed: list[ChangedRow] = []
        self.check = Check()

    @property
    def changed(self) -> Sequence[ChangedRow]:
        """The rows with other values than those that are stored, as far as their problems are kept."""
        return self._changed

    def read(self, source: RowSource) -> Check:
        """Look at every row."""
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
            check.note(RowProblem(None, None, None, "empty", "there are no rows."))
        self._flush()
        check.columns = list(self._columns)
        return check

    def _take(self, record: Record) -> None:
        terms = self._terms
        fields = split_record(record.fields, terms.key_column)
        if record.problems:
            # Its columns may have shifted: nothing in it is to be relied on, the key least of all.
            fields.key_value, fields.problems = None, list(record.problems)
        key = "" if fields.key_value is None else idempotency_key_for(terms.batch, fields.key_value)
        if key:
            before = self._spool.first_line_of(identity_of(key, 0), record.line or record.number)
            if before is not None:
                self._repeated(record, fields, before)
                return
        fingerprint = self._vault.fingerprint(canonical_text(fields.arguments))
        self._digests.add(record.fields, fingerprint)
        known = self._spool.known(identity_of(key, record.number))
        if known is not None and not known.refused:
            self._compared(record, fields, key, known, fingerprint)
            return
        # Only now: a row that says `today` has not changed when it is read again tomorrow.
        due_date = fields.arguments.get("due_date", terms.due_date)
        if due_date is not None:
            fields.arguments["due_date"] = (
                DAYS[due_date]() if isinstance(due_date, str) and due_date in DAYS else due_date
            )
        problems = fields.problems if record.problems else problems_of(fields, in_file=record.line is not None)
        if problems:
            self._wrong(record, fields, key, fingerprint, problems, known)
        else:
            self._store(record, fields, key, fingerprint, as_json(fields.arguments), None, known)

    def _repeated(self, record: Record, fields: Fields, before: int) -> None:
        self.check.repeated += 1
        unit = "row" if record.line is None else "line"
        shown = (fields.key_value or "")[:60]
        self.check.note(
            RowProblem(
                record.number, record.line, self._terms.key_column, "repeated",
                f"{self._terms.key_column} is {shown!r}, as in {unit} {before}: two rows cannot have one key.",
            )
        )  # fmt: skip

    def _compared(self, record: Record, fields: Fields, key: str, known: KnownRow, fingerprint: str) -> None:
        """A row that the batch has, and that was or will be sent."""
        if known.fingerprint == fingerprint:
            self.check.unchanged += 1
            return
        self.check.changed += 1
        if len(self.check.problems) < SHOWN:
            self._changed.append(ChangedRow(len(self.check.problems), known.chunk, key, fields.arguments))
        self.check.note(
            RowProblem(
                record.number, record.line, self._terms.key_column, "changed",
                "its values are not those that are stored, and may have been sent, under this key: it is refused. Put "
                "the old values back, or ask for another payment under another key.",
            )
        )  # fmt: skip

    def _wrong(
        self,
        record: Record,
        fields: Fields,
        key: str,
        fingerprint: str,
        problems: list[Problem],
        known: KnownRow | None,
    ) -> None:
        self.check.invalid += 1
        for problem in problems:
            self.check.note(
                RowProblem(record.number, record.line, problem.field or None, problem.code, problem.message)
            )
        if not self._terms.skip_invalid:
            return
        if known is not None and known.fingerprint == fingerprint:
            # It has been set aside before, for the same values.
            return
        self._store(record, fields, key, fingerprint, None, " ".join(problem.message for problem in problems), known)

    def _store(
        self,
        record: Record,
        fields: Fields,
        key: str,
        fingerprint: str,
        arguments: Mapping[str, Any] | None,
        reason: str | None,
        known: KnownRow | None,
    ) -> None:
        self.check.new += reason is None
        self.check.set_aside += reason is not None
        self.check.replaced += known is not None
        for column in fields.extras:
            if column not in self._columns:
                self._columns[column] = None
                if len(self._columns) > MAX_COLUMNS:
                    raise SourceBroken(
                        record.line, column, "columns", f"there are more than {MAX_COLUMNS} different columns."
                    )
        place = len(self._rows)
        self._rows.append(Row(record.number, key, fingerprint, arguments, fields.extras, reason, None, place))
        if len(self._rows) == self._terms.chunk_rows:
            self._flush()

    def _flush(self) -> None:
        if self._rows:
            self._spool.add(self._vault.seal(self._terms.chunk.with_rows(self._rows).to_json()))
            self._rows.clear()


class Digests:
    """A digest over all rows of a source, for each column by which another batch may tell the same rows apart.

    It is a sum over the rows, so that their order is of no matter, and nothing is kept of them. Only the vault's key
    makes it.
    """

    def __init__(self, vault: Vault, columns: Iterable[str]) -> None:
        self._vault = vault
        self._sums = dict.fromkeys(columns, 0)
        self._rows = 0

    def add(self, fields: Mapping[str, object], fingerprint: str) -> None:
        """Take a row in: its fields as they were read, and what it asks for."""
        self._rows += 1
        for column, before in self._sums.items():
            value = fields.get(column)
            text = f"{fingerprint} {column} {'' if value is None else value}"
            self._sums[column] = (before + self._vault.number(text)) % _DIGESTS

    def of(self, column: str) -> str:
        """The digest of the rows as this column tells them apart."""
        return f"{self._rows}:{self._sums[column]:x}"

    def batch_among(self, others: Mapping[str, Mapping[str, str]]) -> str | None:
        """The batch that these very rows were handed over to, among batches by digest, by key column."""
        found = (digests.get(self.of(column)) for column, digests in others.items())
        return next((batch for batch in found if batch is not None), None)
