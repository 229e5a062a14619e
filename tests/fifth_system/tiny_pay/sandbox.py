"""A sandbox for a provider that does not exist, as small as one can be: a pattern for those that
do.

TinyPay takes charges of whole cents. A token is asked for with a name and a secret; the idempotency
key stands in the body; a charge is answered by an empty 202 whose id is in `Location`; amounts over
the limit are a 200 that says no.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from victor_ext.sandbox.engine import Listing, Refused, Result, Row, TableProvider
from victor_ext.sandbox.server import (
    BodyKey,
    ServerCommands,
    ServerInThread,
    ServerOverHttp,
    ServerSettings,
    TokenStore,
    command,
    find,
    json_response,
    nothing,
    option,
)

if TYPE_CHECKING:
    from victor_ext.sandbox.engine import Asked, Page
    from victor_ext.sandbox.server import Call, Clock, JsonObject, Response


@dataclass(frozen=True, kw_only=True, slots=True)
class TinySettings(ServerSettings):
    """The options of every sandbox, and two of its own, which the command line has, too."""

    limit: int = option(100_000, help="largest charge, in cents")
    token_life: float = option(600.0, help="life of a token, in seconds")


class TinyCommands(ServerCommands):
    """The commands of TinyPay's sandbox, beside those of every sandbox.

    The bodies run on the server.
    """

    _state: TinyState

    @command("POST", "/clients", returns=lambda made: (str(made["name"]), str(made["secret"])))
    def add_client(self, name: str | None = None, secret: str | None = None) -> JsonObject:
        """Let a client ask for tokens; returns its name and secret (None: new ones are made)."""
        return self._state.add_client(name, secret)

    @command("POST", "/charges/{charge_id}/settle", returns=nothing)
    def settle(self, charge_id: str) -> JsonObject:
        """Settle a charge."""
        charge = find(self._state.charges, charge_id, "charge")
        charge["settled"] = True
        return charge


class TinyState:
    """What TinyPay keeps, and its rules."""

    def __init__(self, clock: Clock, settings: TinySettings) -> None:
        self._settings = settings
        self._clients: dict[str, str] = {}
        self.tokens = TokenStore(clock)
        self.charges: dict[str, JsonObject] = {}

    def add_client(self, name: str | None = None, secret: str | None = None) -> JsonObject:
        """Let a client ask for tokens; what is not given is made up."""
        name, secret = name or uuid.uuid4().hex, secret or uuid.uuid4().hex
        self._clients[name] = secret
        return {"name": name, "secret": secret}

    def token(self, asked: Asked) -> JsonObject:
        form = asked.body
        name, secret = form.get("name", ""), form.get("secret", "")
        if not secret or self._clients.get(name) != secret:
            raise Refused(401, "Name and secret are not a pair.", code="pair")
        token, expires = self.tokens.issue(name, self._settings.token_life)
        return {"token": token, "expires": int(expires * 1000)}

    def charge(self, asked: Asked) -> Result:
        body = asked.body
        if body["cents"] > self._settings.limit:
            return Result(status=200, body={"success": False, "text": "This is over the limit."})
        charge_id = uuid.uuid4().hex
        self.charges[charge_id] = {"id": charge_id, "settled": False, **body}
        location = {"Location": f"/v1/charges/{charge_id}"}
        return Result(headers=location, made=charge_id, work=[body["reference"]])


class TinyProvider(TableProvider[TinySettings]):
    """TinyPay's table."""

    name = "tiny"
    title = "TinyPay"
    document = str(Path(__file__).parents[1] / "tiny.yaml")
    key = BodyKey("idempotencyKey")
    settings_type = TinySettings
    commands_type = TinyCommands
    state: TinyState
    rows = (
        Row("token", "POST /v1/token", TinyState.token, is_open=True),
        Row("charge", "POST /v1/charges", TinyState.charge, 202, is_keyed=True),
        Row(
            "find", "GET /v1/charges/{id}", lambda s, asked: find(s.charges, asked.about, "charge")
        ),
        Row("list", "GET /v1/book", lambda s, _: [*s.charges.values()], listing=Listing()),
    )

    def new_state(self) -> TinyState:
        return TinyState(self.context.clock, self.settings)

    def authenticate(self, call: Call) -> str:
        owner = self.state.tokens.owner(call.bearer_token)
        if owner is None:
            raise Refused(401, "Ask /v1/token for a token.", code="who")
        return owner

    def read_body(self, operation: str, call: Call) -> JsonObject:
        """The body of a request. A token is asked for with a form."""
        if operation != "token":
            body = super().read_body(operation, call)
            if isinstance(body.get("reference"), str):
                call.refers_to(body["reference"])
            return body
        try:
            return {**call.form()}
        except ValueError:
            raise Refused(400, "The body must be a form.", code="form") from None

    def page_body(self, _asked: Asked, page: Page[JsonObject]) -> JsonObject:
        """The body of the only page."""
        return {"charges": page.items}

    def error(self, status: int, code: str, message: str) -> Response:
        """The provider's shape of an error; the machinery uses it, too."""
        return json_response(status, {"fault": {"code": code, "text": message}})

    def client_settings(self, url: str) -> str:
        """What `--env-file` writes."""
        name = str(self.state.add_client()["name"])
        token, _ = self.state.tokens.issue(name, self.settings.token_life)
        return f"TINY_BASE_URL={url}\nTINY_TOKEN={token}\n"


class TinySandbox(TinyCommands, ServerInThread[TinySettings]):
    """TinyPay in this process: `with TinySandbox() as sandbox: sandbox.url`."""

    provider_type = TinyProvider


class RemoteTinySandbox(TinyCommands, ServerOverHttp):
    """The commands over HTTP, for a sandbox in another process."""
