"""Whose is what was made: a response or a look-up names an id, and another entry may have it, or
may have made what it names.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from victor_ext import Done
from victor_ext._event_queue.databases import Condition
from victor_ext._event_queue.rows import lock_texts
from victor_ext._event_queue.vault import Vault
from victor_ext._settlement.flow import PaymentOutcome, Settlement, why_not_its_own
from victor_ext._values.ids import canonical_id

from ._entries import IN_DOUBT, EntryState
from ._policy import EntryPolicy
from ._sealing import ClearRow, clear_row, sealed_values
from ._storing import SentResult, is_readable, text_of_made
from ._tables import OutboxTables


class Rivals:
    """Looks for others that have an id, or may have made what was found.

    Args:
        tables: Of the outbox.
        vault: Encrypts and decrypts entries.
        policy: Of the entries.
    """

    def __init__(self, tables: OutboxTables, vault: Vault, policy: EntryPolicy) -> None:
        self._entries = tables.entries
        self._references = tables.references
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
        columns = self._entries.c
        is_other = sa.and_(self._policy.beside(row), columns.id != row.id)
        query = sa.select(self._entries).where(is_other, columns.request_id == canonical_id(id))
        for stored in connection.execute(query):
            other = clear_row(self._vault, stored)
            if _make_one_kind(other, row) and text_of_made(other, id) is not None:
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
        rows: list[dict[str, Any]] = []
        for result in results:
            values = sealed_values(self._vault, result.values)
            row = {f"new_{name}": value for name, value in values.items()}
            rows.append({"of_id": result.id, **row})
        statement = _storing_result(self._entries, tuple(results[0].values))
        return bool(connection.execute(statement, rows).rowcount == len(rows))

    def _has_one_of(self, ids: Collection[str], connection: Connection) -> bool:
        """Whether an entry, or something beside them, has one of these ids, of whatever system and
        kind.
        """
        query = _entry_with_one_of(self._entries)
        if connection.execute(query, {"ids": [*ids]}).first() is not None:
            return True
        return self._payments.has_one_of(connection, ids)

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
        return None if own_id is None else self._payments.holder_of(connection, own_id)

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
        return self._payments.has_rival(connection, row.key, references)

    def _in_doubt_beside(
        self, row: Any, chosen: Condition, connection: Connection
    ) -> Iterator[ClearRow]:
        """The chosen entries of the same operation that may have been sent, and are not settled."""
        columns = self._entries.c
        may_exist = sa.or_(columns.state.in_(IN_DOUBT), columns.restored)
        is_other = sa.and_(columns.id != row.id, self._policy.beside(row), chosen, may_exist)
        for stored in connection.execute(sa.select(self._entries).where(is_other)):
            other = clear_row(self._vault, stored)
            if _are_of_one_operation(other, row):
                yield other


def _make_one_kind(row: ClearRow, other: ClearRow) -> bool:
    """Whether two entries make things of one kind, whose ids differ. Of an entry that was
    forgotten, what was called counts alone.
    """
    if is_readable(row) and is_readable(other):
        return not _kinds_made(row).isdisjoint(_kinds_made(other))
    return bool(row.operation == other.operation)


def _are_of_one_operation(row: ClearRow, other: ClearRow) -> bool:
    """Whether two entries call one operation of the provider, each by a name of its own, such as
    the method and the generated function.
    """
    if row.operation == other.operation:
        return True
    are_readable = is_readable(row) and is_readable(other)
    return are_readable and bool(row.prepared.operation == other.prepared.operation)


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


# Made once: to make a statement takes as long as the database does.


@lru_cache
def _entry_with_one_of(table: sa.Table) -> sa.Select[Any]:
    """The query for an entry that has one of the `ids`."""
    ids = sa.bindparam("ids", expanding=True, type_=table.c.request_id.type)
    return sa.select(table.c.id).where(table.c.request_id.in_(ids)).limit(1)


@lru_cache
def _storing_result(table: sa.Table, names: tuple[str, ...]) -> sa.Update:
    """The statement that stores new values of these columns, unless the entry is sent already."""
    columns = table.c
    is_open = sa.and_(columns.id == sa.bindparam("of_id"), columns.state != EntryState.SENT)
    new = {name: sa.bindparam(f"new_{name}", type_=columns[name].type) for name in names}
    return sa.update(table).where(is_open).values(new)
