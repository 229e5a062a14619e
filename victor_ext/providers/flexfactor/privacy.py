"""What a request said of its payer, and whatever its caller added, is taken out of all that is quoted of the answer."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import httpx

from .answers import is_list, is_object, operation_of

_PRIVATE = ("evaluate", "transmit", "refund")
_PUBLIC = frozenset(
    {
        "mid", "siteid", "orderid", "idempotencykey", "isdeclined", "ismit", "isrecurring", "expirydateutc",
        "transaction.id", "transaction.timestamputc", "transaction.timezoneutcoffset", "transaction.transactiontype",
        "transaction.amount", "transaction.currency", "transaction.responsecode", "transaction.responsecodesource",
        "transaction.avsresultcode", "transaction.cvvresultcode", "transaction.cavvresultcode",
        "transaction.cardnotpresent", "orderitems.sku", "orderitems.name", "orderitems.amount", "orderitems.quantity",
        "orderitems.discountamount", "orderitems.tax", "subscription.subscriptionid", "subscription.interval",
        "additionalfields.key", "amounttorefund", "billinginformation.country", "billinginformation.countrycode",
        "billinginformation.state", "shippinginformation.country", "shippinginformation.countrycode",
        "shippinginformation.state", "paymentmethod.cardcountry", "paymentmethod.cardbrand", "paymentmethod.cardtype",
        "paymentmethod.expirationmonth", "paymentmethod.expirationyear",
    }
)  # fmt: skip
"""Members that say nothing of a payer, by their place in the body; what is not among them is not shown."""

_SHORTEST = 3
"""A shorter text is in every sentence."""

_MOST_TEXT = 20_000
_HIDDEN = "[hidden]"


def without_private(value: Any, request: httpx.Request) -> Any:
    """A part of an answer, without the texts that the request said of its payer and the card, or that were added."""
    told = _told_by(request)
    return value if told is None else _without(value, told)


def quotes_nothing_private(answer: httpx.Response) -> bool:
    """Whether a message may show how the body of an answer begins."""
    told = _told_by(answer.request)
    return told is None or not told.search(answer.content[:_MOST_TEXT].decode("utf-8", "replace"))


def _told_by(request: httpx.Request) -> re.Pattern[str] | None:
    """Finds what the request said of its payer; None when it said nothing."""
    if operation_of(request) not in _PRIVATE:
        return None
    try:
        body: Any = json.loads(request.content)
    except (ValueError, RecursionError, httpx.RequestNotRead):
        return None
    values = {text for text in _texts(body, "") if len(text) >= _SHORTEST}
    if not values:
        return None
    # An echo may quote the JSON of the request, where some letters are spelled in another way.
    values |= {json.dumps(text, ensure_ascii=not plain)[1:-1] for text in values for plain in (False, True)}
    # The longest first, so that no part of one is left.
    return re.compile("|".join(map(re.escape, sorted(values, key=len, reverse=True))), re.IGNORECASE)


def _texts(value: Any, place: str) -> Iterator[str]:
    if is_object(value):
        for name, each in value.items():
            inner = f"{place}.{name.lower()}".lstrip(".")
            if inner not in _PUBLIC:
                yield from _texts(each, inner)
    elif is_list(value):
        for each in value:
            yield from _texts(each, place)
    elif isinstance(value, str):
        yield value.strip()
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield str(value)


def _without(value: Any, told: re.Pattern[str]) -> Any:
    if isinstance(value, str):
        return told.sub(_HIDDEN, value[:_MOST_TEXT])
    if isinstance(value, int | float) and told.fullmatch(str(value)):
        return _HIDDEN
    if is_object(value):
        return {told.sub(_HIDDEN, name[:_MOST_TEXT]): _without(each, told) for name, each in value.items()}
    return [_without(each, told) for each in value] if is_list(value) else value
