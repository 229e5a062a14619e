"""Results of several entries, stored by one statement.

Only a result that comes from the entry's own call can be stored in this way. It counts whichever
worker holds the entry, so that no row has to be read before.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from victor_ext.settlement.flow import PaymentOutcome, Settlement

from .entries import Entry, EntryState, done_values, entry_of
from .sealing import ClearRow


@dataclass(frozen=True, slots=True)
class SentResult:
    """The new column values of an entry that was sent, and the entry with these values."""

    id: int
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
    return SentResult(row.id, values, entry)


def store_results(
    table: sa.Table, connection: sa.Connection, results: Sequence[SentResult]
) -> bool:
    """Store each result, unless its entry is sent already. Returns whether all were stored.

    All results have the same columns.
    """
    columns = table.c
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
