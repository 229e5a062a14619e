"""Encryption of stored rows, results and errors: only workers with the same secret can work on a
batch.

Batch names, chunk numbers, states and times are not encrypted.
"""

import base64
import hashlib
import hmac
import json
import os
import re
import zlib
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from victor_ext import ConfigurationError
from victor_ext.privacy import Secret, SecretBytes, hidden_fields, kind_of

_SALT = b"victor-ext bulk storage 1"
_NONCE = 12
_LEAST_SECRET = 16
MARK = "vb1"
"""First word of each stored text, and the name of the serializer in the database."""
_HOW_TO_GIVE = (
    "set VICTOR_BULK_KEY to a secret of at least 16 characters (openssl rand -base64 32 makes "
    "one), the same for every worker"
)


class Vault:
    """Encrypts and decrypts stored data, and names its owner.

    Its key is the state's own, and random: digests that are made with it can be compared for as
    long as there is the state, and cannot be guessed by who has no more than the secret. The secret
    only wraps it.

    It is a `Serializer` of DBOS, and no subclass: a check of rows needs no DBOS. The provider is
    part of the application name, so that workers for another environment do not see the batch.
    """

    def __init__(self, key: bytes, provider: str) -> None:
        self._key = SecretBytes(key)
        self._cipher = AESGCM(_derived(key, b"seal"))
        self._fingerprint_key = _derived(key, b"fingerprint")
        self.key_id = _derived(key, b"key id")[:4].hex()
        self.application = (
            f"victor-bulk-{self.key_id}-{hashlib.sha256(provider.encode()).hexdigest()[:8]}"
        )
        """DBOS application name for this key and provider."""

    def __repr__(self) -> str:
        return f"Vault(application={self.application!r})"

    def name(self) -> str:
        """Return the serializer name that DBOS stores with a value."""
        return MARK

    def serialize(self, data: Any) -> str:
        """Encrypt JSON data, workflow arguments or an exception.

        An argument that is text was encrypted so before.
        """
        match data:
            case {"args": (str() as sealed,)}:
                return sealed
            case BaseException():
                data = {"!error": type(data).__name__, "text": str(data)}
            case _:  # JSON as it is
                pass
        nonce = os.urandom(_NONCE)
        encrypted = nonce + self._cipher.encrypt(
            nonce,
            zlib.compress(json.dumps(data, separators=(",", ":")).encode("ascii"), 1),
            MARK.encode(),
        )
        return f"{MARK}.{self.key_id}.{base64.b64encode(encrypted).decode('ascii')}"

    def deserialize(self, text: str) -> Any:
        """Decrypt data.

        Raises `ConfigurationError` if it was encrypted with another key, or is damaged.
        """
        body = text.removeprefix(f"{MARK}.{self.key_id}.")
        if body == text:
            raise other_key("This content of the bulk database")
        try:
            encrypted = base64.b64decode(body, validate=True)
            stored = json.loads(
                zlib.decompress(
                    self._cipher.decrypt(encrypted[:_NONCE], encrypted[_NONCE:], MARK.encode())
                ),
                object_pairs_hook=hidden_fields,
            )
        except (InvalidTag, ValueError, zlib.error):
            raise ConfigurationError(
                "The bulk database is damaged: a stored value cannot be decrypted."
            ) from None
        match stored:
            case {"!error": kind, "text": message}:
                return Exception(f"{kind}: {message}")
            case {"args": args, "kwargs": kwargs}:
                return {"args": tuple(args), "kwargs": kwargs}  # as DBOS requires
            case _:
                return stored

    def fingerprint(self, text: str) -> str:
        """Return a keyed digest of a text. Without the key, it reveals nothing about the text."""
        digest = hmac.digest(self._fingerprint_key, text.encode("utf-8", "surrogatepass"), "sha256")
        return base64.b64encode(digest[:15]).decode("ascii")

    def account(self, caller: str | None) -> str:
        """Return a keyed digest of an account: of the public part of credentials, which `caller` is
        a digest of.
        """
        return self.fingerprint(f"account {caller}")[:12]

    def has_key(self, key: bytes) -> bool:
        """Whether this is its key."""
        return hmac.compare_digest(bytes(self._key), key)

    def wrapped(self, secret: bytes) -> str:
        """Return its key, encrypted with the secret."""
        nonce = os.urandom(_NONCE)
        sealed = _wrapping(secret).encrypt(nonce, bytes(self._key), _WRAPPED)
        return base64.b64encode(nonce + sealed).decode("ascii")


_WRAPPED = b"victor-ext bulk key 1"
KEY_BYTES = 32


def new_key() -> bytes:
    """Return a random key for a new state."""
    return SecretBytes(os.urandom(KEY_BYTES))


def unwrapped(text: str, secret: bytes) -> bytes | None:
    """Return the key that was wrapped with the secret; None: it was wrapped with another one."""
    try:
        sealed = base64.b64decode(text, validate=True)
        return SecretBytes(_wrapping(secret).decrypt(sealed[:_NONCE], sealed[_NONCE:], _WRAPPED))
    except (InvalidTag, ValueError):
        return None


def _wrapping(secret: bytes) -> AESGCM:
    return AESGCM(_derived(secret, b"wrap"))


def other_key(what: str) -> ConfigurationError:
    return ConfigurationError(
        f"{what} was written with another key: use the credentials that it was started with, or "
        "the same VICTOR_BULK_KEY. Nothing is sent without it. Another company needs a state of "
        "its own (--state)."
    )


def storage_secret(given: str | None, variables: Sequence[str] = ()) -> bytes:
    """Return the secret for keys: `given`, VICTOR_BULK_KEY, or the credentials in these variables,
    or in Victor's.

    Raises `ConfigurationError` if there is none, or it is too short.
    """
    if given is not None and not isinstance(given, str):
        raise ConfigurationError(f"storage_key must be text, not {kind_of(given)}.")
    secret = _variable("VICTOR_BULK_KEY") if given is None else given
    if secret or given is not None:
        if len(secret.strip()) < _LEAST_SECRET:
            name = "VICTOR_BULK_KEY" if given is None else "storage_key"
            raise ConfigurationError(
                f"{name} has fewer than {_LEAST_SECRET} characters: {_HOW_TO_GIVE}."
            )
        return SecretBytes(b"key:" + secret.strip().encode("utf-8", "surrogatepass"))
    credentials = _from_credentials(variables)
    if credentials is None:
        raise ConfigurationError(
            "The bulk database is encrypted, and there is no secret to derive its key from: "
            f"{_HOW_TO_GIVE}."
        )
    return SecretBytes(b"credentials:" + credentials)


def _variable(name: str) -> str:
    """Return an environment variable, or an empty string. No frame exposes the other variables."""
    return Secret(os.environ.get(name, ""))


def _from_credentials(variables: Sequence[str]) -> bytes | None:
    if variables:
        return _joined(*map(_variable, variables)) if all(map(_variable, variables)) else None
    if _variable("VICTOR_CLIENT_SECRET").strip():
        return _joined(_variable("VICTOR_CLIENT_ID"), _variable("VICTOR_CLIENT_SECRET"))
    private = _variable("VICTOR_PRIVATE_KEY")
    path = os.environ.get("VICTOR_PRIVATE_KEY_FILE", "").strip()
    if not private.strip() and path:
        try:
            private = Secret(Path(path).read_bytes().decode("latin-1"))
        except OSError as error:
            raise ConfigurationError(
                f"VICTOR_PRIVATE_KEY_FILE cannot be read: {error.strerror}."
            ) from None
    if not private.strip():
        return None
    return _joined(_variable("VICTOR_API_KEY"), _bare_base64(private))


def _bare_base64(key: str) -> Secret:
    """Return a private key without PEM markers and line breaks, so that PEM, base64 of it and bare
    base64 give the same secret.
    """
    text = Secret(key.replace("\\n", "\n"))
    if "-----BEGIN" not in text:
        with suppress(ValueError):
            decoded = SecretBytes(base64.b64decode("".join(text.split()), validate=True))
            if b"-----BEGIN" in bytes(decoded):
                text = Secret(decoded.decode("latin-1"))
    return Secret(re.sub(r"-----[A-Z ]+-----|\s", "", text))


def _joined(*parts: str) -> bytes:
    return SecretBytes("\0".join(part.strip() for part in parts).encode("utf-8", "surrogatepass"))


def _derived(secret: bytes, purpose: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=_SALT, info=purpose).derive(secret)
