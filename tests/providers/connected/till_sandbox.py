"""A sandbox for Till, the API of examples/till.yaml: TinyPay's with another wire.

It shares no code with the client.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from tests.fifth_system.tiny_pay.sandbox import TinyCommands, TinyProvider, TinySettings
from victor_ext.sandbox.server import (
    HeaderKey,
    Operation,
    ServerInThread,
    command,
    json_response,
    nothing,
    option,
)

if TYPE_CHECKING:
    from victor_ext.sandbox.server import Call, JsonObject, Response


@dataclass(frozen=True, kw_only=True, slots=True)
class TillSettings(TinySettings):
    page_size: int = option(20, help="payments on a page")


class TillCommands(TinyCommands):
    _provider: TillProvider

    @command("POST", "/payments", returns=nothing)
    def add_payment(self, id: str) -> JsonObject:
        """Have a payment."""
        return self._provider.add_payment(id, {"amount": 1, "currency": "EUR"})

    @command("POST", "/tokens", returns=lambda made: str(made["token"]))
    def issue_token(self) -> JsonObject:
        """Issue a token, as the token endpoint does."""
        return {"token": self._provider.tokens.issue("a test", 600)[0]}

    @command("POST", "/tokens/revoke", returns=nothing)
    def revoke_tokens(self) -> JsonObject:
        """Refuse every token that was issued."""
        self._provider.tokens.revoke()
        return {}


class TillProvider(TinyProvider):
    settings: TillSettings
    name = "till"
    title = "Till"
    key = HeaderKey("Idempotency-Key")
    operations = (
        Operation("token", "POST", "/oauth/token"),
        Operation("create", "POST", "/v1/payments"),
        Operation("list", "GET", "/v1/payments"),
        Operation("get", "GET", "/v1/payments/{id}"),
    )
    settings_type = TillSettings
    commands_type = TillCommands

    def error(self, status: int, code: str, message: str) -> Response:
        return json_response(status, {"title": code, "status": status, "detail": message})

    def add_payment(self, id: str, fields: JsonObject) -> JsonObject:
        self.charges[id] = {"id": id, **fields, "status": "accepted"}
        return self.charges[id]

    def _token(self, call: Call) -> Response:
        form = call.form()
        pair = base64.b64decode(
            (call.header("authorization") or "").removeprefix("Basic ")
        ).decode()
        name, _, secret = pair.partition(":")
        if (
            form.get("grant_type") != "client_credentials"
            or self._clients.get(name) != secret
            or not secret
        ):
            return json_response(
                401, {"error": "invalid_client", "error_description": "No such client."}
            )
        token, _ = self.tokens.issue(name, 600)
        return json_response(
            200, {"access_token": token, "token_type": "bearer", "expires_in": 600}
        )

    def _create(self, call: Call) -> Response:
        body = cast("JsonObject", call.json())
        if call.key is None:
            return self.error(400, "key", "Idempotency-Key is required.")
        if not isinstance(body.get("amount"), int) or cast("int", body["amount"]) < 1:
            return json_response(
                422,
                {
                    "title": "Invalid",
                    "status": 422,
                    "detail": "It is too small.",
                    "field": "amount",
                },
            )
        reference = str(body.get("reference"))
        return self._once(call, reference, lambda: self._made(call, reference, body))

    def _made(self, call: Call, reference: str, body: JsonObject) -> Response:
        call.did_work(reference)
        return json_response(201, self.add_payment(f"pay_{len(self.charges)}", body))

    def _list(self, call: Call) -> Response:
        ids, query = list(self.charges), call.query_values()
        after = query.get("starting_after")
        rest = ids[ids.index(after) + 1 :] if after in ids else ids
        page = rest[: int(query.get("limit") or self.settings.page_size)]
        return json_response(
            200, {"data": [self.charges[id] for id in page], "has_more": len(page) < len(rest)}
        )

    _get = TinyProvider._find


class TillSandbox(TillCommands, ServerInThread[TillSettings]):
    """Till in this process: `with TillSandbox() as sandbox: sandbox.url`."""

    provider_type = TillProvider
