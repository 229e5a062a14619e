"""Card numbers and card verification codes, which no request may have that is stored (PCI DSS 4.0.1, 3.3 and 3.5)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import parse_qsl

import httpx

from victor_ext.errors import Problem
from victor_ext.runtime.core.json_values import is_list, is_object, json_of

_CODES = frozenset({
    "cvv", "cvv2", "cvc", "cvc2", "cid", "csc", "cardcvv", "cardcvc", "securitycode", "cardsecuritycode",
    "verificationvalue", "verificationcode", "cardverificationvalue", "cardverificationcode", "cardcode",
})  # fmt: skip
_OF_A_CARD = re.compile("card|pan$|(^|[._])number$", re.IGNORECASE)
_OF_NO_CARD = re.compile("account|routing|iban|phone|reference|order", re.IGNORECASE)
_CODE = re.compile("[0-9]{3,4}")
_NUMBER = re.compile("[0-9]{12,19}")


def card_data_in(request: httpx.Request) -> list[Problem]:
    """What of a request, in JSON or in a form, is the number of a card or its verification code; each by its place."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/x-www-form-urlencoded":
        pairs = iter(parse_qsl(request.content.decode("latin-1")))
    else:
        pairs = _pairs(json_of(request), "")
    problems: list[Problem] = []
    for place, text in pairs:
        what = _kind_of(place, text)
        if what is not None:
            problems.append(Problem(place, "card", f"{place} is {what}, which must not be stored: pass a token of it."))
    return problems


def _kind_of(place: str, text: str) -> str | None:
    name = re.sub("[^a-z0-9]", "", place.rpartition(".")[2].lower())
    if name in _CODES:
        return "a card's verification code" if _CODE.fullmatch(text) else None
    digits = re.sub("[ -]", "", text)
    of_a_card = _OF_A_CARD.search(place) is not None and _OF_NO_CARD.search(place.rpartition(".")[2]) is None
    return "the number of a card" if of_a_card and _NUMBER.fullmatch(digits) and _has_check_digit(digits) else None


def _has_check_digit(digits: str) -> bool:
    """Whether the last digit is that of the Luhn algorithm (ISO/IEC 7812-1, annex B)."""
    doubled = [sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2]]
    return (sum(doubled) + sum(map(int, digits[-1::-2]))) % 10 == 0


def _pairs(value: object, place: str) -> Iterator[tuple[str, str]]:
    """The texts and numbers of a JSON value, with their places: `source.card.number`."""
    if is_object(value):
        for name, item in value.items():
            yield from _pairs(item, f"{place}.{name}" if place else name)
    elif is_list(value):
        for item in value:
            yield from _pairs(item, place)
    elif isinstance(value, str | int) and not isinstance(value, bool):
        yield place, str(value)
