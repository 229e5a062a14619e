"""The later steps of payouts, such as their instruction (`add_step`).

A step of a batch is a batch of its own, with a row for each payout. A payout is called `unit` here:
what one call has created for several rows.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from victor_ext import ConfigurationError, idempotency_key_for
from victor_ext.outbox.files import entry_values, put_entries, take_again

from .context import BulkContext
from .holding import refuse_held
from .lines import Line, lines_of
from .payments import ASKED, LINES, RequestedPayment, lock_payments, stored_payments
from .row_digests import skeleton_digest
from .row_kind import RowKind
from .rows import RowOutcome
from .settings import PERSONS
from .store import BatchRecord, Store
from .storing import PaymentTerms, new_payment

_NOT_TAKEN = frozenset({RowOutcome.REJECTED.value, RowOutcome.REFUSED.value})
"""States of a step that another call takes, if the state of the payout allows it."""


def require_step(kind: RowKind, name: str) -> None:
    """Raise `ConfigurationError` if rows of this kind have no such step."""
    if name not in kind.steps:
        steps = ", which have no steps"
        if kind.steps:
            steps = f": write {' or '.join(kind.steps)}"
        raise ConfigurationError(f"{name} is not a step of these rows{steps}.")


def step_store(store: Store, name: str) -> Store:
    """Return the batch that is a step of this batch."""
    return replace(store, batch=f"{store.batch}/{name}")


def units_of(store: Store, kind: RowKind) -> list[str]:
    """Return the ids of the payouts that this batch has sent and that were accepted, in order."""
    return list(dict.fromkeys(_units_of_rows(store, kind)))


def next_step(store: Store, kind: RowKind) -> str | None:
    """Return the name of the usual next step of this batch; None: it has no accepted payouts."""
    if not kind.steps or next(_units_of_rows(store, kind), None) is None:
        return None
    return next(iter(kind.steps))


def _units_of_rows(store: Store, kind: RowKind) -> Iterator[str]:
    """Yield the id of the payout of each row that this batch has sent and that was created.

    Rows whose payment another batch has sent are left out: whether their payout may be paid, and by
    whom, is decided with that batch.
    """
    if not kind.unit_column:
        return
    for line in lines_of(store):
        is_own = line.batch == store.batch and line.number > 0
        if is_own and line.result.outcome is RowOutcome.CREATED and line.result.unit:
            yield line.result.unit


def reasons_of(step: Store) -> dict[str, str]:
    """Return why the step was not taken, by the id of the payout."""
    reasons: dict[str, str] = {}
    for line in lines_of(step):
        unit = _unit_of(line)
        reason = line.result.error
        if unit is not None and reason and line.outcome is not RowOutcome.CREATED:
            reasons[unit] = reason
    return reasons


def _unit_of(line: Line) -> str | None:
    """Return the id of the payout that a line of a step is about; None: it was forgotten."""
    return None if line.row is None else line.row.value


def add_step(
    context: BulkContext,
    step: Store,
    sent: BatchRecord,
    units: list[str],
    name: str,
) -> BatchRecord | None:
    """Store a step for each payout that does not have the step yet. Let one that was rejected or
    refused be taken again: the state of its payout is read, and decides.

    Args:
        step: The batch of the step (`step_store`).
        sent: The record of the batch that has sent the payouts.
        units: The ids of the payouts.
        name: The name of the step.

    Returns:
        The new record of the step; None: the step has no payouts.
    """
    settings = context.settings.with_terms_of(sent)
    terms = PaymentTerms(name, json.dumps(context.sent_now()))
    file_terms = step.file_terms(settings.key_retention_seconds)
    keys = {unit: idempotency_key_for(name, unit) for unit in units}

    def add(connection: Connection) -> BatchRecord | None:
        step.lock_storing(connection)
        refuse_held(connection)
        before = step.present_record(connection)
        lock_payments(connection, step.owner, list(keys.values()))
        stored = stored_payments(connection, step.owner, keys.values())
        new_units = [unit for unit in units if keys[unit] not in stored]
        not_taken = [key for key, payment in stored.items() if payment.state in _NOT_TAKEN]
        if not new_units and not not_taken:
            return before
        take_again(connection, step.owner, not_taken)
        entries: list[dict[str, Any]] = []
        for number, unit in enumerate(new_units, 1 if before is None else before.rows + 1):
            _add_unit(connection, step, unit, number, terms)
            call = context.client.prepare(context.kind.steps[name], unit)
            entry = entry_values(
                call, context.client, keys[unit], step.vault, file_terms, read_first=True
            )
            entries.append(entry)
        put_entries(connection, entries)
        record = _record_with(context, before, sent.terms, name, len(new_units))
        step.save_record(connection, record)
        return record

    return step.transact(add)


def _record_with(
    context: BulkContext,
    before: BatchRecord | None,
    terms: Mapping[str, Any],
    name: str,
    count: int,
) -> BatchRecord:
    """Return the record of a step to which payouts are added.

    Args:
        before: The record so far; None: the step is new.
        terms: The terms of the batch that has sent the payouts.
        name: The name of the step.
        count: How many payouts are added.
    """
    person = {setting: getattr(context.settings, setting) for setting in PERSONS}
    persons = [] if before is None else list(before.persons)
    return BatchRecord(
        key_column=context.kind.unit_column,
        key_kind=name,
        columns=(),
        terms=terms,
        persons=[*persons, person],
        rows=count if before is None else before.rows + count,
    )


def _add_unit(
    connection: Connection,
    step: Store,
    unit: str,
    number: int,
    terms: PaymentTerms,
) -> None:
    """Store the payment and the line of the step of one payout."""
    vault = step.vault
    key = idempotency_key_for(terms.key_origin, unit)
    requested = RequestedPayment(
        number=number,
        key=key,
        is_valid=True,
        values_digest=vault.fingerprint(f"{step.batch} {unit}"),
        skeleton_digest=skeleton_digest(vault, (terms.key_origin, unit)),
        reference_digest=vault.fingerprint(""),
        due_date=None,
        row=vault.sealed([number, unit, {"id": unit}, {}]),
    )
    payment = new_payment(step, requested, terms)
    line = {"owner": step.owner, "batch": step.batch, "key": key, "number": number}
    connection.execute(sa.insert(ASKED), payment)
    connection.execute(sa.insert(LINES), line)
