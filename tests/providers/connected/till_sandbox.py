"""A sandbox for Till, the API of examples/till.yaml: TinyPay's with another wire.

It shares no code with the client.
"""

from __future__ import annotations

import base64
from pathlib import Path
from typing import TYPE_CHECKING

from tests.fifth_system.tiny_pay.sandbox import (
    TinyCommands,
    TinyProvider,
    TinySettings,
    TinyState,
)
from victor_ext.sandbox.engine import Refused, Result, Row
from victor_ext.sandbox.server import (
    HeaderKey,
    ServerInThread,
    command,
    find,
    json_response,
    nothing,
)

if TYPE_CHECKING:
    from victor_ext.sandbox.engine import Asked
    from victor_ext.sandbox.server import Call, JsonObject, Response


class TillCommands(TinyCommands):
    _state: TillState

    @command("POST", "/payments", returns=nothing)
    def add_payment(self, id: str) -> JsonObject:
        """Have a payment."""
        return self._state.add_payment(id, {"amount": 1, "currency": "EUR"})

    @command("POST", "/tokens", returns=lambda made: str(made["token"]))
    def issue_token(self) -> JsonObject:
        """Issue a token, as the token endpoint does."""
        return {"token": self._state.tokens.issue("a test", 600)[0]}

    @command("POST", "/tokens/revoke", returns=nothing)
    def revoke_tokens(self) -> JsonObject:
        """Refuse every token that was issued."""
        self._state.tokens.revoke()
        return {}


class TillState(TinyState):
    def add_payment(self, id: str, fields: JsonObject) -> JsonObject:
        self.charges[id] = {"id": id, **fields, "status": "accepted"}
        return self.charges[id]

    def token(self, asked: Asked) -> JsonObject:
        header = asked.call.header("authorization") or ""
        name, _, secret = base64.b64decode(header.removeprefix("Basic ")).decode().partition(":")
        is_known = secret and self._clients.get(name) == secret
        if not is_known or asked.body.get("grant_type") != "client_credentials":
            raise Refused(401, "No such client.", code="invalid_client")
        token, _ = self.tokens.issue(name, 600)
        return {"access_token": token, "token_type": "bearer", "expires_in": 600}

    def create(self, asked: Asked) -> Result:
        reference = str(asked.body.get("reference"))
        made = self.add_payment(f"pay_{len(self.charges)}", asked.body)
        return Result(body=made, work=[reference])

    def page(self, asked: Asked) -> JsonObject:
        ids, after = list(self.charges), asked.query.get("starting_after")
        rest = ids[ids.index(after) + 1 :] if after in ids else ids
        page = rest[: asked.query.get("limit") or 20]
        return {"data": [self.charges[id] for id in page], "has_more": len(page) < len(rest)}


class TillProvider(TinyProvider):
    name = "till"
    title = "Till"
    document = str(Path(__file__).parents[3] / "examples/till.yaml")
    key = HeaderKey("Idempotency-Key")
    commands_type = TillCommands
    state: TillState
    rows = (
        Row("token", "POST /oauth/token", TillState.token, is_open=True),
        Row("create", "POST /v1/payments", TillState.create, 201, is_keyed=True),
        Row("list", "GET /v1/payments", TillState.page),
        Row("get", "GET /v1/payments/{id}", lambda s, asked: find(s.charges, asked.about, "one")),
    )

    def new_state(self) -> TillState:
        return TillState(self.context.clock, self.settings)

    def check(self, call: Call, operation: str, query: JsonObject, body: JsonObject) -> None:
        if operation == "create" and call.key is None:
            raise Refused(400, "Idempotency-Key is required.", code="key")
        super().check(call, operation, query, body)

    def refusal(self, operation: str, refused: Refused) -> Response:
        if operation == "token":
            body = {"error": refused.code, "error_description": refused.message}
            return json_response(refused.status, body)
        if not refused.problems:
            return super().refusal(operation, refused)
        body = {"title": "Invalid", "status": 422, "detail": refused.message}
        return json_response(422, body | {"field": refused.field})

    def error(self, status: int, code: str, message: str) -> Response:
        return json_response(status, {"title": code, "status": status, "detail": message})


class TillSandbox(TillCommands, ServerInThread[TinySettings]):
    """Till in this process: `with TillSandbox() as sandbox: sandbox.url`."""

    provider_type = TillProvider
