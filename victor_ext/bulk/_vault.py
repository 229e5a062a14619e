"""Encryption of a state: the vault that encrypts rows, results and errors, and the secret for it
(`storage_secret`).

Only workers with the same secret can work on a batch. Batch names, keys, states, ids and times are
not encrypted.
"""

import base64
import os
import re
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from victor_ext import ConfigurationError, Problem
from victor_ext._event_queue import vault
from victor_ext._privacy import Secret, SecretBytes

_ADVICE = (
    "set VICTOR_BULK_KEY to a secret of at least 16 characters (openssl rand -base64 32 makes "
    "one), the same for every worker"
)


OTHER_KEY = (
    "was written with another key: use the credentials that it was started with, or the same "
    "VICTOR_BULK_KEY. Nothing is sent without it. 'victor bulk rekey' replaces it, with the old "
    "one set. Another company needs a state of its own (--state)."
)
"""What is said of stored data that was encrypted with another key."""


def state_vault(key: bytes) -> vault.Vault:
    """Return the vault that encrypts a state, with its key."""
    return vault.Vault(key, "The bulk database", f"This content of the bulk database {OTHER_KEY}")


def storage_secret(given: str | None, variables: Sequence[str] = ()) -> bytes:
    """Return the secret that the key of a state is encrypted with.

    It is `given`, or else VICTOR_BULK_KEY, or else made of the credentials in the environment.

    Args:
        variables: The environment variables of the credentials; empty: those of Victor.

    Raises:
        ConfigurationError: There is no secret, or it is too short.
    """
    if given is not None:
        return vault.secret_of(given, "storage_key", _ADVICE)
    secret = Secret(os.environ.get("VICTOR_BULK_KEY", ""))
    if secret:
        return vault.secret_of(secret, "VICTOR_BULK_KEY", _ADVICE)
    credentials = _credentials(variables)
    if credentials is None:
        raise ConfigurationError(
            "The bulk database is encrypted, and there is no secret to derive its key from: "
            f"{_ADVICE}."
        )
    return SecretBytes(b"credentials:" + credentials)


def new_secret(given: str) -> bytes:
    """Return a secret that is to replace the present one. Raises `ConfigurationError`."""
    try:
        return vault.secret_of(
            given, "new", "write at least 16 (openssl rand -base64 32 makes one)"
        )
    except ConfigurationError as error:
        raise ConfigurationError.of([Problem("new", "secret", str(error))]) from None


def _variable(name: str) -> str:
    """Return an environment variable without blanks around it, or an empty string."""
    return Secret(os.environ.get(name, "").strip())


def _credentials(variables: Sequence[str]) -> bytes | None:
    """Return the credentials in the environment as one text; None: their secret, the last of them,
    is not set.
    """
    parts = list(map(_variable, variables)) or _credentials_of_victor()
    if not parts[-1]:
        return None
    return SecretBytes("\0".join(parts).encode("utf-8", "surrogatepass"))


def _credentials_of_victor() -> list[str]:
    """Return the name and the secret of Victor's credentials in the environment."""
    secret = _variable("VICTOR_CLIENT_SECRET")
    if secret:
        return [_variable("VICTOR_CLIENT_ID"), secret]
    private = _variable("VICTOR_PRIVATE_KEY")
    path = _variable("VICTOR_PRIVATE_KEY_FILE")
    if path and not private:
        try:
            private = Secret(Path(path).read_bytes().decode("latin-1"))
        except OSError as error:
            raise ConfigurationError(
                f"VICTOR_PRIVATE_KEY_FILE cannot be read: {error.strerror}."
            ) from None
    return [_variable("VICTOR_API_KEY"), _bare_base64(private)]


def _bare_base64(key: str) -> Secret:
    """Return a private key without PEM markers and line breaks.

    So PEM, base64 of PEM, and bare base64 of one private key make the same secret.
    """
    text = Secret(key.replace("\\n", "\n"))
    if "-----BEGIN" not in text:
        with suppress(ValueError):
            decoded = SecretBytes(base64.b64decode("".join(text.split()), validate=True))
            if b"-----BEGIN" in bytes(decoded):
                text = Secret(decoded.decode("latin-1"))
    return Secret(re.sub(r"-----[A-Z ]+-----|\s", "", text))
