"""A sandbox for a provider that does not exist, as small as one can be: a pattern for those that
do.

TinyPay takes charges of whole cents. A token is asked for with a name and a secret; the idempotency
key stands in the body; a charge is answered by an empty 202 whose id is in `Location`; amounts over
the limit are a 200 that says no.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from victor_ext.sandbox.engine import KeyMemory
from victor_ext.sandbox.server import (
    BodyKey,
    Operation,
    SandboxProvider,
    ServerCommands,
    ServerInThread,
    ServerOverHttp,
    ServerSettings,
    TokenStore,
    command,
    empty_response,
    find,
    json_response,
    nothing,
    option,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from victor_ext.sandbox.server import Call, JsonObject, Response


@dataclass(frozen=True, kw_only=True, slots=True)
class TinySettings(ServerSettings):
    """The options of every sandbox, and two of its own, which the command line has, too."""

    limit: int = option(100_000, help="largest charge, in cents")
    token_life: float = option(600.0, help="life of a token, in seconds")


class TinyCommands(ServerCommands):
    """The commands of TinyPay's sandbox, beside those of every sandbox.

    The bodies run on the server.
    """

    _provider: TinyProvider

    @command("POST", "/clients", returns=lambda made: (str(made["name"]), str(made["secret"])))
    def add_client(self, name: str | None = None, secret: str | None = None) -> JsonObject:
        """Let a client ask for tokens; returns its name and secret (None: new ones are made)."""
        return self._provider.add_client(name, secret)

    @command("POST", "/charges/{charge_id}/settle", returns=nothing)
    def settle(self, charge_id: str) -> JsonObject:
        """Settle a charge."""
        charge = find(self._provider.charges, charge_id, "charge")
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
        self.tokens = TokenStore(self.context.clock)
        self.charges: dict[str, JsonObject] = {}
        self._keys = KeyMemory(self.context.clock.now)

    def error(self, status: int, code: str, message: str) -> Response:
        """The provider's shape of an error; the machinery uses it, too."""
        return json_response(status, {"fault": {"code": code, "text": message}})

    # What the provider does

    def handle(self, operation: str, call: Call) -> Response:
        """Let the caller in and do the work."""
        if operation == "token":
            return self._token(call)
        if self.tokens.owner(call.bearer_token) is None:
            return self.error(401, "who", f"Ask {self.operations[0].path} for a token.")
        return getattr(self, f"_{operation}")(call)

    def _token(self, call: Call) -> Response:
        try:
            form = call.form()
        except ValueError:
            return self.error(400, "form", "The body must be a form.")
        name, secret = form.get("name", ""), form.get("secret", "")
        if not secret or self._clients.get(name) != secret:
            return self.error(401, "pair", "Name and secret are not a pair.")
        token, expires = self.tokens.issue(name, self.settings.token_life)
        return json_response(200, {"token": token, "expires": int(expires * 1000)})

    def _charge(self, call: Call) -> Response:
        body = call.json_object() or {}
        if (
            call.key is None
            or not isinstance(body.get("reference"), str)
            or type(body.get("cents")) is not int
        ):
            return self.error(400, "body", "idempotencyKey, reference and cents are required.")
        return self._once(call, body["reference"], lambda: self._made(call, body))

    def _made(self, call: Call, body: JsonObject) -> Response:
        if body["cents"] > self.settings.limit:
            return json_response(200, {"success": False, "text": "This is over the limit."})
        charge_id = uuid.uuid4().hex
        self.charges[charge_id] = {"id": charge_id, "settled": False, **body}
        call.exchange.request_id = charge_id
        call.did_work(body["reference"])
        return empty_response(202, {"Location": f"/v1/charges/{charge_id}"})

    def _once(self, call: Call, reference: str, work: Callable[[], Response]) -> Response:
        """Do the work under the call's key, or repeat the answer of the call that did it."""
        call.refers_to(reference)
        before = self._keys.find("", call.key, call.digest)
        if before is not None:
            call.exchange.replayed = before.is_repeat
            conflict = self.error(409, "key", "The key was used for another body.")
            return before.what if before.is_repeat else conflict
        answer = work()
        if call.exchange.work_done:
            self._keys.keep("", call.key, call.digest, answer)
        return answer

    def _list(self, call: Call) -> Response:
        wanted = call.query_values().get("reference")
        charges = [
            each for each in self.charges.values() if wanted in (None, each.get("reference"))
        ]
        return json_response(200, {"charges": charges})

    def _find(self, call: Call) -> Response:
        charge = self.charges.get(call.params["id"])
        return (
            self.error(404, "id", "There is no such charge.")
            if charge is None
            else json_response(200, charge)
        )

    def add_client(self, name: str | None = None, secret: str | None = None) -> JsonObject:
        """Let a client ask for tokens; what is not given is made up."""
        name, secret = name or uuid.uuid4().hex, secret or uuid.uuid4().hex
        self._clients[name] = secret
        return {"name": name, "secret": secret}

    def client_settings(self, url: str) -> str:
        """What `--env-file` writes."""
        token, _ = self.tokens.issue(str(self.add_client()["name"]), self.settings.token_life)
        return f"TINY_BASE_URL={url}\nTINY_TOKEN={token}\n"


class TinySandbox(TinyCommands, ServerInThread[TinySettings]):
    """TinyPay in this process: `with TinySandbox() as sandbox: sandbox.url`."""

    provider_type = TinyProvider


class RemoteTinySandbox(TinyCommands, ServerOverHttp):
    """The commands over HTTP, for a sandbox in another process."""
