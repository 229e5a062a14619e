"""The control API: the same commands over HTTP, under `/_sandbox/`."""

from __future__ import annotations

import inspect
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from starlette.responses import JSONResponse
from starlette.routing import Route

from victor_ext.sandbox.ledger import UnknownId

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request

    from victor_ext.sandbox.jsontypes import JsonObject, JsonValue


@dataclass(frozen=True, slots=True)
class Command:
    """Where a command lives: its parameters come from the path, the query (GET) or a JSON body (POST)."""

    name: str
    method: str
    path: str


COMMANDS: tuple[Command, ...] = (
    Command("info", "GET", "/_sandbox/"),
    Command("add_api_key", "POST", "/_sandbox/api-keys"),
    Command("add_oauth_client", "POST", "/_sandbox/oauth-clients"),
    Command("tokens_issued", "GET", "/_sandbox/oauth-clients"),
    Command("revoke_tokens", "POST", "/_sandbox/tokens/revoke"),
    Command("add_account", "POST", "/_sandbox/accounts"),
    Command("accounts", "GET", "/_sandbox/accounts"),
    Command("add_counterparty", "POST", "/_sandbox/counterparties"),
    Command("counterparties", "GET", "/_sandbox/counterparties"),
    Command("clock", "GET", "/_sandbox/clock"),
    Command("advance", "POST", "/_sandbox/clock/advance"),
    Command("set_clock_skew", "POST", "/_sandbox/clock/skew"),
    Command("create_inbound", "POST", "/_sandbox/payment-requests/inbound"),
    Command("requests", "GET", "/_sandbox/payment-requests"),
    Command("request", "GET", "/_sandbox/payment-requests/{request_id}"),
    Command("move", "POST", "/_sandbox/payment-requests/{request_id}/move"),
    Command("received", "GET", "/_sandbox/received"),
    Command("attempts_by_key", "GET", "/_sandbox/keys/attempts"),
    Command("work_done_by_key", "GET", "/_sandbox/keys/work"),
    Command("inject", "POST", "/_sandbox/faults"),
    Command("faults", "GET", "/_sandbox/faults"),
    Command("clear_faults", "DELETE", "/_sandbox/faults"),
    Command("down", "POST", "/_sandbox/down"),
    Command("up", "POST", "/_sandbox/up"),
    Command("reset", "POST", "/_sandbox/reset"),
)


_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


def control_routes(run: Callable[[str, JsonObject], Awaitable[JsonValue]]) -> list[Route]:
    """Routes that hand each command to `run(name, parameters)`."""
    routes = [Route(command.path, _endpoint(command, run), methods=[command.method]) for command in COMMANDS]
    rest = [Route(path, _no_such_command, methods=list(_METHODS)) for path in ("/_sandbox", "/_sandbox/{rest:path}")]
    return [*routes, *rest]


async def _no_such_command(request: Request) -> JSONResponse:
    known = [f"{command.method} {command.path}" for command in COMMANDS]
    message = f"There is no command {request.method} {request.url.path}."
    return JSONResponse({"error": "no_such_command", "message": message, "commands": known}, 404)


def _endpoint(
    command: Command, run: Callable[[str, JsonObject], Awaitable[JsonValue]]
) -> Callable[[Request], Awaitable[JSONResponse]]:
    async def serve(request: Request) -> JSONResponse:
        try:
            parameters = await _parameters(request)
            return JSONResponse(await run(command.name, {**parameters, **request.path_params}))
        except UnknownId:
            return JSONResponse({"error": "unknown_id", "message": "There is no such payment request."}, 404)
        except (ValueError, TypeError, ArithmeticError) as error:
            return JSONResponse({"error": "misuse", "message": str(error) or repr(error)}, 400)

    return serve


async def _parameters(request: Request) -> JsonObject:
    if request.method == "GET":
        return {name: int(value) for name, value in request.query_params.items()}
    text = await request.body()
    if not text.strip():
        return {}
    found = json.loads(text)
    if not isinstance(found, dict):
        raise TypeError("the body must be a JSON object")
    return cast("JsonObject", found)


def call_command(target: object, name: str, parameters: JsonObject) -> JsonValue:
    """Call a command by name; a parameter that it does not take is a `TypeError` that says so."""
    method = getattr(target, name)
    try:
        inspect.signature(method).bind(**parameters)
    except TypeError as error:
        raise TypeError(f"{name}: {error}") from None
    return method(**parameters)
