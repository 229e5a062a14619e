"""Transactions of the user's database, as steps of a pass that blocking and awaited drivers carry out."""

from __future__ import annotations

import inspect
import random
import time
from collections.abc import Callable, Coroutine, Generator
from contextlib import AbstractContextManager
from functools import cached_property, partial, update_wrapper
from operator import call
from types import MethodType
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, Self, TypeAlias, TypeVar, overload

import anyio
import sqlalchemy as sa

from victor_ext.flows import adrive, drive
from victor_ext.health import Heartbeat

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine  # noqa: F401 - a text names it

P = ParamSpec("P")
T = TypeVar("T")
Engine = TypeVar("Engine")
Pass: TypeAlias = Generator[Callable[[], Any], Any, T]
"""Each step is a transaction or a call of the client. Its result may have to be awaited; its error is thrown in."""
Work: TypeAlias = Callable[[sa.Connection], T]

_MOST_CONFLICTS = 12
"""The maximum number of repeats of a transaction that the database ended because of another one."""
_LONGEST_PAUSE = 1.0
_ENDED_BY_DATABASE = frozenset({"40001", "40P01"})
"""SQLSTATE: a serialization failure, and a deadlock. Nothing of the transaction was stored."""


class Transactions(Generic[Engine]):
    """Transactions on an engine, or on what a driver has in its place."""

    _engine: Engine

    @cached_property
    def heartbeat(self) -> Heartbeat:
        """How the worker of this object does (`run`, `worker`), such as for a probe."""
        return Heartbeat()

    def _step(self, step: Callable[[], T]) -> T:
        self.heartbeat.step()
        return step()

    def _transaction(self, work: Work[Any], pause: float = 0.0) -> Any:
        """Wait for `pause` seconds, then do this work in a transaction of its own."""
        raise NotImplementedError

    def _transact(self, work: Work[T]) -> Pass[T]:
        """Do this work in a transaction; do it again if the database has ended it because of another one."""
        conflicts, pause = 0, 0.0
        while True:
            try:
                done: T = yield partial(self._transaction, work, pause)
            except Exception as error:
                # SQLAlchemy and Django raise an error of their own from the driver's.
                state = getattr(error.__cause__, "sqlstate", None) or getattr(error.__cause__, "pgcode", None)
                conflicts += 1
                if state not in _ENDED_BY_DATABASE or conflicts > _MOST_CONFLICTS:
                    raise
            else:
                return done
            pause = random.uniform(0, min(_LONGEST_PAUSE, 0.005 * 2**conflicts))  # noqa: S311 - no secret


class BlockingTransactions(Transactions[Engine]):
    """With blocking calls."""

    def _run(self, steps: Pass[T]) -> T:
        return drive(steps, self._step)

    def _read(self, work: Work[T]) -> T:
        return drive(self._transact(work), call)  # no step of a worker: `/metrics` reads, too

    def _transaction(self, work: Work[Any], pause: float = 0.0) -> Any:
        if pause:
            time.sleep(pause)
        with self._begin() as connection:
            return work(connection)

    def _begin(self) -> AbstractContextManager[sa.Connection]:
        engine: Any = self._engine
        begun: AbstractContextManager[sa.Connection] = engine.begin()
        return begun


class AwaitedTransactions(Transactions["AsyncEngine"]):
    """With awaited calls."""

    async def _run(self, steps: Pass[T]) -> T:
        return await adrive(steps, self._step)

    async def _read(self, work: Work[T]) -> T:
        return await adrive(self._transact(work), call)

    async def _transaction(self, work: Work[Any], pause: float = 0.0) -> Any:
        if pause:  # else a worker that ends would store nothing of the call before
            await anyio.sleep(pause)
        # A worker that ends lets a transaction end first: aiosqlite may never end one that is cut off.
        with anyio.CancelScope(shield=True):
            async with self._engine.begin() as connection:
                return await connection.run_sync(work)


class operation(Generic[P, T]):  # noqa: N801 - a decorator
    """A method that is written once: as a `Pass`, or as `Work` that needs one transaction.

    Blocking outboxes and inboxes return its result; of awaited ones it is a coroutine function. `steps` is the method.
    """

    steps: Callable[..., Any]

    def __init__(self, method: Callable[Concatenate[Any, P], Pass[T] | Work[T]]) -> None:
        def blocking(box: Any, *args: Any, **kwargs: Any) -> Any:
            made = method(box, *args, **kwargs)
            return box._run(made) if isinstance(made, Generator) else box._read(made)  # noqa: SLF001 - of every box

        async def awaited(box: Any, *args: Any, **kwargs: Any) -> Any:
            return await blocking(box, *args, **kwargs)

        self._blocking, self._awaited = blocking, awaited
        signature = inspect.signature(method)
        result = str(signature.return_annotation).partition("[")[2].removesuffix("]")
        functions: list[Any] = [self, blocking, awaited]
        for function in functions:
            update_wrapper(function, method)
            function.__signature__, function.steps = signature.replace(return_annotation=result), method

    @overload
    def __get__(self, box: None, owner: type[Any]) -> Self: ...

    @overload
    def __get__(self, box: BlockingTransactions[Any], owner: type[Any]) -> Callable[P, T]: ...

    @overload
    def __get__(self, box: AwaitedTransactions, owner: type[Any]) -> Callable[P, Coroutine[Any, Any, T]]: ...

    def __get__(self, box: Any, owner: type[Any]) -> Any:
        function = self._awaited if issubclass(owner, AwaitedTransactions) else self._blocking
        return function if box is None else MethodType(function, box)

    def __call__(self, box: Any, *args: P.args, **kwargs: P.kwargs) -> Any:
        return self._blocking(box, *args, **kwargs)
