"""A running sandbox: the stage, the stand-in, the listeners, and the commands that touch them."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from victor_ext.sandbox.server.api import Api
from victor_ext.sandbox.server.control import Control
from victor_ext.sandbox.server.guard import ControlGuard
from victor_ext.sandbox.server.listener import Listener
from victor_ext.sandbox.server.routes import control_app
from victor_ext.sandbox.server.stage import SandboxContext
from victor_ext.sandbox.server.wire import wire_for

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from victor_ext.sandbox.server.jsontypes import JsonObject, JsonValue
    from victor_ext.sandbox.server.settings import ServerSettings
    from victor_ext.sandbox.server.standin import AnyStandIn


class Service:
    """Everything that lives on the serving thread. `OSError` when a port or a file cannot be had."""

    def __init__(self, kind: type[AnyStandIn], settings: ServerSettings) -> None:
        self._stage = SandboxContext(settings, kind.operations, kind.key)
        self.stand_in = kind(self._stage, settings)
        self._control = Control(self._stage, self.stand_in)
        self._control_listener: Listener | None = None
        self._rising: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        wire = wire_for(self._stage)
        try:
            commands = self._guarded(control_app(kind.commands, partial(self.run, over_api_port=True)))
            app = Api(self._stage, self.stand_in, commands)
            self._listener = Listener(app, wire, settings.host, settings.port, settings.keep_alive)
            if settings.control_port is not None:
                commands = self._guarded(control_app(kind.commands, self.run))
                port = settings.control_port
                self._control_listener = Listener(commands, wire, settings.host, port, settings.keep_alive)
        except BaseException:
            self.stand_in.close()
            raise

    def _guarded(self, commands: ASGIApp) -> ASGIApp:
        settings = self._stage.settings
        return ControlGuard(commands, settings.host, settings.allowed_host)

    @property
    def url(self) -> str:
        """Where the provider's API is."""
        return self._listener.url

    @property
    def control_url(self) -> str:
        """Where the control API is always reachable: its own port, or else the same one."""
        return (self._control_listener or self._listener).url

    @property
    def port(self) -> int:
        """The port of the API."""
        return self._listener.port

    @property
    def control_port(self) -> int | None:
        """The port of the control API, when it has one of its own."""
        return None if self._control_listener is None else self._control_listener.port

    async def begin(self) -> None:
        """Take connections."""
        await self._listener.begin()
        if self._control_listener is not None:
            await self._control_listener.begin()

    async def end(self) -> None:
        """Close everything."""
        self._keep_down()
        await self._listener.end()
        if self._control_listener is not None:
            await self._control_listener.end()
        self.stand_in.close()

    async def run(self, name: str, parameters: JsonObject, *, over_api_port: bool = False) -> JsonValue:
        """Run a control command. `ValueError` or `TypeError` is misuse, `NotThere` something that is missing."""
        if name == "down":
            return self._down(**parameters, over_api_port=over_api_port)
        if name == "up":
            return await self._up()
        if name == "reset":
            self._stage.reset()
            self.stand_in.reset()
            return {}
        return self._control.run(name, parameters)

    def _down(self, seconds: float | None = None, *, over_api_port: bool) -> JsonObject:
        if seconds is None and over_api_port:
            raise ValueError("give seconds, or start with a control port: this port would never come back")
        self._keep_down()
        self._listener.stop_listening()
        if seconds is not None:
            self._rising = asyncio.get_running_loop().call_later(seconds, self._rise)
        return {"listening": False}

    async def _up(self) -> JsonObject:
        self._keep_down()
        await self._listener.listen_again()
        return {"listening": True}

    def _rise(self) -> None:
        task = asyncio.get_running_loop().create_task(self._listener.listen_again())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _keep_down(self) -> None:
        if self._rising is not None:
            self._rising.cancel()
            self._rising = None
