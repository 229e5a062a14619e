"""The options and the state of Velo's sandbox: keys, tokens, payees, accounts, payouts and webhooks."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable
from dataclasses import dataclass

from victor_ext.sandbox.server import JsonObject, TokenStore, find
from victor_ext.sandbox.server.context import Clock
from victor_ext.sandbox.server.settings import ServerSettings, option
from victor_ext.sandbox.velo.accounts import Accounts
from victor_ext.sandbox.velo.formats import Refused, iso, text_of
from victor_ext.sandbox.velo.payees import Payees
from victor_ext.sandbox.velo.payouts import Payouts

CATEGORIES = ("payment", "payee", "debit")


class Webhooks:
    """All webhooks."""

    def __init__(self, new_id: Callable[[], str]) -> None:
        self._new_id = new_id
        self.all: dict[str, JsonObject] = {}

    def clear(self) -> None:
        self.all.clear()

    def create(self, body: JsonObject) -> str:
        text_of(body, "webhookUrl", 6, 2000)
        if not isinstance(body.get("enabled"), bool):
            raise Refused(400, "body", "enabled must be true or false.", "enabled")
        webhook_id = self._new_id()
        settings = _checked(body)
        self.all[webhook_id] = {"id": webhook_id, "payorId": body["payorId"], "categories": [*CATEGORIES], **settings}
        return webhook_id

    def get(self, webhook_id: str) -> JsonObject:
        """A webhook, or 404. Its header is not shown."""
        webhook = find(self.all, webhook_id, "webhook")
        return {**webhook, **({"authorizationHeader": "********"} if "authorizationHeader" in webhook else {})}

    def update(self, webhook_id: str, body: JsonObject) -> None:
        """Change what the body names."""
        webhook = find(self.all, webhook_id, "webhook")
        webhook.update(_checked(body))


@dataclass(frozen=True, kw_only=True, slots=True)
class VeloSettings(ServerSettings):
    """The options of every sandbox, and those of this one. All times are seconds of the business clock."""

    token_life: int = option(1799, at_least=0, metavar="SECONDS", help="life of a token, in seconds")
    validation: float = option(0.0, at_least=0, help="seconds until a submitted payout is accepted or rejected")
    settlement: float = option(30.0, at_least=0, help="seconds until an instructed payout is completed")
    batch_time: float = option(0.0, at_least=0, help="seconds until a batch of new payees is processed")
    funding_time: float = option(10.0, at_least=0, help="seconds until requested money has arrived")
    retry_after: int = option(
        2, at_least=0, help="seconds until a new funding account can be read, and the value of Retry-After"
    )


class State:
    """Everything that the sandbox keeps."""

    def __init__(self, clock: Clock, settings: VeloSettings) -> None:
        self._clock = clock
        self._random = random.Random(settings.seed)  # noqa: S311 (ids, no secrets)
        self.keys: dict[str, str] = {}
        self.tokens = TokenStore(clock)
        self.payor_id = self.new_id()
        self.notifications: list[JsonObject] = []
        self.payees = Payees(clock.now, self.new_id, settings.batch_time)
        self.accounts = Accounts(clock.now, self.new_id, settings.funding_time, settings.retry_after)
        self.webhooks = Webhooks(self.new_id)
        self.payouts = Payouts(
            clock.now, self.new_id, settings.validation, settings.settlement, self.payees, self.accounts, self._notify
        )

    def clear(self) -> None:
        """Forget everything, credentials included. The payor stays."""
        stores = (self.payees, self.accounts, self.webhooks, self.payouts)
        for part in (self.keys, self.tokens, self.notifications, *stores):
            part.clear()

    def new_id(self) -> str:
        """A UUID."""
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))

    def add_key(self, api_key: str | None = None, api_secret: str | None = None) -> JsonObject:
        """Add a key. What is None is made."""
        key, secret = api_key or uuid.uuid4().hex, api_secret or uuid.uuid4().hex
        self.keys[key] = secret
        return {"api_key": key, "api_secret": secret}

    def move(self) -> int:
        """Make the moves that are due; returns their number."""
        return self.payouts.move() + self.accounts.move()

    def _notify(self, event: str, payment: JsonObject) -> None:
        names = ("paymentId", "payorPaymentId", "status")
        source = {"sourceType": "payment_status_changed", **{name: payment[name] for name in names}}
        self.add_notification("payment", event, source)

    def add_notification(self, category: str, event: str, source: JsonObject) -> str:
        """Add a notification; returns the id of its event."""
        event_id = self.new_id()
        notification: JsonObject = {
            "apiVersion": "1",
            "sequenceNumber": len(self.notifications) + 1,
            "category": category,
            "eventName": event,
            "source": {"eventId": event_id, "createdAt": iso(self._clock.now()), **source},
        }
        self.notifications.append(notification)
        return event_id


def _checked(body: JsonObject) -> JsonObject:
    """The settings in a body."""
    if "webhookUrl" in body:
        text_of(body, "webhookUrl", 6, 2000)
    if body.get("authorizationHeader") is not None:
        text_of(body, "authorizationHeader", 4, 1000)
    if "enabled" in body and not isinstance(body["enabled"], bool):
        raise Refused(400, "body", "enabled must be true or false.", "enabled")
    categories = body.get("categories")
    if categories is not None and not (isinstance(categories, list) and set(map(str, categories)) <= set(CATEGORIES)):  # pyright: ignore[reportUnknownArgumentType] - JSON
        raise Refused(400, "body", f"categories must be of: {', '.join(CATEGORIES)}.", "categories")
    names = ("webhookUrl", "authorizationHeader", "enabled", "categories")
    return {name: body[name] for name in names if body.get(name) is not None}
