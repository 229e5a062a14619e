"""Resources whose operations are written once, and called with or without `await`.

An operation is a flow, written as a method of a resource. In the hands of a blocking client calling it returns
the result; in those of an awaited client, something to await. To a type checker both have the arguments of the
one definition:

    class Payouts(Resource[World]):
        @operation
        def get(self, payout_id: str) -> Flow[Payout]:
            ...

    blocking.payouts.get("...")        # a Payout
    await awaited.payouts.get("...")   # the same
"""

from __future__ import annotations

import types
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from functools import update_wrapper, wraps
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar, overload

from victor_ext.redaction import concealed_within
from victor_ext.runtime.loop.clock import ServerClock

from .paging import AsyncPages, PageReader, Pages
from .runners import AsyncRunner, OperationFlow, SyncRunner

P = ParamSpec("P")
T = TypeVar("T")


class Blocking:
    """The world of clients whose calls block."""


class Awaited:
    """The world of clients whose calls are awaited."""


Mode = TypeVar("Mode", Blocking, Awaited)


class Resource(Generic[Mode]):
    """A group of operations of one client.

    Args:
        face: Runs its flows.
        clock: The provider's clock.
        deadline: Seconds for one call as a whole, or None.
    """

    def __init__(self, face: SyncRunner | AsyncRunner, clock: ServerClock, deadline: float | None) -> None:
        self.face = face
        self.clock = clock
        self.deadline = deadline


class operation(Generic[P, T]):  # noqa: N801 - a decorator
    """An operation of a resource: a flow that the resource's client runs."""

    def __init__(self, flow: Callable[Concatenate[Any, P], OperationFlow[T]]) -> None:
        @wraps(flow)
        def run(resource: Resource[Any], *args: P.args, **kwargs: P.kwargs) -> Any:
            # What is handed over as an object may be anything of a payer's: no frame of ours shows what is in it.
            kwargs.update({name: concealed_within(value) for name, value in kwargs.items() if type(value) is dict})
            made = flow(resource, *args, **kwargs)
            del args, kwargs  # what was passed may be an account number, and is no local of ours when the call fails
            return resource.face.run(made)

        self._run = run
        self.flow = flow
        """The flow itself, for other flows to go through (`yield from Payouts.get.flow(self, ...)`)."""
        update_wrapper(self, flow)

    def __call__(self, resource: Resource[Any], *args: P.args, **kwargs: P.kwargs) -> Any:
        """As a function of the class: `Payouts.get(payouts, "...")`."""
        return self._run(resource, *args, **kwargs)

    @overload
    def __get__(self, resource: None, owner: type[Any]) -> operation[P, T]: ...

    @overload
    def __get__(self, resource: Resource[Blocking], owner: type[Any]) -> Callable[P, T]: ...

    @overload
    def __get__(self, resource: Resource[Awaited], owner: type[Any]) -> Callable[P, Coroutine[Any, Any, T]]: ...

    def __get__(self, resource: Resource[Any] | None, owner: type[Any]) -> Any:
        return self if resource is None else types.MethodType(self._run, resource)


class Walk(Generic[T]):
    """A list to be walked: how a new walk begins, and the flow that reads the page it has come to."""

    def __init__(self, begin: Callable[[], PageReader[T]], read: Callable[[PageReader[T]], OperationFlow[Any]]) -> None:
        self.begin = begin
        self.read = read


class listing(Generic[P, T]):  # noqa: N801 - a decorator
    """An operation that returns a `Walk`: all items, page by page, with `for` or `async for`.

    What the method itself checks, it raises when it is called, not at the first page.
    """

    def __init__(self, walk: Callable[Concatenate[Any, P], Walk[T]]) -> None:
        @wraps(walk)
        def pages(resource: Resource[Any], *args: P.args, **kwargs: P.kwargs) -> Any:
            return _pages(resource.face, walk(resource, *args, **kwargs))

        self._pages = pages
        update_wrapper(self, walk)

    def __call__(self, resource: Resource[Any], *args: P.args, **kwargs: P.kwargs) -> Any:
        """As a function of the class."""
        return self._pages(resource, *args, **kwargs)

    @overload
    def __get__(self, resource: None, owner: type[Any]) -> listing[P, T]: ...

    @overload
    def __get__(self, resource: Resource[Blocking], owner: type[Any]) -> Callable[P, Pages[T]]: ...

    @overload
    def __get__(self, resource: Resource[Awaited], owner: type[Any]) -> Callable[P, AsyncPages[T]]: ...

    def __get__(self, resource: Resource[Any] | None, owner: type[Any]) -> Any:
        return self if resource is None else types.MethodType(self._pages, resource)


class stream(Generic[P, T]):  # noqa: N801 - a decorator
    """An operation that yields results as they come: a generator, or an async generator.

    The method checks its arguments when it is called, and returns what makes the flow to the next result (None: there
    are no more).
    """

    def __init__(self, begin: Callable[Concatenate[Any, P], Callable[[], OperationFlow[T | None]]]) -> None:
        @wraps(begin)
        def results(resource: Resource[Any], *args: P.args, **kwargs: P.kwargs) -> Any:
            following = begin(resource, *args, **kwargs)
            face = resource.face
            return _results(face, following) if isinstance(face, SyncRunner) else _awaited_results(face, following)

        self._results = results
        update_wrapper(self, begin)

    def __call__(self, resource: Resource[Any], *args: P.args, **kwargs: P.kwargs) -> Any:
        """As a function of the class."""
        return self._results(resource, *args, **kwargs)

    @overload
    def __get__(self, resource: None, owner: type[Any]) -> stream[P, T]: ...

    @overload
    def __get__(self, resource: Resource[Blocking], owner: type[Any]) -> Callable[P, Iterator[T]]: ...

    @overload
    def __get__(self, resource: Resource[Awaited], owner: type[Any]) -> Callable[P, AsyncIterator[T]]: ...

    def __get__(self, resource: Resource[Any] | None, owner: type[Any]) -> Any:
        return self if resource is None else types.MethodType(self._results, resource)


def _results(face: SyncRunner, following: Callable[[], OperationFlow[T | None]]) -> Iterator[T]:
    while (result := face.run(following())) is not None:
        yield result


async def _awaited_results(face: AsyncRunner, following: Callable[[], OperationFlow[T | None]]) -> AsyncIterator[T]:
    while (result := await face.run(following())) is not None:
        yield result


def _pages(face: SyncRunner | AsyncRunner, walk: Walk[T]) -> Pages[T] | AsyncPages[T]:
    if isinstance(face, SyncRunner):
        blocking = face
        return Pages(lambda reader: blocking.run(walk.read(reader)), walk.begin)
    awaited = face
    return AsyncPages(lambda reader: awaited.run(walk.read(reader)), walk.begin)
