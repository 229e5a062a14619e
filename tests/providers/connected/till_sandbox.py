"""A sandbox for Till, the API of examples/till.yaml: it shares no code with the client."""

from __future__ import annotations

import base64
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast
from urllib.parse import parse_qsl

from victor_ext.sandbox.server import (
    HeaderKey,
    Operation,
    SandboxProvider,
    ServerCommands,
    ServerInThread,
    ServerSettings,
    TokenStore,
    command,
    json_response,
    nothing,
    option,
)

if TYPE_CHECKING:
    from victor_ext.sandbox.server import Call, JsonObject, Response


@dataclass(frozen=True, kw_only=True, slots=True)
class TillSettings(ServerSettings):
    page_size: int = option(20, help="payments on a page")


class TillCommands(ServerCommands):
    _provider: TillProvider

    @command("POST", "/clients", returns=lambda made: (str(made["id"]), str(made["secret"])))
    def add_client(self) -> JsonObject:
        """Let a client ask for tokens; returns its id and secret."""
        return self._provider.add_client()

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


class TillProvider(SandboxProvider[TillSettings]):
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

    def new_state(self) -> None:
        self._clients: dict[str, str] = {}
        self.tokens = TokenStore(self.context.clock)
        self._payments: dict[str, JsonObject] = {}
        self._done: dict[str, tuple[bytes, Response]] = {}

    def error(self, status: int, code: str, message: str) -> Response:
        return json_response(status, {"title": code, "status": status, "detail": message})

    def client_settings(self, url: str) -> str:
        return f"TILL_BASE_URL={url}\n"

    def add_client(self) -> JsonObject:
        made = uuid.uuid4().hex, uuid.uuid4().hex
        self._clients[made[0]] = made[1]
        return {"id": made[0], "secret": made[1]}

    def add_payment(self, id: str, fields: JsonObject) -> JsonObject:
        self._payments[id] = {"id": id, **fields, "status": "accepted"}
        return self._payments[id]

    def handle(self, operation: str, call: Call) -> Response:
        if operation == "token":
            return self._token(call)
        if self.tokens.owner(call.bearer_token) is None:
            return self.error(401, "token", "Ask /oauth/token for a token.")
        return getattr(self, f"_{operation}")(call)

    def _token(self, call: Call) -> Response:
        form = call.form()
        pair = base64.b64decode((call.header("authorization") or "").removeprefix("Basic ")).decode()
        name, _, secret = pair.partition(":")
        if form.get("grant_type") != "client_credentials" or self._clients.get(name) != secret or not secret:
            return json_response(401, {"error": "invalid_client", "error_description": "No such client."})
        token, _ = self.tokens.issue(name, 600)
        return json_response(200, {"access_token": token, "token_type": "bearer", "expires_in": 600})

    def _create(self, call: Call) -> Response:
        body = cast("JsonObject", call.json())
        if call.key is None:
            return self.error(400, "key", "Idempotency-Key is required.")
        if not isinstance(body.get("amount"), int) or cast("int", body["amount"]) < 1:
            return json_response(
                422, {"title": "Invalid", "status": 422, "detail": "It is too small.", "field": "amount"}
            )
        call.refers_to(str(body.get("reference")))
        known = self._done.get(call.key)
        if known is not None:
            call.exchange.replayed = known[0] == call.body
            return known[1] if known[0] == call.body else self.error(409, "key", "The key was used with other values.")
        made = json_response(201, self.add_payment(f"pay_{len(self._payments)}", body))
        call.did_work(str(body.get("reference")))
        self._done[call.key] = (call.body, made)
        return made

    def _list(self, call: Call) -> Response:
        ids = list(self._payments)
        query = dict(parse_qsl(call.query.decode()))
        after = query.get("starting_after")
        rest = ids[ids.index(after) + 1 :] if after in ids else ids
        page = rest[: int(query.get("limit") or self.settings.page_size)]
        return json_response(200, {"data": [self._payments[id] for id in page], "has_more": len(page) < len(rest)})

    def _get(self, call: Call) -> Response:
        record = self._payments.get(call.params["id"])
        return self.error(404, "id", "There is no such payment.") if record is None else json_response(200, record)


class TillSandbox(TillCommands, ServerInThread[TillSettings]):
    """Till in this process: `with TillSandbox() as sandbox: sandbox.url`."""

    provider_type = TillProvider
