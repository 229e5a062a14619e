"""Transactions of the user's database, as steps of a pass, which a driver carries out.

`Transactions` writes the steps once; a `PassDriver` (`drivers`) makes them, blocking or awaited.
The decorators `operation` and `in_session` turn a method of a "box", an outbox or an inbox, that is
written once into a blocking and an awaited one.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Coroutine, Generator, Sequence
from dataclasses import dataclass, field
from functools import partial, update_wrapper
from operator import call
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

    Args:
        engine: Of the database; of Django, its alias.
        table: Of the outbox or inbox.
    """

    def __init__(self, engine: Any, table: sa.Table, /) -> None: ...

    @property
    def is_awaited(self) -> bool:
        """Whether calls are awaited."""
        ...

    @property
    def how_tables_are_made(self) -> str:
        """What to do if the tables are missing, as part of a message."""
        ...

    def with_calls(
        self, flow: Callable[[Calls], Pass[Any]], step: Callable[[Callable[[], Any]], Any]
    ) -> Any:
        """Make the pass `flow`, which has several calls under way at once."""

    def transaction(self, work: Work[Any], pause: float, /) -> Any:
        """Wait for `pause` seconds, then do this work in a transaction of its own."""

    def read(self, work: Work[Any], pause: float, /) -> Any:
        """Do this work in a transaction, which may be part of one that is open."""

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
        self._drive: Callable[..., Any] = adrive if driver.is_awaited else drive
        self._tables = tables

    def run(self, steps: Pass[Any]) -> Any:
        """Make a pass, each of whose steps shows that the worker is alive."""
        return self._drive(steps, self._step)

    def with_calls(self, flow: Callable[[Calls], Pass[Any]]) -> Any:
        """Make the pass `flow`, which has several calls under way at once."""
        return self.driver.with_calls(flow, self._step)

    def read(self, work: Work[Any]) -> Any:
        """Do work in one transaction. It shows nothing of a worker: `/metrics` also reads, and must
        not make a stalled one look alive.
        """
        return self._drive(self._transacted(self.driver.read, work), call)

    def _step(self, step: Callable[[], T]) -> T:
        """Make a step of a pass, and show that the worker is alive."""
        self.heartbeat.step()
        return step()

    def transact(self, work: Work[T], result: Any = None) -> Pass[T]:
        """Do this work in a transaction: see `transacted`."""
        return self._transacted(self.driver.transaction, work, result)

    def _transacted(
        self, make: Callable[[Work[Any], float], Any], work: Work[T], result: Any = None
    ) -> Pass[T]:
        refuse = partial(
            _refuse_missing_table, tables=self._tables, how=self.driver.how_tables_are_made
        )
        return transacted(make, work, result, refuse)


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


def _refuse_missing_table(error: Exception, tables: Sequence[sa.Table], how: str) -> None:
    """Raise `NoTable` in place of the error of a database that lacks one of these tables; `how`
    says what to do.
    """
    missing = missing_table(error, tables)
    if missing:
        message = f"The table {missing} is not in the database: {how}, before anything else."
        raise NoTable(message) from None


class Box:
    """What the public classes have in common: their transactions, and the state of their worker."""

    table: sa.Table
    is_awaited: ClassVar = False
    _transactions: Transactions
    _driver: ClassVar[type[PassDriver]]

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

    is_awaited = True


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

    Args:
        method: The method as it is written.
        run: The function that boxes have in its place.
    """

    def __init__(self, method: Callable[..., Any], run: Callable[..., Any]) -> None:
        self._run = update_wrapper(run, method)

    @overload
    def __get__(self, box: None, owner: type[Any]) -> Self: ...

    @overload
    def __get__(self, box: OpenBox, owner: type[Any]) -> W: ...

    @overload
    def __get__(self, box: BlockingBox, owner: type[Any]) -> B: ...

    @overload
    def __get__(self, box: AwaitedBox, owner: type[Any]) -> A: ...

    def __get__(self, box: Any, owner: type[Any]) -> Any:
        return self._run if box is None else MethodType(self._run, box)


class operation(  # noqa: N801 - a decorator
    _BoxMethod[Callable[P, T], Callable[P, Coroutine[Any, Any, T]], Callable[P, T]], Generic[P, T]
):
    """Decorates a method that returns a `Pass`, or `Work` for one transaction.

    In a blocking box the method returns the result of these, in an awaited box a coroutine of it.
    """

    def __init__(self, method: Callable[Concatenate[Any, P], Pass[T] | Work[T]]) -> None:
        def run(box: Any, /, *args: Any, **kwargs: Any) -> Any:
            work = method(box, *args, **kwargs)
            if isinstance(work, Generator):
                return box._transactions.run(work)  # noqa: SLF001 - of every box
            return box._transactions.read(work)  # noqa: SLF001 - as above

        super().__init__(method, run)


class in_session(  # noqa: N801 - a decorator
    _BoxMethod[_InSession[P, T], _InAsyncSession[P, T], Callable[P, T]], Generic[P, T]
):
    """Decorates a method that works in a transaction of the caller's, whose session or connection
    is its first argument.

    In an awaited box the method takes an async session, and returns a coroutine. In an `OpenBox` it
    takes no session.
    """

    def __init__(self, method: Callable[Concatenate[Any, Session | Connection, P], T]) -> None:
        def work(session: Any, /, box: Any, *args: Any, **kwargs: Any) -> Any:
            join(connection_of(session, box))
            with hidden_parameters():
                return method(box, session, *args, **kwargs)

        def run(box: Any, /, *args: Any, **kwargs: Any) -> Any:
            driver = box._transactions.driver  # noqa: SLF001 - of every box
            if isinstance(box, OpenBox):
                return method(box, driver.open_transaction(method.__name__), *args, **kwargs)
            session, *rest = args or (kwargs.pop("session", None),)
            is_awaited = isinstance(box, AwaitedBox)
            if not hasattr(session, "run_sync" if is_awaited else "execute"):
                raise ConfigurationError(
                    f"{type(session).__name__} is no session: pass a Session or a Connection, in "
                    "your transaction."
                )
            if is_awaited:
                return session.run_sync(work, box, *rest, **kwargs)
            return work(session, box, *rest, **kwargs)

        super().__init__(method, run)


def connection_of(session: Any, box: Any) -> Connection:
    """The connection on which a session works with the tables of a box, in its transaction."""
    if not hasattr(session, "connection") or isinstance(session, Connection):
        return cast("Connection", session)
    # A session may have several engines: it chooses the one for this table.
    chosen_by = {"clause": sa.select(box.table)}
    connection: Connection = session.connection(bind_arguments=chosen_by)
    return connection
