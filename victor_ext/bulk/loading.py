"""Check a source, decide about each of its rows, and store them: all of them, or none.

`Loading.read` checks and decides, and stores nothing. `Loading.store` decides once more, within the
transaction that stores the rows, because other processes may have changed the state meanwhile.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import Connection

from victor_ext.outbox.files import FileTerms, note_time
from victor_ext.tables.row_file import RowFile
from victor_ext.tables.sources import Rows

from .check import Check, ControlTotals, Notice, RowProblem, add_amount, refuse_invalid
from .context import BulkContext
from .deciding import (
    TO_DECIDE,
    Act,
    Code,
    RowCase,
    RowDecision,
    day_text,
    look_alike_message,
    message_of,
)
from .lines import refuse_lost
from .payments import (
    NEVER_LEFT,
    KeyOrigin,
    RequestedPayment,
    StoredPayment,
    lock_payments,
    look_alikes,
    pages,
    stored_payments,
)
from .rows import RowContent, RowOutcome
from .settings import PERSONS, TERMS, needs_another_person
from .source_rows import SourceRow, SourceRows
from .state import refuse_held
from .store import BatchRecord, Store
from .storing import EntryMaker, lock_unsent, replace_lines, store_payments
from .validating import RowValidation

_CAN_BE_ASKED = NEVER_LEFT | {RowOutcome.REJECTED}
"""States of a payment that a row may still ask for."""
_CODES_WITH_OWN_ROW = TO_DECIDE | {Code.REJECTED_BEFORE}
"""Codes of rows that are stored beside the other row of their payment: ask-again asks for them."""
_ACTS_OF_INVALID = (None, Act.REFUSE.name, Act.SKIP.name)
"""The acts for an invalid row that counts as invalid; None: the row has no key, and no act."""


class _KnownPayments(NamedTuple):
    """What the state has of some rows.

    Attributes:
        by_key: The payments with the keys of the rows, by key.
        by_digest: The payments with the skeletons or the values of the rows, by their digests.
    """

    by_key: dict[str, StoredPayment]
    by_digest: dict[str, list[StoredPayment]]

    def like(self, row: RequestedPayment) -> list[StoredPayment]:
        """Return the payments with the skeleton of a row, and then those with its values."""
        digests = (row.skeleton_digest, row.values_digest)
        return [payment for digest in digests for payment in self.by_digest.get(digest, [])]


class Loading:
    """The rows of a source on their way into a batch.

    Attributes:
        check: The result of checking the source, which all steps add to.
    """

    def __init__(
        self,
        source: Rows,
        batch: str,
        context: BulkContext,
        expected: ControlTotals,
    ) -> None:
        self.batch = batch
        self.check = Check()
        self._source, self._expected = source, expected
        self._context, self._settings = context, context.settings
        self._kind, self._vault = context.kind, context.vault
        self._origin = KeyOrigin(
            context.settings.key_kind or "invoice",
            context.settings.key_column or context.kind.reference,
        )
        self._rows = SourceRows(context.kind.rows_per_call)

    def close(self) -> None:
        """Remove the temporary database of the rows."""
        self._rows.close()

    def read(self) -> Check:
        """Check every row, and decide about it by what the state has now. Nothing is stored.

        Returns `check`.
        """
        if not self._context.state.exists():
            self._validate()
            self._decide_all(None)
            return self.check
        with self._context.open_present(self.batch) as store:
            record = store.record(to_send=True)
            if record is not None:
                self._settings = self._settings.after(record)
                self._settings.check_sender(record.persons)
                key_kind = self._settings.key_kind or record.key_kind
                self._origin = KeyOrigin(key_kind, record.key_column)
            with store.engine.connect() as connection:
                refuse_lost(store, connection)
        self._validate()
        present = self._context.open_present(self.batch)
        with present as store, store.engine.connect() as connection:
            self._decide_all(connection)
        return self.check

    def _validate(self) -> None:
        """Read the source, and check each row. The state is not read."""
        validation = RowValidation(
            self._maker(), self._settings, self._rows, self._origin, self._expected
        )
        validation.read(self._source, self.check)

    def _maker(self) -> EntryMaker:
        """What makes the entries for the rows."""
        context = self._context
        terms = FileTerms(
            context.owner, context.sender, self.batch, self._settings.key_retention_seconds
        )
        return EntryMaker(context.kind, context.vault, terms)

    # Deciding

    def _decide_all(self, connection: Connection | None, *, lock: bool = False) -> None:
        """Decide about each row with a key, and count all rows.

        They are decided about in the order of their keys, in which their payments are locked
        everywhere: nobody waits in a circle.

        Args:
            connection: The transaction that sees the state; None: there is no state.
            lock: Whether the payments of the rows stay as they are until the transaction ends.
        """
        for page in pages(self._rows.with_keys()):
            requested = [row.payment() for row in page]
            known = self._known_payments(connection, requested, lock=lock)
            self._rows.decide(
                self._decide(row, payment, known)
                for row, payment in zip(page, requested, strict=True)
            )
        self.check.notices.sort(key=lambda notice: notice.line)
        for row in self._rows.all():
            self._count_row(row)

    def _known_payments(
        self,
        connection: Connection | None,
        requested: Sequence[RequestedPayment],
        *,
        lock: bool,
    ) -> _KnownPayments:
        """Return what the state has of these rows."""
        if connection is None:
            return _KnownPayments({}, {})
        owner = self._context.owner
        keys = [row.key for row in requested]
        if lock:
            lock_payments(connection, owner, keys)
        by_key = stored_payments(connection, owner, keys)
        # A row whose payment was created or is in doubt is not asked, whatever looks like it.
        to_ask = list[RequestedPayment]()
        for row in requested:
            payment = by_key.get(row.key)
            if payment is None or payment.state in _CAN_BE_ASKED:
                to_ask.append(row)
        return _KnownPayments(by_key, look_alikes(connection, owner, to_ask))

    def _decide(
        self,
        row: SourceRow,
        asked: RequestedPayment,
        known: _KnownPayments,
    ) -> SourceRow:
        """Decide about a row, and add the notice about it to the check. Return the row with what is
        decided.
        """
        stored = known.by_key.get(asked.key)
        case = RowCase(
            asked,
            stored,
            known.like(asked),
            has_twin=row.twin is not None,
            batch=self.batch,
            account=self._context.account,
            origin=self._origin,
        )
        decision = case.decide()
        is_forgotten = stored is not None and stored.forgotten
        has_other_date = stored is not None and asked.due_date != stored.due_date
        is_for_another_day = decision.code is Code.CREATED_BEFORE and has_other_date
        return row._replace(
            act=decision.act.name,
            code=decision.code,
            message=self._add_notice(row, asked, stored, decision),
            again=decision.again,
            since=decision.since,
            has_own=is_forgotten or is_for_another_day or decision.code in _CODES_WITH_OWN_ROW,
        )

    def _add_notice(
        self,
        row: SourceRow,
        asked: RequestedPayment,
        stored: StoredPayment | None,
        decision: RowDecision,
    ) -> str | None:
        """Add the notice about a row to the check. Return its message; None: there is no notice."""
        if decision.code is None:
            return None
        content = RowContent.of_stored(self._vault, asked.row)
        value = str(content.value)
        if decision.code is Code.LOOKS_LIKE:
            message = self._look_alike_message(row, asked, value, decision.other)
        else:
            assert stored is not None
            message = message_of(decision.code, content, stored, self._vault, self._kind)
        shown = message
        if decision.code is Code.OTHER_VALUES and decision.act is Act.KEEP and row.problems:
            # The problems of a row that is kept are said nowhere else.
            shown = row._replace(message=message).reasons()
        line = row.line or row.number
        self.check.add_notice(Notice(line, decision.code, value, shown))
        return message

    def _look_alike_message(
        self,
        row: SourceRow,
        asked: RequestedPayment,
        value: str,
        other: StoredPayment | None,
    ) -> str:
        """Return the sentence about a row that looks like another payment; None: like an earlier
        row of its file.
        """
        if other is not None:
            is_respelled = other.skeleton_digest == asked.skeleton_digest
            place = f"{other.batch}, {day_text(other.stored_at)}"
            content = RowContent.of_stored(self._vault, other.row)
            other_value = content.value or f"the payment {other.key}"
            return look_alike_message(value, other_value, place, is_respelled=is_respelled)
        assert row.twin is not None
        twin = self._rows.with_number(row.twin)
        is_respelled = twin.skeleton == row.skeleton
        twin_value = str(RowContent.of_stored(self._vault, twin.payment().row).value)
        return look_alike_message(value, twin_value, twin.place_text, is_respelled=is_respelled)

    def _count_row(self, row: SourceRow) -> None:
        """Add a row to one of the counts of `check`, whose sum is the number of rows; and the
        problems of an invalid row.
        """
        check = self.check
        if row.is_repeated:
            check.repeated += 1
            self._note_problems(row)
        elif row.problems is not None and row.act in _ACTS_OF_INVALID:
            check.invalid += 1
            if self._settings.skip_invalid and row.act != Act.SKIP.name:
                check.set_aside += 1
            self._note_problems(row)
        elif row.act == Act.STORE.name and row.code != Code.ASKED_SINCE:
            assert row.price is not None
            check.new += 1
            if row.code == Code.REPLACED:
                check.replaced += 1
            amount, _, currency = row.price.partition(" ")
            add_amount(check.totals, Decimal(amount), currency)
        elif row.code in TO_DECIDE:
            check.changed += 1
        else:
            check.unchanged += 1

    def _note_problems(self, row: SourceRow) -> None:
        """Add the problems of a row to the check."""
        for problem in row.problem_list():
            column = problem.field or None
            self.check.add_problem(
                RowProblem(row.number, row.line, column, problem.code, problem.message)
            )

    # Storing

    def store(self, store: Store) -> BatchRecord:
        """Store the payments of the rows that are sent, and the lines of all rows, in one
        transaction.

        What is decided in the transaction counts: another process may have stored or sent rows
        since they were read. Returns the new record of the batch. Raises `InvalidRows`.
        """
        now = self._context.sent_now()
        maker = self._maker()

        def store_all(connection: Connection) -> BatchRecord:
            store.lock_storing(connection)
            self._context.state.keep_key(connection, self._vault, self._context.secret)
            refuse_held(connection)
            note_time(connection, store.system, now)
            lock_unsent(connection, store)
            self.check = self.check.undecided()
            self._decide_all(connection, lock=True)
            refuse_invalid(self.batch, self.check, skip_invalid=self._settings.skip_invalid)
            store_payments(connection, store, self._rows, maker, self._origin, now)
            self.check.left_out = replace_lines(connection, store, maker, self._rows)
            record = self._new_record(store.present_record(connection))
            store.save_record(connection, record)
            return record

        return store.transact(store_all)

    def _new_record(self, before: BatchRecord | None) -> BatchRecord:
        """Return the new record of the batch.

        A file adds its sender, if it stores rows, or if it is the first with `not_by_sender`.

        Args:
            before: The record so far; None: the batch is new.
        """
        settings = self._settings
        persons = [] if before is None else list(before.persons)
        settings.check_sender(persons)
        is_stricter = settings.not_by_sender and not needs_another_person(persons)
        if self.check.stored or is_stricter:
            persons.append({name: getattr(settings, name) for name in PERSONS})
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
