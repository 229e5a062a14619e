"""What a FlexFactor sandbox keeps: credentials, tokens, orders, and what was answered under which key."""

from __future__ import annotations

import secrets
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from victor_ext.sandbox.flexfactor.state import Order, Orders
from victor_ext.sandbox.server import NotThere, TokenBook

if TYPE_CHECKING:
    from collections.abc import Callable

    from victor_ext.sandbox.server import Answer, Call
    from victor_ext.sandbox.server.clock import Clock


class Done(NamedTuple):
    """What was done under a key: until when that is kept, where and with which body it was asked for, the answer."""

    until: float
    path: str
    body: bytes
    answer: Answer


class Book:
    """All of a sandbox's state."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.clients: dict[str, tuple[str, str]] = {}
        """By AppKey: the AppSecret, and the merchant's GUID."""
        self.tokens = TokenBook(clock)
        self.orders = Orders()
        self.decisions: dict[str, str] = {}
        """What the next evaluation comes to, by the merchant's order id; an empty one for any order."""
        self.subscriber_key = secrets.token_bytes(64)
        self._done: dict[tuple[str, str], Done] = {}
        """By merchant and key."""

    def clear(self) -> None:
        """Forget everything."""
        for known in (self.clients, self.tokens, self.orders, self.decisions, self._done):
            known.clear()

    def once(self, call: Call, work: Callable[[], Answer], *, kept: float, conflict: Callable[[], Answer]) -> Answer:
        """Do the work under the call's key, or answer as the first time. Without a key, do it."""
        if not call.key:
            return work()
        now, place = self._clock.now(), (call.owner, call.key.lower())  # a GUID is one in any case
        before = self._done.get(place)
        if before is not None and before.until > now:
            if (before.path, before.body) != (call.exchange.path, call.body):
                return conflict()
            call.exchange.replayed = True
            return before.answer
        made = work()
        if made.status == 200:
            self._done[place] = Done(now + kept, call.exchange.path, call.body, made)
        return made

    def new_order(self, external_id: str, mid: str, cents: int, currency: str, email: str) -> Order:
        """An order that nobody has decided on."""
        return Order(str(uuid.uuid4()), external_id, mid, "SUBMITTED", cents, currency, self.moment(), email, "Draft")

    def moment(self) -> str:
        """The business clock's time, as the provider writes it."""
        return datetime.fromtimestamp(self._clock.now(), UTC).isoformat().replace("+00:00", "Z")

    def known(self, external_id: str) -> Order:
        """An order by the merchant's id, for a command."""
        order = self.orders.by_external_id.get(external_id)
        if order is None:
            raise NotThere("There is no such order.")
        return order
