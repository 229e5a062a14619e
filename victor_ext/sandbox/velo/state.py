"""What Velo's sandbox keeps - keys, tokens, payees, accounts, payouts and webhooks - and its control commands."""

from __future__ import annotations

import uuid

from victor_ext.sandbox.server import Clock, JsonObject, TokenCommands, TokenStore, command, find, member
from victor_ext.sandbox.velo.accounts import Accounts, Payees
from victor_ext.sandbox.velo.base import Asked, Base, Refused, VeloSettings
from victor_ext.sandbox.velo.payouts import Payouts


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
        webhook_id = self.new_id()
        self.webhooks[webhook_id] = {"id": webhook_id, "categories": ["payment", "payee", "debit"], **body}
        return f"/v1/webhooks/{webhook_id}", [body["webhookUrl"]]

    def webhook(self, webhook_id: str) -> JsonObject:
        """A webhook as it is shown: its secret is masked."""
        webhook = find(self.webhooks, webhook_id, "webhook")
        return {**webhook, **({"authorizationHeader": "********"} if "authorizationHeader" in webhook else {})}

    def update_webhook(self, asked: Asked) -> None:
        find(self.webhooks, asked.about, "webhook").update(asked.body)

    def delete_payee(self, payee_id: str) -> None:
        if self.payouts.pays(payee_id):
            raise Refused(400, "The payee has payments.")
        self.payees.delete(payee_id)

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
