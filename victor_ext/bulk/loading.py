"""Check a source, then store its new rows in the database."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import lru_cache, partial
from itertools import chain
from typing import Any, Self

from victor_ext import ConfigurationError, Problem, idempotency_key_for
from victor_ext.tables.sources import Record, Rows, SourceBroken, records_of

from .batch_store import BatchStore, Try
from .columns import (
    ARGUMENTS,
    REQUIRED,
    Fields,
    as_json,
    canonical_text,
    check_heading,
    differing,
    problems_of,
    split_record,
)
from .export import latest_results
from .layout import Chunk, Submission, chunk_rows_for, next_try, pages_of
from .rows import SHOWN, Check, Row, RowOutcome, RowProblem
from .settings import DAY, KEY_COLUMN, PATIENCE, Settings, in_utc
from .validating import Digests, KnownRow, Spool, identity_of
from .vault import Vault

OpenStore = Callable[[], AbstractContextManager[BatchStore]]


class Loading:
    """Rows to check, and then to store in a batch. A context manager.

    Attributes:
        batch: Name of the batch.
        check: Counts and problems.

    Args:
        open_store: Opens the batch, if the state exists.
    """

    def __init__(self, rows: Rows, batch: str, settings: Settings, vault: Vault, open_store: OpenStore) -> None:
        self._rows = rows
        self.batch = batch
        self._settings = settings
        self._vault = vault
        self._open_store = open_store
        self._spool = Spool()
        self._loads: Sequence[Submission] = ()
        self._chunks = 0
        self._key_column = settings.key_column or KEY_COLUMN
        self._digests = Digests(vault, {})
        self._new: list[Row] = []
        """New rows of the next chunk."""
        self._columns: dict[str, None] = {}
        self._has_new_keys = False
        self._stored = lru_cache(maxsize=1)(self._arguments)  # most changed rows come in the order of the first ones
        self.check = Check()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._spool.close()

    def compare(self) -> None:
        """Read what the batch has, for `read` to compare the rows with.

        Raises:
            ConfigurationError: The requested key column differs from the batch's.
        """
        with self._open_store() as store:
            self._loads = store.loads()
            self._key_column = _key_column(self._loads, self._settings)
            for page in pages_of(self._loads):
                tries = store.tries(list(page), rows=True)
                self._chunks += len(tries)
                self._spool.learn(_known(store, tries.items()))
            ends = [*(load.first for load in self._loads[1:]), self._chunks + 1]
            # Storing the others was interrupted: their rows come again, and some of them are new.
            whole = [load.number for load, end in zip(self._loads, ends, strict=False) if load.last < end]
            self._digests = Digests(self._vault, store.digests(whole))

    def read(self, on_row: Callable[[int], None] | None) -> Check:
        """Check every row, and write the rows to store into the spool, encrypted, in chunks.

        Raises:
            ConfigurationError: The same rows were submitted before, under other keys, and `ask_again` is not set.
        """
        settings, check = self._settings, self.check
        required = [name for name in REQUIRED if name != "due_date" or settings.due_date is None]
        heading = partial(check_heading, self._key_column, required)
        try:
            for record in records_of(self._rows, encoding=settings.encoding, known=ARGUMENTS, check=heading):
                check.rows += 1
                self._take(record)
                if on_row is not None:
                    on_row(check.rows)
        except SourceBroken as broken:
            check.broken = True
            check.note(RowProblem(None, broken.line, broken.column, broken.code, broken.message))
        if check.rows == 0 and not check.broken:
            check.broken = True
            check.note(RowProblem(None, None, None, "empty", "the source has no rows."))
        self._flush()
        check.columns = list(self._columns)
        other = self._digests.batch_with_them() if self._has_new_keys else None
        if other is not None and not settings.ask_again:
            message = f"{self.batch} has the same rows as the batch {other}, whose customers would be asked again."
            hint = (
                f"to go on with that batch, write batch={other!r}, with its key column under the name and with the "
                "values of that time; to ask all of them again on purpose, ask_again=True"
            )
            raise ConfigurationError.of([Problem("", "copy", message, hint=hint)])
        return check

    def _take(self, record: Record) -> None:
        check = self.check
        fields = split_record(record.fields, self._key_column)
        if record.problems:
            # Columns may have shifted: do not trust any value, especially the key.
            fields.key_value, fields.problems = None, list(record.problems)
        key = "" if fields.key_value is None else idempotency_key_for(self.batch, fields.key_value)
        identity = identity_of(key, record.number)
        if key and (before := self._spool.first_line_of(identity, record.line or record.number)) is not None:
            check.repeated += 1
            unit, column = "row" if record.line is None else "line", self._key_column
            shown = (fields.key_value or "")[:60]
            message = f"{column} is {shown!r}, as in {unit} {before}: two rows cannot have one key."
            check.note(RowProblem(record.number, record.line, column, "repeated", message))
            return
        fingerprint = self._vault.fingerprint(canonical_text(fields.arguments))
        self._digests.add(fingerprint)
        known = self._spool.known(identity)
        if known is not None and not known.refused:
            self._compare_row(record, fields, key, known, fingerprint)
            return
        # Resolve dates after the comparison: a row with `today` has not changed if it is read again tomorrow.
        due_date = fields.arguments.get("due_date", self._settings.due_date)
        if due_date is not None:
            fields.arguments["due_date"] = in_utc(due_date)
        problems = fields.problems if record.problems else problems_of(fields, in_file=record.line is not None)
        if problems:
            check.invalid += 1
            for problem in problems:
                check.note(RowProblem(record.number, record.line, problem.field or None, problem.code, problem.message))
            is_stored = known is not None and known.fingerprint == fingerprint
            if is_stored or not self._settings.skip_invalid:
                return
            check.set_aside += 1
        else:
            check.new += 1
            self._has_new_keys |= known is None
        check.replaced += known is not None
        arguments = None if problems else as_json(fields.arguments)
        reason = " ".join(problem.message for problem in problems) or None
        self._columns |= dict.fromkeys(fields.extras)
        self._new.append(Row(record.number, key, fingerprint, arguments, fields.extras, reason, None, len(self._new)))
        if len(self._new) == chunk_rows_for(self._settings.rate):
            self._flush()

    def _compare_row(self, record: Record, fields: Fields, key: str, known: KnownRow, fingerprint: str) -> None:
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

    def _flush(self) -> None:
        if not self._new:
            return
        settings, last = self._settings, self._loads[-1] if self._loads else None
        retention = settings.key_retention or (last.retention if last else DAY)
        patience = settings.patience if settings.patience is not None else (last.patience if last else PATIENCE)
        chunk = Chunk(retention, patience, self._new)
        self._spool.add(self._vault.seal(chunk.to_json()))
        self._new.clear()

    def _arguments(self, number: int) -> dict[str, Mapping[str, Any]]:
        """Return the arguments of a stored chunk by key."""
        with self._open_store() as store:
            chunk = store.tries([number], rows=True)[number][0].chunk
        return {} if chunk is None else {row.key: row.arguments or {} for row in chunk.rows}

    def store(self, store: BatchStore) -> None:
        """Store the rows of the spool. An interruption leaves a batch that workers do not see.

        Numbers continue from `compare_with`, so a concurrent submission causes a conflict, which is detected.
        """
        if not self.check.stored:
            return
        settings, last = self._settings, self._loads[-1] if self._loads else None
        chunks = (Chunk.from_json(self._vault.open(encrypted)) for encrypted in self._spool)
        first = next(chunks)
        load = Submission(
            number=len(self._loads) + 1,
            source=os.path.abspath(self._rows) if isinstance(self._rows, str | os.PathLike) else None,
            key_column=self._key_column,
            columns=self.check.columns,
            encoding=settings.encoding,
            skip_invalid=settings.skip_invalid,
            due_date=settings.due_date,
            retention=first.retention,
            patience=first.patience,
            rate=settings.rate if settings.rate is not None else (last.rate if last else None),
            chunk_rows=chunk_rows_for(settings.rate),
            first=self._chunks + 1,
            rows=self.check.stored,
            replaced=self.check.replaced,
            digest=self._digests.own(),
        )
        store.add_load(load, chain([first], chunks))


def retry_unsettled(store: BatchStore, loads: Sequence[Submission], settings: Settings) -> int:
    """Add a retry for all unsettled rows whose last attempt has ended. Returns the number of rows."""
    count = 0
    for page in pages_of(loads):
        for number, tries in store.tries(list(page)).items():
            if tries[-1].over and tries[-1].unsettled != 0:
                (attempts,) = store.tries([number], rows=True).values()
                count += _retry(store, attempts, settings)
    return count


def _retry(store: BatchStore, tries: list[Try], settings: Settings) -> int:
    last = tries[-1]
    if last.chunk is None or not last.over:
        return 0
    known = latest_results(store, tries)
    left = last.chunk.unsettled([known[row.place] for row in last.chunk.rows])
    if not left.rows:
        return 0
    patience = left.patience if settings.patience is None else settings.patience
    chunk = Chunk(settings.key_retention or left.retention, patience, left.rows)
    store.add_try(next_try(last.id), chunk)
    return len(left.rows)


def _key_column(loads: Sequence[Submission], settings: Settings) -> str:
    """Return the batch's key column. Another column would give other keys and duplicate requests."""
    if not loads:
        return settings.key_column or KEY_COLUMN
    known = loads[-1].key_column
    if settings.key_column not in (None, known):
        message = (
            f"key_column is {settings.key_column}, and this batch has the key column {known} (by another one the "
            "same rows have other keys, and their customers would be asked again)."
        )
        hint = f"write key_column={known!r}, or leave it out, and give the column of the file this name again"
        raise ConfigurationError.of([Problem("key_column", "changed", message, hint=hint)])
    return known


def _known(store: BatchStore, chunks: Iterable[tuple[int, list[Try]]]) -> Iterator[tuple[bytes, str, bool, int]]:
    for number, tries in chunks:
        first = tries[0]
        if first.chunk is None:
            continue
        some_refused = any(attempt.counts and attempt.counts.get(RowOutcome.REFUSED) for attempt in tries)
        results = latest_results(store, tries) if some_refused else {}
        for row in first.chunk.rows:
            result = results.get(row.place)
            refused = row.arguments is None or (result is not None and result.outcome is RowOutcome.REFUSED)
            yield identity_of(row.key, row.number), row.fingerprint, refused, number
