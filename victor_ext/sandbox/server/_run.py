"""A running sandbox: its context, its provider, its ports and the commands; in a thread, and in the
foreground.
"""

import asyncio
import inspect
import json
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Generator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Generic, NoReturn, Self, cast

from victor_ext.sandbox.server._arguments import check_arguments, without_none
from victor_ext.sandbox.server._commands import Command, ServerCommands
from victor_ext.sandbox.server._context import SandboxContext, access
from victor_ext.sandbox.server._exchange import JsonObject, JsonValue
from victor_ext.sandbox.server._http import Listener
from victor_ext.sandbox.server._privacy import open_private
from victor_ext.sandbox.server._provider import AnyProvider
from victor_ext.sandbox.server._settings import S, ServerSettings, is_this_machine

_COMMAND_TIMEOUT = 60.0


class Service:
    """Everything on the serving thread. `OSError` when the port cannot be used."""

    def __init__(self, provider_type: type[AnyProvider], settings: ServerSettings) -> None:
        context = SandboxContext(settings, provider_type.operations, provider_type.key)
        self.provider = provider_type(context, settings)
        self.listener = Listener(self.provider, self.run)

    async def end(self) -> None:
        await self.listener.end()
        await self.provider.notifications.end()

    async def run(self, command: Command, parameters: JsonObject) -> JsonValue:
        """Run a control command.

        `ValueError` is misuse, `NotFound` something that does not exist.
        """
        # Raises ValueError for half of a surrogate pair, which could be neither stored nor sent.
        json.dumps(parameters, ensure_ascii=False).encode()
        given = without_none(parameters)
        check_arguments(command.work, given)
        commands = self.provider.commands_type(self.provider, self.listener)
        try:
            value = command.work(commands, **given)
        except (TypeError, ArithmeticError) as error:
            raise ValueError(str(error) or repr(error)) from error
        result = await value if inspect.isawaitable(value) else value
        self.provider.notifications.wake()
        return result


class ServerInThread(ServerCommands, Generic[S]):
    """A sandbox in this process.

    Its commands run on the serving thread between calls, and while the API is `down`.
    """

    provider_type: type[AnyProvider]

    def __init__(self, settings: S | None = None) -> None:
        self.settings: S = (
            cast("S", self.provider_type.settings_type()) if settings is None else settings
        )
        self._service: Service | None = None
        self._thread: threading.Thread
        self._loop: asyncio.AbstractEventLoop
        self._stopping: asyncio.Event

    @property
    def url(self) -> str:
        """The URL of the API, such as `http://127.0.0.1:8900`."""
        return self._running().listener.url

    def start(self) -> Self:
        """Begin to serve. `OSError` when the port cannot be used."""
        if self._service is not None:
            raise RuntimeError("this sandbox runs already")
        started: Future[Service] = Future()
        name = f"{self.provider_type.name}-sandbox"
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._serve(started)), name=name, daemon=True
        )
        self._thread.start()
        try:
            self._service = started.result()
        except Exception:
            self._thread.join()
            raise
        return self

    async def _serve(self, started: Future[Service]) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        try:
            service = Service(self.provider_type, self.settings)
            await service.listener.listen()
            if service.provider.notifications.url is not None:
                service.provider.notifications.start()
        except BaseException as error:  # noqa: BLE001 (`start` raises it on the caller's thread)
            started.set_exception(error)
            return
        started.set_result(service)
        await self._stopping.wait()
        await service.end()

    def stop(self) -> None:
        """Close every connection and the port, and wait for the thread.

        No effect on a sandbox that does not run.
        """
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
            raise RuntimeError(
                "this sandbox does not run; use it in a `with` statement or call start()"
            )
        return self._service

    def _send(self, command: Command, parameters: JsonObject) -> JsonValue:
        run = self._running().run(command, parameters)
        return asyncio.run_coroutine_threadsafe(run, self._loop).result(_COMMAND_TIMEOUT)


class _Foreground(ServerInThread[ServerSettings]):
    """The sandbox of the command line."""

    def __init__(self, provider_type: type[AnyProvider], settings: ServerSettings) -> None:
        super().__init__(settings)
        self.provider_type = provider_type

    def client_settings(self) -> str:
        url = self.url
        provider = self._running().provider

        def work(_commands: object) -> str:
            return provider.client_settings(url)

        # A command that the control API does not have: credentials are made on the serving thread.
        return str(self._send(Command("client_settings", "", "", work), {}))

    def greeting(self) -> str:
        url, host = self.url, self.settings.host
        heading = self._running().provider.heading
        greeting = f"{heading} and its page on {url}\nControl API on {url}/_sandbox/"
        warning = (
            f"\nWarning: {host} can be reached from other machines, and so can the control API."
        )
        return greeting if is_this_machine(host) else greeting + warning


class _Stopped(BaseException):
    """SIGINT or SIGTERM has come.

    `KeyboardInterrupt` is what others make of other signals, such as SIGHUP.
    """


def _stop(*_: object) -> NoReturn:
    raise _Stopped


def serve(
    provider_type: type[AnyProvider],
    settings: ServerSettings,
    *,
    quiet: bool = False,
    json_line: bool = False,
    env_file: str | None = None,
) -> int:
    """Serve until SIGINT or SIGTERM; returns the exit status: 0, or 1 when a port or a file cannot
    be used.

    `quiet`, `json_line` and `env_file` are options of the command line.
    """
    sandbox = _Foreground(provider_type, settings)
    try:
        with _signals_stop(), _calls_shown(quiet=quiet), suppress(_Stopped), sandbox:
            if env_file is not None:
                _write(env_file, sandbox.client_settings())
            if json_line:
                print(json.dumps({"url": sandbox.url, "pid": os.getpid()}), flush=True)
            if not quiet:
                print(sandbox.greeting(), file=sys.stderr, flush=True)
            while True:
                time.sleep(3600)
    except OSError as error:
        print(f"victor sandbox: {error}", file=sys.stderr)
        return 1
    return 0


@contextmanager
def _signals_stop() -> Generator[None]:
    """Let SIGINT and SIGTERM end the block with `_Stopped`."""
    in_main_thread = threading.current_thread() is threading.main_thread()
    # other threads have no signals
    numbers = (signal.SIGINT, signal.SIGTERM) if in_main_thread else ()
    before = {number: signal.signal(number, _stop) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler or signal.SIG_DFL)  # None: it was not set from Python


@contextmanager
def _calls_shown(*, quiet: bool) -> Generator[None]:
    """Show a line for each call on standard error, unless `quiet`."""
    if quiet:
        yield
        return
    calls = logging.StreamHandler()
    calls.setFormatter(logging.Formatter("%(asctime)s  %(message)s", datefmt="%H:%M:%S"))
    access.addHandler(calls)
    access.setLevel(logging.INFO)
    try:
        yield
    finally:
        access.removeHandler(calls)
        access.setLevel(logging.NOTSET)


def _write(path: str, text: str) -> None:
    """Write the file of `--env-file` in one step, readable by its owner alone.

    `OSError` names the option.
    """
    part = Path(f"{path}.part")
    try:
        part.unlink(missing_ok=True)
        with os.fdopen(open_private(part, os.O_WRONLY | os.O_EXCL), "w", encoding="utf-8") as file:
            file.write(text)
        part.replace(path)
    except OSError as error:
        raise OSError(f"--env-file: cannot write {path}: {error.strerror}") from error
