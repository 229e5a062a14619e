"""What Velo's sandbox keeps - keys, tokens, payees, accounts, payouts and webhooks - and its control commands."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from typing import Any

from victor_ext.sandbox.server import Call, Clock, JsonObject, TokenCommands, TokenStore, command, find, member
from victor_ext.sandbox.velo.accounts import Accounts, Payees
from victor_ext.sandbox.velo.base import Base, Refused, VeloSettings, object_of, text_of
from victor_ext.sandbox.velo.payouts import Payouts


class Webhooks:
    def __init__(self, new_id: Callable[[], str]) -> None:
        self._new_id = new_id
        self.all: dict[str, JsonObject] = {}

    def create(self, body: JsonObject) -> tuple[str, list[str]]:
        settings = _checked({"webhookUrl": None, "enabled": None, **body})
        webhook_id = self._new_id()
        usual = {"id": webhook_id, "payorId": body["payorId"], "categories": ["payment", "payee", "debit"]}
        self.all[webhook_id] = {**usual, **settings}
        return f"/v1/webhooks/{webhook_id}", [body["webhookUrl"]]

    def get(self, webhook_id: str) -> JsonObject:
        webhook = find(self.all, webhook_id, "webhook")
        return {**webhook, **({"authorizationHeader": "********"} if "authorizationHeader" in webhook else {})}

    def update(self, webhook_id: str, body: JsonObject) -> None:
        find(self.all, webhook_id, "webhook").update(_checked(body))


def _checked(body: JsonObject) -> JsonObject:
    if "webhookUrl" in body:
        text_of(body, "webhookUrl", 6, 2000)
    if body.get("authorizationHeader") is not None:
        text_of(body, "authorizationHeader", 4, 1000)
    if "enabled" in body and not isinstance(body["enabled"], bool):
        raise Refused(400, "enabled must be true or false.", "enabled")
    names = ("webhookUrl", "authorizationHeader", "enabled", "categories")
    return {name: body[name] for name in names if body.get(name) is not None}


class State(Base):
    def __init__(self, clock: Clock, settings: VeloSettings, payor_id: str | None = None) -> None:
        super().__init__(clock, settings, payor_id)
        self.keys: dict[str, str] = {}
        self.tokens = TokenStore(clock)
        self.payees = Payees(self)
        self.accounts = Accounts(self)
        self.webhooks = Webhooks(self.new_id)
        self.payouts = Payouts(self, self.payees, self.accounts)

    def add_key(self, api_key: str | None = None, api_secret: str | None = None) -> JsonObject:
        key, secret = api_key or uuid.uuid4().hex, api_secret or uuid.uuid4().hex
        self.keys[key] = secret
        return {"api_key": key, "api_secret": secret}

    def check_payor(self, given: Mapping[str, Any], *, required: bool) -> None:
        """Refuse another payor than the only one, and a missing one if it is `required`."""
        name = next((name for name in ("payorId", "payoutFromPayorId") if given.get(name) is not None), None)
        if name is None and required:
            raise Refused(400, "payorId is missing.", "payorId")
        if name is not None and given[name] != self.payor_id:
            raise Refused(403, "This key is not for that payor.", name)

    def body_of_payor(self, call: Call, *, required: bool = True) -> JsonObject:
        """The body of a request, which must name the payor if that is `required`, and may name no other."""
        body = object_of(call.json())
        self.check_payor(body, required=required)
        return body

    def move(self) -> int:
        return self.payouts.move() + self.accounts.move()


class VeloCommands(TokenCommands):
    """The commands of Velo's sandbox, beside those of every sandbox."""

    _state: State

    @command("POST", "/keys", returns=lambda made: (str(made["api_key"]), str(made["api_secret"])))
    def add_key(self, api_key: str | None = None, api_secret: str | None = None) -> JsonObject:
        """Let a client ask for tokens; returns its `api_key` and `api_secret` (None: new ones are made)."""
        return self._state.add_key(api_key, api_secret)

    @property
    def payor_id(self) -> str:
        """The id of the only payor."""
        return str(self._payor()["payor_id"])

    @command("GET", "/payor")
    def _payor(self) -> JsonObject:
        """The only payor."""
        return {"payor_id": self._state.payor_id}

    @command("POST", "/payees", returns=member("payeeId", str))
    def add_payee(self, remote_id: str) -> JsonObject:
        """Add a payee that can be paid at once, by its `remote_id`; returns Velo's id."""
        return self._state.payees.add({"remoteId": remote_id, "email": "payee@example.com"})

    @command("POST", "/payees/{payee_id}/onboard")
    def onboard_payee(self, payee_id: str) -> None:
        """Have a payee accept its invitation and onboard: then it can be deleted, and its details cannot be changed."""
        self._state.payees.onboard(payee_id)

    @command("POST", "/sourceAccounts", returns=member("id", str))
    def add_source_account(self, name: str, currency: str, balance: int) -> JsonObject:
        """Add a source account with a `name`, a `currency` and a `balance` in minor units; returns its id."""
        return self._state.accounts.add_source(name, currency, balance)

    @command("POST", "/fundingAccounts", returns=member("id", str))
    def add_funding_account(self, name: str, currency: str) -> JsonObject:
        """Add a funding account with a `name` and a `currency` that can be read at once; returns its id."""
        return self._state.accounts.add_bank(name, currency)

    @command("GET", "/sourceAccounts/{account_id}/balance")
    def balance(self, account_id: str) -> int:
        """The balance of a source account, in minor units."""
        return int(self._state.accounts.source(account_id)["balance"])

    @command("GET", "/notifications")
    def notifications(self, after: int = 0) -> list[JsonObject]:
        """The webhook notifications with a sequence number above `after`. The sandbox itself posts none."""
        return [one for one in self._state.notifications if one["sequenceNumber"] > after]
