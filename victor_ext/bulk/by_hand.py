"""What a person decides about payments, by name and with a reason: to ask once more, and what
became of one that nobody can look up.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Sequence

import sqlalchemy as sa

from victor_ext import ConfigurationError, Problem
from victor_ext.ids import words_of
from victor_ext.settlement.flow import MAY_EXIST, SETTLED

from .asking import asked_of
from .deciding import Code
from .layout import chunk_id, chunk_rows_for
from .payments import ENDED, IN_DOUBT, PAYMENTS, Stored, pages, stored_of
from .row_kind import RowKind
from .rows import Result, RowOutcome
from .settings import WorkerContext
from .store import BatchRecord, Line, Store

_HAD_A_KEY = (RowOutcome.CREATED.value, RowOutcome.REJECTED.value)
"""States in which the key of a payment is spent: another one was created under a later key."""
_ASKED_MEANWHILE = "It was changed meanwhile: look at the status, and do this again if it is meant."


def checked_person(by: str, why: str) -> None:
    """Check who decides, and why. Raises `ConfigurationError`."""
    for name, text in (("by", by), ("why", why)):
        if not isinstance(text, str) or not words_of(text):
            raise ConfigurationError.of(
                [Problem(name, "required", f"{name} is missing: it is stored with the decision.")]
            )


def lines_of(store: Store, values: Collection[str]) -> list[Line]:
    """Return the lines of the batch with these values in the key column: of those with one value,
    what the latest file has.

    Raises `ConfigurationError` if the batch lacks one.
    """
    wanted = set(values)
    found = [line for line in store.lines() if line.row and line.row.value in wanted]
    listed = {line.row.value for line in found if line.row and line.number > 0}
    lines = [
        line for line in found if line.row and (line.number > 0 or line.row.value not in listed)
    ]
    missing = sorted(wanted - {line.row.value for line in lines if line.row and line.row.value})
    if missing:
        raise ConfigurationError.of(
            [Problem("keys", "unknown", f"{store.batch} has no row {value}.") for value in missing]
        )
    return lines


def line_to_resolve(store: Store, name: str) -> Line:
    """Return the line with this value in the key column, or with this idempotency key, about which
    a person has to decide.

    Raises `ConfigurationError` if the batch has none, or several: a value has a key of each kind.
    """
    lines = [line for line in store.lines() if line.row and name in (line.row.value, line.row.key)]
    open_ones = [line for line in lines if line.outcome in MAY_EXIST or line.restored]
    chosen = open_ones or lines
    if len(chosen) == 1:
        return chosen[0]
    message = f"{store.batch} has no row {name}."
    if chosen:
        keys = ", ".join(line.row.key for line in chosen if line.row)
        message = f"{store.batch} has several rows {name}: write the key of one, {keys}."
    raise ConfigurationError.of([Problem("keys", "unknown", message)])


def ask_again(
    context: WorkerContext, store: Store, record: BatchRecord, lines: Sequence[Line]
) -> None:
    """Let these rows be asked once more, each with the values of the latest file.

    Each payment is read first. One that may still be paid is not asked again.

    Raises:
        ConfigurationError: A payment may still be paid, may exist, or waits. Nothing is changed.
        VictorError: The provider cannot be read.
    """
    reasons = [_why_not_since(line) or why_not_again(context.kind, line) for line in lines]
    problems = [Problem("keys", "not_over", reason) for reason in reasons if reason]
    if problems:
        raise ConfigurationError.of(problems)
    with store.transaction() as connection:
        store.refuse_held(connection)
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


def _why_not_since(line: Line) -> str:
    """Return why what a restored state has of a row is too little to ask once more; or nothing."""
    if not line.restored or line.outcome not in SETTLED:
        return ""
    value = None if line.row is None else line.row.value
    return (
        f"{value} may have been asked since the backup of the state: look at the provider's "
        "records, and resolve it. If there is none but what the state has: as not-created."
    )


def why_not_again(kind: RowKind, line: Line) -> str:
    """Return why a row must not be asked once more, as a sentence; empty: it can be."""
    value = None if line.row is None else line.row.value
    if line.code == Code.LOOKS_LIKE or line.result.outcome is RowOutcome.REJECTED:
        return ""
    if line.result.outcome is RowOutcome.CREATED and line.result.id is not None:
        status = kind.read(line.result.id).status
        if status is not None and status.lower() in kind.over_unpaid:
            return ""
        return f"{value} is {status or 'not known to the provider'}: it would be asked twice."
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


def resolve(
    store: Store, line: Line, outcome: RowOutcome, *, by: str, why: str, id: str | None
) -> None:
    """Settle a payment of which nobody can tell whether it exists, by what a person has found.

    Of a restored one it is said whether another one was created since its backup, under a later
    key: it stays as it is stored, or is what was created.

    Raises:
        ConfigurationError: It is not in doubt, or a worker has it now.
    """
    value = None if line.row is None else line.row.value
    reason = f"Resolved as {outcome} by {words_of(by)}: {words_of(why)}"
    with store.transaction() as connection:
        before = stored_of(connection, store.owner, [line.key], lock=True).get(line.key)
        is_restored = before is not None and before.restored and before.state in ENDED
        if before is None or not (is_restored or before.state in IN_DOUBT):
            raise ConfigurationError(f"{value} is {line.outcome}: there is nothing to resolve.")
        if _is_another_try(line, before):
            raise ConfigurationError(_ASKED_MEANWHILE)
        if before.chunk is not None and store.is_active(before.chunk):
            raise ConfigurationError(f"{value} is being sent or looked up now: let that end first.")
        result: Result | None = Result(outcome, id, None, reason)
        again = before.again
        if is_restored and outcome is RowOutcome.REFUSED:
            result = None
        elif before.state in _HAD_A_KEY:
            again += 1
        store.resolve(connection, line.key, result, again=again)
