"""Keep secrets and account numbers out of everything that a person or a log may see.

The classes here are strings that behave like any other, and that show something else when their
`repr` is taken: in a traceback's locals, in the repr of a model that holds them, in a debugger.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import Any, SupportsIndex, TypeGuard, overload

import httpx

# Five digits or more, unless they are the dollars of an amount ("12345.67") or the decimals of a number.
_LONG_DIGITS = re.compile(r"(?<![0-9])(?<![0-9]\.)[0-9]{5,}(?![0-9])(?!\.[0-9]{1,2}(?![0-9]))")
_KEPT_DIGITS = 4
_EXCERPT = 200
_EMAIL = re.compile(r"[^\s@<>\"'(),;:]+@[^\s@<>\"'(),;:]+")
_SAFE_HEADERS = frozenset(
    {"accept", "content-type", "content-length", "host", "user-agent", "idempotency-key", "accept-encoding"}
)


HOLDS_SECRETS = "holds_secrets"
"""Marks, in its extensions, a request whose body is secret: an answer that echoes it is not quoted either."""


class Secret(str):
    """A secret: works as a string, shows as `[secret]`; so does a part of it, for those who show how a text begins."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'[secret]'"

    def __getitem__(self, place: SupportsIndex | slice) -> Secret:
        return Secret(str.__getitem__(self, place))


class SecretBytes(bytes):
    """The same of bytes."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "b'[secret]'"

    @overload
    def __getitem__(self, place: SupportsIndex) -> int: ...
    @overload
    def __getitem__(self, place: slice) -> SecretBytes: ...
    def __getitem__(self, place: SupportsIndex | slice) -> int | SecretBytes:
        part = bytes.__getitem__(self, place)
        return SecretBytes(part) if isinstance(part, bytes) else part


def concealed(value: Any) -> Any:
    """A text or bytes as one that shows nothing: for every frame that may turn up in a traceback from here on."""
    if isinstance(value, str):
        return Secret(value)
    return SecretBytes(value) if isinstance(value, bytes | bytearray) else value


class AccountNumber(str):
    """An account number: works as a string, shows its last four digits only."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"'{mask(self)}'"


class AccountDigits(int):
    """The same of an account number that came as a number, and is about to be refused for it."""

    def __repr__(self) -> str:
        return mask(int.__repr__(self))


class OddAccount:
    """What came as an account number and is none: a float of a spreadsheet's, a list. It is about to be refused."""

    __slots__ = ("kind",)

    def __init__(self, value: object) -> None:
        self.kind = type(value).__name__

    def __repr__(self) -> str:
        return "[hidden]"


_LEVELS = 100
"""What is nested more deeply is no body of a request, and is about to be refused."""


def concealed_within(value: Any) -> Any:
    """A JSON object whose texts, at any depth, show nothing; anything else as it is."""
    return _deeply(value, _LEVELS) if _is_object(value) else value


def _deeply(value: Any, levels: int) -> Any:
    if levels == 0:
        return value
    if _is_list(value):
        return [_deeply(each, levels - 1) for each in value]
    if _is_object(value):
        return {name: _deeply(each, levels - 1) for name, each in value.items()}
    return concealed(value)


def _is_object(value: object) -> TypeGuard[dict[Any, Any]]:
    return isinstance(value, dict)


def _is_list(value: object) -> TypeGuard[list[Any] | tuple[Any, ...]]:
    return isinstance(value, list | tuple)


def concealed_account(value: Any) -> Any:
    """An account number, in whatever type it came, as one that shows no more than its last four digits."""
    if isinstance(value, str):
        return AccountNumber(value)
    if value is None or isinstance(value, bool | Enum):
        return value
    if isinstance(value, int):
        return AccountDigits(value)
    return concealed(value) if isinstance(value, bytes | bytearray) else OddAccount(value)


def kind_of(value: object) -> str:
    """The name of a value's type for a message; that of the type below, for those of this module."""
    if isinstance(value, OddAccount):
        return value.kind
    return next(kind.__name__ for kind in type(value).__mro__ if kind.__module__ != __name__)


def mask(number: str) -> str:
    """The number with all but its last four characters hidden (all of them when it is that short)."""
    if len(number) <= _KEPT_DIGITS:
        return "*" * len(number)
    return "*" * (len(number) - _KEPT_DIGITS) + number[-_KEPT_DIGITS:]


def mask_digits(text: str) -> str:
    """The text with every run of five or more digits masked to its last four: it may be an account."""
    return _LONG_DIGITS.sub(lambda match: mask(match.group()), text)


def mask_emails(text: str) -> str:
    """The text without its e-mail addresses: an error about a payer may name one."""
    return _EMAIL.sub("[e-mail]", text) if "@" in text else text


def without_secrets(request: httpx.Request) -> httpx.Request:
    """A copy of the request that may be kept, pickled and shown: no body, no token, no unknown header."""
    headers = [(name, value) for name, value in request.headers.items() if name in _SAFE_HEADERS]
    return httpx.Request(request.method, request.url, headers=headers)


def excerpt(response: httpx.Response) -> str:
    """The start of an answer's body for a message: printable, short, long numbers masked."""
    return redact_excerpt(response.content[: _EXCERPT * 4].decode("utf-8", "replace"))


def redact_excerpt(text: str) -> str:
    """What the provider sent, for a message: printable, short, long numbers and e-mail addresses masked."""
    return mask_emails(mask_digits(one_line(text)))


def one_line(text: object) -> str:
    """A provider's word (an id, a status, an amount) for a message: printable and short, its digits as they are."""
    flat = " ".join("".join(char if char.isprintable() else " " for char in str(text)).split())
    return flat if len(flat) <= _EXCERPT else flat[:_EXCERPT] + "..."
