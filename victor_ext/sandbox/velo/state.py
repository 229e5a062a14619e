"""What Velo's sandbox keeps: keys, tokens and webhooks, beside accounts, payees and payouts."""

import base64
import uuid
from datetime import datetime

from victor_ext.sandbox.engine import Asked, Refused, Result
from victor_ext.sandbox.server import Clock, JsonObject, TokenStore, find
from victor_ext.sandbox.server.notifications import Notifications
from victor_ext.sandbox.velo.accounts import Accounts
from victor_ext.sandbox.velo.base import Base, VeloSettings, made_at
from victor_ext.sandbox.velo.notifications import Webhooks
from victor_ext.sandbox.velo.payees import Payees
from victor_ext.sandbox.velo.payouts import Payouts

_TOKEN_LIFE = 1799


class VeloState(Base):
    def __init__(self, clock: Clock, settings: VeloSettings, notifications: Notifications) -> None:
        super().__init__(clock, settings)
        self.keys: dict[str, str] = {}
        self.tokens = TokenStore(clock)
        self.payees = Payees(self)
        self.accounts = Accounts(self)
        self.webhooks: dict[str, JsonObject] = {}
        poster = Webhooks(notifications, self.webhooks)
        self.authorization = poster.authorization
        self.post = poster.post
        self.require_receiver = poster.require_receiver
        self.watch = notifications.start
        self.payouts = Payouts(self, self.payees, self.accounts)

    def add_key(self, api_key: str | None = None, api_secret: str | None = None) -> JsonObject:
        key, secret = api_key or uuid.uuid4().hex, api_secret or uuid.uuid4().hex
        self.keys[key] = secret
        return {"api_key": key, "api_secret": secret}

    def create_webhook(self, asked: Asked) -> Result:
        self.watch()
        webhook_id = self.new_id()
        self.webhooks[webhook_id] = {
            "id": webhook_id,
            "categories": ["payment", "payee", "debit"],
            **asked.body,
        }
        return made_at(f"/v1/webhooks/{webhook_id}", asked.body["webhookUrl"])

    def webhook(self, webhook_id: str) -> JsonObject:
        """A webhook as it is shown: its secret is masked."""
        webhook = find(self.webhooks, webhook_id, "webhook")
        masked = {"authorizationHeader": "********"} if "authorizationHeader" in webhook else {}
        return webhook | masked

    def update_webhook(self, asked: Asked) -> None:
        find(self.webhooks, asked.about, "webhook").update(asked.body)

    def delete_payee(self, payee_id: str) -> None:
        if self.payouts.pays(payee_id):
            raise Refused(400, "The payee has payments.")
        self.payees.delete(payee_id)

    def ping(self, asked: Asked) -> Result:
        """Post a ping to a webhook."""
        webhook = find(self.webhooks, asked.about, "webhook")
        event_id = self.notify("system", "ping", {"sourceType": "ping"}, webhook["id"])
        return Result(body={"id": event_id, "webhookId": webhook["id"]}, work=[webhook["id"]])

    def changes(self, asked: Asked, items: list[JsonObject], member: str) -> list[JsonObject]:
        """The items that have changed since a time. `member` has the id of an item."""
        try:
            since = datetime.fromisoformat(asked.query["updatedSince"]).timestamp()
        except ValueError:
            raise Refused(400, "updatedSince must be a time.", "updatedSince") from None
        return [item for item in items if self.changed[item[member]] >= since]

    def token(self, asked: Asked) -> Result:
        """Issue a token for a key and its secret."""
        kind, _, pair = (asked.call.header("authorization") or "").partition(" ")
        try:
            key, _, secret = base64.b64decode(pair, validate=True).decode("utf-8").partition(":")
        except ValueError:
            key = secret = ""
        if kind != "Basic" or not secret or self.keys.get(key) != secret:
            raise Refused(401, "Key and secret are not a pair.")
        if asked.call.body:
            raise Refused(400, "The body must be empty.")
        if asked.query.get("grant_type") != "client_credentials":
            raise Refused(400, "grant_type must be client_credentials.", "grant_type")
        token, _ = self.tokens.issue(key, _TOKEN_LIFE)
        body = {"access_token": token, "token_type": "bearer", "expires_in": _TOKEN_LIFE}
        body |= {"scope": "sandbox", "entityIds": [self.payor_id]}
        return Result(body=body, headers={"Cache-Control": "no-store", "Pragma": "no-cache"})

    def log_out(self, asked: Asked) -> Result:
        """Revoke the token of a call."""
        self.tokens.revoke(token=asked.call.bearer_token)
        return Result()
