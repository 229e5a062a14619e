"""Encryption of what is stored, with a list of secrets: the newest encrypts, all decrypt.

Without a secret, all is stored in clear. With one, nothing in clear is read: whoever can write to
the database could add a payment.
"""

import base64
import hmac
import json
import os
from collections.abc import Sequence
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from victor_ext import ConfigurationError
from victor_ext._privacy import Secret, SecretBytes, hidden_fields, kind_of

from .databases import NeverHeals

HOW_TO_WRITE = (
    "write one of at least 16 characters without blanks (openssl rand -base64 32 makes one), the "
    "same for every service and every worker; or several with commas between them, the newest "
    "first"
)
_LEAST_SECRET = 16
_NONCE_BYTES = 12
_MARK = "vb1."
"""The beginning of what is encrypted."""
_DECODER = json.JSONDecoder(object_pairs_hook=hidden_fields)


def secrets_of(text: object, name: str) -> Sequence[bytes]:
    """The secrets in a text that was passed or set under this name, the newest first; None: none.

    Raises `ConfigurationError`: it is no text, or one of them is too short or has a blank.
    """
    if text is None:
        return ()
    if not isinstance(text, str):
        raise ConfigurationError(f"{name} must be text, not {kind_of(text)}.")
    secrets = [Secret(part.strip()) for part in text.split(",")]
    for secret in secrets:
        if len(secret) < _LEAST_SECRET or len(secret.split()) > 1:
            raise ConfigurationError(
                f"{name} has a secret with a blank, or of fewer than {_LEAST_SECRET} characters: "
                f"{HOW_TO_WRITE}."
            )
    return [SecretBytes(secret.encode("utf-8", "surrogatepass")) for secret in secrets]


class Vault:
    """Encrypts and decrypts what is stored.

    Args:
        secrets: The newest first; empty: all is stored in clear.
        place: What stores the data, as the subject of a sentence.
        name: What the secrets were passed or set under.
        salt: What keyed digests are made with.
    """

    def __init__(self, secrets: Sequence[bytes], place: str, name: str, salt: str = "") -> None:
        self._place = place
        self._name = name
        self._ciphers = [AESGCM(_key_of(secret)) for secret in secrets]
        self._digest = hmac.new(SecretBytes(salt.encode()), digestmod="sha256")
        """Copied for each text: the salt is prepared once."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"

    def sealed_text(self, text: str) -> str:
        """Return a text, encrypted."""
        if not self._ciphers:
            return text
        nonce = os.urandom(_NONCE_BYTES)
        data = text.encode("utf-8", "surrogatepass")
        encrypted = self._ciphers[0].encrypt(nonce, data, None)
        return _MARK + base64.b64encode(nonce + encrypted).decode("ascii")

    def opened_text(self, text: str, what: str = "a stored value") -> str:
        """Return the text that `sealed_text` encrypted with one of the secrets.

        Args:
            what: What has the text, for the error.

        Raises `ConfigurationError`: none of them decrypts it.
        """
        if not self._ciphers and not text.startswith(_MARK):
            return text
        for cipher in self._ciphers:
            try:
                stored = base64.b64decode(text.removeprefix(_MARK), validate=True)
                data = cipher.decrypt(stored[:_NONCE_BYTES], stored[_NONCE_BYTES:], None)
            except (InvalidTag, ValueError):
                continue
            return data.decode("utf-8", "surrogatepass")
        raise NeverHeals(
            f"{self._place} has {what} that no secret in {self._name} decrypts. Put back the one "
            "that it was stored with, after the newer ones: without it nothing is sent. What was "
            "stored without a secret is read without one: what is encrypted needs a place of its "
            "own. If it is neither, the database is damaged: restore a backup."
        )

    def sealed(self, data: Any) -> str:
        """Return JSON data, encrypted, as text."""
        return self.sealed_text(json.dumps(data, separators=(",", ":")))

    def opened(self, text: str) -> Any:
        """Return the JSON data of `sealed`. Raises as `opened_text` does."""
        return _DECODER.decode(self.opened_text(text))

    def fingerprint(self, text: str) -> str:
        """Return a keyed digest of a text. Without the salt, it reveals nothing about the text."""
        digest = self._digest.copy()
        digest.update(text.encode("utf-8", "surrogatepass"))
        return base64.b64encode(digest.digest()[:15]).decode("ascii")


def _key_of(secret: bytes) -> bytes:
    """The key that a secret encrypts with (RFC 5869)."""
    return HKDF(algorithm=SHA256(), length=32, salt=b"victor-ext storage", info=b"").derive(secret)
