"""The drivers of passes on an engine of SQLAlchemy's: one with blocking calls, in threads, and one
with awaited calls, in tasks. That of Django is in `django`.
"""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable, Sequence
from operator import call
from typing import TYPE_CHECKING, Any, TypeVar, cast

import anyio
import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.orm import Session

from victor_ext._flows import adrive, drive

from .calls import Calls, TaskCalls, ThreadCalls
from .databases import hidden_parameters
from .fitness import join
from .handlers import call_in_savepoint, is_async, refuse_awaitable
from .transactions import Pass, Work

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

T = TypeVar("T")
_CREATE_TABLE = "call create_table() once"


def with_threads(
    most: int, flow: Callable[[Calls], Pass[T]], step: Callable[[Callable[[], Any]], Any]
) -> T:
    """Make a pass with at most `most` blocking calls under way at once, in threads."""
    calls = ThreadCalls(most)
    try:
        return drive(flow(calls), step)
    finally:
        calls.close()


class BlockingDriver:
    """With blocking calls; see `PassDriver`."""

    is_awaited = False
    how_tables_are_made = _CREATE_TABLE
    with_calls = staticmethod(with_threads)

    def __init__(self, engine: sa.Engine, table: sa.Table) -> None:
        self._engine = engine
        self._table = table

    def read(self, work: Work[T], in_transaction: Callable[[Work[T]], Pass[T]]) -> T:
        """Do work in a transaction of its own."""
        return drive(in_transaction(work), call)

    def transaction(self, work: Work[T], pause: float) -> T:
        """Do work in a transaction of its own. Raises as `join`."""
        if pause:
            time.sleep(pause)
        with hidden_parameters(), self._engine.begin() as connection:
            join(connection)
            return work(connection)

    def begin_pass(self) -> None:
        """Nothing: the pool of the engine looks after its connections."""

    def call_handlers(
        self, connection: Connection, handlers: Sequence[Callable[..., object]], event: object
    ) -> None:
        """Call handlers, none of which may be awaited."""

        def call_one(function: Callable[..., object], session: Session, event: object) -> None:
            refuse_awaitable(function(session, event))

        call_in_savepoint(connection, handlers, event, call_one)


class AwaitedDriver:
    """With awaited calls; see `PassDriver`."""

    is_awaited = True
    how_tables_are_made = _CREATE_TABLE

    def __init__(self, engine: AsyncEngine, table: sa.Table) -> None:
        self._engine = engine
        self._table = table

    async def with_calls(
        self,
        most: int,  # noqa: ARG002 - the pass itself begins no more
        flow: Callable[[Calls], Pass[T]],
        step: Callable[[Callable[[], Any]], Any],
    ) -> T:
        """Make a pass with calls in tasks."""
        result: Any = None
        failure: Exception | None = None
        async with anyio.create_task_group() as tasks:
            try:
                result = await adrive(flow(TaskCalls(tasks)), step)
            except Exception as error:  # noqa: BLE001 - the group would wrap it in a group
                failure = error
                tasks.cancel_scope.cancel()
        if failure is not None:
            raise failure
        return cast("T", result)

    async def read(self, work: Work[T], in_transaction: Callable[[Work[T]], Pass[T]]) -> T:
        """Do work in a transaction of its own."""
        return await adrive(in_transaction(work), call)

    async def transaction(self, work: Work[Any], pause: float) -> Any:
        """Do work in a transaction of its own. Raises as `join`."""
        # `sleep(0)` would also be a place where a worker is cancelled: then the result of the call
        # before would not be stored.
        if pause:
            await anyio.sleep(pause)
        result: Any = None
        failure: BaseException | None = None

        async def transact() -> None:
            nonlocal result, failure
            try:
                with anyio.CancelScope(shield=True), hidden_parameters():
                    async with self._engine.begin() as connection:
                        await connection.run_sync(join)
                        result = await connection.run_sync(work)
            except BaseException as error:  # noqa: BLE001 - the group would wrap it in a group
                failure = error

        # Whoever cancels the caller, its transaction ends: aiosqlite may never end one that is cut
        # off. It has a task of its own, since `cancel` of an asyncio task ignores the shield.
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(transact)
        if failure is not None:
            raise failure
        return result

    def begin_pass(self) -> None:
        """Nothing: the pool of the engine looks after its connections."""

    def call_handlers(
        self, connection: Connection, handlers: Sequence[Callable[..., object]], event: object
    ) -> None:
        """Call handlers, which may be `async def`."""
        call_in_savepoint(connection, handlers, event, _call_or_await)


def _call_or_await(function: Callable[..., object], session: Session, event: object) -> None:
    """Call a handler, which may be `async def`, on a connection that `run_sync` drives."""
    # Imported here, since it needs greenlet, which a program with blocking calls may not have.
    from sqlalchemy.ext.asyncio import AsyncSession  # noqa: PLC0415 - needs greenlet
    from sqlalchemy.util import await_only  # noqa: PLC0415 - needs greenlet

    def same_session(**_: object) -> Session:
        return session

    given: Session | AsyncSession = session
    # A decorator's plain wrapper of an `async def` hands its session on.
    if is_async(function) or is_async(inspect.unwrap(function)):
        # An async session over the very session of this transaction: `AsyncSession` calls its
        # "class".
        session_class = cast("Any", same_session)
        given = AsyncSession(sync_session_class=session_class)
    result = function(given, event)
    if inspect.isawaitable(result):
        await_only(result)
