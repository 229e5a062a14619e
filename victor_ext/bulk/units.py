"""The calls of rows (`Calls`), and the rows that are sent in one call, such as the payments of a
payout: a unit.

A unit that waits is taken apart when one of its rows is replaced or left out, and the others are
sent in a new one. What the provider says of each row of a unit is read after the unit was sent
(`read_row_results`).
"""

from __future__ import annotations

import uuid
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from victor_ext.event_queue.rows import change_rows
from victor_ext.outbox.files import ENTRIES, FileTerms, entry_values, put_entries, remove_entries

from .payments import ASKED, PAYMENT_COLUMNS, WITH_ENTRIES, pages
from .row_kind import RowKind
from .rows import Arguments, own_values, row_of
from .store import Store
from .vault import Vault


@dataclass(frozen=True, slots=True)
class Calls:
    """Makes the entries for rows of one kind.

    Attributes:
        terms: What the entries have in common.
    """

    kind: RowKind
    vault: Vault
    terms: FileTerms

    @property
    def are_shared(self) -> bool:
        """Whether several rows are sent in one call."""
        return self.kind.rows_per_call > 1

    def for_row(self, arguments: Arguments, key: str) -> dict[str, Any]:
        """Return the columns of the entry that sends one row, with their values, from its stored
        arguments. Raises `InvalidRequest`.
        """
        return self.for_rows([arguments], key)

    def for_rows(self, rows: Sequence[Arguments], key: str) -> dict[str, Any]:
        """As `for_row`, of the entry that sends these rows in one call."""
        checked = [self.kind.checked_arguments(arguments) for arguments in rows]
        call = self.kind.call_for(checked, key)
        look_up_by = self.kind.look_up_by(checked[0])
        return entry_values(call, self.kind.client, key, self.vault, self.terms, look_up_by)


def take_from_entries(
    connection: Connection, store: Store, calls: Calls, keys: Sequence[str]
) -> None:
    """Let payments that wait be asked for by no entry. The other rows of their units get new ones.

    The payments are without a state then, until the caller stores one.
    """
    columns = ASKED.c
    query = sa.select(columns.entry).select_from(WITH_ENTRIES)
    waits = ENTRIES.c.state.in_(["waiting"] if calls.are_shared else ["waiting", "refused"])
    entries = list(connection.execute(query.where(store.has_key(keys), waits)).scalars())
    others: list[Any] = []
    if calls.are_shared and entries:
        own = (ENTRIES.c.sender, ENTRIES.c.kept, ENTRIES.c.batch.label("entry_batch"))
        shared = sa.select(*PAYMENT_COLUMNS, *own).select_from(WITH_ENTRIES)
        in_units = sa.and_(columns.owner == store.owner, columns.entry.in_(entries))
        others = [*connection.execute(shared.where(in_units, columns.key.not_in(keys))).all()]
    for page in pages(entries):
        remove_entries(connection, store.owner, page)
    is_in_units = sa.and_(store.has_key(keys), columns.entry.in_(entries))
    change_rows(connection, ASKED, is_in_units, entry=None)
    by_terms: dict[FileTerms, dict[str, Arguments]] = {}
    for payment in others:
        terms = FileTerms(store.owner, payment.sender, payment.entry_batch, payment.kept)
        arguments = row_of(store.vault, payment).arguments or {}
        by_terms.setdefault(terms, {})[payment.key] = arguments
    for terms, rows in by_terms.items():
        put_units(connection, store, replace(calls, terms=terms), rows)


def put_units(
    connection: Connection, store: Store, calls: Calls, rows: Mapping[str, Arguments]
) -> None:
    """Store the entries that ask for payments in as few calls as they take. `rows` has what each
    asks for, by its key.
    """
    groups: dict[Hashable, list[str]] = {}
    for key, arguments in rows.items():
        groups.setdefault(calls.kind.group(arguments), []).append(key)
    for group in groups.values():
        for keys in pages(group, calls.kind.rows_per_call):
            put_unit(connection, store, calls, {key: rows[key] for key in keys})


def put_unit(
    connection: Connection,
    store: Store,
    calls: Calls,
    rows: Mapping[str, Arguments],
    since: Mapping[str, Any] = MappingProxyType({}),
) -> None:
    """Store the entry that asks for payments in one call. `rows` is as of `put_units`, and `since`
    as of `sent_since`, for payments that may have been sent.
    """
    key = str(uuid.uuid4())  # it is not sent: what takes several rows takes no key
    entry = {**calls.for_rows([*rows.values()], key), **since}
    put_entries(connection, [entry])
    change_rows(connection, ASKED, store.has_key([*rows]), entry=key)


def undecided_units(connection: Connection, store: Store) -> Mapping[str, list[Any]]:
    """Return the payments of the batch whose unit was sent, and of which the provider has not said
    yet whether it accepts them, by the id of the unit.
    """
    columns = ASKED.c
    query = sa.select(*PAYMENT_COLUMNS).select_from(WITH_ENTRIES)
    was_sent = sa.and_(ENTRIES.c.state == "sent", ENTRIES.c.request_id.is_not(None))
    is_own = sa.and_(columns.owner == store.owner, columns.account == store.account)
    is_open = sa.and_(is_own, columns.shared, columns.state.is_(None))
    if store.batch:
        is_open = sa.and_(is_open, columns.batch == store.batch)
    units: dict[str, list[Any]] = {}
    for payment in connection.execute(query.where(is_open, was_sent).order_by(columns.key)):
        units.setdefault(payment.request_id, []).append(payment)
    return units


def read_row_results(store: Store, kind: RowKind) -> int:
    """Read what the provider says of each row of the units that were sent, and store it. Returns
    how many units it has not decided about yet.

    Raises `VictorError`.
    """
    with store.engine.connect() as connection:
        units = undecided_units(connection, store)
    undecided = 0
    for unit, payments in units.items():
        rows = [row_of(store.vault, payment) for payment in payments]
        results = kind.unit_results(unit, rows)
        if results is None:
            undecided += 1
            continue
        with store.transaction() as connection:
            for payment, result in zip(payments, results, strict=True):
                is_open = sa.and_(
                    store.has_key([payment.key]),
                    ASKED.c.state.is_(None),
                    ASKED.c.entry == payment.entry,
                )
                change_rows(connection, ASKED, is_open, **own_values(store.vault, result))
    return undecided
