"""Notifications: is this one really the provider's, is it fresh, and has it been seen before?

The scheme is that of the provider's sample client. A second header, `x-fc-signature`, is documented nowhere and is
not looked at. A notification is a hint all the same: read the order before you act on it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, cast

from victor_ext.errors import AuthenticationError, ConfigurationError, InvalidRequest, Problem
from victor_ext.redaction import SecretBytes, concealed, kind_of, one_line
from victor_ext.runtime.auth.stored_credentials import UnpicklableCredentials
from victor_ext.runtime.client.validation import shown
from victor_ext.runtime.http.places import PerProcess
from victor_ext.runtime.loop.clock import http_date

from .answers import is_object, member

DEFAULT_TOLERANCE = 300.0
"""Seconds that a notification may be old, or ahead of this machine's clock."""

MAX_BYTES = 1 << 20
"""The longest body that is looked at."""

_NEEDED = ("x-fc-authorization", "x-fc-nonce", "x-fc-date", "x-fc-content-sha512")
_HOST = re.compile(r"[A-Za-z0-9._-]+(:[0-9]+)?")
_SCHEME = "HMAC-SHA512"
_MOST_REMEMBERED = 100_000
_SHORTEST_KEY = 16
"""Bytes. The provider's are longer; a shorter one is a part of one, or could be guessed."""

Headers = Mapping[str, str] | Iterable[tuple[str, str]] | Iterable[tuple[bytes, bytes]]


class Webhook(UnpicklableCredentials):
    """One address that the provider posts notifications to.

    Args:
        subscriber_key: From the merchant portal, in base64. Both of them while one is being replaced.
        host: The host of the URL that the notifications go to, as it was entered in the portal. It is signed. The
            `Host` header is not used for it: behind a proxy it is another, and an attacker chooses it.
        tolerance: Seconds that a notification may be old, or ahead of this machine's clock.
        now: The time, in seconds since the epoch.

    Raises:
        ConfigurationError: One of them cannot work.
    """

    def __init__(
        self,
        *subscriber_key: str,
        host: str,
        tolerance: float = DEFAULT_TOLERANCE,
        now: Callable[[], float] = time.time,
    ) -> None:
        subscriber_key = tuple(map(concealed, subscriber_key))  # no frame of ours shows it from here on
        self._keys = [_decoded(key) for key in subscriber_key]
        if not self._keys:
            raise ConfigurationError("subscriber_key is missing: copy it from the merchant portal.")
        if not isinstance(host, str) or not _HOST.fullmatch(host):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ConfigurationError(f"host={shown(host)} must be a host name alone, such as 'hooks.shop.example'.")
        if isinstance(tolerance, bool) or not isinstance(tolerance, int | float) or not 0 < tolerance <= 86_400:
            raise ConfigurationError(f"tolerance={shown(tolerance)} must be seconds, above zero and at most a day.")
        self._host, self._tolerance, self._now = host, float(tolerance), now

    def __repr__(self) -> str:
        return f"Webhook('[hidden]', host={getattr(self, '_host', None)!r})"

    def read(self, body: bytes, headers: Headers) -> Notification:
        """A notification whose signature holds and whose date is fresh.

        Args:
            body: Of the request, as the bytes that came. Its content type says nothing and is not looked at.
            headers: Of the request, names in any letter case.

        Raises:
            AuthenticationError: It need not come from the provider, or is not of now. Answer 401, and look at nothing
                else. The message says which check it failed; it shows neither keys nor content.
            InvalidRequest: It is signed, and is no notification. Answer 400. Or what was given here are no body and
                headers.
        """
        if not isinstance(body, bytes | bytearray):
            raise _no_notification(f"its body must be bytes, not {kind_of(body)}: do not decode it")
        if len(body) > MAX_BYTES:
            raise _no_notification("it is longer than 1 MiB")
        nonce, moment = self._signed(_by_name(headers), bytes(body))
        self._check_fresh(moment)
        try:
            content: Any = json.loads(body)
        except (ValueError, RecursionError):
            raise _no_notification("it is not JSON") from None
        if not is_object(content):
            raise _no_notification("it is JSON, but no object")
        return Notification(content, nonce)

    def _signed(self, sent: Mapping[str, str], body: bytes) -> tuple[str, str]:
        """The nonce and the date that were signed together with the body."""
        missing = [name for name in _NEEDED if not sent.get(name)]
        if missing:
            raise AuthenticationError(f"The notification has no {' and no '.join(missing)}.")
        authorization, nonce, moment, digest = (sent[name] for name in _NEEDED)
        scheme, _, rest = authorization.strip().partition(" ")
        _, found, signature = rest.partition("Signature=")
        if scheme.upper() != _SCHEME or not found:
            raise AuthenticationError(f"x-fc-authorization is no signature of the kind {_SCHEME}.")
        if ";" in nonce or ";" in moment:
            # They are joined by semicolons: with one inside, other values would have the same signature.
            raise AuthenticationError("x-fc-nonce or x-fc-date holds a semicolon.")
        content = base64.b64encode(hashlib.sha512(body).digest())
        if not hmac.compare_digest(content, _ascii(digest)):
            raise AuthenticationError("The body is not the one that x-fc-content-sha512 was made of.")
        to_sign = f"POST\n{nonce};{moment};{self._host};".encode("utf-8", "surrogatepass") + content
        given = _ascii(signature.strip())
        # Every key is tried, and each compared in constant time: how long it takes tells nothing.
        fits = [hmac.compare_digest(_signature(key, to_sign), given) for key in self._keys]
        if not any(fits):
            raise AuthenticationError(
                "The signature does not fit: check the subscriber key, and that host is the one entered in the portal."
            )
        return nonce, moment

    def _check_fresh(self, moment: str) -> None:
        sent_at = http_date(moment)
        if sent_at is None:
            raise AuthenticationError("x-fc-date is no HTTP date.")
        age = self._now() - sent_at
        if abs(age) > self._tolerance:
            when = f"{age:.0f} s old" if age > 0 else f"{-age:.0f} s ahead"
            raise AuthenticationError(
                f"The notification is {when}, and {self._tolerance:g} s are allowed: a replay, or a clock that is off."
            )


class Notification:
    """What happened, as the provider tells it.

    Attributes:
        raw: The body, with everything that was sent.
        nonce: The nonce that was signed: the same in a replay of one request.
    """

    __slots__ = ("nonce", "raw")

    def __init__(self, raw: dict[str, Any], nonce: str) -> None:
        self.raw = raw
        self.nonce = nonce

    @property
    def event(self) -> str | None:
        """The provider's word, such as `order.completed`; new ones may come."""
        return self._text("Event")

    @property
    def order_id(self) -> str | None:
        """The provider's id of the order."""
        return self._text("OrderId")

    @property
    def external_order_id(self) -> str | None:
        """The merchant's own id of the order."""
        return self._text("ExternalOrderId")

    @property
    def confirmation_id(self) -> str | None:
        """The id that the payer was told."""
        return self._text("ConfirmationId")

    @property
    def occurred_at(self) -> datetime | None:
        """When it happened, aware; None when that is not said, or not with its zone."""
        said = self._text("TimeStamp")
        try:
            moment = datetime.fromisoformat(said or "")
        except ValueError:
            return None
        return moment if moment.utcoffset() is not None else None

    @property
    def is_test(self) -> bool:
        """Whether it comes from the sandbox. Refuse these in production."""
        return member(self.raw, "IsTestMode") is True

    @property
    def is_resent(self) -> bool:
        """Whether it was sent before."""
        return member(self.raw, "IsResent") is True

    @property
    def data(self) -> dict[str, Any]:
        """What belongs to the event; its members are not documented."""
        found = member(self.raw, "EventData")
        return found if is_object(found) else {}

    @property
    def fingerprint(self) -> str:
        """The same text for a notification and its resends: store it, to know a repeat over restarts."""
        return _digest(self.raw, without=("isresent", "timestamp"))

    def _text(self, name: str) -> str | None:
        value = member(self.raw, name)
        return value if isinstance(value, str) and value else None

    def __repr__(self) -> str:
        return f"Notification(event={_shown(self.event)}, order_id={_shown(self.order_id)})"


class NotificationDeduplicator:
    """Remembers notifications in this process, to know those that come again. Safe to share between threads.

    The same request twice is a repeat, and so is one that says it was sent before, when it was. One that does not say
    so is none, even if it reads the same but for its time: two equal refunds of one order are two events.

    `add` one when it has been dealt with, not before: if that fails, the provider is told so by your answer and sends
    it again, and it must not be dropped then.

    Args:
        most: How many are remembered; the oldest are forgotten.
    """

    def __init__(self, most: int = _MOST_REMEMBERED) -> None:
        self._most = most
        self._seen: OrderedDict[str, None] = OrderedDict()
        self._locks = PerProcess(threading.Lock)

    def is_repeat(self, notification: Notification) -> bool:
        """Whether it was added before."""
        names = _names(notification)
        return any(name in self._seen for name in (names if notification.is_resent else names[:2]))

    def add(self, notification: Notification) -> None:
        """It has been dealt with."""
        with self._locks.here():
            for name in _names(notification):
                self._seen[name] = None
                self._seen.move_to_end(name)
            while len(self._seen) > 3 * self._most:
                self._seen.popitem(last=False)


def _names(notification: Notification) -> tuple[str, str, str]:
    """What it is known by: the request, what it says, and what it is about whenever it was sent."""
    said = _digest(notification.raw, without=("isresent",))
    return f"nonce {notification.nonce}", f"said {said}", f"about {notification.fingerprint}"


def _no_notification(why: str) -> InvalidRequest:
    return InvalidRequest.of([Problem("body", "format", f"This is no notification of FlexFactor's: {why}.")])


def _by_name(headers: Headers) -> dict[str, str]:
    pairs = cast("Mapping[str, str]", headers).items() if hasattr(headers, "items") else headers
    try:
        return {_header_text(name).lower(): _header_text(value) for name, value in pairs}
    except (TypeError, ValueError):
        message = f"headers must be a mapping, or pairs of name and value, not {kind_of(headers)}."
    raise InvalidRequest.of([Problem("headers", "type", message)])


def _header_text(part: object) -> str:
    if isinstance(part, bytes):
        return part.decode("latin-1")
    return part if isinstance(part, str) else ""  # what is no text is no header of a signed request


def _decoded(key: object) -> bytes:
    if isinstance(key, str) and key.strip():
        try:
            decoded = SecretBytes(base64.b64decode(key.strip().encode("ascii"), validate=True))
        except (ValueError, binascii.Error):
            pass
        else:
            if len(decoded) >= _SHORTEST_KEY:
                return decoded
            raise ConfigurationError(
                f"subscriber_key has {len(decoded)} bytes, and at least {_SHORTEST_KEY} are needed: copy all of it."
            )
    raise ConfigurationError("subscriber_key must be base64, as the merchant portal shows it.")


def _signature(key: bytes, to_sign: bytes) -> bytes:
    return base64.b64encode(hmac.new(key, to_sign, hashlib.sha512).digest())


def _ascii(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _digest(content: dict[str, Any], *, without: tuple[str, ...]) -> str:
    kept = {name: value for name, value in content.items() if name.lower() not in without}
    return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()


def _shown(value: str | None) -> str:
    return repr(None if value is None else one_line(value))
