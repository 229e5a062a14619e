"""Webhook requests signed as by the provider, for tests of a receiver. Written from its sample client alone."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import uuid
from email.utils import formatdate

from victor_ext.sandbox.flexfactor.orders import Order
from victor_ext.sandbox.server import JsonObject


def signed_request(
    order: Order, event: str, *, key: bytes, host: str, wall: float, resent: bool, at: str
) -> JsonObject:
    """The headers and the body of one notification."""
    content = {
        "Event": event,
        "TimeStamp": at,
        "EventData": None,
        "ExternalOrderId": order.external_id,
        "OrderId": order.id,
        "ConfirmationId": order.id[:8].upper(),
        "IsTestMode": True,
        "IsResent": resent,
    }
    body = json.dumps(content, separators=(",", ":"))
    nonce, date = uuid.uuid4().hex, formatdate(wall, usegmt=True)
    digest = base64.b64encode(hashlib.sha512(body.encode()).digest()).decode()
    signature = _signature(key, f"POST\n{nonce};{date};{host};{digest}")
    headers = {
        "Content-Type": "text/plain; charset=utf-8",
        "Host": host,
        "x-fc-nonce": nonce,
        "x-fc-date": date,
        "x-fc-content-sha512": digest,
        "x-fc-authorization": (
            f"HMAC-SHA512 SignedHeaders=x-fc-nonce;x-fc-date;host;x-fc-content-sha512&Signature={signature}"
        ),
        "x-fc-signature": _signature(key, body),
    }
    return {"headers": headers, "body": body}


def _signature(key: bytes, text: str) -> str:
    return base64.b64encode(hmac.new(key, text.encode(), hashlib.sha512).digest()).decode()
