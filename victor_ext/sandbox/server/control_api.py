"""The control API: the commands over HTTP, under `/_sandbox/`."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeAlias, cast

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from victor_ext.sandbox.server.commands import Command, NotFound
from victor_ext.sandbox.server.jsontypes import JsonObject, JsonValue
from victor_ext.sandbox.server.paths import CONTROL

RunCommand: TypeAlias = Callable[[Command, JsonObject], Awaitable[JsonValue]]
Endpoint: TypeAlias = Callable[[Request], Awaitable[JSONResponse]]
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


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
        found = json.loads(text)
    except ValueError as error:
        raise ValueError(f"the body is no JSON: {error}") from None
    if not isinstance(found, dict):
        raise TypeError("the body must be a JSON object")
    return cast("JsonObject", found)


def _whole_number(name: str, value: str) -> int:
    try:
        return int(value)
    except ValueError:
        raise ValueError(f"{name} must be a whole number, not {value[:100]!r}") from None
