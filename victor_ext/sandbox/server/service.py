"""A running sandbox: its context, its provider, its ports, and the commands."""

from __future__ import annotations

import inspect
from functools import partial

from starlette.types import ASGIApp

from victor_ext.sandbox.server.api import Api
from victor_ext.sandbox.server.commands import Command
from victor_ext.sandbox.server.context import SandboxContext
from victor_ext.sandbox.server.control_api import ControlGuard, control_app
from victor_ext.sandbox.server.listener import Ports
from victor_ext.sandbox.server.operations import JsonObject, JsonValue
from victor_ext.sandbox.server.page.routes import page_routes
from victor_ext.sandbox.server.provider import AnyProvider
from victor_ext.sandbox.server.settings import ServerSettings


class Service:
    """Everything on the serving thread. `OSError` when a port or a file cannot be used."""

    def __init__(self, provider_type: type[AnyProvider], settings: ServerSettings) -> None:
        self.context = SandboxContext(settings, provider_type.operations, provider_type.key)
        self.provider = provider_type(self.context, settings)
        try:
            api = Api(self.context, self.provider, self._control_api(over_api_port=True))
            self.ports = Ports(self.context, api, self._control_api(over_api_port=False))
        except BaseException:
            self.provider.close()
            raise
        self._commands = provider_type.commands_type(self.provider, self.context, self.ports)

    def _control_api(self, *, over_api_port: bool) -> ASGIApp:
        settings, commands = self.context.settings, self.provider.commands_type.commands()
        pages = page_routes(self.provider, commands)
        app = control_app(commands, partial(self.run, over_api_port=over_api_port), pages)
        return ControlGuard(app, settings.host, settings.allowed_host)

    async def begin(self) -> None:
        await self.ports.begin()

    async def end(self) -> None:
        await self.ports.end()
        self.provider.close()

    async def run(self, command: Command, parameters: JsonObject, *, over_api_port: bool = False) -> JsonValue:
        """Run a control command. `ValueError` or `TypeError` is misuse, `NotFound` something that does not exist."""
        try:
            command.signature.bind(self._commands, **parameters)
        except TypeError as error:
            raise TypeError(f"{command.name}: {error}") from None
        if over_api_port and command.name == "down" and parameters.get("seconds") is None:
            raise ValueError("give seconds, or start with a control port: this port would never come back")
        value = command.work(self._commands, **parameters)
        result = await value if inspect.isawaitable(value) else value
        if command.method != "GET":
            self.context.changes.touch()
        return result
