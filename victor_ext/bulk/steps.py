"""A later step of what was sent together, such as the instruction of a payout: a batch of its own,
with a row for each of them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from victor_ext import ConfigurationError, idempotency_key_for

from .chunks import enqueue
from .context import WorkerContext
from .holding import refuse_held
from .lines import Line, lines_of
from .pacing import ProviderClock
from .payments import LINES, PAYMENTS, RequestedPayment, stored_payments
from .row_kind import RowKind
from .rows import RowOutcome
from .settings import PERSONS
from .store import BatchRecord, Store
from .storing import PaymentTerms, new_payment


def require_step(kind: RowKind, name: str) -> None:
    """Raise `ConfigurationError` if rows of this kind have no such step."""
    if name not in kind.steps:
        steps = ", which have no steps"
        if kind.steps:
            steps = f": write {' or '.join(kind.steps)}"
        raise ConfigurationError(f"{name} is not a step of these rows{steps}.")


def step_store(store: Store, name: str) -> Store:
    """Return the batch of a step of what this batch has sent."""
    return replace(store, batch=f"{store.batch}/{name}")


def units_of(store: Store, kind: RowKind) -> list[str]:
    """Return the ids of what this batch has sent together and was accepted, in order."""
    return list(dict.fromkeys(_units(store, kind)))


def next_step(store: Store, kind: RowKind) -> str | None:
    """Return the usual step that follows what this batch has sent; None: there is nothing to take
    it of.
    """
    is_possible = bool(kind.steps) and next(_units(store, kind), None) is not None
    return next(iter(kind.steps)) if is_possible else None


def _units(store: Store, kind: RowKind) -> Iterator[str]:
    """Yield the unit of each row that this batch has sent and that was created.

    A row whose payment another batch has sent is none: whether its payout may be paid, and by
    whom, is decided with that batch.
    """
    if not kind.unit_column:
        return
    for line in lines_of(store):
        is_own = line.batch == store.batch and line.number > 0
        if is_own and line.outcome is RowOutcome.CREATED and line.result.unit:
            yield line.result.unit


def reasons_of(step: Store) -> dict[str, str]:
    """Return why the step was not taken, by the id of what it is of."""
    reasons: dict[str, str] = {}
    for line in lines_of(step):
        unit, reason = _unit_of(line), line.result.error
        if unit is not None and reason and line.outcome is not RowOutcome.CREATED:
            reasons[unit] = reason
    return reasons


def _unit_of(line: Line) -> str | None:
    return None if line.row is None else line.row.value


def add_step(
    context: WorkerContext,
    step: Store,
    sent: BatchRecord,
    units: list[str],
    name: str,
) -> BatchRecord | None:
    """Add the step of those that do not have it yet. Return what is known of the step from now on;
    None: there is nothing to take it of.

    Args:
        sent: What is known of the batch that has sent them.
        name: Of the step.
    """
    settings = context.settings.with_terms_of(sent)
    stored = json.dumps(ProviderClock(context.client).sent_now())
    terms = PaymentTerms(
        key_origin=name,
        key_retention=settings.key_retention_seconds,
        stored=stored,
    )
    with step.transaction() as connection:
        refuse_held(connection)
        before = step.record()
        new = _new_units(connection, step, units, name)
        if not new:
            return before
        first = step.chunks_so_far(connection) + 1
        for number, unit in enumerate(new, first):
            key = _add_unit(connection, step, unit, number, terms)
            enqueue(
                step, connection, step.chunk(number), {**settings.new_chunk_terms(), "keys": [key]}
            )
        record = _record_with(context, before, sent.terms, name, len(new))
        step.save_record(connection, record, first - 1 + len(new))
    return record


def _new_units(
    connection: Connection,
    step: Store,
    units: Sequence[str],
    name: str,
) -> list[str]:
    """Return those that do not have the step yet."""
    keys = {unit: idempotency_key_for(name, unit) for unit in units}
    known = stored_payments(connection, step.owner, list(keys.values()))
    return [unit for unit in units if keys[unit] not in known]


def _record_with(
    context: WorkerContext,
    before: BatchRecord | None,
    terms: Mapping[str, Any],
    name: str,
    count: int,
) -> BatchRecord:
    """Return what is known of a step to which so many units are added."""
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
) -> str:
    """Store the step of one unit, in a chunk of its own. Return its key."""
    vault, key = step.vault, idempotency_key_for(terms.key_origin, unit)
    asked = RequestedPayment(
        number=number,
        key=key,
        is_valid=True,
        values_digest=vault.fingerprint(f"{step.batch} {unit}"),
        spelling_digest=vault.fingerprint(unit),
        reference_digest=vault.fingerprint(""),
        due_date=None,
        row=vault.serialize([number, unit, {"id": unit}, {}]),
    )
    payment = new_payment(step, asked, terms) | {"chunk": step.chunk(number)}
    line = {"owner": step.owner, "batch": step.batch, "key": key, "number": number}
    connection.execute(sa.insert(PAYMENTS), payment)
    connection.execute(sa.insert(LINES), line)
    return key
