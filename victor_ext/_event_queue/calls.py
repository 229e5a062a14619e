"""Several calls under way at once: in threads where calls block, in tasks where they are awaited.

The pass that has started the calls goes on in its own thread or task, with the call that ends
first.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from contextvars import Context, copy_context
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Any, Protocol, TypeAlias

import anyio
from anyio.abc import TaskGroup

Call: TypeAlias = Callable[[], Any]


@dataclass(frozen=True, slots=True)
class CallEnd:
    """The end of a call.

    Attributes:
        number: The number that the call was started with.
        result: What the call has returned.
        error: What the call has raised; None: it has returned.
    """

    number: int
    result: Any = field(default=None, repr=False)
    error: BaseException | None = field(default=None, repr=False)


class Calls(Protocol):
    """The calls of a pass. Both methods are steps of the pass, whose results may have to be
    awaited.
    """

    def start(self, number: int, call: Call) -> Any:
        """Start a call, and return at once."""

    def wait(self, seconds: float) -> Any:
        """Wait until a call has ended, then so many more seconds for other calls. Return the ends
        of all (`CallEnd`).
        """


def _raise_fatal(ends: list[CallEnd]) -> None:
    """Raise an error that ends the program, such as `SystemExit`: no pass goes on after it."""
    for end in ends:
        if end.error is not None and not isinstance(end.error, Exception):
            raise end.error


class ThreadCalls:
    """Blocking calls, each in a copy of the context in which it was started.

    The threads belong to the pass, and end with it. As daemons they keep no program from ending.
    """

    def __init__(self) -> None:
        self._threads = 0
        self._under_way = 0
        self._calls: SimpleQueue[tuple[int, Context, Call] | None] = SimpleQueue()
        self._ends: SimpleQueue[CallEnd] = SimpleQueue()

    def start(self, number: int, call: Call) -> None:
        self._under_way += 1
        if self._threads < self._under_way:
            self._threads += 1
            threading.Thread(target=self._work, name="victor-outbox", daemon=True).start()
        self._calls.put((number, copy_context(), call))

    def wait(self, seconds: float) -> list[CallEnd]:
        ends = [self._ends.get()]
        until = time.monotonic() + seconds
        with suppress(Empty):
            while len(ends) < self._under_way:
                left = max(0.0, until - time.monotonic())
                ends.append(self._ends.get(timeout=left))
        self._under_way -= len(ends)
        _raise_fatal(ends)
        return ends

    def close(self) -> None:
        """Let each thread end after the call that it is making."""
        for _ in range(self._threads):
            self._calls.put(None)

    def _work(self) -> None:
        """Make calls, in a thread, until there is a None in their place."""
        while True:
            started = self._calls.get()
            if started is None:
                return
            number, context, call = started
            try:
                end = CallEnd(number, context.run(call))
            except BaseException as error:  # noqa: BLE001 - the pass waits for it, and raises it
                end = CallEnd(number, error=error)
            self._ends.put(end)


class TaskCalls:
    """Awaited calls, each in a task of the group."""

    def __init__(self, tasks: TaskGroup) -> None:
        self._tasks = tasks
        self._under_way = 0
        self._ends: list[CallEnd] = []
        self._has_ended = anyio.Event()

    async def start(self, number: int, call: Call) -> None:
        self._under_way += 1
        self._tasks.start_soon(self._work, number, call)

    async def wait(self, seconds: float) -> list[CallEnd]:
        while not self._ends:
            await self._wait_for_end()
        with anyio.move_on_after(seconds):
            while len(self._ends) < self._under_way:
                await self._wait_for_end()
        ends, self._ends = self._ends, []
        self._under_way -= len(ends)
        _raise_fatal(ends)
        return ends

    async def _wait_for_end(self) -> None:
        """Wait until one more call has ended."""
        await self._has_ended.wait()
        self._has_ended = anyio.Event()

    async def _work(self, number: int, call: Call) -> None:
        """Make one call, in a task. A task that is cancelled stays so."""
        try:
            end = CallEnd(number, await call())
        except BaseException as error:
            self._end(CallEnd(number, error=error))
            if isinstance(error, Exception):
                return
            raise  # the task was cancelled
        self._end(end)

    def _end(self, end: CallEnd) -> None:
        """Note the end of a call, and wake the pass."""
        self._ends.append(end)
        self._has_ended.set()
