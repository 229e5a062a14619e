"""What FlexFactor posts to a webhook: its body, its signature, and how often.

By its pages: the names of events and when they occur, the members of the body, and that its type
is not JSON's. By its sample client: the signature.

The sandbox's own choice: that a decision of a call is notified, too, and `DECLINED` as a cancelled
order; that a status from 200 to 299 takes it; when it is posted again, for three days; that it has
`IsResent` and a new signature then; and that addresses may be `http`, where FlexFactor posts over
`https` alone.
"""

import base64
import hashlib
import hmac
import json
import uuid
from collections.abc import Mapping
from email.utils import formatdate
from functools import partial

from victor_ext.sandbox.flexfactor._orders import Order
from victor_ext.sandbox.server import Clock, JsonObject, Notifications, Posted, host_of

REFUNDED = "order.refunded"
_EVENTS = {
    "Completed": "order.completed",
    "Cancelled": "order.cancelled",
    "Capturerequired": "order.capturerequired",
    "Onhold": "challenge.presented",
}
"""The events by the state of an order. Of other states FlexFactor notifies nobody."""
EVENTS = (
    *(*_EVENTS.values(), REFUNDED, "order.expired", "payment.chargeback.received"),
    *("challenge.attempted", "challenge.passed", "challenge.failed"),
    *("payout.created", "payout.updated"),
)


class OrderNotifications:
    """Posts what happens to orders to the address of `--notify`."""

    def __init__(self, notifications: Notifications, clock: Clock, key: bytes) -> None:
        self._notifications, self._clock, self._key = notifications, clock, key

    def changed(self, order: Order) -> None:
        """Notify of the state that an order has now."""
        event = "order.expired" if order.decision == "EXPIRED" else _EVENTS.get(order.state)
        if event is not None:
            self.post(order, event)

    def post(self, order: Order, event: str) -> None:
        content = content_of(order, event, self._clock)
        self._notifications.add(event, order.external_id, partial(self._make, content))

    def _make(self, content: JsonObject, url: str, was_posted: bool) -> Posted:  # noqa: FBT001
        resent = {**content, "IsResent": was_posted}
        headers, body = signed(self._key, resent, host_of(url), self._clock)
        return Posted(headers, body.encode())


def content_of(order: Order, event: str, clock: Clock) -> JsonObject:
    """The body of a notification about an order."""
    return {
        "Event": event,
        "TimeStamp": clock.timestamp(),
        "EventData": None,
        "ExternalOrderId": order.external_id,
        "OrderId": order.id,
        "ConfirmationId": order.id[:8].upper(),
        "IsTestMode": True,
        "IsResent": False,
    }


def signed(
    key: bytes, content: Mapping[str, object], host: str, clock: Clock
) -> tuple[dict[str, str], str]:
    """The headers of a notification to a host, and its body, signed as by the sample client."""
    body = json.dumps(content, separators=(",", ":"))
    nonce, date = uuid.uuid4().hex, formatdate(clock.wall(), usegmt=True)
    digest = base64.b64encode(hashlib.sha512(body.encode()).digest()).decode()
    signature = _signature(key, f"POST\n{nonce};{date};{host};{digest}")
    headers = {
        "Content-Type": "text/plain; charset=utf-8",
        "Host": host,
        "x-fc-nonce": nonce,
        "x-fc-date": date,
        "x-fc-content-sha512": digest,
        "x-fc-authorization": "HMAC-SHA512 "
        "SignedHeaders=x-fc-nonce;x-fc-date;host;x-fc-content-sha512"
        f"&Signature={signature}",
        "x-fc-signature": _signature(key, body),
    }
    return headers, body


def _signature(key: bytes, text: str) -> str:
    return base64.b64encode(hmac.new(key, text.encode(), hashlib.sha512).digest()).decode()
