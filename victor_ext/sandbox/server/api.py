"""The HTTP side of a provider's operations: read the call, apply its fault, send the response."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from starlette.types import ASGIApp, Receive, Scope, Send

from victor_ext.sandbox.server.context import SandboxContext
from victor_ext.sandbox.server.exchange import BodyKey, Call, HeaderKey, Response, damaged, injected_response
from victor_ext.sandbox.server.faults import Fault
from victor_ext.sandbox.server.operations import OTHER
from victor_ext.sandbox.server.provider import AnyProvider


class Api:
    """The whole application: the control API and the provider's operations."""

    def __init__(self, context: SandboxContext, provider: AnyProvider, control: ASGIApp) -> None:
        self._context = context
        self._provider = provider
        self._control = control
        self._limit = context.settings.body_limit
        self._key_header = context.key.header if isinstance(context.key, HeaderKey) else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one call. It is recorded in full before the first byte of the response is sent."""
        if self._context.operations.is_own(scope["method"], scope["path"]):
            await self._control(scope, receive, send)
            return
        call = self._begin(scope)
        try:
            await self._serve(call, scope, receive, send)
        except asyncio.CancelledError:
            # The sandbox ends while this call waits, and uvicorn would print a traceback.
            self._context.finish(call.exchange, None)

    async def _serve(self, call: Call, scope: Scope, receive: Receive, send: Send) -> None:
        fault: Fault | None = scope["state"]["connection"].take_fault(
            scope["method"], scope["path"], scope["query_string"].decode("latin-1")
        )
        call.exchange.fault = fault.kind if fault else None
        whole = await _read_body(receive, self._limit)
        if whole is None:
            self._context.contents.keep(call.exchange.number, b"", None)
            self._context.finish(call.exchange, None)
            return
        call.body = whole
        response = await self._respond(call, scope["path"], fault)
        self._context.contents.keep(call.exchange.number, whole, response)
        self._context.finish(call.exchange, response.status)
        for message in response.messages(call.exchange, self._context.clock.date_header()):
            await send(message)

    def _begin(self, scope: Scope) -> Call:
        context, method = self._context, scope["method"]
        headers: dict[bytes, bytes] = dict(scope["headers"])
        name, params = context.operations.find(method, scope["path"])
        header = self._key_header
        key = None if header is None else headers.get(header)
        raw_path = scope["raw_path"].decode("latin-1")
        text = None if key is None else key.decode("latin-1")
        exchange = context.begin(method, raw_path, name, text, scope["headers"])
        call = Call(exchange, context.log, headers, scope["query_string"], params)
        if key is not None:
            call.key_count = sum(label == header for label, _ in scope["headers"])
        return call

    async def _respond(self, call: Call, path: str, fault: Fault | None) -> Response:
        if isinstance(self._context.key, BodyKey):
            self._record_key(call, self._context.key)
        if fault is None:
            return self._work(call, path)
        late = fault.kind == "delay" and fault.work
        if fault.delay and not late:
            await asyncio.sleep(fault.delay)
        wall, error = self._context.clock.wall, self._provider.error
        if fault.kind in ("status", "rate_limit", "html") and not fault.work:
            return injected_response(fault, wall(), error)
        response = damaged(self._work(call, path), fault, wall(), error)
        if late:
            await asyncio.sleep(fault.delay)
        return response

    def _record_key(self, call: Call, location: BodyKey) -> None:
        try:
            key = location.in_body(call.json()) if call.body else None
        except ValueError:
            return
        if key is not None:
            self._context.log.count_attempt(call.exchange, key)

    def _work(self, call: Call, path: str) -> Response:
        if len(call.body) > self._limit:
            return self._provider.error(413, "body_too_large", f"At most {self._limit} bytes.")
        operation = call.exchange.operation
        if operation == OTHER:
            return self._no_such_operation(path)
        try:
            return self._provider.handle(operation, call)
        except Exception as error:  # noqa: BLE001 (any exception is a mistake of the sandbox)
            self._context.log_failure(f"the sandbox failed in '{operation}'", error)
            return self._provider.error(500, "sandbox_failure", f"The sandbox itself failed: {type(error).__name__}.")

    def _no_such_operation(self, path: str) -> Response:
        allowed = ", ".join(self._context.operations.methods(path))
        if not allowed:
            return self._provider.error(404, "no_such_path", "The provider has no such path.")
        response = self._provider.error(405, "method_not_allowed", f"This path takes {allowed} only.")
        return replace(response, headers=(*response.headers, (b"allow", allowed.encode("ascii"))))


async def _read_body(receive: Receive, limit: int) -> bytes | None:
    """The whole body; None when the caller went away. Of a body over the limit, only enough to see that it is."""
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
