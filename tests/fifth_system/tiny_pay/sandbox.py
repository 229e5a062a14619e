"""A sandbox for a provider that does not exist, as small as one can be: a pattern for those that do.

TinyPay takes charges of whole cents. A token is asked for with a name and a secret; the idempotency key stands in the
body; a charge is answered by an empty 202 whose id is in `Location`; amounts over the limit are a 200 that says no.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from victor_ext.sandbox.server import (
    BodyKey,
    NotFound,
    Operation,
    SandboxProvider,
    ServerCommands,
    ServerInThread,
    ServerOverHttp,
    ServerSettings,
    TokenStore,
    command,
    empty_response,
    json_response,
    nothing,
    option,
)

if TYPE_CHECKING:
    from victor_ext.sandbox.server import Call, JsonObject, Response


@dataclass(frozen=True, kw_only=True, slots=True)
class TinySettings(ServerSettings):
    """The options of every sandbox, and two of its own, which the command line has, too."""

    limit: int = option(100_000, help="largest charge, in cents")
    token_life: float = option(600.0, help="life of a token, in seconds")


class TinyCommands(ServerCommands):
    """The commands of TinyPay's sandbox, beside those of every sandbox. The bodies run on the server."""

    _provider: TinyProvider

    @command("POST", "/clients", returns=lambda made: (str(made["name"]), str(made["secret"])))
    def add_client(self, name: str | None = None, secret: str | None = None) -> JsonObject:
        """Let a client ask for tokens; returns its name and secret (None: new ones are made)."""
        return self._provider.add_client(name, secret)

    @command("POST", "/charges/{charge_id}/settle", returns=nothing)
    def settle(self, charge_id: str) -> JsonObject:
        """Settle a charge."""
        charge = self._provider.charges.get(charge_id)
        if charge is None:
            raise NotFound("There is no such charge.")
        charge["settled"] = True
        return charge


class TinyProvider(SandboxProvider[TinySettings]):
    """State and rules. All of it runs on one thread, and nothing waits."""

    name = "tiny"
    title = "TinyPay"
    key = BodyKey("idempotencyKey")
    operations = (
        Operation("token", "POST", "/v1/token"),
        Operation("charge", "POST", "/v1/charges"),
        Operation("find", "GET", "/v1/charges/{id}"),
        Operation("list", "GET", "/v1/book"),
    )
    settings_type = TinySettings
    commands_type = TinyCommands

    def new_state(self) -> None:
        self._clients: dict[str, str] = {}
        self._tokens = TokenStore(self.context.clock)
        self.charges: dict[str, JsonObject] = {}
        self._done: dict[str, tuple[bytes, Response]] = {}
        """By key: the body that asked for it, and what was answered."""

    def error(self, status: int, code: str, message: str) -> Response:
        """The provider's shape of an error; the machinery uses it, too."""
        return json_response(status, {"fault": {"code": code, "text": message}})

    # What the provider does

    def handle(self, operation: str, call: Call) -> Response:
        """Let the caller in and do the work."""
        if operation == "token":
            return self._token(call)
        owner = self._tokens.owner(call.bearer_token)
        if owner is None:
            return self.error(401, "who", "Ask /v1/token for a token.")
        if operation == "list":
            return json_response(200, {"charges": list(self.charges.values())})
        return self._charge(call) if operation == "charge" else self._find(call)

    def _token(self, call: Call) -> Response:
        try:
            form = call.form()
        except ValueError:
            return self.error(400, "form", "The body must be a form.")
        name, secret = form.get("name", ""), form.get("secret", "")
        if not secret or self._clients.get(name) != secret:
            return self.error(401, "pair", "Name and secret are not a pair.")
        token, expires = self._tokens.issue(name, self.settings.token_life)
        return json_response(200, {"token": token, "expires": int(expires * 1000)})

    def _charge(self, call: Call) -> Response:
        body = self._charge_body(call)
        if body is None or call.key is None:
            return self.error(400, "body", "idempotencyKey, reference and cents are required.")
        call.refers_to(body["reference"])
        known = self._done.get(call.key)
        if known is not None:
            call.exchange.replayed = known[0] == call.body
            return known[1] if known[0] == call.body else self.error(409, "key", "The key was used for another body.")
        if body["cents"] > self.settings.limit:
            return json_response(200, {"success": False, "text": "This is over the limit."})
        charge_id = uuid.uuid4().hex
        self.charges[charge_id] = {"id": charge_id, "settled": False, **body}
        call.exchange.request_id = charge_id
        call.did_work(body["reference"])
        answer = empty_response(202, {"Location": f"/v1/charges/{charge_id}"})
        self._done[call.key] = (call.body, answer)
        return answer

    def _charge_body(self, call: Call) -> JsonObject | None:
        try:
            body = call.json()
        except ValueError:
            return None
        if not isinstance(body, dict):
            return None
        found = cast("JsonObject", body)
        return found if isinstance(found.get("reference"), str) and type(found.get("cents")) is int else None

    def _find(self, call: Call) -> Response:
        charge = self.charges.get(call.params["id"])
        return self.error(404, "id", "There is no such charge.") if charge is None else json_response(200, charge)

    def add_client(self, name: str | None = None, secret: str | None = None) -> JsonObject:
        """Let a client ask for tokens; what is not given is made up."""
        name, secret = name or uuid.uuid4().hex, secret or uuid.uuid4().hex
        self._clients[name] = secret
        return {"name": name, "secret": secret}

    def client_settings(self, url: str) -> str:
        """What `--env-file` writes."""
        token, _ = self._tokens.issue(str(self.add_client()["name"]), self.settings.token_life)
        return f"TINY_BASE_URL={url}\nTINY_TOKEN={token}\n"


class TinySandbox(TinyCommands, ServerInThread[TinySettings]):
    """TinyPay in this process: `with TinySandbox() as sandbox: sandbox.url`."""

    provider_type = TinyProvider


class RemoteTinySandbox(TinyCommands, ServerOverHttp):
    """The commands over HTTP, for a sandbox in another process."""
