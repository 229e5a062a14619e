"""What a request said of its payer is taken out of everything that is quoted of the answer."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import httpx

from .answers import is_list, is_object, operation_of

_PRIVATE = ("payer", "billingInformation", "shippingInformation", "paymentMethod", "customerIp")
_NOT_PRIVATE = frozenset({"country", "countrycode", "cardcountry", "cardbrand", "cardtype", "state"})
_SHORTEST = 3
"""A shorter text is in every sentence."""

_MOST_TEXT = 20_000
_HIDDEN = "[hidden]"


def without_private(value: Any, request: httpx.Request) -> Any:
    """A part of an answer, without the texts that the request said of its payer and the card."""
    told = _told_by(request)
    return value if told is None else _without(value, told)


def quotes_nothing_private(answer: httpx.Response) -> bool:
    """Whether a message may show how the body of an answer begins."""
    told = _told_by(answer.request)
    return told is None or not told.search(answer.content[:_MOST_TEXT].decode("utf-8", "replace"))


def _told_by(request: httpx.Request) -> re.Pattern[str] | None:
    """Finds what the request said of its payer; None when it said nothing."""
    if operation_of(request) not in ("evaluate", "transmit"):
        return None
    try:
        body: Any = json.loads(request.content)
    except (ValueError, httpx.RequestNotRead):
        return None
    members = [body.get(name) for name in _PRIVATE] if is_object(body) else []
    values = {text for member in members for text in _texts(member) if len(text) >= _SHORTEST}
    if not values:
        return None
    # The longest first, so that no part of one is left.
    return re.compile("|".join(map(re.escape, sorted(values, key=len, reverse=True))), re.IGNORECASE)


def _texts(member: Any) -> Iterator[str]:
    if is_object(member):
        for name, each in member.items():
            if name.lower() not in _NOT_PRIVATE:
                yield from _texts(each)
    elif isinstance(member, str):
        yield member.strip()


def _without(value: Any, told: re.Pattern[str]) -> Any:
    if isinstance(value, str):
        return told.sub(_HIDDEN, value[:_MOST_TEXT])
    if is_object(value):
        return {told.sub(_HIDDEN, name[:_MOST_TEXT]): _without(each, told) for name, each in value.items()}
    return [_without(each, told) for each in value] if is_list(value) else value
