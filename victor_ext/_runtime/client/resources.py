"""What resources of a client stand on, and operations of a client itself.

A resource has its methods, blocking or awaited, from a generated class, and by hand the flow of
each, whose name is that of the method behind `_`:

    class _PayoutFlows(Resource):
        def _get(self, request: CheckedCall) -> OperationFlow[Payout]: ...

    class Payouts(methods.Payouts, _PayoutFlows): ...
    class AsyncPayouts(methods.AsyncPayouts, _PayoutFlows): ...

An `operation` of a client is written as a flow, too. A blocking client runs it and returns its
result; an awaited client has a coroutine function.
"""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from functools import partial, update_wrapper
from typing import Any, Concatenate, Generic, ParamSpec, Self, TypeVar, cast, overload

from msgspec import field

from victor_ext._privacy import conceal_arguments
from victor_ext._runtime.client.paging import AsyncPages, PageReader, Pages
from victor_ext._runtime.client.records import Page
from victor_ext._runtime.client.runners import OperationFlow
from victor_ext._runtime.core.clock import ServerClock
from victor_ext._values.opaque import FrozenOpaque

P = ParamSpec("P")
T = TypeVar("T")


class Blocking:
    """The mode of clients whose calls block."""


class Awaited:
    """The mode of clients whose calls are awaited."""


Mode = TypeVar("Mode", Blocking, Awaited)


class Shared(FrozenOpaque, frozen=True):
    """What the resources of one client share.

    `context` is data of that client, such as for whom it acts.
    """

    runner: Any  # a SyncRunner or AsyncRunner: its `run` returns a result, or a coroutine
    clock: ServerClock = field(default_factory=ServerClock)
    deadline: float | None = None
    context: Any = None

    def reading(self, walk: Walk[T]) -> Callable[[], Any]:
        """Begin to read a list, and return what reads page after page."""
        reader = walk.begin()
        return lambda: self.runner.run(walk.next_page(reader))


class HasMode(Generic[Mode]):
    """What operations are bound to: a client."""

    _shared: Shared


Results = Callable[[], OperationFlow[T | None]]
"""Makes the flow to the next of several results; the result None ends them."""


class Resource:
    """A group of operations of one client. An editor offers its operations and nothing else."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared


class BlockingMethods(Resource):
    """What the generated methods of a blocking client stand on."""

    def _pages(self, walk: Walk[T]) -> Pages[T]:
        return Pages(partial(self._shared.reading, walk))

    def _results(self, results: Results[T]) -> Iterator[T]:
        while (result := self._shared.runner.run(results())) is not None:
            yield result


class AwaitedMethods(Resource):
    """What the generated methods of an awaited client stand on."""

    def _pages(self, walk: Walk[T]) -> AsyncPages[T]:
        return AsyncPages(partial(self._shared.reading, walk))

    async def _results(self, results: Results[T]) -> AsyncIterator[T]:
        while (result := await self._shared.runner.run(results())) is not None:
            yield result


class Walk(FrozenOpaque, Generic[T], frozen=True):
    """How a list is read: `begin` makes a reader of it, `read` is the flow that reads the reader's
    next page.
    """

    begin: Callable[[], PageReader[T]]
    read: Callable[[Any], OperationFlow[Any]]

    def next_page(self, reader: PageReader[T]) -> OperationFlow[Page[T] | None]:
        """Read up to a page that has items; None: the list has ended. Raises `PaginationError`."""
        while not reader.done:
            page = reader.accept((yield from self.read(reader)))
            if page.items or page.repeats:
                return page
        return None


class operation(Generic[P, T]):  # noqa: N801 - a decorator
    """An operation of a client: a flow that the client runs. The class of a mode has the function
    of that mode in its place.
    """

    def __init__(self, flow: Callable[Concatenate[Any, P], OperationFlow[T]]) -> None:
        self.flow = flow
        """The flow itself, for other flows to go through."""

    @overload
    def __get__(self, client: None, owner: type[Any]) -> Self: ...

    @overload
    def __get__(self, client: HasMode[Blocking], owner: type[Any]) -> Callable[P, T]: ...

    @overload
    def __get__(
        self, client: HasMode[Awaited], owner: type[Any]
    ) -> Callable[P, Coroutine[Any, Any, T]]: ...

    def __get__(self, client: Any, owner: type[Any]) -> Any:
        return self

    def function(self, *, awaited: bool) -> Callable[..., Any]:
        """The method of one mode. It shows the signature of the flow, with the type of its own
        result.
        """
        flow = self.flow

        def call(client: Any, *args: Any, **kwargs: Any) -> Any:
            conceal_arguments(kwargs)
            return client._shared.runner.run(flow(client, *args, **kwargs))  # noqa: SLF001 - its own

        async def call_awaited(client: Any, *args: Any, **kwargs: Any) -> Any:
            conceal_arguments(kwargs)
            return await call(client, *args, **kwargs)

        function: Any = update_wrapper(call_awaited if awaited else call, flow)
        signature = inspect.signature(flow)
        declared = str(signature.return_annotation)
        result = declared.removeprefix("OperationFlow[").removesuffix("]")
        function.__annotations__ = {**flow.__annotations__, "return": result}
        function.__signature__ = signature.replace(return_annotation=result)
        return cast("Callable[..., Any]", function)
