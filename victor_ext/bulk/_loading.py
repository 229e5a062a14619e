"""Check a source, decide about each of its rows, and store them: all of them, or none.

`Loading.read` checks and decides, and stores nothing. `Loading.store` stores the sheet as it was
read, and lets what it wants be asked for (`_storing.apply`), in one transaction: what is decided
there counts, because other processes may have changed the state meanwhile.
"""

from __future__ import annotations

import os
import shlex
from array import array
from collections.abc import Generator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import replace
from operator import attrgetter
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from victor_ext import ConfigurationError, Problem
from victor_ext._settlement.flow import PaymentOutcome
from victor_ext._settlement.key_age import SentSince
from victor_ext._tables.row_file import RowFile
from victor_ext._tables.sources import Rows
from victor_ext.outbox._files import FileTerms, note_time

from ._check import Check, ControlTotals, Notice, RowProblem, add_amount, refuse_invalid
from ._deciding import TO_DECIDE, Code, message_of, question_message
from ._joining import PASSES, Joined, NextList, StoredRows, joined
from ._lines import refuse_lost
from ._load_progress import LoadWatch, OnLoad, OnRows, ignore_rows
from ._payments import (
    IN_DOUBT,
    LINES,
    NEVER_LEFT,
    PAYMENTS,
    SHEETS,
    STATE,
    TO_BE_SENT,
    WITH_ENTRIES,
    KeyOrigin,
    RequestedPayment,
    Sheet,
    is_of_sheet,
    lines_with_payments,
    pages,
    stored_payments,
)
from ._rows import content_of
from ._settings import TERMS, BatchRecord, Person, Settings, needs_another_person
from ._source_rows import SourceRow, SourceRows
from ._state import refuse_held
from ._steps import take_back_payments
from ._store import Store
from ._storing import STORING_PASSES, EntryMaker, add_sheet, apply
from ._validating import RowValidation


class AnotherList(ConfigurationError):
    """A sheet may be another list than the one that was sent under its name. Nothing was stored."""


class Loading:
    """The rows of a source on their way into a batch.

    Args:
        is_named: Whether the batch has a name that is not that of its file alone.
        on_load: Called with the progress of each step.

    Attributes:
        batch: The name of the batch.
        check: The result of checking the source, which all steps add to.
    """

    def __init__(
        self,
        source: Rows,
        store: Store,
        expected: ControlTotals,
        *,
        is_named: bool,
        on_load: OnLoad | None = None,
    ) -> None:
        self.batch = store.batch
        self.check = Check()
        self.sheet: int | None = None
        """The number of the sheet, once it is stored."""
        self._source, self._expected = source, expected
        self._is_named = is_named
        self._opened, self._settings = store, store.settings
        self._kind, self._vault = store.kind, store.vault
        self._origin = KeyOrigin(
            store.settings.key_kind or "invoice",
            store.settings.key_column or store.kind.reference,
        )
        self._rows = SourceRows()
        self._watch = LoadWatch(on_load)
        self._with_problems = array("q")
        """The numbers of the rows whose problems are noted."""

    def close(self) -> None:
        """Remove the temporary database of the rows."""
        self._rows.close()

    def opened(self) -> AbstractContextManager[Store]:
        """Open the batch of a state that is there, for a block."""
        return self._opened.open_present(self.batch)

    def read(self) -> Check:
        """Check every row, and decide about it by what the state has now. Nothing is stored.

        Returns `check`.
        """
        if not self._opened.state.exists():
            self._validate()
            self._decide_all(None)
            return self.check
        with self.opened() as store:
            record = store.record(to_send=True)
            if record is not None:
                self._settings = self._settings.after(record)
                self._settings.check_sender(record.persons)
                key_kind = self._settings.key_kind or record.key_kind
                self._origin = KeyOrigin(key_kind, record.key_column)
                with store.engine.connect() as connection:
                    refuse_lost(store, connection, store.latest_sheet(connection))
        self._validate()
        with self.opened() as store, store.engine.connect() as connection:
            self._decide_all(connection, store)
        return self.check

    def _validate(self) -> None:
        """Read the source, and check each row. The state is not read."""
        validation = RowValidation(
            maker_of(self._opened, self._settings),
            self._settings,
            self._rows,
            self._origin,
            self._expected,
            self._watch,
        )
        validation.read(self._source, self.check)

    # Deciding

    def _decide_all(self, connection: Connection | None, store: Store | None = None) -> None:
        """Decide about each row with a key, and count all rows.

        Args:
            connection: The transaction that sees the state; None: there is no state.
            store: The batch in it.
        """
        if connection is None or store is None:
            sheet = self._sheet()
        else:
            sheet = self._sheet_after(connection, store, _latest_sheet(connection, store))
        self._watch.begin("compared", self.check.rows, PASSES)
        joins = joined(
            connection,
            self._opened.owner,
            sheet,
            self._rows,
            self._rows.pages(),
            on_rows=self._watch.add,
        )
        with self._counting():
            for page in pages(joins):
                self._count_page(page)

    @contextmanager
    def _counting(self) -> Generator[None]:
        """Count the other rows, too, after those with a key are decided about in the block. Raises
        `AnotherList`.
        """
        try:
            yield
        except NextList:
            raise self._another_list(
                f"Most new rows of this sheet have payers or payees of {self.batch} whose payments "
                "it lacks."
            ) from None
        self._count_others()

    def _sheet_after(self, connection: Connection, store: Store, before: Sheet | None) -> Sheet:
        """Return the sheet as it follows on the latest one of the batch, or that one if it is
        equal. Count what the batch asks for and the sheet lacks.

        Args:
            before: The latest sheet; None: the batch is new.

        Raises as `_series` does.
        """
        series, number = 0, None
        if before is not None:
            series = self._series(connection, store, before)
            digest = self._vault.fingerprint(self._rows.digest())
            if before.account == store.account and _is_equal(connection, before, digest):
                number = before.id
        self.check.pulled_back = self._count_unlisted(connection, store)
        return self._sheet(number, series)

    def _sheet(self, number: int | None = None, series: int = 0) -> Sheet:
        """Return the sheet; it has a number once it is stored."""
        account = self._opened.account
        return Sheet(number, self.batch, series, account, is_being_sent=True, origin=self._origin)

    def _count_unlisted(self, connection: Connection, store: Store) -> int:
        """Return how many payments of the batch wait that the source lacks."""
        waits = sa.and_(store.is_of_batch(), STATE.in_(TO_BE_SENT))
        query = sa.select(PAYMENTS.c.key).select_from(WITH_ENTRIES).where(waits)
        keys = connection.execute(query).scalars()
        return sum(len(page) - len(self._rows.keys_among(page)) for page in pages(keys))

    def _begin_counting(self) -> None:
        self.check = self.check.undecided()
        self._with_problems = array("q")

    def _series(self, connection: Connection, store: Store, before: Sheet) -> int:
        """Return the series of the sheet in its batch.

        Raises `ConfigurationError` for a sheet that has no row of the one before it: it may be
        another list, or the same list with other keys.
        """
        if self._shares_rows(connection, before):
            return before.series
        if not self._is_named:
            raise self._another_list(
                f"No row of this sheet is in the one that was sent as {self.batch} before.",
                " That name may be given each week, once nothing of it waits.",
            )
        columns = [STATE.in_(TO_BE_SENT | IN_DOUBT), store.is_of_batch()]
        open_rows = sa.select(STATE).select_from(WITH_ENTRIES).where(*columns).limit(1)
        if connection.execute(open_rows).first() is not None:
            raise _refused_batch(
                f"No row of this sheet is in the one that was sent as {self.batch} before, of "
                "which some rows wait, or are in doubt. Resume that one first, or drop it; or name "
                "this one otherwise."
            )
        return before.series + 1

    def _shares_rows(self, connection: Connection, before: Sheet) -> bool:
        """Whether the sheet has a row of the sheet before it, or one of the two has no keys; or
        keys are restored: nothing was asked for the sheet before, and this one has payments.
        """
        stored = StoredRows(connection, before.id or 0)
        has_keys = sa.select(LINES.c.key).where(is_of_sheet(before.id), LINES.c.key.is_not(None))
        if connection.execute(has_keys.limit(1)).first() is None:
            return True
        has_any = False
        for page in pages(self._rows.keys()):
            has_any = True
            if stored.keys_among(page):
                return True
        return not has_any or self._restores_keys(connection, before)

    def _restores_keys(self, connection: Connection, before: Sheet) -> bool:
        owner = self._opened.owner
        query = sa.select(LINES.c.number).select_from(lines_with_payments(owner))
        asked = query.where(is_of_sheet(before.id), PAYMENTS.c.key.is_not(None))
        if connection.execute(asked.limit(1)).first() is not None:
            return False
        return any(stored_payments(connection, owner, page) for page in pages(self._rows.keys()))

    def _another_list(self, why: str, more: str = "") -> ConfigurationError:
        """Return the error for a sheet that may be another list than the one of its name.

        Args:
            why: Why it may be one, as a sentence.
            more: What else to know of the name that is given to it.
        """
        name = f"{self.batch}-2" if self._is_named else _name_of_list(self._source)
        name = shlex.quote(name)
        return _refused_batch(
            f"{why} Nothing was stored. Is it the same list? Then the column "
            f"{self._origin.column}, which tells the rows apart, has changed: restore it. Is it "
            f"another list? Then name it, such as --batch {name}.{more}"
        )

    def _count_page(self, page: Sequence[Joined]) -> None:
        """Add rows with keys to the counts of `check`."""
        check = self.check
        asked: list[int] = []
        noted: list[Joined] = []
        for each in page:
            number, verdict = each.row.number, each.verdict
            if verdict.code is not None or verdict.is_invalid:
                noted.append(each)
            if verdict.is_invalid:
                continue
            if verdict.waits or (verdict.asks and verdict.code is not Code.ASKED_SINCE):
                asked.append(number)
                check.replaced += verdict.code is Code.REPLACED
            elif verdict.code in TO_DECIDE:
                check.changed += 1
            else:
                check.unchanged += 1
        check.new += len(asked)
        for amount, currency in self._rows.prices(asked):
            add_amount(check.totals, amount, currency)
        rows = {row.number: row for row in self._rows.named([each.row.number for each in noted])}
        for each in noted:
            self._note(each, rows[each.row.number])

    def _note(self, each: Joined, row: SourceRow) -> None:
        """Note what there is to say of a row with a key, and count it if it is not valid."""
        is_shown = self._add_notice(row, each)
        if each.verdict.is_invalid:
            self._count_invalid(row, sets_aside=not is_shown)

    def _count_invalid(self, row: SourceRow, *, sets_aside: bool) -> None:
        """Count an invalid row. `sets_aside`: with `skip_invalid`, it is stored as refused."""
        self.check.invalid += 1
        if self._settings.skip_invalid and sets_aside:
            self.check.set_aside += 1
        self._with_problems.append(row.number)

    def _count_others(self) -> None:
        """Count the rows without a key, and those that repeat the key of another row; and note all
        problems in the order of the rows.
        """
        for row in self._rows.without_keys():
            if row.is_repeated:
                self.check.repeated += 1
                self._with_problems.append(row.number)
            else:
                self._count_invalid(row, sets_aside=True)
        for numbers in pages(sorted(self._with_problems)):
            for row in self._rows.named(numbers):
                self._note_problems(row)

    def _add_notice(self, row: SourceRow, each: Joined) -> bool:
        """Add the notice about a row to the check. Returns whether there is one."""
        verdict = each.verdict
        if verdict.code is None:
            return False
        content = content_of(self._vault, row.asked.row)
        value = str(content.value)
        if verdict.question is not None:
            message = question_message(value, verdict.question, self._vault)
        else:
            assert each.payment is not None
            message = message_of(verdict.code, content, each.payment, self._vault, self._kind)
        if verdict.code is Code.OTHER_VALUES and not verdict.is_invalid and row.problems:
            # The problems of a row that is not sent are said nowhere else.
            message = f"{message} {row.problems_in_words()}"
        self.check.add_notice(Notice(row.line or row.number, verdict.code, value, message))
        return True

    def _note_problems(self, row: SourceRow) -> None:
        """Add the problems of a row to the check."""
        for problem in row.problem_list():
            column = problem.field or None
            self.check.add_problem(
                RowProblem(row.number, row.line, column, problem.code, problem.message)
            )

    # Storing

    def store(self, store: Store) -> BatchRecord:
        """Store the sheet, and let what it wants be asked for, in one transaction.

        A sheet that is equal to the latest of its batch is that one: it adds a person, no lines.
        Returns the new record of the batch. Raises `InvalidRows`, and `ConfigurationError` as
        `read` does.
        """
        now = store.sent_now()
        maker = maker_of(self._opened, self._settings)

        def store_all(connection: Connection) -> BatchRecord:
            store.lock_storing(connection)
            store.state.keep_key(connection, self._vault, store.secret)
            refuse_held(connection)
            note_time(connection, str(store.client.provider), now)
            self._begin_counting()
            self._watch.begin("stored", self.check.rows, STORING_PASSES)
            before = _latest_sheet(connection, store)
            sheet = self._latest_or_new(connection, store, before, now)
            self.sheet = sheet.id
            with self._counting():
                apply(
                    connection,
                    store,
                    sheet,
                    maker,
                    now,
                    self._rows,
                    self._count_page,
                    self._watch.add,
                )
            refuse_invalid(self.batch, self.check, skip_invalid=self._settings.skip_invalid)
            is_new = before is None or sheet.id != before.id
            record = self._new_record(store.present_record(connection), is_new=is_new)
            store.save_record(connection, record, sheet.id)
            return record

        return store.transact(store_all)

    def _latest_or_new(
        self, connection: Connection, store: Store, before: Sheet | None, now: SentSince
    ) -> Sheet:
        """Store the sheet, unless the latest one of the batch is equal, and return it."""
        sheet = self._sheet_after(connection, store, before)
        if sheet.id is not None:
            self._watch.add(self.check.rows)
            return sheet
        person, on_rows = self._settings.person, self._watch.add
        return _stored_sheet(connection, store, sheet, self._rows, person, now, on_rows)

    def _new_record(self, before: BatchRecord | None, *, is_new: bool) -> BatchRecord:
        """Return the new record of the batch.

        A file adds its sender if it is a new sheet, or the first with `not_by_sender`.

        Args:
            before: The record so far; None: the batch is new.
            is_new: Whether the sheet is a new one of the batch.
        """
        settings = self._settings
        persons = [] if before is None else list(before.persons)
        settings.check_sender(persons)
        is_stricter = settings.not_by_sender and not needs_another_person(persons)
        if is_new or is_stricter:
            persons.append(settings.person)
        form: dict[str, Any] = {}
        if isinstance(self._source, RowFile):
            names = ("columns", "decimal", "date_format")
            form = {name: getattr(self._source, name) for name in names}
        return BatchRecord(
            key_column=self._origin.column,
            key_kind=self._origin.kind,
            columns=self.check.columns,
            terms={name: getattr(settings, name) for name in TERMS},
            persons=persons,
            rows=self.check.rows,
            form=form,
        )


# What the latest sheet of a batch wants


def ask_waiting(store: Store, record: BatchRecord) -> None:
    """Let what the latest sheet of a batch wants be asked for, and is not yet: another batch may
    have pulled it back, or a person has decided about it.
    """
    now = store.sent_now()

    def ask(connection: Connection) -> None:
        store.lock_storing(connection)
        refuse_held(connection)
        note_time(connection, str(store.client.provider), now)
        sheet = store.latest_sheet(connection)
        refuse_lost(store, connection, sheet)
        maker = maker_of(store, store.settings.with_terms_of(record))
        apply(connection, store, sheet, maker, now)

    store.transact(ask)


def want_nothing(store: Store, record: BatchRecord) -> int:
    """Store an empty sheet as the latest of a batch. Returns how many rows of the one before were
    not sent.
    """
    now = store.sent_now()
    nothing = SourceRows()
    person = store.settings.person

    def drop(connection: Connection) -> int:
        store.lock_storing(connection)
        refuse_held(connection)
        before = store.latest_sheet(connection)
        unsent = _count_unsent(connection, store, before)
        empty = replace(before, account=store.account, is_being_sent=True)
        sheet = _stored_sheet(connection, store, empty, nothing, person, now)
        store.save_record(connection, replace(record, rows=0), sheet.id)
        maker = maker_of(store, store.settings.with_terms_of(record))
        apply(connection, store, sheet, maker, now)
        return unsent

    with closing(nothing):
        return store.transact(drop)


def _stored_sheet(
    connection: Connection,
    store: Store,
    sheet: Sheet,
    rows: SourceRows,
    person: Person,
    now: SentSince,
    on_rows: OnRows = ignore_rows,
) -> Sheet:
    """Store a new sheet of a batch. What was said of the one before, and waits, is taken back.

    `on_rows` is as of `add_sheet`.
    """
    take_back_payments(connection, store)
    number = add_sheet(
        connection,
        store,
        rows,
        series=sheet.series,
        digest=store.vault.fingerprint(rows.digest()),
        person=person,
        now=now,
        on_rows=on_rows,
    )
    return replace(sheet, id=number)


def _count_unsent(connection: Connection, store: Store, sheet: Sheet) -> int:
    """Return how many rows of a sheet were never sent."""
    never_left = sa.or_(STATE.is_(None), STATE.in_(NEVER_LEFT))
    query = sa.select(sa.func.count()).select_from(lines_with_payments(store.owner))
    chosen = query.where(is_of_sheet(sheet.id), never_left)
    return int(connection.execute(chosen).scalar_one())


def maker_of(store: Store, settings: Settings) -> EntryMaker:
    """Return what makes the entries for rows of a batch."""
    kept = settings.key_retention_seconds
    terms = FileTerms(store.owner, store.sender, store.batch, kept)
    return EntryMaker(store.kind, store.vault, terms)


def _latest_sheet(connection: Connection, store: Store) -> Sheet | None:
    """Return the latest sheet of a batch; None: the batch is new."""
    return store.latest_sheet(connection) if store.is_stored(connection) else None


def replaced_rows(store: Store, sent: int | None) -> list[str]:
    """Return what people call the rows of a sheet that were not created as it has them, and that a
    newer sheet of the batch lacks or changes.

    Args:
        sent: The number of the sheet.
    """
    with store.engine.connect() as connection:
        latest = store.latest_sheet(connection)
        if latest.id == sent:
            return []
        own, newer = StoredRows(connection, sent or 0), StoredRows(connection, latest.id or 0)
        kept = {_wanted(row) for page in newer.pages_by_key() for row in page}
        replaced: list[RequestedPayment] = []
        for page in own.pages_by_key():
            stored = stored_payments(connection, store.owner, [row.key for row in page])
            for row in page:
                payment = stored.get(row.key)
                is_created = False
                if payment is not None and payment.values_digest == row.values_digest:
                    is_created = payment.state == PaymentOutcome.CREATED
                if row.is_valid and not is_created and _wanted(row) not in kept:
                    replaced.append(row)
    return [
        content_of(store.vault, row.row).value or f"row {row.number}"
        for row in sorted(replaced, key=attrgetter("number"))
    ]


def _wanted(row: RequestedPayment) -> tuple[str, str, str | None]:
    """Return what a row wants, in a form that is compared."""
    return row.key, row.values_digest, row.due_date


def _name_of_list(source: Rows) -> str:
    """Return a name for a batch that is not named by its file alone."""
    path = source.path if isinstance(source, RowFile) else source
    if not isinstance(path, str | os.PathLike):
        return "NAME"
    resolved = Path(path).resolve()
    return f"{resolved.parent.name}-{resolved.stem}".lstrip("-")


def _is_equal(connection: Connection, sheet: Sheet, digest: str) -> bool:
    """Whether a stored sheet has a digest, and nothing of it is forgotten."""
    is_forgotten = sa.exists().where(is_of_sheet(sheet.id), LINES.c.row.is_(None))
    same = SHEETS.c.id == sheet.id, SHEETS.c.digest == digest
    query = sa.select(SHEETS.c.id).where(*same, sa.not_(is_forgotten))
    return connection.execute(query).first() is not None


def _refused_batch(message: str) -> AnotherList:
    """Return the error for the name of a batch."""
    error: AnotherList = AnotherList.of([Problem("batch", "another_list", message)])
    return error
