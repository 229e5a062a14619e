"""What `victor mcp allow` permits, and what was asked for: two tables beside those of an outbox.

A check holds if nobody else asks between it and the new entry. So `Policy.lock` comes first in the
transaction that adds the entry, and lets one transaction at a time go on.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection

from victor_ext._event_queue.databases import (
    DatabaseTime,
    create_tables,
    database_time,
    split_name,
    table_of,
)
from victor_ext._event_queue.rows import insert_once, lock_texts, put_rows
from victor_ext.outbox import EntryState, Owner

RECENT = timedelta(days=7)
"""How long a request counts as recent: another one of the payer for the same amount is refused."""
PAYER = "[A-Za-z0-9][A-Za-z0-9._-]{0,59}"
"""The pattern of a payer whom a model can name."""
_NOT_DONE = (EntryState.REJECTED, EntryState.REFUSED)
_DAY = 86_400


class Allowed(NamedTuple):
    """What the operator has fixed for one account of one environment. Limits are in US dollars."""

    payee_account_number: str
    biller_type: str
    payers: list[str]
    payment_limit: str
    day_limit: str


class Policy:
    """The permissions of an outbox, and the requests that were stored under them.

    Args:
        entries: The table of the outbox.
    """

    def __init__(self, entries: sa.Table) -> None:
        name, metadata = entries.fullname, sa.MetaData()
        _, own_name = split_name(name)
        self._entries = entries
        self._metadata = metadata
        self.table = table_of(
            f"{name}_mcp",
            metadata,
            sa.Column("environment", sa.String(200), primary_key=True),
            sa.Column("account", sa.String(128), primary_key=True),
            sa.Column("terms", sa.Text, nullable=False),
        )
        self._requests = table_of(
            f"{name}_mcp_requests",
            metadata,
            sa.Column("key", sa.String(128), primary_key=True),
            sa.Column("invoice", sa.String(64), nullable=False),
            sa.Column("payer", sa.String(64), nullable=False),
            sa.Column("cents", sa.BigInteger, nullable=False),
            sa.Column("by_hand", sa.Boolean, nullable=False),
            sa.Column("stored_at", sa.Double, nullable=False),
            sa.Index(f"ix_{own_name}_mcp_stored_at", "stored_at"),
            sa.Index(f"ix_{own_name}_mcp_payer", "payer", "cents"),
        )

    def create_tables(self, connection: Connection) -> None:
        """Make both tables, unless they exist."""
        create_tables(self._metadata, connection)

    def allow(self, connection: Connection, owner: Owner, allowed: Allowed) -> None:
        """Store what is permitted, in place of what was."""
        identity = _identity_of(owner)
        row = {**identity, "terms": json.dumps(allowed._asdict())}
        put_rows(connection, self.table, [row], [*identity])

    def lock(self, connection: Connection, owner: Owner) -> Allowed | None:
        """Return what is permitted; None: nothing is. Nobody else gets an answer before this
        transaction ends.
        """
        if not self._is_there(connection):
            return None
        # Without its schema: another server may leave that out.
        lock_texts(connection, self.table, [self.table.name])
        columns = self.table.c
        query = sa.select(columns.terms)
        for name, value in _identity_of(owner).items():
            query = query.where(columns[name] == value)
        terms = connection.execute(query).scalar()
        return None if terms is None else Allowed(**json.loads(terms))

    def asked_today(self, connection: Connection) -> Decimal:
        """Return the sum of what was asked for since midnight, UTC, by the clock of the database.
        It counts unless it is certain that nothing was done, or a person decides about it.
        """
        requests, entries = self._requests.c, self._entries.c
        midnight = database_time(connection) // _DAY * _DAY
        cents = sa.func.coalesce(sa.func.sum(requests.cents), 0)
        query = sa.select(cents).select_from(self._with_entries())
        # Of a request without an entry any more, `restored` is NULL, which is not false.
        is_not_done = sa.and_(entries.state.in_(_NOT_DONE), entries.restored.is_(False))
        query = query.where(requests.stored_at >= midnight, requests.by_hand.is_(False))
        query = query.where(sa.not_(is_not_done))
        return Decimal(int(connection.execute(query).scalar_one())) / 100

    def similar(self, connection: Connection, payer: str, amount: Decimal) -> str | None:
        """Return the invoice of a request of the same amount that this payer had recently, or
        that is not settled; None: there is none. Of one that was not sent, a person may yet decide
        that it is, or has asked by hand.
        """
        requests, entries = self._requests.c, self._entries.c
        since = database_time(connection) - RECENT.total_seconds()
        is_same = sa.and_(requests.payer == payer, requests.cents == _cents(amount))
        is_open = sa.or_(entries.ended.is_(False), entries.state == EntryState.UNCLEAR)
        query = sa.select(requests.invoice).select_from(self._with_entries())
        query = query.where(is_same, sa.or_(requests.stored_at >= since, is_open))
        query = query.order_by(requests.by_hand, requests.stored_at.desc())
        invoice: str | None = connection.execute(query).scalar()
        return invoice

    def note(self, connection: Connection, arguments: Mapping[str, str], *, by_hand: bool) -> None:
        """Note a request that this transaction adds, or that a person decides about, unless it is
        noted. Nothing deletes this.
        """
        insert_once(
            connection,
            self._requests,
            key=arguments["idempotency_key"],
            invoice=arguments["client_reference_id"],
            payer=arguments["payer_counterparty_id"],
            cents=_cents(Decimal(arguments["amount"])),
            by_hand=by_hand,
            stored_at=DatabaseTime(),
        )

    def is_by_hand(self, connection: Connection, key: str) -> bool | None:
        """Return whether a person decides about the request with this key; None: nobody has asked
        for it here.
        """
        if not self._is_there(connection):
            return None
        query = sa.select(self._requests.c.by_hand).where(self._requests.c.key == key)
        by_hand: bool | None = connection.execute(query).scalar()
        return by_hand

    def _is_there(self, connection: Connection) -> bool:
        return sa.inspect(connection).has_table(self.table.name, schema=self.table.schema)

    def _with_entries(self) -> Any:
        is_entry = self._entries.c.key == self._requests.c.key
        return self._requests.outerjoin(self._entries, is_entry)


def _identity_of(owner: Owner) -> dict[str, str]:
    account = owner.accounts[0] if owner.accounts else ""
    return {"environment": owner.environment, "account": account}


def _cents(amount: Decimal) -> int:
    return int(amount * 100)
