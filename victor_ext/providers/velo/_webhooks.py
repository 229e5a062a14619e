"""Velo's webhooks: `Webhook` reads the notifications that arrive."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from copy import deepcopy
from functools import partial
from typing import Any

from velo_api.typed import records

from victor_ext._privacy import concealed
from victor_ext._runtime.client.webhooks import (
    Delivery,
    Headers,
    headers_by_name,
    invalid_notification,
    notification_body,
)
from victor_ext._runtime.core.json_values import json_text, object_or_empty, text_or_empty
from victor_ext.errors import AuthenticationError, ConfigurationError

SHORTEST_AUTHORIZATION = 16
"""The least number of characters. Velo takes four, which can be guessed."""


class Notification(records.Notification):
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

    __slots__ = ()
    _fields = (
        "sequence_number",
        *records.Notification._fields,
        "payor_ids",
        "source",
    )
    _marks = records.Notification._marks | {  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] - its own
        "payor_ids": {"private": True},
        "source": {"private": True},
    }

    @property
    def raw(self) -> Any:
        return self._copy()

    @property
    def sequence_number(self) -> int:
        """A number from 1 that a database can store; 0: none was sent."""
        number = self._json.get("sequenceNumber")
        # JSON's `1.0` and `true` are no numbers of Velo's.
        return number if type(number) is int and 1 <= number < 2**63 else 0

    @property
    def payor_ids(self) -> frozenset[str]:
        payors = object_or_empty(self.source.get("payoutPayorIds"))
        return frozenset(filter(None, map(text_or_empty, payors.values())))

    @property
    def source(self) -> dict[str, Any]:
        return deepcopy(object_or_empty(self._json.get("source")))


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
        """Read a request, as `read` does, for an `Inbox`. A repeat has the same `eventId`."""
        notification = self.read(body, headers_by_name(headers).get("authorization"))
        return Delivery(
            name=notification.event_name or notification.source_type or notification.category,
            subject=notification.event_id,
            content=json_text(notification.raw),
            ids=(notification.event_id,),
        )

    def notification(self, content: str) -> Notification:
        """The notification of a delivery."""
        return read_notification(content.encode())

    def reading(self, client: Any, notification: Notification) -> Callable[[], Any] | None:
        """The call that reads the payment or the payee of a notification; None: it names neither,
        or there is no client.
        """
        if client is None:
            return None
        if notification.payment_id:
            return partial(client.payments.get, notification.payment_id)
        if notification.payee_id:
            return partial(client.payees.get, notification.payee_id)
        return None

    def state_of(self, record: Any) -> None:
        """None: the notification itself says what is new."""

    def is_ours(self, authorization: str | bytes | None) -> bool:
        """Whether an `Authorization` header is that of the webhook, compared in constant time."""
        header = authorization if isinstance(authorization, str | bytes) else b""
        digest = _digest(header)
        # All digests are compared, so that the time does not show which of them is equal.
        matches = [hmac.compare_digest(digest, known) for known in self._digests]
        return any(matches)


def read_notification(body: bytes) -> Notification:
    """Read a body without checking who sent it: for that see `Webhook`.

    Unknown members are kept in `source`; unknown kinds of events are read like any other.

    Raises:
        InvalidRequest: It is not a JSON object of up to 1 MiB, or it has no sequence number or no
            event id.
    """
    notification = Notification(notification_body(body, provider="Velo"))
    if not notification.sequence_number:
        raise invalid_notification("Velo", "has no sequenceNumber of 1 or more")
    if not notification.event_id:
        raise invalid_notification("Velo", "has no eventId in its source")
    return notification


def _digest(value: str | bytes) -> bytes:
    """A digest of an `Authorization` header, without the blanks around it, which are no part of a
    header's value (RFC 9110, 5.5).

    Digests are compared in place of headers: they have one length, so that the time of a comparison
    does not show how long the right header is.
    """
    raw = value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value
    return hashlib.sha256(raw.strip()).digest()
