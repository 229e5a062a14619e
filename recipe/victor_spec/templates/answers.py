"""Reading the body of an answer as the type that the document declares for its status.

Each function raises `errors.UnreadableBody` for a body of another kind: not JSON, not UTF-8, a
number too long to convert, nesting too deep to parse, a list where an object is declared.
"""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from fnmatch import fnmatchcase
from typing import Any, TypeVar

import httpx

from .decoding import LEVELS, MISMATCH, Digits, Reader
from .errors import UnreadableBody

T = TypeVar("T")


def _no_number(_word: str) -> None:
    """What JSON has no number for."""


def json_of(response: httpx.Response, *, exact: bool = False) -> Any:
    """The body as JSON.

    With `exact`, or where httpx would parse it, its numbers remember their digits. What JSON has no
    number for (`NaN`, `Infinity`) is null.
    """
    keeps: dict[str, Any] = {}
    if exact or type(response) is httpx.Response:
        keeps = {"parse_float": Digits, "parse_constant": _no_number}
    try:
        return response.json(**keeps)
    except (ValueError, RecursionError) as error:
        raise UnreadableBody(response.status_code, response.content, "it is not JSON") from error


def read_body(reader: Reader[T], response: httpx.Response, *, exact: bool = False) -> T:
    """The body as JSON of a declared type."""
    return read_value(reader, json_of(response, exact=exact), response)


def read_value(reader: Reader[T], value: Any, response: httpx.Response) -> T:
    """A value of the answer, as a declared type."""
    decoded: T = reader.read(value, LEVELS)
    if decoded is MISMATCH:
        reason = f"{type(value).__name__} is not what is declared for this status"
        raise UnreadableBody(response.status_code, response.content, reason)
    return decoded


def is_offered(response: httpx.Response, kinds: Collection[str]) -> bool:
    """Whether the content type of an answer is one of these; JSON is in no range such as `*/*`."""
    sent = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    ranges = [] if sent.endswith(("/json", "+json")) else kinds
    return sent in kinds or any(fnmatchcase(sent, kind) for kind in ranges)


def text_of(response: httpx.Response) -> str:
    """The body as text; the string itself when its content type is JSON (the document may say
    `*/*`).

    Without a charset it is UTF-8, in which other bytes are in the notation of Python: `\\xe9`.
    """
    if "json" in response.headers.get("Content-Type", ""):
        with suppress(ValueError, RecursionError):
            text = response.json()
            if isinstance(text, str):
                return text
    if response.charset_encoding is not None:
        return response.text
    return response.content.decode("utf-8", "backslashreplace")
