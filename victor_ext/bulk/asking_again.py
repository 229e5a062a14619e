"""Ask for rows once more, because a person has decided it (`ask_rows_again`).

The payment of a row has to be over, and nobody can have paid it: `require_over` reads that.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from victor_ext import ConfigurationError, Problem
from victor_ext.outbox.files import note_time, put_entries
from victor_ext.settlement.flow import MAY_EXIST, SETTLED

from .context import BulkContext
from .deciding import Code
from .holding import refuse_held
from .lines import Line, present_lines
from .named_lines import CHANGED_MEANWHILE, value_of
from .payments import ASKED, LINES, StoredPayment, lock_payments, stored_payments
from .row_digests import requested_payment
from .row_kind import RowKind
from .rows import Row, RowOutcome
from .store import BatchRecord, Person, Store
from .storing import PaymentTerms, new_payment
from .units import Calls, put_units


def ask_rows_again(
    context: BulkContext,
    store: Store,
    record: BatchRecord,
    lines: Sequence[Line],
    person: Person,
) -> None:
    """Let these rows be asked once more, each with the values of the latest file.

    The provider is read before anything is stored.

    Args:
        record: The record of the batch.
        person: Who decides it, and why. It is stored.

    Raises:
        ConfigurationError: A payment may still be paid, may exist, or waits. Nothing is changed.
        VictorError: The provider cannot be read.
    """
    require_over(context.kind, lines)
    settings = context.settings.with_terms_of(record)
    calls = Calls(context.kind, context.vault, store.file_terms(settings.key_retention_seconds))
    now = context.sent_now()
    terms = PaymentTerms("", json.dumps(now))

    def ask(connection: Connection) -> None:
        refuse_held(connection)
        note_time(connection, store.system, now)
        payments = [
            _payment_again(connection, context, store, record, line, terms) for line in lines
        ]
        for payment in payments:
            named = store.has_key([payment["key"]])
            connection.execute(sa.update(ASKED).where(named).values(payment))
            _remove_notice(store, connection, payment["key"])
        _put_entries(connection, store, calls, payments)
        present = store.present_record(connection) or record
        decided = replace(present, persons=[*present.persons, person])
        store.save_record(connection, decided)

    store.transact(ask)


# Whether a payment is over


def require_over(kind: RowKind, lines: Sequence[Line]) -> None:
    """Read each payment. Raises `ConfigurationError` if one of them is not over."""
    problems = list[Problem]()
    for line in lines:
        reason = _why_restored_is_unsure(line) or _why_not_over(kind, line)
        if reason:
            problems.append(Problem("keys", "not_over", reason))
    if problems:
        raise ConfigurationError.of(problems)


def _why_restored_is_unsure(line: Line) -> str:
    """Return why a restored state does not know enough of a row, as a sentence; empty: it does."""
    if not line.restored or line.outcome not in SETTLED:
        return ""
    return (
        f"{value_of(line)} may have been asked since the backup of the state: look at the "
        "provider's records, and resolve it. If the provider confirms that there is none but what "
        "the state has: as not-created."
    )


def _why_not_over(kind: RowKind, line: Line) -> str:
    """Return why a row must not be asked once more, as a sentence; empty: it can be."""
    if line.number == 0:
        return f"{value_of(line)} is not in the latest file of the batch: send a file that has it."
    if _provider_has_nothing(line):
        return _why_values_are_unknown(line)
    if line.result.outcome is RowOutcome.CREATED:
        return _why_created_stays(kind, line) or _why_values_are_unknown(line)
    return _why_unsettled_stays(line)


def _provider_has_nothing(line: Line) -> bool:
    """Whether a row was rejected, or was refused because it looks like another payment."""
    looks_alike = line.code == Code.LOOKS_LIKE and line.result.outcome is RowOutcome.REFUSED
    return looks_alike or line.result.outcome is RowOutcome.REJECTED


def _why_created_stays(kind: RowKind, line: Line) -> str:
    """Return why a created payment may still be paid, as a sentence; empty: it cannot be."""
    value = value_of(line)
    if line.result.id is None:
        return (
            f"{value} was created, and its id is not known: it cannot be read whether it is over. "
            "Look for it at the provider, and name its id: resolve it as created with that id."
        )
    status = kind.read_status(line.result.id).status
    if status is not None and status.lower() in kind.unpaid_end_statuses:
        return ""
    return f"{value} is {status or 'not known to the provider'}: it would be asked twice."


def _why_values_are_unknown(line: Line) -> str:
    """Return why the latest file has no values to ask for, as a sentence; empty: it has them."""
    if line.latest is not None and line.latest.arguments is not None:
        return ""
    return (
        f"{value_of(line)}: what it asks for is not valid in the latest file, or forgotten. Send "
        "a file that has it, and then ask again."
    )


def _why_unsettled_stays(line: Line) -> str:
    """Return what to do with a row that was neither created nor rejected, as a sentence."""
    value = value_of(line)
    if line.outcome in MAY_EXIST:
        return f"{value} may have been sent: resume looks it up, or resolve says what you know."
    if line.outcome is RowOutcome.REFUSED:
        return f"{value} is refused, and was not created: send a file that has it, or drop it."
    return f"{value} is {line.outcome}: send or resume sends it."


# What is stored


def _payment_again(
    connection: Connection,
    context: BulkContext,
    store: Store,
    record: BatchRecord,
    line: Line,
    terms: PaymentTerms,
) -> dict[str, Any]:
    """Return the columns of a payment that is asked once more.

    Raises `ConfigurationError` if the line was changed since it was read: another file may have
    replaced its row, or another person may have had it asked.
    """
    lock_payments(connection, store.owner, [line.key])
    payment = stored_payments(connection, store.owner, [line.key]).get(line.key)
    if payment is None or present_lines(store, connection, [line.key]).get(line.key) != line:
        raise ConfigurationError(CHANGED_MEANWHILE)
    requested = requested_payment(
        context.kind,
        context.vault,
        _latest_row(line),
        key_kind=record.key_kind,
        key_column=record.key_column,
        is_valid=True,
    )
    own_terms = replace(terms, key_origin=payment.kind)
    is_shared = context.kind.rows_per_call > 1
    again = _earlier_keys(line, payment)
    new = new_payment(store, requested, own_terms, again=again, is_shared=is_shared)
    return new | {"allowed": True}


def _put_entries(
    connection: Connection, store: Store, calls: Calls, payments: Sequence[dict[str, Any]]
) -> None:
    """Store the entries that ask for these payments."""
    if not calls.are_shared:
        contents = [(_arguments(store, payment), payment["entry"]) for payment in payments]
        put_entries(connection, [calls.for_row(*content) for content in contents])
        return
    rows = {payment["key"]: _arguments(store, payment) for payment in payments}
    put_units(connection, store, calls, rows)


def _arguments(store: Store, payment: dict[str, Any]) -> dict[str, Any]:
    """Return what a payment asks for."""
    arguments: dict[str, Any] = store.vault.deserialize(payment["row"])[2]
    return arguments


def _earlier_keys(line: Line, payment: StoredPayment) -> int:
    """Return how many keys a payment had before the one that it is asked with now.

    One that was only refused keeps its key, which was not used.
    """
    if line.result.outcome is RowOutcome.REFUSED:
        return payment.again
    return payment.again + 1


def _latest_row(line: Line) -> Row:
    """Return the row of the latest file. Raises `ConfigurationError` if it was forgotten
    meanwhile.
    """
    row = line.latest
    if row is None or row.arguments is None:
        raise ConfigurationError(CHANGED_MEANWHILE)
    return row


def _remove_notice(
    store: Store,
    connection: Connection,
    key: str,
) -> None:
    """Remove the notice of a line, and its own row: a person has decided about the payment."""
    change = sa.update(LINES).where(store.is_line(), LINES.c.key == key)
    connection.execute(change.values(code=None, message=None, row=None))
