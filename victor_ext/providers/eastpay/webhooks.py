"""Notifications: a hint that a payment changed, and nothing more.

The gateway signs none, and anybody can send one. So only the id is read from its body, and the gateway is asked for
the payment, with `payments.notified(body)`.
"""

from __future__ import annotations

from victor_ext.runtime.client.webhooks import notification_body

from .checks import Validation

__all__ = ["payment_id_of"]

_LONGEST_BODY = 256 * 1024


def payment_id_of(body: bytes | str) -> str:
    """The id of the payment that a notification names.

    Args:
        body: The body of the notification as it came: JSON, in the shape of the response to an inquiry.

    Raises:
        InvalidRequest: It is not such a body. Answer the sender 400.
    """
    content = notification_body(body, provider="EastPay", longest=_LONGEST_BODY)
    validation = Validation()
    payment_id = validation.id("id", content.get("id"))
    validation.finish()
    return payment_id
