"""Whether a body that was posted is what the document declares. Anybody can post, so this is
stricter than `decoding`:

- each member that an object requires is there, and the body has a value that is declared;
- a value has its declared type, at any depth, and a constant, or an enum of one word, its letters,
  in any case; a null is an absent member; what JSON has no number for is no number;
- unknown members, unknown words of other enums, and unknown variants within the body are no fault.
"""

from __future__ import annotations

import math
import typing
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from types import NoneType
from typing import Any, cast

import httpx

from . import decoding
from .types import UNSET

Headers = Mapping[str, str] | Iterable[tuple[str | bytes, str | bytes]]
"""The headers of a request, as frameworks have them."""


Required = Mapping[str, Mapping[str, str]]
"""By the name of its class: the members that an object has, on the wire, with their attributes."""


def complaint(decoded: Any, hint: Any, required: Required) -> str | None:
    """Why a body, as its reader decoded it, is not of its declared type, or None."""
    for reason in _complaints(decoded, NoneType if hint is None else hint, required, ""):
        return reason
    if isinstance(decoded, decoding.Model) and not decoding.tells(decoded):
        return "it has no value of a member that the document declares"
    return None


def _complaints(value: Any, hint: Any, required: Required, place: str) -> Iterator[str]:
    """Why a value, at a place of the body, is not of its declared type: each reason."""
    types = decoding.fitting(hint, value)
    is_infinite = isinstance(value, float) and not math.isfinite(value)
    if _is_constant(hint, value):
        return
    if not types or is_infinite:
        yield f"{f'`{place}`' if place else 'it'} is of another type than the document declares"
    elif isinstance(value, Enum) and _is_other_than_the_only(value):
        yield f"{f'`{place}`' if place else 'it'} is another word than the only one"
    elif isinstance(value, decoding.Model):
        for name, attribute in required.get(type(value).__name__, {}).items():
            if getattr(value, attribute) is UNSET:
                yield f"`{_below(place, name)}` is missing"
        for name, own, declared in _members(value):
            yield from _complaints(own, declared, required, _below(place, name))
    elif isinstance(value, list):
        # Of several lists, the reader chose one by its items.
        of = typing.get_args(types[0]) if len(types) == 1 else ()
        for number, item in enumerate(cast("Iterable[Any]", value)):
            yield from _complaints(item, of[0] if of else Any, required, f"{place}[{number}]")


def _is_constant(hint: Any, value: Any) -> bool:
    """Whether a text is a constant of a type, in any letter case."""
    words = [word for each in decoding.members_of(hint) for word in typing.get_args(each)]
    return isinstance(value, str) and decoding.folded(value) in map(decoding.folded, words)


def _is_other_than_the_only(word: Enum) -> bool:
    """Whether a word is unknown to an enum of one word, which is a constant: an event of another
    kind.
    """
    words = type(word).__members__.values()
    return len(words) == 1 and word not in words


def _members(model: Any) -> Iterator[tuple[str, Any, Any]]:
    """The name, the value and the type of each member of an object, without nulls."""
    hints = dict(decoding.hints(model.__class__))
    _, others = typing.get_args(hints.pop("additional_properties"))
    for name, own in model.additional_properties.items():
        if own is not None:
            yield name, own, others
    for name, hint in hints.items():
        own = getattr(model, name)
        if own is not UNSET:
            yield name, own, hint


def _below(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name


def named_headers(headers: Any) -> httpx.Headers:
    """The headers of a request, by names in any letter case.

    Those of one name are joined by commas (RFC 9110).
    """
    pairs = headers.items() if hasattr(headers, "items") else headers or ()
    return httpx.Headers(pairs, encoding="latin-1")
