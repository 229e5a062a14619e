"""The handlers of a queue: functions of this process that are called with its events."""

from __future__ import annotations

import inspect
from asyncio import CancelledError
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.orm import Session

from victor_ext import ConfigurationError

from .databases import Condition
from .transactions import PassDriver

E = TypeVar("E")
H = TypeVar("H", bound=Callable[..., object])

TRANSACTION_ENDED = (
    "A handler has ended the transaction that it shares: leave out commit() and rollback(), and do "
    "what may fail in a savepoint (session.begin_nested(), transaction.atomic())."
)
_NOBODY_AWAITS = "only AsyncOutbox and AsyncInbox can await it."


@dataclass(frozen=True, slots=True)
class Handler:
    """A function, and the name and the source of the events that it wants; None: any."""

    function: Callable[..., object] = field(repr=False)
    name: str | None
    source: str | None

    def wants(self, name: str, source: str) -> bool:
        """Whether the function is called with events of this name and source."""
        return self.name in (None, name) and self.source in (None, source)


class Handlers(Generic[E]):
    """The handlers of a queue.

    Args:
        events: The table of its events.
        driver: Calls them.

    Attributes:
        registered: What `on` adds to.
    """

    def __init__(self, events: sa.Table, driver: PassDriver) -> None:
        self._events = events
        self._driver = driver
        self.registered: list[Handler] = []

    def __bool__(self) -> bool:
        return bool(self.registered)

    def on(
        self, name: str | None, source: str | None, stored_name: Callable[[str], str]
    ) -> Callable[[H], H]:
        """The decorator that registers a handler.

        Args:
            name: The name of the events; None: of all.
            source: The source of the events; None: of all.
            stored_name: Returns the name as it is stored, or raises `ConfigurationError`: no event
                has it.

        Raises:
            ConfigurationError: An argument is wrong.
        """
        for text in (name, source):
            if not isinstance(text, str | None):  # such as the function, of `@on` without ()
                raise ConfigurationError(
                    f"on({text!r:.60}) is no text: write @on() or @on('completed') above a "
                    "function."
                )
        own_name = None if name is None else stored_name(name)

        def register(function: H) -> H:
            _check_handler(function, is_awaited=self._driver.is_awaited)
            self.registered.append(Handler(function, own_name, source))
            return function

        return register

    def are_wanted(self) -> Condition:
        """Holds for events that a handler of this process wants."""
        columns = self._events.c
        alternatives: list[Condition] = [sa.false()]
        for handler in self.registered:
            conditions: list[Condition] = [sa.true()]
            if handler.name is not None:
                conditions.append(columns.name == handler.name)
            if handler.source is not None:
                conditions.append(columns.source == handler.source)
            alternatives.append(sa.and_(*conditions))
        return sa.or_(*alternatives)

    def of(self, row: Any) -> list[Handler]:
        """The handlers of this process that want the event of a row."""
        return [handler for handler in self.registered if handler.wants(row.name, row.source)]

    def have_source(self, source: str) -> bool:
        """Whether a handler of this process may want events of this source."""
        return any(handler.source in (None, source) for handler in self.registered)

    def call(self, connection: Connection, handlers: Sequence[Handler], event: E) -> None:
        """Call handlers in a savepoint: the transaction keeps the work of all, or of none.

        Raises `RuntimeError` in place of a `CancelledError` of a handler's own: a transaction is
        not cancelled, so nobody has cancelled the worker.
        """
        functions = [handler.function for handler in handlers]
        try:
            self._driver.call_handlers(connection, functions, event)
        except CancelledError as error:
            raise RuntimeError("What the handler has waited for was cancelled.") from error


def call_in_savepoint(
    connection: Connection,
    handlers: Sequence[Callable[..., object]],
    event: object,
    call: Callable[[Callable[..., object], Session, object], None],
) -> None:
    """Call handlers, each by `call`, in a savepoint of a transaction of SQLAlchemy's. Raises
    `RuntimeError`: one has ended the transaction.
    """
    with connection.begin_nested(), Session(connection) as session, session.begin() as begun:
        for handler in handlers:
            call(handler, session, event)
            if not begun.is_active:
                raise RuntimeError(TRANSACTION_ENDED)


def is_async(function: Callable[..., object]) -> bool:
    """Whether a function is `async def`, or an object whose `__call__` is."""
    call = getattr(type(function), "__call__", None)  # noqa: B004 - not whether it can be called
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(call)


def refuse_awaitable(result: object) -> None:
    """Raise `TypeError` if a handler has returned what nobody awaits: its work is not done."""
    kind = type(result).__name__
    if not inspect.isawaitable(result):
        return
    if isinstance(result, Coroutine):
        result.close()  # else Python warns of it
    raise TypeError(f"The handler has returned a {kind}: {_NOBODY_AWAITS}")


def _check_handler(function: Callable[..., object], *, is_awaited: bool) -> None:
    """Raise `ConfigurationError` for a function whose result nobody would await."""
    if is_async(function) and not is_awaited:
        raise ConfigurationError(f"This handler is `async def`: {_NOBODY_AWAITS}")
