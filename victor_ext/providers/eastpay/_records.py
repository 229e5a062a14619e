"""Records: what the gateway says of payments and checkouts.

At the end, notifications: they are hints, which nobody has signed.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from eastpay_api.typed import records

from victor_ext._runtime.client.webhooks import NOTIFICATION, Delivery, Headers, notification_body
from victor_ext._runtime.core.json_values import object_or_empty
from victor_ext._runtime.core.validation import Validation
from victor_ext.errors import ConfigurationError, InvalidRequest
from victor_ext.typed import Record

from ._requests import checked_id
from ._result_codes import ResultCode


class _EastPayRecord(Record):
    """What payments and checkouts have in common."""

    __slots__ = ()

    @property
    def result(self) -> ResultCode:
        result = object_or_empty(self._json.get("result"))
        return ResultCode.parse(result.get("code"), result.get("description"))

    def to_dict(self) -> dict[str, Any]:
        """Everything that the gateway sent, by its names on the wire."""
        return self._copy()


class Payment(_EastPayRecord, records.Payment):
    """What the gateway says of a payment, or of a step of one (a capture, a reversal, a refund).

    Attributes:
        id: The gateway's id; empty when the response has none.
        result: The result code: what became of the payment, as far as the gateway knows. See
            `ResultCode.kind`.
        description: The gateway's own words for the code.
        payment_type: PA, DB, CP, RV or RF; others may come.
        timestamp: When, as the gateway writes it: its format is not documented.
        build_number: The gateway's version, for its support.
        ndc: The gateway's id of the exchange, for its support.
        merchant_transaction_id: The merchant's own reference, if the response repeats it, which is
            not documented.
    """

    __slots__ = ()

    @property
    def succeeded(self) -> bool:
        """Whether it succeeded. False means only that this is not known: see `result.kind`."""
        return self.result.succeeded

    def __repr__(self) -> str:
        return f"Payment({self.id!r}, {self.payment_type}, {self.result!r})"


class Checkout(_EastPayRecord, records.Checkout):
    """A page on which the shopper pays. It ends when it is paid, or after 15 minutes.

    Attributes:
        id: The gateway's id.
        result: The result code, if the response has one; else one of class `UNKNOWN`.
        widget_url: The address of the script that shows the payment form: `<script src="...">`.
        lapses_at: When it ends at the latest, aware: 15 minutes after the request, by the gateway's
            clock.
    """

    __slots__ = ("lapses_at", "widget_url")

    def __init__(self, json: Mapping[str, Any], *, widget_url: str, lapses_at: datetime) -> None:
        super().__init__(json)
        self.widget_url = widget_url
        self.lapses_at = lapses_at

    def __repr__(self) -> str:
        return f"Checkout({self.id!r}, lapses at {self.lapses_at:%H:%M:%S}Z)"


def payment_id_of(body: bytes | str) -> str:
    """The id of the payment that a notification names: its body, as it came, is JSON, as the
    response to an inquiry.

    The gateway signs none, and anybody can send one. So only the id is read, and the gateway is
    asked for the payment, with `payments.notified(body)`.

    Raises:
        InvalidRequest: It is not such a body. Answer the sender 400.
    """
    validation = Validation()
    payment_id: str = checked_id(
        validation, "id", notification_body(body, provider="EastPay").get("id")
    )
    if validation.problems:
        raise InvalidRequest.of(
            [replace(problem, code=NOTIFICATION) for problem in validation.problems]
        )
    return payment_id


class Webhook:
    """An address that EastPay posts notifications to, for an `Inbox`.

    Anybody can post one for any of your payments. So only its id is stored, while no other hint of
    that payment waits, and the payment is inquired. A handler is called once for each result that
    the inquiries have.
    """

    provider = "EastPay"
    event_names = ("payment",)

    def delivery(
        self,
        body: bytes,
        headers: Headers,  # noqa: ARG002 - no header proves anything
    ) -> Delivery:
        """What a request is about. Raises `InvalidRequest` if it is not a notification."""
        payment_id = payment_id_of(body)
        return Delivery(
            name="payment", subject=payment_id, content=json.dumps(payment_id), once=payment_id
        )

    def notification(self, content: str) -> str:
        """The id of the payment that a stored delivery is about."""
        return str(json.loads(content))

    def reading(self, client: Any, notification: str) -> Callable[[], Any]:
        """The call that inquires about a payment. Raises `ConfigurationError` without a client."""
        if client is None:
            raise ConfigurationError(
                "A notification of EastPay's is only a hint: write Inbox(..., client=eastpay)."
            )
        return partial(client.payments.inquire, notification)

    def state_of(self, record: Payment) -> str:
        """What an inquiry says of a payment, as text: the same text again is no news."""
        return f"{record.id} {record.payment_type} {record.result.code}"
