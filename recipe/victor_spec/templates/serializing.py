"""Values as JSON, and serialization of parameters by the styles of OpenAPI (RFC 6570).

Absent values and null are not sent. Flags are `true` and `false`, times and dates ISO 8601. In
lists and objects, null is left out (RFC 6570, 2.3). A value whose form OpenAPI does not define
raises ValueError, which names the parameter.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any, Final
from urllib.parse import quote, quote_plus

from .decoding import plain
from .types import UNSET, File

RESERVED: Final = ":/?@!$'()*,;="
"""What `allowReserved` leaves as it is.

`&`, `+`, `#`, `[` and `]` have another meaning in a query, or none.
"""

DELIMITERS: Final = {"form": ",", "spaceDelimited": "%20", "pipeDelimited": "%7C"}
COOKIE_VALUE: Final = r"[!#-+\--:<-\[\]-~]*"
"""What may stand in the value of a cookie (RFC 6265, 4.1.1)."""

MAX_DIGITS: Final = 99
"""A Decimal with more of them before or behind its point is written with an exponent."""
MAX_LEVELS: Final = 200

_dumps: Final = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, check_circular=False, separators=(",", ":")
).encode
_TRIPLE: Final = r"(%[0-9A-Fa-f]{2})"


class Hidden(bytes):
    """Bytes whose repr is their number, and slices too: a traceback must not show what is in a
    body.
    """

    def __repr__(self) -> str:
        return f"<{len(self)} bytes>"

    def __getitem__(self, place: Any) -> Any:
        part = bytes.__getitem__(self, place)
        return Hidden(part) if isinstance(part, bytes) else part


def json_body(body: Any) -> bytes:
    """A body as JSON; a Decimal keeps its digits.

    Raises ValueError, which names the field, for what JSON has not.
    """
    return Hidden(utf8("body", json_of(plain(body), "body")))


# ---- Parameters ----


def query(
    name: str, value: Any, style: str = "form", *, explode: bool = True, reserved: bool = False
) -> list[str]:
    """A parameter of a query, percent-encoded: `name=value` once, several times, or not at all."""
    return list(pairs_of(name, _zoned(name, value), style, explode=explode, reserved=reserved))


def header(name: str, value: Any, *, explode: bool = False) -> dict[str, str]:
    """A header with a value as text; {} for an absent value. Text is not percent-encoded: what is
    beyond ASCII, the client refuses.
    """
    if value.__class__ is str:
        return {name: value}
    value = _present(_zoned(name, value))
    return {} if value is UNSET else {name: _listed(name, value, explode=explode)}


def cookie(name: str, value: Any) -> dict[str, str]:
    """A cookie; {} for an absent value. Raises ValueError for a list or an object."""
    value = _present(_zoned(name, value))
    if value is UNSET:
        return {}
    if isinstance(value, (dict, list)):
        raise ValueError(f"{name}: a cookie has one value, no list and no object: pass its text.")
    text = text_of(name, value)
    if not re.fullmatch(COOKIE_VALUE, text):
        raise ValueError(
            f"{name}: a cookie holds no space, quote, comma, semicolon, backslash, control or "
            "non-ASCII."
        )
    return {name: text}


def segment(name: str, value: Any, style: str = "simple", *, explode: bool = False) -> str:
    """A parameter as a part of a path.

    Raises ValueError for what would change the path: "", "." and "..".
    """
    value = _present(_zoned(name, value))
    if value is UNSET:
        text = ""
    elif style == "matrix" and explode and isinstance(value, (dict, list)):
        text = "".join(
            f";{_segment_text(key)}={_segment_text(each)}" for key, each in _members(name, value)
        )
    else:
        text = _joined(
            name,
            value,
            "." if explode and style == "label" else ",",
            _segment_text,
            explode=explode,
        )
        if style == "label":
            text = f".{text}"
        elif style == "matrix":
            text = f";{_segment_text(name)}" + (f"={text}" if text else "")
    if text in ("", ".", ".."):
        raise ValueError(f"{name}: {text!r} cannot be a part of a path: it would name another one.")
    return text


def query_string(*parameters: list[str], begin: str = "?") -> str:
    """The end of the URL; "" without parameters.

    `begin` is "&" after a path that has a query of its own.
    """
    pairs = [pair for each in parameters for pair in each]
    return begin + "&".join(pairs) if pairs else ""


# ---- Values ----


def items_of(value: Any) -> list[Any]:
    """The items of a list without null; another value as the only item."""
    return [item for item in value if item is not None] if isinstance(value, list) else [value]


def _zoned(name: str, value: Any) -> Any:
    """The plain value of a parameter.

    Raises ValueError for a time without a zone: the server would guess one.
    """
    for each in value if isinstance(value, (list, tuple)) else (value,):
        if isinstance(each, datetime) and each.tzinfo is None:
            raise ValueError(
                f"{name}: {each.isoformat()} has no time zone: write tzinfo=UTC, or its own."
            )
    return plain(value)


def _present(value: Any) -> Any:
    """The plain value.

    UNSET for null, and for a list or an object without members, which RFC 6570 calls undefined.
    """
    value = plain(value)
    return UNSET if value is None or (isinstance(value, (dict, list)) and not value) else value


def pairs_of(
    name: str, value: Any, style: str, *, explode: bool, reserved: bool, plus: bool = False
) -> Iterator[str]:
    """`name=value` in a query or (`plus`: a space is `+`) in an url-encoded form."""
    value = _present(value)
    key = _encode(name, plus=plus)
    if value is UNSET:
        return
    if not isinstance(value, (dict, list)):
        yield f"{key}={_encode(text_of(name, value), reserved=reserved, plus=plus)}"
    elif style == "deepObject":
        for path, leaf in leaves(name, value):
            text = _encode(text_of(name, leaf), reserved=reserved, plus=plus)
            yield f"{_encode(path, plus=plus)}={text}"
    elif explode:
        for field, leaf in _members(name, value):
            yield f"{_encode(field, plus=plus)}={_encode(leaf, reserved=reserved, plus=plus)}"
    else:
        texts = list(_flat(name, value))
        if style != "form":
            _refuse_in(name, texts, {"spaceDelimited": " ", "pipeDelimited": "|"}[style])
        encoded = (_encode(text, reserved=reserved, plus=plus) for text in texts)
        yield f"{key}={DELIMITERS[style].join(encoded)}"


def leaves(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    """The scalars of a deep object, each with its path: `a[b][c]`, and `a[b][0]` for the items of a
    list.
    """
    if isinstance(value, dict):
        for name, child in value.items():
            yield from leaves(f"{path}[{name}]", child)
    elif isinstance(value, list):
        for number, child in enumerate(items_of(value)):
            yield from leaves(f"{path}[{number}]", child)
    elif value is not None:
        yield path, value


def _members(name: str, value: Any) -> Iterator[tuple[str, str]]:
    """The members of a list, each with the name of the list, or those of an object, each with its
    own name.
    """
    members = value.items() if isinstance(value, dict) else [(name, item) for item in value]
    for key, member in members:
        if isinstance(member, (dict, list)):
            place = (
                f"the member {key!r} of an object"
                if isinstance(value, dict)
                else "an item of a list"
            )
            raise undefined(name, member, place)
        if member is not None:
            yield key, text_of(name, member)


def _flat(name: str, value: Any) -> Iterator[str]:
    """The items of a list, or the keys and values of an object by turns."""
    for key, text in _members(name, value):
        if isinstance(value, dict):
            yield key
        yield text


def _joined(
    name: str, value: Any, delimiter: str, write: Callable[[str], str], *, explode: bool
) -> str:
    """A value in a path, a header or a cookie, with its delimiters as they are."""
    if isinstance(value, dict) and explode:
        return delimiter.join(f"{write(key)}={write(text)}" for key, text in _members(name, value))
    texts = _flat(name, value) if isinstance(value, (dict, list)) else [text_of(name, value)]
    return delimiter.join(map(write, texts))


_segment_text = partial(quote, safe="")


def _listed(name: str, value: Any, *, explode: bool) -> str:
    """A value in a header or a cookie: nothing in it is encoded, so no item may contain the
    comma.
    """
    if isinstance(value, (dict, list)):
        _refuse_in(name, list(_flat(name, value)), ",")
    return _joined(name, value, ",", str, explode=explode)


def _refuse_in(name: str, texts: list[str], delimiter: str) -> None:
    """Raise ValueError for a text that contains the delimiter of its list."""
    if any(delimiter in text for text in texts):
        raise ValueError(
            f"{name}: no item of this list can contain {delimiter!r}, which separates the items."
        )


def _encode(text: str, *, reserved: bool = False, plus: bool = False) -> str:
    """Percent-encoded text.

    `reserved` keeps RESERVED and what is encoded; the client refuses lone surrogates.
    """
    write = quote_plus if plus else quote
    try:
        if not reserved:
            return write(text, safe="")
        return "".join(
            part if re.fullmatch(_TRIPLE, part) else write(part, safe=RESERVED)
            for part in re.split(_TRIPLE, text)
        )
    except UnicodeEncodeError:
        return text


def text_of(name: str, value: Any) -> str:
    """A scalar as text. Raises ValueError for a value that has no text form."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (float, Decimal)):
        return _number_text(name, value)
    if isinstance(value, (str, int)):
        return str(value)
    raise ValueError(f"{name}: a {type(value).__name__} has no text form.")


def _number_text(name: str, value: float | Decimal) -> str:
    """The digits of a number.

    Many servers read no exponent: a float that Python writes with one is refused.
    """
    text = (
        f"{value:f}"
        if isinstance(value, Decimal) and -MAX_DIGITS < value.adjusted() < MAX_DIGITS
        else str(value)
    )
    if not text.lstrip("-").replace(".", "", 1).isdecimal():
        raise ValueError(
            f"{name}: {text} is not written in digits: pass a finite Decimal, or the text."
        )
    return text


def json_of(value: Any, name: str) -> str:
    """JSON text; a Decimal keeps its digits.

    Raises ValueError, which names the part, for a value that has no form in JSON.
    """
    try:
        return _dumps(value)  # nearly always; `_exact` writes a Decimal, or names the part
    except (TypeError, ValueError, RecursionError):
        return _exact(value, name, MAX_LEVELS)


def utf8(name: str, text: str) -> bytes:
    """The bytes of a text.

    Raises ValueError, which names the part, for half of a surrogate pair.
    """
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise ValueError(
            f"{name}: its text has half of a surrogate pair, which UTF-8 cannot hold."
        ) from None


def _exact(value: Any, name: str, levels: int) -> str:
    if not levels:
        raise ValueError(f"{name}: it contains itself, or is nested too deeply.")
    if isinstance(value, dict):
        fields = (
            f"{_dumps(str(key))}:{_exact(each, f'{name}.{key}', levels - 1)}"
            for key, each in value.items()
        )
        return f"{{{','.join(fields)}}}"
    if isinstance(value, list):
        items = (_exact(item, f"{name}[{place}]", levels - 1) for place, item in enumerate(value))
        return f"[{','.join(items)}]"
    if isinstance(value, Decimal) and value.is_finite():
        return f"{value:f}" if -MAX_DIGITS < value.adjusted() < MAX_DIGITS else str(value)
    try:
        return _dumps(value)
    except (TypeError, ValueError):
        a_number = isinstance(value, (float, Decimal))
        # no text of the caller
        shown = str(value) if a_number else f"a value of the type {type(value).__name__}"
        what = (
            "bytes: send the file in another content type"
            if isinstance(value, File)
            else f"form for {shown}"
        )
        raise ValueError(f"{name}: JSON has no {what}.") from None


def undefined(name: str, value: Any, place: str) -> ValueError:
    """The error for a list or an object that has no defined form at a place."""
    kind = "a list" if isinstance(value, list) else "an object"
    return ValueError(
        f"{name}: neither the document nor OpenAPI says how {kind} is written as {place}: nothing "
        "was sent."
    )
