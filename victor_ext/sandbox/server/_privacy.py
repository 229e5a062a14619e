"""What may be shown: no credentials, the last four digits of an account number; and files that
nobody else may read.
"""

import json
import os
import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, cast
from urllib.parse import parse_qsl

HIDDEN = "…"
_SECRET = re.compile(
    r"authorization|secret|token|passw|pwd|cvv|cvc|private|signature|api.?key|app.?key|cookie",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"(account|routing|card)[._]?(number|no)$|iban$|(^|\.)number$", re.IGNORECASE)
_DIGITS = re.compile(r"\w(?=(?:\W?\w){4})")
_BETWEEN = r"[ \xa0\u2009\u202f.\-\u2010-\u2015/]"
_NUMBER_IN_TEXT = re.compile(rf"(?<![\w-])[0-9]+(?:{_BETWEEN}{{1,2}}[0-9]+)*(?![\w-])")
"""A number that stands alone, whatever is between its digits: those in a key, such as a UUID, are
not an account.
"""
_NO_ACCOUNT = re.compile(
    # a day, and the hour of a time
    r"(?:(?:19|20)[0-9]{2}-[0-9]{2}-[0-9]{2}|[0-9]{2}[./][0-9]{2}[./](?:19|20)[0-9]{2})"
    r"(?: [0-9]{1,2})?"
    r"|[1-9][0-9]{0,2}(?: [0-9]{3})*\.[0-9]{2}|(?:0|[1-9][0-9]*)\.[0-9]+"  # an amount, a time
    r"|[0-9]{1,3}(?:\.[0-9]{1,3}){3}"  # an address
)
_FEWEST_DIGITS = 9
_ANY_LONG_NUMBER = re.compile(r"[0-9]{5,}(?=[0-9]{4})")
_LONGEST = 16_000
_OWNER_ALONE = 0o600


def shown_headers(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Headers by name, with credentials hidden.

    The values of a repeated name are joined with a comma.
    """
    shown: dict[str, str] = {}
    for name, value in headers:
        label = _text(name)
        text = _hidden(value) if _SECRET.search(label) else _text(value)
        shown[label] = f"{shown[label]}, {text}" if label in shown else text
    return shown


@lru_cache(maxsize=1024)
def _text(value: bytes) -> str:
    # Most calls have the same headers: the record of them shares the texts.
    return value.decode("latin-1")


def _hidden(value: bytes) -> str:
    scheme, space, _ = value.decode("latin-1").partition(" ")
    return f"{scheme} {HIDDEN}" if space else HIDDEN


def body_text(body: bytes, content_type: str) -> str:
    """A body for people: JSON with indentation, a form with one field on a line, or the beginning
    of a text.
    """
    text = body.decode("utf-8", "replace")
    if content_type.partition(";")[0].strip().lower() == "application/x-www-form-urlencoded":
        members = parse_qsl(text, keep_blank_values=True)
        return _cut("\n".join(f"{name}={_member(name, value)}" for name, value in members))
    try:
        shown = json.dumps(redacted(json.loads(text)), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        shown = masked(text)
        if _SECRET.search(text):
            shown = f"({len(body)} bytes that are not JSON)"
    return _cut(shown)


def sent_text(body: bytes, content_type: str) -> str:
    """A body of JSON as it was sent, where it has nothing to hide; of any other, what may be
    shown.
    """
    text = body.decode("utf-8", "replace")
    try:
        content = json.loads(text)
        shown = redacted(content)
    except (ValueError, RecursionError):
        return body_text(body, content_type)
    if shown == content:
        return text
    return json.dumps(shown, ensure_ascii=False, separators=(",", ":"))


def one_line(text: str) -> str:
    """The beginning of a text on one line, with the last four digits of a long number only."""
    plain = "".join(c if c.isprintable() else "?" for c in text[:200])
    return _ANY_LONG_NUMBER.sub(lambda match: "*" * len(match[0]), plain)


def last_four(number: str) -> str:
    """A number with all but its last four digits hidden."""
    return _DIGITS.sub("•", number)


def masked(text: str) -> str:
    """A text in which of each long number only the last four digits stand."""
    return _NUMBER_IN_TEXT.sub(_masked_number, text)


def _masked_number(match: re.Match[str]) -> str:
    text = match[0]
    is_short = sum(map(str.isdigit, text)) < _FEWEST_DIGITS
    return text if is_short or _NO_ACCOUNT.fullmatch(text) else last_four(text)


def redacted(value: object) -> Any:
    """A JSON value in which credentials are hidden, and all but the last four digits of numbers of
    accounts.
    """
    if isinstance(value, dict):
        members = cast("dict[str, object]", value)
        return {name: _member(name, member) for name, member in members.items()}
    if isinstance(value, list):
        return [redacted(item) for item in cast("list[object]", value)]
    return value


def _member(name: str, value: object) -> object:
    if not isinstance(value, str):
        return redacted(value)
    if _SECRET.search(name):
        return HIDDEN
    return last_four(value) if _NUMBER.search(name) else value


def _cut(text: str) -> str:
    if len(text) <= _LONGEST:
        return text
    return f"{text[:_LONGEST]}\n{HIDDEN} ({len(text)} characters)"


def open_private(path: str | os.PathLike[str], flags: int) -> int:
    """Open or create a file; returns its descriptor.

    Others lose their access to an existing file.
    """
    descriptor = os.open(path, flags | os.O_CREAT, _OWNER_ALONE)
    try:
        # The umask can remove rights from the mode above, and an existing file has its own.
        if os.name == "posix":
            os.fchmod(descriptor, _OWNER_ALONE)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor
