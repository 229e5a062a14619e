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
from victor_ext._privacy import SecretBytes, hidden_fields, kind_of

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
_STORED_DATA = MARK.encode()
_DECODER = json.JSONDecoder(object_pairs_hook=hidden_fields)


class Vault:
    """Encrypts and decrypts stored data with one key.

    Args:
        place: What stores the data, as the subject of a sentence.
        other_key: The message of the error for what was encrypted with another key.

    Attributes:
        key_id: A name of the key, which reveals nothing of the key. Each stored text begins with
            it, after `MARK`.
    """

    def __init__(self, key: bytes, place: str, other_key: str) -> None:
        self._key = SecretBytes(key)
        self._place = place
        self.other_key = other_key
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
        return self._prefix + _encrypted(self._cipher, stored, _STORED_DATA)

    def has_sealed(self, text: str) -> bool:
        """Whether a text says that it was encrypted with this key."""
        return text.startswith(self._prefix)

    def opened(self, text: str, what: str = "a stored value") -> Any:
        """Return the JSON data that `sealed` encrypted with this key.

        Args:
            what: What has the text, for the error.

        Raises `ConfigurationError` if it was encrypted with another key, or is damaged.
        """
        if not self.has_sealed(text):
            raise ConfigurationError(self.other_key)
        try:
            stored = _decrypted(self._cipher, text.removeprefix(self._prefix), _STORED_DATA)
            if stored.startswith(_COMPRESSED):
                stored = zlib.decompress(stored)
        except (InvalidTag, ValueError, zlib.error):
            raise ConfigurationError(
                f"{self._place} is damaged: {what} cannot be decrypted. Restore the database from "
                "a backup."
            ) from None
        return _DECODER.decode(stored.decode("ascii"))

    def opened_error(self, error: str | None, what: str = "a stored value") -> str | None:
        """Return the error of an entry in clear: what was added to it in clear stands after the
        first blank. The rest is as of `opened`.
        """
        if error is None or not self.has_sealed(error):
            return error
        sealed, blank, added = error.partition(" ")
        return f"{self.opened(sealed, what)}{blank}{added}"

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
        return _encrypted(_wrapping_cipher(secret), bytes(self._key), _WRAPPED_DATA)


def new_key() -> bytes:
    """Return a random key for a new store."""
    return SecretBytes(os.urandom(KEY_BYTES))


def unwrapped(text: str, secret: bytes) -> bytes | None:
    """Return the key that was wrapped with the secret; None: it was wrapped with another secret."""
    try:
        return SecretBytes(_decrypted(_wrapping_cipher(secret), text, _WRAPPED_DATA))
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


def _encrypted(cipher: AESGCM, data: bytes, of_kind: bytes) -> str:
    """Data, encrypted, as text, which is decrypted as of the same kind alone."""
    nonce = os.urandom(_NONCE_BYTES)
    encrypted = nonce + cipher.encrypt(nonce, data, of_kind)
    return base64.b64encode(encrypted).decode("ascii")


def _decrypted(cipher: AESGCM, text: str, of_kind: bytes) -> bytes:
    """The data of `_encrypted`. Raises `InvalidTag` or `ValueError`: the text is another one."""
    encrypted = base64.b64decode(text, validate=True)
    return cipher.decrypt(encrypted[:_NONCE_BYTES], encrypted[_NONCE_BYTES:], of_kind)


def _wrapping_cipher(secret: bytes) -> AESGCM:
    """What encrypts the key of a vault with a secret."""
    return AESGCM(_derived_key(secret, b"wrap"))


def _derived_key(secret: bytes, purpose: bytes) -> bytes:
    """A key for one purpose, which does not reveal the secret (RFC 5869)."""
    return HKDF(algorithm=SHA256(), length=32, salt=_SALT, info=purpose).derive(secret)
