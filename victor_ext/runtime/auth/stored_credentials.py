"""What all credentials have in common: they are checked, never shown, and stay in their process."""

from __future__ import annotations

import hashlib
from typing import NoReturn, Self

from victor_ext.errors import ConfigurationError
from victor_ext.privacy import Secret, concealed, kind_of


class UnpicklableCredentials:
    """Credentials that are never pickled, since a pickle would hold the secret. A copy is the same object."""

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            f"{type(self).__name__} holds a secret and is not pickled: make it in each process, "
            "for example from the process environment."
        )

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, _memo: object) -> Self:
        return self


def checked_secret(name: str, value: object, *, source: str = "the provider's portal") -> Secret:
    """A secret that a header or a body can carry, without the blanks around it.

    `name` and `source`, where the secret comes from, are for the message.

    Raises:
        ConfigurationError: The value is not such text. The message never holds it.
    """
    value = concealed(value)
    if not isinstance(value, str):
        raise ConfigurationError(f"{name} must be text, not {kind_of(value)}.")
    secret = Secret(value.strip())
    if not secret:
        raise ConfigurationError(f"{name} is empty: copy it from {source}.")
    if not (secret.isascii() and secret.isprintable()):
        raise ConfigurationError(f"{name} holds a line break or a character beyond ASCII: copy it again.")
    return secret


def caller_digest(identity: str, *, product: str) -> str:
    """A digest of the public part of credentials. It tells two callers apart without naming them."""
    return hashlib.sha256(f"{product} caller\0{identity}".encode()).hexdigest()[:16]
