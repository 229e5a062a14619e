"""Text that somebody else wrote, as messages and logs may show it.

`redact_excerpt` is for any text, `redact_code` for codes, and `one_line` for ids, statuses and
amounts. What each of them masks stands before them.
"""

import re
from collections.abc import Iterable

from .hiding import is_sequence
from .numbers import mask_numbers, mask_spaced_numbers
from .sent import without_sent

_CODE_DIGITS = 8
_CODES = 10  # the most that are read from one field
_WORD = r"(?a)[\w.:-]*"
_BARE_CODE = r"(?a)[\w.:-]{0,100}?[0-9]{3}[\w.:-]{0,100}"
_EXCERPT = 200
_PYTHON_BYTES = r"""(?:\bbytearray\()?\bb['"].*"""
"""Bytes as Python writes them, to the end: what could not be read on the wire, which may be the
request itself.
"""
_AUTHORIZATION = r"\b(?i:(bearer|basic|token)\s+(?=\S*[0-9._~+/=-])\S{8,})|\beyJ[\w-]{8,}[\w.-]*"
"""The credentials of a header (RFC 9110, 11.4), and a JSON Web Token."""
_EMAIL = r"[^\s@<>\"'(),;:]+@[^\s@<>\"'(),;:]+"
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


def mask_digits(text: str) -> str:
    """The text without what its request sent (see `without_sent`), and with numbers that may be
    those of accounts or cards masked (see `mask_numbers`).
    """
    return mask_numbers(without_sent(text))


def mask_tokens(text: str) -> str:
    """The text without what looks like a token, and without bytes that could not be read."""
    return re.sub(_AUTHORIZATION, _masked_token, re.sub(_PYTHON_BYTES, "[bytes]", text))


def _masked_token(match: re.Match[str]) -> str:
    scheme: str | None = match[1]
    return f"{scheme} [secret]" if scheme else "[secret]"


def mask_emails(text: str) -> str:
    """The text without its e-mail addresses."""
    return re.sub(_EMAIL, "[e-mail]", text) if "@" in text else text


def shown_headers(headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """The headers of a request that an error keeps: those that never hold a token.

    The names that are passed are in lower case.
    """
    return [(name, value) for name, value in headers if name in _SAFE_HEADERS]


def excerpt(body: bytes | bytearray) -> str:
    """The beginning of a body, as `redact_excerpt` shows it."""
    return redact_excerpt(body[: _EXCERPT * 4].decode("utf-8", "replace"))


def redact_excerpt(text: str) -> str:
    """Text from the wire for a message: one line of 200 characters, of a longer one the beginning
    and `...`; long numbers, tokens and e-mail addresses masked.

    Nothing that somebody else wrote enters a message or a log record in another way, except
    `one_line`.
    """
    line = one_own_line(without_sent(text))
    return mask_emails(mask_numbers(mask_tokens(line)))


def redact_code(code: object) -> str:
    """A code of the provider, or a list of them, from a field for codes.

    One word with up to eight digits is not an account number, and is not masked. Any other text or
    number is as `redact_excerpt` makes it, and a value of another type is empty.
    """
    if is_sequence(code):
        codes = [redact_code(item) for item in code[:_CODES] if not is_sequence(item)]
        return one_line(", ".join(filter(None, codes)))
    if not isinstance(code, str | int) or isinstance(code, bool):
        return ""
    text = one_line(code)
    digits = sum(map(str.isdigit, text))
    if digits <= _CODE_DIGITS and re.fullmatch(_WORD, text):
        return mask_emails(mask_tokens(text))
    return redact_excerpt(text)


def is_code(value: object) -> bool:
    """Whether a value is a code where a sentence may stand, too: a number, or one word with three
    digits in a row.
    """
    return isinstance(value, str | int) and re.fullmatch(_BARE_CODE, str(value)) is not None


def one_line(text: object) -> str:
    """An id, a status or an amount of the provider for a message: one line of 200 characters. Of
    its numbers, IBANs and those in groups are masked (see `mask_spaced_numbers`).
    """
    return mask_spaced_numbers(one_own_line(without_sent(str(text))))


def one_own_line(text: str) -> str:
    """A text that no provider wrote for a message: one line of 200 characters, nothing masked."""
    if not text.isprintable():
        text = "".join(char if char.isprintable() else " " for char in text)
    flat = " ".join(text.split())
    return flat if len(flat) <= _EXCERPT else flat[:_EXCERPT] + "..."
