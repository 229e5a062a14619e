"""The later steps of payouts, such as their instruction (`add_step`), and what became of them.

A step of a batch is a batch of its own, with a row for each payout. A payout is called `unit` here:
what one call has created for several rows.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from victor_ext import ConfigurationError, idempotency_key_for
from victor_ext.event_queue.rows import put_rows
from victor_ext.outbox.files import entry_values, let_replace, put_entries

from .context import BulkContext
from .lines import lines_of
from .payments import ASKED, ENDED, LINES, RequestedPayment, lock_payments, stored_payments
from .row_digests import skeleton_digest
from .row_kind import RowKind
from .rows import RowOutcome, row_of
from .run import status_of
from .settings import PERSONS
from .state import refuse_held
from .store import BatchRecord, Store
from .storing import new_payment

_NOT_TAKEN = frozenset({RowOutcome.REJECTED, RowOutcome.REFUSED})
"""States of a step that another call takes, if the state of the payout allows it."""


def next_step(store: Store, kind: RowKind) -> str | None:
    """Return the name of the usual next step of this batch; None: it has no accepted payouts."""
    if not kind.steps or next(units_of(store, kind), None) is None:
        return None
    return next(iter(kind.steps))


def units_of(store: Store, kind: RowKind) -> Iterator[str]:
    """Yield the ids of the payouts that this batch has sent and that were accepted, each once.

    Rows whose payment another batch has sent are left out: whether their payout may be paid, and by
    whom, is decided with that batch.
    """
    if not kind.unit_column:
        return
    units = set[str]()
    for line in lines_of(store):
        unit = line.result.unit
        is_own = line.batch == store.batch and line.number > 0
        if is_own and line.result.outcome is RowOutcome.CREATED and unit and unit not in units:
            units.add(unit)
            yield unit


def reasons_of(step: Store) -> dict[str, str]:
    """Return why a step was not taken, by the id of the payout.

    Args:
        step: The batch of the step.
    """
    reasons: dict[str, str] = {}
    for line in lines_of(step):
        reason = line.result.error
        is_known = line.row is not None and line.row.value is not None
        if is_known and reason and line.outcome is not RowOutcome.CREATED:
            reasons[line.value] = reason
    return reasons


def step_statuses(store: Store, kind: RowKind) -> dict[str, dict[str, Any]]:
    """Return what became of each step that was taken with the payouts of a batch, by its name, as
    `BatchStatus.steps` has it.
    """
    statuses: dict[str, dict[str, Any]] = {}
    for name in kind.steps:
        step = _step_of(store, name)
        record = step.record()
        if record is None:
            continue
        status = status_of(step)
        statuses[name] = {
            "by": [person["by"] for person in record.persons],
            "counts": status.counts,
            "unsettled": status.unsettled,
            "reasons": reasons_of(step),
        }
    return statuses


def _step_of(store: Store, name: str) -> Store:
    """Return the batch that is a step of this batch."""
    return replace(store, batch=f"{store.batch}/{name}")


def add_step(
    context: BulkContext, store: Store, sent: BatchRecord, units: Sequence[str], name: str
) -> tuple[Store, BatchRecord]:
    """Store a step for each payout that does not have the step yet. Let one that was rejected or
    refused be taken again: the state of its payout is read, and decides.

    Args:
        store: The batch that has sent the payouts.
        sent: Its record.
        units: The ids of the payouts.
        name: The name of the step.

    Returns:
        The batch of the step, and its new record.

    Raises:
        ConfigurationError: Rows of this kind have no such step, or the sender may not take it;
            there are no payouts, and were none; or the state is held.
    """
    steps = context.kind.steps
    if name not in steps:
        known = f": write {' or '.join(steps)}" if steps else ", which have no steps"
        raise ConfigurationError(f"{name} is not a step of these rows{known}.")
    context.settings.check_person(sent.persons)
    step = _step_of(store, name)
    settings = context.settings.with_terms_of(sent)
    file_terms = step.file_terms(settings.key_retention_seconds)
    person = {setting: getattr(settings, setting) for setting in PERSONS}
    stored_at = json.dumps(context.sent_now())
    keys = {unit: idempotency_key_for(name, unit) for unit in units}

    def add(connection: Connection) -> BatchRecord:
        step.lock_storing(connection)
        refuse_held(connection)
        before = step.present_record(connection)
        lock_payments(connection, step.owner, list(keys.values()))
        stored = stored_payments(connection, step.owner, keys.values())
        new_units = [unit for unit in units if keys[unit] not in stored]
        not_taken = [key for key, payment in stored.items() if payment.state in _NOT_TAKEN]
        if before is None and not new_units:
            raise ConfigurationError(
                f"{store.batch} has nothing to {name}: the provider has accepted nothing that "
                "this batch has sent. What another batch has sent is taken with that one."
            )
        is_open = any(payment.state not in ENDED for payment in stored.values())
        # Whoever goes on with what another person has begun sends it, and is named.
        is_taken_over = before is not None and is_open and person not in before.persons
        if before is not None and not new_units and not not_taken and not is_taken_over:
            return before
        rows = 0 if before is None else before.rows
        numbers = {unit: number for number, unit in enumerate(new_units, rows + 1)}
        _add_lines(connection, step, {keys[unit]: number for unit, number in numbers.items()})
        again = [unit for unit in units if keys[unit] in not_taken]
        numbers |= {unit: row_of(step.vault, stored[keys[unit]]).number for unit in again}
        entries: list[dict[str, Any]] = []
        for unit, number in numbers.items():
            # Also of one that is taken again: its values and its call may be forgotten.
            _put_payment(connection, step, unit, number, name, stored_at)
            call = context.client.prepare(steps[name], unit)
            entry = entry_values(
                call, context.client, keys[unit], step.vault, file_terms, read_first=True
            )
            entries.append(entry)
        let_replace(connection, step.owner, not_taken)
        put_entries(connection, entries)
        terms = sent.terms
        if before is not None:
            terms = {**terms, "rate": before.terms["rate"]}
        record = BatchRecord(
            key_column=context.kind.unit_column,
            key_kind=name,
            columns=(),
            terms=terms,
            persons=[*([] if before is None else before.persons), person],
            rows=rows + len(new_units),
        )
        step.save_record(connection, record)
        return record

    return step, step.transact(add)


def _add_lines(connection: Connection, step: Store, numbers: Mapping[str, int]) -> None:
    """Store the lines of payouts that are new in the step. `numbers` has theirs by their keys."""
    place = {"owner": step.owner, "batch": step.batch}
    lines = [{**place, "key": key, "number": number} for key, number in numbers.items()]
    if lines:
        connection.execute(sa.insert(LINES), lines)


def _put_payment(
    connection: Connection, step: Store, unit: str, number: int, name: str, stored_at: str
) -> None:
    """Store the payment of the step of one payout, in place of the one that is stored."""
    vault = step.vault
    requested = RequestedPayment(
        number=number,
        key=idempotency_key_for(name, unit),
        is_valid=True,
        values_digest=vault.fingerprint(f"{step.batch} {unit}"),
        skeleton_digest=skeleton_digest(vault, (name, unit)),
        reference_digest=vault.fingerprint(""),
        due_date=None,
        row=vault.sealed([number, unit, {"id": unit}, {}]),
    )
    payment = new_payment(step, requested, name, stored_at)
    put_rows(connection, ASKED, [payment], ("owner", "key"))
