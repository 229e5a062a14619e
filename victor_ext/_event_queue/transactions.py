"""Transactions of the user's database, as steps of a pass, which a driver carries out.

`Transactions` writes the steps once; a `PassDriver` (`drivers`) makes them, blocking or awaited.
The decorators `operation` and `in_session` turn a method of a "box", an outbox or an inbox, that is
written once into a blocking and an awaited one.
"""

from __future__ import annotations

import inspect
import random
from collections.abc import Callable, Coroutine, Generator, Sequence
from dataclasses import dataclass, field
from functools import partial, update_wrapper
from types import MethodType
from typing import (
    TYPE_CHECKING,
    Any,
    ClassVar,
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

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.orm import Session

from victor_ext import ConfigurationError
from victor_ext._event_queue.health import Heartbeat
from victor_ext._flows import adrive, drive

from .calls import Calls
from .databases import NoTable, hidden_parameters, missing_table, sqlstate_of
from .fitness import join

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
        result: The result that `work` stores, or the `Claim` that it takes up, if one statement can
            store or take up several (`SentResult` and `Claim` of the outbox).
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


class PassDriver(Protocol):
    """Makes the steps of passes on one kind of database connection: see `drivers`. Where calls are
    awaited, what a method returns has to be awaited.
    """

    @property
    def is_awaited(self) -> bool:
        """Whether calls are awaited."""
        ...

    @property
    def how_tables_are_made(self) -> str:
        """What to do if the tables are missing, as part of a message."""
        ...

    def with_calls(
        self,
        most: int,
        flow: Callable[[Calls], Pass[Any]],
        step: Callable[[Callable[[], Any]], Any],
    ) -> Any:
        """Make the pass `flow`, which has at most `most` calls under way at once."""

    def transaction(self, work: Work[Any], pause: float) -> Any:
        """Wait for `pause` seconds, then do this work in a transaction of its own."""

    def read(self, work: Work[Any], in_transaction: Callable[[Work[Any]], Pass[Any]]) -> Any:
        """Do work in one transaction, such as in the steps of `in_transaction`."""

    def begin_pass(self) -> None:
        """Prepare the connection for a pass of a worker."""

    def call_handlers(
        self, connection: Connection, handlers: Sequence[Callable[..., object]], event: object
    ) -> None:
        """Call handlers in a savepoint: the transaction keeps the work of all, or of none."""


class Transactions:
    """The transactions of an outbox or inbox, as steps of its passes.

    Args:
        driver: Makes them.
        tables: All tables of the outbox or inbox.

    Attributes:
        heartbeat: The state of the worker, such as for a probe.
    """

    def __init__(self, driver: PassDriver, tables: Sequence[sa.Table]) -> None:
        self.driver = driver
        self.heartbeat = Heartbeat()
        self._tables = tables

    def run(self, steps: Pass[Any]) -> Any:
        """Make a pass, each of whose steps shows that the worker is alive."""
        run = adrive if self.driver.is_awaited else drive
        return run(steps, self._step)

    def with_calls(self, most: int, flow: Callable[[Calls], Pass[Any]]) -> Any:
        """Make the pass `flow`, which has at most `most` calls under way at once."""
        return self.driver.with_calls(most, flow, self._step)

    def read(self, work: Work[Any]) -> Any:
        """Do work in one transaction. It shows nothing of a worker: `/metrics` also reads, and must
        not make a stalled one look alive.
        """
        return self.driver.read(work, self.transact)

    def _step(self, step: Callable[[], T]) -> T:
        """Make a step of a pass, and show that the worker is alive."""
        self.heartbeat.step()
        return step()

    def transact(self, work: Work[T], result: Any = None) -> Pass[T]:
        """Do this work in a transaction: see `transacted`."""
        refuse = partial(
            refuse_missing_table, tables=self._tables, how=self.driver.how_tables_are_made
        )
        return transacted(self.driver.transaction, work, result, refuse)


def transacted(
    make: Callable[[Work[Any], float], Any],
    work: Work[T],
    result: Any = None,
    refuse: Callable[[Exception], None] | None = None,
) -> Pass[T]:
    """Do this work in a transaction. It is done again if it has collided with another transaction.

    Args:
        make: As of `Transaction`; so are `work` and `result`.
        refuse: Raises another error in place of some.
    """
    conflicts = 0
    pause = 0.0
    while True:
        try:
            done: T = yield Transaction(make, work, pause, result)
            return done
        except Exception as error:
            # SQLAlchemy and Django raise an error of their own from the driver's.
            state = sqlstate_of(error.__cause__)
            conflicts += 1
            if refuse is not None:
                refuse(error)
            if state not in _COLLISIONS or conflicts > _MOST_CONFLICTS:
                raise
        longest = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2**conflicts)
        pause = random.uniform(0, longest)  # noqa: S311 - no secret


def refuse_missing_table(error: Exception, tables: Sequence[sa.Table], how: str) -> None:
    """Raise `NoTable` in place of the error of a database that lacks one of these tables; `how`
    says what to do.
    """
    missing = missing_table(error, tables)
    if missing:
        message = f"The table {missing} is not in the database: {how}, before anything else."
        raise NoTable(message) from None


class MakesDriver(Protocol):
    """Makes a driver, from the engine (of Django, the alias of the database) and a table."""

    def __call__(self, engine: Any, table: sa.Table, /) -> PassDriver: ...


class Box:
    """What the public classes have in common: their transactions, and the state of their worker."""

    table: sa.Table
    _transactions: Transactions
    _driver: ClassVar[MakesDriver]

    @property
    def heartbeat(self) -> Heartbeat:
        """The state of the worker of this object (`run`, `worker`), such as for a probe."""
        return self._transactions.heartbeat


class BlockingBox(Box):
    """With blocking calls."""


class OpenBox(BlockingBox):
    """With blocking calls, where this thread has at most one open transaction, which is known
    (Django): callers pass no session.
    """


class AwaitedBox(Box):
    """With awaited calls."""


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
    `A` in an awaited box, `W` in an `OpenBox`.
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
    def __get__(self, box: OpenBox, owner: type[Any]) -> W: ...

    @overload
    def __get__(self, box: BlockingBox, owner: type[Any]) -> B: ...

    @overload
    def __get__(self, box: AwaitedBox, owner: type[Any]) -> A: ...

    def __get__(self, box: Any, owner: type[Any]) -> Any:
        # `help()` also asks classes such as `OutboxBase`, which are of none of the three kinds.
        function = self._blocking
        if issubclass(owner, AwaitedBox):
            function = self._awaited
        elif issubclass(owner, OpenBox):
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
                return box._transactions.run(work)  # noqa: SLF001 - of every box
            return box._transactions.read(work)  # noqa: SLF001 - as above

        async def awaited(box: Any, /, *args: Any, **kwargs: Any) -> Any:
            return await blocking(box, *args, **kwargs)

        self._define(method, _result_of(method), blocking, awaited, blocking)


class in_session(  # noqa: N801 - a decorator
    _BoxMethod[_InSession[P, T], _InAsyncSession[P, T], Callable[P, T]], Generic[P, T]
):
    """Decorates a method that works in a transaction of the caller's, whose session or connection
    is its first argument.

    In an awaited box the method is a coroutine function, and takes an async session. In an
    `OpenBox` it takes no session.
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
            driver = box._transactions.driver  # noqa: SLF001 - of every box
            connection = driver.open_transaction(method.__name__)
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
