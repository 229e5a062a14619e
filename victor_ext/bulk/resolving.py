"""Settle a payment by hand: a person says what became of it (`resolve_payment`)."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Connection

from victor_ext import ConfigurationError, Problem
from victor_ext.ids import canonical_id, problem_of_typed_id, reference_of, words_of
from victor_ext.outbox.files import clear_restored, copy_entry, settle_by_hand

from .contents import id_holders, own_values
from .lines import Line
from .named_lines import CHANGED_MEANWHILE, value_of
from .payments import ASKED, ENDED, IN_DOUBT, StoredPayment, lock_payments, stored_payments
from .row_kind import RowKind
from .rows import Result, Row, RowOutcome
from .store import Store

_KEY_IS_SPENT = (RowOutcome.CREATED.value, RowOutcome.REJECTED.value)
"""States of a payment whose key cannot create another request: one that exists has a later key."""


def resolve_payment(
    kind: RowKind,
    store: Store,
    line: Line,
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
        line: The line of the payment, as the person has seen it.
        outcome: `CREATED`, or `REFUSED`: not created.
        by: Who has found it out.
        why: How. Both are stored.
        id: The provider's id of what was created, or of the payout that has it.

    Raises:
        ConfigurationError: The payment is not in doubt, or a worker has it now; or the id is
            missing, or is that of something else or of another payment. Or it has what cannot be
            seen, or is that of what was not created.
        VictorError: The provider cannot be read.
    """
    _check_id(outcome, id)
    reason = f"Resolved as {outcome} by {words_of(by)}: {words_of(why)}"
    result = _checked_result(kind, line, Result(outcome, canonical_id(id), None, reason))
    adds_id = outcome is RowOutcome.CREATED and id is not None and _lacks_id(line)

    def resolve(connection: Connection) -> None:
        lock_payments(connection, store.owner, [line.key])
        payment = stored_payments(connection, store.owner, [line.key]).get(line.key)
        _require_in_doubt(line, payment, adds_id=adds_id)
        assert payment is not None
        _require_own_id(kind, store, connection, line, result)
        if not _may_be_asked_since(payment):
            _store_result(kind, store, connection, payment, result)
        elif outcome is not RowOutcome.REFUSED:
            _store_other_request(kind, store, connection, payment, result)
        named = sa.update(ASKED).where(store.has_key([line.key]))
        connection.execute(named.values(restored=False))
        if payment.entry is not None:
            clear_restored(connection, store.owner, [payment.entry])

    store.transact(resolve)


def _store_result(
    kind: RowKind, store: Store, connection: Connection, payment: StoredPayment, result: Result
) -> None:
    """Store what a person has found out of a payment, unless a worker has its entry now.

    What is known of one row of a unit is stored beside the entry of the unit.
    """
    if kind.rows_per_call > 1 or payment.entry is None:
        values = own_values(store.vault, result)
        connection.execute(sa.update(ASKED).where(store.has_key([payment.key])).values(values))
        return
    values = {
        "state": "sent" if result.outcome is RowOutcome.CREATED else "refused",
        "request_id": result.id,
        "status": None,
        "ended": False,
        "error": result.error,
    }
    if not settle_by_hand(connection, store.owner, payment.entry, store.vault, values):
        raise ConfigurationError(CHANGED_MEANWHILE)


def _store_other_request(
    kind: RowKind, store: Store, connection: Connection, payment: StoredPayment, result: Result
) -> None:
    """Store that another request than the one that the state knows of was created. If that has
    spent the key of the payment, the request has the next one.
    """
    if payment.state not in _KEY_IS_SPENT or kind.rows_per_call > 1 or payment.entry is None:
        _store_result(kind, store, connection, payment, result)
        return
    again = payment.again + 1
    entry = Row.key_after(payment.key, again)
    named = sa.update(ASKED).where(store.has_key([payment.key]))
    connection.execute(named.values(again=again, entry=entry))
    copy_entry(connection, store.owner, payment.entry, entry)
    _store_result(kind, store, connection, payment._replace(entry=entry), result)


def _check_id(outcome: RowOutcome, id: str | None) -> None:
    """Raise `ConfigurationError` for an id of what was not created, or that nobody can mean."""
    if id is None:
        return
    message = problem_of_typed_id(id)
    if outcome is not RowOutcome.CREATED:
        message = "id says that it was made: leave it out, or write 'created' (--as created)."
    if message:
        raise _refused_id("value", message)


def _has_next_key(line: Line, stored: StoredPayment) -> bool:
    """Whether the payment was asked once more, under its next key, since the line was read."""
    return line.row is None or line.row.again != stored.again


def _lacks_id(line: Line) -> bool:
    """Whether a line was created, and its id is not known."""
    return line.result.outcome is RowOutcome.CREATED and line.result.id is None


def _checked_result(
    kind: RowKind,
    line: Line,
    result: Result,
) -> Result:
    """Return the result that a person has found out, with what the provider says of it.

    Only the payments of a payout are read: their id is that of the payout.

    Raises:
        ConfigurationError: The id is missing, or names something that does not have the payment.
        VictorError: The provider cannot be read.
    """
    if not kind.unit_column or line.row is None or result.outcome is not RowOutcome.CREATED:
        return result
    value = value_of(line)
    if result.id is None:
        raise _refused_id(
            "required",
            f"{value} was sent with others: name what it is in. Without its {kind.unit_column}, no "
            "later step has it.",
        )
    results = kind.unit_results(result.id, [line.row])
    if not results:
        raise _refused_id("value", f"{result.id} does not list the payment {value}, or not yet.")
    return results[0]._replace(error=result.error)


def _require_own_id(
    kind: RowKind,
    store: Store,
    connection: Connection,
    line: Line,
    result: Result,
) -> None:
    """Raise `ConfigurationError` if the id of a created payment settles another payment.

    All payments of a payout have its id: there the other one has the same reference.
    """
    if result.outcome is not RowOutcome.CREATED or result.made is None:
        return
    reference_digest = None
    if result.unit and line.row is not None:
        reference = reference_of((line.row.arguments or {}).get(kind.reference))
        reference_digest = store.vault.fingerprint(reference)
    for holder in id_holders(connection, store, result.made):
        is_other = holder.is_earlier or holder.key != line.key
        if is_other and reference_digest in (None, holder.reference_digest):
            raise _refused_id(
                "used",
                f"{result.made} is the id of {holder.name}: write the id of what was made for "
                f"{value_of(line)}.",
            )


def _refused_id(code: str, message: str) -> ConfigurationError:
    """Return the error for the argument `id`."""
    return ConfigurationError.of([Problem("id", code, message)])


def _require_in_doubt(
    line: Line,
    payment: StoredPayment | None,
    *,
    adds_id: bool,
) -> None:
    """Raise `ConfigurationError` if there is nothing to resolve.

    Args:
        payment: The payment as it is stored now; None: there is none.
        adds_id: Whether the person adds the id of a created payment.
    """
    value = value_of(line)
    is_open = payment is not None and (
        adds_id or payment.state in IN_DOUBT or _may_be_asked_since(payment)
    )
    if payment is None or not is_open:
        raise ConfigurationError(f"{value} is {line.outcome}: there is nothing to resolve.")
    if _has_next_key(line, payment):
        raise ConfigurationError(CHANGED_MEANWHILE)
    if payment.is_live:
        raise ConfigurationError(f"{value} is being sent or looked up now: let that end first.")


def _may_be_asked_since(payment: StoredPayment) -> bool:
    """Whether a settled payment may have been asked since the backup of the state."""
    return payment.restored and payment.state in ENDED
