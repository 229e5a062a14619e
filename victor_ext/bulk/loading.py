"""Check a source, then store its new rows in the database."""

import os
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Context, Decimal
from functools import partial
from itertools import chain
from typing import Any

from victor_ext import ConfigurationError, InvalidRequest, Problem, idempotency_key_for
from victor_ext.tables.sources import Record, Rows, SourceBroken, records_of
from victor_ext.tables.temporary import TemporaryDatabase

from .batch_store import BatchStore
from .columns import Fields, canonical_text, check_heading, differing, problems_of, split_record
from .layout import Chunk, Submission, chunk_rows_for
from .results import stored_rows, was_refused
from .rows import SHOWN, Check, Row, RowOutcome, RowProblem, identity_of
from .settings import DAY, PATIENCE, PERSONS, TERMS, Expected, WorkerContext, in_utc
from .state import StateLost
from .vault import Digests

_EXACT = Context(prec=60)
_NAMED = 10
"""Maximum number of rows in an error message."""
_SCHEMA = """
CREATE TABLE keys (
    id BLOB PRIMARY KEY, line INTEGER, fingerprint TEXT, refused INTEGER, chunk INTEGER
) WITHOUT ROWID;
CREATE TABLE payments (name TEXT PRIMARY KEY, line INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE chunks (number INTEGER PRIMARY KEY, rows INTEGER NOT NULL, encrypted TEXT NOT NULL);
"""


_SEEN = (
    "INSERT INTO keys (id, line) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET line = excluded.line"
)


class Loading(TemporaryDatabase):
    """Rows to check, and then to store in a batch.

    The database has encrypted chunks of checked rows, the keys of the source, and the keys of the
    batch.
    """

    def __init__(self, rows: Rows, batch: str, context: WorkerContext, expected: Expected) -> None:
        super().__init__(_SCHEMA)
        self._rows, self.batch, self._settings, self._kind = (
            rows,
            batch,
            context.settings,
            context.kind,
        )
        self._context, self._vault = context, context.vault
        self._expected, self._without_amount = expected, 0
        self._totals: dict[str, Decimal] = {}
        """The sum of the amounts in each currency."""
        self._loads: Sequence[Submission] = ()
        self._key_column = context.settings.key_column or context.kind.reference
        self._digests = Digests(context.vault)
        self._new: dict[Hashable, list[Row]] = {}
        """New rows of the next chunk of each group."""
        self._columns: dict[str, None] = {}
        self._has_new_keys = False
        self.check = Check()

    def _read_batch(self) -> None:
        """Read what the batch has, to compare the rows with it."""
        with self._context.open_present(self.batch) as store:
            self._loads = store.loads()
            if self._loads:
                self._settings, self._key_column = (
                    self._settings.after(self._loads[-1]),
                    self._loads[-1].key_column,
                )
            rows = stored_rows(store, self._loads, only_refused=True)
            values = (
                (row.identity, row.fingerprint, was_refused(row, one), number)
                for number, row, one in rows
            )
            self.executemany("INSERT OR REPLACE INTO keys VALUES (?, NULL, ?, ?, ?)", values)

    def read(self) -> Check:
        """Check every row, and write the rows to store into the database, encrypted, in chunks.

        Raises `ConfigurationError` as `_refuse_sent` does.
        """
        if has_state := self._context.state.exists():
            self._read_batch()
        settings, check, kind = self._settings, self.check, self._kind
        required = [name for name in kind.required if name not in settings.defaults]
        heading = partial(check_heading, kind, self._key_column, required)
        try:
            for record in records_of(
                self._rows, encoding=settings.encoding, known=kind.columns, check=heading
            ):
                check.rows += 1
                self._take(record)
        except SourceBroken as broken:
            check.note(
                RowProblem(None, broken.line, broken.column, broken.code, broken.message),
                breaks=True,
            )
        if check.rows == 0 and not check.broken:
            check.note(
                RowProblem(None, None, None, "empty", "the source has no rows."), breaks=True
            )
        self._flush(*self._new)
        check.columns = list(self._columns)
        for message in self._expected.differences(check.rows, self._totals, self._without_amount):
            check.note(RowProblem(None, None, None, "control_total", message), breaks=True)
        if has_state and check.new and not check.is_refused(skip_invalid=settings.skip_invalid):
            with self._context.open_present(self.batch) as store:
                self._refuse_sent(store)
        return check

    def _take(self, record: Record) -> None:
        check = self.check
        fields = split_record(self._kind, record.fields, self._key_column)
        if record.problems:
            # Columns may have shifted: do not trust any value, especially the key.
            fields.key_value, fields.problems = None, list(record.problems)
        if self._expected.total is not None:
            self._add_amount({} if record.problems else fields.arguments)
        key = "" if fields.key_value is None else idempotency_key_for(self.batch, fields.key_value)
        identity, place = identity_of(key, record.number), record.line or record.number
        known = self.execute(
            "SELECT line, fingerprint, refused, chunk FROM keys WHERE id = ?", (identity,)
        ).fetchone()
        before, stored, refused, chunk = known or (None, None, True, 0)
        if before is not None:
            check.repeated += 1
            unit, column = "row" if record.line is None else "line", self._key_column
            shown = (fields.key_value or "")[:60]
            message = f"{column} is {shown!r}, as in {unit} {before}: two rows cannot have one key."
            self._note(
                record, Problem(column, "repeated", message), *self._problems(record, fields)
            )
            return
        self.execute(_SEEN, (identity, place))
        fingerprint = self._vault.fingerprint(canonical_text(fields.arguments))
        self._digests.add(identity, fingerprint)
        if not refused:
            if stored == fingerprint:
                check.unchanged += 1
            else:
                self._refuse_change(record, fields.arguments, key, chunk)
            return
        # Resolve dates after the comparison: a row with `today` has not changed if it is read again
        # tomorrow.
        problems = self._problems(record, fields)
        if problems:
            check.invalid += 1
            self._note(record, *problems)
            if stored == fingerprint or not self._settings.skip_invalid:
                return
            check.set_aside += 1
        else:
            check.new += 1
            self._add_to(check.totals, fields.arguments)
            self._has_new_keys |= stored is None
            if (name := self._kind.payment_name(fields.arguments)) is not None:
                self.execute(
                    "INSERT INTO payments VALUES (?, ?)", (self._vault.fingerprint(name), place)
                )
        check.replaced += stored is not None
        asked = fields.arguments.items()
        arguments = (
            None if problems else {name: self._kind.stored(name, value) for name, value in asked}
        )
        reason = " ".join(problem.message for problem in problems) or None
        self._columns |= dict.fromkeys(fields.extras)
        group = self._kind.group(arguments or {})
        new = self._new.setdefault(group, [])
        new.append(
            Row(record.number, key, fingerprint, arguments, fields.extras, reason, None, len(new))
        )
        if len(new) == chunk_rows_for(self._settings.rate, self._kind.together):
            self._flush(group)

    def _problems(self, record: Record, fields: Fields) -> Sequence[Problem]:
        """Complete the arguments of a record. Return all problems with it."""
        fields.arguments = {**self._settings.defaults, **fields.arguments}
        if "due_date" in fields.arguments:
            fields.arguments["due_date"] = in_utc(fields.arguments["due_date"])
        in_file = record.line is not None
        return (
            fields.problems if record.problems else problems_of(self._kind, fields, in_file=in_file)
        )

    def _note(self, record: Record, *problems: Problem) -> None:
        for one in problems:
            self.check.note(
                RowProblem(record.number, record.line, one.field or None, one.code, one.message)
            )

    def _add_amount(self, arguments: Mapping[str, Any]) -> None:
        try:
            self._add_to(self._totals, arguments)
        except (InvalidRequest, KeyError):
            self._without_amount += 1

    def _add_to(self, totals: dict[str, Decimal], arguments: Mapping[str, Any]) -> None:
        amount, currency = self._kind.price(arguments)
        totals[currency] = _EXACT.add(totals.get(currency, Decimal(0)), amount)

    def _refuse_change(
        self, record: Record, arguments: Mapping[str, Any], key: str, chunk: int
    ) -> None:
        self.check.changed += 1
        columns: Sequence[str] = ()
        if len(self.check.problems) < SHOWN:
            with self._context.open_present(self.batch) as store:
                rows = store.tries([chunk], rows=True)[chunk][0].chunk.rows
            # Values are omitted: one may be an account number.
            columns = differing(
                self._kind, next(row.arguments or {} for row in rows if row.key == key), arguments
            )
        message = (
            f"{', '.join(columns)}: not what is stored under this key and may have been sent. The "
            "row is refused: put the old values back, or ask for another payment under another key."
        )
        self.check.note(
            RowProblem(record.number, record.line, self._key_column, "changed", message)
        )

    def _flush(self, *groups: Hashable) -> None:
        for rows in map(self._new.pop, groups):
            chunk = self._settings.of_chunk(Chunk(DAY, PATIENCE, rows))
            encrypted = self._vault.serialize({"args": (chunk.to_json(),), "kwargs": {}})
            self.execute(
                "INSERT INTO chunks (rows, encrypted) VALUES (?, ?)", (len(rows), encrypted)
            )

    def _refuse_sent(self, store: BatchStore) -> str:
        """Return the mark to store with the rows: they are compared with all that the state has
        now.

        Raises `ConfigurationError` if another source, in any batch, asks the same under new keys,
        or another batch has a payment of the rows, where each has a name; unless they are to be
        asked again.
        """
        has_names = self._kind.together > 1
        kind = "payments" if has_names else f"copy/{self._digests.asked}"
        marks = store.marks(kind)
        if has_names and not self._settings.ask_again:
            self._refuse_payments(
                store, [*dict.fromkeys(batch for batch, _ in marks if batch != self.batch)]
            )
        elif self._has_new_keys and not self._settings.ask_again:
            self._refuse_copy(marks)
        return f"{kind}/{len(marks) + 1}"

    def _refuse_copy(self, marks: Sequence[tuple[str, str]]) -> None:
        # The same source in this batch is no copy.
        others = [
            batch
            for batch, digest in marks
            if (batch, digest) != (self.batch, self._digests.source)
        ]
        if others:
            message = (
                f"{self.batch} has the same rows as the batch {others[-1]}, and they would "
                "be sent a second time."
            )
            hint = (
                f"BulkSender(batch={others[-1]!r}, ...).status() shows that one, and .resume() "
                "goes on with it; to send all of them again on purpose, ask_again=True"
            )
            raise ConfigurationError.of([Problem("", "copy", message, hint=hint)])

    def _refuse_payments(self, store: BatchStore, batches: Sequence[str]) -> None:
        """Raise `ConfigurationError` if another batch has a payment of a new row: it was submitted,
        or may be.
        """
        found = list[str]()
        for batch in batches:
            other = replace(store, batch=batch, account=None)
            for _, row, result in stored_rows(other, other.loads()):
                if was_refused(row, result) or (
                    result is not None and result.outcome is RowOutcome.REJECTED
                ):
                    continue
                name = self._vault.fingerprint(self._kind.payment_name(row.arguments or {}) or "")
                for (line,) in self.execute("SELECT line FROM payments WHERE name = ?", (name,)):
                    found.append(f"{line:,} (batch {batch})")
        if found:
            more = f" and {len(found) - _NAMED:,} more" if len(found) > _NAMED else ""
            unit = "line" if isinstance(self._rows, str | os.PathLike) else "row"
            message = (
                f"{self.batch} has payments of another batch, and they would be submitted a second "
                f"time: {unit} {', '.join(found[:_NAMED])}{more}."
            )
            hint = "leave these rows out; to submit them again on purpose, ask_again=True"
            raise ConfigurationError.of([Problem("", "payments", message, hint=hint)])

    def store(self, store: BatchStore) -> None:
        """Store the checked rows, all of them at once.

        Raises `ConfigurationError` as `_refuse_sent` does.
        """
        if not self.check.stored:
            return
        load = Submission(
            number=len(self._loads) + 1,
            digest=self._digests.source,
            key_column=self._key_column,
            columns=self.check.columns,
            settings={name: getattr(self._settings, name) for name in (*TERMS, *PERSONS)},
            sizes=[size for (size,) in self.execute("SELECT rows FROM chunks ORDER BY number")],
            first=sum(len(load.sizes) for load in self._loads) + 1,
            replaced=self.check.replaced,
        )

        def chunks() -> Iterator[str]:
            return (
                encrypted
                for (encrypted,) in self.execute("SELECT encrypted FROM chunks ORDER BY number")
            )

        mark = self._refuse_sent(store)
        while not store.add_load(load, chunks, mark):
            before, mark = mark, self._refuse_sent(store)
            # no other batch was stored meanwhile: an id is taken of which the rest was deleted
            if mark == before:
                raise StateLost.deleted(f"What {self._context.state} has of the batch {self.batch}")


def drop(store: BatchStore, loads: Sequence[Submission]) -> int:
    """Drop the rows that were refused. Returns their number."""
    refused: dict[bytes, list[list[int]]] = {}
    for number, row, result in stored_rows(store, loads, only_refused=True):
        if was_refused(row, result):
            refused.setdefault(row.identity, []).append([number, row.place])
        else:
            refused.pop(row.identity, None)
    if refused:
        load = replace(
            loads[-1], number=len(loads) + 1, digest="", columns=(), sizes=(), replaced=len(refused)
        )
        store.add_load(replace(load, dropped=[*chain.from_iterable(refused.values())]), tuple)
    return len(refused)
