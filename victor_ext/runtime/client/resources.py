"""Resources whose operations are written once, and called with or without `await`.

An operation is a method that is written as a flow. A blocking client's resource runs the flow and
returns its result; in an awaited client's, it is a coroutine function. Type checkers and `help()`
show the arguments and the result's type:

    class Payouts(Resource[Mode]):
        @operation
        def get(self, payout_id: str) -> OperationFlow[Payout]:
            ...

    blocking.payouts.get("...")        # a Payout
    await awaited.payouts.get("...")   # the same
"""

from __future__ import annotations

import inspect
import sys
import types
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Coroutine,
    Iterable,
    Iterator,
)
from functools import partial, update_wrapper
from operator import attrgetter
from typing import (
    Any,
    Concatenate,
    Generic,
    ParamSpec,
    Self,
    TypeVar,
    cast,
    overload,
)

from msgspec import field

from victor_ext.opaque import FrozenOpaque
from victor_ext.privacy import conceal_arguments
from victor_ext.runtime.client.paging import AsyncPages, PageReader, Pages
from victor_ext.runtime.client.runners import AsyncRunner, OperationFlow
from victor_ext.runtime.core.clock import ServerClock
from victor_ext.runtime.core.validation import hint_at

P = ParamSpec("P")
RequestT = TypeVar("RequestT")
T = TypeVar("T")


def arguments_of(
    request: Callable[P, RequestT],
) -> Callable[[Callable[[Any, RequestT], T]], Callable[Concatenate[Any, P], T]]:
    """Give a method the arguments of a request object, which it receives, for type checkers and
    `inspect.signature`.

    The method documents them, or leaves that to the function that checks them.
    """

    def decorate(method: Callable[[Any, RequestT], T]) -> Callable[Concatenate[Any, P], T]:
        arguments = inspect.signature(request)

        def call(resource: Any, /, *args: P.args, **kwargs: P.kwargs) -> T:
            try:
                value = request(*args, **kwargs)
            except TypeError as error:
                if not _is_of_arguments(error):
                    raise
                # A missing or unknown argument is one of the method, not of a constructor that the
                # caller never saw.
                called = getattr(request, "__qualname__", "")
                called += ".__init__()" if isinstance(request, type) else "()"
                message = str(error).replace(called, f"{call.__qualname__}()")
                raise TypeError(_with_hint(message, arguments.parameters)) from None
            return method(resource, value)

        own = inspect.signature(method)
        resource = next(iter(own.parameters.values()))
        parameters = [resource, *arguments.parameters.values()]
        shown: Any = update_wrapper(call, method)
        shown.__signature__ = own.replace(parameters=parameters)
        shown.__doc__ = method.__doc__ or request.__doc__
        return call

    return decorate


C = TypeVar("C", bound=Callable[..., Any])


def hinting_arguments(method: C) -> C:
    """A method whose `TypeError` for an unexpected argument names the close one."""
    if sys.version_info >= (3, 13):  # Python does it
        return method
    parameters = inspect.signature(method).parameters

    def hint(error: TypeError) -> None:
        if _is_of_arguments(error):
            raise TypeError(_with_hint(str(error), parameters)) from None

    def call(*args: Any, **kwargs: Any) -> Any:
        conceal_arguments(kwargs)
        try:
            return method(*args, **kwargs)
        except TypeError as error:
            hint(error)
            raise

    async def call_awaited(*args: Any, **kwargs: Any) -> Any:
        conceal_arguments(kwargs)
        try:
            return await method(*args, **kwargs)
        except TypeError as error:
            hint(error)
            raise

    function = call_awaited if inspect.iscoroutinefunction(method) else call
    return cast("C", update_wrapper(function, method))


def _is_of_arguments(error: TypeError) -> bool:
    """Whether the arguments of a call raised an error, and not what the function does."""
    return error.__traceback__ is not None and error.__traceback__.tb_next is None


def _with_hint(message: str, known: Iterable[str]) -> str:
    """The message of a `TypeError`, with the argument that is close to an unexpected one."""
    _, _, unexpected = message.partition("unexpected keyword argument '")
    if not unexpected or "Did you mean" in message:  # Python 3.13 says it
        return message
    return message + hint_at(unexpected.partition("'")[0], known)


class Blocking:
    """The mode of clients whose calls block."""


class Awaited:
    """The mode of clients whose calls are awaited."""


Mode = TypeVar("Mode", Blocking, Awaited)


class Shared(FrozenOpaque, frozen=True):
    """What the resources of one client share.

    `context` is data of that client, such as for whom it acts.
    """

    runner: Any  # its `run` returns a result, or a coroutine that does
    clock: ServerClock = field(default_factory=ServerClock)
    deadline: float | None = None
    context: Any = None

    def reading(
        self, walk: Walk[T]
    ) -> tuple[Callable[[PageReader[T]], Any], Callable[[], PageReader[T]]]:
        """How a list is read: what reads a page, and what begins a pass."""
        return lambda reader: self.runner.run(walk.read(reader)), partial(self.begin, walk)

    def begin(self, walk: Walk[T]) -> PageReader[T]:
        """Begin a pass over a list.

        Items may leave a filter that only the caller knows: it is then read repeatedly.
        """
        reader = walk.begin()
        return reader.repeated() if self.runner.extras.query else reader


class HasMode(Generic[Mode]):
    """What operations are bound to: a resource, or a client."""

    _shared: Shared


class Resource(HasMode[Mode]):
    """A group of operations of one client. An editor offers its operations and nothing else."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared


class BlockingMethods(HasMode[Blocking]):
    """What the generated methods of a blocking client stand on."""

    def _pages(self, walk: Walk[T]) -> Pages[T]:
        return Pages(*self._shared.reading(walk))


class AwaitedMethods(HasMode[Awaited]):
    """What the generated methods of an awaited client stand on."""

    def _pages(self, walk: Walk[T]) -> AsyncPages[T]:
        return AsyncPages(*self._shared.reading(walk))


_shared_by: Callable[[HasMode[Any]], Shared] = attrgetter("_shared")

Results = Callable[[], OperationFlow[T | None]]
"""Makes the flow to the next result of a stream; the result None ends it."""


B = TypeVar("B", bound=Callable[..., Any])
A = TypeVar("A", bound=Callable[..., Any])


class _Definition(Generic[B, A]):
    """Binds the function of the resource's mode.

    Type checkers see a `B` of a blocking one, else an `A`.
    """

    _definition: Callable[..., Any]
    _blocking: Callable[..., Any]
    _awaited: Callable[..., Any]

    def __set_name__(self, owner: type[Any], name: str) -> None:
        for function in (self._definition, self._blocking, self._awaited):
            function.__name__ = name
            function.__qualname__ = f"{owner.__qualname__}.{name}"

    def _show(self, definition: Callable[..., Any], blocking: str, awaited: str) -> None:
        """Give each function the definition's signature, with the type of its own result (a format
        of `{}`).
        """
        self._definition = definition
        signature = inspect.signature(definition)
        declared = str(signature.return_annotation)
        result = declared.partition("[")[2].removesuffix("]") or "Any"
        shown = signature.replace(return_annotation=blocking.format(result))
        _show_as(definition, self, shown)
        _show_as(definition, self._blocking, shown)
        shown = signature.replace(return_annotation=awaited.format(result))
        _show_as(definition, self._awaited, shown)

    @overload
    def __get__(self, resource: None, owner: type[Any]) -> Self: ...

    @overload
    def __get__(self, resource: HasMode[Blocking], owner: type[Any]) -> B: ...

    @overload
    def __get__(self, resource: HasMode[Awaited], owner: type[Any]) -> A: ...

    def __get__(self, resource: HasMode[Any] | None, owner: type[Any]) -> Any:
        return self if resource is None else self._bound_to(resource)

    def __call__(self, resource: HasMode[Any], *args: Any, **kwargs: Any) -> Any:
        """As a function of the class: `Payouts.get(payouts, "...")`."""
        return self._bound_to(resource)(*args, **kwargs)

    def function(self, *, awaited: bool) -> Callable[..., Any]:
        """The method of one mode."""
        return self._awaited if awaited else self._blocking

    def _bound_to(self, resource: HasMode[Any]) -> Any:
        function = self._blocking
        if isinstance(_shared_by(resource).runner, AsyncRunner):
            function = self._awaited
        return types.MethodType(function, resource)


def _show_as(definition: Callable[..., Any], function: Any, signature: inspect.Signature) -> None:
    update_wrapper(function, definition)
    result = signature.return_annotation
    function.__annotations__ = {**definition.__annotations__, "return": result}
    function.__signature__ = signature


class operation(  # noqa: N801 - a decorator
    _Definition[Callable[P, T], Callable[P, Coroutine[Any, Any, T]]], Generic[P, T]
):
    """An operation of a resource, or of a client: a flow that the client runs."""

    def __init__(self, flow: Callable[Concatenate[Any, P], OperationFlow[T]]) -> None:
        def blocking(resource: HasMode[Any], *args: Any, **kwargs: Any) -> Any:
            conceal_arguments(kwargs)
            return _shared_by(resource).runner.run(flow(resource, *args, **kwargs))

        async def awaited(resource: HasMode[Any], *args: Any, **kwargs: Any) -> Any:
            conceal_arguments(kwargs)
            return await _shared_by(resource).runner.run(flow(resource, *args, **kwargs))

        self._blocking = blocking
        self._awaited = awaited
        self._show(flow, "{}", "{}")
        self.flow = flow
        """The flow itself, for other flows to go through
        (`yield from Payouts.get.flow(self, ...)`).
        """


class Walk(FrozenOpaque, Generic[T], frozen=True):
    """How a list is read: `begin` starts a new pass over it, `read` is the flow that reads the
    reader's next page.
    """

    begin: Callable[[], PageReader[T]]
    read: Callable[[PageReader[T]], OperationFlow[Any]]


class listing(  # noqa: N801 - a decorator
    _Definition[Callable[P, Pages[T]], Callable[P, AsyncPages[T]]], Generic[P, T]
):
    """An operation that returns a `Walk`: all items, page by page.

    It raises what it checks when it is called.
    """

    def __init__(self, walk: Callable[Concatenate[Any, P], Walk[T]]) -> None:
        def method(kind: type[Pages[T] | AsyncPages[T]]) -> Callable[..., Any]:
            def pages(resource: HasMode[Any], *args: Any, **kwargs: Any) -> Any:
                return kind(*_shared_by(resource).reading(walk(resource, *args, **kwargs)))

            return pages

        self._blocking = method(Pages)
        self._awaited = method(AsyncPages)
        self._show(walk, "Pages[{}]", "AsyncPages[{}]")


class stream(  # noqa: N801 - a decorator
    _Definition[Callable[P, Iterator[T]], Callable[P, AsyncIterator[T]]], Generic[P, T]
):
    """An operation that yields results as they come: an iterator, or an async iterator.

    It raises as `listing` does.
    """

    def __init__(self, begin: Callable[Concatenate[Any, P], Results[T]]) -> None:
        def method(yielded: Callable[..., Any]) -> Callable[..., Any]:
            def results(resource: HasMode[Any], *args: Any, **kwargs: Any) -> Any:
                run = _shared_by(resource).runner.run
                return yielded(run, begin(resource, *args, **kwargs))

            return results

        self._blocking = method(_yielded)
        self._awaited = method(_yielded_awaited)
        self._show(begin, "Iterator[{}]", "AsyncIterator[{}]")


def _yielded(
    run: Callable[[OperationFlow[T | None]], T | None], results: Results[T]
) -> Iterator[T]:
    while (result := run(results())) is not None:
        yield result


async def _yielded_awaited(
    run: Callable[[OperationFlow[T | None]], Awaitable[T | None]], results: Results[T]
) -> AsyncIterator[T]:
    while (result := await run(results())) is not None:
        yield result
