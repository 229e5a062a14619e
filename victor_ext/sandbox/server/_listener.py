"""The port of a sandbox: it can stop listening, listen again, and end at once."""

import asyncio
import os
import socket
import sys
from collections.abc import Iterable
from contextlib import suppress
from functools import partial
from typing import cast

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.config import Config
from uvicorn.server import ServerState

from victor_ext.sandbox.server._connection import SandboxConnection
from victor_ext.sandbox.server._context import SandboxContext
from victor_ext.sandbox.server._exchange import JsonObject

_BACKLOG = 2048


class Listener:
    """One port, with uvicorn's connections. Its server is not used: that would end only at its next
    tick.

    `OSError` when the port cannot be used.
    """

    def __init__(self, context: SandboxContext, app: ASGIApp) -> None:
        async def serve(scope: Scope, receive: Receive, send: Send) -> None:
            # The sandbox may end while a call waits, and uvicorn would print a traceback.
            with suppress(asyncio.CancelledError):
                await app(scope, receive, send)

        self._context = context
        self._config = Config(
            serve,
            ws="none",
            lifespan="off",
            log_config=None,
            date_header=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=cast("int", context.settings.keep_alive),  # any number is good
        )
        self._config.load()
        self._state = ServerState()
        self._servers: list[asyncio.Server] = []
        self._host = context.settings.host
        # Bound and never listening: it reserves the port while the listener is down.
        self._reservation = self._bind(context.settings.port)
        self.port: int = self._reservation.getsockname()[1]
        self._up_later: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        return f"http://{self._host}:{self.port}"

    def _bind(self, port: int) -> socket.socket:
        # The protocol is named because asyncio turns Nagle's delay off only for sockets that know
        # they are TCP.
        bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        try:
            if os.name == "posix":
                bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.bind((self._host, port))
        except OSError as error:
            bound.close()
            message = (
                f"cannot listen on {self._host} port {port}: {error.strerror}; port 0 picks "
                "a free one"
            )
            raise OSError(message) from error
        return bound

    async def listen(self) -> None:
        """Accept connections; no effect while they are accepted."""
        if self._servers:
            return
        if not sys.platform.startswith("linux"):
            # Elsewhere a second socket cannot be bound beside the first.
            self._reservation.close()

        connect = partial(SandboxConnection, self._context, self._config, self._state)
        loop = asyncio.get_running_loop()
        server = await loop.create_server(connect, sock=self._bind(self.port), backlog=_BACKLOG)
        self._servers.append(server)

    async def down(self, seconds: float | None) -> JsonObject:
        """Refuse new connections and reset the open ones, except those that carry a control
        command.

        For `seconds`, or until `up`.
        """
        self._cancel_up()
        await stop_accepting(self._servers)
        self._servers.clear()
        for connection in self._connections():
            connection.reset_unless_control()
        if seconds is not None:
            self._up_later = asyncio.create_task(self._listen_after(seconds))
        return {"listening": False}

    async def up(self) -> JsonObject:
        self._cancel_up()
        await self.listen()
        return {"listening": True}

    async def _listen_after(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        await self.listen()

    def _cancel_up(self) -> None:
        if self._up_later is not None:
            self._up_later.cancel()
            self._up_later = None

    async def end(self) -> None:
        """Close the port and every connection, and wait until they are closed."""
        self._cancel_up()
        await stop_accepting(self._servers)
        connections = self._connections()
        for connection in connections:
            connection.shutdown()
        await asyncio.gather(*(connection.lost for connection in connections))
        # Only now: while its connection is open, uvicorn would log a call that ends without a
        # response.
        tasks = list(self._state.tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._reservation.close()

    def _connections(self) -> list[SandboxConnection]:
        return cast("list[SandboxConnection]", list(self._state.connections))


async def stop_accepting(servers: Iterable[asyncio.Server]) -> None:
    """Close servers, once each connection that they have accepted has its protocol.

    A connection that is accepted when `Server.close` is called gets no transport of the server's
    any more: asyncio fails halfway, says nothing, and leaves an unclosed transport behind. So
    nothing more is accepted first, and what was accepted gets three rounds of the loop: for its
    transport, its protocol, and a task that the protocol starts.
    """
    for server in servers:
        for listening in server.sockets:
            with suppress(NotImplementedError):  # the loop of Windows has no readers
                asyncio.get_running_loop().remove_reader(listening.fileno())
    for _ in range(3):
        await asyncio.sleep(0)
    for server in servers:
        server.close()
