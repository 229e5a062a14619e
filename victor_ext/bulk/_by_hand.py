"""Settle a payment in doubt by what a person has found out (`resolve`)."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Connection

from victor_ext import InvalidRequest, Problem
from victor_ext._event_queue.rows import change_rows
from victor_ext._settlement.flow import SETTLED
from victor_ext._tables.texts import text_of_cell
from victor_ext._values.ids import canonical_id, reference_of
from victor_ext.outbox._files import (
    ENTRIES,
    Finding,
    clear_restored,
    named_entries,
    open_entries,
    settle_by_hand,
    wrong_name,
)

from ._naming import id_holders
from ._payments import IN_DOUBT, PAYMENTS, StoredPayment, chosen_payments, lock_payments
from ._rows import Result, RowOutcome, key_after, own_values
from ._store import Store


def resolve(store: Store, name: str, finding: Finding) -> None:
    """Settle a payment in doubt by what a person has found out, or add the id of a created payment.

    The payments of a payout are settled together: a worker then reads what became of each. A
    settled payment of a restored state may have been asked since the backup, under a later key. If
    the person says that nothing was done since, the payment stays as it is stored.

    Args:
        name: The key of the payment, or the value in the key column, or its reference.
        finding: What was found. The id is that of the request, or of the payout that has it.

    Raises:
        InvalidRequest: There is no such payment, it is not in doubt, or a worker has it now; or the
            id is missing, or is that of another payment. Or it has what cannot be seen, or is that
            of what was not done.
    """
    finding.check()
    column = store.kind.unit_column
    if column and finding.done and finding.id is None:
        message = f"{name} was sent with others: write the {column} of what it is in (--id)."
        raise _refusal("id", "required", message)

    def settle(connection: Connection) -> None:
        payment = _payment_named(connection, store, name, finding)
        lock_payments(connection, store.owner, [payment.key])
        if chosen_payments(connection, store.has_key([payment.key])) != [payment]:
            message = f"{name} was changed meanwhile: do this again if it is meant."
            raise _refusal("name", "changed", message)
        if open_entries(connection, named_entries(store.owner, [payment.entry])).live:
            message = f"{name} is being sent or looked up now: let that end first."
            raise _refusal("name", "busy", message)
        _require_own_id(connection, store, name, payment, canonical_id(finding.id))
        _store(connection, store, payment, finding)

    store.transact(settle)


def _refusal(field: str, code: str, message: str) -> InvalidRequest:
    return InvalidRequest(message, problems=[Problem(field, code, message)])


def _payment_named(
    connection: Connection, store: Store, name: str, finding: Finding
) -> StoredPayment:
    """Return the payment with a name: its key, also a later one; the value in the key column, also
    as an export has it; or its reference. Of several, the one that is in doubt.

    Raises `InvalidRequest`: none has the name, or several have it, or it is not in doubt.
    """
    text = text_of_cell(name)
    kind, settings = store.kind, store.settings
    key = kind.key_of(settings.defaults, text)
    reference = reference_of(text)
    columns = PAYMENTS.c
    is_named = sa.or_(columns.key.in_([text, key]), columns.entry == text)
    if reference:
        digest = store.vault.fingerprint(reference)
        is_named = sa.or_(is_named, columns.reference_digest == digest)
    named = chosen_payments(connection, sa.and_(columns.owner == store.owner, is_named))
    in_doubt = [payment for payment in named if _is_in_doubt(payment, finding)]
    if len(in_doubt) == 1:
        return in_doubt[0]
    if len(named) == 1:
        message = f"{name} is {named[0].state or RowOutcome.WAITING}: there is nothing to resolve."
        raise _refusal("name", "state", message)
    raise wrong_name(name, [key_after(each.key, each.again) for each in in_doubt or named])


def _is_in_doubt(payment: StoredPayment, finding: Finding) -> bool:
    """Whether a person may say this of a payment: it may exist, or was created with an id that was
    not known, or may have been asked since the backup of the state.
    """
    has_id = payment.made is not None or payment.request_id is not None
    if payment.state == RowOutcome.CREATED and not has_id:
        return finding.id is not None
    if payment.state == RowOutcome.ACCEPTED and has_id:
        return finding.done  # what became of each payment of a payout, only the provider says
    return payment.state in IN_DOUBT or _may_be_asked_since(payment)


def _may_be_asked_since(payment: StoredPayment) -> bool:
    """Whether a settled payment may have been asked since the backup of the state."""
    return payment.restored and (payment.state is None or payment.state in SETTLED)


def _require_own_id(
    connection: Connection, store: Store, name: str, payment: StoredPayment, id: str | None
) -> None:
    """Raise `InvalidRequest` if the id of a created payment settles another payment.

    All payments of a payout have its id: there the other one is of another entry, or has the same
    reference.
    """
    if id is None:
        return
    others = [holder for holder in id_holders(connection, store, id) if holder.key != payment.key]
    if store.kind.unit_column:
        is_of_payout = sa.and_(ENTRIES.c.scope == store.owner, ENTRIES.c.request_id == id)
        entries = set(connection.execute(sa.select(ENTRIES.c.key).where(is_of_payout)).scalars())
        if entries <= {payment.entry}:
            reference = payment.reference_digest
            others = [holder for holder in others if holder.reference_digest == reference]
    if others:
        message = f"{id} is the id of {others[0].name}: write the id of what was made for {name}."
        raise _refusal("id", "used", message)


def _store(connection: Connection, store: Store, payment: StoredPayment, finding: Finding) -> None:
    """Store what a person has found out of a payment: with its entry, if that is in doubt; else
    beside it.
    """
    entry = payment.entry
    may_be_asked_since = _may_be_asked_since(payment)
    if entry is not None and payment.own_state is None and not may_be_asked_since:
        settle_by_hand(connection, store.owner, entry, store.vault, finding)
    elif finding.done or not may_be_asked_since:
        id = canonical_id(finding.id)
        outcome = RowOutcome.CREATED if finding.done else RowOutcome.REFUSED
        result = Result(outcome, id, error=finding.sentence)
        if store.kind.unit_column:
            result = result._replace(id=None, unit=id)
        own = own_values(store.vault, result)
        change_rows(connection, PAYMENTS, store.has_key([payment.key]), **own)
    change_rows(connection, PAYMENTS, store.has_key([payment.key]), restored=False)
    if entry is not None:
        clear_restored(connection, store.owner, [entry])
