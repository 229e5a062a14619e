"""Card numbers and card verification codes in a value or a request: neither may be stored (PCI DSS
4.0.1, 3.3, 3.5).

`card_problems` looks at a request, `card_data_in` at a value of any depth, `has_card_number` at one
text.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from itertools import accumulate, pairwise
from typing import Any, cast
from urllib.parse import parse_qsl

import httpx

from victor_ext._ids import GUID
from victor_ext._privacy import is_of_a_card, one_line
from victor_ext._runtime.core.json_values import (
    MOST_LEVELS,
    NOT_JSON,
    TooDeepError,
    is_list,
    is_mapping,
    parsed,
)
from victor_ext.errors import Problem

_MOST_CHARACTERS = 10_000
_SHORTEST_CARD, _LONGEST_CARD = 13, 19
_FORM_PART = r'(?s); name="([^"]*)".*?\r\n\r\n(.*)\r\n'
_DIGIT_GROUPS = r"(?<!\w)[0-9]+(?:[\W_]{1,3}[0-9]+)*(?!\w)"
_INVISIBLE = frozenset({"Cf", "Mn"})
"""Characters without a width: they divide digits, and nobody sees it."""
_CARD_NAME = (
    ".*(card|paymentmethod|paymentinstrument).*|[df]?pan|primaryaccountnumber"
    "|cc(n|no|num|number)?|track([12]|[12]?data)"
)
_CARD_KINDS = frozenset(
    {
        "card",
        "creditcard",
        "debitcard",
        "visa",
        "mastercard",
        "amex",
        "americanexpress",
        "discover",
        "maestro",
    }
)
_EXPIRY_NAME = "(card|cc)?exp(iry|iration)?(month|year|date|mm|yy)?|validthru"
_CODE = "[0-9]{3,4}"
_CODE_NAME = (
    "(.*cv[vc]|(.*card|cc)?cv[nd])2?(code|no|num|number|value)?"
    "|cardcode|card(security|verification)(code|value)?"
)
_CODE_NAMES_IN_A_CARD = frozenset(
    {"cid", "csc", "securitycode", "verificationvalue", "verificationcode", "code"}
)
"""Names that mean something else elsewhere."""
_PARTS_OF_CODE_NAMES = (b"cv", b"code", b"cid", b"csc", b"security", b"verification")
"""Each name of a code has one of these."""
_NO_DIGITS = bytes(sorted({*range(128)} - {*b"0123456789"}))
_NOT_IN_A_WORD = bytes(number for number in range(128) if not chr(number).isalnum())
_PLAIN_ADDRESS = "[A-Za-z0-9/:?&=._-]*"
"""An address whose parts are all as they are written."""


def has_card_number(value: object) -> bool:
    """Whether a text or a number is a card number, or has one among other words (as on a magnetic
    stripe). The digits of a GUID are no card number.
    """
    text = GUID.sub("GUID", _text_of(value))
    if is_of_a_card(re.sub(r"[\W_]", "", text)):
        return True
    return any(map(is_of_a_card, _joined_groups(text)))


def card_data_in(
    value: object, place: str, *, about_a_card: bool = False, levels: int = MOST_LEVELS
) -> Iterator[tuple[str, bool]]:
    """Where a value, at any depth, has the number of a card (True) or its verification code
    (False).

    With `about_a_card=False`, only members whose names say so are about a card: the check digit of
    any other number may happen to be right. The place is that of the outermost member about a card:
    a name within such a member may show more than it should.

    Raises `TooDeepError`: the value, or JSON as a text in it, has more than a hundred levels.
    """
    if levels < 0:
        raise TooDeepError("the value is nested too deeply")
    if is_mapping(value):
        yield from _card_data_in_members(value, place, about_a_card=about_a_card, levels=levels)
    elif isinstance(value, list | tuple):
        for item in cast("list[object]", value):
            yield from card_data_in(item, place, about_a_card=about_a_card, levels=levels - 1)
    elif about_a_card and has_card_number(value):
        yield place, True
    elif isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
        inside = _exactly_read(value)  # JSON as text
        if inside is not NOT_JSON:
            yield from card_data_in(inside, place, about_a_card=about_a_card, levels=levels - 1)


def _exactly_read(content: bytes | str) -> Any:
    """The value of JSON with its texts as they were sent: any character may stand between the
    digits of a number. `NOT_JSON` for any other content; raises `TooDeepError`.
    """
    try:
        return parsed(content, is_secret=True)
    except TooDeepError:
        raise
    except ValueError:
        return NOT_JSON


def _card_data_in_members(
    members: Mapping[Any, Any], place: str, *, about_a_card: bool, levels: int
) -> Iterator[tuple[str, bool]]:
    """Where the members of an object have card data, as `card_data_in` yields it; a name may be a
    card number, too.
    """
    is_card = _is_card(members)
    for name, value in members.items():
        if has_card_number(name):
            yield place, True
            continue
        folded = _folded(name)
        inner = place
        if folded and not about_a_card:
            inner = f"{place}.{one_line(name)}".removeprefix(".")
        is_code = re.fullmatch(_CODE_NAME, folded) is not None
        if about_a_card or is_card:
            is_code = is_code or folded in _CODE_NAMES_IN_A_CARD
        if is_code and any(
            re.fullmatch(_CODE, str(text).strip()) for text in _values_of_member(value)
        ):
            yield inner, False
        is_number = is_card and folded == "number"
        is_about = about_a_card or is_number or re.fullmatch(_CARD_NAME, folded) is not None
        yield from card_data_in(value, inner, about_a_card=is_about, levels=levels - 1)


def _is_card(members: Mapping[Any, Any]) -> bool:
    """Whether an object is a card: by the name of a member, or by a text that is a kind of card."""
    for name in map(_folded, members):
        if re.fullmatch(_EXPIRY_NAME, name) or re.fullmatch(_CODE_NAME, name):
            return True
    texts = {_folded(text) for item in members.values() for text in _values_of_member(item)}
    return not texts.isdisjoint(_CARD_KINDS)


def _folded(text: object) -> str:
    """The letters and digits of a text in small letters; empty for any other value."""
    if not isinstance(text, str):
        return ""
    return re.sub(r"[\W_]", "", text[:_MOST_CHARACTERS]).casefold()


def _values_of_member(item: Any) -> list[Any]:
    """The values of a member: the items of a list, or the only one. In a form, they are the member
    without a name: see `_nested`.
    """
    item = item.get("", item) if is_mapping(item) else item
    return item if is_list(item) else [item]


def card_problems(url: httpx.URL, headers: Mapping[str, str], content: bytes) -> list[Problem]:
    """A problem for each card number and each verification code in a request: in its query, its
    headers, its body (JSON, a form, or the parts of one), and in its path behind a name about a
    card. JSON that cannot be looked into is one problem.
    """
    if not may_have_card_data(url, headers, content):
        return []
    try:
        return _card_problems(url, headers, content)
    except TooDeepError:
        message = "The JSON is nested too deeply to be looked into for the number of a card."
        return [Problem("", "card", message)]


def _card_problems(url: httpx.URL, headers: Mapping[str, str], content: bytes) -> list[Problem]:
    _, _, boundary = headers.get("content-type", "").partition("boundary=")
    body = _exactly_read(content)
    if body is NOT_JSON:
        text = content.decode("latin-1")
        if boundary:
            parts = (re.search(_FORM_PART, part) for part in text.split(f"--{boundary}"))
            pairs = [(part[1], part[2]) for part in parts if part]
        else:
            pairs = parse_qsl(text, max_num_fields=10_000)
        body = _nested(pairs)
    places = [
        *card_data_in(_nested(url.params.multi_items()), ""),
        *card_data_in(dict(headers), ""),
    ]
    places += card_data_in(body, "")
    for name, segment in pairwise(url.path.split("/")):
        is_about = re.fullmatch(_CARD_NAME, _folded(name)) is not None
        places += card_data_in(segment, "path", about_a_card=is_about)
    return [_problem(place, is_number=is_number) for place, is_number in dict.fromkeys(places)]


def may_have_card_data(url: httpx.URL, headers: Mapping[str, str], content: bytes) -> bool:
    """Whether a request has to be looked into: all but plain JSON whose texts have fewer digits
    than a card number, and whose names are none of a verification code. That is most of what is
    stored, and looking into it takes long.
    """
    address = str(url)
    around = [address, *headers, *headers.values()]
    texts = [text.encode("utf-8", "surrogatepass") for text in around]
    every = b"".join([*texts, content])
    if not every.isascii() or b"\\" in every or not re.fullmatch(_PLAIN_ADDRESS, address):
        return True
    if content and not _is_json(content):
        return True
    texts += content.split(b'"')  # without escapes, no text of JSON has a quotation mark
    if any(map(_has_digits_of_a_card, texts)):
        return True
    folded = every.translate(None, _NOT_IN_A_WORD).lower()
    return any(part in folded for part in _PARTS_OF_CODE_NAMES)


def _has_digits_of_a_card(text: bytes) -> bool:
    """Whether a text has as many digits as the shortest card number, without those of GUIDs."""
    if len(text.translate(None, _NO_DIGITS)) < _SHORTEST_CARD:
        return False
    without_guids = GUID.sub("", text.decode("ascii")).encode()
    return len(without_guids.translate(None, _NO_DIGITS)) >= _SHORTEST_CARD


def _is_json(content: bytes) -> bool:
    try:
        parsed(content)
    except ValueError:
        return False
    return True


def _problem(place: str, *, is_number: bool) -> Problem:
    what = "the number of a card" if is_number else "the verification code of a card"
    message = f"{place or 'A name'} is {what}, which must not be stored: pass a token."
    return Problem(place, "card", message)


def _nested(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """A form as an object: `card.number` and `card[number]` are members of `card`. Their values are
    in a list, under an empty name.
    """
    form: dict[str, Any] = {}
    for name, value in pairs:
        inner = form
        for part in re.split(r"[.\[]", name.replace("]", "")):
            inner = inner.setdefault(part, {})
        inner.setdefault("", []).append(value)
    return form


def _text_of(value: object) -> str:
    """A text or a number as text, with its digits in ASCII and without invisible characters; empty
    for any other value.
    """
    if isinstance(value, int | Decimal):
        number = Decimal(value)
        return f"{number:.0f}" if number.adjusted() < _LONGEST_CARD else ""
    text = value[:_MOST_CHARACTERS] if isinstance(value, str) else ""
    if text.isascii():
        return text
    normal = unicodedata.normalize("NFKC", text)
    return "".join(
        str(unicodedata.decimal(char, char))
        for char in normal
        if unicodedata.category(char) not in _INVISIBLE
    )


def _joined_groups(text: str) -> Iterator[str]:
    """Each group of digits in a text, alone and joined with the next ones."""
    for match in re.finditer(_DIGIT_GROUPS, text):
        groups = re.findall("[0-9]+", match[0])
        for first in range(len(groups)):
            yield from accumulate(groups[first : first + _LONGEST_CARD])
