"""The steps of a call's flow, and the drivers that execute them with blocking and with awaited
calls. See `_flows`.
"""

import importlib
import inspect
import ssl
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Generator
from concurrent.futures import Future, wait
from contextvars import copy_context
from typing import TYPE_CHECKING, Any, TypeVar

import anyio
import httpx

from victor_ext._flows import adrive, drive
from victor_ext._runtime.core.clock import BEGUN, ServerClock, monotonic
from victor_ext._runtime.core.locks import (
    PerLoop,
    PerProcess,
    TaskPlace,
    ThreadLock,
    ThreadPlace,
)
from victor_ext._runtime.core.response import (
    MAX_RESPONSE_BYTES,
    ReceivedBody,
    Response,
    aread,
    read,
)
from victor_ext._values.opaque import Opaque
from victor_ext.errors import ConfigurationError

if TYPE_CHECKING:
    import anyio.lowlevel
    import anyio.to_thread  # noqa: TC004 - `AsyncDriver` imports both

T = TypeVar("T")

GRACE = 0.05
"""Seconds that the whole exchange may last beyond the limit of its stages. So a stage's own timeout
comes first, which knows whether anything was sent."""

_LATE = (
    "anyio.lowlevel",
    "anyio.to_thread",
    "concurrent.futures.thread",
    "anyio._backends._asyncio",
)
"""What only an event loop needs: asyncio and anyio import most of it within the first call."""


_SIGN_IS_AWAITED = (
    "sign is a coroutine function, but the calls of this client block: pass a plain function."
)


class NotInTime(Exception):
    """The function did not return in time. It may still run; its result is dropped."""


class Invoke(Opaque):
    """Call this function with this argument, within `seconds` (None: no limit).

    What it raises is raised as it is.
    """

    function: Callable[[Any], Any]
    argument: object
    seconds: float | None


def invoke(step: Invoke) -> Any:
    """The result of the function, which runs in a thread: it can be abandoned when its time has
    passed.
    """
    if inspect.iscoroutinefunction(step.function):
        raise ConfigurationError(_SIGN_IS_AWAITED)
    future = Future[Any]()
    context = copy_context()
    thread = threading.Thread(target=context.run, args=(_fulfill, future, step), daemon=True)
    thread.start()
    if not wait([future], step.seconds).done:
        raise NotInTime
    result = future.result()
    if inspect.iscoroutine(result):
        result.close()
        raise ConfigurationError(_SIGN_IS_AWAITED)
    return result


def _fulfill(future: Future[Any], step: Invoke) -> None:
    try:
        future.set_result(step.function(step.argument))
    except BaseException as error:  # noqa: BLE001 - it is raised in the thread that waits
        future.set_exception(error)


class Send(Opaque):
    """Send this request and read the whole response, within `seconds` (None: no limit) and up to
    `most` bytes.
    """

    request: httpx.Request
    seconds: float | None = None
    most: int = MAX_RESPONSE_BYTES


class Sleep(Opaque):
    """Wait for this many seconds: before the next attempt of a call, or before the next read of
    what a provider does later.
    """

    seconds: float
    is_between_reads: bool = False


Step = Send | Sleep | Invoke | Callable[[], Any]
"""A function is called, and its result awaited where calls are: it acquires a place of a lock,
or is a method of a client.
"""
OnWait = Callable[[float], object]
Flow = Generator[Step, Any, T]
Lock = Callable[[], ThreadPlace | TaskPlace]
"""Makes a place of a lock that one thread or task holds at a time."""


def done() -> Flow[None]:
    """A flow without any step."""
    yield from ()


class Driver:
    sleep: Callable[[float], None] = staticmethod(time.sleep)
    """That of the import: a test that replaces `time.sleep` changes no wait of a client."""
    pause: Callable[[float], None] = staticmethod(time.sleep)
    """Waits between two reads."""

    def __init__(self, transport: httpx.BaseTransport, *, grace: float = 0.0) -> None:
        self._transport = transport
        self._grace = grace

    @staticmethod
    def lock() -> Lock:
        """A lock for threads, one per process."""
        locks = PerProcess(ThreadLock)
        return lambda: ThreadPlace(locks.here())

    @staticmethod
    def skipping(clock: ServerClock, on_wait: OnWait) -> Callable[[float], None]:
        """In place of a sleep: set the clock forward and call `on_wait` with the seconds."""

        def skip(seconds: float) -> None:
            clock.skip(seconds)
            on_wait(seconds)

        return skip

    def run(self, flow: Flow[T]) -> T:
        return drive(flow, self.take)

    def take(self, step: Step) -> Any:
        """Execute a step, and return its result."""
        if isinstance(step, Send):
            began = monotonic()
            ends = None if step.seconds is None else began + step.seconds + self._grace
            return read(
                ReceivedBody(
                    self._transport.handle_request(step.request),
                    step.request,
                    began,
                    ends,
                    step.most,
                )
            )
        if isinstance(step, Sleep):
            wait = self.pause if step.is_between_reads else self.sleep
            wait(step.seconds)
            return None
        return invoke(step) if isinstance(step, Invoke) else step()


class AsyncDriver:
    def __init__(self, transport: httpx.AsyncBaseTransport, *, grace: float = GRACE) -> None:
        for name in _LATE if "trio" not in sys.modules else (*_LATE, "anyio._backends._trio"):
            importlib.import_module(name)
        self._transport = transport
        self._grace = grace
        self.sleep: Callable[[float], Awaitable[None]] = anyio.sleep
        self.pause = self.sleep

    @staticmethod
    def lock() -> Lock:
        """A lock for tasks, one per event loop."""
        locks = PerLoop(lambda: anyio.Semaphore(1))
        return lambda: TaskPlace(locks.here())

    @staticmethod
    def skipping(clock: ServerClock, on_wait: OnWait) -> Callable[[float], Awaitable[None]]:
        """In place of a sleep: set the clock forward and call `on_wait` with the seconds. Other
        tasks run meanwhile.
        """

        async def skip(seconds: float) -> None:
            await anyio.lowlevel.checkpoint()
            clock.skip(seconds)
            on_wait(seconds)

        return skip

    async def run(self, flow: Flow[T]) -> T:
        return await adrive(flow, self.take)

    async def take(self, step: Step) -> Any:
        if isinstance(step, Send):
            return await self._send(step)
        if isinstance(step, Sleep):
            wait = self.pause if step.is_between_reads else self.sleep
            await wait(step.seconds)
            return None
        return await (self._invoke(step) if isinstance(step, Invoke) else step())

    async def _invoke(self, step: Invoke) -> Any:
        with anyio.move_on_after(step.seconds):
            if inspect.iscoroutinefunction(step.function):
                return await step.function(step.argument)
            run = anyio.to_thread.run_sync
            value = await run(step.function, step.argument, abandon_on_cancel=True)
            return await value if inspect.isawaitable(value) else value
        raise NotInTime

    async def _send(self, step: Send) -> Response:
        try:
            if step.seconds is None:
                return await self._exchange(step)
            with anyio.move_on_after(step.seconds + self._grace):
                return await self._exchange(step)
        except ssl.SSLError as error:
            # A transport of httpx turns this into its own error where calls block, and not where
            # they are awaited.
            raise httpx.ReadError(str(error), request=step.request) from error
        # Where the event loop was blocked, this limit may come with that of a stage, which knows
        # what was sent.
        if step.request.extensions.get(BEGUN) is False:
            raise httpx.ConnectTimeout("no time was left to send the request", request=step.request)
        raise httpx.ReadTimeout("the response was not complete in time", request=step.request)

    async def _exchange(self, step: Send) -> Response:
        began = monotonic()
        ends = None if step.seconds is None else began + step.seconds
        response = await self._transport.handle_async_request(step.request)
        return await aread(ReceivedBody(response, step.request, began, ends, step.most))
