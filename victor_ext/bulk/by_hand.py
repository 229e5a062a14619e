"""What a person decides about payments, by name and with a reason: to ask once more, and what
became of one that nobody can look up.
"""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Hashable, Sequence
from dataclasses import replace

import sqlalchemy as sa

from victor_ext import ConfigurationError, Problem, idempotency_key_for
from victor_ext.ids import words_of
from victor_ext.settlement.key_age import Sent

from .asking import asked_of
from .deciding import Code
from .layout import chunk_id, chunk_rows_for
from .pacing import ProviderClock
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


def lines_of(
    context: WorkerContext, store: Store, record: BatchRecord, values: Collection[str]
) -> list[Line]:
    """Return the lines of the batch with these values in the key column.

    One whose values are forgotten is known by its key. Raises `ConfigurationError` if the batch
    lacks one.
    """
    wanted = set(values)
    by_key = {_key_of(context, record, value): value for value in wanted}
    lines = list[Line]()
    for line in store.lines():
        value = _value_of(line) or by_key.get(line.key)
        if value in wanted:
            lines.append(_named(line, value))
    missing = sorted(wanted - {_value_of(line) for line in lines})
    if missing:
        raise ConfigurationError.of(
            [Problem("keys", "unknown", f"{store.batch} has no row {value}.") for value in missing]
        )
    return lines


def _key_of(context: WorkerContext, record: BatchRecord, value: str) -> str | None:
    facts = context.kind.key_facts(context.settings.defaults, record.key_kind, value)
    return None if facts is None else idempotency_key_for(*facts)


def _value_of(line: Line) -> str | None:
    rows = (row for row in (line.row, line.latest) if row is not None)
    return next((row.value for row in rows if row.value), None)


def _named(line: Line, value: str) -> Line:
    """Return a line with the value that a person names it by, which may be forgotten."""
    row = None if line.row is None else replace(line.row, value=value)
    latest = None if line.latest is None else replace(line.latest, value=value)
    return replace(line, row=row, latest=latest)


def ask_again(
    context: WorkerContext, store: Store, record: BatchRecord, lines: Sequence[Line]
) -> None:
    """Let these rows be asked once more, each with the values of the latest file.

    Each payment is read first. One that may still be paid is not asked again.

    Raises:
        ConfigurationError: A payment may still be paid, may exist, or waits. Nothing is changed.
        VictorError: The provider cannot be read.
    """
    reasons = [why_not_again(context.kind, line) for line in lines]
    problems = [Problem("keys", "not_over", reason) for reason in reasons if reason]
    if problems:
        raise ConfigurationError.of(problems)
    now = ProviderClock(context.client).sent_now()
    with store.transaction() as connection:
        first = store.chunks_so_far(connection) + 1
        size = chunk_rows_for(record.terms["rate"], context.kind.together)
        chunks = [chunk for group in _groups(context.kind, lines) for chunk in pages(group, size)]
        for number, chunk in enumerate(chunks, first):
            _ask(connection, context, store, record, chunk, number, now)
        store.save_record(connection, record, first - 1 + len(chunks))


def _groups(kind: RowKind, lines: Sequence[Line]) -> list[list[Line]]:
    """Return the lines by what they have to have in common to be sent together."""
    groups: dict[Hashable, list[Line]] = {}
    for line in lines:
        arguments = {} if line.latest is None else line.latest.arguments or {}
        groups.setdefault(kind.group(arguments), []).append(line)
    return list(groups.values())


def why_not_again(kind: RowKind, line: Line) -> str:
    """Return why a row must not be asked once more, as a sentence; empty: it can be."""
    if line.code == Code.LOOKS_LIKE or line.result.outcome is RowOutcome.REJECTED:
        return _why_not_asked(line)
    if line.result.outcome is not RowOutcome.CREATED or line.result.id is None:
        return _why_not_over(line)
    status = kind.read(line.result.id).status
    if status is not None and status.lower() in kind.over_unpaid:
        return _why_not_asked(line)
    what = status or "not known to the provider"
    return f"{_value_of(line)} is {what}: it would be asked twice."


def _why_not_asked(line: Line) -> str:
    """Return why nothing can be asked for, as a sentence; empty: the values are known."""
    if line.latest is not None and line.latest.arguments is not None:
        return ""
    return (
        f"{_value_of(line)}: what it asks for is not valid in the latest file, or forgotten. Send "
        "a file that has it, and then ask again."
    )


def _why_not_over(line: Line) -> str:
    value = _value_of(line)
    if line.result.outcome is RowOutcome.CREATED:
        return f"{value} was created, and its id is not known: it would be asked twice."
    if line.outcome is RowOutcome.UNKNOWN or line.outcome is RowOutcome.ACCEPTED:
        return f"{value} may have been sent: resume looks it up, or resolve says what you know."
    if line.outcome is RowOutcome.REFUSED:
        return f"{value} was never sent: send a file that has it."
    return f"{value} is {line.outcome}: send or resume sends it."


def _ask(
    connection: sa.Connection,
    context: WorkerContext,
    store: Store,
    record: BatchRecord,
    lines: Sequence[Line],
    number: int,
    now: Sent,
) -> None:
    settings = context.settings.with_terms_of(record)
    chunk = chunk_id(store.queue, number)
    stored = stored_of(connection, store.owner, [line.key for line in lines], lock=True)
    for place, line in enumerate(lines):
        row, before = line.latest, stored.get(line.key)
        if row is None or row.arguments is None or before is None:
            raise ConfigurationError(_ASKED_MEANWHILE)
        outcome = line.result.outcome
        if before.state != outcome or _is_another_try(line, before):
            raise ConfigurationError(_ASKED_MEANWHILE)
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
            "kept": settings.kept,
            "stored_at": time.time(),
            "stored": json.dumps(now),
            "forgotten": False,
        }
        chosen = sa.and_(PAYMENTS.c.owner == store.owner, PAYMENTS.c.key == line.key)
        connection.execute(sa.update(PAYMENTS).where(chosen).values(values))
        store.forget_notice(connection, line.key)
    keys = [line.key for line in lines]
    store.enqueue(connection, chunk, {**settings.chunk_terms(), "keys": keys})


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
    value = _value_of(line)
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
