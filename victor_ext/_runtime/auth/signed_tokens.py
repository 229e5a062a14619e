"""RS512 tokens: JSON Web Tokens (RFC 7519) in compact form, signed by PyJWT with a key of this
process, or elsewhere.

First the two ways to sign; then `load_rsa_key`, which reads an RSA private key.
"""

import base64
import json
import os
import re
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, cast

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from jwt import PyJWS

from victor_ext._privacy import HIDDEN, Secret, SecretBytes, concealed, kind_of
from victor_ext._runtime.core.clock import ServerClock
from victor_ext._runtime.loop.flow import Flow, Invoke, Lock, NotInTime
from victor_ext._runtime.loop.retry import Exchange
from victor_ext.errors import ConfigurationError, DeadlineExceeded

from .tokens import IssuedToken, TokenCache

Sign = Callable[[bytes], bytes] | Callable[[bytes], Awaitable[bytes]]
"""Signs bytes elsewhere, such as in a KMS: RSASSA-PKCS1-v1_5 with SHA-512."""

_RENEWAL_SECONDS = 5.0
"""Seconds that a signature may take while the kept token can still be used, at most; and at most
half of what the call has left.
"""


_JWS = PyJWS(algorithms=["RS512"])


def signed_token(claims: Mapping[str, Any], key: RSAPrivateKey) -> str:
    """A token with these claims, as JSON data."""
    return _JWS.encode(_json(claims), key, algorithm="RS512")


def _json(claims: Mapping[str, Any]) -> bytes:
    """Claims as JSON without blanks."""
    return json.dumps(claims, separators=(",", ":")).encode()


def _base64url(data: bytes | bytearray) -> str:
    """Bytes as a part of a token (RFC 7515, 2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class SignedElsewhere(TokenCache):
    """Tokens of one client whose key is elsewhere. One token serves all calls for `reuse` seconds
    from its issue.

    `claims` makes the claims from the time of issue: the provider's, in seconds since the epoch.
    """

    def __init__(
        self,
        sign: Sign,
        claims: Callable[[float], Mapping[str, Any]],
        clock: ServerClock,
        lock: Lock,
        *,
        prefix: str,
        reuse: float,
    ) -> None:
        super().__init__(clock, lock)
        self._sign = sign
        self._claims = claims
        self._prefix = prefix
        self._reuse = reuse

    renewal_may_fail_with = Exception

    def _obtain(
        self, _exchange: Exchange, seconds: float | None, /, *, best_effort: bool
    ) -> Flow[IssuedToken]:
        """Make a token, whose signature the caller's function returns in time.

        Raises `DeadlineExceeded`, and `ConfigurationError` if that is no signature.
        """
        if best_effort:
            seconds = _RENEWAL_SECONDS if seconds is None else min(_RENEWAL_SECONDS, seconds / 2)
        skew = self._clock.skew
        now = self._clock.now()
        # Header and claims, as they are signed (RFC 7515, 5.1).
        parts = ({"alg": "RS512", "typ": "JWT"}, self._claims(now))
        content = Secret(".".join(_base64url(_json(part)) for part in parts))
        try:
            signature: object = concealed(
                (yield Invoke(self._sign, SecretBytes(content.encode()), seconds))
            )
        except NotInTime:
            raise DeadlineExceeded(
                f"No token: sign did not return within the {seconds:.3g} s that were left for it."
            ) from None
        if not isinstance(signature, bytes | bytearray) or not signature:
            what = "no bytes" if isinstance(signature, bytes | bytearray) else kind_of(signature)
            raise ConfigurationError(
                f"sign must return the bytes of an RS512 signature, not {what}."
            )
        if _ENCODED.fullmatch(signature):
            raise ConfigurationError(
                "sign returned the text of a signature, in base64 or hex: decode it, and return "
                "its bytes."
            )
        header = Secret(f"{self._prefix} {content}.{_base64url(signature)}")
        return IssuedToken(header, now + self._reuse, now, skew)


_ENCODED = re.compile(rb"[A-Za-z0-9+/=_\s-]{170,}")
"""The text of a signature of 128 bytes or more, in base64 or hex. No signature looks so."""
_LONGEST_PATH = 256
"""Characters of a path. A key has more."""
_LEAST_BITS = 2048
"""RFC 7518, 3.3."""
_EXPECTED = (
    f"is no RSA private key of {_LEAST_BITS} bits or more. Pass PEM, base64 of PKCS#8, the "
    "path of a file with one of them, or a key object of cryptography"
)


def load_rsa_key(
    key: object,
    *,
    password: str | None = None,
    name: str = "private_key",
    opened_with: str = "password",
) -> RSAPrivateKey:
    """Read an RSA private key. Messages hold no part of the key or its password.

    `cryptography` validates it: the parts of a damaged key do not belong together. This takes 27 ms
    or more, once.

    Args:
        key: PEM (PKCS#8, PKCS#1) or base64 of PKCS#8, as text or bytes; the path of a file with one
            of them; or a key object.
        password: For an encrypted PEM.
        name: What messages call the key.
        opened_with: What messages call the password.

    Raises:
        ConfigurationError: The value is not such a key.
    """
    password = concealed(password)
    key = key_material(key, name)
    if isinstance(key, str):
        key = _parsed_key(Secret(key), password, name, opened_with)
    if isinstance(key, RSAPrivateKey) and key.key_size >= _LEAST_BITS:
        return key
    raise ConfigurationError(f"{name} {_EXPECTED}.")


def key_material(key: object, name: str) -> object:
    """The text of a key, where its path or its bytes were passed; else what was passed.

    Raises `ConfigurationError`: the file cannot be read.
    """
    if isinstance(key, bytes):
        return Secret(key.decode("utf-8", "replace"))
    is_file_name = isinstance(key, str) and len(key) < _LONGEST_PATH and Path(key).is_file()
    if not is_file_name and not isinstance(key, os.PathLike):
        return concealed(key)
    path = Path(cast("str | os.PathLike[str]", key))
    try:
        return Secret(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "it is not text"
    shown = repr(str(path)) if len(str(path)) < _LONGEST_PATH else HIDDEN  # it may be the key
    raise ConfigurationError(f"{name}: the file {shown} cannot be read ({why}).")


def _parsed_key(text: Secret, password: str | None, name: str, opened_with: str) -> object:
    """The key object of a text; None for another text. Raises `ConfigurationError`: the password is
    missing, or one too many.
    """
    # An environment variable often carries quotes, and the two characters \n for line breaks.
    text = Secret(text.replace("\\n", "\n").strip().strip("\"'").strip())
    opening = Secret(password or "").encode() or None
    try:
        if "-----BEGIN" in text:
            return serialization.load_pem_private_key(bytes(text.encode()), opening)
        data = SecretBytes(base64.b64decode("".join(text.split()), validate=True))
        return serialization.load_der_private_key(bytes(data), opening)
    except TypeError:
        why = f"is not encrypted: leave {opened_with} out"
        if not password:
            why = f"is encrypted: set {opened_with}"
    except (ValueError, UnsupportedAlgorithm):
        if not password:
            return None
        why = f"cannot be read with this {opened_with}, or is no private key"
    raise ConfigurationError(f"{name} {why}.")
