"""The outbox with awaited calls."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar, Unpack

import anyio

from victor_ext import AsyncVictor
from victor_ext.flows import adrive

from .entries import Entry, EntryState, PaymentRequestArguments
from .passes import Call, OutboxBase, Pass, Pause, Step, Transaction, logged

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession

T = TypeVar("T")


class AsyncOutbox(OutboxBase):
    """`Outbox`, awaited, on an `AsyncEngine`: `sqlalchemy[asyncio]` with a driver such as aiosqlite or psycopg.

    Args:
        engine: The asynchronous engine of the database that has your invoices.
        keys_kept: As for `Outbox`.
        lease: As for `Outbox`.
        table: As for `Outbox`.
    """

    def __init__(
        self,
        engine: AsyncEngine,
        *,
        keys_kept: timedelta = timedelta(hours=24),
        lease: timedelta = timedelta(minutes=2),
        table: str = "victor_outbox",
    ) -> None:
        super().__init__(keys_kept, lease, table)
        self._engine = engine

    async def create_table(self) -> None:
        """As `Outbox.create_table`, awaited."""
        await self._transaction(Transaction(lambda connection: self.table.create(connection, checkfirst=True)))

    async def add(self, session: AsyncSession | AsyncConnection, **arguments: Unpack[PaymentRequestArguments]) -> None:
        """As `Outbox.add`, awaited, with your session or connection."""
        await session.run_sync(self._add, arguments)

    async def send(self, victor: AsyncVictor) -> list[Entry]:
        """As `Outbox.send`, awaited."""
        return await self._run(self._send(victor), victor)

    async def refresh(self, victor: AsyncVictor) -> list[Entry]:
        """As `Outbox.refresh`, awaited."""
        return await self._run(self._refresh(victor), victor)

    async def run(self, victor: AsyncVictor, *, interval: float = 5.0) -> None:
        """Send, settle and refresh until it is cancelled: the worker of a service.

        A failure is logged (logger `victor_ext.outbox`) and ends the pass, not the worker: the provider or the database
        may be away for a while.

        Args:
            victor: The client. It is not closed.
            interval: Seconds between two passes.
        """
        while True:
            for work in (self.send, self.refresh):
                with logged(work.__name__):
                    await work(victor)
            await anyio.sleep(interval)

    @asynccontextmanager
    async def worker(self, victor: AsyncVictor, *, interval: float = 5.0) -> AsyncGenerator[None]:
        """Let `run` go on in the background while the block lasts, such as the lifespan of a FastAPI service.

        The arguments are those of `run`.
        """
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(partial(self.run, victor, interval=interval))
            yield
            tasks.cancel_scope.cancel()

    async def entry(self, idempotency_key: str) -> Entry | None:
        """As `Outbox.entry`, awaited."""
        return await self._run(self._entry(idempotency_key))

    async def entries(self, state: EntryState | str | None = None) -> list[Entry]:
        """As `Outbox.entries`, awaited."""
        return await self._run(self._entries(state))

    async def counts(self) -> dict[EntryState, int]:
        """As `Outbox.counts`, awaited."""
        return await self._run(self._counts())

    async def _run(self, steps: Pass[T], victor: AsyncVictor | None = None) -> T:
        return await adrive(steps, lambda step: self._step(step, victor))

    async def _step(self, step: Step, victor: AsyncVictor | None) -> Any:
        if isinstance(step, Transaction):
            return await self._transaction(step)
        if isinstance(step, Pause):
            return await anyio.sleep(step.seconds)
        if isinstance(step, Call):
            assert victor is not None
            return await getattr(victor.payment_requests, step.operation)(**step.arguments)
        return await anext(step.pages, None)

    async def _transaction(self, step: Transaction) -> Any:
        # A worker that ends lets a transaction end first: aiosqlite may never end one that is cut off.
        with anyio.CancelScope(shield=True):
            async with self._engine.begin() as connection:
                return await connection.run_sync(step.work)
