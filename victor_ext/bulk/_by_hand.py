"""Settle a payment in doubt by what a person has found out (`resolve`)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from sqlalchemy import Connection

from victor_ext import ConfigurationError, Problem
from victor_ext._event_queue.rows import change_rows
from victor_ext._settlement.flow import MAY_EXIST, SETTLED
from victor_ext._tables.texts import text_of_cell
from victor_ext._values.ids import canonical_id, problem_of_typed_id, reference_of, words_of
from victor_ext.outbox._files import (
    clear_restored,
    copy_entry,
    named_entries,
    open_entries,
    settle_by_hand,
)

from ._lines import Line, lines_of
from ._naming import id_holders
from ._payments import IN_DOUBT, PAYMENTS, StoredPayment, lock_payments, stored_payments
from ._rows import Result, RowOutcome, key_after, own_values
from ._settings import refused_setting
from ._store import Store

_CHANGED_MEANWHILE = (
    "It was changed meanwhile: look at the status, and do this again if it is meant."
)
"""The message if a line, or its payment, was changed after it was read."""
_KEY_IS_SPENT = (RowOutcome.CREATED, RowOutcome.REJECTED)
"""States of a payment whose key cannot create another request: one that exists has a later key."""


def resolve(
    store: Store,
    name: str,
    outcome: RowOutcome,
    *,
    by: str,
    why: str,
    id: str | None,
) -> None:
    """Settle a payment in doubt by what a person has found out, or add the id of a created payment.

    A settled payment of a restored state may have been asked since the backup, under a later key.
    If the person says that such a request was not created, the payment stays as it is stored;
    otherwise the request that was created takes its place.

    Args:
        name: The value in the key column, or the key of the row.
        outcome: `CREATED`, or `REFUSED`: not created.
        by: Who has found it out.
        why: How. Both are stored.
        id: The provider's id of what was created, or of the payout that has it.

    Raises:
        ConfigurationError: There is no such row, its payment is not in doubt, or a worker has it
            now; or the id is missing, or is that of something else or of another payment. Or it has
            what cannot be seen, or is that of what was not created.
        VictorError: The provider cannot be read.
    """
    # Nobody can tell whether the payment of such a line exists.
    key_of = partial(store.kind.key_of, store.settings.defaults)
    line = _line_named(store, name, key_of)
    _check_id(outcome, id)
    reason = f"Resolved as {outcome} by {words_of(by)}: {words_of(why)}"
    result = _checked_result(store, line, Result(outcome, canonical_id(id), None, reason))
    lacks_id = line.result.outcome is RowOutcome.CREATED and line.result.id is None
    adds_id = outcome is RowOutcome.CREATED and id is not None and lacks_id

    def settle(connection: Connection) -> None:
        lock_payments(connection, store.owner, [line.key])
        payment = stored_payments(connection, store.owner, [line.key]).get(line.key)
        _require_in_doubt(line, payment, adds_id=adds_id)
        assert payment is not None
        entry = named_entries(store.owner, [payment.entry])
        if open_entries(connection, entry).live:
            message = f"{line.value} is being sent or looked up now: let that end first."
            raise ConfigurationError(message)
        _require_own_id(connection, store, line, result)
        if outcome is RowOutcome.CREATED or not _may_be_asked_since(payment):
            _store_result(connection, store, payment, result)
        change_rows(connection, PAYMENTS, store.has_key([line.key]), restored=False)
        if payment.entry is not None:
            clear_restored(connection, store.owner, [payment.entry])

    store.transact(settle)


def _line_named(store: Store, name: str, key_of: Callable[[str], str | None]) -> Line:
    """Return the line of the batch with a name: the value in the key column, also as an export has
    it, or a key. A line whose values are forgotten is found by the key that the value makes.

    Raises `ConfigurationError`: no line has the name, or several in doubt have it.
    """
    text = text_of_cell(name)
    key = key_of(text)
    named = [
        line
        for line in lines_of([store])
        if text in (line.key, line.sent_key, line.value) or line.key == key
    ]
    meant = [line for line in named if line.outcome in MAY_EXIST or line.restored] or named
    if len(meant) == 1:
        return meant[0]
    code, message = "unknown", f"{store.batch} has no row {name}."
    if meant:
        code = "several"
        shown = ", ".join(f"{line.sent_key} ({line.outcome})" for line in meant)
        message = f"{name} names {len(meant)} rows: write the key of one: {shown}."
    raise ConfigurationError.of([Problem("key", code, message)])


def _check_id(outcome: RowOutcome, id: str | None) -> None:
    """Raise `ConfigurationError` for an id of what was not created, or that nobody can mean."""
    if id is None:
        return
    message = problem_of_typed_id(id)
    if outcome is not RowOutcome.CREATED:
        message = "id says that it was made: leave it out, or write 'created' (--as created)."
    if message:
        raise refused_setting("id", message, "value")


def _checked_result(store: Store, line: Line, result: Result) -> Result:
    """Return the result that a person has found out, with what the provider says of it.

    Only the payments of a payout are read: their id is that of the payout.

    Raises:
        ConfigurationError: The id is missing, or names something that does not have the payment.
        VictorError: The provider cannot be read.
    """
    kind = store.kind
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


def _require_own_id(connection: Connection, store: Store, line: Line, result: Result) -> None:
    """Raise `ConfigurationError` if the id of a created payment settles another payment.

    All payments of a payout have its id: there the other one has the same reference.
    """
    if result.outcome is not RowOutcome.CREATED or result.made is None:
        return
    reference_digest = None
    if result.unit and line.row is not None:
        arguments = line.row.arguments or {}
        reference = reference_of(arguments.get(store.kind.reference))
        reference_digest = store.vault.fingerprint(reference)
    for holder in id_holders(connection, store, result.made):
        is_other = holder.key != line.key
        if is_other and reference_digest in (None, holder.reference_digest):
            raise refused_setting(
                "id",
                f"{result.made} is the id of {holder.name}: write the id of what was made for "
                f"{line.value}.",
                "used",
            )


def _store_result(
    connection: Connection, store: Store, payment: StoredPayment, result: Result
) -> None:
    """Store what a person has found out of a payment, unless a worker has its entry now."""
    is_named = store.has_key([payment.key])
    if payment.entry is None or store.kind.rows_per_call > 1:
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
