"""A running sandbox: its context, its provider, its listeners, and the commands."""

from __future__ import annotations

import asyncio
import inspect
from functools import partial

from starlette.types import ASGIApp

from victor_ext.sandbox.server.api import Api
from victor_ext.sandbox.server.commands import Command
from victor_ext.sandbox.server.connection import connection_class
from victor_ext.sandbox.server.context import SandboxContext
from victor_ext.sandbox.server.control_api import control_app
from victor_ext.sandbox.server.guard import ControlGuard
from victor_ext.sandbox.server.jsontypes import JsonObject, JsonValue
from victor_ext.sandbox.server.listener import Listener
from victor_ext.sandbox.server.page.routes import page_routes
from victor_ext.sandbox.server.provider import AnyProvider
from victor_ext.sandbox.server.settings import ServerSettings


class Service:
    """Everything on the serving thread. `OSError` when a port or a file cannot be used."""

    def __init__(self, provider_type: type[AnyProvider], settings: ServerSettings) -> None:
        self.context = SandboxContext(settings, provider_type.operations, provider_type.key)
        self.provider = provider_type(self.context, settings)
        self._commands = provider_type.commands_type(self)
        self._control_listener: Listener | None = None
        self._up_later: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        try:
            app = Api(self.context, self.provider, self._control_api(over_api_port=True))
            self._listener = self._listen(app, "port", settings.port)
            if settings.control_port is not None:
                control = self._control_api(over_api_port=False)
                try:
                    self._control_listener = self._listen(control, "control_port", settings.control_port)
                except OSError:
                    self._listener.release_port()
                    raise
        except BaseException:
            self.provider.close()
            raise

    def _control_api(self, *, over_api_port: bool) -> ASGIApp:
        settings = self.context.settings
        commands = self._commands.commands()
        pages = page_routes(self.provider, commands)
        app = control_app(commands, partial(self.run, over_api_port=over_api_port), pages)
        return ControlGuard(app, settings.host, settings.allowed_host)

    def _listen(self, app: ASGIApp, option: str, port: int) -> Listener:
        settings, connection = self.context.settings, connection_class(self.context)
        return Listener(app, connection, settings.host, port, settings.keep_alive, option=option)

    @property
    def url(self) -> str:
        """The URL of the provider's API."""
        return self._listener.url

    @property
    def control_url(self) -> str:
        """The URL below which `/_sandbox/` is always reachable: that of the control port, or else of the API."""
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
        """Accept connections."""
        await self._listener.begin()
        if self._control_listener is not None:
            await self._control_listener.begin()

    async def end(self) -> None:
        """Close everything."""
        self._cancel_up()
        await self._listener.end()
        if self._control_listener is not None:
            await self._control_listener.end()
        self.provider.close()

    async def run(self, command: Command, parameters: JsonObject, *, over_api_port: bool = False) -> JsonValue:
        """Run a control command. `ValueError` or `TypeError` is misuse, `NotFound` something that is missing."""
        try:
            command.signature.bind(self._commands, **parameters)
        except TypeError as error:
            raise TypeError(f"{command.name}: {error}") from None
        if over_api_port and command.name == "down" and parameters.get("seconds") is None:
            raise ValueError("give seconds, or start with a control port: this port would never come back")
        found = command.work(self._commands, **parameters)
        result = await found if inspect.isawaitable(found) else found
        if command.method != "GET":
            self.context.changes.touch()
        return result

    async def down(self, seconds: float | None) -> JsonObject:
        """Stop to listen, for some seconds or until `up`."""
        self._cancel_up()
        await self._listener.stop_listening()
        if seconds is not None:
            self._up_later = asyncio.get_running_loop().call_later(seconds, self._start_up)
        return {"listening": False}

    async def up(self) -> JsonObject:
        """Listen again."""
        self._cancel_up()
        await self._listener.listen_again()
        return {"listening": True}

    def _start_up(self) -> None:
        task = asyncio.get_running_loop().create_task(self._listener.listen_again())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _cancel_up(self) -> None:
        if self._up_later is not None:
            self._up_later.cancel()
            self._up_later = None
