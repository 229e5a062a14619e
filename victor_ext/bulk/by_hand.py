"""What a person decides about payments, by name and with a reason: to ask once more, and what
became of one that nobody can look up.
"""

from __future__ import annotations

import json
from collections.abc import Hashable, Sequence
from dataclasses import replace

import sqlalchemy as sa
from sqlalchemy import Connection

from victor_ext import ConfigurationError, Problem
from victor_ext.ids import words_of

from .asking import requested_payment
from .chunks import active_chunks, enqueue
from .contents import result_values
from .context import WorkerContext
from .holding import refuse_held
from .layout import chunk_rows_for
from .lines import Line, present_lines
from .named_lines import value_of
from .over import require_over
from .pacing import ProviderClock
from .payments import ENDED, IN_DOUBT, LINES, PAYMENTS, StoredPayment, pages, stored_payments
from .row_kind import RowKind
from .rows import Result, Row, RowOutcome
from .store import BatchRecord, Person, Store
from .storing import PaymentTerms, new_payment

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


def ask_again(
    context: WorkerContext,
    store: Store,
    record: BatchRecord,
    lines: Sequence[Line],
    person: Person,
) -> None:
    """Let these rows be asked once more, each with the values of the latest file.

    Each payment is read first. One that may still be paid is not asked again. `person` is stored.

    Raises:
        ConfigurationError: A payment may still be paid, may exist, or waits. Nothing is changed.
        VictorError: The provider cannot be read.
    """
    require_over(context.kind, lines)
    settings = context.settings.with_terms_of(record)
    stored = json.dumps(ProviderClock(context.client).sent_now())
    chunks = _chunks_of(context.kind, lines, record.terms["rate"])
    with store.transaction() as connection:
        refuse_held(connection)
        first = store.chunks_so_far(connection) + 1
        for number, chunk in enumerate(chunks, first):
            _ask(connection, context, store, record, chunk, store.chunk(number), stored)
            data = {**settings.new_chunk_terms(), "keys": [line.key for line in chunk]}
            enqueue(store, connection, store.chunk(number), data)
        present = store.present_record(connection) or record
        decided = replace(present, persons=[*present.persons, person])
        store.save_record(connection, decided, first - 1 + len(chunks))


def _chunks_of(
    kind: RowKind,
    lines: Sequence[Line],
    rate: float | None,
) -> list[list[Line]]:
    """Return the lines by chunk: those of one have in common what is sent together."""
    groups: dict[Hashable, list[Line]] = {}
    for line in lines:
        arguments = {} if line.latest is None else line.latest.arguments or {}
        groups.setdefault(kind.group(arguments), []).append(line)
    size = chunk_rows_for(rate, kind.rows_per_call)
    return [chunk for group in groups.values() for chunk in pages(group, size)]


def _ask(
    connection: Connection,
    context: WorkerContext,
    store: Store,
    record: BatchRecord,
    lines: Sequence[Line],
    chunk: str,
    stored: str,
) -> None:
    """Store the rows of a chunk in the place of what their payments were."""
    keys = [line.key for line in lines]
    payments = stored_payments(connection, store.owner, keys, lock=True)
    # What a file has brought meanwhile, or another person has asked for, was not read.
    present = present_lines(store, connection, keys)
    key_retention = context.settings.with_terms_of(record).key_retention_seconds
    for place, line in enumerate(lines):
        before = payments.get(line.key)
        if before is None or present.get(line.key) != line:
            raise ConfigurationError(_ASKED_MEANWHILE)
        asked = requested_payment(
            context.kind,
            context.vault,
            _latest_of(line),
            key_column=record.key_column,
            is_valid=True,
        )
        terms = PaymentTerms(
            kind=before.kind,
            key_retention=key_retention,
            stored=stored,
        )
        values = new_payment(store, asked, terms) | {
            "chunk": chunk,
            "place": place,
            "again": _tries_of(line, before),
            "allowed": True,
        }
        change = sa.update(PAYMENTS).where(store.has_key([line.key]))
        connection.execute(change.values(values))
        _forget_notice(store, connection, line.key)


def _tries_of(line: Line, before: StoredPayment) -> int:
    """Return how many keys a payment had before: one that was only refused keeps its own."""
    return before.again if line.result.outcome is RowOutcome.REFUSED else before.again + 1


def _latest_of(line: Line) -> Row:
    """Return the row of the latest file. Raises `ConfigurationError` if it was forgotten
    meanwhile.
    """
    row = line.latest
    if row is None or row.arguments is None:
        raise ConfigurationError(_ASKED_MEANWHILE)
    return row


def _forget_notice(
    store: Store,
    connection: Connection,
    key: str,
) -> None:
    """Take back what a line says of its payment: a person has decided."""
    change = sa.update(LINES).where(store.is_line(), LINES.c.key == key)
    connection.execute(
        change.values(
            code=None,
            message=None,
            row=None,
        )
    )


def _is_another_try(line: Line, stored: StoredPayment) -> bool:
    """Whether the payment was asked once more since the line was read: under its next key."""
    return line.row is None or line.row.again != stored.again


def _lacks_id(line: Line) -> bool:
    """Whether it was created, and nobody has said under which id."""
    return line.outcome is RowOutcome.CREATED and line.result.id is None


def _as_found(
    kind: RowKind,
    line: Line,
    result: Result,
) -> Result:
    """Return what a person has found, with what the provider says of it: of a payment that was sent
    with others, the id is that of what they were sent in.

    Raises:
        ConfigurationError: The id is missing, or names something that does not have the payment.
        VictorError: The provider cannot be read.
    """
    if not kind.unit_column or line.row is None or result.outcome is not RowOutcome.CREATED:
        return result
    value = value_of(line)
    if result.id is None:
        raise _refused_id(
            "required",
            f"{value} was sent with others: name what it is in. Without its {kind.unit_column}, no "
            "later step has it.",
        )
    parts = kind.unit_results(result.id, [line.row])
    if not parts:
        raise _refused_id("value", f"{result.id} does not list the payment {value}, or not yet.")
    return parts[0]._replace(error=result.error)


def _refused_id(code: str, message: str) -> ConfigurationError:
    return ConfigurationError.of([Problem("id", code, message)])


def resolve(
    kind: RowKind,
    store: Store,
    line: Line,
    outcome: RowOutcome,
    *,
    by: str,
    why: str,
    id: str | None,
) -> None:
    """Settle a payment of which nobody can tell whether it exists, by what a person has found; or
    add the id of one that was created.

    Of a restored one it is said whether another one was created since its backup, under a later
    key: it stays as it is stored, or is what was created.

    Raises:
        ConfigurationError: It is not in doubt, or a worker has it now; or the id is missing, or of
            something else.
    """
    reason = f"Resolved as {outcome} by {words_of(by)}: {words_of(why)}"
    found = _as_found(kind, line, Result(outcome, id, None, reason))
    adds_id = outcome is RowOutcome.CREATED and id is not None and _lacks_id(line)
    with store.transaction() as connection:
        before = stored_payments(connection, store.owner, [line.key], lock=True).get(line.key)
        _require_in_doubt(store, line, before, adds_id=adds_id)
        assert before is not None
        if not _may_be_asked_since(before):
            _save_resolved(store, connection, line.key, found, again=before.again)
        elif outcome is RowOutcome.REFUSED:
            _save_resolved(store, connection, line.key, None, again=before.again)
        else:
            again = before.again + 1 if before.state in _HAD_A_KEY else before.again
            _save_resolved(store, connection, line.key, found, again=again)


def _require_in_doubt(
    store: Store,
    line: Line,
    before: StoredPayment | None,
    *,
    adds_id: bool,
) -> None:
    """Raise `ConfigurationError` unless there is something to resolve, and nobody is at it."""
    value = value_of(line)
    is_open = before is not None and (
        adds_id or before.state in IN_DOUBT or _may_be_asked_since(before)
    )
    if before is None or not is_open:
        raise ConfigurationError(f"{value} is {line.outcome}: there is nothing to resolve.")
    if _is_another_try(line, before):
        raise ConfigurationError(_ASKED_MEANWHILE)
    if before.chunk is not None and active_chunks(store, [before.chunk]):
        raise ConfigurationError(f"{value} is being sent or looked up now: let that end first.")


def _may_be_asked_since(before: StoredPayment) -> bool:
    """Whether a settled payment may have been asked since the backup of the state."""
    return before.restored and before.state in ENDED


def _save_resolved(
    store: Store,
    connection: Connection,
    key: str,
    result: Result | None,
    *,
    again: int,
) -> None:
    """Store what a person has found of a payment; None: nothing but what is stored of it.

    From now on it has had so many keys before (`again`), and none of which is not known here.
    """
    known = {} if result is None else result_values(store.vault, result)
    change = sa.update(PAYMENTS).where(store.has_key([key]))
    connection.execute(change.values(**known, again=again, restored=False))
