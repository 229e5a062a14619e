"""The HTTP side of a sandbox: the provider's operations, and the commands under `/_sandbox/`, the
control API.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Container
from dataclasses import replace
from email.utils import formatdate
from functools import partial
from typing import TypeAlias, cast

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from victor_ext.sandbox.server._commands import Command, NotFound
from victor_ext.sandbox.server._context import SandboxContext, logger
from victor_ext.sandbox.server._exchange import CONTROL, OTHER, JsonObject, JsonValue, Response
from victor_ext.sandbox.server._faults import Fault, damaged, injected_response
from victor_ext.sandbox.server._privacy import one_line
from victor_ext.sandbox.server._provider import AnyProvider, Call
from victor_ext.sandbox.server._settings import HOST
from victor_ext.sandbox.server._web_page import page_routes

RunCommand: TypeAlias = Callable[[Command, JsonObject], Awaitable[JsonValue]]
_LARGEST_BODY = 1 << 20
_FOREIGN: dict[bytes, Callable[[str, str], bool]] = {
    b"origin": lambda value, own: value.lower() != own,
    # Its own pages, and an address that a person typed.
    b"sec-fetch-site": lambda value, _: value not in ("same-origin", "none"),
    b"referer": lambda value, own: not f"{value.lower()}/".startswith(f"{own}/"),
}
"""Whether a header shows that a page of another origin than the sandbox's own made the call."""


class Api:
    """The ASGI app of a sandbox: control calls go to `control`, all others to the provider."""

    def __init__(self, provider: AnyProvider, control: ASGIApp) -> None:
        self._context: SandboxContext = provider.context
        self._provider = provider
        self._control = control
        settings = self._context.settings
        configured = (settings.host, *settings.allowed_host)
        self._host_names = {"127.0.0.1", "localhost", *map(str.lower, configured)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._context.operations.is_own(scope["method"], scope["path"]):
            serve = _refusal(scope, self._host_names) or self._control
            await serve(scope, receive, partial(self._send_dated, send))
        else:
            await self._serve(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one call of the provider's API. It is recorded in full before the first byte of the
        response is sent.
        """
        context = self._context
        fault: Fault | None = scope["state"]["connection"].fault
        method, headers = scope["method"], scope["headers"]
        name, params = context.operations.find(method, scope["path"])
        path = scope["raw_path"].decode("latin-1")
        exchange = context.begin(method, path, name, headers, fault)
        call = Call(exchange, context, headers, scope["query_string"], params)
        body = await _read_body(scope, receive)
        call.body = body or b""
        context.count_attempt(exchange, call.headers, call.body)
        response = None if body is None else await self._respond(call, scope["path"], fault)
        context.finish(exchange, call.body, response)
        if response is not None:
            for message in response.messages(exchange.number, self._date()):
                await send(message)

    async def _send_dated(self, send: Send, message: Message) -> None:
        """Send a message of a response that is not the provider's: it has `Date`, too, since a
        client reads the time from `GET /`.
        """
        date = self._date()
        if message["type"] == "http.response.start" and date is not None:
            message["headers"] = [(b"date", date), *message["headers"]]
        await send(message)

    def _date(self) -> bytes | None:
        """The value of the header `Date`; None: it is not sent."""
        if not self._context.settings.date_header:
            return None
        return formatdate(self._context.clock.wall(), usegmt=True).encode()

    async def _respond(self, call: Call, path: str, fault: Fault | None) -> Response:
        if fault is None:
            return self._work(call, path)
        late = fault.kind == "delay" and fault.work
        if fault.delay and not late:
            await asyncio.sleep(fault.delay)
        replaced = fault.kind in ("status", "rate_limit", "html")
        response = None if replaced and not fault.work else self._work(call, path)
        if late:
            await asyncio.sleep(fault.delay)
        if response is None or replaced:
            message = f"An injected fault: status {fault.status}."
            # it may take an id of the seed
            operation = call.exchange.operation
            error = partial(self._provider.injected_error, operation, fault.status, message)
            return injected_response(fault, error)
        return damaged(response, fault.kind)

    def _work(self, call: Call, path: str) -> Response:
        if len(call.body) > _LARGEST_BODY:
            return self._provider.error(413, "body_too_large", f"At most {_LARGEST_BODY} bytes.")
        operation = call.exchange.operation
        if operation == OTHER:
            return self._no_such_operation(path)
        try:
            return self._provider.handle(operation, call)
        except NotFound as error:
            return self._provider.error(404, "unknown_id", str(error))
        except Exception as error:  # noqa: BLE001 (any exception is a mistake of the sandbox)
            logger.error("the sandbox failed in '%s'", operation, exc_info=error)
            return self._provider.error(
                500, "sandbox_failure", f"The sandbox itself failed: {type(error).__name__}."
            )

    def _no_such_operation(self, path: str) -> Response:
        allowed = ", ".join(self._context.operations.methods(path))
        if not allowed:
            return self._provider.error(404, "no_such_path", "The sandbox has no such path.")
        response = self._provider.error(
            405, "method_not_allowed", f"This path takes {allowed} only."
        )
        return replace(response, headers=(*response.headers, (b"allow", allowed.encode("ascii"))))


async def _read_body(scope: Scope, receive: Receive) -> bytes | None:
    """The whole body; None when the caller went away.

    Of a body over the limit, only enough to see that it is.
    """
    body = bytearray()
    try:
        async for part in Request(scope, receive).stream():
            body += part if len(body) <= _LARGEST_BODY else b""
    except ClientDisconnect:
        return None
    return bytes(body)


def control_app(provider: AnyProvider, run: RunCommand) -> Starlette:
    commands = provider.commands_type.commands()
    routes = page_routes(provider)
    for command in commands:
        routes.append(Route(command.path, _endpoint(command, run), methods=[command.method]))
    missing = {404: _no_such_command, 405: _no_such_command}
    return Starlette(routes=routes, exception_handlers=missing)


async def _no_such_command(request: Request, _error: Exception) -> JSONResponse:
    message = (
        f"There is no command {request.method} {request.url.path}: GET {CONTROL}/ lists "
        "what there is."
    )
    return JSONResponse({"error": "no_such_command", "message": message}, 404)


def _endpoint(command: Command, run: RunCommand) -> Callable[[Request], Awaitable[JSONResponse]]:
    async def serve(request: Request) -> JSONResponse:
        try:
            parameters = await _parameters(request)
            if command.name == "down" and parameters.get("seconds") is None:
                raise ValueError("give seconds: the port would never come back")
            numbers = {each.name for each in command.parameters if each.type is int}
            for name, text in request.path_params.items():
                parameters[name] = _read_query(text) if name in numbers else text
            return JSONResponse(await run(command, parameters))
        except NotFound as error:
            return JSONResponse({"error": "unknown_id", "message": str(error)}, 404)
        except (ValueError, TypeError) as error:
            return JSONResponse({"error": "misuse", "message": str(error)}, 400)

    return serve


async def _parameters(request: Request) -> JsonObject:
    if request.method == "GET":
        return {name: _read_query(value) for name, value in request.query_params.items()}
    text = await request.body()
    if not text:
        return {}
    media_type = request.headers.get("content-type", "").partition(";")[0]
    # A form of a web page can send a body of any other type to any address.
    if media_type.strip().lower() != "application/json":
        raise ValueError("a command with a body needs the header Content-Type: application/json")
    try:
        body = json.loads(text)
    except ValueError as error:
        raise ValueError(f"the body is not JSON: {error}") from None
    if not isinstance(body, dict):
        raise TypeError("the body must be a JSON object")
    return cast("JsonObject", body)


def _read_query(text: str) -> JsonValue:
    """A value in a query: JSON, or else a text."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _refusal(scope: Scope, names: Container[str]) -> JSONResponse | None:
    """A 403 for a call that may not command the sandbox, by whatever name of it.

    Calls come from programs on this machine, and none from web pages. A page in a browser can send
    calls to any address. With DNS rebinding (a host name of the page that resolves to this machine)
    it could also read the responses. `Host` shows by which name the sandbox was called. `Origin`,
    `Sec-Fetch-Site` and `Referer` are sent by browsers, and name the page.
    """
    headers = [(name, value.decode("latin-1")) for name, value in scope["headers"]]
    host = dict(headers).get(b"host", "")  # h11 refuses a second one
    address, port = scope.get("server") or ("", 0)
    match = HOST.fullmatch(host.lower())
    is_own_name = match is not None and (match[1] in names or match[1] == address)
    if not is_own_name:
        return _refused(
            "foreign_host",
            f"'{one_line(host)}' is not a name of this sandbox: a web page may be behind it. Call "
            f"http://{address}:{port}, or start the sandbox with --allowed-host NAME "
            "(allowed_host in Python).",
        )
    origin = f"http://{host.lower()}"
    for name, value in headers:
        is_foreign = _FOREIGN.get(name)
        if is_foreign is not None and is_foreign(value, origin):
            return _refused(
                "foreign_page",
                f"The control API accepts no calls from web pages, and {name.decode().title()} "
                f"shows that this call came from one: '{one_line(value)}'. Send it from a program.",
            )
    return None


def _refused(error: str, message: str) -> JSONResponse:
    return JSONResponse({"error": error, "message": message}, 403)
