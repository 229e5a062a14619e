"""Transactions of the user's database, as steps of a pass, which blocking and awaited drivers carry
out.

`Transactions` writes the steps once; `BlockingTransactions` and `AwaitedTransactions` drive them.
The decorators `operation` and `in_session` turn a method that is written once into a blocking and
an awaited one. A "box" is an outbox or an inbox.
"""

from __future__ import annotations

import inspect
import random
import time
from collections.abc import Callable, Coroutine, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial, update_wrapper
from operator import call
from types import MethodType
from typing import (
    TYPE_CHECKING,
    Any,
    Concatenate,
    Generic,
    ParamSpec,
    Protocol,
    Self,
    TypeAlias,
    TypeVar,
    cast,
    get_args,
    overload,
)

import anyio
import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.orm import Session

from victor_ext import ConfigurationError
from victor_ext.flows import adrive, drive
from victor_ext.health import Heartbeat

from .calls import Calls, TaskCalls, ThreadCalls
from .databases import NoTable, hidden_parameters, missing_table, sqlstate_of
from .fitness import join, make_fit

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import (
        AsyncConnection,
        AsyncSession,
    )

P = ParamSpec("P")
T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
B = TypeVar("B", bound=Callable[..., Any])
A = TypeVar("A", bound=Callable[..., Any])
W = TypeVar("W", bound=Callable[..., Any])
Engine = TypeVar("Engine")
Pass: TypeAlias = Generator[Callable[[], Any], Any, T]
"""Steps, each a transaction or a call of the client.

The driver sends the result of a step into the generator, awaited if need be, or throws its error
in.
"""
Work: TypeAlias = Callable[[Connection], T]
"""A function that works in a transaction, on its connection."""


@dataclass(frozen=True, slots=True)
class Transaction:
    """A step that is a transaction, made in the thread of its pass. All other steps are calls.

    Attributes:
        make: Waits, opens a transaction, and does the work in it.
        work: The work.
        pause: Seconds to wait before the transaction.
        result: The result that `work` stores, if several results can be stored by one statement
            (`SentResult` of the outbox).
    """

    make: Callable[[Work[Any], float], Any] = field(repr=False)
    work: Work[Any] = field(repr=False)
    pause: float = 0.0
    result: Any = field(default=None, repr=False)

    def __call__(self) -> Any:
        return self.make(self.work, self.pause)


_MOST_CONFLICTS = 12
"""The maximum number of repeats of a transaction that has collided with another one."""
_FIRST_PAUSE = 0.005
_LONGEST_PAUSE = 1.0
"""Seconds before a repeat: at random up to a limit, which doubles each time from the first to the
longest pause."""
_COLLISIONS = frozenset({"40001", "40P01"})
"""SQLSTATEs: a serialization failure, and a deadlock. Nothing of the transaction was stored."""


class Transactions:
    """Transactions on an engine, blocking or awaited; with Django, on the alias of a database."""

    table: sa.Table
    _engine: Any
    _heartbeat: Heartbeat

    @property
    def heartbeat(self) -> Heartbeat:
        """The state of the worker of this object (`run`, `worker`), such as for a probe."""
        return self._heartbeat

    def _step(self, step: Callable[[], T]) -> T:
        """Make a step of a pass, and show that the worker is alive."""
        self.heartbeat.step()
        return step()

    def _transaction(self, work: Work[Any], pause: float = 0.0) -> Any:
        """Wait for `pause` seconds, then do this work in a transaction of its own."""
        raise NotImplementedError

    def _with_calls(self, most: int, flow: Callable[[Calls], Pass[Any]]) -> Any:
        """Make the pass `flow`, which has at most `most` calls under way at once."""
        raise NotImplementedError

    def _transact(self, work: Work[T], result: Any = None) -> Pass[T]:
        """Do this work in a transaction. It is done again if it has collided with another
        transaction.

        `result` is as of `Transaction`.
        """
        conflicts = 0
        pause = 0.0
        while True:
            try:
                done: T = yield Transaction(self._transaction, work, pause, result)
                return done
            except Exception as error:
                # SQLAlchemy and Django raise an error of their own from the driver's.
                state = sqlstate_of(error.__cause__)
                conflicts += 1
                self._refuse_missing_table(error)
                if state not in _COLLISIONS or conflicts > _MOST_CONFLICTS:
                    raise
            longest = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2**conflicts)
            pause = random.uniform(0, longest)  # noqa: S311 - no secret

    def _refuse_missing_table(self, error: Exception) -> None:
        """Raise `NoTable` in place of the error of a database that lacks a table of this object."""
        own: sa.Table | None = getattr(self, "table", None)
        missing = missing_table(error, [] if own is None else own.metadata.sorted_tables)
        if missing:
            is_made_here = hasattr(self, "create_table")
            how = "call create_table() once" if is_made_here else "run manage.py migrate"
            message = f"The table {missing} is not in the database: {how}, before anything else."
            raise NoTable(message) from None


class BlockingTransactions(Transactions):
    """With blocking calls."""

    def _run(self, steps: Pass[T]) -> T:
        return drive(steps, self._step)

    def _with_calls(self, most: int, flow: Callable[[Calls], Pass[T]]) -> T:
        calls = ThreadCalls(most)
        try:
            return drive(flow(calls), self._step)
        finally:
            calls.close()

    def _read(self, work: Work[T]) -> T:
        # Not `_step`: `/metrics` also reads, and must not make a stalled worker look alive.
        return drive(self._transact(work), call)

    def _transaction(self, work: Work[Any], pause: float = 0.0) -> Any:
        if pause:
            time.sleep(pause)
        with hidden_parameters(), self._begin() as connection:
            return work(connection)

    @contextmanager
    def _begin(self) -> Generator[Connection]:
        """A transaction of its own. Raises as `make_fit`."""
        with self._engine.begin() as connection:
            make_fit(connection, self.table)
            yield connection


class OpenTransactions(BlockingTransactions):
    """With blocking calls, where this thread has at most one open transaction, which is known
    (Django): callers pass no session.
    """


class AwaitedTransactions(Transactions):
    """With awaited calls."""

    async def _run(self, steps: Pass[T]) -> T:
        return await adrive(steps, self._step)

    async def _with_calls(
        self,
        most: int,  # noqa: ARG002 - the pass itself begins no more
        flow: Callable[[Calls], Pass[T]],
    ) -> T:
        result: Any = None
        failure: Exception | None = None
        async with anyio.create_task_group() as tasks:
            try:
                result = await adrive(flow(TaskCalls(tasks)), self._step)
            except Exception as error:  # noqa: BLE001 - the group would wrap it in a group
                failure = error
                tasks.cancel_scope.cancel()
        if failure is not None:
            raise failure
        return cast("T", result)

    async def _read(self, work: Work[T]) -> T:
        """As `_read` of `BlockingTransactions`: without a heartbeat."""
        return await adrive(self._transact(work), call)

    async def _transaction(self, work: Work[Any], pause: float = 0.0) -> Any:
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
                        await connection.run_sync(make_fit, self.table)
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


class _InSession(Protocol[P, T_co]):
    """A method of a blocking box that works in the transaction of a session."""

    def __call__(
        self, session: Session | Connection, *args: P.args, **kwargs: P.kwargs
    ) -> T_co: ...


class _InAsyncSession(Protocol[P, T_co]):
    """A method of an awaited box that works in the transaction of an async session."""

    async def __call__(
        self, session: AsyncSession | AsyncConnection, *args: P.args, **kwargs: P.kwargs
    ) -> T_co: ...


class _BoxMethod(Generic[B, A, W]):
    """A descriptor of a method that is written once, and has three types: `B` in a blocking box,
    `A` in an awaited box, `W` in a box with `OpenTransactions`.
    """

    steps: Callable[..., Any]
    """The method as it is written."""

    def _define(
        self, method: Callable[..., Any], result: Any, blocking: Any, awaited: Any, within: Any
    ) -> None:
        """Set the functions of the three kinds of boxes, each with the docstring and the signature
        of the method, and with `result` as its return annotation.
        """
        self._blocking = blocking
        self._awaited = awaited
        self._within = within
        signature = inspect.signature(method).replace(return_annotation=result)
        wrapper: Any
        for wrapper in (self, blocking, awaited, within):
            update_wrapper(wrapper, method)
            wrapper.__signature__ = signature
            wrapper.steps = method

    @overload
    def __get__(self, box: None, owner: type[Any]) -> Self: ...

    @overload
    def __get__(self, box: OpenTransactions, owner: type[Any]) -> W: ...

    @overload
    def __get__(self, box: BlockingTransactions, owner: type[Any]) -> B: ...

    @overload
    def __get__(self, box: AwaitedTransactions, owner: type[Any]) -> A: ...

    def __get__(self, box: Any, owner: type[Any]) -> Any:
        # `help()` also asks classes such as `OutboxBase`, which are of none of the three kinds.
        function = self._blocking
        if issubclass(owner, AwaitedTransactions):
            function = self._awaited
        elif issubclass(owner, OpenTransactions):
            function = self._within
        return function if box is None else MethodType(function, box)

    def __call__(self, box: Any, /, *args: Any, **kwargs: Any) -> Any:
        return cast("Any", self).__get__(box, type(box))(*args, **kwargs)


def _result_of(method: Callable[..., Any]) -> Any:
    """The result type of a method: the last argument of its annotation, a `Pass` or `Work`."""
    declared = inspect.signature(method).return_annotation
    if isinstance(declared, str):
        return declared.partition("[")[2].removesuffix("]")
    return get_args(declared)[-1]


class operation(  # noqa: N801 - a decorator
    _BoxMethod[Callable[P, T], Callable[P, Coroutine[Any, Any, T]], Callable[P, T]], Generic[P, T]
):
    """Decorates a method that returns a `Pass`, or `Work` for one transaction.

    In a blocking box the method returns the result of these; in an awaited box it is a coroutine
    function.
    """

    def __init__(self, method: Callable[Concatenate[Any, P], Pass[T] | Work[T]]) -> None:
        def blocking(box: Any, /, *args: Any, **kwargs: Any) -> Any:
            work = method(box, *args, **kwargs)
            if isinstance(work, Generator):
                return box._run(work)  # noqa: SLF001 - of every box
            return box._read(work)  # noqa: SLF001 - as above

        async def awaited(box: Any, /, *args: Any, **kwargs: Any) -> Any:
            return await blocking(box, *args, **kwargs)

        self._define(method, _result_of(method), blocking, awaited, blocking)


class in_session(  # noqa: N801 - a decorator
    _BoxMethod[_InSession[P, T], _InAsyncSession[P, T], Callable[P, T]], Generic[P, T]
):
    """Decorates a method that works in a transaction of the caller's, whose session or connection
    is its first argument.

    In an awaited box the method is a coroutine function, and takes an async session. In a box with
    `OpenTransactions` it takes no session.
    """

    def __init__(self, method: Callable[Concatenate[Any, Session | Connection, P], T]) -> None:
        def blocking(box: Any, session: Any = None, /, *args: Any, **kwargs: Any) -> Any:
            checked = _checked_session(session, kwargs, "execute")
            join(connection_of(checked, box))
            with hidden_parameters():
                return method(box, checked, *args, **kwargs)

        async def awaited(box: Any, session: Any = None, /, *args: Any, **kwargs: Any) -> Any:
            checked = _checked_session(session, kwargs, "run_sync")
            return await checked.run_sync(partial(blocking, box, **kwargs), *args)

        def within(box: Any, /, *args: Any, **kwargs: Any) -> Any:
            connection = box._open_transaction(method.__name__)  # noqa: SLF001 - of such a box
            return method(box, connection, *args, **kwargs)

        signature = inspect.signature(method)
        self._define(method, signature.return_annotation, blocking, awaited, within)
        own, _, *rest = signature.parameters.values()
        cast("Any", within).__signature__ = signature.replace(parameters=[own, *rest])


def _checked_session(session: Any, kwargs: dict[str, Any], method: str) -> Any:
    """The session that the caller has passed, by position or by name.

    Raises `ConfigurationError` if it lacks `method`, by which sessions and connections are known:
    an engine has none of these.
    """
    if session is None:
        session = kwargs.pop("session", None)
    if not hasattr(session, method):
        message = (
            f"{type(session).__name__} is no session: pass a Session or a Connection, in "
            "your transaction."
        )
        raise ConfigurationError(message)
    return session


def connection_of(session: Any, box: Any) -> Connection:
    """The connection on which a session works with the tables of a box, in its transaction."""
    if not hasattr(session, "connection") or isinstance(session, Connection):
        return cast("Connection", session)
    # A session may have several engines: it chooses the one for this table.
    chosen_by = {"clause": sa.select(box.table)}
    connection: Connection = session.connection(bind_arguments=chosen_by)
    return connection
