"""What a person decides about payments, by name and with a reason: to ask once more, and what
became of one that nobody can look up.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Sequence

import sqlalchemy as sa

from victor_ext import ConfigurationError, Problem
from victor_ext.ids import words_of
from victor_ext.settlement.flow import MAY_EXIST

from .asking import asked_of
from .deciding import Code
from .layout import chunk_id, chunk_rows_for
from .payments import IN_DOUBT, NEVER_LEFT, PAYMENTS, Stored, pages, stored_of
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


def is_in_doubt(line: Line) -> bool:
    """Whether nobody can tell if its payment exists."""
    return line.outcome in MAY_EXIST


def has_never_left(line: Line) -> bool:
    """Whether nothing was sent for it."""
    return line.outcome.value in NEVER_LEFT


def can_be_over(line: Line) -> bool:
    """Whether it may be asked once more: its payment was decided, or it looks like another one."""
    decided = (RowOutcome.CREATED, RowOutcome.REJECTED)
    return line.code == Code.LOOKS_LIKE or line.outcome in decided


def lines_of(store: Store, names: Collection[str], is_meant: Callable[[Line], bool]) -> list[Line]:
    """Return the lines of the batch that are named, by the value in the key column or by the key.

    Args:
        is_meant: Whether a line can be meant. It decides where several lines have one value, such
            as rows of an earlier key kind, or of two payors.

    Raises:
        ConfigurationError: The batch lacks one, or one value names several of them.
    """
    wanted = set(names)
    by_name: dict[str, list[Line]] = {}
    for line in store.lines():
        for name in wanted & _names_of(line):
            by_name.setdefault(name, []).append(line)
    chosen: dict[tuple[int, str], Line] = {}
    problems = list[Problem]()
    for name in sorted(wanted):
        lines = by_name.get(name, [])
        meant = lines if len(lines) == 1 else [line for line in lines if is_meant(line)]
        if len(meant) == 1:
            chosen[meant[0].number, meant[0].key] = meant[0]
        elif lines:
            problems.append(_several(name, meant or lines))
        else:
            problems.append(Problem("keys", "unknown", f"{store.batch} has no row {name}."))
    if problems:
        raise ConfigurationError.of(problems)
    return sorted(chosen.values(), key=lambda line: line.number)


def _names_of(line: Line) -> set[str]:
    if line.row is None:
        return {line.key}
    return {line.key, line.row.key, line.row.value or ""} - {""}


def _several(name: str, lines: Sequence[Line]) -> Problem:
    shown = ", ".join(
        f"{line.key if line.row is None else line.row.key} ({line.outcome})" for line in lines
    )
    return Problem(
        "keys", "several", f"{name} names {len(lines)} rows: write the key of one: {shown}."
    )


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
    with store.transaction() as connection:
        first = store.chunks_so_far(connection) + 1
        size = chunk_rows_for(record.terms["rate"], context.kind.together)
        chunks = [chunk for group in _groups(context.kind, lines) for chunk in pages(group, size)]
        for number, chunk in enumerate(chunks, first):
            _ask(connection, context, store, record, chunk, number)
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
    value = None if line.row is None else line.row.value
    if line.code == Code.LOOKS_LIKE or line.result.outcome is RowOutcome.REJECTED:
        return ""
    if line.outcome is RowOutcome.CREATED:
        return _why_created_stays(kind, value, line.result.id)
    if is_in_doubt(line):
        return f"{value} may have been sent: resume looks it up, or resolve says what you know."
    if line.outcome is RowOutcome.REFUSED:
        return f"{value} is refused, and was not created: send a file that has it, or drop it."
    return f"{value} is {line.outcome}: send or resume sends it."


def _why_created_stays(kind: RowKind, value: str | None, id_: str | None) -> str:
    if id_ is None:
        return (
            f"{value} was created, and its id is not known: it cannot be read whether it is over. "
            "Look for it at the provider, and name its id: resolve it as created with that id."
        )
    status = kind.read(id_).status
    if status is not None and status.lower() in kind.over_unpaid:
        return ""
    return f"{value} is {status or 'not known to the provider'}: it would be asked twice."


def _ask(
    connection: sa.Connection,
    context: WorkerContext,
    store: Store,
    record: BatchRecord,
    lines: Sequence[Line],
    number: int,
) -> None:
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
        }
        chosen = sa.and_(PAYMENTS.c.owner == store.owner, PAYMENTS.c.key == line.key)
        connection.execute(sa.update(PAYMENTS).where(chosen).values(values))
        store.forget_notice(connection, line.key)
    keys = [line.key for line in lines]
    store.enqueue(connection, chunk, {**context.settings.chunk_terms(), "keys": keys})


def _is_another_try(line: Line, stored: Stored) -> bool:
    """Whether the payment was asked once more since the line was read: under its next key."""
    return line.row is None or line.row.again != stored.again


def _lacks_id(line: Line) -> bool:
    """Whether it was created, and nobody has said under which id."""
    return line.outcome is RowOutcome.CREATED and line.result.id is None


def resolve(
    store: Store, line: Line, outcome: RowOutcome, *, by: str, why: str, id: str | None
) -> None:
    """Settle a payment of which nobody can tell whether it exists, by what a person has found; or
    add the id of one that was created.

    Raises:
        ConfigurationError: It is not in doubt, or a worker has it now.
    """
    value = None if line.row is None else line.row.value
    reason = f"Resolved as {outcome} by {words_of(by)}: {words_of(why)}"
    with store.transaction() as connection:
        before = stored_of(connection, store.owner, [line.key], lock=True).get(line.key)
        only_id = outcome is RowOutcome.CREATED and id is not None and _lacks_id(line)
        is_open = before is not None and (before.state in IN_DOUBT or only_id)
        if before is None or not is_open:
            raise ConfigurationError(f"{value} is {line.outcome}: there is nothing to resolve.")
        if _is_another_try(line, before):
            raise ConfigurationError(_ASKED_MEANWHILE)
        if before.chunk is not None and store.is_active(before.chunk):
            raise ConfigurationError(f"{value} is being sent or looked up now: let that end first.")
        store.save_result(connection, line.key, Result(outcome, id, None, reason))
