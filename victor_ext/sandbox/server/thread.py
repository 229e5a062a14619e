"""A sandbox as a Python object: a real server on a real port, in a thread."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Generic, Self, TypeVar, cast

from victor_ext.sandbox.server.commands import ServerCommands
from victor_ext.sandbox.server.remote import without_none
from victor_ext.sandbox.server.routes import NotThere
from victor_ext.sandbox.server.service import Service
from victor_ext.sandbox.server.settings import ServerSettings

if TYPE_CHECKING:
    from types import TracebackType

    from victor_ext.sandbox.server.jsontypes import JsonValue
    from victor_ext.sandbox.server.standin import AnyStandIn

S = TypeVar("S", bound=ServerSettings)
_PATIENCE = 60.0
"""Seconds after which a command that does not come back is given up: the serving thread must be stuck."""


class ServerInThread(ServerCommands, Generic[S]):
    """A sandbox in this process.

    The commands run on the serving thread, one after another with the calls it serves, and they work while
    the API is `down`, too.
    """

    def __init__(self, settings: S | None = None) -> None:
        self.settings: S = cast("S", self.stand_in.settings_type()) if settings is None else settings
        self._thread: threading.Thread | None = None
        self._running: _Running | None = None

    @property
    def url(self) -> str:
        """Where the API is, such as `http://127.0.0.1:8900`."""
        return self._live().service.url

    @property
    def control_url(self) -> str:
        """Where the control API can be reached over HTTP."""
        return self._live().service.control_url

    def start(self) -> Self:
        """Begin to serve. `OSError` when the port or a file cannot be had."""
        if self._thread is not None:
            raise RuntimeError("this sandbox runs already")
        running = _Running(self.stand_in, self.settings)
        thread = threading.Thread(target=running.main, name=f"{self.stand_in.name}-sandbox", daemon=True)
        thread.start()
        running.ready.wait()
        if running.failure is not None:
            thread.join()
            raise running.failure
        self._thread, self._running = thread, running
        return self

    def restart(self) -> None:
        """Stop, and start again at the same address. Only what is kept in a file is still known then."""
        running = self._live()
        again = replace(self.settings, port=running.service.port, control_port=running.service.control_port)
        self.stop()
        self.settings = again
        self.start()

    def stop(self) -> None:
        """Close every connection and the port, and wait for the thread; without effect when not running."""
        if self._thread is None or self._running is None:
            return
        self._running.stop()
        self._thread.join()
        self._thread = self._running = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _live(self) -> _Running:
        if self._running is None:
            raise RuntimeError("this sandbox does not run; use it in a `with` statement or call start()")
        return self._running

    def _run(self, name: str, /, **parameters: JsonValue) -> JsonValue:
        running = self._live()
        command = running.service.run(name, without_none(parameters))
        try:
            return asyncio.run_coroutine_threadsafe(command, running.loop).result(_PATIENCE)
        except NotThere as error:
            raise LookupError(str(error)) from None
        except (TypeError, ArithmeticError) as error:
            raise ValueError(str(error) or repr(error)) from error


class _Running:
    """One run of a sandbox on its thread."""

    service: Service
    loop: asyncio.AbstractEventLoop

    def __init__(self, kind: type[AnyStandIn], settings: ServerSettings) -> None:
        self._kind = kind
        self._settings = settings
        self._stopping = asyncio.Event()
        self.ready = threading.Event()
        self.failure: BaseException | None = None

    def main(self) -> None:
        asyncio.run(self._serve())

    def stop(self) -> None:
        self.loop.call_soon_threadsafe(self._stopping.set)

    async def _serve(self) -> None:
        self.loop = asyncio.get_running_loop()
        try:
            self.service = Service(self._kind, self._settings)
            await self.service.begin()
        except BaseException as error:  # noqa: BLE001 (raised again by `start`, on the caller's thread)
            self.failure = error
            self.ready.set()
            return
        self.ready.set()
        await self._stopping.wait()
        await self.service.end()
