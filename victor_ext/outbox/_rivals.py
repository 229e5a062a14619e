"""Whose is what was made: a response or a look-up names an id, and another entry may have it, or
may have made what it names.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from victor_ext import Done
from victor_ext._event_queue.databases import Condition, OfFewRows
from victor_ext._event_queue.rows import lock_texts
from victor_ext._event_queue.vault import Vault
from victor_ext._settlement.flow import PaymentOutcome, Settlement, why_not_its_own
from victor_ext._values.ids import canonical_id

from ._entries import IN_DOUBT, NOT_DONE, EntryState, is_surely_not_done, references_of
from ._policy import EntryPolicy
from ._sealing import ClearRow, clear_row, sealed_values
from ._storing import SentResult, is_readable, text_of_made


class Rivals:
    """Looks for others that have an id, or may have made what was found.

    Args:
        entries: The table of entries.
        vault: Encrypts and decrypts entries.
        policy: Of the entries.
    """

    def __init__(self, entries: sa.Table, vault: Vault, policy: EntryPolicy) -> None:
        self._entries = entries
        self._vault = vault
        self._policy = policy
        self._payments = policy.payments

    def entry_with_id(self, row: Any, id: str | None, connection: Connection) -> Any:
        """The row of another entry that has the id of what the write of this entry (a decrypted
        row) made; None: there is none. Until the transaction ends, nobody else stores the id.
        """
        text = text_of_made(row, id)
        if text is None:
            return None
        lock_texts(connection, self._entries, [text])
        has_id = self._entries.c.request_id == canonical_id(id)
        for other in self._others(row, has_id, connection):
            if text_of_made(other, id) is not None:
                return other
        return None

    def store_results(self, connection: Connection, results: Sequence[SentResult]) -> bool:
        """Store each result, unless its entry is sent already. Returns whether all were stored;
        none is, if two of them or another entry have one id.

        All results have the same columns.
        """
        made = {result.values["request_id"]: result.made for result in results if result.made}
        if made:
            lock_texts(connection, self._entries, made.values())
            is_double = len(made) < sum(result.made is not None for result in results)
            if is_double or self._has_one_of(made, connection):
                return False
        columns, names = self._entries.c, [*results[0].values]
        new = {name: sa.bindparam(f"new_{name}", type_=columns[name].type) for name in names}
        is_open = sa.and_(columns.id == sa.bindparam("of_id"), columns.state != EntryState.SENT)
        rows: list[dict[str, Any]] = []
        for result in results:
            values = sealed_values(self._vault, result.values)
            row = {f"new_{name}": value for name, value in values.items()}
            rows.append({"of_id": result.id, **row})
        statement = sa.update(self._entries).where(is_open).values(new)
        return bool(connection.execute(statement, rows).rowcount == len(rows))

    def _has_one_of(self, ids: Collection[str], connection: Connection) -> bool:
        """Whether an entry, or something beside them, has one of these ids, of whatever system and
        operation.
        """
        has_one = self._entries.c.request_id.in_(ids)
        if connection.execute(sa.select(self._entries.c.id).where(has_one).limit(1)).first():
            return True
        return self._payments.holder_of(connection, ids) is not None

    def unless_of_another(
        self, row: Any, settlement: Settlement, connection: Connection
    ) -> Settlement:
        """The settlement of an entry, or one in doubt if what its response or its look-up names
        settles another entry; or, of a look-up, if another entry may have made it.
        """
        if settlement.request is None:
            return settlement
        other_name = self._other_with_id(row, settlement.request.id, connection)
        if other_name is not None:
            why = why_not_its_own(
                settlement.request.id, self._payments.name(connection, row.key), other_name
            )
            return Settlement(PaymentOutcome.UNKNOWN, reason=why, looked_up=True)
        otherwise = settlement.unless_mine
        if otherwise is not None and self._has_rival(row, settlement.request, connection):
            return otherwise
        return settlement

    def _other_with_id(self, row: Any, id: str | None, connection: Connection) -> str | None:
        """What people call another entry that has this id, or what has it beside the entries; None:
        nothing has it.
        """
        other = self.entry_with_id(row, id, connection)
        if other is not None:
            return self._payments.name(connection, other.key)
        own_id = canonical_id(id)
        return None if own_id is None else self._payments.holder_of(connection, [own_id])

    def _has_rival(self, row: Any, found: Done, connection: Connection) -> bool:
        """Whether what a look-up has found may be that of another entry, which may have been sent
        and is not settled.

        Such an entry has one of the references, or, where the look-up does not go by them, nothing
        that was compared tells the two apart.
        """
        columns, references = self._entries.c, references_of(row)
        is_by_subject = row.prepared.is_found_by_subject
        is_unsettled = OfFewRows(columns.state.in_([*IN_DOUBT, *NOT_DONE]))
        chosen = sa.and_(is_unsettled, sa.not_(is_surely_not_done(columns)))
        if is_by_subject:
            has_several = columns.more_references.is_not(None)
            chosen = sa.and_(chosen, sa.or_(columns.reference.in_(references), has_several))
        for other in self._others(row, chosen, connection):
            if not references.isdisjoint(references_of(other)):
                return True
            if is_by_subject:
                continue
            if not is_readable(other) or row.prepared.is_like(other.prepared, found.compared):
                return True
        return False

    def _others(self, row: Any, chosen: Condition, connection: Connection) -> Iterator[ClearRow]:
        """The other chosen entries of the same operation."""
        owner = self._policy.owner
        is_other = sa.and_(self._entries.c.id != row.id, owner == getattr(row, owner.key), chosen)
        for stored in connection.execute(sa.select(self._entries).where(is_other)):
            other = clear_row(self._vault, stored)
            if _are_of_one_operation(other, row):
                yield other


def _are_of_one_operation(row: ClearRow, other: ClearRow) -> bool:
    """Whether two entries call one operation of the provider, each by a name of its own, such as
    the method and the generated function.
    """
    if row.operation == other.operation:
        return True
    are_readable = is_readable(row) and is_readable(other)
    return are_readable and bool(row.prepared.operation == other.prepared.operation)
