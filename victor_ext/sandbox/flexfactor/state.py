"""The state of FlexFactor's sandbox: credentials, tokens, orders, and the responses by idempotency key."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import NamedTuple

from victor_ext.sandbox.flexfactor.orders import Order, Orders
from victor_ext.sandbox.flexfactor.validation import GUID
from victor_ext.sandbox.server import Call, JsonObject, NotFound, Response, SandboxContext, TokenStore


class Completed(NamedTuple):
    """A call that was completed under a key. It is kept until `until`, in epoch seconds."""

    until: float
    path: str
    body: bytes
    response: Response


class State:
    """Everything that the sandbox keeps."""

    def __init__(self, context: SandboxContext) -> None:
        self._clock = context.clock
        self.clients: dict[str, tuple[str, str]] = {}
        """By AppKey: the AppSecret, and the merchant's id."""
        self.tokens = TokenStore(context.clock)
        self.orders = Orders()
        self.decisions: dict[str, str] = {}
        """The decision of the next evaluation by order id; the empty id stands for any order."""
        self.subscriber_key = secrets.token_bytes(64)
        self._completed: dict[tuple[str, str], Completed] = {}
        """By merchant and key."""

    def clear(self) -> None:
        """Forget everything."""
        for part in (self.clients, self.tokens, self.orders, self.decisions, self._completed):
            part.clear()

    @property
    def first_mid(self) -> str:
        """The merchant of the first client; empty without clients."""
        return next((mid for _, mid in self.clients.values()), "")

    def add_client(
        self, app_key: str | None = None, app_secret: str | None = None, mid: str | None = None
    ) -> JsonObject:
        """Add a client. What is None is made; the merchant is that of the first client."""
        app_key, app_secret = app_key or uuid.uuid4().hex, app_secret or uuid.uuid4().hex
        mid = mid or self.first_mid or str(uuid.uuid4())
        if not GUID.fullmatch(mid):
            raise ValueError("mid must be a GUID")
        self.clients[app_key] = (app_secret, mid)
        return {"app_key": app_key, "app_secret": app_secret, "mid": mid}

    def once(self, call: Call, work: Callable[[], Response], *, life: float, conflict: Response) -> Response:
        """Do the work under the call's key, or repeat the first response. Without a key, do the work."""
        if not call.key:
            return work()
        now, place = self._clock.now(), (call.owner, call.key.lower())  # the case of a GUID has no meaning
        before = self._completed.get(place)
        if before is not None and before.until > now:
            if (before.path, before.body) != (call.exchange.path, call.body):
                return conflict
            call.exchange.replayed = True
            return before.response
        made = work()
        if made.status == 200:
            self._completed[place] = Completed(now + life, call.exchange.path, call.body, made)
        return made

    def new_order(self, external_id: str, mid: str, cents: int, currency: str, email: str) -> Order:
        """An order without a decision."""
        return Order(
            str(uuid.uuid4()), external_id, mid, "SUBMITTED", cents, currency, self.timestamp(), email, "Draft"
        )

    def timestamp(self) -> str:
        """The time of the business clock, in the provider's format."""
        return datetime.fromtimestamp(self._clock.now(), UTC).isoformat().replace("+00:00", "Z")

    def order(self, external_id: str) -> Order:
        """An order by the merchant's id; raises `NotFound`."""
        order = self.orders.by_external_id.get(external_id)
        if order is None:
            raise NotFound("There is no such order.")
        return order
