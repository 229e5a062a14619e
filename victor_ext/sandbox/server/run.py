"""A running sandbox: its context, its provider, its ports and the commands; in a thread, and in the foreground."""

import asyncio
import inspect
import json
import logging
import os
import signal
import sys
import threading
from collections.abc import Generator
from concurrent.futures import Future
from contextlib import AsyncExitStack, contextmanager, nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import FrameType
from typing import ClassVar, Generic, Self, TypeVar, cast

from starlette.types import ASGIApp

from victor_ext.sandbox.server.api import Api, ControlGuard, control_app
from victor_ext.sandbox.server.commands import Command, ServerCommands
from victor_ext.sandbox.server.context import SandboxContext, access
from victor_ext.sandbox.server.exchange import JsonObject, JsonValue
from victor_ext.sandbox.server.listener import Listener
from victor_ext.sandbox.server.page import page_routes
from victor_ext.sandbox.server.privacy import open_private
from victor_ext.sandbox.server.provider import AnyProvider
from victor_ext.sandbox.server.settings import ServerSettings, is_this_machine

S = TypeVar("S", bound=ServerSettings)
_COMMAND_TIMEOUT = 60.0


class Service:
    """Everything on the serving thread. `OSError` when a port or a file cannot be used."""

    def __init__(self, provider_type: type[AnyProvider], settings: ServerSettings) -> None:
        self.context = SandboxContext(settings, provider_type.operations, provider_type.key)
        self.provider = provider_type(self.context, settings)
        try:
            self.listener = Listener(self.context, Api(self.context, self.provider, self._control_api()))
        except BaseException:
            self.provider.close()
            raise

    def _control_api(self) -> ASGIApp:
        settings, commands = self.context.settings, self.provider.commands_type.commands()
        app = control_app(commands, partial(self.run, over_http=True), page_routes(self.provider))
        return ControlGuard(app, settings.host, settings.allowed_host)

    async def end(self) -> None:
        await self.listener.end()
        self.provider.close()

    async def run(self, command: Command, parameters: JsonObject, *, over_http: bool = False) -> JsonValue:
        """Run a control command. `ValueError` is misuse, `NotFound` something that does not exist."""
        if over_http and command.name == "down" and parameters.get("seconds") is None:
            raise ValueError("give seconds: the port would never come back")
        commands = self.provider.commands_type(self.provider, self.context, self.listener)
        # None is "not given" everywhere but in `times`, where it means without end.
        given = {name: value for name, value in parameters.items() if value is not None or name == "times"}
        try:
            value = command.work(commands, **given)
        except (TypeError, ArithmeticError) as error:
            raise ValueError(str(error) or repr(error)) from error
        result = await value if inspect.isawaitable(value) else value
        self.context.changes += 1
        return result


class ServerInThread(ServerCommands, Generic[S]):
    """A sandbox in this process. Its commands run on the serving thread between calls, and while the API is `down`."""

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
        return self._running().listener.url

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
            await service.listener.listen()
        except BaseException as error:  # noqa: BLE001 (`start` raises it on the caller's thread)
            started.set_exception(error)
            return
        started.set_result(service)
        await self._stopping.wait()
        await service.end()

    def restart(self) -> None:
        """Stop, and start again at the same address. Only what is kept in a file is still known then."""
        self.settings = replace(self.settings, port=self._running().listener.port)
        self.stop()
        self.start()

    def stop(self) -> None:
        """Close every connection and the port, and wait for the thread. No effect on a sandbox that does not run."""
        if self._service is not None:
            self._loop.call_soon_threadsafe(self._stopping.set)
            self._thread.join()
            self._service = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _running(self) -> Service:
        if self._service is None:
            raise RuntimeError("this sandbox does not run; use it in a `with` statement or call start()")
        return self._service

    def _send(self, command: Command, parameters: JsonObject) -> JsonValue:
        work = self._running().run(command, parameters)
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(_COMMAND_TIMEOUT)


def serve(
    provider_type: type[AnyProvider],
    settings: ServerSettings,
    *,
    quiet: bool = False,
    json_line: bool = False,
    env_file: str | None = None,
    about: str = "",
) -> int:
    """Serve until SIGINT or SIGTERM; returns the exit status: 0, or 1 when a port or a file cannot be used.

    `quiet`, `json_line` and `env_file` are options of the command line; `about` is more of what it prints at its start.
    """

    async def run() -> None:
        async with AsyncExitStack() as stack:
            stopping = stack.enter_context(_stop_signals())
            service = Service(provider_type, settings)
            url = service.listener.url
            await service.listener.listen()
            stack.push_async_callback(service.end)
            if env_file is not None:
                _write(env_file, service.provider.client_settings(url))
            if json_line:
                print(json.dumps({"url": url, "pid": os.getpid()}), flush=True)
            if not quiet:
                print(_greeting(service, about), file=sys.stderr, flush=True)
            await stopping.wait()

    try:
        with nullcontext() if quiet else _access_log():
            asyncio.run(run())
    except OSError as error:
        print(f"victor sandbox: {error}", file=sys.stderr)
        return 1
    return 0


@contextmanager
def _stop_signals() -> Generator[asyncio.Event]:
    """An event that SIGINT and SIGTERM set. Their handlers are afterwards as before; other threads have no signals."""
    stopping, loop = asyncio.Event(), asyncio.get_running_loop()
    numbers = (signal.SIGINT, signal.SIGTERM) if threading.current_thread() is threading.main_thread() else ()

    def stop(_number: int, _frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(stopping.set)

    before = {number: signal.signal(number, stop) for number in numbers}
    try:
        yield stopping
    finally:
        for number, handler in before.items():
            signal.signal(number, handler or signal.SIG_DFL)  # None: it was not set from Python


def _greeting(service: Service, about: str) -> str:
    lines = [
        f"{service.provider.heading} and its page on {service.listener.url}",
        f"Control API on {service.listener.url}/_sandbox/",
        *about.splitlines(),
    ]
    host = service.context.settings.host
    if not is_this_machine(host):
        lines.append(f"Warning: {host} can be reached from other machines, and so can the control API.")
    return "\n".join(lines)


def _write(path: str, text: str) -> None:
    """Write the file of `--env-file` in one step, readable by its owner alone. `OSError` names the option."""
    part = Path(f"{path}.part")
    try:
        part.unlink(missing_ok=True)
        with os.fdopen(open_private(part, os.O_WRONLY | os.O_EXCL), "w", encoding="utf-8") as file:
            file.write(text)
        part.replace(path)
    except OSError as error:
        raise OSError(f"--env-file: cannot write {path}: {error.strerror}") from error


@contextmanager
def _access_log() -> Generator[None]:
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s  %(message)s", datefmt="%H:%M:%S"))
    access.addHandler(handler)
    access.setLevel(logging.INFO)
    try:
        yield
    finally:
        access.removeHandler(handler)
        access.setLevel(logging.NOTSET)
