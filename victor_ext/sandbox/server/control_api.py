"""The control API: the commands over HTTP, under `/_sandbox/`.

It accepts calls from programs on this machine, and none from web pages. A page in a browser can send calls to any
address. With DNS rebinding (a host name of the page that resolves to this machine) it could also read the responses.
`Host` shows by which name the sandbox was called. `Origin`, `Sec-Fetch-Site` and `Referer` are sent by browsers, and
name the page.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import TypeAlias, cast

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from victor_ext.sandbox.server.commands import Command, NotFound
from victor_ext.sandbox.server.operations import CONTROL, JsonObject, JsonValue
from victor_ext.sandbox.server.settings import read_authority

RunCommand: TypeAlias = Callable[[Command, JsonObject], Awaitable[JsonValue]]
Endpoint: TypeAlias = Callable[[Request], Awaitable[JSONResponse]]
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_THIS_MACHINE = ("127.0.0.1", "localhost", "::1")
_OWN_SITES = ("same-origin", "none")
"""The values of `Sec-Fetch-Site` for the sandbox's own pages, and for an address that a person typed."""


def control_app(commands: Sequence[Command], run: RunCommand, pages: Sequence[Route]) -> Starlette:
    """An application with a route for each command, and those of the page."""
    routes = [Route(command.path, _endpoint(command, run), methods=[command.method]) for command in commands]
    rest = _no_such_command(commands)
    routes += [*pages]
    routes += [Route(path, rest, methods=list(_METHODS)) for path in (CONTROL, CONTROL + "/{rest:path}")]
    return Starlette(routes=routes)


def _no_such_command(commands: Sequence[Command]) -> Endpoint:
    known = [f"{command.method} {command.path}" for command in commands]

    async def serve(request: Request) -> JSONResponse:
        message = f"There is no command {request.method} {request.url.path}."
        return JSONResponse({"error": "no_such_command", "message": message, "commands": known}, 404)

    return serve


def _endpoint(command: Command, run: RunCommand) -> Endpoint:
    async def serve(request: Request) -> JSONResponse:
        try:
            parameters = await _parameters(request)
            return JSONResponse(await run(command, {**parameters, **request.path_params}))
        except NotFound as error:
            return JSONResponse({"error": "unknown_id", "message": str(error)}, 404)
        except (ValueError, TypeError, ArithmeticError) as error:
            return JSONResponse({"error": "misuse", "message": str(error) or repr(error)}, 400)

    return serve


async def _parameters(request: Request) -> JsonObject:
    if request.method == "GET":
        return {name: _whole_number(name, value) for name, value in request.query_params.items()}
    text = await request.body()
    if not text.strip():
        return {}
    # A form of a web page can send a body of any other type to any address.
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise ValueError("a command with a body needs the header Content-Type: application/json")
    try:
        body = json.loads(text)
    except ValueError as error:
        raise ValueError(f"the body is not JSON: {error}") from None
    if not isinstance(body, dict):
        raise TypeError("the body must be a JSON object")
    return cast("JsonObject", body)


def _whole_number(name: str, value: str) -> int:
    try:
        return int(value)
    except ValueError:
        raise ValueError(f"{name} must be a whole number, not {value[:100]!r}") from None


class ControlGuard:
    """ASGI middleware that answers 403 to calls that may not command the sandbox."""

    def __init__(self, app: ASGIApp, host: str, allowed: Iterable[str]) -> None:
        self._app = app
        self._own = {*_THIS_MACHINE, host.lower()}
        self._allowed = {read_authority(name) for name in allowed}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = self._refusal(scope)
        await (refusal or self._app)(scope, receive, send)

    def _refusal(self, scope: Scope) -> JSONResponse | None:
        headers = [(name, value.decode("latin-1")) for name, value in scope["headers"]]
        host = dict(headers).get(b"host", "")  # h11 refuses a second one
        address, port = scope.get("server") or ("", 0)
        address = address.removeprefix("::ffff:")  # IPv4, to a socket of IPv6
        if not self._is_own(host, address, port):
            called = f"[{address}]" if ":" in address else address
            return _refused(
                "foreign_host",
                f"The control API was called as {_one_line(host)}, which is not a name of this sandbox: a web page may "
                f"be behind it. Call http://{called}:{port}, or start the sandbox with "
                "--allowed-host NAME (allowed_host in Python).",
            )
        for name, value in headers:
            if _is_foreign(name, value, f"http://{host.lower()}"):
                return _refused(
                    "foreign_page",
                    f"The control API accepts no calls from web pages, and {name.decode().title()} shows that "
                    f"this call came from one: {_one_line(value)}. Send it from a program, or type the address "
                    "into the browser.",
                )
        return None

    def _is_own(self, host: str, address: str, port: int) -> bool:
        authority = read_authority(host)
        if authority is None:
            return False
        name, given = authority
        if authority in self._allowed or (name, None) in self._allowed:
            return True
        return (name in self._own or name == address) and (given or 80) == port


def _is_foreign(name: bytes, value: str, own: str) -> bool:
    """Whether a header shows that a page of another origin than `own` made the call."""
    match name:
        case b"origin":
            return value.lower() != own
        case b"sec-fetch-site":
            return value not in _OWN_SITES
        case b"referer":
            return not f"{value.lower()}/".startswith(f"{own}/")
        case _:
            return False


def _one_line(text: str) -> str:
    return "'" + "".join(c if c.isprintable() else "?" for c in text[:100]) + "'"


def _refused(error: str, message: str) -> JSONResponse:
    return JSONResponse({"error": error, "message": message}, 403)
