"""The HTTP side of a sandbox: its port, its connections (HTTP/1.1 by h11), and who serves a call.

What is answered is made in full, and recorded, before its first byte is sent. Then it is sent as
far as a fault allows.
"""

import asyncio
import json
import os
import socket
import struct
import sys
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from email.utils import formatdate
from http.client import responses
from importlib.resources import files
from typing import TypeAlias, cast
from urllib.parse import parse_qsl, unquote

import h11

from victor_ext.sandbox.server._commands import Command, NotFound
from victor_ext.sandbox.server._context import SandboxContext, logger
from victor_ext.sandbox.server._exchange import (
    CONTROL,
    OTHER,
    JsonObject,
    JsonValue,
    Operation,
    OperationTable,
    Response,
    json_response,
)
from victor_ext.sandbox.server._faults import Fault, injected_response
from victor_ext.sandbox.server._provider import AnyProvider, Call, Refused
from victor_ext.sandbox.server._settings import is_this_machine

RunCommand: TypeAlias = Callable[[Command, JsonObject], Awaitable[JsonValue]]
Headers: TypeAlias = Sequence[tuple[bytes, bytes]]
_BACKLOG = 2048
_CHUNK = 65_536
_LARGEST_BODY = 1 << 20
_IDLE = 75.0
"""Seconds for which a connection is kept open without a call."""
_GRACE = 0.05
"""Seconds in which a part of a response is delivered: a reset discards what is under way."""
_NO_HTTP = b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
_OF_BROWSERS = {b"origin", b"referer", b"sec-fetch-site"}
"""Headers by which a browser tells that a web page makes the call."""
_PAGE = files("victor_ext.sandbox.server") / "page.html"
_HTML = ((b"content-type", b"text/html; charset=utf-8"),)


class Listener:
    """The port of a sandbox: it can stop listening, listen again, and end at once.

    `OSError` when the port cannot be used.
    """

    def __init__(self, provider: AnyProvider, run: RunCommand) -> None:
        self._provider = provider
        self._context: SandboxContext = provider.context
        self._run = run
        commands = provider.commands_type.commands()
        self._commands = {command.name: command for command in commands}
        self._command_table = OperationTable(
            [Operation(each.name, each.method, each.path) for each in commands]
        )
        self._host = self._context.settings.host
        # Bound and never listening: it reserves the port while the listener is down.
        self._reservation = self._bind(self._context.settings.port)
        self.port: int = self._reservation.getsockname()[1]
        self._servers: list[asyncio.Server] = []
        self._connections: dict[asyncio.Task[None], _Connection] = {}
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
            raise OSError(
                f"cannot listen on {self._host} port {port}: {error.strerror}; port 0 picks a free "
                "one"
            ) from error
        return bound

    # The port

    async def listen(self) -> None:
        """Accept connections; no effect while they are accepted."""
        if not self._servers:
            if not sys.platform.startswith("linux"):
                # Elsewhere a second socket cannot be bound beside the first.
                self._reservation.close()
            server = await asyncio.start_server(
                self._connected, sock=self._bind(self.port), backlog=_BACKLOG
            )
            self._servers.append(server)

    async def down(self, seconds: float | None) -> JsonObject:
        """Refuse new connections and reset the open ones, except those that carry a control
        command. For `seconds`, or until `up`.
        """
        self._cancel_up()
        await stop_accepting(self._servers)
        self._servers.clear()
        for connection in self._connections.values():
            if not connection.is_command:
                connection.reset()
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
        self._servers.clear()
        tasks = list(self._connections)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._reservation.close()

    # A connection

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = cast("asyncio.Task[None]", asyncio.current_task())
        connection = _Connection(reader, writer)
        self._connections[task] = connection
        try:
            while await self._serve(connection):
                pass
        except h11.ProtocolError:
            writer.write(_NO_HTTP)
        except (OSError, TimeoutError):
            pass  # the caller has left, or says nothing
        except asyncio.CancelledError:
            connection.writer.transport.abort()
        finally:
            del self._connections[task]
            writer.close()

    async def _serve(self, connection: "_Connection") -> bool:
        """Serve the next call of a connection; returns whether another one may follow."""
        async with asyncio.timeout(_IDLE):
            request = await connection.next_event()
        if not isinstance(request, h11.Request):
            return False
        method, target = request.method.decode("ascii"), request.target.decode("latin-1")
        path, _, query = target.partition("?")
        if path == "/" or path.startswith(f"{CONTROL}/"):
            connection.is_command = True
            body = await connection.body()
            response = await self._command(method, path, query, request.headers.raw_items(), body)
            is_kept = await connection.send(response, self._date())
            connection.is_command = False
            return is_kept and bool(self._servers)
        return await self._serve_call(connection, method, path, query, [*request.headers])

    async def _serve_call(
        self, connection: "_Connection", method: str, path: str, query: str, headers: Headers
    ) -> bool:
        context = self._context
        name, params = context.operations.find(method, unquote(path))
        fault = context.faults.pick(name, query)
        exchange = context.begin(method, path, name, headers, fault)
        call = Call(exchange, context, headers, query.encode("latin-1"), params)
        if fault is not None and fault.kind == "refuse":
            context.finish(exchange, b"", None)
            connection.reset()
            return False
        try:
            call.body = await connection.body()
        except (OSError, h11.ProtocolError):
            context.finish(exchange, b"", None)
            raise
        context.count_attempt(exchange, headers, call.body)
        if fault is not None and fault.is_silent and not fault.work:
            context.finish(exchange, call.body, None)
            await connection.end(b"", fault)
            return False
        response = await self._respond(call, unquote(path), fault)
        context.finish(exchange, call.body, response)
        if fault is not None and fault.is_silent:
            sent = connection.encoded(response, self._date(), exchange.number)
            await connection.end(sent[: fault.after], fault)
            return False
        return await connection.send(response, self._date(), exchange.number)

    def _date(self) -> bytes:
        return formatdate(self._context.clock.wall(), usegmt=True).encode()

    # A call of the provider's API

    async def _respond(self, call: Call, path: str, fault: Fault | None) -> Response:
        if fault is None:
            return self._work(call, path)
        if fault.delay and not fault.work:
            await asyncio.sleep(fault.delay)
        response = self._work(call, path) if fault.work or not fault.replaces else None
        if fault.delay and fault.work:
            await asyncio.sleep(fault.delay)
        if response is not None and not fault.replaces:
            return response
        error = Response(fault.status, b"")
        if fault.body is None:  # else the provider's own would take an id of the seed
            message = f"An injected fault: status {fault.status}."
            refused = Refused(fault.status, message, code="injected_fault")
            error = self._provider.refusal(call.exchange.operation, refused)
        return injected_response(fault, error)

    def _work(self, call: Call, path: str) -> Response:
        operation = call.exchange.operation
        if len(call.body) > _LARGEST_BODY:
            return self._provider.error(413, "body_too_large", f"At most {_LARGEST_BODY} bytes.")
        if operation == OTHER:
            allowed = ", ".join(self._context.operations.methods(path))
            if not allowed:
                return self._provider.error(404, "no_such_path", "The sandbox has no such path.")
            response = self._provider.error(
                405, "method_not_allowed", f"This path takes {allowed} only."
            )
            return replace(response, headers=(*response.headers, (b"allow", allowed.encode())))
        try:
            return self._provider.handle(operation, call)
        except Exception as error:  # noqa: BLE001 (any exception is a mistake of the sandbox)
            logger.error("the sandbox failed in '%s'", operation, exc_info=error)
            return self._provider.error(
                500, "sandbox_failure", f"The sandbox itself failed: {type(error).__name__}."
            )

    # A call of the control API

    async def _command(
        self, method: str, path: str, query: str, headers: Headers, body: bytes
    ) -> Response:
        if path == "/":
            return Response(200, _PAGE.read_bytes(), _HTML)
        named = {name.lower(): value for name, value in headers}
        is_of_page = named.get(b"sec-fetch-site") != b"none" and _OF_BROWSERS & named.keys()
        if is_of_page and not _is_of_own_page(method, named):
            why = "No web page may command a sandbox, and only its own may read, on this machine."
            return _error(403, "foreign_page", why)
        name, params = self._command_table.find(method, unquote(path))
        if name == OTHER:
            return _error(404, "no_such_command", f"GET {CONTROL}/ lists what there is.")
        command = self._commands[name]
        numbers = {name for name, kind in command.parameters.items() if kind is int}
        try:
            given = {} if method == "GET" else _json_object(named, body)
            for label, text in {**dict(parse_qsl(query)), **params}.items():
                given[label] = int(text) if label in numbers else text
            if name == "down" and given.get("seconds") is None:
                raise ValueError("give seconds: the port would never come back")
            return json_response(200, await self._run(command, given))
        except NotFound as error:
            return _error(404, "unknown_id", str(error))
        except (ValueError, TypeError, RecursionError) as error:
            return _error(400, "misuse", str(error))


class _Connection:
    """One connection. `OSError` and `h11.ProtocolError` end it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self.writer = writer
        self._http = h11.Connection(h11.SERVER)
        self.is_command = False
        """Whether it carries a control command now."""
        self._is_head = False
        writer.transport.set_write_buffer_limits(0)  # `drain` waits until all is sent

    async def next_event(self) -> h11.Event:
        while (event := self._http.next_event()) is h11.NEED_DATA:
            if self._http.they_are_waiting_for_100_continue:
                going_on = h11.InformationalResponse(status_code=100, headers=[])
                self.writer.write(self._http.send(going_on) or b"")
            self._http.receive_data(await self._reader.read(_CHUNK))
        if isinstance(event, h11.Request):
            self._is_head = event.method == b"HEAD"
        return cast("h11.Event", event)

    async def body(self) -> bytes:
        """The body of a call; of one over the limit, only enough to see that it is."""
        body = bytearray()
        while isinstance(event := await self.next_event(), h11.Data):
            body += event.data if len(body) <= _LARGEST_BODY else b""
        if not isinstance(event, h11.EndOfMessage):
            raise ConnectionResetError("the caller has left")
        return bytes(body)

    def encoded(self, response: Response, date: bytes, number: int = 0) -> bytes:
        """A response as it is sent. With its number, it is joined to its line in the record."""
        headers, body = response.wire(date, number)
        reason = responses.get(response.status, "").encode()
        reply = h11.Response(status_code=response.status, headers=headers, reason=reason)
        parts = [reply, h11.Data(data=b"" if self._is_head else body), h11.EndOfMessage()]
        return b"".join(self._http.send(part) or b"" for part in parts)

    async def send(self, response: Response, date: bytes, number: int = 0) -> bool:
        """Send a response; returns whether another call may follow."""
        self.writer.write(self.encoded(response, date, number))
        await self.writer.drain()
        if self._http.our_state is not h11.DONE:
            return False
        self._http.start_next_cycle()
        return True

    async def end(self, part: bytes, fault: Fault) -> None:
        """Send a part of a response, and then nothing more: silence, or a reset."""
        self.writer.write(part)
        await self.writer.drain()
        if fault.kind == "stall":
            while await self._reader.read(_CHUNK):
                pass
            return
        if part:
            await asyncio.sleep(_GRACE)
        self.reset()

    def reset(self) -> None:
        connection = self.writer.get_extra_info("socket")
        if connection is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


async def stop_accepting(servers: Iterable[asyncio.Server]) -> None:
    """Close servers, once each connection that they have accepted has its task.

    asyncio leaves a connection that is accepted just then without an owner: so nothing more is
    accepted first, and what was accepted gets three rounds of the loop.
    """
    for server in servers:
        for listening in server.sockets:
            with suppress(NotImplementedError):  # the loop of Windows has no readers
                asyncio.get_running_loop().remove_reader(listening.fileno())
    for _ in range(3):
        await asyncio.sleep(0)
    for server in servers:
        server.close()


def _is_of_own_page(method: str, headers: dict[bytes, bytes]) -> bool:
    """Whether a call of a browser is one of the page at `/`, which only reads. A name that another
    page has may suddenly mean this machine: so the page is at an address of it, or at `localhost`.
    """
    host = headers.get(b"host", b"")
    own = b"http://" + host
    pages = [headers.get(name, own) for name in (b"origin", b"referer")]
    return (
        method == "GET"
        and headers.get(b"sec-fetch-site", b"same-origin") == b"same-origin"
        and is_this_machine(host.partition(b":")[0].decode("latin-1"))
        and all(page == own or page.startswith(own + b"/") for page in pages)
    )


def _error(status: int, error: str, message: str) -> Response:
    return json_response(status, {"error": error, "message": message})


def _json_object(headers: dict[bytes, bytes], body: bytes) -> JsonObject:
    if not body:
        return {}
    # A form of a web page can send a body of any other type to any address.
    if headers.get(b"content-type", b"").partition(b";")[0].strip() != b"application/json":
        raise ValueError("a command with a body needs the header Content-Type: application/json")
    given = json.loads(body)
    if not isinstance(given, dict):
        raise TypeError("the body must be a JSON object")
    return cast("JsonObject", given)
