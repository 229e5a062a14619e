"""FlexFactor's sandbox: its credentials, tokens, orders and responses by key, and its commands."""

import base64
import re
import secrets
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from victor_ext.sandbox.engine import KeyMemory
from victor_ext.sandbox.flexfactor.notifications import (
    EVENTS,
    OrderNotifications,
    content_of,
    signed,
)
from victor_ext.sandbox.server import (
    Call,
    Clock,
    JsonObject,
    NotFound,
    Response,
    TokenCommands,
    TokenStore,
    option,
)
from victor_ext.sandbox.server.commands import command, find, member, nothing
from victor_ext.sandbox.server.notifications import Notifications
from victor_ext.sandbox.server.notifying import NotificationCommands, NotifyingSettings

GUID = "(?i:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})"
_STATES = (
    "Draft",
    "Onhold",
    "Cancelled",
    "Problem",
    "Processing",
    "Capturerequired",
    "Returned",
    "Completed",
)

STATE_AFTER = {
    "APPROVED": "Completed",
    "DECLINED": "Cancelled",
    "CHALLENGE": "Onhold",
    "SUBMITTED": "Draft",
    "PROCESSING": "Processing",
    "CAPTUREREQUIRED": "Capturerequired",
    "EXPIRED": "Cancelled",
    "CANCELLED": "Cancelled",
}
"""The state of an order after a decision, by the guide to the provider's portal, or else the
sandbox's choice.
"""

TEST_CARD = "4111111111111111"
"""The number in the provider's example of its vault."""
CANCELLABLE = frozenset({"Draft", "Onhold", "Processing", "Capturerequired"})


_SHORTEST_KEY = 16


@dataclass(frozen=True, kw_only=True, slots=True)
class FlexFactorSettings(NotifyingSettings):
    """The options of every sandbox, and those of this one."""

    subscriber_key: str | None = option(
        None,
        help="the key that signs notifications, base64 of 16 bytes or more; without it a new one "
        "is made",
    )

    def __post_init__(self) -> None:
        NotifyingSettings.__post_init__(self)
        if self.subscriber_key is not None:
            read_key(self.subscriber_key)


def read_key(text: str) -> bytes:
    """The bytes of a subscriber key; `ValueError` when it is none."""
    try:
        key = base64.b64decode(text, validate=True)
    except ValueError:
        key = b""
    if len(key) < _SHORTEST_KEY:
        raise ValueError(f"subscriber_key must be base64 of {_SHORTEST_KEY} bytes or more")
    return key


TOKEN_LIFE = 600.0
_KEY_LIFE = 86_400.0
"""Seconds, as the provider's pages have them."""


@dataclass(slots=True)
class Order:
    """One order. Amounts are in cents."""

    id: str
    external_id: str
    mid: str
    decision: str
    cents: int
    currency: str
    placed_at: str
    email: str
    state: str = "Draft"
    captured: int = 0
    refunded: int = 0
    asked: JsonObject = field(default_factory=dict[str, Any])
    """The members of its evaluation, and of the objects in it, by name."""

    def decide(self, decision: str) -> None:
        """Set the decision. An approved order is paid."""
        self.decision, self.state = decision, STATE_AFTER.get(decision, "Problem")
        self.captured = self.cents if decision == "APPROVED" else 0

    def to_dict(self) -> JsonObject:
        """The order as `GET /v1/orders/{id}` returns it, with members that are not documented."""
        return {
            "id": self.id, "status": _STATES.index(self.state), "statusName": self.state,
            "referenceNumber": self.id[:8].upper(), "externalOrderId": self.external_id,
            "orderPlacedDate": self.placed_at, "expiryDate": None, "email": self.email,
            "currencyCode": self.currency, "currencySymbol": "$",
            "totalAmount": float(Decimal(self.cents).scaleb(-2)), "shippingAddress": None,
        }  # fmt: skip

    def capture(self, cents: int, currency: str) -> str | None:
        """Take the money; returns the reason of a refusal, or None."""
        if self.state != "Capturerequired":
            return f"The order is {self.state}, not Capturerequired."
        if currency != self.currency:
            return f"The currency of the order is {self.currency}, not {currency}."
        if cents > self.cents:
            return "The amount is greater than the authorised one."
        self.decision, self.state, self.captured = "APPROVED", "Completed", cents
        return None

    def refund(self, dollars: Decimal) -> str | None:
        """Give money back; returns the reason of a refusal, or None."""
        cents = dollars.scaleb(2)
        largest = Decimal(self.captured - self.refunded)
        if cents != cents.to_integral_value() or cents <= 0:
            return f"Amount to refund ({dollars}) is not an amount."
        if cents > largest:
            most = f"maximum refund amount in ({largest.scaleb(-2):.2f}))"
            return f"Amount to refund ({dollars:.2f}) is greater than {most}"
        self.refunded += int(cents)
        if self.refunded == self.captured:
            self.state = "Returned"
        return None

    def cancel(self) -> str | None:
        """Cancel the order; returns the reason of a refusal, or None.

        A cancelled order stays cancelled.
        """
        if self.state == "Cancelled":
            return None
        if self.state not in CANCELLABLE:
            return f"The order is {self.state} and cannot be cancelled."
        self.decision, self.state = "CANCELLED", "Cancelled"
        return None


class State:
    def __init__(
        self, clock: Clock, settings: FlexFactorSettings, notifications: Notifications
    ) -> None:
        self._clock = clock
        self.clients: dict[str, tuple[str, str]] = {}
        """By AppKey: the AppSecret, and the merchant's id."""
        self.tokens = TokenStore(clock)
        self.orders: dict[str, Order] = {}
        """By the provider's id, in the order of placement."""
        self.by_external_id: dict[tuple[str, str], Order] = {}
        """By the merchant's own id, and the merchant."""
        self.cards: set[str] = set()
        """The tokens that the vault has made."""
        self._mid = str(uuid.uuid4())
        self.decisions: dict[str, str] = {}
        """The decision of the next evaluation by order id; the empty id stands for any order."""
        given = settings.subscriber_key
        self.subscriber_key = secrets.token_bytes(64) if given is None else read_key(given)
        self.notified = OrderNotifications(notifications, clock, self.subscriber_key)
        self._keys = KeyMemory[Response](clock.now, _KEY_LIFE)

    @property
    def first_mid(self) -> str:
        """The merchant of the first client; without clients, that of the first one that names
        none.
        """
        return next((mid for _, mid in self.clients.values()), self._mid)

    def add_client(
        self, app_key: str | None = None, app_secret: str | None = None, mid: str | None = None
    ) -> JsonObject:
        app_key, app_secret = app_key or uuid.uuid4().hex, app_secret or uuid.uuid4().hex
        mid = mid or self.first_mid
        if not re.fullmatch(GUID, mid):
            raise ValueError("mid must be a GUID")
        self.clients[app_key] = (app_secret, mid)
        return {"app_key": app_key, "app_secret": app_secret, "mid": mid}

    def once(self, call: Call, work: Callable[[], Response], *, conflict: Response) -> Response:
        """Do the work under the call's key, or repeat the first response.

        Without a key, do the work.
        """
        key = (call.key or "").lower() or None  # the case of a GUID has no meaning
        before = self._keys.find(call.owner, key, call.digest)
        if before is not None:
            call.exchange.replayed = before.is_repeat
            return before.what if before.is_repeat else conflict
        made = work()
        if made.status == 200:
            self._keys.keep(call.owner, key, call.digest, made)
        return made

    def place_order(
        self,
        external_id: str,
        mid: str,
        price: tuple[int, str],
        email: str,
        decision: str,
        own_id: str | None = None,
    ) -> Order:
        """Add an order with its decision.

        `own_id` is the provider's id (None: a new one is made).
        """
        now, order_id = self.timestamp(), own_id or str(uuid.uuid4())
        order = Order(order_id, external_id, mid, decision, *price, now, email)
        order.decide(decision)
        self.orders[order.id] = self.by_external_id[external_id, mid] = order
        return order

    def has_expired(self, card: JsonObject) -> bool:
        """Whether the month of a card has ended."""
        year, month = card.get("expirationYear"), card.get("expirationMonth", 12)
        return year is not None and self._clock.is_over(year, month)

    def timestamp(self) -> str:
        return self._clock.timestamp()

    def order(self, external_id: str, mid: str | None = None) -> Order:
        """An order by the merchant's id (`mid=None`: the newest of any merchant); raises
        `NotFound`.
        """
        if mid is None:
            mid = next(
                (owner for name, owner in reversed(self.by_external_id) if name == external_id), ""
            )
        return find(self.by_external_id, (external_id, mid), "order")


class FlexFactorCommands(TokenCommands, NotificationCommands):
    """The commands of FlexFactor's sandbox, beside those of every sandbox.

    Order ids are the merchant's own.
    """

    _state: State

    @command(
        "POST",
        "/clients",
        returns=lambda made: (str(made["app_key"]), str(made["app_secret"]), str(made["mid"])),
    )
    def add_client(
        self, app_key: str | None = None, app_secret: str | None = None, mid: str | None = None
    ) -> JsonObject:
        """Let a client ask for tokens; returns its `app_key`, `app_secret` and `mid`.

        `app_key=None`, `app_secret=None`: new ones are made. `mid=None`: the merchant of the first
        client.
        """
        return self._state.add_client(app_key, app_secret, mid)

    @command("POST", "/tokens", returns=member("token", str))
    def add_token(self, app_key: str | None = None) -> JsonObject:
        """A token that is ready, of the client with this `app_key` (None: the first).

        It lives as long as those that clients ask for.
        """
        owner = app_key or next(iter(self._state.clients), "")
        if owner not in self._state.clients:
            raise NotFound("There is no such client: add_client makes one.")
        return {"token": self._state.tokens.issue(owner, TOKEN_LIFE)[0]}

    @command("POST", "/cards", returns=member("token", str))
    def add_card(self, number: str = TEST_CARD, token: str | None = None) -> JsonObject:
        """A token for a test card with this `number`, as the provider's vault makes one: for
        `Card(token=...)`.

        `token=None`: a new one is made. No other token is accepted. The provider's page: "Real
        financial data cannot be used in the Sandbox. Please use our whitelisted test credit cards."
        So any other number is refused. Of its list only the default is known.
        """
        if number.replace(" ", "") != TEST_CARD:
            raise ValueError(
                f"number must be that of a whitelisted test card, which is {TEST_CARD}"
            )
        token = token or f"tok_{uuid.uuid4().hex}"
        self._state.cards.add(token)
        return {"token": token}

    @command("POST", "/decisions", returns=nothing)
    def decide(self, status: str, order_id: str | None = None) -> None:
        """Set the decision (`status`, such as `DECLINED`) of the next evaluation, of one order
        (None: of any order).

        With a card that has expired it is `DECLINED` all the same.
        """
        self._state.decisions[order_id or ""] = status

    @command("POST", "/orders", returns=member("id", str))
    def add_order(
        self,
        order_id: str,
        cents: int = 4423,
        status: str = "APPROVED",
        provider_id: str | None = None,
    ) -> JsonObject:
        """Make an order of `cents` as if it had been evaluated to `status`, unless it exists.

        Returns the provider's id of it, `provider_id` (None: a new one is made).
        """
        mid = self._state.first_mid
        order = self._state.by_external_id.get((order_id, mid)) or self._state.place_order(
            order_id, mid, (cents, "USD"), "payer@example.com", status, provider_id
        )
        return order.to_dict()

    @command("POST", "/orders/{order_id}/settle", returns=nothing)
    def settle(self, order_id: str, status: str) -> JsonObject:
        """Change the decision on an order to `status`, such as `APPROVED`."""
        if status not in STATE_AFTER:
            raise ValueError(f"status must be one of {', '.join(STATE_AFTER)}")
        order = self._state.order(order_id)
        order.decide(status)
        self._state.notified.changed(order)
        return order.to_dict()

    @command("GET", "/orders/{order_id}")
    def order_record(self, order_id: str) -> JsonObject:
        """An order as the sandbox keeps it: `id`, `status`, and `captured` and `refunded` in
        cents.
        """
        order = self._state.order(order_id)
        return {
            "id": order.id,
            "status": order.state,
            "captured": order.captured,
            "refunded": order.refunded,
        }

    @command(
        "POST",
        "/notifications",
        returns=lambda made: (dict(made["headers"]), str(made["body"]).encode()),
    )
    def notification(
        self, order_id: str, event: str, *, host: str, resent: bool = False
    ) -> JsonObject:
        """A signed notification about an order, for a receiver: `headers` and `body`.

        `event` is its name, `host` the receiver's, which is signed, and `resent` whether it was
        sent before.
        """
        order = self._state.order(order_id)
        content = {**content_of(order, event, self._context.clock), "IsResent": resent}
        headers, body = signed(self._state.subscriber_key, content, host, self._context.clock)
        return {"headers": headers, "body": body}

    @command("POST", "/orders/{order_id}/notify", returns=nothing)
    def trigger(self, order_id: str, event: str) -> JsonObject:
        """Post a notification of any `event` about an order, such as
        `payment.chargeback.received`, to the address of `--notify`. The order stays as it is.
        """
        if event not in EVENTS:
            raise ValueError(f"event must be one of {', '.join(EVENTS)}, not {event!r}")
        order = self._state.order(order_id)
        self._notifications.require_address(event)
        self._state.notified.post(order, event)
        return {}

    @command("GET", "/subscriber_key")
    def subscriber_key(self) -> str:
        """The key that signs notifications, in base64."""
        return base64.b64encode(self._state.subscriber_key).decode()
