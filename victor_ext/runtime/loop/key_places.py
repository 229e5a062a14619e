"""Where a provider takes the idempotency key, and which keys it takes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, Protocol

import httpx

from victor_ext.errors import InvalidRequest, Problem

from .keys import new_key

MIN_KEY_LENGTH = 20
MAX_KEY_LENGTH = 128
_VISIBLE_ASCII = re.compile(r"[!-~]*")


def key_problem(key: object, *, shortest: int = MIN_KEY_LENGTH) -> Problem | None:
    """What is wrong with a caller's key, or None. `shortest` is the fewest characters that the operation takes."""
    field = "idempotency_key"
    if not isinstance(key, str):
        message = f"{field} must be text, not {type(key).__name__}."
        return Problem(field, "type", message, hint="pass idempotency_key_for(...)")
    if not shortest <= len(key) <= MAX_KEY_LENGTH:
        return Problem(
            field,
            "length",
            f"{field} has {len(key)} characters and must have {shortest} to {MAX_KEY_LENGTH}.",
            hint="idempotency_key_for('invoice', 1042) makes a good one",
        )
    return _unsendable(key)


def _unsendable(key: str) -> Problem | None:
    field = "idempotency_key"
    if not key:
        hint = "leave it out for a random one, or pass idempotency_key_for('invoice', 1042)"
        return Problem(field, "length", f"{field} is empty.", hint=hint)
    if not _VISIBLE_ASCII.fullmatch(key):
        return Problem(
            field,
            "characters",
            f"{field} must be visible ASCII characters only, without spaces or line breaks.",
        )
    return None


def any_sendable_key(request: httpx.Request, key: str) -> Problem | None:  # noqa: ARG001 - the shape of all rules
    """What is wrong with a key where the provider's own rule is not known: it cannot be sent as it is."""
    return _unsendable(key)


class KeyPlace(Protocol):
    """Where a provider takes the idempotency key."""

    def read(self, request: httpx.Request) -> str | None:
        """The key that the request carries, or None."""
        ...

    def prepare(self, request: httpx.Request) -> str | None:
        """Give the request a key if its operation takes one and it has none. Returns the key, or None."""
        ...


class HeaderKey:
    """The key is a header.

    Args:
        name: The header's name.
        takes_key: Which requests get a key if the caller gave none. None: no request, and with
            `victor_ext.connect` every POST (a PUT, PATCH or DELETE then has a key only if the caller gives one).
        ignores_key: Which requests the provider takes no key for. A header there makes no repeat safe.
        problem: What is wrong with a key that the caller gave for a request, or None. By default: an empty one, and one
            that is not visible ASCII.
    """

    def __init__(
        self,
        name: str = "Idempotency-Key",
        takes_key: Callable[[httpx.Request], bool] | None = None,
        ignores_key: Callable[[httpx.Request], bool] = lambda _request: False,
        problem: Callable[[httpx.Request, str], Problem | None] = any_sendable_key,
    ) -> None:
        self.name = name
        self.takes_key = takes_key
        self.ignores_key = ignores_key
        self.problem = problem

    def read(self, request: httpx.Request) -> str | None:
        """The key in the header of `request`, or None."""
        return None if self.ignores_key(request) else request.headers.get(self.name) or None

    def prepare(self, request: httpx.Request) -> str | None:
        """The key in the header of `request`; a new one where the operation takes a key and none was given.

        Raises:
            InvalidRequest: The key that was given is none that the operation takes. Nothing was sent.
        """
        if self.ignores_key(request):
            return None
        given: str | None = request.headers.get(self.name)
        if given is not None:
            problem = self.problem(request, given)
            if problem is not None:
                raise InvalidRequest.of([problem], doing="Nothing was sent")
            return given
        if self.takes_key is None or not self.takes_key(request):
            return None
        key = request.headers[self.name] = new_key()
        return key


class BodyKey:
    """The key is a member of the JSON body. The body is never changed: without the member there is no key.

    Args:
        name: The member's name.
        ignores_key: Which requests the provider takes no key for. A member there makes no repeat safe.
    """

    def __init__(
        self,
        name: str = "idempotencyKey",
        ignores_key: Callable[[httpx.Request], bool] = lambda _request: False,
    ) -> None:
        self.name = name
        self.ignores_key = ignores_key

    def read(self, request: httpx.Request) -> str | None:
        """The key in the body of `request`, or None."""
        if self.ignores_key(request):
            return None
        try:
            body: Any = json.loads(request.content)
        except (ValueError, httpx.RequestNotRead):
            return None
        key: Any = body.get(self.name) if isinstance(body, dict) else None  # pyright: ignore - JSON may be anything
        return key if isinstance(key, str) and key else None

    def prepare(self, request: httpx.Request) -> str | None:
        """The key in the body of `request`, or None."""
        return self.read(request)


class NoKey:
    """The provider takes no key at all."""

    def read(self, request: httpx.Request) -> str | None:  # noqa: ARG002 - the shape of the protocol
        """No key."""
        return None

    def prepare(self, request: httpx.Request) -> str | None:  # noqa: ARG002 - the shape of the protocol
        """No key."""
        return None
