"""Results of several entries, stored by one statement; and what an entry has made, by whose id no
other entry is settled.

Only a result that comes from the entry's own call can be stored in this way. It counts whichever
worker holds the entry, so that no row of it has to be read before.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from victor_ext.event_queue.rows import lock_texts
from victor_ext.ids import canonical_id
from victor_ext.settlement.flow import PaymentOutcome, Settlement

from .digests import is_forgotten
from .entries import Entry, EntryState, done_values, entry_of
from .sealing import ClearRow, is_sealed


def _is_readable(row: ClearRow) -> bool:
    """Whether the call of an entry can be read: it is neither encrypted nor forgotten."""
    return not is_sealed(row.call) and not is_forgotten(row.call)


def make_one_kind(row: ClearRow, other: ClearRow) -> bool:
    """Whether two entries make things of one kind, whose ids differ. Of an entry that cannot be
    read, what was called counts alone.
    """
    if _is_readable(row) and _is_readable(other):
        return not _kinds_made(row).isdisjoint(_kinds_made(other))
    return bool(row.operation == other.operation)


def _kinds_made(row: ClearRow) -> set[tuple[str | None, ...]]:
    """The names of what an entry makes: what was called, and the path of what is made; each with
    the ids in that path, since ids may count from 1 for each parent.
    """
    path: str = row.prepared.operation
    ids = [canonical_id(id) for id in row.prepared.ids]
    # EastPay's payments and the refunds of one, which are payments, too.
    made_at = path.removesuffix("/{}")
    parents = ids if made_at == path else ids[:-1]
    return {(row.operation, *parents), (made_at, *parents)}


def text_of_made(row: ClearRow, id: str | None) -> str | None:
    """The text by which the id of what an entry has made is locked; None: it made nothing. Of an
    entry that cannot be read, an id counts as that of what it made.
    """
    own_id = canonical_id(id)
    if own_id is None or (_is_readable(row) and not row.prepared.makes(own_id)):
        return None
    return f"{row.provider} {own_id}"


@dataclass(frozen=True, slots=True)
class SentResult:
    """The new column values of an entry that was sent, and the entry with these values.

    `made` is as of `text_of_made`.
    """

    id: int
    made: str | None
    values: Mapping[str, Any] = field(repr=False)
    entry: Entry = field(repr=False)


def result_of(row: ClearRow, settlement: Settlement) -> SentResult | None:
    """The result of an entry whose own call was done; None: its settlement comes from a look-up, or
    is another one, and has to be compared with other entries before it is stored.
    """
    if settlement.outcome is not PaymentOutcome.CREATED or settlement.looked_up:
        return None
    values = done_values(settlement.request, row.prepared)
    entry = entry_of(row.with_values(values))
    made = text_of_made(row, settlement.request.id)
    return SentResult(row.id, made, values, entry)


def store_results(
    table: sa.Table, connection: sa.Connection, results: Sequence[SentResult]
) -> bool:
    """Store each result, unless its entry is sent already. Returns whether all were stored; none
    is, if two of them or another entry have one id.

    All results have the same columns.
    """
    columns = table.c
    made = {result.values["request_id"]: result.made for result in results if result.made}
    if made:
        lock_texts(connection, table, made.values())
        has_id = sa.select(columns.id).where(columns.request_id.in_(made)).limit(1)
        is_double = len(made) < sum(result.made is not None for result in results)
        if is_double or connection.execute(has_id).first() is not None:
            return False
    is_open = sa.and_(columns.id == sa.bindparam("of_id"), columns.state != EntryState.SENT.value)
    new: dict[str, Any] = {}
    for name in results[0].values:
        new[name] = sa.bindparam(f"new_{name}", type_=columns[name].type)
    rows: list[dict[str, Any]] = []
    for result in results:
        row = {f"new_{name}": value for name, value in result.values.items()}
        rows.append({"of_id": result.id, **row})
    stored = connection.execute(sa.update(table).where(is_open).values(new), rows)
    return bool(stored.rowcount == len(rows))
