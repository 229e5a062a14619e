"""FlexFactor's sandbox: its options, what it keeps, and what its operations do."""

import re
import secrets
import uuid
from collections import ChainMap
from dataclasses import dataclass
from decimal import Decimal

from victor_ext.sandbox.engine import Asked, Refused, Result
from victor_ext.sandbox.flexfactor._notifications import REFUNDED, OrderNotifications
from victor_ext.sandbox.flexfactor._orders import Order
from victor_ext.sandbox.server import (
    Clock,
    JsonObject,
    JsonValue,
    Notifications,
    NotifyingSettings,
    TokenStore,
    find,
    load_document,
)

DOCUMENT = "flexfactor.yaml"
_GUID = re.compile("(?i:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})")
TOKEN_LIFE = 600.0
"""Seconds, as the provider's pages have them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FlexFactorSettings(NotifyingSettings):
    """The options of every sandbox, and those of this one."""


class FlexFactorState:
    """What FlexFactor keeps, and what its operations do."""

    def __init__(self, clock: Clock, notifications: Notifications) -> None:
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
        self._mid = "5a4db0c5-0000-4000-8000-000000000001"
        self.decisions: dict[str, str] = {}
        """The decision of the next evaluation by order id; the empty id stands for any order."""
        self.subscriber_key = b"sandbox-subscriber-key".ljust(64)
        self.notified = OrderNotifications(notifications, clock, self.subscriber_key)

    @property
    def first_mid(self) -> str:
        """The merchant of the first client; without clients, that of the first one that names
        none.
        """
        return next((mid for _, mid in self.clients.values()), self._mid)

    def add_client(
        self, app_key: str | None = None, app_secret: str | None = None, mid: str | None = None
    ) -> JsonObject:
        """Let a client in, with a key, a secret and a merchant's id of its own where none is given;
        returns the three.
        """
        number = len(self.clients) + 1
        app_key = app_key or f"sandbox-key-{number}"
        app_secret = app_secret or f"sandbox-secret-{number}"
        mid = mid or self.first_mid
        if not is_guid(mid):
            raise ValueError("mid must be a GUID")
        self.clients[app_key] = (app_secret, mid)
        return {"app_key": app_key, "app_secret": app_secret, "mid": mid}

    def place_order(
        self, mid: str, asked: JsonObject, decision: str, own_id: str | None = None
    ) -> Order:
        """Add the order of an evaluation, with its decision.

        `own_id` is the provider's id (None: a new one is made).
        """
        order = Order(
            id=own_id or str(uuid.uuid4()),
            external_id=asked["orderId"],
            mid=mid,
            cents=asked["transaction"]["amount"],
            currency=asked["transaction"]["currency"],
            placed_at=self._clock.timestamp(),
            asked=_by_name(asked),
        )
        order.decide(decision)
        self.orders[order.id] = self.by_external_id[order.external_id, mid] = order
        return order

    def newest_order(self, external_id: str) -> Order:
        """The newest order of any merchant with the merchant's own id; raises `NotFound`."""
        owners = (mid for name, mid in reversed(self.by_external_id) if name == external_id)
        return find(self.by_external_id, (external_id, next(owners, "")), "order")

    # What the operations do

    def token(self, asked: Asked) -> JsonObject:
        app_key, secret = asked.body.get("AppKey", ""), asked.body.get("AppSecret")
        known = self.clients.get(app_key) if isinstance(app_key, str) else None
        if not secret or known is None or secret != known[0]:
            raise Refused(401, "Unauthorized")
        token, expires = self.tokens.issue(app_key, TOKEN_LIFE)
        return _said(
            "SUCCESS",
            accessToken=token,
            refreshToken=secrets.token_urlsafe(32),
            expires=int(expires * 1000),
            id=str(uuid.uuid4()),
            session=str(uuid.uuid4()),
            daysToEnforceMFA=None,
            skipAvailable=False,
        )

    def transmit(self, asked: Asked) -> Result:
        work = [f"{asked.body['orderId']}/transmit"]
        return Result(body=_said(0, transmitId=str(uuid.uuid4())), work=work)

    def evaluate(self, asked: Asked) -> Result:
        external_id = asked.body["orderId"]
        asked.call.refers_to(external_id)
        # The provider recognises a repeated order id of merchant-initiated transactions only.
        # Others are charged again, so that a test that counts the work sees a key that changed.
        known = None
        if asked.body.get("isMIT"):
            known = self.by_external_id.get((external_id, asked.call.owner))
        order = known or self._decided(asked)
        body = _said(
            order.decision,
            orderSessionKey=order.id,
            senseKey=asked.body.get("senseKey"),
            orderId=order.id,
        )
        return Result(body=body, made=order.id, work=None if known else [external_id])

    def _decided(self, asked: Asked) -> Order:
        """The order of a new evaluation. A decision that was set counts once."""
        external_id = asked.body["orderId"]
        about = external_id if external_id in self.decisions else ""
        decision = self.decisions.pop(about, "APPROVED")
        card = asked.body.get("paymentMethod", {})
        year, month = card.get("expirationYear"), card.get("expirationMonth", 12)
        if year is not None and self._clock.is_over(year, month):
            decision = "DECLINED"  # the sandbox's own rule: no page says it
        order = self.place_order(asked.call.owner, asked.body, decision)
        self.notified.changed(order)
        return order

    def capture(self, asked: Asked) -> Result:
        order = self._own_order(asked, asked.body["orderId"])
        reference = f"{order.external_id}/capture"
        asked.call.refers_to(reference)
        try:
            order.capture(asked.body["amount"], asked.body["currency"])
        except Refused as refused:
            return Result(body=_said("FAILED", errors=[refused.message]))
        self.notified.changed(order)
        return Result(body=_said("SUCCESS"), work=[reference])

    def refund(self, asked: Asked) -> Result:
        order = self._own_order(asked, asked.about)
        reference = f"{order.external_id}/refund"
        asked.call.refers_to(reference)
        try:
            order.refund(Decimal(repr(asked.body["amountToRefund"])))
        except Refused as refused:
            code, why = "2001", refused.message
            error = {"item1": why, "item2": "", "item3": code, "item4": True}
            body = _said("FAILED", responseCode=code, responseMessage=why, errors=[error])
            return Result(body=body)
        self.notified.post(order, REFUNDED)
        body = _said("SUCCESS", responseCode="100", responseMessage="Success")
        return Result(body=body, work=[reference])

    def cancel(self, asked: Asked) -> Result:
        return self._cancelled(asked, self._own_order(asked, asked.about))

    def external_cancel(self, asked: Asked) -> Result:
        key = asked.about, asked.call.owner
        return self._cancelled(asked, find(self.by_external_id, key, "order"))

    def _cancelled(self, asked: Asked, order: Order) -> Result:
        """Cancel an order. A cancelled one stays cancelled."""
        reference = f"{order.external_id}/cancel"
        asked.call.refers_to(reference)
        if order.state == "Cancelled":
            return Result()
        order.cancel()
        self.notified.changed(order)
        return Result(work=[reference])

    def one_order(self, asked: Asked) -> JsonObject:
        return shown(self._own_order(asked, asked.about))

    def own_orders(self, asked: Asked) -> list[Order]:
        orders = [order for order in self.orders.values() if order.mid == asked.call.owner]
        if asked.query.get("sort") == "desc":
            orders.reverse()
        return orders

    def _own_order(self, asked: Asked, order_id: str) -> Order:
        """The order with the provider's id. Raises `NotFound`, or `Refused` for another
        merchant's.
        """
        order = find(self.orders, order_id, "order")
        check_merchant(order.mid, asked.call.owner)
        return order


def is_guid(text: str) -> bool:
    return _GUID.fullmatch(text) is not None


def check_merchant(mid: JsonValue, own: str) -> None:
    """Refuse what is another merchant's than the caller's."""
    if str(mid).lower() != own.lower():
        raise Refused(403, "Access to the requested resource is denied.", "Mid")


def shown(order: Order) -> JsonObject:
    """An order, and what its evaluation said where the document declares a member of that name."""
    document = load_document(DOCUMENT).operation("GET", "/v1/orders/{id}").response(200)
    return {**document.declared(order.asked), **order.to_dict()}


def _said(status: JsonValue, **more: JsonValue) -> JsonObject:
    """The body of an answer to a call that was understood."""
    return {
        "success": status not in ("DECLINED", "FAILED"),
        "status": status,
        "result": None,
        "statusCode": None,
        "errors": [],
        "customProperties": {},
        **more,
    }


def _by_name(body: JsonObject) -> JsonObject:
    """The members of a body and of the objects in it; of one name, the outer one."""
    parts: list[JsonObject] = [value for value in body.values() if isinstance(value, dict)]
    return dict(ChainMap(body, *map(_by_name, parts)))
