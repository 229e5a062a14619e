"""The HTTP side of a provider's operations: read the call, meet its fault, send the answer."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from victor_ext.sandbox.server.answer import instead_of_work, spoiled, start_message
from victor_ext.sandbox.server.call import Call
from victor_ext.sandbox.server.keys import BodyKey, HeaderKey
from victor_ext.sandbox.server.paths import OTHER
from victor_ext.sandbox.server.routes import is_control

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from victor_ext.sandbox.server.answer import Answer
    from victor_ext.sandbox.server.faults import Fault
    from victor_ext.sandbox.server.stage import SandboxContext
    from victor_ext.sandbox.server.standin import AnyStandIn


class Api:
    """The whole application: the control API, the provider's paths, and whatever else is asked for."""

    def __init__(self, stage: SandboxContext, stand_in: AnyStandIn, control: ASGIApp) -> None:
        self._stage = stage
        self._stand_in = stand_in
        self._control = control
        self._limit = stage.settings.body_limit
        self._key_header = stage.key.header if isinstance(stage.key, HeaderKey) else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one call. The exchange is noted in full before the first byte of the answer leaves."""
        if is_control(scope["path"]):
            await self._control(scope, receive, send)
            return
        call = self._begin(scope)
        try:
            await self._serve(call, scope, receive, send)
        except asyncio.CancelledError:
            # The sandbox ends while this call waits. Nobody is above us, and uvicorn would print a traceback.
            self._stage.finish(call.exchange, None)

    async def _serve(self, call: Call, scope: Scope, receive: Receive, send: Send) -> None:
        fault: Fault | None = scope["state"]["wire"].take_fault(
            scope["method"], scope["path"], scope["query_string"].decode("latin-1")
        )
        call.exchange.fault = fault.kind if fault else None
        whole = await _read_body(receive, self._limit)
        if whole is None:
            self._stage.finish(call.exchange, None)
            return
        call.body = whole
        answer = await self._answer(call, scope["path"], fault)
        self._stage.finish(call.exchange, answer.status)
        await send(start_message(answer, call.exchange, self._stage.clock.date_header()))
        await send({"type": "http.response.body", "body": answer.body})

    def _begin(self, scope: Scope) -> Call:
        stage, method = self._stage, scope["method"]
        headers: dict[bytes, bytes] = dict(scope["headers"])
        word, params = stage.paths.find(method, scope["path"])
        header = self._key_header
        key = None if header is None else headers.get(header)
        raw_path = scope["raw_path"].decode("latin-1")
        exchange = stage.begin(method, raw_path, word, None if key is None else key.decode("latin-1"))
        call = Call(exchange, stage.log, headers, scope["query_string"], params)
        if key is not None:
            call.key_count = sum(name == header for name, _ in scope["headers"])
        return call

    async def _answer(self, call: Call, path: str, fault: Fault | None) -> Answer:
        if isinstance(self._stage.key, BodyKey):
            self._note_key(call, self._stage.key)
        if fault is None:
            return self._work(call, path)
        late = fault.kind == "delay" and fault.work
        if fault.delay and not late:
            await asyncio.sleep(fault.delay)
        wall, error = self._stage.clock.wall, self._stand_in.error
        if fault.kind in ("status", "rate_limit", "html") and not fault.work:
            return instead_of_work(fault, wall(), error)
        answer = spoiled(self._work(call, path), fault, wall(), error)
        if late:
            await asyncio.sleep(fault.delay)
        return answer

    def _note_key(self, call: Call, place: BodyKey) -> None:
        try:
            key = place.in_body(call.json()) if call.body else None
        except ValueError:
            return
        if key is not None:
            self._stage.log.count_attempt(call.exchange, key)

    def _work(self, call: Call, path: str) -> Answer:
        if len(call.body) > self._limit:
            return self._stand_in.error(413, "body_too_large", f"At most {self._limit} bytes.")
        operation = call.exchange.operation
        if operation == OTHER:
            return self._no_such_call(path)
        try:
            return self._stand_in.answer(operation, call)
        except Exception as error:  # noqa: BLE001 (whatever it is, it is the sandbox's mistake, and says so)
            self._stage.complain(f"the sandbox failed in '{operation}'", error)
            return self._stand_in.error(500, "sandbox_failure", f"The sandbox itself failed: {type(error).__name__}.")

    def _no_such_call(self, path: str) -> Answer:
        allowed = ", ".join(self._stage.paths.methods(path))
        if not allowed:
            return self._stand_in.error(404, "no_such_path", "The provider has no such path.")
        answer = self._stand_in.error(405, "method_not_allowed", f"This path takes {allowed} only.")
        return replace(answer, headers=(*answer.headers, (b"allow", allowed.encode("ascii"))))


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
