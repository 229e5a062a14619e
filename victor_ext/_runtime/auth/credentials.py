"""Credentials: checked, never shown, kept in their process; and secrets that change, in a file or
by a function.
"""

import hashlib
import inspect
import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Generic, NoReturn, Self, TypeVar, cast

from victor_ext._privacy import Secret, SecretBytes, concealed, kind_of
from victor_ext.errors import ConfigurationError

T = TypeVar("T")

SecretText = str | os.PathLike[str] | Callable[[], str]
"""A secret; or the path of a file that holds it, read again when it has changed; or a function that
returns it.

The function is called for each token that is requested or made, by whichever thread or task makes
the call, and not awaited. What it raises is raised as it is, and nothing more is sent; after an
attempt, it has a note that says what to do.
"""

_logger = logging.getLogger("victor_ext.client")


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


class ChangingFile(Generic[T]):
    """A value that `read` reads from a file, and reads again when the file has changed.

    What the first `read` raises is raised. A later change that cannot be read (a file that is
    written at this moment, or was removed) is logged as a warning, and the value before stays in
    use until the file can be read. The path may be a link, as in a volume of Kubernetes.
    """

    def __init__(self, path: os.PathLike[str], read: Callable[[], T]) -> None:
        self._path = path
        self._read = read
        self._stamp = file_stamp(path)  # of the file whose value is in use
        self._warned = self._stamp  # of the file that was warned of last
        self._value = read()

    def current(self) -> T:
        """The value that the file holds now."""
        stamp = file_stamp(self._path)
        if stamp != self._stamp:
            try:
                self._value = self._read()
                self._stamp = stamp
            except ConfigurationError as error:
                if stamp != self._warned:
                    _logger.warning(
                        "A changed secret cannot be read, and the one before stays in use: %s",
                        error,
                    )
                self._warned = stamp
        return self._value


def file_stamp(path: object) -> tuple[int, int, int] | None:
    """Time, size and inode of a file, which tell whether it has changed; None for what is no path,
    or names no file.
    """
    try:
        status = os.stat(cast("os.PathLike[str]", path))
    except (OSError, TypeError, ValueError):
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


class RotatingSecret:
    """A secret that may change: a `SecretText`, which is called `name` in messages. No message
    holds the secret. `check` may replace it, or refuse it.

    Raises `ConfigurationError` where the value is no `SecretText`, or the file cannot be read.
    """

    current: Callable[[], Secret]  # returns the secret of this moment
    last: Secret = Secret("")  # the secret that was returned last

    def __init__(
        self,
        name: str,
        value: object,
        *,
        source: str = "the provider's portal",
        check: Callable[[Secret], Secret] = lambda secret: secret,
    ) -> None:
        value = concealed(value)

        def checked(text: object) -> Secret:
            self.last = check(checked_secret(name, text, source=source))
            return self.last

        if isinstance(value, os.PathLike):
            path = Path(cast("os.PathLike[str]", value))
            self.current = ChangingFile(path, lambda: checked(_secret_in_file(path, name))).current
        elif callable(value):
            function = checked_function(name, value)
            self.current = lambda: checked(function())
        else:
            fixed = checked(value)
            self.current = lambda: fixed

    def __repr__(self) -> str:
        return "RotatingSecret([hidden])"


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
        self._secret = RotatingSecret(secret_name, secret, source=source)
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


def _secret_in_file(path: Path, name: str) -> Secret:
    """The text of a file. Raises `ConfigurationError`."""
    try:
        return Secret(SecretBytes(path.read_bytes()).decode())
    except UnicodeDecodeError:
        why = "it is not UTF-8"
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "it is not a path"
    raise ConfigurationError(f"{name}: the file {str(path)!r} cannot be read ({why}).")
