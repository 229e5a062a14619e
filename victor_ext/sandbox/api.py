"""The HTTP side of the provider's operations: read the call, meet its fault, send the answer."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.routing import BaseRoute, Route

from victor_ext.sandbox.answer import Answer, error_answer, instead_of_work, spoiled, start_message
from victor_ext.sandbox.operations import Call, Operations

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.types import Receive, Scope, Send

    from victor_ext.sandbox.core import Core
    from victor_ext.sandbox.faults import Fault

_PATHS = (
    ("list", "GET", "/v2/payment-requests"),
    ("create", "POST", "/v2/payment-requests/request-payment"),
    ("respond", "POST", "/v2/payment-requests/respond-to-request/{id}"),
    ("get", "GET", "/v2/payment-requests/{id}"),
    ("token", "POST", "/v2/auth/token"),
)


class Endpoint:
    """One operation as an ASGI application."""

    def __init__(self, core: Core, operations: Operations, operation: str) -> None:
        self._core = core
        self._operations = operations
        self._operation = operation

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one call. The exchange is noted in full before the first byte of the answer leaves."""
        call = self._begin(scope)
        try:
            await self._serve(call, scope, receive, send)
        except asyncio.CancelledError:
            # The sandbox ends while this call waits. Nobody is above us, and uvicorn would print a traceback.
            self._core.finish(call.exchange, None)

    async def _serve(self, call: Call, scope: Scope, receive: Receive, send: Send) -> None:
        fault: Fault | None = scope["state"]["wire"].take_fault(scope["method"], scope["path"])
        call.exchange.fault = fault.kind if fault else None
        whole = await _read_body(receive, self._core.settings.body_limit)
        if whole is None:
            self._core.finish(call.exchange, None)
            return
        call.body = whole
        answer = await self._answer(call, fault)
        self._core.finish(call.exchange, answer.status)
        await send(start_message(answer, call.exchange, self._core.clock.date_header()))
        await send({"type": "http.response.body", "body": answer.body})

    def _begin(self, scope: Scope) -> Call:
        headers: dict[bytes, bytes] = dict(scope["headers"])
        key = headers.get(b"idempotency-key")
        path = scope["raw_path"].decode("latin-1")
        exchange = self._core.begin(scope["method"], path, None if key is None else key.decode("latin-1"))
        call = Call(exchange, headers, scope["query_string"], scope["path_params"].get("id", ""))
        call.key_count = sum(name == b"idempotency-key" for name, _ in scope["headers"])
        return call

    async def _answer(self, call: Call, fault: Fault | None) -> Answer:
        if fault is None:
            return self._work(call)
        late = fault.kind == "delay" and fault.work
        if fault.delay and not late:
            await asyncio.sleep(fault.delay)
        if fault.kind in ("status", "rate_limit", "html") and not fault.work:
            return instead_of_work(fault, self._core.clock.wall())
        answer = spoiled(self._work(call), fault, self._core.clock.wall())
        if late:
            await asyncio.sleep(fault.delay)
        return answer

    def _work(self, call: Call) -> Answer:
        if len(call.body) > self._core.settings.body_limit:
            return error_answer(413, "body_too_large", f"At most {self._core.settings.body_limit} bytes.")
        return self._operations.answer(self._operation, call)


async def _read_body(receive: Receive, limit: int) -> bytes | None:
    """The whole body, or None when the caller went away; of one over the limit just enough to know it."""
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        part: bytes = message.get("body", b"")
        if size <= limit:
            parts.append(part)
        size += len(part)
        if not message.get("more_body", False):
            return b"".join(parts)


def control_app(control: Sequence[BaseRoute]) -> Starlette:
    """The control API alone, for a port of its own."""
    return Starlette(routes=list(control))


def make_app(core: Core, control: Sequence[BaseRoute]) -> Starlette:
    """The whole application: the control API, the provider's paths, and whatever else is asked for."""
    operations = Operations(core)
    routes: list[BaseRoute] = list(control)
    for operation, method, path in _PATHS:
        route = Route(path, Endpoint(core, operations, operation), methods=[method])
        route.methods = {method}  # Starlette adds HEAD, which the provider does not document
        routes.append(route)
    routes.append(Route("/{rest:path}", Endpoint(core, operations, "other")))
    app = Starlette(routes=routes)
    app.router.redirect_slashes = False
    return app
