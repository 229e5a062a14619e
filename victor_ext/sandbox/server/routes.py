"""The control API: the commands over HTTP, under `/_sandbox/`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from starlette.requests import Request

    from victor_ext.sandbox.server.jsontypes import JsonObject, JsonValue

CONTROL = "/_sandbox"


class NotThere(Exception):
    """A command names something that does not exist: a 404 over HTTP, a `LookupError` in Python."""


@dataclass(frozen=True, slots=True)
class Command:
    """Where a command lives: its parameters come from the path, the query (GET, whole numbers) or a JSON body."""

    name: str
    method: str
    path: str


COMMANDS: tuple[Command, ...] = (
    Command("info", "GET", "/_sandbox/"),
    Command("clock", "GET", "/_sandbox/clock"),
    Command("advance", "POST", "/_sandbox/clock/advance"),
    Command("set_clock_skew", "POST", "/_sandbox/clock/skew"),
    Command("received", "GET", "/_sandbox/received"),
    Command("attempts_by_key", "GET", "/_sandbox/keys/attempts"),
    Command("work_done_by_key", "GET", "/_sandbox/keys/work"),
    Command("work_done_by_reference", "GET", "/_sandbox/references/work"),
    Command("inject", "POST", "/_sandbox/faults"),
    Command("faults", "GET", "/_sandbox/faults"),
    Command("clear_faults", "DELETE", "/_sandbox/faults"),
    Command("down", "POST", "/_sandbox/down"),
    Command("up", "POST", "/_sandbox/up"),
    Command("reset", "POST", "/_sandbox/reset"),
)
"""The commands that every sandbox has."""

_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


def is_control(path: str) -> bool:
    """Whether a path belongs to the control API, which no fault touches."""
    return path == CONTROL or path.startswith(CONTROL + "/")


def control_app(own: Sequence[Command], run: Callable[[str, JsonObject], Awaitable[JsonValue]]) -> Starlette:
    """An application that hands each command, those of a provider's own included, to `run(name, parameters)`."""
    commands = (*own, *COMMANDS)
    if len({command.name for command in commands}) < len(commands):
        raise ValueError("a provider's own command has the name of another one")
    routes = [Route(command.path, _endpoint(command, run), methods=[command.method]) for command in commands]
    rest = _no_such_command(commands)
    routes += [Route(path, rest, methods=list(_METHODS)) for path in (CONTROL, CONTROL + "/{rest:path}")]
    return Starlette(routes=routes)


def _no_such_command(commands: Sequence[Command]) -> Callable[[Request], Awaitable[JSONResponse]]:
    known = [f"{command.method} {command.path}" for command in commands]

    async def serve(request: Request) -> JSONResponse:
        message = f"There is no command {request.method} {request.url.path}."
        return JSONResponse({"error": "no_such_command", "message": message, "commands": known}, 404)

    return serve


def _endpoint(
    command: Command, run: Callable[[str, JsonObject], Awaitable[JsonValue]]
) -> Callable[[Request], Awaitable[JSONResponse]]:
    async def serve(request: Request) -> JSONResponse:
        try:
            parameters = await _parameters(request)
            return JSONResponse(await run(command.name, {**parameters, **request.path_params}))
        except NotThere as error:
            return JSONResponse({"error": "unknown_id", "message": str(error)}, 404)
        except (ValueError, TypeError, ArithmeticError) as error:
            return JSONResponse({"error": "misuse", "message": str(error) or repr(error)}, 400)

    return serve


async def _parameters(request: Request) -> JsonObject:
    if request.method == "GET":
        return {name: int(value) for name, value in request.query_params.items()}
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
