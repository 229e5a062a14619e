"""A sandbox in this process: a real server on a real port, in a thread."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future
from dataclasses import replace
from types import TracebackType
from typing import ClassVar, Generic, Self, TypeVar, cast

from victor_ext.sandbox.server.commands import Command, ServerCommands
from victor_ext.sandbox.server.operations import JsonObject, JsonValue
from victor_ext.sandbox.server.provider import AnyProvider
from victor_ext.sandbox.server.run import Service
from victor_ext.sandbox.server.settings import ServerSettings

S = TypeVar("S", bound=ServerSettings)
_COMMAND_TIMEOUT = 60.0


class ServerInThread(ServerCommands, Generic[S]):
    """A sandbox in this process.

    The commands run on the serving thread, one after another with the calls it serves. They also work while the API is
    `down`.
    """

    provider_type: ClassVar[type[AnyProvider]]

    def __init__(self, settings: S | None = None) -> None:
        self.settings: S = cast("S", self.provider_type.settings_type()) if settings is None else settings
        self._service: Service | None = None
        self._thread: threading.Thread
        self._loop: asyncio.AbstractEventLoop
        self._stopping: asyncio.Event

    @property
    def url(self) -> str:
        """The URL of the API, such as `http://127.0.0.1:8900`."""
        return self._running().ports.api.url

    @property
    def control_url(self) -> str:
        """The URL of the server that has the control API, without a path: append `/_sandbox/`."""
        return self._running().ports.control_url

    def start(self) -> Self:
        """Begin to serve. `OSError` when the port or a file cannot be used."""
        if self._service is not None:
            raise RuntimeError("this sandbox runs already")
        started: Future[Service] = Future()
        name = f"{self.provider_type.name}-sandbox"
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve(started)), name=name, daemon=True)
        self._thread.start()
        try:
            self._service = started.result()
        except Exception:
            self._thread.join()
            raise
        return self

    async def _serve(self, started: Future[Service]) -> None:
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        try:
            service = Service(self.provider_type, self.settings)
            await service.begin()
        except BaseException as error:  # noqa: BLE001 (`start` raises it on the caller's thread)
            started.set_exception(error)
            return
        started.set_result(service)
        await self._stopping.wait()
        await service.end()

    def restart(self) -> None:
        """Stop, and start again at the same address. Only what is kept in a file is still known then."""
        ports = self._running().ports
        control_port = None if ports.control is None else ports.control.port
        again = replace(self.settings, port=ports.api.port, control_port=control_port)
        self.stop()
        self.settings = again
        self.start()

    def stop(self) -> None:
        """Close every connection and the port, and wait for the thread. No effect on a sandbox that does not run."""
        if self._service is not None:
            self._loop.call_soon_threadsafe(self._stopping.set)
            self._thread.join()
            self._service = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _running(self) -> Service:
        if self._service is None:
            raise RuntimeError("this sandbox does not run; use it in a `with` statement or call start()")
        return self._service

    def _send(self, command: Command, parameters: JsonObject) -> JsonValue:
        work = self._running().run(command, parameters)
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(_COMMAND_TIMEOUT)
