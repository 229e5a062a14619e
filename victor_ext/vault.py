"""Encryption of what is stored, with a random key of the store's own. The key is stored, too:
wrapped, which means encrypted with the user's secret.

Digests that are made with the key can be compared for as long as the store exists, and cannot be
guessed by somebody who has the secret alone. With a new secret, the same key is wrapped again.
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
_WRAPPED_DATA = b"victor-ext storage key 1"
_NONCE_BYTES = 12
_LEAST_SECRET = 16
KEY_BYTES = 32
_SHORT = 1024
"""Bytes of JSON that is not compressed: that takes longer than it saves."""
_COMPRESSED = b"x"
"""What compressed data (RFC 1950) begins with, and no JSON."""
MARK = "vb1"
"""The first word of what is stored."""
_DECODER = json.JSONDecoder(object_pairs_hook=hidden_fields)


class Vault:
    """Encrypts and decrypts stored data with one key.

    Attributes:
        key_id: A name of the key, which reveals nothing of the key. Each stored text begins with
            it, after `MARK`.
    """

    def __init__(self, key: bytes) -> None:
        self._key = SecretBytes(key)
        self._cipher = AESGCM(_derived_key(key, b"seal"))
        self._digest = hmac.new(_derived_key(key, b"fingerprint"), digestmod="sha256")
        """Copied for each text: the key is prepared once."""
        self.key_id = _derived_key(key, b"key id")[:4].hex()
        self._prefix = f"{MARK}.{self.key_id}."

    def __repr__(self) -> str:
        return f"{type(self).__name__}(key_id={self.key_id!r})"

    def sealed(self, data: Any) -> str:
        """Return JSON data, encrypted, as text."""
        return self.sealed_json(json.dumps(data, separators=(",", ":")))

    def sealed_json(self, text: str) -> str:
        """Return JSON of ASCII alone, encrypted, as text."""
        stored = text.encode("ascii")
        if len(stored) > _SHORT:
            stored = zlib.compress(stored, 1)
        nonce = os.urandom(_NONCE_BYTES)
        encrypted = nonce + self._cipher.encrypt(nonce, stored, MARK.encode())
        return f"{self._prefix}{base64.b64encode(encrypted).decode('ascii')}"

    def has_sealed(self, text: str) -> bool:
        """Whether a text says that it was encrypted with this key."""
        return text.startswith(self._prefix)

    def opened(self, text: str) -> Any:
        """Return the JSON data that `sealed` encrypted with this key.

        Raises `ValueError` if the text is damaged.
        """
        body = text.removeprefix(self._prefix)
        try:
            encrypted = base64.b64decode(body, validate=True)
            nonce = encrypted[:_NONCE_BYTES]
            sealed = encrypted[_NONCE_BYTES:]
            stored = self._cipher.decrypt(nonce, sealed, MARK.encode())
            if stored.startswith(_COMPRESSED):
                stored = zlib.decompress(stored)
        except (InvalidTag, zlib.error):
            raise ValueError("A stored value cannot be decrypted.") from None
        return _DECODER.decode(stored.decode("ascii"))

    def opened_error(self, error: str | None) -> str | None:
        """Return the error of an entry in clear: what was added to it in clear stands after the
        first blank.
        """
        if error is None or not self.has_sealed(error):
            return error
        sealed, blank, added = error.partition(" ")
        return f"{self.opened(sealed)}{blank}{added}"

    def fingerprint(self, text: str) -> str:
        """Return a keyed digest of a text. Without the key, it reveals nothing about the text."""
        digest = self._digest.copy()
        digest.update(text.encode("utf-8", "surrogatepass"))
        return base64.b64encode(digest.digest()[:15]).decode("ascii")

    def has_key(self, key: bytes) -> bool:
        """Whether this is the key of the vault, compared in constant time."""
        return hmac.compare_digest(bytes(self._key), key)

    def wrapped(self, secret: bytes) -> str:
        """Return the key of the vault, encrypted with the secret, as text."""
        nonce = os.urandom(_NONCE_BYTES)
        sealed = _wrapping_cipher(secret).encrypt(nonce, bytes(self._key), _WRAPPED_DATA)
        return base64.b64encode(nonce + sealed).decode("ascii")


def new_key() -> bytes:
    """Return a random key for a new store."""
    return SecretBytes(os.urandom(KEY_BYTES))


def unwrapped(text: str, secret: bytes) -> bytes | None:
    """Return the key that was wrapped with the secret; None: it was wrapped with another secret."""
    try:
        stored = base64.b64decode(text, validate=True)
        nonce = stored[:_NONCE_BYTES]
        sealed = stored[_NONCE_BYTES:]
        return SecretBytes(_wrapping_cipher(secret).decrypt(nonce, sealed, _WRAPPED_DATA))
    except (InvalidTag, ValueError):
        return None


def secret_of(secret: object, name: str, advice: str) -> bytes:
    """Return the bytes of a secret that was passed or set under this name.

    Raises `ConfigurationError` if the secret is no text, or too short; the advice ends the message.
    """
    if not isinstance(secret, str):
        raise ConfigurationError(f"{name} must be text, not {kind_of(secret)}.")
    if len(secret.strip()) < _LEAST_SECRET:
        raise ConfigurationError(f"{name} has fewer than {_LEAST_SECRET} characters: {advice}.")
    return SecretBytes(b"key:" + secret.strip().encode("utf-8", "surrogatepass"))


def _wrapping_cipher(secret: bytes) -> AESGCM:
    """What encrypts the key of a vault with a secret."""
    return AESGCM(_derived_key(secret, b"wrap"))


def _derived_key(secret: bytes, purpose: bytes) -> bytes:
    """A key for one purpose, which does not reveal the secret (RFC 5869)."""
    return HKDF(algorithm=SHA256(), length=32, salt=_SALT, info=purpose).derive(secret)
