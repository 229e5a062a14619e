"""Notifications that Velo posts to a webhook: their origin and their content."""

import hashlib
import hmac
import json
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from victor_ext.errors import AuthenticationError, ConfigurationError
from victor_ext.privacy import concealed
from victor_ext.runtime.client.records import (
    Field,
    ModelRecord,
    as_integer,
    as_object,
    identifier,
    timestamp,
)
from victor_ext.runtime.client.webhooks import (
    Delivery,
    Headers,
    headers_by_name,
    invalid_notification,
    notification_body,
)
from victor_ext.runtime.core.json_values import object_or_empty, text_or_empty

SHORTEST_AUTHORIZATION = 16
"""Characters. Velo takes four, which can be guessed."""


def _first_text(*values: object) -> str | None:
    return next((value for value in values if isinstance(value, str) and value), None)


def _as_number(value: object) -> int:
    number = as_integer(value) or 0
    return number if 1 <= number < 2**63 else 0


def _as_payors(payors: object) -> frozenset[str]:
    return frozenset(filter(None, map(text_or_empty, object_or_empty(payors).values())))


class Notification(ModelRecord):
    """One notification. `raw` is its body, with everything that was sent.

    Attributes:
        sequence_number: Velo counts the notifications of each payor from 1.
        event_id: Velo's id of the event; the same when it is delivered again.
        category: `payment`, `payee`, `debit`, `funding`, `system`; others may come.
        event_name: Such as `payment.accepted`.
        source_type: The kind of event, such as `payment_status_changed`.
        created_at: When the event happened, aware; None if that cannot be read.
        source: Everything that Velo sent of the event.
        api_version: The version of the notification's format.
        payment_id: The id of the payment, if it is about one. It is a hint: read the payment before
            you act on it.
        payor_payment_id: The payor's own reference of that payment.
        payee_id: The id of the payee, if it is about one. Read the payee before you act on it.
        payor_ids: The payors of a payment: who submitted it, who pays, whose payee is paid. Empty
            when none is named.
    """

    def value_at(self, path: Sequence[str]) -> Any:
        value = self.raw
        for name in path:
            value = object_or_empty(value).get(name)
        return value

    sequence_number = Field(_as_number, "sequenceNumber")
    event_id = identifier("source.eventId")
    category = identifier("category")
    event_name = identifier("eventName")
    # it has both
    source_type = Field(
        lambda *names: _first_text(*names) or "", "source.sourceType", "source.type"
    )
    created_at = timestamp("source.createdAt")
    api_version = identifier("apiVersion")
    payment_id = Field(_first_text, "source.paymentId")
    payee_id = Field(_first_text, "source.payeeId")
    payor_payment_id = Field(_first_text, "source.payorPaymentId", hidden=True)
    payor_ids = Field(_as_payors, "source.payoutPayorIds", hidden=True)
    source = Field(as_object, "source", hidden=True)


class Webhook:
    """One address that Velo posts to, with the `authorizationHeader` that was chosen for it, long
    and random.

    Pass both as `authorization` while one replaces another.

    Raises:
        ConfigurationError: One of them is shorter than 16 characters, and could be guessed. (Velo's
            minimum is 4.)
    """

    provider = "Velo"
    event_names = ("payment.accepted",)
    """The one that the provider's document names; others come, too."""

    def __init__(self, *authorization: str) -> None:
        authorization = tuple(map(concealed, authorization))
        for value in authorization or ("",):
            is_text = isinstance(value, str)  # pyright: ignore[reportUnnecessaryIsInstance] - any
            if not is_text or len(value.strip()) < SHORTEST_AUTHORIZATION:
                raise ConfigurationError(
                    f"authorization must be text of {SHORTEST_AUTHORIZATION} characters or more."
                )
        self._digests = tuple(_digest(value.strip()) for value in authorization)

    def __repr__(self) -> str:
        return "Webhook('[hidden]')"

    def read(self, body: bytes, authorization: str | bytes | None) -> Notification:
        """Read a request: its body, as it came, and its `Authorization` header (None if it has
        none).

        Raises:
            AuthenticationError: The header is not that of the webhook. Answer 401, and ignore the
                body.
            InvalidRequest: The body is not a notification. Answer 400.
        """
        if not self.is_ours(authorization):
            raise AuthenticationError(
                "The Authorization header is not the one of this webhook, so this may not come "
                "from Velo."
            )
        return read_notification(body)

    def delivery(self, body: bytes, headers: Headers) -> Delivery:
        """As `read`, for an `Inbox`: an event is known by its `eventId`, and counted for each
        payor.
        """
        said = self.read(body, headers_by_name(headers).get("authorization"))
        return Delivery(
            name=said.event_name or said.source_type or said.category,
            subject=said.event_id,
            content=json.dumps(said.raw),
            ids=(said.event_id,),
            number=said.sequence_number,
        )

    def notification(self, content: str) -> Notification:
        """The notification of a delivery."""
        return read_notification(content.encode())

    def reading(self, client: Any, notification: Notification) -> Callable[[], Any] | None:
        """The call that reads its payment or its payee."""
        if client is None:
            return None
        if notification.payment_id:
            return partial(client.payments.get, notification.payment_id)
        return partial(client.payees.get, notification.payee_id) if notification.payee_id else None

    def state_of(self, record: Any) -> None:
        """Nothing: the notification says what is new."""

    def is_ours(self, authorization: str | bytes | None) -> bool:
        """Whether an `Authorization` header is that of the webhook, compared in constant time."""
        header = authorization if isinstance(authorization, str | bytes) else b""
        digest = _digest(header)
        # Every digest is compared, so that the time depends neither on which one fits nor on the
        # header's length.
        return sum(hmac.compare_digest(digest, known) for known in self._digests) > 0


def read_notification(body: bytes) -> Notification:
    """Read a body without checking who sent it: for that see `Webhook`.

    Unknown members are kept in `source`; unknown kinds of events are read like any other.

    Raises:
        InvalidRequest: It is not a JSON object of up to 1 MiB, or it has no sequence number or no
            event id.
    """
    said = Notification(notification_body(body, provider="Velo"))
    if not said.sequence_number:
        raise invalid_notification("Velo", "has no sequenceNumber of 1 or more")
    if not said.event_id:
        raise invalid_notification("Velo", "has no eventId in its source")
    return said


def _digest(value: str | bytes) -> bytes:
    raw = value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value
    return hashlib.sha256(raw.strip()).digest()
