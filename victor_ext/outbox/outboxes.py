"""The outboxes of a database: one with blocking and one with awaited calls. What they do is in `passes`."""

from __future__ import annotations

import threading
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from functools import partial
from types import ModuleType
from typing import TYPE_CHECKING, Any, Unpack

import anyio
import sqlalchemy as sa
from sqlalchemy.orm import Session

from victor_ext.event_queue.queue import AwaitedQueue, BlockingQueue
from victor_ext.event_queue.transactions import Engine
from victor_ext.settlement.arguments import PaymentRequestArguments

from .entries import Entry, EntryState, OutboxEvent
from .passes import AnyClient, OutboxBase, logged

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession  # noqa: F401 - a text names it


class BlockingOutbox(OutboxBase[Engine], BlockingQueue[Engine, OutboxEvent]):
    """An outbox with blocking calls, on any connection to the database. None of them closes the client, `victor`."""

    def send(self, client: AnyClient | None = None) -> list[Entry]:
        """Send what waits, and settle what may have been sent; returns the entries that have come to a result.

        One pass. An entry whose outcome stays unknown is left for a later pass.

        Raises:
            ConfigurationError: The deadline of the client is longer than the lease.
            VictorError: The provider cannot be reached or refuses every call (credentials, rate). What was not sent
                waits for the next pass.
        """
        return self._run(self._send(self._sender(client)))

    def refresh(self, client: AnyClient | None = None) -> list[Entry]:
        """Read the statuses of what was sent and has not ended; returns the entries that changed.

        Victor's requests take one walk over its list, from the oldest of them on. What another write made or changed is
        read by its id, each half a minute, where the system has such a read. No webhook is needed.

        Raises:
            VictorError: A status could not be read.
        """
        return self._run(self._refresh(client))

    def run(
        self, client: AnyClient | None = None, *, interval: float = 5.0, stop: threading.Event | None = None
    ) -> None:
        """Send, settle and refresh until `stop` is set: the worker, in a thread or a process of its own.

        It may be killed at any step. A failure is logged (logger `victor_ext.outbox`) and ends the pass, not the
        worker: the provider or the database may be away for a while.

        Args:
            interval: Seconds between two passes.
            stop: Ends the worker after the pass that it makes; None: it runs for ever.

        Raises:
            ConfigurationError: The interval is not above zero, or the deadline of the client is longer than the lease.
        """
        client = self._sender(client, interval)
        stop = stop or threading.Event()
        while not stop.is_set():
            for work in (self.send, self.refresh):
                self._begin_pass()
                with logged(work.__name__) as changed:
                    changed.extend(work(client))
            with logged("handle"):
                self.handle()
            stop.wait(interval)

    def resolve(self, idempotency_key: str, *, done: bool, by: str, why: str, id: str | None = None) -> Entry:
        """Settle an entry by hand that is unclear or settling. Its handlers are called.

        Args:
            idempotency_key: Its key.
            done: Whether it was done. An entry of which nothing was done is rejected, and can be sent again by `retry`.
            by: Who has found that out. It is stored, as is `why`.
            why: How it was found out.
            id: The provider's id of it, if it was done.

        Raises:
            InvalidRequest: There is no such entry in these states; or `by` or `why` is empty.
        """
        return self._run(self._resolve(idempotency_key, by, why, done=done, id=id))

    def retry(self, idempotency_key: str) -> Entry:
        """Let an entry be sent again that is rejected or refused: nothing of it was done.

        Args:
            idempotency_key: Its key.

        Raises:
            InvalidRequest: There is no such entry in these states.
        """
        return self._run(self._retry(idempotency_key))

    def entry(self, idempotency_key: str) -> Entry | None:
        """The entry with this `idempotency_key`, or None."""
        return self._read(self._entry(idempotency_key))

    def entries(self, state: EntryState | str | None = None) -> list[Entry]:
        """The entries in `state` (None: all), oldest first."""
        return self._read(self._entries(state))

    def counts(self) -> dict[EntryState, int]:
        """The number of entries in each state that this release knows, such as for `/metrics`."""
        return self._read(self._counts)


class Outbox(BlockingOutbox[sa.Engine]):
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
            arguments: Those of `payment_requests.create`. `client_reference_id` and `idempotency_key` are required.

        Raises:
            InvalidRequest: An argument is invalid, the key or the reference is missing, or the key was used for other
                arguments (a problem with the code `used`).
        """
        self._add(session, arguments)

    def add_call(
        self,
        session: Session | sa.Connection,
        operation: str | ModuleType,
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
            operation: A method of the client (`"payouts.instruct"`), or the module of a generated operation.
            args: The arguments of the method or of the generated function; so are `kwargs`.
            idempotency_key: The key of the entry, and of the request, if the operation takes one.
            at_most_once: Accept that it is not known after a lost response whether it was done: no key is taken, and no
                read shows it.
            send_before: The moment, aware, from which it is not sent any more: it is `refused` then.
            look_up_by: What its look-up needs and the request does not have, such as `{"payor_id": payor_id}`.

        Raises:
            InvalidRequest: An argument is invalid; the key was used for another call (a problem with the code `used`);
                it has the number or the code of a card; or nothing could be promised after a lost response: the problem
                names what to pass.
            ConfigurationError: The outbox has no client, or the client has no such operation.
        """
        terms = idempotency_key, send_before, look_up_by
        self._addition(operation, args, kwargs, *terms, at_most_once=at_most_once)(session)


class AsyncOutbox(OutboxBase["AsyncEngine"], AwaitedQueue[OutboxEvent]):
    """`Outbox`, awaited, on an `AsyncEngine`: `sqlalchemy[asyncio]` with a driver such as aiosqlite or psycopg.

    `engine` is that of the database that has your invoices; `keys_kept`, `lease` and `table` are as for `Outbox`.
    """

    async def create_table(self) -> None:
        """As `Outbox.create_table`, awaited."""
        await self._transaction(self.table.metadata.create_all)

    async def add(self, session: AsyncSession | AsyncConnection, **arguments: Unpack[PaymentRequestArguments]) -> None:
        """As `Outbox.add`, awaited, with your session or connection."""
        await session.run_sync(self._add, arguments)

    async def add_call(
        self,
        session: AsyncSession | AsyncConnection,
        operation: str | ModuleType,
        /,
        *args: Any,
        idempotency_key: str,
        at_most_once: bool = False,
        send_before: datetime | None = None,
        look_up_by: Mapping[str, str] | None = None,
        **kwargs: Any,
    ) -> None:
        """As `Outbox.add_call`, awaited."""
        terms = idempotency_key, send_before, look_up_by
        await session.run_sync(self._addition(operation, args, kwargs, *terms, at_most_once=at_most_once))

    async def send(self, client: AnyClient | None = None) -> list[Entry]:
        """As `Outbox.send`, awaited."""
        return await self._run(self._send(self._sender(client)))

    async def refresh(self, client: AnyClient | None = None) -> list[Entry]:
        """As `Outbox.refresh`, awaited."""
        return await self._run(self._refresh(client))

    async def run(self, client: AnyClient | None = None, *, interval: float = 5.0) -> None:
        """As `Outbox.run`, awaited: it ends when it is cancelled."""
        client = self._sender(client, interval)
        while True:
            for work in (self.send, self.refresh):
                with logged(work.__name__) as changed:
                    changed.extend(await work(client))
            with logged("handle"):
                await self.handle()
            await anyio.sleep(interval)

    @asynccontextmanager
    async def worker(self, client: AnyClient | None = None, *, interval: float = 5.0) -> AsyncGenerator[None]:
        """As `run`, in the background while the block lasts, such as the lifespan of a FastAPI service."""
        client = self._sender(client, interval)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(partial(self.run, client, interval=interval))
            yield
            tasks.cancel_scope.cancel()

    async def resolve(self, idempotency_key: str, *, done: bool, by: str, why: str, id: str | None = None) -> Entry:
        """As `Outbox.resolve`, awaited."""
        return await self._run(self._resolve(idempotency_key, by, why, done=done, id=id))

    async def retry(self, idempotency_key: str) -> Entry:
        """As `Outbox.retry`, awaited."""
        return await self._run(self._retry(idempotency_key))

    async def entry(self, idempotency_key: str) -> Entry | None:
        """As `Outbox.entry`, awaited."""
        return await self._run(self._transact(self._entry(idempotency_key)))

    async def entries(self, state: EntryState | str | None = None) -> list[Entry]:
        """As `Outbox.entries`, awaited."""
        return await self._run(self._transact(self._entries(state)))

    async def counts(self) -> dict[EntryState, int]:
        """As `Outbox.counts`, awaited."""
        return await self._run(self._transact(self._counts))
