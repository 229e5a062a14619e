"""The drivers of passes on an engine of SQLAlchemy's: one with blocking calls, in threads, and one
with awaited calls, in tasks. That of Django is in `django`.
"""

from __future__ import annotations

import inspect
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, cast

import anyio
import sqlalchemy as sa
from anyio.abc import TaskGroup
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


def with_threads(flow: Callable[[Calls], Pass[T]], step: Callable[[Callable[[], Any]], Any]) -> T:
    """Make a pass whose calls block, in threads."""
    calls = ThreadCalls()
    try:
        return drive(flow(calls), step)
    finally:
        calls.close()


class BlockingDriver:
    """With blocking calls; see `PassDriver`."""

    is_awaited = False
    how_tables_are_made = _CREATE_TABLE
    with_calls = staticmethod(with_threads)

    def __init__(self, engine: sa.Engine, _table: sa.Table) -> None:
        self._engine = engine

    def transaction(self, work: Work[T], pause: float) -> T:
        """Do work in a transaction of its own. Raises as `join`."""
        if pause:
            time.sleep(pause)
        with hidden_parameters(), self._engine.begin() as connection:
            join(connection)
            return work(connection)

    read = transaction

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

    def __init__(self, engine: AsyncEngine, _table: sa.Table) -> None:
        self._engine = engine

    async def with_calls(
        self, flow: Callable[[Calls], Pass[T]], step: Callable[[Callable[[], Any]], Any]
    ) -> T:
        """Make a pass whose calls are awaited, in tasks."""

        async def make(tasks: TaskGroup) -> T:
            return await adrive(flow(TaskCalls(tasks)), step)

        return await _in_own_task(make)

    async def transaction(self, work: Work[T], pause: float) -> T:
        """Do work in a transaction of its own. Raises as `join`."""
        # `sleep(0)` would also be a place where a worker is cancelled: then the result of the call
        # before would not be stored.
        if pause:
            await anyio.sleep(pause)

        async def transact(_tasks: TaskGroup) -> T:
            async with self._engine.begin() as connection:
                await connection.run_sync(join)
                return await connection.run_sync(work)

        # Whoever cancels the caller, its transaction ends: aiosqlite may never end one that is cut
        # off. It has a task of its own, since `cancel` of an asyncio task ignores the shield.
        with hidden_parameters():
            return await _in_own_task(transact, shield=True)

    read = transaction

    def begin_pass(self) -> None:
        """Nothing: the pool of the engine looks after its connections."""

    def call_handlers(
        self, connection: Connection, handlers: Sequence[Callable[..., object]], event: object
    ) -> None:
        """Call handlers, which may be `async def`."""
        call_in_savepoint(connection, handlers, event, _call_or_await)


async def _in_own_task(work: Callable[[TaskGroup], Awaitable[T]], *, shield: bool = False) -> T:
    """Await work in a task of a group, which it is called with and may start other tasks in. Raises
    its error as it is: the group would wrap that in another one. With a `shield`, nobody cancels
    the work.
    """
    result: Any = None
    failure: BaseException | None = None

    async def run() -> None:
        nonlocal result, failure
        try:
            with anyio.CancelScope(shield=shield):
                result = await work(tasks)
        except BaseException as error:  # noqa: BLE001 - it is raised below
            failure = error
            tasks.cancel_scope.cancel()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(run)
    if failure is not None:
        raise failure
    return cast("T", result)


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
