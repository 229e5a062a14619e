"""Webhooks: the addresses that a payor has notifications posted to."""

from __future__ import annotations

from collections.abc import Callable

from victor_ext.sandbox.server import JsonObject
from victor_ext.sandbox.velo.formats import Refused, find, text_of

CATEGORIES = ("payment", "payee", "debit")


class Webhooks:
    """All webhooks."""

    def __init__(self, new_id: Callable[[], str]) -> None:
        self._new_id = new_id
        self.all: dict[str, JsonObject] = {}

    def clear(self) -> None:
        """Forget everything."""
        self.all.clear()

    def create(self, body: JsonObject) -> str:
        """Make a webhook; returns its id."""
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
