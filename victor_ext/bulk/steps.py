"""A later step of what was sent together, such as the instruction of a payout: a batch of its own,
with a row for each of them.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import sqlalchemy as sa

from victor_ext import idempotency_key_for
from victor_ext.settlement.key_age import Sent

from .chunks import enqueue
from .holding import refuse_held
from .layout import chunk_id
from .lines import lines_of
from .pacing import ProviderClock
from .payments import LINES, PAYMENTS, stored_of
from .row_kind import RowKind
from .rows import RowOutcome
from .settings import PERSONS, Settings, WorkerContext
from .store import BatchRecord, Store


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
    if not kind.unit:
        return
    for line in lines_of(store):
        is_own = line.batch == store.batch and line.number > 0
        if is_own and line.outcome is RowOutcome.CREATED and line.result.unit:
            yield line.result.unit


def reasons_of(step: Store) -> dict[str, str]:
    """Return why the step was not taken, by the id of what it is of."""
    return {
        line.row.value: line.result.error
        for line in lines_of(step)
        if line.row is not None
        and line.row.value is not None
        and line.result.error
        and line.outcome is not RowOutcome.CREATED
    }


def add_step(
    context: WorkerContext, step: Store, of: BatchRecord, units: list[str], name: str
) -> BatchRecord | None:
    """Add the step of those that do not have it yet. Return what is known of the step from now on;
    None: there is nothing to take it of.
    """
    stored = ProviderClock(context.client).sent_now()
    with step.transaction() as connection:
        refuse_held(connection)
        before = step.record()
        keys = {unit: idempotency_key_for(name, unit) for unit in units}
        known = stored_of(connection, step.owner, list(keys.values()))
        new = [unit for unit in units if keys[unit] not in known]
        if not new:
            return before
        persons = [] if before is None else list(before.persons)
        own = {term: getattr(context.settings, term) for term in PERSONS}
        record = BatchRecord(
            key_column=context.kind.unit,
            key_kind=name,
            columns=(),
            terms=of.terms,
            persons=[*persons, own],
            rows=len(new) if before is None else before.rows + len(new),
        )
        settings = context.settings.with_terms_of(of)
        first = step.chunks_so_far(connection) + 1
        for number, unit in enumerate(new, first):
            _add_unit(connection, context, settings, step, unit, keys[unit], number, stored)
        step.save_record(connection, record, first - 1 + len(new))
    return record


def _add_unit(
    connection: sa.Connection,
    context: WorkerContext,
    settings: Settings,
    step: Store,
    unit: str,
    key: str,
    number: int,
    stored: Sent,
) -> None:
    vault = context.vault
    chunk = chunk_id(step.queue, number)
    row = vault.serialize([number, unit, {"id": unit}, {}])
    own = {"owner": step.owner, "batch": step.batch, "key": key}
    connection.execute(
        sa.insert(PAYMENTS),
        {
            **own,
            "chunk": chunk,
            "place": 0,
            "state": RowOutcome.WAITING.value,
            "again": 0,
            "allowed": False,
            "forgotten": False,
            "restored": False,
            "account": step.account,
            "kind": step.batch.partition("/")[2],
            "values_digest": vault.fingerprint(f"{step.batch} {unit}"),
            "spelling_digest": vault.fingerprint(unit),
            "reference_digest": vault.fingerprint(""),
            "row": row,
            "kept": settings.kept,
            "stored_at": time.time(),
            "stored": json.dumps(stored),
        },
    )
    connection.execute(sa.insert(LINES), {**own, "number": number})
    enqueue(step, connection, chunk, {**settings.chunk_terms(), "keys": [key]})
