"""What a person decides about payments, by name and with a reason: to ask once more, and what
became of one that nobody can look up.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from victor_ext import ConfigurationError, Problem
from victor_ext.ids import words_of
from victor_ext.settlement.flow import MAY_EXIST

from .asking import asked_of
from .deciding import Code
from .layout import chunk_id, chunk_rows_for
from .payments import IN_DOUBT, PAYMENTS, Stored, pages, stored_of
from .row_kind import RowKind
from .rows import Result, RowOutcome
from .settings import WorkerContext
from .store import BatchRecord, Line, Store

_ASKED_MEANWHILE = "It was changed meanwhile: look at the status, and do this again if it is meant."


def checked_person(by: str, why: str) -> None:
    """Check who decides, and why. Raises `ConfigurationError`."""
    for name, text in (("by", by), ("why", why)):
        if not isinstance(text, str) or not words_of(text):
            raise ConfigurationError.of(
                [Problem(name, "required", f"{name} is missing: it is stored with the decision.")]
            )


def lines_of(store: Store, values: Collection[str]) -> list[Line]:
    """Return the lines of the batch with these values in the key column.

    Raises `ConfigurationError` if the batch lacks one.
    """
    wanted = set(values)
    lines = [line for line in store.lines() if line.row and line.row.value in wanted]
    missing = sorted(wanted - {line.row.value for line in lines if line.row and line.row.value})
    if missing:
        raise ConfigurationError.of(
            [Problem("keys", "unknown", f"{store.batch} has no row {value}.") for value in missing]
        )
    return lines


def line_to_resolve(store: Store, key: str) -> Line:
    """Return the line with this value in the key column, or with this idempotency key.

    A row that its file lacks may have the value of another one, by another kind of keys: what is in
    doubt is meant. Raises `ConfigurationError` if the batch lacks it, or several are meant.
    """
    lines = [line for line in store.lines() if line.key == key] or lines_of(store, [key])
    chosen = [line for line in lines if line.outcome in MAY_EXIST] or lines
    if len(chosen) == 1:
        return chosen[0]
    keys = " or ".join(line.key for line in chosen)
    message = f"{store.batch} has several payments {key}: write the idempotency key of one, {keys}."
    raise ConfigurationError.of([Problem("key", "ambiguous", message)])


def ask_again(
    context: WorkerContext,
    store: Store,
    record: BatchRecord,
    lines: Sequence[Line],
    person: Mapping[str, Any],
) -> None:
    """Let these rows be asked once more, each with the values of the latest file.

    Each payment is read first. One that may still be paid is not asked again. `person` is stored.

    Raises:
        ConfigurationError: A payment may still be paid, may exist, or waits. Nothing is changed.
        VictorError: The provider cannot be read.
    """
    reasons = [why_not_again(context.kind, line) for line in lines]
    problems = [Problem("keys", "not_over", reason) for reason in reasons if reason]
    if problems:
        raise ConfigurationError.of(problems)
    with store.transaction() as connection:
        first = store.chunks_so_far(connection) + 1
        size = chunk_rows_for(record.terms["rate"], context.kind.together)
        chunks = [chunk for group in _groups(context.kind, lines) for chunk in pages(group, size)]
        for number, chunk in enumerate(chunks, first):
            _ask(connection, context, store, record, chunk, number)
        present = store.present_record(connection) or record
        decided = replace(present, persons=[*present.persons, person])
        store.save_record(connection, decided, first - 1 + len(chunks))


def _groups(kind: RowKind, lines: Sequence[Line]) -> list[list[Line]]:
    """Return the lines by what they have to have in common to be sent together."""
    groups: dict[Hashable, list[Line]] = {}
    for line in lines:
        arguments = {} if line.latest is None else line.latest.arguments or {}
        groups.setdefault(kind.group(arguments), []).append(line)
    return list(groups.values())


def why_not_again(kind: RowKind, line: Line) -> str:
    """Return why a row must not be asked once more, as a sentence; empty: it can be."""
    value = None if line.row is None else line.row.value
    if line.number == 0:
        return f"{value} is not in the latest file of the batch: send a file that has it."
    if _has_nothing(line):
        return ""
    if line.result.outcome is RowOutcome.CREATED and line.result.id is not None:
        return _why_it_is_not_over(kind, line.result.id, value)
    if line.outcome is RowOutcome.UNKNOWN or line.outcome is RowOutcome.ACCEPTED:
        return f"{value} may have been sent: resume looks it up, or resolve says what you know."
    if line.outcome is RowOutcome.REFUSED:
        return f"{value} was never sent: send a file that has it."
    return f"{value} is {line.outcome}: send or resume sends it."


def _why_it_is_not_over(kind: RowKind, id_: str, value: str | None) -> str:
    status = kind.read(id_).status
    if status is not None and status.lower() in kind.over_unpaid:
        return ""
    return f"{value} is {status or 'not known to the provider'}: it would be asked twice."


def _has_nothing(line: Line) -> bool:
    """Whether the provider has nothing of the row: it was rejected, or refused for its looks."""
    looks_alike = line.code == Code.LOOKS_LIKE and line.result.outcome is RowOutcome.REFUSED
    return looks_alike or line.result.outcome is RowOutcome.REJECTED


def _ask(
    connection: sa.Connection,
    context: WorkerContext,
    store: Store,
    record: BatchRecord,
    lines: Sequence[Line],
    number: int,
) -> None:
    chunk = chunk_id(store.queue, number)
    keys = [line.key for line in lines]
    stored = stored_of(connection, store.owner, keys, lock=True)
    # What a file has brought meanwhile, or another person has asked for, was not read.
    present = {line.key: line for line in store.lines_of(connection, keys)}
    for place, line in enumerate(lines):
        row, before = line.latest, stored.get(line.key)
        if row is None or row.arguments is None or before is None or present.get(line.key) != line:
            raise ConfigurationError(_ASKED_MEANWHILE)
        outcome = line.result.outcome
        asked = asked_of(
            context.kind,
            context.vault,
            number=row.number,
            key=line.key,
            key_column=record.key_column,
            key_value=row.value,
            arguments=row.arguments,
            extras=row.extras,
            is_valid=True,
        )
        is_next = outcome is not RowOutcome.REFUSED
        values = {
            "batch": store.batch,
            "chunk": chunk,
            "worker": None,
            "place": place,
            "state": RowOutcome.WAITING.value,
            "again": before.again + is_next,
            "allowed": True,
            "account": store.account,
            "values_digest": asked.values_digest,
            "reference_digest": asked.reference_digest,
            "due_date": asked.due_date,
            "row": asked.row,
            "sent": None,
            "result": None,
            "made_digest": None,
        }
        chosen = sa.and_(PAYMENTS.c.owner == store.owner, PAYMENTS.c.key == line.key)
        connection.execute(sa.update(PAYMENTS).where(chosen).values(values))
        store.forget_notice(connection, line.key)
    store.enqueue(connection, chunk, {**context.settings.chunk_terms(), "keys": keys})


def _is_another_try(line: Line, stored: Stored) -> bool:
    """Whether the payment was asked once more since the line was read: under its next key."""
    return line.row is None or line.row.again != stored.again


def resolve(
    store: Store, line: Line, outcome: RowOutcome, *, by: str, why: str, id: str | None
) -> None:
    """Settle a payment of which nobody can tell whether it exists, by what a person has found.

    Raises:
        ConfigurationError: It is not in doubt, or a worker has it now.
    """
    value = None if line.row is None else line.row.value
    reason = f"Resolved as {outcome} by {words_of(by)}: {words_of(why)}"
    with store.transaction() as connection:
        before = stored_of(connection, store.owner, [line.key], lock=True).get(line.key)
        if before is None or before.state not in IN_DOUBT:
            raise ConfigurationError(f"{value} is {line.outcome}: there is nothing to resolve.")
        if _is_another_try(line, before):
            raise ConfigurationError(_ASKED_MEANWHILE)
        if before.chunk is not None and store.is_active(before.chunk):
            raise ConfigurationError(f"{value} is being sent or looked up now: let that end first.")
        store.save_result(connection, line.key, Result(outcome, id, None, reason))
