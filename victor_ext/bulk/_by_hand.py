"""What a person decides about rows of a batch (`ByHand`): they are asked once more, paid though the
sheet differs, or settled by what the person has found out.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from functools import partial

import sqlalchemy as sa
from sqlalchemy import Connection

from victor_ext import ConfigurationError, Problem
from victor_ext._event_queue.rows import change_rows
from victor_ext._ids import canonical_id, problem_of_typed_id, reference_of, words_of
from victor_ext._settlement.flow import MAY_EXIST, SETTLED
from victor_ext.outbox._files import (
    clear_restored,
    copy_entry,
    named_entries,
    open_entries,
    settle_by_hand,
)

from ._deciding import Code
from ._lines import Line, lines_with_numbers
from ._naming import id_holders, lines_named
from ._payments import (
    ASK,
    DECISIONS,
    IN_DOUBT,
    NEVER_LEFT,
    PAY,
    PAYMENTS,
    StoredPayment,
    lock_payments,
    stored_payments,
)
from ._row_kind import RowKind
from ._rows import Result, RowOutcome, key_after, own_values
from ._settings import BatchRecord, Person, refused_setting
from ._state import refuse_held
from ._store import Store

_CHANGED_MEANWHILE = (
    "It was changed meanwhile: look at the status, and do this again if it is meant."
)
"""The message if a line, or its payment, was changed after it was read."""
_KEY_IS_SPENT = (RowOutcome.CREATED, RowOutcome.REJECTED)
"""States of a payment whose key cannot create another request: one that exists has a later key."""


@dataclass(frozen=True, slots=True)
class ByHand:
    """What a person does with the rows of a batch.

    Attributes:
        store: The batch.
        record: The record of the batch.
    """

    store: Store
    record: BatchRecord

    def _lines_named(self, names: Collection[str], is_meant: Callable[[Line], bool]) -> list[Line]:
        """Return the lines that a person names. Raises `ConfigurationError`; see `lines_named`."""
        kind, defaults = self.store.kind, self.store.settings.defaults
        key_of = partial(kind.key_of, defaults, self.record.key_kind)
        return lines_named(self.store, names, key_of, is_meant)

    def _locked(self, connection: Connection, line: Line) -> StoredPayment | None:
        """Return the payment of a line as it is stored now, and stays until the transaction ends;
        None: there is none any more.
        """
        lock_payments(connection, self.store.owner, [line.key])
        return stored_payments(connection, self.store.owner, [line.key]).get(line.key)

    # Ask once more

    def ask_again(self, keys: Collection[str], person: Person) -> int:
        """Let rows be asked once more, each with the values of the latest file. Return how many.

        Each payment is read before anything is stored: it has to be over, and nobody can have paid
        it.

        Args:
            keys: The names of the rows.
            person: Who decides it, and why. It is stored.

        Raises:
            ConfigurationError: There is no such row; or a payment may still be paid, may exist, or
                waits. Nothing is changed.
            VictorError: The provider cannot be read.
        """
        lines = self._lines_named(keys, _can_be_asked_again)
        problems = list[Problem]()
        for line in lines:
            reason = _why_not_over(self.store.kind, line)
            if reason:
                problems.append(Problem("keys", "not_over", reason))
        if problems:
            error = ConfigurationError.of(problems)
            if len(problems) < len(lines):
                them = "it" if len(problems) == 1 else "them"
                error.add_note(f"Nothing was changed. Name the others without {them}.")
            raise error
        self.ask(lines, person)
        return len(lines)

    def ask(self, lines: Sequence[Line], person: Person) -> None:
        """Let rows be asked once more, whatever has become of them: `resume` asks for them. Raises
        `ConfigurationError` if a line was changed since it was read.
        """
        store = self.store

        def store_decisions(connection: Connection) -> None:
            store.lock_storing(connection)
            refuse_held(connection)
            payments = [self._locked(connection, line) for line in lines]
            # All are compared first: what is decided about one may end a question about another.
            numbers = [line.number for line in lines]
            present = lines_with_numbers(store, connection, numbers)
            if present != list(lines):
                raise ConfigurationError(_CHANGED_MEANWHILE)
            for line, payment in zip(lines, payments, strict=True):
                self._decide(connection, line, ASK, _next_again(payment), person)
            present_record = store.present_record(connection) or self.record
            decided = replace(present_record, persons=[*present_record.persons, person])
            store.save_record(connection, decided)

        store.transact(store_decisions)

    def _decide(
        self, connection: Connection, line: Line, what: str, again: int, person: Person
    ) -> None:
        """Store what a person decides about a payment, with the values of a line."""
        store = self.store
        decision = {
            "owner": store.owner,
            "key": line.key,
            "values_digest": line.values_digest,
            "what": what,
            "again": again,
            "person": store.vault.sealed(dict(person)),
            "stored_at": time.time(),
        }
        connection.execute(sa.insert(DECISIONS).values(decision))

    # Pay though the sheet differs

    def pay_also(self, keys: Collection[str]) -> None:
        """Let payments be paid as they were asked for, though the latest sheet lacks them or has
        them with other values. Raises `ConfigurationError` if there is no such payment, or if
        another batch has sent it.
        """
        batch = self.store.batch
        lines = self._lines_named(
            keys, lambda line: line.outcome is RowOutcome.TO_DECIDE and line.batch == batch
        )
        store = self.store
        person = {"by": store.settings.by, "not_by_sender": False}

        def pay(connection: Connection) -> None:
            store.lock_storing(connection)
            refuse_held(connection)
            for line in lines:
                payment = self._locked(connection, line)
                if payment is not None and payment.batch != store.batch:
                    raise ConfigurationError(
                        f"{line.value} was sent by {payment.batch}: its payout is paid with that "
                        "batch."
                    )
                if payment is None or payment.state != RowOutcome.CREATED:
                    raise ConfigurationError(
                        f"{line.value} is {line.outcome}: what is paid was created."
                    )
                asked = replace(line, values_digest=payment.values_digest)
                self._decide(connection, asked, PAY, payment.again, person)

        store.transact(pay)

    # Settle

    def resolve(self, key: str, outcome: RowOutcome, *, by: str, why: str, id: str | None) -> None:
        """Settle a payment in doubt by what a person has found out, or add the id of a created
        payment.

        A settled payment of a restored state may have been asked since the backup, under a later
        key. If the person says that such a request was not created, the payment stays as it is
        stored; otherwise the request that was created takes its place.

        Args:
            key: The name of the row.
            outcome: `CREATED`, or `REFUSED`: not created.
            by: Who has found it out.
            why: How. Both are stored.
            id: The provider's id of what was created, or of the payout that has it.

        Raises:
            ConfigurationError: There is no such row, its payment is not in doubt, or a worker has
                it now; or the id is missing, or is that of something else or of another payment. Or
                it has what cannot be seen, or is that of what was not created.
            VictorError: The provider cannot be read.
        """
        # Nobody can tell whether the payment of such a line exists.
        (line,) = self._lines_named([key], lambda line: line.outcome in MAY_EXIST or line.restored)
        _check_id(outcome, id)
        reason = f"Resolved as {outcome} by {words_of(by)}: {words_of(why)}"
        result = self._checked_result(line, Result(outcome, canonical_id(id), None, reason))
        lacks_id = line.result.outcome is RowOutcome.CREATED and line.result.id is None
        adds_id = outcome is RowOutcome.CREATED and id is not None and lacks_id

        def resolve(connection: Connection) -> None:
            payment = self._locked(connection, line)
            _require_in_doubt(line, payment, adds_id=adds_id)
            assert payment is not None
            entry = named_entries(self.store.owner, [payment.entry])
            if open_entries(connection, entry).live:
                message = f"{line.value} is being sent or looked up now: let that end first."
                raise ConfigurationError(message)
            self._require_own_id(connection, line, result)
            if outcome is RowOutcome.CREATED or not _may_be_asked_since(payment):
                self._store_result(connection, payment, result)
            change_rows(connection, PAYMENTS, self.store.has_key([line.key]), restored=False)
            if payment.entry is not None:
                clear_restored(connection, self.store.owner, [payment.entry])

        self.store.transact(resolve)

    def _checked_result(self, line: Line, result: Result) -> Result:
        """Return the result that a person has found out, with what the provider says of it.

        Only the payments of a payout are read: their id is that of the payout.

        Raises:
            ConfigurationError: The id is missing, or names something that does not have the
                payment.
            VictorError: The provider cannot be read.
        """
        kind = self.store.kind
        if not kind.unit_column or line.row is None or result.outcome is not RowOutcome.CREATED:
            return result
        if result.id is None:
            raise refused_setting(
                "id",
                f"{line.value} was sent with others: name what it is in. Without its "
                f"{kind.unit_column}, no later step has it.",
                "required",
            )
        results = kind.unit_results(result.id, [line.row])
        if not results:
            message = f"{result.id} does not list the payment {line.value}, or not yet."
            raise refused_setting("id", message, "value")
        return results[0]._replace(error=result.error)

    def _require_own_id(self, connection: Connection, line: Line, result: Result) -> None:
        """Raise `ConfigurationError` if the id of a created payment settles another payment.

        All payments of a payout have its id: there the other one has the same reference.
        """
        if result.outcome is not RowOutcome.CREATED or result.made is None:
            return
        reference_digest = None
        if result.unit and line.row is not None:
            arguments = line.row.arguments or {}
            reference = reference_of(arguments.get(self.store.kind.reference))
            reference_digest = self.store.vault.fingerprint(reference)
        for holder in id_holders(connection, self.store, result.made):
            is_other = holder.key != line.key
            if is_other and reference_digest in (None, holder.reference_digest):
                raise refused_setting(
                    "id",
                    f"{result.made} is the id of {holder.name}: write the id of what was made for "
                    f"{line.value}.",
                    "used",
                )

    def _store_result(self, connection: Connection, payment: StoredPayment, result: Result) -> None:
        """Store what a person has found out of a payment, unless a worker has its entry now."""
        store = self.store
        is_named = store.has_key([payment.key])
        if payment.entry is None or self.store.kind.rows_per_call > 1:
            # What is known of one row of a unit is stored beside the entry of the unit.
            change_rows(connection, PAYMENTS, is_named, **own_values(store.vault, result))
            return
        entry = payment.entry
        if payment.restored and payment.state in _KEY_IS_SPENT:
            # Another request than the one that the state knows of was created: it has the next key.
            again = payment.again + 1
            entry = key_after(payment.key, again)
            change_rows(connection, PAYMENTS, is_named, again=again, entry=entry)
            copy_entry(connection, store.owner, payment.entry, entry)
        is_stored = settle_by_hand(
            connection,
            store.owner,
            entry,
            store.vault,
            is_done=result.outcome is RowOutcome.CREATED,
            id=result.id,
            error=result.error,
        )
        if not is_stored:
            raise ConfigurationError(_CHANGED_MEANWHILE)


def _next_again(payment: StoredPayment | None) -> int:
    """Return how many keys a payment had before the one with which it is asked for next. A key with
    which nothing was sent is that one.
    """
    if payment is None:
        return 0
    if payment.state is None or payment.state in NEVER_LEFT:
        return payment.again
    return payment.again + 1


_NOT_ASKED = NEVER_LEFT | {RowOutcome.TO_DECIDE}
"""Results of rows for which nothing was asked."""


# Which lines are meant


def _can_be_asked_again(line: Line) -> bool:
    """Whether a line may be asked once more: the latest file has it; and the provider has decided
    about it, or it was refused because it looks like another payment.
    """
    decided = (RowOutcome.CREATED, RowOutcome.REJECTED)
    return line.number > 0 and (line.code == Code.LOOKS_LIKE or line.result.outcome in decided)


# Whether a payment is over


def _why_not_over(kind: RowKind, line: Line) -> str:
    """Return why a row must not be asked once more, as a sentence; empty: it can be."""
    value = line.value
    looks_alike = line.code == Code.LOOKS_LIKE and line.result.outcome in _NOT_ASKED
    reason = ""
    if line.restored and line.outcome in SETTLED:
        reason = (
            f"{value} may have been asked since the backup of the state: look at the provider's "
            "records, and resolve it. If the provider confirms that there is none but what the "
            "state has: as not-created."
        )
    elif line.number == 0:
        reason = f"{value} is not in the latest sheet of the batch: send one that has it."
    elif line.result.outcome is RowOutcome.CREATED:
        reason = _why_created_stays(kind, line)
    elif line.result.outcome is not RowOutcome.REJECTED and not looks_alike:
        reason = _why_unsettled_stays(line)
    if not reason and (line.latest is None or line.latest.arguments is None):
        reason = (
            f"{value}: what it asks for is not valid in the latest file, or forgotten. Send a file "
            "that has it, and then ask again."
        )
    return reason


def _why_created_stays(kind: RowKind, line: Line) -> str:
    """Return why a created payment may still be paid, as a sentence; empty: it cannot be."""
    if line.result.id is None:
        return (
            f"{line.value} was created, and its id is not known: it cannot be read whether it is "
            "over. Look for it at the provider, and name its id: resolve it as created with that "
            "id."
        )
    status = kind.read_status(line.result.id).status
    if status is not None and status.lower() in kind.unpaid_end_statuses:
        return ""
    return f"{line.value} is {status or 'not known to the provider'}: it would be asked twice."


def _why_unsettled_stays(line: Line) -> str:
    """Return what to do with a row that was neither created nor rejected, as a sentence."""
    if line.outcome in MAY_EXIST:
        return (
            f"{line.value} may have been sent: resume looks it up, or resolve says what you know."
        )
    if line.outcome is RowOutcome.REFUSED:
        return f"{line.value} is refused, and was not created: correct it, and send the sheet."
    if line.outcome is RowOutcome.TO_DECIDE:
        return line.message or f"{line.value} needs your decision: correct the sheet, and send it."
    return f"{line.value} is {line.outcome}: send or resume sends it."


# Whether a payment can be settled


def _check_id(outcome: RowOutcome, id: str | None) -> None:
    """Raise `ConfigurationError` for an id of what was not created, or that nobody can mean."""
    if id is None:
        return
    message = problem_of_typed_id(id)
    if outcome is not RowOutcome.CREATED:
        message = "id says that it was made: leave it out, or write 'created' (--as created)."
    if message:
        raise refused_setting("id", message, "value")


def _require_in_doubt(line: Line, payment: StoredPayment | None, *, adds_id: bool) -> None:
    """Raise `ConfigurationError` if there is nothing to resolve.

    Args:
        payment: The payment as it is stored now; None: there is none.
        adds_id: Whether the person adds the id of a created payment.
    """
    is_open = payment is not None and (
        adds_id or payment.state in IN_DOUBT or _may_be_asked_since(payment)
    )
    if payment is None or not is_open:
        raise ConfigurationError(f"{line.value} is {line.outcome}: there is nothing to resolve.")
    if line.row is None or line.again != payment.again:  # it was asked once more meanwhile
        raise ConfigurationError(_CHANGED_MEANWHILE)


def _may_be_asked_since(payment: StoredPayment) -> bool:
    """Whether a settled payment may have been asked since the backup of the state."""
    return payment.restored and (payment.state is None or payment.state in SETTLED)
