"""Velo's side of the sandbox: what it keeps, its control commands, authentication, and the
operations of its API.
"""

import base64
import uuid
from collections.abc import Callable
from datetime import datetime
from typing import TypeAlias

from victor_ext.sandbox.server import Clock, TokenCommands, TokenStore, command, find, member
from victor_ext.sandbox.server.document import declared_in
from victor_ext.sandbox.server.exchange import (
    JsonObject,
    Operation,
    Response,
    empty_response,
    json_response,
)
from victor_ext.sandbox.server.provider import Call, SandboxProvider
from victor_ext.sandbox.velo.accounts import READY_AFTER, Accounts, Payees
from victor_ext.sandbox.velo.base import Asked, Base, Refused, VeloSettings, listed, sent
from victor_ext.sandbox.velo.notifications import RESENDING, TriggerCommands, Webhooks
from victor_ext.sandbox.velo.payouts import Payouts

_TOKEN_LIFE = 1799


class State(Base):
    def __init__(self, clock: Clock, settings: VeloSettings) -> None:
        super().__init__(clock, settings)
        self.keys: dict[str, str] = {}
        self.tokens = TokenStore(clock)
        self.payees = Payees(self)
        self.accounts = Accounts(self)
        self.webhooks: dict[str, JsonObject] = {}
        self.payouts = Payouts(self, self.payees, self.accounts)

    def add_key(self, api_key: str | None = None, api_secret: str | None = None) -> JsonObject:
        key, secret = api_key or uuid.uuid4().hex, api_secret or uuid.uuid4().hex
        self.keys[key] = secret
        return {"api_key": key, "api_secret": secret}

    def create_webhook(self, body: JsonObject) -> tuple[str, list[str]]:
        self.watch()
        webhook_id = self.new_id()
        self.webhooks[webhook_id] = {
            "id": webhook_id,
            "categories": ["payment", "payee", "debit"],
            **body,
        }
        return f"/v1/webhooks/{webhook_id}", [body["webhookUrl"]]

    def webhook(self, webhook_id: str) -> JsonObject:
        """A webhook as it is shown: its secret is masked."""
        webhook = find(self.webhooks, webhook_id, "webhook")
        return {
            **webhook,
            **({"authorizationHeader": "********"} if "authorizationHeader" in webhook else {}),
        }

    def update_webhook(self, asked: Asked) -> None:
        find(self.webhooks, asked.about, "webhook").update(asked.body)

    def delete_payee(self, payee_id: str) -> None:
        if self.payouts.pays(payee_id):
            raise Refused(400, "The payee has payments.")
        self.payees.delete(payee_id)

    def move(self) -> int:
        return self.timeline.pass_time(self.now())


class VeloCommands(TokenCommands, TriggerCommands):
    """The commands of Velo's sandbox, beside those of every sandbox."""

    _state: State
    _provider: "VeloProvider"

    @command("POST", "/keys", returns=lambda made: (str(made["api_key"]), str(made["api_secret"])))
    def add_key(self, api_key: str | None = None, api_secret: str | None = None) -> JsonObject:
        """Let a client ask for tokens; returns its `api_key` and `api_secret` (None: new ones are
        made).
        """
        return self._state.add_key(api_key, api_secret)

    @property
    def payor_id(self) -> str:
        """The id of the only payor, which `info` has."""
        return str(self.info()["payor_id"])

    @command("POST", "/payees", returns=member("payeeId", str))
    def add_payee(self, remote_id: str) -> JsonObject:
        """Add a payee that can be paid at once, by its `remote_id`; returns Velo's id."""
        return self._state.payees.add({"remoteId": remote_id, "email": "payee@example.com"})

    @command("POST", "/payees/{payee_id}/onboard")
    def onboard_payee(self, payee_id: str) -> None:
        """Have a payee accept its invitation and onboard: then it can be deleted, and its details
        cannot be changed.
        """
        self._state.payees.onboard(payee_id)

    @command("POST", "/sourceAccounts", returns=member("id", str))
    def add_source_account(self, name: str, currency: str, balance: int) -> JsonObject:
        """Add a source account with a `name`, a `currency` and a `balance` in minor units; returns
        its id.
        """
        return self._state.accounts.add_source(name, currency, balance)

    @command("POST", "/fundingAccounts", returns=member("id", str))
    def add_funding_account(self, name: str, currency: str) -> JsonObject:
        """Add a funding account with a `name` and a `currency` that can be read at once; returns
        its id.
        """
        return self._state.accounts.add_bank(name, currency)

    @command("GET", "/sourceAccounts/{account_id}/balance")
    def balance(self, account_id: str) -> int:
        """The balance of a source account, in minor units."""
        return int(self._state.accounts.source(account_id)["balance"])

    @command("GET", "/notifications")
    def notifications(self, after: int = 0) -> list[JsonObject]:
        """The webhook notifications with a sequence number above `after`, whether they were posted
        or not.
        """
        return [one for one in self._state.notifications if one["sequenceNumber"] > after]

    @command("GET", "/authorization_header")
    def authorization_header(self) -> str:
        """The `Authorization` header of what is posted to `--notify`."""
        return self._provider.webhooks.authorization


_Read: TypeAlias = Callable[[State, Asked], "JsonObject | list[JsonObject]"]
_Write: TypeAlias = Callable[[State, Asked], tuple[str, list[str]] | None]

_WRITES: dict[str, tuple[str, int, _Write]] = {
    "update_payee": (
        "POST /v4/payees/{id}/payeeDetailsUpdate",
        204,
        lambda state, asked: state.payees.update(asked),
    ),
    "rename_payee": (
        "POST /v4/payees/{id}/remoteIdUpdate",
        204,
        lambda state, asked: state.payees.rename(asked),
    ),
    "invite": (
        "POST /v4/payees/{id}/invite",
        200,
        lambda state, asked: state.payees.invite(asked.about),
    ),
    "delete_payee": (
        "DELETE /v4/payees/{id}",
        204,
        lambda state, asked: state.delete_payee(asked.about),
    ),
    "instruct": (
        "POST /v3/payouts/{id}",
        202,
        lambda state, asked: state.payouts.instruct(asked.about),
    ),
    "withdraw": (
        "DELETE /v3/payouts/{id}",
        202,
        lambda state, asked: state.payouts.withdraw(asked.about),
    ),
    "withdraw_payment": (
        "POST /v1/payments/{id}/withdraw",
        204,
        lambda state, asked: state.payouts.withdraw_one(asked),
    ),
    "update_webhook": (
        "POST /v1/webhooks/{id}",
        204,
        lambda state, asked: state.update_webhook(asked),
    ),
    "create_payees": ("POST /v4/payees", 201, lambda state, asked: state.payees.create(asked.body)),
    "fund": (
        "POST /v3/sourceAccounts/{id}/fundingRequest",
        202,
        lambda state, asked: state.accounts.fund(asked),
    ),
    "create_bank": (
        "POST /v2/fundingAccounts",
        202,
        lambda state, asked: state.accounts.create_bank(asked.body),
    ),
    "submit": ("POST /v3/payouts", 202, lambda state, asked: state.payouts.submit(asked.body)),
    "create_webhook": (
        "POST /v1/webhooks",
        201,
        lambda state, asked: state.create_webhook(asked.body),
    ),
}
"""What is changed or made: by operation, its place, the status of the response, and what does it.

What makes something returns its address, and the references that the work is counted for.
"""

_READS: dict[str, tuple[str, _Read]] = {
    "list_payees": ("GET /v4/payees", lambda state, _: state.payees.listed()),
    "payee_changes": ("GET /v4/payees/deltas", lambda state, _: state.payees.listed()),
    "get_batch": (
        "GET /v4/payees/batch/{id}",
        lambda state, asked: state.payees.batch(asked.about),
    ),
    "get_payee": (
        "GET /v4/payees/{id}",
        lambda state, asked: find(state.payees.all, asked.about, "payee"),
    ),
    "invitations": (
        "GET /v4/payees/payors/{payorId}/invitationStatus",
        lambda state, _: state.payees.listed(),
    ),
    "list_sources": ("GET /v3/sourceAccounts", lambda state, _: [*state.accounts.sources.values()]),
    "get_source": (
        "GET /v3/sourceAccounts/{id}",
        lambda state, asked: state.accounts.source(asked.about),
    ),
    "list_banks": (
        "GET /v2/fundingAccounts",
        lambda state, _: [*state.accounts.readable_banks().values()],
    ),
    "get_bank": (
        "GET /v2/fundingAccounts/{id}",
        lambda state, asked: find(state.accounts.readable_banks(), asked.about, "funding account"),
    ),
    "get_funding": (
        "GET /v1/fundings/{id}",
        lambda state, asked: find(state.accounts.fundings, asked.about, "funding"),
    ),
    "funding_changes": (
        "GET /v1/deltas/fundings",
        lambda state, _: [*state.accounts.fundings.values()],
    ),
    "get_payout": ("GET /v3/payouts/{id}", lambda state, asked: state.payouts.shown(asked.about)),
    "quote": ("POST /v3/payouts/{id}/quote", lambda state, asked: state.payouts.quote(asked.about)),
    "payout_payments": (
        "GET /v3/payouts/{id}/payments",
        lambda state, asked: state.payouts.get(asked.about).payments,
    ),
    "list_payments": ("GET /v4/paymentaudit/payments", lambda state, _: state.payouts.payments()),
    "payment_changes": ("GET /v4/payments/deltas", lambda state, _: state.payouts.payments()),
    "get_payment": (
        "GET /v4/paymentaudit/payments/{id}",
        lambda state, asked: state.payouts.payment(asked.about),
    ),
    "list_payouts": (
        "GET /v4/paymentaudit/payouts",
        lambda state, _: [*map(state.payouts.shown, state.payouts.all)],
    ),
    "payout_history": (
        "GET /v4/paymentaudit/payouts/{id}",
        lambda state, asked: state.payouts.of_payout(asked.about),
    ),
    "statistics": (
        "GET /v4/paymentaudit/payoutStatistics",
        lambda state, _: state.payouts.statistics(),
    ),
    "list_fundings": ("GET /v4/paymentaudit/fundings", lambda state, _: state.accounts.audit()),
    "list_webhooks": ("GET /v1/webhooks", lambda state, _: [*map(state.webhook, state.webhooks)]),
    "get_webhook": ("GET /v1/webhooks/{id}", lambda state, asked: state.webhook(asked.about)),
}
"""What is read: by operation, its place, and the body of the response (of a list, its items before
they are filtered).

Of it the declared members are sent. `quote` is among them: it may be repeated.
"""
_OTHERS = {
    "authenticate": "POST /v1/authenticate",
    "logout": "POST /v1/logout",
    "export": "GET /v4/paymentaudit/transactions",
    "ping": "POST /v1/webhooks/{id}/ping",
}
_CHANGES = {
    "payee_changes": ("payeeId", 100),
    "funding_changes": ("fundingId", 25),
    "payment_changes": ("paymentId", 100),
}
"""The lists of what has changed since a time: the member with the id of an item, and the size of a
page.
"""

OPERATIONS = tuple(
    Operation(name, *place.split())
    for name, place in (
        _OTHERS | {name: row[0] for name, row in (_WRITES | _READS).items()}
    ).items()
)
declared = declared_in("velo.yaml", OPERATIONS)


class VeloProvider(SandboxProvider[VeloSettings]):
    state: State
    name = "velo"
    title = "Velo"
    operations = OPERATIONS
    settings_type = VeloSettings
    commands_type = VeloCommands
    resending = RESENDING
    webhooks: Webhooks

    def new_state(self) -> State:
        state = State(self.context.clock, self.settings)
        header = self.settings.notify_authorization
        self.webhooks = Webhooks(self.notifications, state.webhooks, header)
        state.post, state.watch = self.webhooks.post, self.notifications.start
        return state

    def tick(self) -> None:
        self.state.move()

    def error(self, status: int, code: str, message: str) -> Response:
        return Refused(status, message or code).response(self.state.new_id())

    def advance(self, seconds: float) -> int:
        super().advance(seconds)
        return self.state.move()

    def info(self) -> JsonObject:
        return {"payor_id": self.state.payor_id}

    def client_settings(self, url: str) -> str:
        made = self.state.add_key()
        return (
            f"VELO_BASE_URL={url}\n"
            f"VELO_API_KEY={made['api_key']}\n"
            f"VELO_API_SECRET={made['api_secret']}\n"
            f"VELO_WEBHOOK_AUTHORIZATION={self.webhooks.authorization}\n"
        )

    def handle(self, operation: str, call: Call) -> Response:
        try:
            return (
                self._authenticate(call)
                if operation == "authenticate"
                else self._serve(operation, call)
            )
        except Refused as refused:
            return refused.response(self.state.new_id())
        except ValueError:
            return self.error(400, "", "The request cannot be read.")

    def _serve(self, operation: str, call: Call) -> Response:
        """Serve an operation that needs a token: time passes first, then it reads or writes."""
        state, token = self.state, call.bearer_token
        owner = state.tokens.owner(token)
        if owner is None:
            raise Refused(401, "The access token is invalid.")
        call.owner = owner
        if operation == "logout":
            state.tokens.revoke(token=token)
            return empty_response(204)
        asked = self._asked(operation, call)
        state.move()
        if operation in _READS:
            return json_response(
                200, declared(operation).responses[200].declared(self._read(operation, asked))
            )
        if operation in _WRITES:
            _, status, work = _WRITES[operation]
            location, references = work(state, asked) or ("", [asked.about])
            call.did_work(*references)
            if not location:
                return empty_response(status)
            call.exchange.request_id = location.rpartition("/")[2]
            wait = {"Retry-After": str(READY_AFTER)} if operation == "create_bank" else {}
            return empty_response(status, {"Location": location, **wait})
        return self._ping(call) if operation == "ping" else self._export(asked)

    def _read(self, operation: str, asked: Asked) -> JsonObject:
        body, payouts = _READS[operation][1](self.state, asked), self.state.payouts
        if not isinstance(body, list):
            return body
        its_id, page_size = _CHANGES.get(operation, ("", 25))
        if its_id:
            since = datetime.fromisoformat(asked.query["updatedSince"]).timestamp()
            body = [item for item in body if self.state.changed[item[its_id]] >= since]
        page = listed(asked, body, default=page_size)
        return (
            {"summary": payouts.shown(asked.about), **page}
            if operation == "payout_history"
            else page
        )

    def _asked(self, operation: str, call: Call) -> Asked:
        """What a call asks for, if it names no payor but the only one, and is as the document
        says.
        """
        rules = declared(operation)
        query = rules.read_query(call.query)
        body = sent(call.json_object() if call.body or rules.needs_body else {})
        if body is None:
            raise Refused(400, "The body must be a JSON object.")
        named = {**query, **call.params, **body}
        for name in ("payorId", "payoutFromPayorId"):
            if named.get(name, self.state.payor_id) != self.state.payor_id:
                raise Refused(403, "This key is not for that payor.", name)
        for problem in (*rules.query.problems(query), *rules.body.problems(body)):
            place = "".join(
                f"[{step}]" if step.isdecimal() else f".{step}" for step in problem.path
            ).lstrip(".")
            raise Refused(400, f"{place} {problem.message}.", place)
        known = {name: value for name, value in query.items() if name in rules.query.members}
        about = next(iter(call.params.values()), "")
        return Asked(operation, about, known, rules.body.declared(body))

    def _authenticate(self, call: Call) -> Response:
        kind, _, pair = (call.header("authorization") or "").partition(" ")
        try:
            key, _, secret = base64.b64decode(pair, validate=True).decode("utf-8").partition(":")
        except ValueError:
            key = secret = ""
        if kind != "Basic" or not secret or self.state.keys.get(key) != secret:
            raise Refused(401, "Key and secret are not a pair.")
        if call.body:
            raise Refused(400, "The body must be empty.")
        if call.query_values().get("grant_type") != "client_credentials":
            raise Refused(400, "grant_type must be client_credentials.", "grant_type")
        token, _ = self.state.tokens.issue(key, _TOKEN_LIFE)
        body = {"access_token": token, "token_type": "bearer", "expires_in": _TOKEN_LIFE}
        body |= {"scope": "sandbox", "entityIds": [self.state.payor_id]}
        return json_response(200, body, {"Cache-Control": "no-store", "Pragma": "no-cache"})

    def _export(self, asked: Asked) -> Response:
        text = self.state.payouts.export(
            asked.query.get("startDate", "0"), asked.query.get("endDate", "9")
        )
        return Response(200, text.encode("utf-8"), ((b"content-type", b"application/csv"),))

    def _ping(self, call: Call) -> Response:
        webhook = self.state.webhook(call.params["id"])
        event_id = self.state.notify("system", "ping", {"sourceType": "ping"}, webhook["id"])
        call.did_work(webhook["id"])
        return json_response(202, {"id": event_id, "webhookId": webhook["id"]})
