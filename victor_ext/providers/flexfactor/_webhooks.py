"""Notifications that FlexFactor posts to a webhook: their signature, their age, their content, and
repeats.

The signature scheme is that of the provider's sample client. A second header, `x-fc-signature`, is
not documented and is ignored. A notification is still only a hint: read the order before you act on
it.
"""

from __future__ import annotations

import base64
import hashlib
import re
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from flexfactor_api.typed import records

from victor_ext._privacy import concealed
from victor_ext._runtime.auth.credentials import UnpicklableCredentials
from victor_ext._runtime.client.webhooks import (
    Delivery,
    Headers,
    body_bytes,
    check_age,
    checked_tolerance,
    decoded_key,
    header_bytes,
    headers_by_name,
    invalid_notification,
    is_signed,
    notification_body,
)
from victor_ext._runtime.core.clock import http_date
from victor_ext._runtime.core.json_values import json_text, parsed
from victor_ext._runtime.core.validation import shown
from victor_ext.errors import AuthenticationError, ConfigurationError

_REQUIRED_HEADERS = ("x-fc-authorization", "x-fc-nonce", "x-fc-date")
_HOST = re.compile(r"[A-Za-z0-9._-]+(:[0-9]+)?")
_SCHEME = "HMAC-SHA512"


class Webhook(UnpicklableCredentials):
    """One address that the provider posts notifications to.

    Args:
        subscriber_key: From the merchant portal, in base64. Pass both keys while one replaces the
            other.
        host: The host of the URL that the notifications go to, as it was entered in the portal,
            with its port if the URL has one: it is a part of what is signed. The `Host` header is
            not used, because a proxy or an attacker may have changed it.
        tolerance: Seconds by which a notification may be old, or ahead of this machine's clock;
            above 0.
        now: Returns the time, in seconds since the epoch.

    Raises:
        ConfigurationError: An argument cannot work.
    """

    provider = "FlexFactor"
    event_names = (
        *("order.completed", "order.cancelled", "order.expired", "order.refunded"),
        *("order.capturerequired", "payment.chargeback.received"),
        *("challenge.presented", "challenge.attempted", "challenge.passed", "challenge.failed"),
        *("payout.created", "payout.updated"),
    )
    """Those that the provider's pages name; others may come, too."""

    def __init__(
        self,
        *subscriber_key: str,
        host: str,
        tolerance: float = 300.0,
        now: Callable[[], float] = time.time,
    ) -> None:
        subscriber_key = tuple(map(concealed, subscriber_key))
        self._keys = [decoded_key("subscriber_key", key, "base64") for key in subscriber_key]
        if not self._keys:
            raise ConfigurationError("subscriber_key is missing: copy it from the merchant portal.")
        is_text = isinstance(host, str)  # pyright: ignore[reportUnnecessaryIsInstance] - untyped
        if not is_text or not _HOST.fullmatch(host):
            raise ConfigurationError(
                f"host={shown(host)} must be the host of the address alone, such as "
                "'hooks.shop.example', with its port if the address has one "
                "('127.0.0.1:8000')."
            )
        self._host, self._tolerance, self._now = host, checked_tolerance(tolerance), now

    def __repr__(self) -> str:
        return f"Webhook('[hidden]', host={getattr(self, '_host', None)!r})"

    def read(self, body: bytes, headers: Headers) -> Notification:
        """Read a request with a valid signature and a recent date.

        Args:
            body: The body of the request, as the bytes that came, whatever its content type.
            headers: The headers of the request, with names in any letter case.

        Raises:
            AuthenticationError: It may not come from the provider, or is too old. Answer 401, and
                ignore the body. The message says which check failed, without keys or content.
            InvalidRequest: It is signed, and is not a notification (answer 400); or an argument has
                a wrong type.
        """
        raw = body_bytes(body)
        nonce, date = self._signed_values(headers_by_name(headers), raw)
        sent_at = http_date(date)
        if sent_at is None:
            raise AuthenticationError("x-fc-date is not an HTTP date.")
        check_age(sent_at, self._now(), self._tolerance)
        notification = Notification(notification_body(raw, provider="FlexFactor"), nonce=nonce)
        if not notification.event:
            raise invalid_notification("FlexFactor", "has no Event")
        return notification

    def delivery(self, body: bytes, headers: Headers) -> Delivery:
        """Read a request, as `read` does, for an `Inbox`.

        A repeat is the same request: it has the nonce and the content of an earlier request.
        FlexFactor's events have no id, so nothing else proves a repeat. A notification that says
        that it was sent before proves nothing: an event may equal another event of which no
        notification has arrived.
        """
        notification = self.read(body, headers)
        content = hashlib.sha256(body_bytes(body)).hexdigest()
        return Delivery(
            name=notification.event or "",
            subject=notification.order_id or "",
            content=json_text(notification.raw),
            ids=(f"nonce {notification.nonce} {content}",),
        )

    def notification(self, content: str) -> Notification:
        """The notification of a delivery."""
        return Notification(parsed(content), nonce="")

    def reading(self, client: Any, notification: Notification) -> Callable[[], Any] | None:
        """The call that reads the order of a notification; None: it names no order, or there is no
        client.
        """
        order_id = notification.order_id
        if client is None or not order_id:
            return None
        return partial(client.orders.get, order_id)

    def state_of(self, record: Any) -> None:
        """None: the notification itself says what is new."""

    def _signed_values(self, sent: Mapping[str, str], body: bytes) -> tuple[str, str]:
        """Check the signature, which is one of nonce, date, host and body; return the nonce and the
        date.

        Raises `AuthenticationError`.
        """
        missing = [name for name in _REQUIRED_HEADERS if not sent.get(name)]
        if missing:
            raise AuthenticationError(f"The notification has no {' and no '.join(missing)}.")
        authorization, nonce, moment = (sent[name] for name in _REQUIRED_HEADERS)
        scheme, _, rest = authorization.strip().partition(" ")
        _, separator, signature = rest.partition("Signature=")
        if scheme.upper() != _SCHEME or not separator:
            raise AuthenticationError(
                f"x-fc-authorization is not a signature of the kind {_SCHEME}."
            )
        if ";" in nonce or ";" in moment:
            # They are joined by semicolons: a semicolon in one would let other values have the same
            # signature.
            raise AuthenticationError("x-fc-nonce or x-fc-date holds a semicolon.")
        content = base64.b64encode(hashlib.sha512(body).digest())
        to_sign = header_bytes(f"POST\n{nonce};{moment};{self._host};") + content
        if not is_signed(to_sign, self._keys, "sha512", [signature.strip()]):
            raise AuthenticationError(
                "The signature does not match: check the subscriber key, that host is the one in "
                "the portal, and that the body is as it came."
            )
        return nonce, moment


class Notification(records.Notification):
    """One notification. `raw` is the body, with everything that was sent.

    Attributes:
        event: The provider's name of the event, such as `order.completed`; new ones may come.
        order_id: The provider's id of the order; `external_order_id` is the merchant's own.
        confirmation_id: The id that the payer was given.
        occurred_at: When it happened, aware; None if that, or the time zone, is missing.
        is_test: Whether it comes from the sandbox. Refuse these in production.
        is_resent: Whether it was sent before. That does not prove that it arrived before: two equal
            events of one order may both be resent. The `nonce`, which was signed, is the same in a
            replay of the request.
        data: What belongs to the event; its members are not documented.
    """

    __slots__ = ("nonce",)

    def __init__(self, json: Mapping[str, Any], *, nonce: str) -> None:
        super().__init__(json)
        self.nonce = nonce

    @property
    def raw(self) -> Any:
        return self._copy()
