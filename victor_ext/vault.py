"""Encryption of what is stored, by a random key of the store's own, which a secret wraps.

Digests that are made with that key can be compared for as long as there is the store, and cannot be
guessed by who has no more than the secret. With another secret, the same key is wrapped again.
"""

import base64
import hmac
import json
import os
import zlib
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from victor_ext import ConfigurationError
from victor_ext.privacy import SecretBytes, hidden_fields, kind_of

_SALT = b"victor-ext storage 1"
_WRAPPED = b"victor-ext storage key 1"
_NONCE = 12
_LEAST_SECRET = 16
KEY_BYTES = 32
MARK = "vb1"
"""The first word of what is stored."""


class Vault:
    """Encrypts and decrypts stored data with one key.

    Attributes:
        key_id: A name of its key, which reveals nothing of it. Each stored text has it.
    """

    def __init__(self, key: bytes) -> None:
        self._key = SecretBytes(key)
        self._cipher = AESGCM(_derived(key, b"seal"))
        self._fingerprint_key = _derived(key, b"fingerprint")
        self.key_id = _derived(key, b"key id")[:4].hex()

    def __repr__(self) -> str:
        return f"{type(self).__name__}(key_id={self.key_id!r})"

    def sealed(self, data: Any) -> str:
        """Encrypt JSON data."""
        nonce = os.urandom(_NONCE)
        text = json.dumps(data, separators=(",", ":")).encode("ascii")
        encrypted = nonce + self._cipher.encrypt(nonce, zlib.compress(text, 1), MARK.encode())
        return f"{MARK}.{self.key_id}.{base64.b64encode(encrypted).decode('ascii')}"

    def has_sealed(self, text: str) -> bool:
        """Whether a text says that it was encrypted with this key."""
        return text.startswith(f"{MARK}.{self.key_id}.")

    def opened(self, text: str) -> Any:
        """Decrypt what `sealed` wrote with this key. Raises `ValueError` if it is damaged."""
        body = text.removeprefix(f"{MARK}.{self.key_id}.")
        try:
            encrypted = base64.b64decode(body, validate=True)
            nonce, sealed = encrypted[:_NONCE], encrypted[_NONCE:]
            stored = zlib.decompress(self._cipher.decrypt(nonce, sealed, MARK.encode()))
        except (InvalidTag, zlib.error):
            raise ValueError("A stored value cannot be decrypted.") from None
        return json.loads(stored, object_pairs_hook=hidden_fields)

    def fingerprint(self, text: str) -> str:
        """Return a keyed digest of a text. Without the key, it reveals nothing about the text."""
        digest = hmac.digest(self._fingerprint_key, text.encode("utf-8", "surrogatepass"), "sha256")
        return base64.b64encode(digest[:15]).decode("ascii")

    def has_key(self, key: bytes) -> bool:
        """Whether this is its key."""
        return hmac.compare_digest(bytes(self._key), key)

    def wrapped(self, secret: bytes) -> str:
        """Return its key, encrypted with the secret."""
        nonce = os.urandom(_NONCE)
        sealed = _wrapping(secret).encrypt(nonce, bytes(self._key), _WRAPPED)
        return base64.b64encode(nonce + sealed).decode("ascii")


def new_key() -> bytes:
    """Return a random key for a new store."""
    return SecretBytes(os.urandom(KEY_BYTES))


def unwrapped(text: str, secret: bytes) -> bytes | None:
    """Return the key that was wrapped with the secret; None: it was wrapped with another one."""
    try:
        sealed = base64.b64decode(text, validate=True)
        return SecretBytes(_wrapping(secret).decrypt(sealed[:_NONCE], sealed[_NONCE:], _WRAPPED))
    except (InvalidTag, ValueError):
        return None


def secret_of(secret: object, name: str, advice: str) -> bytes:
    """Return the bytes of a secret that was passed or set under this name.

    Raises `ConfigurationError` with the advice if it is no text, or too short.
    """
    if not isinstance(secret, str):
        raise ConfigurationError(f"{name} must be text, not {kind_of(secret)}.")
    if len(secret.strip()) < _LEAST_SECRET:
        raise ConfigurationError(f"{name} has fewer than {_LEAST_SECRET} characters: {advice}.")
    return SecretBytes(b"key:" + secret.strip().encode("utf-8", "surrogatepass"))


def _wrapping(secret: bytes) -> AESGCM:
    return AESGCM(_derived(secret, b"wrap"))


def _derived(secret: bytes, purpose: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=_SALT, info=purpose).derive(secret)
