"""uvicorn on one real port, able to stop listening and to begin again, and to end at once."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from typing import TYPE_CHECKING, cast

from uvicorn.config import Config
from uvicorn.server import Server

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from victor_ext.sandbox.server.wire import Wire

_BACKLOG = 2048


class Listener(Server):
    """One uvicorn server on one port. Its own main loop is not used: it would end only at its next tick."""

    def __init__(self, app: ASGIApp, protocol: type[Wire], host: str, port: int, keep_alive: int) -> None:
        config = Config(
            app,
            http=protocol,
            ws="none",
            lifespan="off",
            loop="asyncio",
            log_config=None,
            log_level=None,
            date_header=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=keep_alive,
            backlog=_BACKLOG,
        )
        super().__init__(config)
        self._protocol = protocol
        self._host = host
        self._family = socket.AF_INET6 if ":" in host else socket.AF_INET
        # Bound and never listening: it keeps the port ours while the listener is down.
        self._place = self._bind(port)
        self.port: int = self._place.getsockname()[1]

    @property
    def url(self) -> str:
        """Where it listens."""
        host = f"[{self._host}]" if self._family == socket.AF_INET6 else self._host
        return f"http://{host}:{self.port}"

    def _bind(self, port: int) -> socket.socket:
        # The protocol is named because asyncio turns Nagle's delay off only for sockets that know they are TCP.
        found = socket.socket(self._family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        try:
            if os.name == "posix":
                found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            found.bind((self._host, port))
        except OSError as error:
            found.close()
            raise OSError(f"cannot listen on {self._host} port {port}: {error.strerror}") from error
        return found

    async def begin(self) -> None:
        """Start to serve; returns when connections are taken."""
        if not self.config.loaded:
            self.config.load()
        self.lifespan = self.config.lifespan_class(self.config)
        if not sys.platform.startswith("linux"):
            # Elsewhere a second socket cannot be bound beside the first.
            self._place.close()
        await self.startup(sockets=[self._bind(self.port)])

    @property
    def listening(self) -> bool:
        """Whether new connections are taken."""
        return bool(self.servers)

    def stop_listening(self) -> None:
        """Refuse new connections and cut the ones there are, except those that carry a control command."""
        for server in self.servers:
            server.close()
        self.servers.clear()
        for wire in self._wires():
            wire.reset_unless_control()

    async def listen_again(self) -> None:
        """Take connections again on the same port."""
        if self.servers:
            return
        loop = asyncio.get_running_loop()

        def protocol() -> asyncio.Protocol:
            return self._protocol(self.config, self.server_state, {}, loop)

        self.servers.append(await loop.create_server(protocol, sock=self._bind(self.port), backlog=_BACKLOG))

    async def end(self) -> None:
        """Close the port and every connection, and wait until nothing of it is left."""
        for server in self.servers:
            server.close()
        wires = self._wires()
        for wire in wires:
            wire.shutdown()
        await asyncio.gather(*(wire.lost for wire in wires))
        # Only now: uvicorn would complain of a call that ended unanswered while its connection is there.
        tasks = list(self.server_state.tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._place.close()

    def _wires(self) -> list[Wire]:
        return cast("list[Wire]", list(self.server_state.connections))
