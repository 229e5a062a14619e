"""RS512 tokens: JSON Web Tokens (RFC 7519) in compact form, signed by PyJWT with a key of this
process, or elsewhere.

First the two ways to sign; then `load_rsa_key`, which reads an RSA private key in any of the usual
forms.
"""

import base64
import binascii
import json
import os
import re
import warnings
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from jwt import PyJWS
from jwt.algorithms import RSAAlgorithm

from victor_ext._privacy import Secret, SecretBytes, concealed, kind_of
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


class _Rs512(RSAAlgorithm):
    """RS512 for keys whose length was checked when they were read: PyJWT would warn of it in each
    call.
    """

    def check_key_length(self, key: Any) -> str | None:  # noqa: ARG002 - as PyJWT has it
        return None


_JWS = PyJWS(algorithms=[])
_JWS.register_algorithm("RS512", _Rs512(RSAAlgorithm.SHA512))


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
_BASE64 = re.compile(r"[A-Za-z0-9+/\s]+={0,2}\s*")
_MAX_PATH = 1024
_LEAST_BITS = 1024
"""A key with fewer bits is refused."""
_SECURE_BITS = 2048
"""A key with fewer bits is warned of (RFC 7518, 3.3)."""
_EXPECTED = (
    "give an RSA private key: PEM text (PKCS#8 or PKCS#1), base64 of PEM or of PKCS#8 DER, DER "
    "bytes, or a path to a file"
)


def load_rsa_key(
    key: str | bytes | os.PathLike[str] | RSAPrivateKey,
    *,
    password: str | bytes | None = None,
    name: str = "private_key",
    opened_with: str = "password",
) -> RSAPrivateKey:
    """Read an RSA private key. Messages hold no part of the key or its password.

    `cryptography` validates it: the parts of a damaged key do not belong together. This takes 27 ms
    or more, once.

    Args:
        key: PEM (PKCS#8, PKCS#1), base64 of PEM or of PKCS#8 DER with or without line breaks, DER,
            a path, or a key object. Bytes may be each of these but a path.
        password: For an encrypted PEM or DER.
        name: What messages call the key.
        opened_with: What messages call the password.

    Raises:
        ConfigurationError: The value is not such a key.
    """
    key = concealed(key)
    password = concealed(password)
    password = _password_bytes(password)
    data, source = _key_data_and_source(key, name)
    if data is None:
        return _checked_key(key, source)
    return _checked_key(_parsed_key(data, password, source, opened_with), source)


def _password_bytes(password: object) -> SecretBytes:
    """The bytes of a password; empty for None. Raises `ConfigurationError`."""
    if isinstance(password, str):
        return Secret(password).encode(errors="replace")
    if password is None or isinstance(password, bytes):
        return SecretBytes(password or b"")
    raise ConfigurationError(f"password must be text or bytes, not {kind_of(password)}.")


def _key_data_and_source(key: Any, name: str) -> tuple[SecretBytes | None, str]:
    """The bytes of a key, and what messages call their source. The bytes are None for a value that
    is neither text, bytes nor a path: it is a key object, or wrong.
    """
    if isinstance(key, bytes):
        return _without_base64(SecretBytes(key)), name
    if isinstance(key, os.PathLike):
        path = os.fsdecode(cast("os.PathLike[str]", key))
        return _read_file(Secret(path), name, shown=repr(path))
    if not isinstance(key, str):
        return None, name
    # An environment variable often carries the two characters \n where the line breaks were.
    text = Secret(_unquoted(key.replace("\\n", "\n")))
    if not text:
        raise ConfigurationError(f"{name} is empty: {_EXPECTED}.")
    if "-----BEGIN" in text:
        return text.encode(errors="replace"), name
    if (
        len(text) > _MAX_PATH
        or "\n" in text
        or (_BASE64.fullmatch(text) and _key_in_base64(text) is not None)
    ):
        decoded = _key_in_base64(text)
        if decoded is None:
            raise ConfigurationError(f"{name} is neither PEM nor base64: {_EXPECTED}.")
        return decoded, name
    return _read_file(text, name, shown=_shown_path(text))


def _unquoted(text: str) -> str:
    """A text without the quotes that an env file or a YAML file has around it."""
    return text.strip().strip("\"'").strip()


def _key_in_base64(text: str) -> SecretBytes | None:
    """The bytes of a key whose base64 is the text; None where the text is none."""
    try:
        data = base64.b64decode("".join(_unquoted(text).split()), validate=True)
    except (binascii.Error, ValueError):
        return None
    # PEM, or an ASN.1 sequence: a file name made of base64 characters is neither.
    is_key = b"-----BEGIN" in data or data[:1] == b"\x30"
    return SecretBytes(data) if is_key else None


def _without_base64(data: SecretBytes) -> SecretBytes:
    """The bytes of a key: those whose base64 is `data`, or `data` itself."""
    if b"-----BEGIN" in bytes(data):
        return data
    try:
        return _key_in_base64(Secret(data.decode("ascii"))) or data
    except UnicodeDecodeError:
        return data


def _shown_path(text: str) -> str:
    """A path for a message; hidden unless it is clearly a path, since it may be a secret."""
    looks_like_path = "." in text or text.startswith(("/", "~"))
    if looks_like_path and len(text) <= 256 and text.isprintable():
        return repr(str(text))
    return f"of that name (hidden, since it may be a secret: its length is {len(text)})"


def _read_file(path: Secret, name: str, *, shown: str) -> tuple[SecretBytes, str]:
    """The bytes of a key file, and what messages call their source; the file is `shown` to them."""
    try:
        data = SecretBytes(Path(path).read_bytes())
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "it is not a path"
    else:
        return _without_base64(data), f"{name} (the file {shown})"
    raise ConfigurationError(f"{name}: the file {shown} cannot be read ({why}): {_EXPECTED}.")


_PSS = bytes.fromhex("06092a864886f70d01010a")
"""The object identifier of a key for RSASSA-PSS alone (RFC 8017, A.2.3), as DER has it."""
_CERTIFICATE = "is a certificate, which has the public key alone"
_PKCS12 = re.compile(rb"\x30(?:[\x00-\x7f]|\x81.|\x82..|\x83...|\x80)\x02\x01\x03\x30", re.DOTALL)
"""How a PKCS#12 store begins: a sequence, and its version 3 (RFC 7292, 4)."""


def _other_kind(data: bytes) -> str | None:
    """What the bytes are in place of a private key that can be read, with what to do; None: nothing
    that is known.
    """
    is_pem = b"-----BEGIN" in data
    if b"-----BEGIN OPENSSH PRIVATE KEY" in data:
        return "is an OpenSSH key: convert it with ssh-keygen -p -m PKCS8 -f FILE"
    if _PKCS12.match(data):
        return "is a PKCS#12 store: take the key out with openssl pkcs12 -nocerts -nodes"
    has_private = b"PRIVATE KEY-----" in data
    if b"PUBLIC KEY-----" in data and not has_private:
        return "is a public key"
    if b"-----BEGIN CERTIFICATE" in data and not has_private:
        return _CERTIFICATE
    body = data.partition(b"BEGIN PRIVATE KEY-----")[2].partition(b"-----")[0]
    with suppress(binascii.Error):
        if _PSS in (base64.b64decode(body) if is_pem else data)[:40]:
            return "is a key for RSASSA-PSS alone: RS512 needs one of rsaEncryption"
    return None


def _is_certificate(data: bytes) -> bool:
    from cryptography import x509  # noqa: PLC0415 - only a mistake needs it

    with suppress(ValueError, UnsupportedAlgorithm):
        x509.load_der_x509_certificate(data)
        return True
    return False


def _parsed_key(data: SecretBytes, password: SecretBytes, source: str, opened_with: str) -> object:
    """The key object of a PEM or DER. Raises `ConfigurationError`."""
    other = _other_kind(bytes(data))
    if other is not None:
        raise ConfigurationError(f"{source} {other}; {_EXPECTED}.")
    is_pem = bytes(data).find(b"-----BEGIN") >= 0
    load = serialization.load_pem_private_key if is_pem else serialization.load_der_private_key
    try:
        key = load(bytes(data), bytes(password) or None)
    except TypeError:
        why = f"is encrypted: set {opened_with}"
        if password:
            why = f"is not encrypted: leave {opened_with} out"
    except (ValueError, UnsupportedAlgorithm):
        why = "cannot be read as a private key" + (" with this password" if password else "")
        if not is_pem and _is_certificate(bytes(data)):
            why = _CERTIFICATE
    else:
        return key
    raise ConfigurationError(f"{source} {why}; {_EXPECTED}.")


def _checked_key(key: object, source: str) -> RSAPrivateKey:
    """An RSA private key that is long enough. Raises `ConfigurationError`."""
    if not isinstance(key, RSAPrivateKey):
        kind = type(key).__name__.lstrip("_").removesuffix("PrivateKey")
        raise ConfigurationError(
            f"{source} is not an RSA private key but {kind}: RS512 needs RSA; {_EXPECTED}."
        )
    if key.key_size < _LEAST_BITS:
        raise ConfigurationError(
            f"{source} has {key.key_size} bits, too few for RS512: make one of 2048 or more."
        )
    if key.key_size < _SECURE_BITS:
        text = (
            f"{source} has {key.key_size} bits. RS512 needs 2048 or more (RFC 7518, 3.3): make "
            "another."
        )
        warnings.warn(text, stacklevel=4)
    return key
