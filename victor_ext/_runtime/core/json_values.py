"""JSON that a provider sent, of which nothing is known until it has been looked at.

In this order: exact numbers; `parsed`, the reader of all JSON; `json_text`, which writes it again;
readers of values and members; the beginning of a JSON object that was cut.
"""

import json
import re
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from itertools import accumulate
from typing import Any, Self, TypeGuard

import httpx
import msgspec

from victor_ext._ids import storable
from victor_ext._privacy import SecretBuffer, SecretBytes, SecretObject, body_of
from victor_ext._runtime.core.validation import is_encodable

_MOST_OF_A_CUT_TEXT = 1000  # characters of it that are its value
_OBJECT = re.compile(rb"[\s\0\xef\xbb\xbf\xfe\xff]*\{")
"""The beginning of a JSON object, in each encoding of JSON.

Nothing else is decoded to be searched.
"""
_BEGINNING = re.compile(r"\s*\{")
_MEMBER_NAME = re.compile(r'[\s,]*"((?:[^"\\]|\\.)*)"\s*:\s*')
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
_TOLERANT = json.JSONDecoder(
    parse_float=_number,
    parse_constant=_null_for,
    parse_int=lambda digits: int(digits) if len(digits) < 1000 else 0,
    strict=False,
)
MOST_LEVELS = 100
"""The most levels of JSON that is read, and of a value that is looked into for card data."""
_USUAL_LEVELS = 10
"""Nearly all JSON has no more, however long it is."""
_REST_OF_TEXT = re.compile(rb'\\[\\"][^"\\]*+(?:\\.[^"\\]*+)*+', re.DOTALL)
"""A text from its first escaped quote or backslash on, without the quote that ends it."""
_TEXT = re.compile(rb'"[^"]*"?')
_ALL_BUT_MARKS = bytes(byte for byte in range(256) if byte not in b'[]{}"')
_AS_LISTS = bytes.maketrans(b"{}", b"[]")
_STEPS = bytes.maketrans(b"[]", b"\x01\xff")
"""What a bracket adds to the levels: 1, and -1 as a signed byte."""
_ODD_ESCAPE = re.compile(rb"\\u(?:[dD][89a-fA-F]|0000)")
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
            return value
    text = content
    if not isinstance(text, str):
        text = text.decode(json.detect_encoding(text), "surrogatepass")
    encoded = text.encode("utf-8", "surrogatepass")
    try:
        if _is_deep(encoded):
            raise RecursionError
        if is_secret:
            return _SECRET_DECODER.decode(text)
        value = json.loads(text, parse_float=parse_float, parse_constant=parse_constant, **options)
        is_odd = _has_odd_escape(encoded) or not is_encodable(text)
        return _all_storable(value) if is_odd else value
    except RecursionError:  # also where the caller is nested deeply
        raise TooDeepError("the JSON is nested too deeply") from None


def _read_fast(content: bytes | bytearray, parse_float: Callable[[str], Any]) -> Any:
    """The value of JSON that has nothing odd; `_NOT_READ` for any other. It has no constants to
    parse: msgspec refuses them.
    """
    if _is_deep(content) or _has_odd_escape(content):
        return _NOT_READ
    decoder = _FAST_DECODER
    if parse_float is not _number:
        decoder = msgspec.json.Decoder(float_hook=parse_float)
    try:
        return decoder.decode(content)
    except (ValueError, RecursionError):
        return _NOT_READ


def _has_odd_escape(content: bytes | bytearray) -> bool:
    """Whether an escape of a text may be half a character, or the character 0."""
    return b"\\" in content and _ODD_ESCAPE.search(content) is not None


def _is_deep(content: bytes | bytearray) -> bool:
    """Whether JSON has more levels than each of its readers can take: some need several frames for
    a level, and the decoders in C may fill the stack of a thread, so it is asked before they read.
    The time that it takes grows with the length alone.
    """
    brackets = _brackets_of(content)
    outer = brackets
    for _ in range(_USUAL_LEVELS):
        outer = outer.replace(b"[]", b"")  # without the innermost lists: at most one level less
    if outer.count(b"[") <= MOST_LEVELS - _USUAL_LEVELS:
        return False
    levels = accumulate(memoryview(brackets.translate(_STEPS)).cast("b"))
    return any(map(MOST_LEVELS.__lt__, levels))


def _brackets_of(content: bytes | bytearray) -> bytes:
    """The brackets of the lists of JSON, and of its objects as if they were lists, without those in
    texts.
    """
    # No variable holds the content, which may be secret: quotes and brackets alone tell which
    # brackets stand in texts.
    if b"\\" not in content:
        marks = content.translate(_AS_LISTS, _ALL_BUT_MARKS)
    else:
        marks = _REST_OF_TEXT.sub(b"", content).translate(_AS_LISTS, _ALL_BUT_MARKS)
    return _TEXT.sub(b"", marks.replace(b'""', b""))  # first the texts that have no brackets


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


_MOST_OF_ONE = 20_000
"""Bytes of JSON about one thing. A longer body is a page, where an odd item costs no other one."""
_END_OF_NAME = b'":'
_BLANK_BEHIND_NAME = re.compile(rb'"\s+:')


def has_two_readings(response: httpx.Response) -> bool:
    """Whether an object in the body has a name twice, with two values: readers take the first one
    or the last. The stricter reading counts, and what only one of them says, nobody did.
    """
    content: bytes | bytearray = body_of(response)
    value = json_of(response)  # which has the last value of each name
    if len(content) > _MOST_OF_ONE or value is NOT_JSON:
        return False
    # Without escapes, what was read has as many names as the content.
    is_plain = b"\\" not in content and _BLANK_BEHIND_NAME.search(content) is None
    names = content.count(_END_OF_NAME)
    if is_plain and names == _ENCODER.encode(value).count(_END_OF_NAME):
        return False
    repeated = set[str]()

    def note(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        members = dict(pairs)
        repeated.update(name for name, member in pairs if members[name] != member)
        return members

    parsed(content, object_pairs_hook=note)
    return bool(repeated)


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


def _beginning_of(text: str) -> Any:
    """The value that a cut piece of JSON begins with: the characters of a text, an empty object or
    list, or None.
    """
    if text.startswith('"'):
        return text[1:]
    if text.startswith("{"):
        return {}
    return [] if text.startswith("[") else None


def readable_members(content: SecretBytes | SecretBuffer) -> dict[str, Any]:
    """The members of a JSON object, or of the beginning of a JSON object. The value of a text that
    is cut is its beginning.
    """
    members = dict[str, Any]()
    if _OBJECT.match(content) is None:
        return members
    text = content.decode(json.detect_encoding(content), "replace")
    beginning = _BEGINNING.match(text)
    place = len(text) if beginning is None else beginning.end()
    while name := _MEMBER_NAME.match(text, place):
        start = name.end()
        try:
            value, end = _TOLERANT.raw_decode(text, start)
            if _is_deep(text[start:end].encode("utf-8", "surrogatepass")):
                raise ValueError("the value is nested too deeply")
            place = end
        except (ValueError, RecursionError):
            value = _beginning_of(text[start : start + _MOST_OF_A_CUT_TEXT])
            place = len(text)  # nothing can be read behind it
        members[name[1]] = _all_storable(value)
    return members
