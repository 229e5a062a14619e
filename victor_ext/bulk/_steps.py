"""The later steps of payouts, such as their instruction (`add_step`), and what became of them.

A payout is called `unit` here: what one call has created for several rows. The step of a unit is an
entry of the outbox. The steps of one name are a batch of entries, which has a record and no sheet.
"""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection

from victor_ext import ConfigurationError, idempotency_key_for
from victor_ext._event_queue.rows import change_rows
from victor_ext.outbox._files import (
    ENTRIES,
    UNDER_WAY,
    FileTerms,
    entry_values,
    named_entries,
    open_entries,
    put_entries,
    settle_by_hand,
)

from ._lines import open_units, other_lines
from ._payments import (
    DECISIONS,
    PAY,
    PAYMENTS,
    STATE,
    TO_BE_SENT,
    VOID,
    WITH_ENTRIES,
    pages,
)
from ._rows import RowOutcome, outcome_of
from ._run import BatchStatus
from ._settings import BatchRecord
from ._state import held_since, refuse_held
from ._store import Store

_NOT_TAKEN = frozenset({RowOutcome.REJECTED, RowOutcome.REFUSED})
"""States of a step that another call takes, if the state of the payout allows it."""
_ENDED = _NOT_TAKEN | {RowOutcome.CREATED}
_SHOWN = 5
"""So many payments of a payout are named that are not as the sheet has them."""


class Unit(NamedTuple):
    """A payout that a batch has sent.

    Attributes:
        id: The provider's id of it.
        differing: What people call its payments that the latest sheet lacks, or has with other
            values, and of which nobody has decided that they are paid.
    """

    id: str
    differing: Sequence[str]


@dataclass(frozen=True, slots=True)
class Step:
    """A step that was added.

    Attributes:
        store: The batch of its entries.
        record: The record of the step.
        refused: Why the step is not taken with some units, by their ids.
    """

    store: Store
    record: BatchRecord
    refused: dict[str, str]


def with_next_step(status: BatchStatus, store: Store) -> BatchStatus:
    """Return the status of a batch with its usual next step, if that can pay a payout; and with
    the reasons why others are not paid with which no step was taken yet.
    """
    units = units_of(store)
    if not units:
        return status
    name = store.kind.paying_step
    assert name is not None  # there are payouts
    with store.engine.connect() as connection:
        is_open = open_units(store, connection, {unit.id for unit in units})
    unpaid = [unit for unit in units if unit.id in is_open]
    return replace(
        status,
        next_step=name if any(not unit.differing for unit in unpaid) else None,
        reasons={unit.id: _refusal(unit, name) for unit in unpaid if unit.differing},
    )


def units_of(store: Store) -> list[Unit]:
    """Return the payouts that this batch has sent and of which payments were accepted.

    What another batch has sent is left out: whether its payouts may be paid, and by whom, is
    decided with that batch.
    """
    if not store.kind.unit_column:
        return []
    columns = PAYMENTS.c
    was_accepted = sa.and_(STATE == RowOutcome.CREATED, columns.made.is_not(None))
    query = sa.select(columns.made).select_from(WITH_ENTRIES)
    units = query.where(store.is_of_batch(), was_accepted).group_by(columns.made)
    in_order = units.order_by(sa.func.min(columns.sheet), sa.func.min(columns.number))
    with store.snapshot() as connection:
        differing: dict[str, list[str]] = {
            unit: [] for unit in connection.execute(in_order).scalars()
        }
        for line in other_lines(store, connection):
            unit = line.result.unit
            was_made = line.result.outcome is RowOutcome.CREATED
            if line.batch != store.batch or not was_made or not unit:
                continue
            names = differing.setdefault(unit, [])
            is_right = line.outcome is RowOutcome.CREATED and line.number > 0
            if not is_right and not line.is_decided:
                names.append(line.value)
    return [Unit(unit, names) for unit, names in differing.items()]


def reasons_of(store: Store, name: str, units: Sequence[str]) -> dict[str, str]:
    """Return why a step was not taken, by the id of the payout."""
    with store.engine.connect() as connection:
        entries = _stored_entries(connection, store, name, units)
    reasons: dict[str, str] = {}
    for unit, entry in entries.items():
        reason = store.vault.opened_error(entry.error)
        if reason and entry.state != RowOutcome.CREATED:
            reasons[unit] = reason
    return reasons


def step_statuses(store: Store) -> dict[str, dict[str, Any]]:
    """Return what became of each step that was taken with the payouts of a batch, by its name, as
    `BatchStatus.steps` has it.
    """
    statuses: dict[str, dict[str, Any]] = {}
    records = {name: _step_of(store, name).record() for name in store.kind.steps}
    taken = {name: record for name, record in records.items() if record is not None}
    units = [unit.id for unit in units_of(store)] if taken else []
    for name, record in taken.items():
        status = status_of_step(_step_of(store, name))
        statuses[name] = {
            "by": [person["by"] for person in record.persons],
            "counts": status.counts,
            "unsettled": status.unsettled,
            "reasons": reasons_of(store, name, units),
        }
    return statuses


def status_of_step(step: Store, undecided: Collection[str] = ()) -> BatchStatus:
    """Return the status of a step, by its entries.

    Args:
        undecided: The payouts that a person has to decide about: they count as such, whatever
            became of their entries before.
    """
    state = ENTRIES.c.word.label("state")
    name = step.batch.rpartition("/")[2]
    keys = [idempotency_key_for(name, unit) for unit in undecided]
    others = sa.and_(step.is_entry(), ENTRIES.c.key.not_in(keys))
    query = sa.select(state, sa.func.count().label("steps")).where(others)
    with step.engine.connect() as connection:
        groups = connection.execute(query.group_by(state)).all()
        is_over = not open_entries(connection, step.is_entry()).due
        since = held_since(connection)
    counts = Counter({RowOutcome.TO_DECIDE: len(undecided)})
    under_way = 0
    for group in groups:
        counts[outcome_of(group.state)] += group.steps
        under_way += group.steps if group.state == UNDER_WAY else 0
    ordered = {outcome: counts[outcome] for outcome in RowOutcome if counts[outcome]}
    return BatchStatus(
        step.batch,
        counts.total(),
        ordered,
        over=is_over,
        under_way=under_way,
        held_since=since,
    )


def _step_of(store: Store, name: str) -> Store:
    """Return the batch that is a step of this batch."""
    return replace(store, batch=f"{store.batch}/{name}")


def _stored_entries(
    connection: Connection, store: Store, name: str, units: Sequence[str]
) -> dict[str, Any]:
    """Return the entries of a step, by the ids of their units."""
    unit_of = {idempotency_key_for(name, unit): unit for unit in units}
    state = ENTRIES.c.word.label("state")
    found: dict[str, Any] = {}
    for page in pages(unit_of):
        query = sa.select(ENTRIES.c.key, ENTRIES.c.error, state)
        query = query.where(named_entries(store.owner, page))
        found |= {unit_of[entry.key]: entry for entry in connection.execute(query)}
    return found


def add_step(
    store: Store,
    sent: BatchRecord,
    name: str,
    find_units: Callable[[], list[Unit]],
) -> Step:
    """Store a step for each payout that does not have the step yet. Let one that was rejected or
    refused be taken again: the state of its payout is read, and decides.

    A payout is paid only if each of its accepted payments is one that the latest sheet has as it
    was asked for, or of which a person has decided that it is paid.

    Args:
        store: The batch that has sent the payouts.
        sent: Its record.
        name: The name of the step.
        find_units: Returns the payouts, as they are in the transaction: see `units_of`.

    Raises:
        ConfigurationError: Rows of this kind have no such step, or the sender may not take it;
            there are no payouts, and were none; or the state is held.
    """
    kind = store.kind
    if name not in kind.steps:
        known = f": write {' or '.join(kind.steps)}" if kind.steps else ", which have no steps"
        raise ConfigurationError(f"{name} is not a step of these rows{known}.")
    store.settings.check_person(sent.persons)
    step = _step_of(store, name)
    settings = store.settings.with_terms_of(sent)
    kept = settings.key_retention_seconds
    file_terms = FileTerms(step.owner, step.sender, step.batch, kept)
    person = settings.person

    def add(connection: Connection) -> Step:
        step.lock_storing(connection)
        refuse_held(connection)
        # Files and decisions are stored by turns: the sheet is the one that is paid.
        units = find_units()
        before = step.present_record(connection)
        stored = _stored_entries(connection, store, name, [unit.id for unit in units])
        refused: dict[str, str] = {}
        if name == kind.paying_step:
            differing = {unit.id for unit in units if unit.differing}
            ended = differing - open_units(store, connection, differing)
            # Such as withdrawn ones: there is nothing to decide about them.
            units = [unit for unit in units if unit.id in stored or unit.id not in ended]
            refused = {
                unit.id: _refusal(unit, name)
                for unit in units
                if unit.differing and (unit.id not in stored or stored[unit.id].state in _NOT_TAKEN)
            }
        ids = [unit.id for unit in units if unit.id not in refused]
        if before is None and not units:
            raise ConfigurationError(
                f"{store.batch} has nothing to {name}: the provider has accepted nothing that "
                "this batch has sent, or it was withdrawn. What another batch has sent is taken "
                "with that one."
            )
        again = [unit for unit in ids if unit in stored and stored[unit].state in _NOT_TAKEN]
        taken = [unit for unit in ids if unit not in stored or unit in again]
        is_open = any(
            entry.state not in _ENDED for unit, entry in stored.items() if unit not in refused
        )
        # Whoever goes on with what another person has begun sends it, and is named.
        is_taken_over = before is not None and is_open and person not in before.persons
        if before is not None and not taken and not is_taken_over:
            return Step(step, before, refused)
        entries = [
            entry_values(
                store.client.prepare(kind.steps[name], unit),
                store.client,
                idempotency_key_for(name, unit),
                step.vault,
                file_terms,
                read_first=True,
            )
            for unit in taken
        ]
        put_entries(connection, entries, _NOT_TAKEN)
        terms = sent.terms
        if before is not None:
            terms = {**terms, "rate": before.terms["rate"]}
        record = BatchRecord(
            key_column=kind.unit_column,
            key_kind=name,
            columns=(),
            terms=terms,
            persons=[*([] if before is None else before.persons), person],
            rows=len(stored.keys() | set(taken)),
        )
        if before is not None or taken:
            step.save_record(connection, record)
        return Step(step, record, refused)

    return step.transact(add)


def take_back_payments(connection: Connection, store: Store) -> None:
    """Let the step that pays be refused where it waits, and void what persons have decided to pay:
    both were said of the sheet before. What a worker has begun is not touched.
    """
    name = store.kind.paying_step
    if name is None:
        return
    of_batch = sa.select(PAYMENTS.c.key).where(store.is_of_batch())
    to_pay = sa.and_(DECISIONS.c.owner == store.owner, DECISIONS.c.what == PAY)
    change_rows(connection, DECISIONS, sa.and_(to_pay, DECISIONS.c.key.in_(of_batch)), what=VOID)
    step = _step_of(store, name)
    waiting = sa.select(ENTRIES.c.key).where(step.is_entry(), ENTRIES.c.word.in_(TO_BE_SENT))
    for key in connection.execute(waiting).scalars().all():
        settle_by_hand(
            connection,
            step.owner,
            key,
            step.vault,
            is_done=False,
            id=None,
            error=f"not taken: a newer sheet was stored before it was sent. Repeat {name}.",
        )


def _refusal(unit: Unit, name: str) -> str:
    """Return why a payout is not paid, as a sentence."""
    shown = ", ".join(unit.differing[:_SHOWN])
    if len(unit.differing) > _SHOWN:
        shown += f" and {len(unit.differing) - _SHOWN} more"
    options = " ".join(f"--also {shlex.quote(value)}" for value in unit.differing[:_SHOWN])
    return (
        f"not paid: the latest sheet lacks, or has with other values: {shown}. Withdraw, which "
        f"takes back all unpaid payouts of the batch; or, if these are right: {name} {options}"
    )
