"""Card numbers and card verification codes in a value or a request: neither may be stored (PCI DSS
4.0.1, 3.3, 3.5). A number counts under a name that is about a card: the check digit of any other
number may happen to be right.
"""

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any, cast
from urllib.parse import parse_qsl, urlsplit

from victor_ext._privacy import is_of_a_card, mask_digits, one_line
from victor_ext._runtime.core.json_values import NOT_JSON, is_mapping, parsed
from victor_ext._values.ids import GUID
from victor_ext.errors import Problem

_CARD = re.compile(r"card|paymentmethod|paymentinstrument|^[df]?pan$|^ccn?(um|umber)?$|track[12]")
_CODE = re.compile(r"cv[vcn]2?|cardcode|securitycode|verification(code|value)")


def has_card_number(value: object) -> bool:
    """Whether a text or a number is, or has in it, the number of a card."""
    if isinstance(value, int | Decimal):
        number = Decimal(value)
        value = f"{number:.0f}" if number.adjusted() < 19 else ""
    if not isinstance(value, str):
        return False
    found = re.findall(r"(?<!\w)\d(?:[\W_]{0,3}\d){12,18}(?!\w)", GUID.sub("", value))
    digits = ("".join(str(int(char)) for char in each if char.isdecimal()) for each in found)
    return any(map(is_of_a_card, digits))


def card_data_in(
    value: object, place: str = "", *, about_a_card: bool = False
) -> Iterator[tuple[str, bool]]:
    """Where a value, at any depth, has the number of a card (True) or its verification code
    (False).
    """
    if is_mapping(value):
        for name, member in cast("Mapping[object, object]", value).items():
            inner, is_of_code, is_of_card = _read_name(str(name))
            inner = f"{place}.{inner}".removeprefix(".")
            if is_of_code and re.fullmatch("[0-9]{3,4}", str(member).strip()):
                yield inner, False
            yield from card_data_in(member, inner, about_a_card=about_a_card or is_of_card)
    elif isinstance(value, list | tuple):
        for item in cast("list[object]", value):
            yield from card_data_in(item, place, about_a_card=about_a_card)
    elif about_a_card and has_card_number(value):
        yield place, True


@lru_cache(maxsize=1_000)
def _read_name(name: str) -> tuple[str, bool, bool]:
    """The name of a member as it may be shown, and whether it is about the code of a card, and
    about a card.
    """
    folded = re.sub(r"[\W_]", "", name).lower()
    is_of_card = _CARD.search(folded) is not None
    return mask_digits(one_line(name)), _CODE.search(folded) is not None, is_of_card


def card_problems(url: str, content: bytes) -> list[Problem]:
    """A problem for each card number and each verification code in the query and the body (JSON or
    a form) of a request.
    """
    body: Any = NOT_JSON
    try:
        body = parsed(content)
    except ValueError:
        body = dict(parse_qsl(content.decode("latin-1")))
    places = [*card_data_in(dict(parse_qsl(urlsplit(url).query))), *card_data_in(body)]
    return [_problem(place, is_number=is_number) for place, is_number in dict.fromkeys(places)]


def _problem(place: str, *, is_number: bool) -> Problem:
    what = "the number of a card" if is_number else "the verification code of a card"
    return Problem(place, "card", f"{place} is {what}, which must not be stored: pass a token.")
