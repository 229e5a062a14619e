"""The outboxes of a database: one with blocking and one with awaited calls. What they do is in `passes`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from types import ModuleType
from typing import TYPE_CHECKING, Any, Unpack

import sqlalchemy as sa
from sqlalchemy.orm import Session

from victor_ext.event_queue.queue import AwaitedQueue, BlockingQueue
from victor_ext.settlement.arguments import PaymentRequestArguments

from .entries import OutboxEvent
from .passes import OutboxBase, check_session

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession  # noqa: F401 - a text names it


class Outbox(OutboxBase[sa.Engine], BlockingQueue[sa.Engine, OutboxEvent]):
    """The outbox of one database: SQLite or PostgreSQL. Safe to share between threads, and to use in several workers.

    None of its methods closes the client, `victor`.

    Args:
        engine: An SQLAlchemy engine of the database that has your invoices.
        client: The client whose writes `add_call` stores, and that `send` sends with, unless it is given another one.
        keys_kept: How long the provider keeps an idempotency key. It does not document this: ask, and set it.
        lease: How long an entry is a worker's before another one takes it up: at least the client's deadline, and the
            same for all workers.
        settle_for: How long a write is looked up that may have been sent and is not sent again, before it is `unclear`:
            longer than the provider's lists lag.
        table: The name of the outbox's table.
    """

    def create_table(self) -> None:
        """Make the tables, unless they exist. With migrations of your own, take `outbox.table.metadata` into them."""
        self.table.metadata.create_all(self._engine)

    def add(self, session: Session | sa.Connection, **arguments: Unpack[PaymentRequestArguments]) -> None:
        """Store a request in your transaction. It is sent after the commit, and discarded by a rollback.

        The same arguments under the same key are stored once.

        Args:
            session: Your session or connection.
            payee_account_number: The account that receives the money.
            payer_counterparty_id: The counterparty that pays.
            amount: US dollars as Decimal, text or int, above zero, with at most two decimals.
            biller_type: `"BUSINESS"` or `"CONSUMER"`.
            due_date: A date or `YYYY-MM-DD`, at most 24 hours ahead.
            ultimate_creditor: The final recipient, only with `"BUSINESS"`.
            amount_modification_allowed: Whether the payer may pay another amount.
            notes: Notes for the payer.
            client_reference_id: Your reference, such as the number of the invoice. It is required.
            idempotency_key: One key for each payment, the same for every repeat. It is required.
            extra_body: Members of the body that this package does not know, by their names on the wire.

        Raises:
            InvalidRequest: An argument is invalid, the key or the reference is missing, or the key was used for other
                arguments (a problem with the code `used`).
        """
        self._addition(**arguments)(session)

    def add_call(
        self,
        session: Session | sa.Connection,
        operation: str | ModuleType | Callable[..., Any],
        /,
        *args: Any,
        idempotency_key: str,
        at_most_once: bool = False,
        send_before: datetime | None = None,
        look_up_by: Mapping[str, str] | None = None,
        **kwargs: Any,
    ) -> None:
        """Store any write of the client's in your transaction. It is checked now, and its bytes are sent later.

        With a key that the operation takes, it is sent again under that key while the provider keeps it. Without one it
        is sent at most once, and then looked up until `settle_for` has passed.

        Args:
            session: Your session or connection.
            operation: A method of the client (`"payouts.instruct"`), or a generated operation: its module
                (`create_payout`) or one of the module's functions (`create_payout.sync`).
            args: The arguments of the method or of the generated function; so are `kwargs`.
            idempotency_key: The key of the entry, and of the request, if the operation takes one.
            at_most_once: Accept that it is not known after a lost response whether it was done: no key is taken, and no
                read shows it.
            send_before: The moment, aware and to come, from which it is not sent any more: it is `refused` then.
            look_up_by: What its look-up needs and the request does not have, such as `{"payor_id": payor_id}`.

        Raises:
            InvalidRequest: An argument is invalid; the key was used for another call (a problem with the code `used`);
                it has the number or the code of a card; or nothing could be promised after a lost response: the problem
                names what to pass.
            ConfigurationError: The outbox has no client, the client has no such operation, or `session` is an engine.
        """
        self._call_addition(operation, args, kwargs, idempotency_key, (at_most_once, send_before, look_up_by))(session)


class AsyncOutbox(OutboxBase["AsyncEngine"], AwaitedQueue[OutboxEvent]):
    """`Outbox`, awaited, on an `AsyncEngine`: `sqlalchemy[asyncio]` with a driver such as aiosqlite or psycopg.

    `engine` is that of the database that has your invoices; `keys_kept`, `lease` and `table` are as for `Outbox`.
    """

    async def create_table(self) -> None:
        """As `Outbox.create_table`, awaited."""
        await self._transaction(self.table.metadata.create_all)

    async def add(self, session: AsyncSession | AsyncConnection, **arguments: Unpack[PaymentRequestArguments]) -> None:
        """As `Outbox.add`, awaited.

        Args:
            session: Your session or connection.
            payee_account_number: The account that receives the money.
            payer_counterparty_id: The counterparty that pays.
            amount: US dollars as Decimal, text or int, above zero, with at most two decimals.
            biller_type: `"BUSINESS"` or `"CONSUMER"`.
            due_date: A date or `YYYY-MM-DD`, at most 24 hours ahead.
            ultimate_creditor: The final recipient, only with `"BUSINESS"`.
            amount_modification_allowed: Whether the payer may pay another amount.
            notes: Notes for the payer.
            client_reference_id: Your reference, such as the number of the invoice. It is required.
            idempotency_key: One key for each payment, the same for every repeat. It is required.
            extra_body: Members of the body that this package does not know, by their names on the wire.
        """
        check_session(session, "run_sync")
        await session.run_sync(self._addition(**arguments))

    async def add_call(
        self,
        session: AsyncSession | AsyncConnection,
        operation: str | ModuleType | Callable[..., Any],
        /,
        *args: Any,
        idempotency_key: str,
        at_most_once: bool = False,
        send_before: datetime | None = None,
        look_up_by: Mapping[str, str] | None = None,
        **kwargs: Any,
    ) -> None:
        """As `Outbox.add_call`, awaited."""
        check_session(session, "run_sync")
        add = self._call_addition(operation, args, kwargs, idempotency_key, (at_most_once, send_before, look_up_by))
        await session.run_sync(add)
