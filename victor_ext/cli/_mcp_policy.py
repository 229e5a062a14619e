"""What `victor mcp allow` permits, and what was asked for: two tables beside those of an outbox.

They are of the account and environment that the entries of the outbox belong to. A check holds if
nobody else asks between it and the new entry, so it is made in the transaction of `Policy.locked`,
which adds the entry.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection

from victor_ext._event_queue.databases import (
    DatabaseTime,
    create_tables,
    database_time,
    table_of,
)
from victor_ext._event_queue.rows import insert_once, lock_texts, put_rows
from victor_ext._values.ids import skeleton_of
from victor_ext.outbox import EntryState, Outbox

from ._failures import Misuse

RECENT = timedelta(days=7)
"""How long a request counts as recent: another one of the payer for the same amount is refused."""
NOT_DONE = (EntryState.REJECTED, EntryState.REFUSED)
"""The states of entries of which nothing was done, unless they are restored."""
_DAY = 86_400


class Allowed(NamedTuple):
    """What the operator has fixed. Limits are in US dollars."""

    payee_account_number: str
    biller_type: str
    payers: list[str]
    payment_limit: str
    day_limit: str


class Policy:
    """The permissions of an outbox, and the requests that were stored under them.

    Args:
        engine: That of the database. Each statement sees what was committed before it.
        box: The outbox.
    """

    def __init__(self, engine: sa.Engine, box: Outbox) -> None:
        name, metadata = box.table.fullname, sa.MetaData()
        if engine.dialect.name == "postgresql":  # whatever the database is set to
            engine = engine.execution_options(isolation_level="READ COMMITTED")
        self.engine = engine
        self.box = box
        self._metadata = metadata
        self.table = table_of(
            f"{name}_mcp",
            metadata,
            sa.Column("id", sa.Integer, primary_key=True),
            sa.Column("terms", sa.Text, nullable=False),
        )
        self._requests = table_of(
            f"{name}_mcp_requests",
            metadata,
            sa.Column("spelling", sa.String(64), primary_key=True),  # one for all of an invoice
            sa.Column("invoice", sa.String(64), nullable=False),
            sa.Column("key", sa.String(128), nullable=False),
            sa.Column("payer", sa.String(64), nullable=False, index=True),
            sa.Column("cents", sa.BigInteger, nullable=False),
            sa.Column("by_hand", sa.Boolean, nullable=False),
            sa.Column("stored_at", sa.Double, nullable=False, index=True),
        )

    def allow(self, allowed: Allowed) -> None:
        """Store what is permitted, in place of what was. Makes both tables, unless they exist."""
        row = {"id": 1, "terms": json.dumps(allowed._asdict())}
        with self.engine.begin() as connection:
            create_tables(self._metadata, connection)
            put_rows(connection, self.table, [row], ["id"])

    def exists(self) -> bool:
        """Whether the operator has permitted anything."""
        return sa.inspect(self.engine).has_table(self.table.name, schema=self.table.schema)

    @contextmanager
    def locked(self) -> Generator[tuple[Connection, Allowed]]:
        """Open a transaction in which nobody else asks, with what is permitted."""
        with self.engine.begin() as connection:
            # Without its schema: another server may leave that out.
            lock_texts(connection, self.table, [self.table.name])
            terms = connection.execute(sa.select(self.table.c.terms)).scalar_one()
            yield connection, Allowed(**json.loads(terms))

    def asked_today(self, connection: Connection) -> Decimal:
        """Return the sum of what was asked for since midnight, UTC, by the clock of the database.
        It counts unless it is certain that nothing was done, or a person decides about it.
        """
        requests, entries = self._requests.c, self.box.table.c
        midnight = database_time(connection) // _DAY * _DAY
        cents = sa.func.coalesce(sa.func.sum(requests.cents), 0)
        query = sa.select(cents).select_from(self._with_entries())
        # Of a request without an entry any more, `restored` is NULL, which is not false.
        is_not_done = sa.and_(entries.state.in_(NOT_DONE), entries.restored.is_(False))
        query = query.where(requests.stored_at >= midnight, requests.by_hand.is_(False))
        query = query.where(sa.not_(is_not_done))
        return Decimal(int(connection.execute(query).scalar_one())) / 100

    def similar(self, connection: Connection, payer: str, amount: Decimal) -> str | None:
        """Return the invoice of a request of the same amount that this payer had recently, or
        that is not settled; None: there is none. Of one that was not sent, a person may yet decide
        that it is, or has asked by hand.
        """
        requests, entries = self._requests.c, self.box.table.c
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
        invoice = arguments["client_reference_id"]
        insert_once(
            connection,
            self._requests,
            spelling=skeleton_of(invoice),
            invoice=invoice,
            key=arguments["idempotency_key"],
            payer=arguments["payer_counterparty_id"],
            cents=_cents(Decimal(arguments["amount"])),
            by_hand=by_hand,
            stored_at=DatabaseTime(),
        )

    def is_by_hand(self, connection: Connection, invoice: str) -> bool | None:
        """Return whether a person decides about the request of an invoice; None: nobody has asked
        for it here. Raises `Misuse` for another spelling of one that somebody has asked for.
        """
        columns = self._requests.c
        query = sa.select(columns.invoice, columns.by_hand)
        query = query.where(columns.spelling == skeleton_of(invoice))
        noted = connection.execute(query).first()
        if noted is None:
            return None
        if noted.invoice != invoice:
            raise Misuse(
                f"{invoice} is another spelling of {noted.invoice}, and one invoice is one "
                f"payment: go on with {noted.invoice}."
            )
        return bool(noted.by_hand)

    def _with_entries(self) -> Any:
        is_entry = self.box.table.c.key == self._requests.c.key
        return self._requests.outerjoin(self.box.table, is_entry)


def _cents(amount: Decimal) -> int:
    return int(amount * 100)
