"""Notifications that EastPay posts to a webhook: hints, which nobody has signed."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any

from victor_ext.errors import ConfigurationError
from victor_ext.runtime.client.webhooks import Delivery, Headers

from .records import Payment, payment_id_of


class Webhook:
    """An address that EastPay posts notifications to, for an `Inbox`.

    Anybody can post one for any of your payments. So only its id is stored, while no other hint of that payment waits,
    and the payment is inquired. A handler is called once for each result that the inquiries have.
    """

    provider = "EastPay"

    def delivery(self, body: bytes, headers: Headers) -> Delivery:  # noqa: ARG002 - no header proves anything
        """What a request is about. Raises `InvalidRequest` if it is not a notification."""
        payment_id = payment_id_of(body)
        return Delivery(name="payment", subject=payment_id, content=json.dumps(payment_id), once=payment_id)

    def notification(self, content: str) -> str:
        """The id of the payment."""
        return str(json.loads(content))

    def reading(self, client: Any, notification: str) -> Callable[[], Any]:
        """The inquiry. Raises `ConfigurationError` without a client."""
        if client is None:
            raise ConfigurationError("A notification of EastPay's is only a hint: write Inbox(..., client=eastpay).")
        return partial(client.payments.inquire, notification)

    def state_of(self, record: Payment) -> str:
        """What an inquiry says: one that says the same again is no news."""
        return f"{record.id} {record.payment_type} {record.result.code}"
