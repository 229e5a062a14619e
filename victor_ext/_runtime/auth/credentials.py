"""Credentials: checked, never shown, and kept in their process."""

import hashlib
import inspect
from collections.abc import Callable
from typing import Any, NoReturn, Self

from victor_ext._privacy import Secret, concealed, kind_of
from victor_ext.errors import ConfigurationError

SecretText = str | Callable[[], str]
"""A secret; or a function that returns it, such as `Path("secret.txt").read_text`.

The function is called for each token that is requested or made, by whichever thread or task makes
the call, and not awaited. What it raises is raised as it is, and nothing more is sent; after an
attempt, it has a note that says what to do.
"""


class UnpicklableCredentials:
    """Credentials that are never pickled, since a pickle would hold the secret.

    A copy is the same object.
    """

    def __repr__(self) -> str:
        return f"{type(self).__name__}([hidden])"

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            f"{type(self).__name__} holds a secret and is not pickled: make it in each process."
        )

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, _memo: object) -> Self:
        return self


def checked_secret(name: str, value: object, *, source: str = "the provider's portal") -> Secret:
    """A secret that a header or a body can carry, without the blanks around it. `source` is where
    the user has it from. Raises `ConfigurationError`.
    """
    value = concealed(value)
    if not isinstance(value, str):
        raise ConfigurationError(f"{name} must be text, not {kind_of(value)}.")
    secret = Secret(value.strip())
    if not secret:
        raise ConfigurationError(f"{name} is empty: copy it from {source}.")
    if not (secret.isascii() and secret.isprintable()):
        raise ConfigurationError(
            f"{name} holds a line break or a character beyond ASCII: copy it again."
        )
    return secret


def caller_digest(identity: str, *, product: str) -> str:
    """A digest of the public part of credentials, which tells two callers apart without naming
    them.
    """
    return hashlib.sha256(f"{product} caller\0{identity}".encode()).hexdigest()[:16]


def secret_source(
    name: str,
    value: object,
    *,
    source: str = "the provider's portal",
    check: Callable[[Secret], Secret] = Secret,
) -> Callable[[], Secret]:
    """A function that returns the secret of this moment; `value` is a `SecretText`, which is called
    `name` in messages. No message holds the secret. `check` returns it, or refuses it.

    Raises `ConfigurationError` where the value is no `SecretText`; the function, where its own
    function returns no secret.
    """
    value = concealed(value)
    if callable(value):
        function = checked_function(name, value)
        return lambda: check(checked_secret(name, function(), source=source))
    if not isinstance(value, str):
        raise ConfigurationError(
            f"{name} must be text, or a function that returns it such as Path(...).read_text, not "
            f"{kind_of(value)}."
        )
    fixed = check(checked_secret(name, value, source=source))
    return lambda: fixed


class IdAndSecret(UnpicklableCredentials):
    """An id and its secret, by the names of their arguments, for which a token endpoint issues
    tokens.

    Pass both concealed (see `_privacy.concealed`).

    Attributes:
        caller: A digest of the id. It distinguishes two callers and identifies neither.
    """

    def __init__(self, product: str, source: str = "the provider's portal", **pair: Any) -> None:
        (id_name, id_), (secret_name, secret) = pair.items()
        self._id = checked_secret(id_name, id_, source=source)
        self._secret = secret_source(secret_name, secret, source=source)
        self.caller = caller_digest(self._id, product=product)


def checked_function(name: str, function: Any) -> Callable[..., Any]:
    """The function that was passed under this name.

    Raises `ConfigurationError` for a class, and for a function that has to be awaited.
    """
    if not callable(function) or isinstance(function, type):
        raise ConfigurationError(f"{name} must be a function, not {kind_of(function)}.")
    if inspect.iscoroutinefunction(function):
        raise ConfigurationError(f"{name} must be a plain function: nothing awaits it.")
    return function  # type: ignore[no-any-return] # it is callable
