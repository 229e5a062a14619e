"""Pools of connections, each used only where its connections were opened.

A connection that two users write to mixes their answers up: a child that a process forks has the sockets of its
parent, and would read what the parent asked for. And one of an event loop that has ended still sends, by the socket
alone, while its answer never comes: `asyncio.run()` twice with one client would ask for money and raise that the loop
is closed.
"""

from __future__ import annotations

import os
from collections.abc import Callable

import httpx


class PerProcess(httpx.BaseTransport):
    """A transport that has one of its own in each process.

    Args:
        make: Makes one; it is called once here, so that what cannot work is said at once.
    """

    def __init__(self, make: Callable[[], httpx.BaseTransport]) -> None:
        self._make = make
        self._pool = (os.getpid(), make())

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send it over a connection of this process."""
        return self._of_this_process().handle_request(request)

    def close(self) -> None:
        """Close the connections of this process."""
        self._of_this_process().close()

    def _of_this_process(self) -> httpx.BaseTransport:
        process, here = self._pool
        if process != os.getpid():
            # Without a lock, since one that the parent held at the time would never be released. Should two threads
            # come here at once, each has a pool that works, and one of the two stays.
            here = self._make()
            self._pool = (os.getpid(), here)
        return here


class PerLoop(httpx.AsyncBaseTransport):
    """A transport that has one of its own for each event loop that it is used in.

    Args:
        make: Makes one; it is called once here, so that what cannot work is said at once.
    """

    def __init__(self, make: Callable[[], httpx.AsyncBaseTransport]) -> None:
        from anyio.lowlevel import RunVar  # noqa: PLC0415 - only those who await pay for it

        self._make = make
        self._spare = [make()]
        self._here: RunVar[httpx.AsyncBaseTransport | None] = RunVar("connections", None)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send it over a connection of the running loop."""
        return await self._of_this_loop().handle_async_request(request)

    async def aclose(self) -> None:
        """Close the connections of the running loop. (Those of a loop that has ended died with it.)"""
        here = self._here.get()
        if here is not None:
            await here.aclose()

    def _of_this_loop(self) -> httpx.AsyncBaseTransport:
        here = self._here.get()
        if here is None:
            # Taken in one step: loops of other threads may come here at the same time.
            try:
                here = self._spare.pop()
            except IndexError:
                here = self._make()
            self._here.set(here)
        return here
