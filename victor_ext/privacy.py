"""What may be shown, and in which form: values whose `repr` hides them, and text for messages and
logs.

Arguments are replaced by such values where they enter this package: the frames of httpx hold them,
too.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from contextvars import ContextVar
from decimal import Decimal
from enum import Enum
from typing import Any, SupportsIndex, TypeGuard, TypeVar, overload
from urllib.parse import quote, quote_plus
from weakref import ref

R_co = TypeVar("R_co", covariant=True)

HIDDEN = "[hidden]"
SHORTEST = 3  # characters; a shorter private text occurs in any sentence, so it is not hidden

# Five digits or more, unless they are the dollars of an amount ("12345.67") or the decimals of a
# number.
_LONG_DIGITS = re.compile(r"(?<![0-9])(?<![0-9]\.)[0-9]{5,}(?![0-9])(?!\.[0-9]{1,2}(?![0-9]))")
_KEPT_DIGITS = 4
_CODE_DIGITS = 8
_CODES = 10  # the most that are read from one field
_WORD = re.compile(r"[\w.:-]*", re.ASCII)
_BARE_CODE = re.compile(r"[\w.:-]{0,100}?[0-9]{3}[\w.:-]{0,100}", re.ASCII)
_EXCERPT = 200
_PYTHON_BYTES = re.compile(r"""(?:\bbytearray\()?\bb['"].*""")
"""Bytes as Python writes them, to the end: what could not be read on the wire, which may be the
request itself.
"""
_TOKEN = re.compile(
    r"\b(?i:(bearer|basic|token)\s+(?=\S*[0-9._~+/=-])\S{8,})|\beyJ[\w-]{8,}[\w.-]*"
)
"""The credentials of a header (RFC 9110, 11.4), and a JSON Web Token."""
_EMAIL = re.compile(r"[^\s@<>\"'(),;:]+@[^\s@<>\"'(),;:]+")
_SAFE_HEADERS = frozenset(
    {
        "accept",
        "content-type",
        "content-length",
        "host",
        "user-agent",
        "idempotency-key",
        "accept-encoding",
    }
)

CREDENTIALS = "victor_ext.credentials"
"""The extension of a request with what signs it.

Its method `secret_texts`, if it has one, says what is not shown.
"""

QUOTED: ContextVar[ref[Any] | None] = ContextVar("victor_ext.quoted", default=None)
"""The request of the call that is made here, until the call ends: no text about its response
repeats its credentials. A weak reference: a task that begins meanwhile has a copy of it, and may
outlive the call."""
_DERIVED = "victor_ext.derived_credentials"
"""The extension of a request with its credentials, and what was derived of them: an error may have
1,000 texts.
"""
_SHORTEST_CREDENTIAL = 6  # characters; a shorter one is a word that occurs by chance
_MASKED = "[secret]"
_CREDENTIAL_HEADERS = frozenset({b"authorization", b"cookie"})


class Secret(str):
    """A secret string, shown as `[secret]`.

    A slice of it is one too, since some reporters show how a text begins.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return "'[secret]'"

    def __getitem__(self, place: SupportsIndex | slice) -> Secret:
        return Secret(str.__getitem__(self, place))

    def encode(self, encoding: str = "utf-8", errors: str = "strict") -> SecretBytes:
        """So httpx keeps the value of a header."""
        return SecretBytes(str.encode(self, encoding, errors))


class SecretBytes(bytes):
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
        return Secret(bytes.decode(self, encoding, errors))


class SecretObject(dict[str, Any]):
    """The members of a JSON object, such as a token: the repr hides them, and `get` conceals a
    text.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return HIDDEN

    def get(self, name: str, default: Any = None) -> Any:
        return concealed(super().get(name, default))


def body_of(message: Any) -> SecretBytes:
    """The body of a request or a response; not a copy, where it is kept as secret bytes."""
    whole = getattr(message, "whole", None)
    return whole if isinstance(whole, SecretBytes) else SecretBytes(message.content)


def concealed(value: Any) -> Any:
    """Text or bytes as a `Secret` or `SecretBytes`, also in a tuple, such as a user and a password;
    else unchanged.
    """
    if isinstance(value, str):
        return Secret(value)
    if isinstance(value, tuple):
        return tuple(_deeply(value, _LEVELS))
    return SecretBytes(value) if isinstance(value, bytes | bytearray) else value


class AccountNumber(str):
    """An account number, shown with its last four digits only."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"'{mask(self)}'"


class OddAccount:
    """An account number that was passed as another type, such as an int or a list, and is about to
    be refused.
    """

    __slots__ = ("kind",)

    def __init__(self, value: object) -> None:
        self.kind = type(value).__name__

    def __repr__(self) -> str:
        return HIDDEN


class NumberText(str):
    """The digits of a JSON number of a row, never converted to a binary float."""

    __slots__ = ()


class AccountNumberText(NumberText, AccountNumber):
    """An account number that came as a JSON number. It is about to be refused."""

    __slots__ = ()


class HiddenRows(Iterable[R_co]):
    """The caller's rows. The repr hides them, because they may be a list."""

    __slots__ = ("rows",)

    def __init__(self, rows: Iterable[R_co]) -> None:
        self.rows = rows

    def __iter__(self) -> Iterator[R_co]:
        return iter(self.rows)

    def __repr__(self) -> str:
        return HIDDEN


class HiddenRepr:
    """A mixin for dataclasses that name people or their accounts: a `repr` shows none of the
    values.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({HIDDEN})"


ACCOUNT = "payee_account_number"
"""The column of a row, and the argument of a payment, that contains an account number."""


def hidden_pairs(pairs: Iterable[tuple[str, Any]]) -> list[tuple[str, Any]]:
    return [(name, _hidden_cell(value) if name == ACCOUNT else value) for name, value in pairs]


def hidden_fields(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    return dict(hidden_pairs(pairs))


def _hidden_cell(value: Any) -> Any:
    if isinstance(value, NumberText | float | Decimal | int) and not isinstance(value, bool):
        return AccountNumberText(value)
    return AccountNumber(value) if isinstance(value, str) else value


_LEVELS = 100
"""Levels of nesting that are searched. A body that is nested more deeply is about to be refused."""


def concealed_within(value: Any) -> Any:
    """A JSON object with all its texts, at any depth, concealed; any other value unchanged."""
    return _deeply(value, _LEVELS) if is_object(value) else value


def _deeply(value: Any, levels: int) -> Any:
    if levels == 0:
        return value
    if is_sequence(value):
        return [_deeply(item, levels - 1) for item in value]
    if is_object(value):
        return {name: _deeply(member, levels - 1) for name, member in value.items()}
    return concealed(value)


def is_object(value: object) -> TypeGuard[dict[Any, Any]]:
    return isinstance(value, dict)


def is_sequence(value: object) -> TypeGuard[list[Any] | tuple[Any, ...]]:
    """Whether a value becomes a list of JSON."""
    return isinstance(value, list | tuple)


def concealed_account(value: Any) -> Any:
    """An account number of whatever type, as one that shows its last four digits at most."""
    if isinstance(value, str):
        return AccountNumber(value)
    if value is None or isinstance(value, bool | Enum | OddAccount):
        return value
    return concealed(value) if isinstance(value, bytes | bytearray) else OddAccount(value)


def kind_of(value: object) -> str:
    """The name of a value's type, for a message.

    A concealed value has the name of the type it was passed as.
    """
    if isinstance(value, OddAccount):
        return value.kind
    return next(kind.__name__ for kind in type(value).__mro__ if kind.__module__ != __name__)


def mask(number: str) -> str:
    """The number with all but its last four characters hidden; all of them when it has four or
    fewer.
    """
    kept = number[-_KEPT_DIGITS:] if len(number) > _KEPT_DIGITS else ""
    return kept.rjust(len(number), "*")


def short_mask(number: str) -> str:
    """As `mask`, in a width that does not tell the length: `****3645`."""
    return "****" + (number[-_KEPT_DIGITS:] if len(number) > _KEPT_DIGITS else "")


def without_credentials(text: str) -> str:
    """The text without the credentials of the request that it is about (`QUOTED`), nor the first
    half of one.
    """
    parts = text.split(_MASKED)  # a credential may be a part of that word
    for credential in _credentials():
        parts = [piece for part in parts for piece in _around(part, credential)]
    return _MASKED.join(parts)


def _around(text: str, credential: Secret) -> Iterator[str]:
    """The pieces of a text before, between and after what it has of a credential, in any letter
    case.
    """
    shortest, end, folded = max(_SHORTEST_CREDENTIAL, (len(credential) + 1) // 2), 0, _folded(text)
    while (at := folded.find(credential[:shortest], end)) >= 0:
        yield text[end:at]
        end = at + shortest
        while end < len(text) and folded[end : end + 1] == credential[end - at : end - at + 1]:
            end += 1
    yield text[end:]


def _credentials() -> list[Secret]:
    """The credentials of the request in small letters, also percent-encoded, in Base64, in JSON;
    the longest first.
    """
    request = None if (quoted := QUOTED.get()) is None else quoted()
    if request is None:
        return []
    of_client = getattr(request.extensions.get(CREDENTIALS), "secret_texts", None)
    plain = [] if of_client is None else list[Secret](of_client(request))
    for name, value in request.headers.raw:
        if isinstance(value, SecretBytes) or name.lower() in _CREDENTIAL_HEADERS:
            plain += _parts(SecretBytes(value).decode("latin-1"))
    derived: tuple[list[Secret], list[Secret]] | None = request.extensions.get(_DERIVED)
    if derived is None or derived[0] != plain:  # a renewed token is another one
        forms = sorted({form for text in plain for form in _forms(text)}, key=len, reverse=True)
        derived = request.extensions[_DERIVED] = plain, forms
    return derived[1]


def _parts(header: Secret) -> Iterator[Secret]:
    """The value of a header, what follows its scheme, and the user and the password of Basic
    authentication.
    """
    yield header
    scheme, _, token = map(Secret, header.partition(" "))
    yield token
    if scheme.lower() == "basic":
        with suppress(ValueError):
            yield from map(
                Secret, SecretBytes(base64.b64decode(token)).decode("latin-1").split(":", 1)
            )


def _forms(text: Secret) -> Iterator[Secret]:
    encoded = SecretBytes(text.encode("utf-8", "replace"))
    in_base64 = (
        encode(encoded).rstrip(b"=").decode()
        for encode in (base64.b64encode, base64.urlsafe_b64encode)
    )
    forms = map(
        Secret, (text, quote(text, safe=""), quote_plus(text), json.dumps(text)[1:-1], *in_base64)
    )
    yield from (_folded(form) for form in forms if len(form) >= _SHORTEST_CREDENTIAL)


def _folded(text: str) -> Secret:
    """The text in small letters. It has the same length: of all letters, only one becomes two."""
    return Secret(text.replace("\u0130", "i").lower())


def mask_digits(text: str) -> str:
    """The text without credentials, and what may be an account number, five or more digits, as
    `mask` has it.
    """
    return _LONG_DIGITS.sub(lambda match: mask(match.group()), without_credentials(text))


def mask_tokens(text: str) -> str:
    """The text without what looks like a token, and without bytes that could not be read."""
    return _TOKEN.sub(
        lambda token: f"{token[1] or ''} [secret]".lstrip(), _PYTHON_BYTES.sub("[bytes]", text)
    )


def mask_emails(text: str) -> str:
    """The text without its e-mail addresses."""
    return _EMAIL.sub("[e-mail]", text) if "@" in text else text


def shown_headers(headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """The headers of a request that an error keeps: those that never hold a token.

    Names are in lower case.
    """
    return [(name, value) for name, value in headers if name in _SAFE_HEADERS]


def excerpt(body: bytes) -> str:
    return redact_excerpt(body[: _EXCERPT * 4].decode("utf-8", "replace"))


def redact_excerpt(text: str) -> str:
    """Text from the wire for a message: one line of 200 characters; long numbers, tokens and e-mail
    addresses masked.

    Nothing that somebody else wrote enters a message or a log record in another way, except
    `one_line`.
    """
    return mask_emails(mask_digits(mask_tokens(one_line(text))))


def redact_code(code: object) -> str:
    """A code of the provider, or a list of them, from a field for codes.

    One word with up to eight digits is not an account number, and is not masked. Any other text or
    number is as `redact_excerpt` makes it, and a value of another type is empty.
    """
    if is_sequence(code):
        return one_line(
            ", ".join(
                filter(None, (redact_code(item) for item in code[:_CODES] if not is_sequence(item)))
            )
        )
    text = one_line(code) if isinstance(code, str | int) and not isinstance(code, bool) else ""
    is_short = _WORD.fullmatch(text) is not None and sum(map(str.isdigit, text)) <= _CODE_DIGITS
    return mask_emails(mask_tokens(text)) if is_short else redact_excerpt(text)


def is_code(value: object) -> bool:
    """Whether a value is a code where a sentence may stand, too: a number, or one word with three
    digits in a row.
    """
    return isinstance(value, str | int) and _BARE_CODE.fullmatch(str(value)) is not None


def one_line(text: object) -> str:
    """An id, a status or an amount of the provider for a message: one line of 200 characters,
    digits unmasked.
    """
    return one_own_line(without_credentials(str(text)))


def one_own_line(whole: str) -> str:
    """As `one_line`, of a text that no provider wrote."""
    if not whole.isprintable():
        whole = "".join(char if char.isprintable() else " " for char in whole)
    flat = " ".join(whole.split())
    return flat if len(flat) <= _EXCERPT else flat[:_EXCERPT] + "..."


def texts_within(
    body: Any, is_public: Callable[[str], bool], *, numbers: bool, place: str = ""
) -> Iterator[str]:
    """The texts of a JSON body that are not public; also its numbers, with `numbers`. The body
    stands at `place`.

    `is_public` is asked for a place in the body, such as `payer.email`; items of a list have the
    place of the list.
    """
    if is_object(body):
        for name, member in body.items():
            inner = f"{place}.{name}".lstrip(".")
            if not is_public(inner):
                yield from texts_within(member, is_public, numbers=numbers, place=inner)
    elif is_sequence(body):
        for item in body:
            yield from texts_within(item, is_public, numbers=numbers, place=place)
    elif isinstance(body, str):
        yield body
    elif numbers and isinstance(body, int | float) and not isinstance(body, bool):
        yield str(body)


def pattern_of(
    texts: Iterable[str], *, whole_words: bool, flags: int = 0
) -> re.Pattern[str] | None:
    """A pattern of the texts that are long enough to be hidden; None without any.

    With `whole_words` a text counts only where no ASCII letter or digit is next to it.
    """
    # no part of one remains
    hidden = sorted({text for text in texts if len(text) >= SHORTEST}, key=len, reverse=True)
    if not hidden:
        return None
    alternatives = "|".join(map(re.escape, hidden))
    return re.compile(
        f"(?<![0-9A-Za-z])(?:{alternatives})(?![0-9A-Za-z])" if whole_words else alternatives, flags
    )
