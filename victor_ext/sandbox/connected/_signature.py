"""The signature of notifications as most providers make it: an HMAC of the body, the time and the
id of the notification.
"""

import base64
import binascii
import hmac
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, get_args

from victor_ext.sandbox.server import require_one_of

Algorithm = Literal["sha1", "sha256", "sha384", "sha512"]
Encoding = Literal["hex", "base64"]
SecretEncoding = Literal["text", "base64", "hex"]

_NAMED = re.compile("{([^{}]*)}")
_IN_SIGNED = ("id", "timestamp", "body")
_IN_HEADERS = ("id", "timestamp", "signature")
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_OF_CONNECTION = ("connection", "content-length", "host", "transfer-encoding")
"""Headers that whoever sends a request makes."""
_DECODERS: dict[str, Callable[[str], bytes]] = {
    "text": str.encode,
    "base64": lambda text: base64.b64decode(text.removeprefix("whsec_"), validate=True),
    "hex": bytes.fromhex,
}


class Unsigned(NamedTuple):
    """One request before it is signed."""

    id: str
    """Of the notification: the same one each time that it is posted."""
    timestamp: int
    """Epoch seconds of the sandbox's wall clock."""
    body: bytes
    url: str

    @property
    def values(self) -> dict[str, str]:
        """What `{id}` and `{timestamp}` stand for."""
        return {"id": self.id, "timestamp": str(self.timestamp)}


@dataclass(frozen=True, kw_only=True)
class Signature:
    """Headers that prove to a receiver who posts: one of them has an HMAC.

    Attributes:
        headers: The headers by name. `{signature}`, `{id}` and `{timestamp}` stand for the HMAC,
            the id of the notification, and the time in seconds since the epoch:
            `{"Stripe-Signature": "t={timestamp},v1={signature}"}`.
        secret: The secret that the receiver has, too. Bytes are the key.
        signed: What is signed: `{body}` is the body as it is sent, beside `{id}` and `{timestamp}`.
        algorithm: The hash function.
        encoding: How the HMAC is written.
        secret_encoding: What a secret that is text is: the key itself (`text`), or the key in
            `base64` (`whsec_` in front is dropped) or in `hex`.

    Raises:
        ValueError: An argument cannot work; the message names it.
    """

    headers: Mapping[str, str]
    secret: str | bytes = field(repr=False)
    signed: str = "{body}"
    algorithm: Algorithm = "sha256"
    encoding: Encoding = "hex"
    secret_encoding: SecretEncoding = "text"  # noqa: S105 - no secret

    def __post_init__(self) -> None:
        require_one_of("algorithm", self.algorithm, get_args(Algorithm))
        require_one_of("encoding", self.encoding, get_args(Encoding))
        require_one_of("secret_encoding", self.secret_encoding, get_args(SecretEncoding))
        check_headers(self.headers)
        if not any("{signature}" in value for value in self.headers.values()):
            raise ValueError(
                "headers has no {signature}: write the header that has it, such as "
                "{'X-Signature': '{signature}'}"
            )
        _require_names("signed", self.signed, _IN_SIGNED)
        if self.signed.count("{body}") != 1:
            raise ValueError(
                f"signed must have {{body}} once, such as '{{timestamp}}.{{body}}', not "
                f"{self.signed!r}"
            )
        self._key()

    def __call__(self, unsigned: Unsigned) -> dict[str, str]:
        """The headers of one request."""
        values = unsigned.values
        before, _, after = self.signed.partition("{body}")
        message = b"".join(
            (filled(before, values).encode(), unsigned.body, filled(after, values).encode())
        )
        digest = hmac.digest(self._key(), message, self.algorithm)
        is_hex = self.encoding == "hex"
        values["signature"] = digest.hex() if is_hex else base64.b64encode(digest).decode()
        return {name: filled(value, values) for name, value in self.headers.items()}

    def _key(self) -> bytes:
        if isinstance(self.secret, bytes):
            key = self.secret
        else:
            try:
                key = _DECODERS[self.secret_encoding](self.secret)
            except (ValueError, binascii.Error):
                key = b""
        if not key:
            raise ValueError(f"secret is empty, or is not {self.secret_encoding}")
        return key


def check_headers(headers: Mapping[str, str], known: Sequence[str] = _IN_HEADERS) -> None:
    """Raise `ValueError` for a name or a value that no header can have, or for a name in braces
    that is none of those `known`.
    """
    for name, value in headers.items():
        if not _HEADER.fullmatch(name):
            raise ValueError(f"{name!r} is no name of a header, such as X-Signature")
        if name.lower() in _OF_CONNECTION:
            raise ValueError(f"the header {name} is made by the sandbox: leave it out")
        _require_names(f"headers[{name!r}]", value, known)
        if not value.isascii() or not value.isprintable():
            raise ValueError(f"the header {name} must be visible ASCII, not {value!r}")


def _require_names(where: str, template: str, known: Sequence[str]) -> None:
    for name in _NAMED.findall(template):
        if name not in known:
            names = ", ".join(f"{{{each}}}" for each in known)
            raise ValueError(f"{where} has {{{name}}}: write one of {names}")


def filled(template: str, values: Mapping[str, str]) -> str:
    """The text of a template, in which a name in braces stands for a value."""
    return _NAMED.sub(lambda found: values[found[1]], template)
