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

import sqlalchemy as sa
from sqlalchemy import Connection

from victor_ext._event_queue.rows import count_rows
from victor_ext._tables.sources import Rows
from victor_ext.outbox._files import let_go_on, lock_waiting, note_provider

from ._check import Check, ControlTotals, Notice, RowProblem, add_amount, refuse_invalid
from ._deciding import message_of
from ._joining import Joined, joined
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
    Sheet,
    is_of_sheet,
    lines_with_payments,
    pages,
)
from ._rows import RowOutcome, content_of
from ._sheet_rule import SheetRule
from ._source_rows import SourceRow, SourceRows
from ._state import refuse_held
from ._store import Store
from ._storing import (
    add_sheet,
    apply,
    insert_sheet,
    locked_keys,
    pull_back_unlisted,
    take_from_entries,
    waits_outdated,
)
from ._validating import RowValidation


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
        self._source, self._expected = source, expected
        self._opened, self._settings = store, store.settings
        self._key_column = store.settings.key_column or store.kind.reference
        self._rows = SourceRows()
        self._watch = LoadWatch(on_load)
        self._with_problems = array("q")
        """The numbers of the rows whose problems are noted."""

    def close(self) -> None:
        """Remove the temporary database of the rows."""
        self._rows.close()

    def opened(self) -> AbstractContextManager[Store]:
        """Open the batch of a state that is there, for a block."""
        return self._opened.open_present()

    def read(self) -> Check:
        """Check every row, and decide about it by what the state has now. Nothing is stored.

        Returns `check`. Raises `VictorError` if a payment that is asked for once more cannot be
        read.
        """
        if not self._opened.state.exists():
            self._validate()
            self._decide_all(None, self._opened)
            return self.check
        with self.opened() as store:
            store.refuse_new_account()
            latest = store.own_sheet(to_send=True)
            if latest is not None:
                self._settings.require_key_column(latest.key_column)
                self._key_column = latest.key_column
                with store.engine.connect() as connection:
                    refuse_lost(store, connection, latest)
        self._validate()
        with self.opened() as store, store.engine.connect() as connection:
            self._decide_all(connection, store)
        return self.check

    def _validate(self) -> None:
        """Read the source, and check each row. The state is not read."""
        validation = RowValidation(
            self._opened.kind,
            self._opened.vault,
            self._settings,
            self._rows,
            self._key_column,
            self._expected,
            self._watch,
        )
        validation.read(self._source, self.check)

    # Deciding

    def _decide_all(self, connection: Connection | None, store: Store) -> None:
        """Decide about each row with a key, and count all rows.

        Args:
            connection: The transaction that sees the state; None: there is no state.
        """
        sheet = self._sheet(connection, store)
        rule = self._refuse_by_rule(connection, store, sheet)
        for problem in rule.not_over():
            self.check.refuse(problem)
        for page in pages(joined(connection, store.owner, sheet, self._rows.pages())):
            self._count_page(page)
        self._count_others()

    def _sheet(self, connection: Connection | None, store: Store) -> Sheet:
        """Return the sheet: the latest one of the batch if it is equal, else one without a number.
        Count what the batch asks for and the sheet lacks.
        """
        number = None
        if connection is not None and store.is_stored(connection):
            latest = store.latest_sheet(connection)
            if _is_equal(connection, latest, self._digest(store)):
                number = latest.id
            self.check.pulled_back = self._count_unlisted(connection, store)
        return Sheet(number, self.batch, True, self._key_column, self.check.columns)  # noqa: FBT003 - it is sent

    def _digest(self, store: Store) -> str:
        return store.vault.fingerprint(self._rows.digest())

    def _count_unlisted(self, connection: Connection, store: Store) -> int:
        """Return how many payments of the batch wait that the source lacks."""
        waits = sa.and_(store.is_of_batch(), STATE.in_(TO_BE_SENT))
        query = sa.select(PAYMENTS.c.key).select_from(WITH_ENTRIES).where(waits)
        keys = connection.execute(query).scalars()
        return sum(len(page) - len(self._rows.keys_among(page)) for page in pages(keys))

    def _refuse_by_rule(
        self, connection: Connection | None, store: Store, sheet: Sheet
    ) -> SheetRule:
        """Add why the rule of sheets refuses the sheet to `check`. Returns the rule."""
        rule = SheetRule(connection, store, self._rows, self._key_column)
        for problem in rule.problems(is_latest=sheet.id is not None):
            self.check.refuse(problem)
        return rule

    def _count_page(self, page: Sequence[Joined]) -> None:
        """Add rows with keys to the counts of `check`."""
        check = self.check
        asked: list[int] = []
        noted: dict[int, Joined] = {}
        for match in page:
            number, verdict = match.row.number, match.verdict
            if verdict.is_invalid or verdict.code is not None:
                noted[number] = match
            if verdict.is_invalid:
                continue
            if verdict.outcome in TO_BE_SENT and verdict.since is None:
                asked.append(number)
            elif verdict.code is not None or verdict.outcome is RowOutcome.REJECTED:
                check.changed += 1
            else:
                check.unchanged += 1
        check.new += len(asked)
        for amount, currency in self._rows.prices(asked):
            add_amount(check.totals, amount, currency)
        for row in self._rows.named(noted):
            if noted[row.number].verdict.is_invalid:
                self._count_invalid(row)
            else:
                self._add_notice(row, noted[row.number])

    def _count_invalid(self, row: SourceRow) -> None:
        """Count an invalid row. With `skip_invalid`, it is stored as refused."""
        self.check.invalid += 1
        if self._settings.skip_invalid:
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
                self._count_invalid(row)
        for numbers in pages(sorted(self._with_problems)):
            for row in self._rows.named(numbers):
                for problem in row.problem_list():
                    column = problem.field or None
                    self.check.add_problem(
                        RowProblem(row.number, row.line, column, problem.code, problem.message)
                    )

    def _add_notice(self, row: SourceRow, match: Joined) -> None:
        """Add the notice about a row to the check. The problems of a row that is not sent are said
        nowhere else.
        """
        code, vault = match.verdict.code, self._opened.vault
        assert code is not None
        assert match.payment is not None
        content = content_of(vault, row.asked.row)
        message = message_of(code, content, match.payment, vault, self._opened.kind)
        words = " ".join([message, *(problem.message for problem in row.problem_list())])
        self.check.add_notice(Notice(row.line or row.number, code, str(content.value), words))

    # Storing

    def store(self, store: Store) -> None:
        """Store the sheet, and let what it wants be asked for, in one transaction.

        A sheet that is equal to the latest of its batch is that one.
        Raises `InvalidRows`, and `ConfigurationError` as `read` does.
        """
        now = store.sent_now()

        def store_all(connection: Connection) -> None:
            store.lock_storing(connection)
            refuse_held(connection)
            kept = self._settings.keys_kept
            note_provider(connection, str(store.client.provider), now, kept)
            self.check = self.check.undecided()
            self._with_problems = array("q")
            sheet = self._sheet(connection, store)
            self._refuse_by_rule(connection, store, sheet)
            if sheet.id is None:
                digest = self._digest(store)
                number = add_sheet(connection, store, sheet, self._rows, digest=digest, now=now)
                sheet = replace(sheet, id=number)
            apply(connection, store, sheet, now, self._rows, self._count_page)
            self._count_others()
            refuse_invalid(self.batch, self.check, skip_invalid=self._settings.skip_invalid)

        store.transact(store_all)


# What the latest sheet of a batch wants


def pull_back_outdated(store: Store) -> None:
    """Let nothing be sent with other values than the latest sheet of a batch has. Nothing is asked
    for: what waits is sent, and only a sheet that is sent asks for more.
    """
    now = store.sent_now()

    def pull_back(connection: Connection) -> None:
        store.lock_storing(connection)
        refuse_held(connection)
        note_provider(connection, str(store.client.provider), now)
        sheet = store.latest_sheet(connection)
        refuse_lost(store, connection, sheet)
        let_go_on(connection, store.is_entry())  # what was surely lost waits from now on
        lock_waiting(connection, store.is_entry())
        for page in pages(locked_keys(connection, store, waits_outdated(store, sheet))):
            take_from_entries(connection, store, page)

    store.transact(pull_back)


def want_nothing(store: Store) -> int:
    """Store a sheet without the rows that were never sent as the latest of a batch. Returns how
    many there were.
    """
    now = store.sent_now()

    def drop(connection: Connection) -> int:
        store.lock_storing(connection)
        refuse_held(connection)
        before = store.latest_sheet(connection)
        was_sent = sa.and_(is_of_sheet(before.id), STATE.in_(EXISTS_OR_MAY | {RowOutcome.REJECTED}))
        sheet = insert_sheet(connection, store, before, digest="", now=now)
        names = [column.name for column in LINES.c if column.name != "sheet"]
        columns = [LINES.c[name] for name in names]
        kept = sa.select(sa.literal(sheet), *columns).select_from(lines_with_payments(store.owner))
        insert = sa.insert(LINES).from_select(["sheet", *names], kept.where(was_sent))
        count = connection.execute(insert).rowcount
        lock_waiting(connection, store.is_entry())
        pull_back_unlisted(connection, store, sheet)
        return count_rows(connection, LINES, is_of_sheet(before.id)) - count

    return store.transact(drop)


def _is_equal(connection: Connection, sheet: Sheet, digest: str) -> bool:
    """Whether a stored sheet has a digest, and nothing of it is forgotten."""
    is_forgotten = sa.exists().where(is_of_sheet(sheet.id), LINES.c.row.is_(None))
    same = SHEETS.c.id == sheet.id, SHEETS.c.digest == digest
    query = sa.select(SHEETS.c.id).where(*same, sa.not_(is_forgotten))
    return connection.execute(query).first() is not None
