"""JSON that a provider sent, of which nothing is known until it has been looked at.

In this order: exact numbers; `parsed`, the reader of all JSON; `json_text`, which writes it again;
readers of values and members.
"""

import json
import re
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Self, TypeGuard

import httpx
import msgspec

from victor_ext._privacy import SecretObject, body_of
from victor_ext._runtime.core.validation import is_encodable
from victor_ext._values.ids import storable

_EXACT_DIGITS = 16
"""Characters of a number, of which a float holds each one: 15 digits and a point (DBL_DIG of C)."""
_MOST_PLACES = 4300
"""Digits before or behind the point.

A number with an exponent beyond is not read, as Python reads no longer int.
"""


class ExactNumber(float):
    """A number of JSON that no float holds, such as `1e-400`. Its text, and a Decimal of that, have
    the digits that were sent.
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

    def __ne__(self, other: object) -> bool:  # that of `float` would not call `__eq__`
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
    """A number of JSON with the digits that were sent; None for any other value, and for a number
    with too many digits.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    try:
        number = Decimal(repr(value) if isinstance(value, float) else value)
    except InvalidOperation:
        return None
    if isinstance(value, int):
        return number
    return number if number.is_finite() and abs(number.adjusted()) < _MOST_PLACES else None


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
    """A number of JSON: a float, or an `ExactNumber` where a float does not hold all its digits."""
    number = float(digits)
    if len(digits) <= _EXACT_DIGITS and "e" not in digits and "E" not in digits:
        return number
    exact = ExactNumber(digits)
    return exact if exact != number else number


def _null_for(_word: str) -> None:
    """None for `NaN`, `Infinity` and `-Infinity`, which JSON does not have: JavaScript writes null
    for them.
    """


_FAST_DECODER = msgspec.json.Decoder(float_hook=_number)
"""Reads less than the decoders of Python, and faster. What it refuses, they decide about."""
_SECRET_DECODER = json.JSONDecoder(object_hook=SecretObject, parse_constant=_null_for)
MOST_LEVELS = 100
"""The most levels of JSON that is read, and of a value that is looked into for card data."""
_ODD_ESCAPE = re.compile(rb"\\u(?:[dD][89a-fA-F]|0000)")
_AS_LISTS = bytes.maketrans(b"{}", b"[]")
_ALL_BUT_MARKS = bytes(byte for byte in range(256) if byte not in b'[]{}"')
_ESCAPED = re.compile(rb'\\[\\"]')
_TEXT = re.compile(rb'"[^"]*"')
_NOT_READ: Any = object()


class TooDeepError(ValueError):
    """The JSON is nested too deeply to be read."""


def parsed(content: bytes | bytearray | str, *, is_secret: bool = False, **options: Any) -> Any:
    """Read JSON that a provider sent. Its numbers keep their digits, its texts are `storable`, and
    `NaN` and the like, which JSON does not have, are null.

    Raises `ValueError` where the content is not JSON, and `TooDeepError` where it has more than a
    hundred levels.

    Args:
        content: The JSON.
        is_secret: Its objects are `SecretObject`s, and its texts are as they came: a token is sent
            as it is, or not at all.
        options: Those of `json.loads`.
    """
    parse_float = options.pop("parse_float", None) or _number
    parse_constant = options.pop("parse_constant", _null_for)
    if not (is_secret or isinstance(content, str) or options):
        value = _read_fast(content, parse_float)
        if value is not _NOT_READ:
            return _checked(value, content)
    text = content
    if not isinstance(text, str):
        text = text.decode(json.detect_encoding(text), "surrogatepass")
    encoded = text.encode("utf-8", "surrogatepass")
    try:
        if is_secret:
            return _checked(_SECRET_DECODER.decode(text), encoded)
        value = json.loads(text, parse_float=parse_float, parse_constant=parse_constant, **options)
        _checked(value, encoded)
        is_odd = _has_odd_escape(encoded) or not is_encodable(text)
        return _all_storable(value) if is_odd else value
    except RecursionError:  # also where the caller is nested deeply
        raise TooDeepError("the JSON is nested too deeply") from None


def _read_fast(content: bytes | bytearray, parse_float: Callable[[str], Any]) -> Any:
    """The value of JSON that has nothing odd; `_NOT_READ` for any other. It has no constants to
    parse: msgspec refuses them.
    """
    if _has_odd_escape(content):
        return _NOT_READ
    decoder = _FAST_DECODER
    if parse_float is not _number:
        decoder = msgspec.json.Decoder(float_hook=parse_float)
    try:
        return decoder.decode(content)
    except (ValueError, RecursionError):
        return _NOT_READ


def _checked(value: Any, content: bytes | bytearray) -> Any:
    """The value of JSON. Raises `TooDeepError` if it has more than `MOST_LEVELS` levels: what reads
    it later needs several frames for a level.
    """
    # No variable holds the content, which may be secret: only its quotes and brackets.
    marks: bytes | bytearray
    if b"\\" in content:
        marks = _ESCAPED.sub(b"", content).translate(_AS_LISTS, _ALL_BUT_MARKS)
    else:
        marks = content.translate(_AS_LISTS, _ALL_BUT_MARKS)
    brackets = _TEXT.sub(b"", marks.replace(b'""', b""))  # first the texts without brackets
    for _ in range(MOST_LEVELS):
        if not brackets:
            return value
        brackets = brackets.replace(b"[]", b"")  # without the innermost lists
    if brackets:
        raise TooDeepError("the JSON is nested too deeply")
    return value


def _has_odd_escape(content: bytes | bytearray) -> bool:
    """Whether an escape of a text may be half a character, or the character 0."""
    return b"\\" in content and _ODD_ESCAPE.search(content) is not None


def _all_storable(value: Any) -> Any:
    """A JSON value with all its texts `storable`."""
    if isinstance(value, str):
        return storable(value)
    if is_object(value):
        return {storable(name): _all_storable(member) for name, member in value.items()}
    if is_list(value):
        return [_all_storable(item) for item in value]
    return value


def _as_sent(value: object) -> Any:
    """How JSON has a value that is none of Python's own: a number by its digits, others as text."""
    return msgspec.Raw(repr(value).encode()) if isinstance(value, ExactNumber) else str(value)


_ENCODER = msgspec.json.Encoder(enc_hook=_as_sent)
_SORTING_ENCODER = msgspec.json.Encoder(enc_hook=_as_sent, order="sorted")


def json_text(value: object, *, is_sorted: bool = False) -> str:
    """The JSON of what `parsed` has read, with the digits that were sent: `json.dumps` writes
    `Infinity` for `1e400`, and rounds others.

    Args:
        value: What was read. What is no JSON in it becomes text.
        is_sorted: Whether members stand in the order of their names, so that equal objects have the
            same text.
    """
    encoder = _SORTING_ENCODER if is_sorted else _ENCODER
    return encoder.encode(value).decode()


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
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return text_or_empty(value)


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
    """The value of a member of a body, or of a member within its objects: `data.id`. None without
    such a member.
    """
    if path in body:
        return body[path]
    value: Any = body
    for name in path.split("."):
        value = object_or_empty(value).get(name)
    return value


def member_in_any_case(body: Mapping[str, Any], name: str) -> Any:
    """A member by its name in any letter case, or None. The name as it is written comes first."""
    if name in body:
        return body[name]
    return next((value for key, value in body.items() if key.lower() == name.lower()), None)


def no_object_reason(response: httpx.Response) -> str | None:
    """Why the body of a response is not a JSON object, for a message; None when it is one."""
    if not body_of(response):
        return "its body is empty"
    body = json_of(response)
    if body is NOT_JSON:
        return "its body is not JSON"
    return None if is_object(body) else "its body is JSON, but no object"
