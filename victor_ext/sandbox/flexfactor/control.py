"""What a tester does with a FlexFactor sandbox: each method is a command, and takes and returns JSON values."""

from __future__ import annotations

import base64
import uuid
from typing import TYPE_CHECKING

from victor_ext.sandbox.flexfactor import requests
from victor_ext.sandbox.flexfactor.notices import signed_request
from victor_ext.sandbox.flexfactor.state import AFTER
from victor_ext.sandbox.server import Command

if TYPE_CHECKING:
    from victor_ext.sandbox.flexfactor.book import Book
    from victor_ext.sandbox.server.clock import Clock
    from victor_ext.sandbox.server.jsontypes import JsonObject

COMMANDS = (
    Command("add_client", "POST", "/_sandbox/clients"),
    Command("tokens_issued", "GET", "/_sandbox/tokens"),
    Command("revoke_tokens", "POST", "/_sandbox/tokens/revoke"),
    Command("decide", "POST", "/_sandbox/decisions"),
    Command("add_order", "POST", "/_sandbox/orders"),
    Command("settle", "POST", "/_sandbox/orders/{order_id}/settle"),
    Command("order_record", "GET", "/_sandbox/orders/{order_id}"),
    Command("notification", "POST", "/_sandbox/notifications"),
    Command("subscriber_key", "GET", "/_sandbox/subscriber_key"),
)


class FlexFactorControl:
    """Order ids are the merchant's own."""

    def __init__(self, book: Book, clock: Clock) -> None:
        self._book = book
        self._clock = clock

    def add_client(
        self, app_key: str | None = None, app_secret: str | None = None, mid: str | None = None
    ) -> JsonObject:
        """Let a client ask for tokens; what is not given is made up."""
        app_key, app_secret = app_key or uuid.uuid4().hex, app_secret or uuid.uuid4().hex
        mid = mid or next((known[1] for known in self._book.clients.values()), str(uuid.uuid4()))
        if not requests.GUID.fullmatch(mid):
            raise ValueError("mid must be a GUID")
        self._book.clients[app_key] = (app_secret, mid)
        return {"app_key": app_key, "app_secret": app_secret, "mid": mid}

    def tokens_issued(self) -> JsonObject:
        """How many tokens each AppKey was given."""
        return dict(self._book.tokens.issued)

    def revoke_tokens(self) -> int:
        """Make every token worthless; returns how many that were."""
        return self._book.tokens.revoke()

    def decide(self, status: str, order_id: str | None = None) -> None:
        """Say what the next evaluation (of the merchant's own order id, if given) is decided as."""
        self._book.decisions[order_id or ""] = status

    def add_order(
        self, order_id: str, cents: int = 4423, status: str = "APPROVED", provider_id: str | None = None
    ) -> JsonObject:
        """Make an order as if it had been evaluated; its id at the provider is made up when not given."""
        known = self._book.orders.by_external_id.get(order_id)
        if known is None:
            mid = next((known[1] for known in self._book.clients.values()), "")
            known = self._book.new_order(order_id, mid, cents, "USD", "payer@example.com")
            known.id = provider_id or known.id
            known.decide(status)
            self._book.orders.add(known)
        return known.shown()

    def settle(self, order_id: str, status: str) -> JsonObject:
        """Come to another decision on an order, by the merchant's own id."""
        if status not in AFTER:
            raise ValueError(f"status must be one of {', '.join(AFTER)}")
        order = self._book.known(order_id)
        order.decide(status)
        return order.shown()

    def order_record(self, order_id: str) -> JsonObject:
        """An order by the merchant's own id, as it is here, in cents."""
        order = self._book.known(order_id)
        return {"id": order.id, "status": order.state, "captured": order.captured, "refunded": order.refunded}

    def notification(self, order_id: str, event: str, host: str, resent: bool = False) -> JsonObject:  # noqa: FBT001, FBT002 - JSON has no keywords
        """A signed notification about an order, to be handed to a receiver: `headers` and `body`."""
        order, wall = self._book.known(order_id), self._clock.wall()
        return signed_request(
            order, event, key=self._book.subscriber_key, host=host, wall=wall, resent=resent, at=self._book.moment()
        )

    def subscriber_key(self) -> str:
        """The key that notifications are signed with, in base64."""
        return base64.b64encode(self._book.subscriber_key).decode()
