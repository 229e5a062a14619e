"""What a request said of people and their accounts is taken out of what is quoted of the answer."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any, TypeGuard

import httpx

_NAMES_PEOPLE = re.compile(r"/v4/payees|/v2/fundingAccounts")
_NOT_PRIVATE = frozenset({"type", "remoteId", "payorId", "country", "countryCode", "currency", "language"})
_WORD = re.compile(r"[^\W_]{3,}")
"""A shorter word is in every sentence."""


def names_people(request: httpx.Request) -> bool:
    """Whether a request names payees or accounts: then no message quotes how the body of its answer begins."""
    return request.method == "POST" and _NAMES_PEOPLE.search(request.url.path) is not None


def hiding(request: httpx.Request) -> Callable[[str], str]:
    """Takes the words of names, addresses, numbers and the like that the request held out of a text."""
    words = frozenset(_words(request)) if names_people(request) else frozenset[str]()
    if not words:
        return lambda text: text
    # Word by word, for a request may name 2,000 payees, and its answer complain of each.
    return lambda text: _WORD.sub(lambda found: "[hidden]" if found[0].casefold() in words else found[0], text)


def _words(request: httpx.Request) -> Iterator[str]:
    try:
        body: Any = json.loads(request.content)
    except (ValueError, RecursionError, httpx.RequestNotRead):
        return
    for text in _texts(body):
        yield from (word.casefold() for word in _WORD.findall(text))


def _texts(value: Any) -> Iterator[str]:
    if _is_object(value):
        for name, each in value.items():
            if name not in _NOT_PRIVATE:
                yield from _texts(each)
    elif _is_list(value):
        for each in value:
            yield from _texts(each)
    elif isinstance(value, str):
        yield value


def _is_object(value: object) -> TypeGuard[dict[str, Any]]:
    return isinstance(value, dict)


def _is_list(value: object) -> TypeGuard[list[Any]]:
    return isinstance(value, list)
