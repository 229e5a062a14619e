"""Keep secrets and account numbers out of logs, messages, reprs and the local variables of stack frames.

`Secret`, `SecretBytes` and `AccountNumber` behave like any other text; only their `repr` differs. So they stay hidden
in a traceback's locals, in the repr of a model that holds them, and in a debugger.

Arguments are replaced by such texts where they enter this package. To drop this package's frames from a traceback
before it leaves would not suffice in place of that: the frames of httpx remain, and `httpx.Client.request` holds the
JSON of the request; a debugger or a tracer looks at frames before any traceback has left; and credentials, records and
inputs that a caller keeps need the replaced texts in any case.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import Any, SupportsIndex, TypeGuard, overload

import httpx

# Five digits or more, unless they are the dollars of an amount ("12345.67") or the decimals of a number.
_LONG_DIGITS = re.compile(r"(?<![0-9])(?<![0-9]\.)[0-9]{5,}(?![0-9])(?!\.[0-9]{1,2}(?![0-9]))")
_KEPT_DIGITS = 4
_CODE_DIGITS = 8
_CODES = 10
"""The most codes that are read from one field."""
_WORD = re.compile(r"[\w.:-]*", re.ASCII)
_BARE_CODE = re.compile(r"[\w.:-]{0,100}?[0-9]{3}[\w.:-]{0,100}", re.ASCII)
_EXCERPT = 200
_PYTHON_BYTES = re.compile(r"""(?:\bbytearray\()?\bb['"].*""")
"""Bytes as Python writes them, to the end: what could not be read on the wire, which may be the request itself."""
_TOKEN = re.compile(r"\b(?i:(bearer|basic|token)\s+(?=\S*[0-9._~+/=-])\S{8,})|\beyJ[\w-]{8,}[\w.-]*")
"""The credentials of a header (RFC 9110, 11.4), and a JSON Web Token."""
_EMAIL = re.compile(r"[^\s@<>\"'(),;:]+@[^\s@<>\"'(),;:]+")
_SAFE_HEADERS = frozenset(
    {"accept", "content-type", "content-length", "host", "user-agent", "idempotency-key", "accept-encoding"}
)


HOLDS_SECRETS = "holds_secrets"
"""The extension of a request whose body is secret. A response to it is not quoted either: it may echo the body."""


class Secret(str):
    """A secret string, shown as `[secret]`. A slice of it is one too, since some reporters show how a text begins."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'[secret]'"

    def __getitem__(self, place: SupportsIndex | slice) -> Secret:
        return Secret(str.__getitem__(self, place))

    def encode(self, encoding: str = "utf-8", errors: str = "strict") -> SecretBytes:
        """The bytes of it, which are secret too. So httpx keeps the value of a header."""
        return SecretBytes(str.encode(self, encoding, errors))


class SecretBytes(bytes):
    """Secret bytes, shown as `[secret]`."""

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

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> Secret:
        """The text of it, which is secret too."""
        return Secret(bytes.decode(self, encoding, errors))


def concealed(value: Any) -> Any:
    """Text or bytes as a `Secret` or `SecretBytes`; any other value unchanged."""
    if isinstance(value, str):
        return Secret(value)
    return SecretBytes(value) if isinstance(value, bytes | bytearray) else value


class AccountNumber(str):
    """An account number, shown with its last four digits only."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"'{mask(self)}'"


class AccountDigits(int):
    """An account number that was passed as an int. It is about to be refused."""

    def __repr__(self) -> str:
        return mask(int.__repr__(self))


class OddAccount:
    """A value of another type passed as an account number, such as a float or a list. It is about to be refused."""

    __slots__ = ("kind",)

    def __init__(self, value: object) -> None:
        self.kind = type(value).__name__

    def __repr__(self) -> str:
        return "[hidden]"


_LEVELS = 100
"""Levels of nesting that are searched. A body that is nested more deeply is about to be refused."""


def concealed_within(value: Any) -> Any:
    """A JSON object with all its texts, at any depth, concealed; any other value unchanged."""
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
    """An account number of whatever type, as one that shows its last four digits at most."""
    if isinstance(value, str):
        return AccountNumber(value)
    if value is None or isinstance(value, bool | Enum):
        return value
    if isinstance(value, int):
        return AccountDigits(value)
    return concealed(value) if isinstance(value, bytes | bytearray) else OddAccount(value)


def kind_of(value: object) -> str:
    """The name of a value's type, for a message. A concealed value has the name of the type it was passed as."""
    if isinstance(value, OddAccount):
        return value.kind
    return next(kind.__name__ for kind in type(value).__mro__ if kind.__module__ != __name__)


def mask(number: str) -> str:
    """The number with all but its last four characters hidden; all of them when it has four or fewer."""
    if len(number) <= _KEPT_DIGITS:
        return "*" * len(number)
    return "*" * (len(number) - _KEPT_DIGITS) + number[-_KEPT_DIGITS:]


def mask_digits(text: str) -> str:
    """The text with each run of five or more digits masked to its last four: it may be an account number."""
    return _LONG_DIGITS.sub(lambda match: mask(match.group()), text)


def mask_tokens(text: str) -> str:
    """The text without what looks like a token, and without bytes that could not be read."""
    return _TOKEN.sub(lambda found: f"{found[1] or ''} [secret]".lstrip(), _PYTHON_BYTES.sub("[bytes]", text))


def mask_emails(text: str) -> str:
    """The text without its e-mail addresses."""
    return _EMAIL.sub("[e-mail]", text) if "@" in text else text


def without_secrets(request: httpx.Request) -> httpx.Request:
    """A copy of the request without body, token and unknown headers. It may be kept, pickled and shown."""
    headers = [(name, value) for name, value in request.headers.items() if name in _SAFE_HEADERS]
    return httpx.Request(request.method, request.url, headers=headers)


def excerpt(response: httpx.Response) -> str:
    """The start of a response's body for a message, as `redact_excerpt` makes it."""
    return redact_excerpt(response.content[: _EXCERPT * 4].decode("utf-8", "replace"))


def redact_excerpt(text: str) -> str:
    """Text from the wire for a message: one line of 200 characters; long numbers, tokens and e-mail addresses masked.

    Nothing that somebody else wrote enters a message or a log record in another way, except `one_line`.
    """
    return mask_emails(mask_digits(mask_tokens(one_line(text))))


def redact_code(code: object) -> str:
    """A code of the provider, or a list of them, from a field for codes. Each system's codes are read by this.

    One word with up to eight digits is no account number, and is not masked. Any other text or number is as
    `redact_excerpt` makes it, and a value of another type is empty.
    """
    if _is_list(code):
        return one_line(", ".join(filter(None, (redact_code(each) for each in code[:_CODES] if not _is_list(each)))))
    text = one_line(code) if isinstance(code, str | int) and not isinstance(code, bool) else ""
    is_short = _WORD.fullmatch(text) is not None and sum(map(str.isdigit, text)) <= _CODE_DIGITS
    return mask_emails(mask_tokens(text)) if is_short else redact_excerpt(text)


def is_code(value: object) -> bool:
    """Whether a value is a code where a sentence may stand, too: a number, or one word with three digits in a row."""
    return isinstance(value, str | int) and _BARE_CODE.fullmatch(str(value)) is not None


def one_line(text: object) -> str:
    """An id, a status or an amount of the provider for a message: one line of 200 characters, digits unmasked."""
    whole = str(text)
    if not whole.isprintable():
        whole = "".join(char if char.isprintable() else " " for char in whole)
    flat = " ".join(whole.split())
    return flat if len(flat) <= _EXCERPT else flat[:_EXCERPT] + "..."
