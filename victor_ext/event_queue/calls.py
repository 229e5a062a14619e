"""Calls that are under way at once: in threads where calls block, in tasks where they are awaited.

Whoever has begun them goes on in his own thread or task, with whichever ends first.
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
    """What a call has come to.

    Attributes:
        number: The number that it was begun with.
        result: What it has returned.
        error: What it has raised; None: it has returned.
    """

    number: int
    result: Any = field(default=None, repr=False)
    error: BaseException | None = field(default=None, repr=False)


class Calls(Protocol):
    """Both methods are steps of a pass: what they return may have to be awaited."""

    def start(self, number: int, call: Call) -> Any:
        """Begin a call, and return at once."""

    def wait(self, seconds: float) -> Any:
        """Wait until a call has ended, and so many seconds more for others; return their
        `CallEnd`s.
        """


def _raise_fatal(ends: list[CallEnd]) -> list[CallEnd]:
    """Raises what ends a program, such as `SystemExit`: no pass goes on after it."""
    for end in ends:
        if end.error is not None and not isinstance(end.error, Exception):
            raise end.error
    return ends


class ThreadCalls:
    """Blocking calls, at most `most` of them at once, each in a copy of its beginner's context.

    The threads are of the pass, and end with it. They keep no program from ending.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._threads = 0
        self._under_way = 0
        self._calls: SimpleQueue[tuple[int, Context, Call] | None] = SimpleQueue()
        self._ends: SimpleQueue[CallEnd] = SimpleQueue()

    def start(self, number: int, call: Call) -> None:
        self._under_way += 1
        if self._threads < min(self._under_way, self._most):
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
        return _raise_fatal(ends)

    def close(self) -> None:
        """Let the threads end, each after the call that it has begun."""
        for _ in range(self._threads):
            self._calls.put(None)

    def _work(self) -> None:
        while True:
            begun = self._calls.get()
            if begun is None:
                return
            number, context, call = begun
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
        return _raise_fatal(ends)

    async def _wait_for_end(self) -> None:
        """Wait until one more has ended."""
        await self._has_ended.wait()
        self._has_ended = anyio.Event()

    async def _work(self, number: int, call: Call) -> None:
        try:
            end = CallEnd(number, await call())
        except BaseException as error:
            self._end(CallEnd(number, error=error))
            if isinstance(error, Exception):
                return
            raise  # the task was cancelled
        self._end(end)

    def _end(self, end: CallEnd) -> None:
        self._ends.append(end)
        self._has_ended.set()
