"""Requests that a provider posts to a webhook: their headers, their signature, their age and their body."""

from __future__ import annotations

import base64
import binascii
import hmac
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from string import Formatter
from typing import Any, Literal, cast

from victor_ext.errors import AuthenticationError, ConfigurationError, InvalidRequest, Problem
from victor_ext.privacy import SecretBytes, concealed, kind_of
from victor_ext.runtime.auth.credentials import UnpicklableCredentials, checked_secret
from victor_ext.runtime.core.clock import http_date
from victor_ext.runtime.core.headers import is_scheme
from victor_ext.runtime.core.json_values import is_object, parsed
from victor_ext.runtime.core.validation import are_seconds, seconds_complaint, shown

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
    if isinstance(part, bytes):
        return part.decode("latin-1")
    return part if isinstance(part, str) else ""  # any other type is not a header of a signed request


def header_bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def checked_tolerance(tolerance: object) -> float:
    """The seconds that a request may be old. Raises `ConfigurationError`."""
    if not are_seconds(tolerance):
        raise ConfigurationError(seconds_complaint("tolerance", tolerance, "above zero"))
    return float(cast("float", tolerance))


def check_age(sent_at: float, now: float, tolerance: float) -> None:
    """Raise `AuthenticationError` for a request that was sent too long ago, or in the future; all in seconds."""
    age = now - sent_at
    if abs(age) > tolerance:
        when = f"{age:.0f} s old" if age > 0 else f"{-age:.0f} s ahead"
        raise AuthenticationError(
            f"The notification is {when}, and {tolerance:g} s are allowed: a replay, or a clock that is off."
        )


# ---- A signature as most providers make it ----

Algorithm = Literal["sha1", "sha256", "sha384", "sha512"]
_ALGORITHMS = ("sha1", "sha256", "sha384", "sha512")
_ENCODINGS = ("text", "base64", "hex")
_TIMES = frozenset({"t", "ts", "time", "timestamp", "date"})
"""The last words of names of times: `t`, `webhook-timestamp`, `x-date`."""
_PAIR = re.compile(r"([A-Za-z][A-Za-z0-9_-]*)=(?!=*$)(.+)", re.DOTALL)
"""`v1=5257a8`, and no base64, whose equals signs are at its end."""
_EPOCH = re.compile(r"[0-9]{1,16}", re.ASCII)
_MILLISECONDS = 10**11
"""Seconds since the epoch are less (until the year 5138), and milliseconds more (since 1973)."""


class HmacSignature(UnpicklableCredentials):
    """Checks that a request has a signature that only the provider and you can make. Call it with headers and body.

    The header may have several signatures, in hex or base64, alone or named: `5257a8`, `sha256=5257a8`,
    `t=1700000000,v1=5257a8,v1=6ffbb5` (Stripe), `v1,K5oZfz v1,bm9ldH` (Standard Webhooks). One that fits is enough.

    Args:
        header: The name of the header with the signature, in any letter case.
        secret: The secret that the provider shares with you, or several while one replaces another. Bytes are the key.
        algorithm: The hash function: `sha256`, `sha512`, `sha384` or `sha1`.
        signed: What is signed. `{body}` is the body as it came. Any other `{name}` is a part of the signature's header
            (`t=`), or the value of a header: of that name, or of that name after the first part of the signature's own
            (`{id}` is `webhook-id` beside `webhook-signature`). `{timestamp}` is a part `t` or `ts`, too.
        tolerance: Seconds by which a request may be old, or ahead of this machine's clock; above 0. It counts wherever
            a time is signed: a name that ends with `timestamp`, `time`, `date`, `ts` or `t`.
        secret_encoding: What a secret that is text is: the key itself (`text`), or the key in `base64` (`whsec_` in
            front is dropped) or in `hex`.
        now: Returns the time, in seconds since the epoch.

    Raises:
        ConfigurationError: An argument cannot work.

    Source: docs.stripe.com/webhooks/signature, standardwebhooks.com, docs.github.com (validating webhook deliveries),
    docs.adyen.com (verify HMAC signatures).
    """

    def __init__(
        self,
        *,
        header: str,
        secret: str | bytes | Sequence[str | bytes],
        algorithm: Algorithm = "sha256",
        signed: str = "{body}",
        tolerance: float = 300.0,
        secret_encoding: Literal["text", "base64", "hex"] = "text",  # noqa: S107 - a kind of text, not a secret
        now: Callable[[], float] = time.time,
    ) -> None:
        secret = tuple(map(concealed, secret if isinstance(secret, list | tuple) else [secret]))
        if not isinstance(header, str) or not is_scheme(header):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ConfigurationError(f"header={shown(header)} is not a name of a header, such as 'X-Signature'.")
        if algorithm not in _ALGORITHMS:
            raise ConfigurationError(f"algorithm={shown(algorithm)} must be one of {', '.join(_ALGORITHMS)}.")
        if secret_encoding not in _ENCODINGS:
            raise ConfigurationError(
                f"secret_encoding={shown(secret_encoding)} must be one of {', '.join(_ENCODINGS)}."
            )
        self._keys = [_key(each, secret_encoding) for each in secret]
        if not self._keys:
            raise ConfigurationError("secret is missing: copy it from the provider's portal.")
        self._header, self._algorithm, self._now = header.lower(), algorithm, now
        self._parts = [*_template(signed)]
        self._tolerance = checked_tolerance(tolerance)

    def __repr__(self) -> str:
        return f"HmacSignature(header={getattr(self, '_header', None)!r}, secret=[hidden])"

    def __call__(self, headers: Headers, body: bytes | str) -> None:
        """Return if the signature is the provider's and recent.

        Args:
            headers: The headers of the request, with names in any letter case: a mapping, or pairs of name and value.
            body: The body of the request, as the bytes that came.

        Raises:
            AuthenticationError: It may not come from the provider, or is too old. Answer 401, and ignore the body.
            InvalidRequest: The headers are neither a mapping nor pairs.
        """
        sent = headers_by_name(headers)
        given = sent.get(self._header)
        if not given:
            raise AuthenticationError(f"The notification has no header {self._header}, which has its signature.")
        parts = [*_split(given)]
        named = {name: value for name, value in reversed(parts) if name}  # the first of a name
        message, times = b"", list[str]()
        for before, name, after in self._parts:
            message += before
            if name == "body":
                message += body.encode("utf-8", "surrogatepass") if isinstance(body, str) else bytes(body)
            elif name:
                value = self._value(name, named, sent)
                if after and after in value:
                    # The parts are joined by it: within one, it would let other values have the same signature.
                    raise AuthenticationError(f"The notification's {name} holds {after!r}, which is between the parts.")
                message += header_bytes(value)
                times += [value] if re.split("[-_]", name)[-1] in _TIMES else []
        digests = [hmac.new(key, message, self._algorithm).digest() for key in self._keys]
        candidates = [_decoded(value, len(digests[0])) for _, value in parts]
        # Each is compared with each, in constant time, so that the duration reveals nothing.
        if not sum(hmac.compare_digest(digest, each) for digest in digests for each in candidates):
            raise AuthenticationError(
                f"The signature in {self._header} does not match: check the secret, and that the body is as it came."
            )
        for value in times:
            check_age(_moment(value), self._now(), self._tolerance)

    def _value(self, name: str, named: Mapping[str, str], sent: Mapping[str, str]) -> str:
        beside = f"{self._header.rpartition('-')[0]}-{name}"
        names = (name, "t", "ts") if name == "timestamp" else (name, "timestamp") if name == "t" else (name,)
        values = (*(named.get(each) for each in names), sent.get(name), sent.get(beside))
        value = next((each for each in values if each), None)
        if value is None:
            where = f"in {self._header}, and no header {name} or {beside}"
            raise AuthenticationError(f"The notification has no {name} {where}, and it is signed.")
        return value


def _split(value: str) -> Iterator[tuple[str, str]]:
    """The parts of a signature's header, each with its name in lower case; without one, an empty name."""
    for part in re.split(r"[\s,;]+", value.strip()):
        match = _PAIR.fullmatch(part)
        yield (match[1].lower(), match[2].strip('"')) if match else ("", part.strip('"'))


def _template(signed: object) -> Iterator[tuple[bytes, str | None, str]]:
    """The literal text before each name, the name, and the literal text after it."""
    try:
        parts = [*Formatter().parse(cast("str", signed))]
        bodies = sum(name == "body" for _, name, _, _ in parts)
        if bodies != 1 or any(name == "" or spec or conversion for _, name, spec, conversion in parts):
            raise ValueError
    except (ValueError, TypeError):
        message = f"signed={shown(signed)} must be text with {{body}} once, such as '{{timestamp}}.{{body}}'."
        raise ConfigurationError(message) from None
    for (before, name, _, _), (after, *_) in zip(parts, [*parts[1:], ("", None, None, None)], strict=True):
        yield before.encode(), name and name.lower(), after


def _key(secret: Any, encoding: str) -> SecretBytes:
    if isinstance(secret, bytes):
        key = secret
    else:
        text, key = checked_secret("secret", secret), b""
        with suppress(ValueError):
            if encoding == "base64":
                key = base64.b64decode(text.removeprefix("whsec_"), validate=True)
            else:
                key = bytes.fromhex(text) if encoding == "hex" else text.encode()
    if not key:
        raise ConfigurationError(f"secret is empty, or is not {encoding}: copy all of it from the provider's portal.")
    return SecretBytes(key)


def _decoded(value: str, size: int) -> bytes:
    """A signature of `size` bytes, which is written in hex or in base64; empty for another text."""
    text = value.encode("ascii", "replace").rstrip(b"=")
    try:
        if len(text) == 2 * size:
            return binascii.unhexlify(text)
        return base64.b64decode(text + b"=" * (-len(text) % 4), b"-_" if set(text) & set(b"-_") else None)
    except ValueError:
        return b""


def _moment(text: str) -> float:
    """A signed time as seconds since the epoch. Raises `AuthenticationError`."""
    if _EPOCH.fullmatch(text):
        number = int(text)
        return number / 1000 if number >= _MILLISECONDS else float(number)
    moment = http_date(text)
    with suppress(ValueError, OverflowError):
        parsed_moment = datetime.fromisoformat(text)
        moment = parsed_moment.timestamp() if parsed_moment.tzinfo is not None else None
    if moment is None:
        raise AuthenticationError("The signed time is neither seconds since the epoch nor a date with a zone.")
    return moment


# ---- The body ----


def invalid_notification(provider: str, reason: str) -> InvalidRequest:
    """The error for a body that is not a notification of this provider; the reason follows "the body"."""
    message = f"This is not a notification of {provider}'s: the body {reason}."
    return InvalidRequest.of([Problem("body", "format", message)])


def notification_body(body: object, *, provider: str) -> dict[str, Any]:
    """The JSON object in the body of a notification.

    Raises:
        InvalidRequest: It is longer than `MAX_BYTES` bytes (or characters of a text), or no JSON object.
    """
    if not isinstance(body, bytes | bytearray | str):
        reason = f"is of type {type(body).__name__}: pass the body as it came, bytes or text"
        raise invalid_notification(provider, reason)
    if len(body) > MAX_BYTES:
        raise invalid_notification(provider, f"is longer than {MAX_BYTES // 1024} KiB")
    try:
        content: object = parsed(body)
    except ValueError:
        raise invalid_notification(provider, "is not JSON") from None
    if not is_object(content):
        raise invalid_notification(provider, "is JSON, but no object")
    return content
