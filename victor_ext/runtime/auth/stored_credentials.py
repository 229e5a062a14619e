"""What all kinds of credentials have in common: they are checked, kept where they were made, and never shown."""

from __future__ import annotations

import hashlib
from typing import NoReturn, Self

from victor_ext.errors import ConfigurationError
from victor_ext.redaction import Secret, concealed, kind_of


class UnpicklableCredentials:
    """Credentials stay in the process that made them: a pickle of them would be a copy of the secret, on its way."""

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            f"{type(self).__name__} holds a secret and is not pickled: make it anew in each process, "
            "for example from the process environment."
        )

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, _memo: object) -> Self:
        return self


def checked_secret(name: str, value: object, *, source: str = "the provider's portal") -> Secret:
    """A secret that a header or a body can carry, without blanks around it.

    Args:
        name: What the message calls it.
        value: What was given.
        source: Where it comes from, for the message.

    Raises:
        ConfigurationError: It is not such text. The message never holds it.
    """
    value = concealed(value)
    if not isinstance(value, str):
        raise ConfigurationError(f"{name} must be text, not {kind_of(value)}.")
    secret = Secret(value.strip())
    if not secret:
        raise ConfigurationError(f"{name} is empty: copy it from {source}.")
    if not (secret.isascii() and secret.isprintable()):
        raise ConfigurationError(f"{name} holds a line break or a character beyond ASCII: copy it anew.")
    return secret


def caller_digest(identity: str, *, product: str) -> str:
    """A digest of the public part of credentials: it tells two callers apart, and does not tell who they are."""
    return hashlib.sha256(f"{product} caller\0{identity}".encode()).hexdigest()[:16]
