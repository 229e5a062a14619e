"""Whose is what was made: a response or a look-up names an id, and another entry may have it, or
may have made what it names.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from victor_ext import Done
from victor_ext.event_queue.databases import Condition
from victor_ext.event_queue.rows import lock_texts
from victor_ext.ids import canonical_id
from victor_ext.settlement.flow import PaymentOutcome, Settlement, why_not_its_own

from .entries import IN_DOUBT
from .policy import EntryPolicy
from .sealing import ClearRow, Sealing
from .storing import (
    are_of_one_operation,
    entry_with_one_of,
    is_readable,
    make_one_kind,
    text_of_made,
)
from .tables import OutboxTables


class Rivals:
    """Looks for others that have an id, or may have made what was found.

    Args:
        tables: Of the outbox.
        sealing: Decrypts entries.
        policy: Of the entries.
    """

    def __init__(self, tables: OutboxTables, sealing: Sealing, policy: EntryPolicy) -> None:
        self._entries = tables.entries
        self._references = tables.references
        self._sealing = sealing
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
        columns = self._entries.c
        is_other = sa.and_(self._policy.beside(row), columns.id != row.id)
        query = sa.select(self._entries).where(is_other, columns.request_id == canonical_id(id))
        for stored in connection.execute(query):
            other = self._sealing.decrypted_row(stored, may_stay_sealed=True)
            if make_one_kind(other, row) and text_of_made(other, id) is not None:
                return other
        return None

    def has_one_of(self, ids: Collection[str], connection: Connection) -> bool:
        """Whether an entry, or something beside them, has one of these ids, of whatever system and
        kind.
        """
        query = entry_with_one_of(self._entries)
        if connection.execute(query, {"ids": [*ids]}).first() is not None:
            return True
        return self._payments is not None and self._payments.has_one_of(connection, ids)

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
            why = why_not_its_own(settlement.request.id, self._name(row, connection), other_name)
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
            return self._name(other, connection)
        own_id = canonical_id(id)
        if own_id is None or self._payments is None:
            return None
        return self._payments.holder_of(connection, own_id)

    def _name(self, row: Any, connection: Connection) -> str:
        """What people call an entry."""
        if self._payments is None:
            return str(row.key)
        return self._payments.name(connection, row.key)

    def _has_rival(self, row: Any, found: Done, connection: Connection) -> bool:
        """Whether what a look-up has found may be that of another entry, which may have been sent
        and is not settled, or of something beside the entries.

        Such an entry has one of the references, or, where the look-up does not go by them, nothing
        that was compared tells the two apart.
        """
        columns, others = self._entries.c, self._references.c
        references, digests = self._policy.references(row)
        with_reference = sa.union_all(
            sa.select(columns.key).where(columns.reference.in_(references)),
            sa.select(others.key).where(others.digest.in_(digests)),
        )
        if any(self._in_doubt_beside(row, columns.key.in_(with_reference), connection)):
            return True
        if not row.prepared.is_found_by_subject:
            for other in self._in_doubt_beside(row, sa.true(), connection):
                if not is_readable(other) or row.prepared.is_like(other.prepared, found.compared):
                    return True
        payments = self._payments
        return payments is not None and payments.has_rival(connection, row.key, references)

    def _in_doubt_beside(
        self, row: Any, chosen: Condition, connection: Connection
    ) -> Iterator[ClearRow]:
        """The chosen entries of the same operation that may have been sent, and are not settled."""
        columns = self._entries.c
        may_exist = sa.or_(columns.state.in_(IN_DOUBT), columns.restored)
        is_other = sa.and_(columns.id != row.id, self._policy.beside(row), chosen, may_exist)
        for stored in connection.execute(sa.select(self._entries).where(is_other)):
            other = self._sealing.decrypted_row(stored, may_stay_sealed=True)
            if are_of_one_operation(other, row):
                yield other
