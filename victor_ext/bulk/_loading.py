"""Check a source, decide about each of its rows, and store them: all of them, or none.

`Loading.read` checks and decides, and stores nothing. `Loading.store` stores the sheet as it was
read, and lets what it wants be asked for (`_storing.apply`), in one transaction: what is decided
there counts, because other processes may have changed the state meanwhile.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from operator import attrgetter
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from victor_ext._settlement.flow import PaymentOutcome
from victor_ext._settlement.key_age import SentSince
from victor_ext._tables.row_file import RowFile
from victor_ext._tables.sources import Rows
from victor_ext.outbox._files import FileTerms, let_go_on, lock_waiting, note_time

from ._check import Check, ControlTotals, Notice, RowProblem, add_amount, refuse_invalid
from ._deciding import TO_DECIDE, Code, message_of
from ._joining import Joined, StoredRows, joined
from ._lines import refuse_lost
from ._load_progress import LoadWatch, OnLoad
from ._payments import (
    EXISTS_OR_MAY,
    LINES,
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
from ._settings import KEY_KIND, TERMS, BatchRecord, Settings
from ._sheet_rule import refuse_another_list, respelled_rows, rows_of_asked_references
from ._source_rows import SourceRow, SourceRows
from ._state import refuse_held
from ._store import Store
from ._storing import (
    EntryMaker,
    add_sheet,
    apply,
    insert_sheet,
    locked_keys,
    take_from_entries,
    waits_outdated,
)
from ._validating import RowValidation

REJECTED = PaymentOutcome.REJECTED


class Loading:
    """The rows of a source on their way into a batch.

    Args:
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
        on_load: OnLoad | None = None,
    ) -> None:
        self.batch = store.batch
        self.check = Check()
        self.sheet: int | None = None
        """The number of the sheet, once it is stored."""
        self._source, self._expected = source, expected
        self._opened, self._settings = store, store.settings
        self._kind, self._vault = store.kind, store.vault
        self._origin = KeyOrigin(
            store.settings.key_kind or KEY_KIND,
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
        sheet = self._sheet()
        if connection is not None and store is not None:
            sheet = self._sheet_after(connection, store, _latest_sheet(connection, store))
        self._count_repeated(connection, store or self._opened)
        for page in pages(joined(connection, self._opened.owner, sheet, self._rows.pages())):
            self._count_page(page)
        self._count_others()

    def _sheet_after(self, connection: Connection, store: Store, before: Sheet | None) -> Sheet:
        """Return the sheet as it follows on the latest one of the batch, or that one if it is
        equal. Count what the batch asks for and the sheet lacks.

        Args:
            before: The latest sheet; None: the batch is new.

        Raises `AnotherList`.
        """
        number = None
        digest = self._vault.fingerprint(self._rows.digest())
        if (
            before is not None
            and before.account == store.account
            and _is_equal(connection, before, digest)
        ):
            number = before.id
        if number is None:
            are_others = store.settings.other_payments
            refuse_another_list(connection, store, self._rows, are_others=are_others)
        self.check.pulled_back = self._count_unlisted(connection, store)
        return self._sheet(number)

    def _sheet(self, number: int | None = None) -> Sheet:
        """Return the sheet; it has a number once it is stored."""
        account = self._opened.account
        return Sheet(number, self.batch, account, is_being_sent=True, origin=self._origin)

    def _count_unlisted(self, connection: Connection, store: Store) -> int:
        """Return how many payments of the batch wait that the source lacks."""
        waits = sa.and_(store.is_of_batch(), STATE.in_(TO_BE_SENT))
        query = sa.select(PAYMENTS.c.key).select_from(WITH_ENTRIES).where(waits)
        keys = connection.execute(query).scalars()
        return sum(len(page) - len(self._rows.keys_among(page)) for page in pages(keys))

    def _begin_counting(self) -> None:
        self.check = self.check.undecided()
        self._with_problems = array("q")

    def _count_repeated(self, connection: Connection | None, store: Store) -> None:
        """Count the rows that are another one in another spelling, or have the reference of another
        payment: such a source is refused.
        """
        column = self._origin.column
        for each in respelled_rows(connection, store, self._rows):
            (row,) = self._rows.named([each.number])
            value = content_of(self._vault, row.asked.row).value
            message = (
                f"{column} is {value!r:.60}, {each.other} in another spelling. Is it the same? "
                "Then keep the old one. Is it another? Then give it a number that no program makes "
                "of the old one."
            )
            self._add_repeated(row, column, "respelled", message)
        if connection is None:
            return
        reference = self._kind.reference
        for each in rows_of_asked_references(connection, store, self._rows):
            (row,) = self._rows.named([each.number])
            message = (
                f"{reference} is that of {each.other}, which was asked for under another number. "
                "Is it the same? Then write the number that it had. Is it a month, an instalment "
                "or a repeat? Then give it a reference of its own, or none."
            )
            self._add_repeated(row, reference, "asked_reference", message)

    def _add_repeated(self, row: SourceRow, column: str, code: str, message: str) -> None:
        """Add the problem of a row that repeats another one."""
        self.check.repeated += 1
        self.check.add_problem(RowProblem(row.number, row.line, column, code, message))

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
        if verdict.code is None or each.payment is None:
            return False
        content = content_of(self._vault, row.asked.row)
        message = message_of(verdict.code, content, each.payment, self._vault, self._kind)
        if verdict.code is Code.OTHER_VALUES and not verdict.is_invalid and row.problems:
            # The problems of a row that is not sent are said nowhere else.
            message = f"{message} {row.problems_in_words()}"
        value = str(content.value)
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

        A sheet that is equal to the latest of its batch is that one.
        Returns the new record of the batch. Raises `InvalidRows`, and `ConfigurationError` as
        `read` does.
        """
        now = store.sent_now()
        maker = maker_of(self._opened, self._settings)

        def store_all(connection: Connection) -> BatchRecord:
            store.lock_storing(connection)
            refuse_held(connection)
            note_time(connection, str(store.client.provider), now)
            self._begin_counting()
            before = _latest_sheet(connection, store)
            sheet = self._latest_or_new(connection, store, before, now)
            self.sheet = sheet.id
            self._count_repeated(connection, store)
            chosen = self._rows.pages_by_key()
            apply(connection, store, sheet, maker, now, chosen, self._rows, self._count_page)
            self._count_others()
            refuse_invalid(self.batch, self.check, skip_invalid=self._settings.skip_invalid)
            record = self._new_record()
            store.save_record(connection, record, sheet.id)
            return record

        return store.transact(store_all)

    def _latest_or_new(
        self, connection: Connection, store: Store, before: Sheet | None, now: SentSince
    ) -> Sheet:
        """Store the sheet, unless the latest one of the batch is equal, and return it."""
        sheet = self._sheet_after(connection, store, before)
        if sheet.id is not None:
            return sheet
        return _stored_sheet(connection, store, sheet, self._rows, now)

    def _new_record(self) -> BatchRecord:
        """Return the new record of the batch."""
        settings = self._settings
        form: dict[str, Any] = {}
        if isinstance(self._source, RowFile):
            names = ("columns", "decimal", "date_format")
            form = {name: getattr(self._source, name) for name in names}
        return BatchRecord(
            key_column=self._origin.column,
            key_kind=self._origin.kind,
            columns=self.check.columns,
            terms={name: getattr(settings, name) for name in TERMS},
            rows=self.check.rows,
            form=form,
        )


# What the latest sheet of a batch wants


def pull_back_outdated(store: Store, record: BatchRecord) -> None:
    """Let nothing be sent with other values than the latest sheet of a batch has. Nothing is asked
    for: what waits is sent, and only a sheet that is sent asks for more.
    """
    now = store.sent_now()

    def pull_back(connection: Connection) -> None:
        store.lock_storing(connection)
        refuse_held(connection)
        note_time(connection, str(store.client.provider), now)
        sheet = store.latest_sheet(connection)
        refuse_lost(store, connection, sheet)
        maker = maker_of(store, store.settings.with_terms_of(record))
        let_go_on(connection, store.is_entry())  # what was surely lost waits from now on
        lock_waiting(connection, store.is_entry())
        for page in pages(locked_keys(connection, store, waits_outdated(store, sheet))):
            take_from_entries(connection, store, maker, page)

    store.transact(pull_back)


def want_nothing(store: Store, record: BatchRecord) -> int:
    """Store a sheet without the rows that were never sent as the latest of a batch. Returns how
    many there were.
    """
    now = store.sent_now()

    def drop(connection: Connection) -> int:
        store.lock_storing(connection)
        refuse_held(connection)
        before = store.latest_sheet(connection)
        was_sent = sa.and_(is_of_sheet(before.id), STATE.in_(EXISTS_OR_MAY | {REJECTED}))
        sheet = insert_sheet(connection, store, digest="", now=now)
        names = [column.name for column in LINES.c if column.name != "sheet"]
        columns = [LINES.c[name] for name in names]
        kept = sa.select(sa.literal(sheet), *columns).select_from(lines_with_payments(store.owner))
        insert = sa.insert(LINES).from_select(["sheet", *names], kept.where(was_sent))
        count = connection.execute(insert).rowcount
        store.save_record(connection, replace(record, rows=count), sheet)
        maker = maker_of(store, store.settings.with_terms_of(record))
        rows = StoredRows(connection, sheet)
        latest = replace(before, id=sheet, account=store.account, is_being_sent=True)
        apply(connection, store, latest, maker, now, rows.pages_by_key(), rows)
        return record.rows - count

    return store.transact(drop)


def _stored_sheet(
    connection: Connection,
    store: Store,
    sheet: Sheet,
    rows: SourceRows,
    now: SentSince,
) -> Sheet:
    """Store a new sheet of a batch."""
    digest = store.vault.fingerprint(rows.digest())
    number = add_sheet(connection, store, rows, digest=digest, now=now)
    return replace(sheet, id=number)


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


def _is_equal(connection: Connection, sheet: Sheet, digest: str) -> bool:
    """Whether a stored sheet has a digest, and nothing of it is forgotten."""
    is_forgotten = sa.exists().where(is_of_sheet(sheet.id), LINES.c.row.is_(None))
    same = SHEETS.c.id == sheet.id, SHEETS.c.digest == digest
    query = sa.select(SHEETS.c.id).where(*same, sa.not_(is_forgotten))
    return connection.execute(query).first() is not None
