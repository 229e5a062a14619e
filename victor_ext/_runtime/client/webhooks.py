"""Requests that a provider posts to a webhook: their headers, age, body and signature.

In this order: headers, bytes and age; `Delivery`, what an inbox stores; the body; `HmacSignature`,
the signature as most providers make it.
"""

import base64
import hmac
import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Literal, cast, get_args

from victor_ext._privacy import SecretBytes, concealed, kind_of
from victor_ext._runtime.auth.credentials import UnpicklableCredentials, checked_secret
from victor_ext._runtime.core.clock import epoch_seconds
from victor_ext._runtime.core.headers import is_scheme
from victor_ext._runtime.core.json_values import is_object, parsed
from victor_ext._runtime.core.validation import are_seconds, seconds_complaint, shown
from victor_ext.errors import AuthenticationError, ConfigurationError, InvalidRequest, Problem

NOTIFICATION = "notification"
"""The code of the problem that a request to a webhook is not a notification."""
READ_BEFORE = "something has read it before (in Flask, call request.get_data() first of all)"
"""Why a body may be empty."""
IS_NOT_JSON = "is not JSON"
_GZIP = b"\x1f\x8b"
MAX_BYTES = 1 << 20
"""The longest body that is read (1 MiB). A notification has about one KiB."""

Headers = Mapping[str, str] | Iterable[tuple[str, str]] | Iterable[tuple[bytes, bytes]]


def headers_by_name(headers: Headers) -> dict[str, str]:
    """The headers of a request by their names in lower case; of a repeated one, the last.

    Raises:
        InvalidRequest: They are neither a mapping nor pairs.
    """
    try:
        pairs = cast("Mapping[str, str]", headers).items() if hasattr(headers, "items") else headers
        return {_header_text(name).lower(): _header_text(value) for name, value in pairs}
    except (TypeError, ValueError):
        message = f"headers must be a mapping, or pairs of name and value, not {kind_of(headers)}."
    raise InvalidRequest.of([Problem("headers", "type", message)])


def _header_text(part: object) -> str:
    """A name or a value of a header as text; empty for another type, which no header has."""
    if isinstance(part, bytes):
        return part.decode("latin-1")
    return part if isinstance(part, str) else ""


def header_bytes(text: str) -> bytes:
    """The bytes that are signed of a text, such as the value of a header."""
    return text.encode("utf-8", "surrogatepass")


def body_bytes(body: object) -> bytes:
    """The bytes of a body. Raises `InvalidRequest` for any other type: a parser made it."""
    if isinstance(body, bytes | bytearray | memoryview):
        return bytes(cast("bytes", body))
    if isinstance(body, str):
        return header_bytes(body)
    message = (
        f"body must be the raw bytes of the request, read before any parser, not {kind_of(body)}."
    )
    raise InvalidRequest.of([Problem("body", "type", message)])


def checked_tolerance(tolerance: object) -> float:
    """The seconds that a request may be old. Raises `ConfigurationError`."""
    if not are_seconds(tolerance):
        raise ConfigurationError(seconds_complaint("tolerance", tolerance, "above zero"))
    return float(cast("float", tolerance))


def check_age(sent_at: float, now: float, tolerance: float) -> None:
    """Raise `AuthenticationError` for a request that was sent too long ago, or in the future; all
    in seconds.
    """
    age = now - sent_at
    if abs(age) > tolerance:
        when = f"{age:.0f} s old" if age > 0 else f"{-age:.0f} s ahead"
        raise AuthenticationError(
            f"The notification is {when}, and {tolerance:g} s are allowed: a replay, or a clock "
            "that is off."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A request to a webhook that is known to be the system's, as an inbox stores it.

    Attributes:
        name: What happened, such as `payment.accepted`.
        subject: The id of the event, or of what it is about, for people.
        content: JSON that the webhook reads again when the event is handled.
        ids: What identifies it. It is a repeat if one of them identified one that came before: so
            it has only what proves that it is the same event.
        once: While another event with this text waits, it is a repeat.
        is_known_by_content: Whether its ids are made of its content alone, since it names no id of
            its own: then a repeat may be another event that is equal.
    """

    name: str
    subject: str
    content: str = field(repr=False)
    ids: tuple[str, ...] = ()
    once: str | None = None
    is_known_by_content: bool = False


# ---- The body ----


def invalid_notification(provider: str, reason: str) -> InvalidRequest:
    """The error for a body that is not a notification of this provider; the reason follows "the
    body".
    """
    message = f"This is not a notification of {provider}'s: the body {reason}."
    return InvalidRequest.of([Problem("body", NOTIFICATION, message)])


def no_json_reason(body: bytes) -> str:
    """Why a body is not JSON, for `invalid_notification`."""
    if body.startswith(_GZIP):
        return f"{IS_NOT_JSON}, but compressed (gzip): decompress it first"
    return IS_NOT_JSON if body else f"{IS_NOT_JSON}, but empty: {READ_BEFORE}"


def notification_body(body: object, *, provider: str) -> dict[str, Any]:
    """The JSON object in the body of a notification.

    Raises:
        InvalidRequest: It is longer than `MAX_BYTES` bytes, or no JSON object.
    """
    raw = body_bytes(body)
    if len(raw) > MAX_BYTES:
        raise invalid_notification(provider, f"is longer than {MAX_BYTES // 1024} KiB")
    try:
        content: object = parsed(raw)
    except ValueError:
        raise invalid_notification(provider, no_json_reason(raw)) from None
    if not is_object(content):
        raise invalid_notification(provider, "is JSON, but no object")
    return content


Algorithm = Literal["sha1", "sha256", "sha384", "sha512"]
_DECODERS: dict[str, Callable[[str], bytes]] = {
    "text": str.encode,
    "base64": lambda text: base64.b64decode(text.removeprefix("whsec_"), validate=True),
    "hex": bytes.fromhex,
}
_PART = re.compile(r"(?:([A-Za-z][A-Za-z0-9_-]*)=(?!=*(?:[\s,;]|$)))?([^\s,;]+)")
"""`v1=5257a8`, or `K5oZfz==` alone: base64 has its equals signs at its end."""
_DIGITS = re.compile("[0-9]{1,16}")
_TEMPLATE = re.compile(r"([^{}]*)((?:{(?!body})[\w-]+}[^{}]+)*){body}")
_NAMED = re.compile(r"{([\w-]+)}([^{}]+)")


class HmacSignature(UnpicklableCredentials):
    """Checks that a request has a signature that only the provider and you can make. Call it with
    headers and body.

    The header may have several signatures, in hex or base64, alone or named: `5257a8`,
    `sha256=5257a8`, `t=1700000000,v1=5257a8,v1=6ffbb5` (Stripe), `v1,K5oZfz v1,bm9ldH` (Standard
    Webhooks). One that fits is enough.

    Args:
        header: The name of the header with the signature, in any letter case.
        secret: The secret that the provider shares with you, or several while one replaces another.
            Bytes are the key.
        algorithm: The hash function: `sha256`, `sha512`, `sha384` or `sha1`.
        signed: What is signed: `{body}`, the body as it came, or `{timestamp}.{body}` and the like.
            Each name before the body is a part of the signature's header (`t=`), or the value of a
            header: of that name, or of that name after the first part of the signature's own
            (`{id}` is `webhook-id` beside `webhook-signature`). `{timestamp}` is a part `t` or
            `ts`, too. Behind each name is a text, whose first character the value may not have. For
            any other form, verify by a function of your own.
        tolerance: Seconds by which a request may be old, or ahead of this machine's clock; above 0.
            The time, in seconds or milliseconds since the epoch, is the name that ends with
            `timestamp`. None checks no age: write it if more than the body is signed, and no time.
        secret_encoding: What a secret that is text is: the key itself (`text`), or the key in
            `base64` (`whsec_` in front is dropped) or in `hex`.
        now: Returns the time, in seconds since the epoch.

    Raises:
        ConfigurationError: An argument cannot work.

    Source: docs.stripe.com/webhooks/signature, standardwebhooks.com, docs.github.com (validating
    webhook deliveries), docs.adyen.com (verify HMAC signatures).
    """

    def __init__(
        self,
        *,
        header: str,
        secret: str | bytes | Sequence[str | bytes],
        algorithm: Algorithm = "sha256",
        signed: str = "{body}",
        tolerance: float | None = 300.0,
        secret_encoding: Literal["text", "base64", "hex"] = "text",  # noqa: S107 - no secret
        now: Callable[[], float] = time.time,
    ) -> None:
        if not isinstance(secret, list | tuple):
            secret = [cast("str", secret)]
        secret = tuple(map(concealed, secret))
        is_text = isinstance(header, str)  # pyright: ignore[reportUnnecessaryIsInstance] - untyped
        if not is_text or not is_scheme(header):
            raise ConfigurationError(
                f"header={shown(header)} is not a name of a header, such as 'X-Signature'."
            )
        for name, word, known in (
            ("algorithm", algorithm, get_args(Algorithm)),
            ("secret_encoding", secret_encoding, tuple(_DECODERS)),
        ):
            if word not in known:
                raise ConfigurationError(f"{name}={shown(word)} must be one of {', '.join(known)}.")
        self._keys = [_key_of(text, secret_encoding) for text in secret]
        if not self._keys:
            raise ConfigurationError("secret is missing: copy it from the provider's portal.")
        template = _TEMPLATE.fullmatch(str(signed))
        if template is None:
            raise ConfigurationError(
                f"signed={shown(signed)} must be text such as '{{timestamp}}.{{body}}', with the "
                "body at its end, and a text behind each other name: verify any other form by a "
                "function of your own."
            )
        self._begin = template[1]
        self._parts = [(name.lower(), text) for name, text in _NAMED.findall(template[2])]
        self._times = [name for name, _ in self._parts if name.endswith("timestamp")]
        if tolerance is None:
            self._times = []
        elif self._parts and not self._times:
            raise ConfigurationError(
                f"signed={shown(signed)} has no name that ends with timestamp, so a replay would "
                "pass: verify by a function of your own, or write tolerance=None."
            )
        self._header = header.lower()
        self._algorithm = algorithm
        self._now = now
        self._tolerance = checked_tolerance(300.0 if tolerance is None else tolerance)

    def __repr__(self) -> str:
        return f"HmacSignature(header={getattr(self, '_header', None)!r}, secret=[hidden])"

    def __call__(
        self, headers: Headers, body: bytes | bytearray | memoryview | str
    ) -> dict[str, str]:
        """Check that the signature is the provider's and recent. Returns what it has signed beside
        the body: the values that `signed` names, by their names in lower case. Nobody else can have
        changed these.

        Args:
            headers: The headers of the request, with names in any letter case: a mapping, or pairs
                of name and value.
            body: The body of the request, as the bytes that came.

        Raises:
            AuthenticationError: It may not come from the provider, or is too old. Answer 401, and
                ignore the body.
            InvalidRequest: The headers are neither a mapping nor pairs, or the body is neither
                bytes nor text.
        """
        sent = headers_by_name(headers)
        content = body_bytes(body)
        named = _PART.findall(sent.get(self._header, ""))
        parts = [(name.lower(), value.strip('"')) for name, value in named]
        if not parts:
            raise AuthenticationError(
                f"The notification has no header {self._header}, which has its signature."
            )
        values = dict[str, str]()
        text = self._begin
        for name, behind in self._parts:
            value = self._value(name, parts, sent)
            if behind[0] in value:
                # With a shorter value, and the rest of it in another part, the message would be the
                # same, and so would the signature.
                raise AuthenticationError(
                    f"The notification's {name} holds {behind[0]!r}, which ends it."
                )
            values[name] = value
            text += value + behind
        message = header_bytes(text) + content
        signatures = [value for _, value in parts]
        if not is_signed(message, self._keys, self._algorithm, signatures):
            as_it_came = "that the body is as it came" if content else f"its body: {READ_BEFORE}"
            raise AuthenticationError(
                f"The signature in {self._header} does not match: check the secret, and "
                f"{as_it_came}."
            )
        for name in self._times:
            moment = epoch_seconds(int(values[name])) if _DIGITS.fullmatch(values[name]) else None
            if moment is None:
                raise AuthenticationError(
                    "The signed time is not seconds or milliseconds since the epoch."
                )
            check_age(moment, self._now(), self._tolerance)
        return values

    def _value(self, name: str, parts: Iterable[tuple[str, str]], sent: Mapping[str, str]) -> str:
        """The value of a part of the signed text: from the `parts` of the signature's header, or
        from one of the headers that were `sent`. Raises `AuthenticationError` without a value.
        """
        names = (name, "t", "ts") if name == "timestamp" else (name,)
        values = [value for wanted in names for own, value in parts if own == wanted]
        beside = f"{self._header.rpartition('-')[0]}-{name}"
        value = next(filter(None, [*values, sent.get(name), sent.get(beside)]), None)
        if value is None:
            raise AuthenticationError(
                f"The notification has no {name}, which is signed: neither in {self._header}, nor "
                "in a header of its own."
            )
        return value


def _key_of(secret: object, encoding: str) -> SecretBytes:
    """The key of a secret: bytes are the key itself. Raises `ConfigurationError`."""
    if isinstance(secret, bytes) and secret:
        return SecretBytes(secret)
    return decoded_key("secret", secret, encoding)


def decoded_key(name: str, secret: object, encoding: str) -> SecretBytes:
    """The key whose text, in this encoding, is the secret with this name.

    Raises `ConfigurationError`.
    """
    text = checked_secret(name, secret)
    key = b""
    with suppress(ValueError):
        key = _DECODERS[encoding](text)
    if not key:
        raise ConfigurationError(
            f"{name} is empty, or is not {encoding}: copy all of it from the provider's portal."
        )
    return SecretBytes(key)


def is_signed(message: bytes, keys: Sequence[bytes], algorithm: str, texts: Iterable[str]) -> bool:
    """Whether one of these texts is the signature of the message, in hex or base64, under one of
    the keys.
    """
    digests = [hmac.new(key, message, algorithm).digest() for key in keys]
    signatures = [_decoded(text, len(digests[0])) for text in texts]
    # Each digest is compared with each signature, in constant time: the duration reveals nothing.
    matches = [
        hmac.compare_digest(digest, signature) for digest in digests for signature in signatures
    ]
    return any(matches)


def _decoded(value: str, size: int) -> bytes:
    """The bytes of a signature that is written in hex, if it has the length for `size` bytes, or in
    base64; empty for any other text.
    """
    text = value.rstrip("=")
    with suppress(ValueError):
        if len(text) == 2 * size:
            return bytes.fromhex(text)
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    return b""
