"""JSON that a provider sent, of which nothing is known until it has been looked at."""

import json
import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn, Self, TypeGuard

import httpx

from victor_ext.ids import storable
from victor_ext.privacy import SecretBytes, SecretObject, body_of
from victor_ext.runtime.core.validation import is_encodable

_MOST_OF_A_CUT_TEXT = 1000  # characters of it that are its value
_OBJECT = re.compile(rb"[\s\0\xef\xbb\xbf\xfe\xff]*\{")
"""The beginning of a JSON object, in each encoding of JSON.

Nothing else is decoded to be searched.
"""
_BEGINNING = re.compile(r"\s*\{")
_MEMBER = re.compile(r'[\s,]*"((?:[^"\\]|\\.)*)"\s*:\s*')
_USUAL_DIGITS = 16
"""Characters of a number, of which a float holds each one: 15 digits and a point (DBL_DIG of C)."""
_MOST_PLACES = 4300
"""Digits before or behind the point.

A number with an exponent beyond is not read, as Python reads no longer int.
"""


class ExactNumber(float):
    """A number of JSON that no float holds, such as `1e-400`: its text, and a Decimal of it, have
    the digits sent.
    """

    __slots__ = ("_digits",)
    _digits: str

    def __new__(cls, digits: str) -> Self:
        number = super().__new__(cls, digits)
        number._digits = digits
        return number

    def __getnewargs__(self) -> tuple[str]:  # type: ignore[override] # the float has not all digits
        return (self._digits,)

    def __repr__(self) -> str:
        return self._digits

    def __eq__(self, other: object) -> bool:
        number = decimal_of(self)
        return repr(self) == repr(other) if number is None else number == decimal_of(other)

    def __ne__(self, other: object) -> bool:  # a float has one of its own
        return not self == other

    def __hash__(self) -> int:
        return hash(decimal_of(self))

    def __bool__(self) -> bool:
        return True


def flag_of(value: object) -> bool | None:
    """A flag, also as text in any letter case; None for anything else."""
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value.strip().lower())
    return value if isinstance(value, bool) else None


def lenient_flag_of(value: object) -> bool | None:
    """A flag as providers write it: also as 0 or 1; None for anything else."""
    if isinstance(value, int | float) and value in (0, 1):
        return bool(value)
    return flag_of(value)


def decimal_of(value: object) -> Decimal | None:
    """A number of JSON with the digits that were sent; None for anything else, and for one with too
    many of them.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    try:
        number = Decimal(repr(value) if isinstance(value, float) else value)
    except InvalidOperation:
        return None
    is_written_out = isinstance(value, int) or (
        number.is_finite() and abs(number.adjusted()) < _MOST_PLACES
    )
    return number if is_written_out else None


def whole_of(value: object) -> int | None:
    """A whole number, also as JSON may write it (`5.0`, `5e0`), by its digits; None for anything
    else.
    """
    if isinstance(value, int):
        return None if isinstance(value, bool) else value
    if not isinstance(value, float):
        return None
    digits = decimal_of(value)  # no float of 1e-400 is above 0, and none has 17 digits
    return int(digits) if digits is not None and digits == digits.to_integral_value() else None


def _number(digits: str) -> float:
    number = float(digits)
    if len(digits) <= _USUAL_DIGITS and "e" not in digits and "E" not in digits:
        return number
    exact = ExactNumber(digits)
    return exact if exact != number else number


def _no_number(_word: str) -> None:
    """What `NaN`, `Infinity` and `-Infinity` are read as, which JSON does not have: null, as
    JavaScript writes them.
    """


def _refuse_no_number(word: str) -> NoReturn:
    """Let a body with one of them be no JSON."""
    raise ValueError(f"{word} is not JSON")


_DECODER = json.JSONDecoder(parse_float=_number, parse_constant=_no_number)
_STRICT_DECODER = json.JSONDecoder(parse_float=_number, parse_constant=_refuse_no_number)
_SECRET_DECODER = json.JSONDecoder(object_hook=SecretObject, parse_constant=_no_number)
_TOLERANT = json.JSONDecoder(
    parse_float=_number,
    parse_constant=_no_number,
    parse_int=lambda digits: int(digits) if len(digits) < 1000 else 0,
    strict=False,
)
_MOST_LEVELS = 100
_TEXT = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_NO_BRACKETS = bytes(byte for byte in range(256) if byte not in b"[]{}")
_ODD_ESCAPE = re.compile(r"\\u(?:[dD][89a-fA-F]|0000)")


def parsed(
    content: bytes | bytearray | str,
    *,
    is_secret: bool = False,
    is_strict: bool = False,
    **options: Any,
) -> Any:
    """JSON that a provider sent. Its numbers keep their digits, and its texts are `storable`. What
    JSON has no number for is null; what is strict is no JSON then.

    Secret JSON, of `SecretObject`s, is as it came: a token is sent as it is, or not at all.
    `options` are those of `json.loads`. Raises `ValueError` where it is not JSON, or is nested too
    deeply to read.
    """
    text = (
        content
        if isinstance(content, str)
        else content.decode(json.detect_encoding(content), "surrogatepass")
    )
    try:
        if _is_deep(text):
            raise RecursionError
        if is_secret:
            return _SECRET_DECODER.decode(text)
        if options:
            options.setdefault("parse_constant", _no_number)
            value = json.loads(text, **options)
        else:
            value = (_STRICT_DECODER if is_strict else _DECODER).decode(text)
        is_odd = ("\\" in text and _ODD_ESCAPE.search(text)) or not (
            text.isascii() or is_encodable(text)
        )
        return _all_storable(value) if is_odd else value
    except RecursionError:  # also where the caller is nested deeply
        raise ValueError("the JSON is nested too deeply") from None


def _is_deep(text: str) -> bool:
    """Whether JSON has more levels than all its readers can take, of which some need several frames
    for each.
    """
    return bool(_brackets_beyond(text) and _brackets_beyond(_TEXT.sub("", text)))


def _brackets_beyond(text: str) -> bytes:
    """The brackets that are left when as many levels as may be are taken away, the innermost ones
    first.
    """
    left = text.encode("utf-8", "surrogatepass").translate(None, _NO_BRACKETS)
    for levels in range(_MOST_LEVELS, 0, -1):
        if len(left) <= levels:
            return b""
        left = left.replace(b"{}", b"").replace(b"[]", b"")
    return left


def _all_storable(value: Any) -> Any:
    if isinstance(value, str):
        return storable(value)
    if is_object(value):
        return {storable(name): _all_storable(member) for name, member in value.items()}
    return [_all_storable(item) for item in value] if is_list(value) else value


NOT_JSON: Any = object()
"""What `json_of` returns for a body that is not JSON, since None is JSON's null."""


def is_object(value: object) -> TypeGuard[dict[str, Any]]:
    return isinstance(value, dict)


def is_list(value: object) -> TypeGuard[list[Any]]:
    return isinstance(value, list)


def is_mapping(value: object) -> TypeGuard[Mapping[Any, Any]]:
    return isinstance(value, Mapping)


def object_or_empty(value: object) -> dict[str, Any]:
    return value if is_object(value) else {}


def list_or_empty(value: object) -> list[Any]:
    return value if is_list(value) else []


def text_or_empty(value: object) -> str:
    return value if isinstance(value, str) else ""


def id_or_empty(value: object) -> str:
    """An id: a text or a whole number, as text; empty for anything else."""
    return (
        str(value)
        if isinstance(value, int) and not isinstance(value, bool)
        else text_or_empty(value)
    )


def json_of(message: httpx.Request | httpx.Response) -> Any:
    """The body of a request or a response as JSON; `NOT_JSON` when it cannot be read."""
    try:
        # A response of the attempt loop keeps what it has parsed, and several readers ask for it.
        return message.json() if isinstance(message, httpx.Response) else parsed(body_of(message))
    except (ValueError, RecursionError, httpx.RequestNotRead):
        return NOT_JSON


def object_of(message: httpx.Request | httpx.Response) -> dict[str, Any]:
    """The body of a request or a response as a JSON object; an empty one when it is none."""
    return object_or_empty(json_of(message))


def member_at(body: Mapping[str, Any], path: str) -> Any:
    """The value of a member, or of one in the objects of a body: `data.id`. None without it."""
    if path in body:
        return body[path]
    value: Any = body
    for name in path.split("."):
        value = object_or_empty(value).get(name)
    return value


def no_object_reason(response: httpx.Response) -> str | None:
    """Why the body of a response is not a JSON object, for a message; None when it is one."""
    if not response.content:
        return "its body is empty"
    body = json_of(response)
    if body is NOT_JSON:
        return "its body is not JSON"
    return None if is_object(body) else "its body is JSON, but no object"


def _beginning_of(text: str) -> Any:
    """The value of a JSON text that is cut: what a text has of it, or an empty object or list."""
    if text.startswith('"'):
        return text[1:]
    if text.startswith("{"):
        return {}
    return [] if text.startswith("[") else None


def readable_members(content: SecretBytes) -> dict[str, Any]:
    """The members of a JSON object, or of the beginning of one.

    Of a text that is cut, its beginning is the value.
    """
    members = dict[str, Any]()
    if _OBJECT.match(content) is None:
        return members
    text = content.decode(json.detect_encoding(content), "replace")
    begun = _BEGINNING.match(text)
    place = len(text) if begun is None else begun.end()
    while named := _MEMBER.match(text, place):
        try:
            value, ends = _TOLERANT.raw_decode(text, named.end())
            if _is_deep(text[named.end() : ends]):
                raise ValueError("the value is nested too deeply")
            place = ends
        except (ValueError, RecursionError):
            rest = text[named.end() : named.end() + _MOST_OF_A_CUT_TEXT]
            place = len(text)
            value = _beginning_of(rest)
        members[named[1]] = _all_storable(value)
    return members
