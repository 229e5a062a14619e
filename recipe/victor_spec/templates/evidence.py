"""Whether a body that was posted is what the document declares. Anybody can post, so this is
stricter than `decoding`:

- each member that an object requires is there, and the body has a value that is declared;
- a value has its declared type, at any depth, and a constant, or an enum of one word, its letters,
  in any case; a null is an absent member;
- unknown members, unknown words of other enums, and unknown variants within the body are no fault.
"""

from __future__ import annotations

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


Required = Mapping[str, Iterable[str]]
"""By the name of its class: the members that an object has, on the wire."""


def complaint(decoded: Any, hint: Any, required: Required) -> str | None:
    """Why a body, as its reader decoded it, is not of its declared type, or None."""
    for reason in _complaints(decoded, NoneType if hint is None else hint, required, ""):
        return reason
    if isinstance(decoded, decoding.Model) and not decoding.tells(decoded):
        return "it has no value of a member that the document declares"
    return None


def _complaints(value: Any, hint: Any, required: Required, place: str) -> Iterator[str]:
    """Why a value, at a place of the body, is not of its declared type: each reason."""
    subject = f"`{place}`" if place else "it"
    types = decoding.fitting(hint, value)
    if _is_constant(hint, value):
        return
    if not types or (isinstance(value, Enum) and _is_other_than_the_only(value)):
        yield f"{subject} is not what the document declares"
    elif isinstance(value, decoding.Model):
        members = {name: (own, declared) for name, own, declared in _members(value)}
        for name in required.get(type(value).__name__, ()):
            if name not in members:
                yield f"`{_below(place, name)}` is missing"
        for name, (own, declared) in members.items():
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
    """Whether a word is unknown to an enum of one word: an event of another kind."""
    return len(type(word)) == 1 and word not in list(type(word))


def _members(model: Any) -> Iterator[tuple[str, Any, Any]]:
    """The name on the wire, the value and the type of each member of an object, without nulls."""
    hints = decoding.hints(model.__class__)
    _, free = typing.get_args(hints["additional_properties"])
    for name, own in model.additional_properties.items():
        if own is not None:
            yield name, own, free
    for name, wire, _ in model.TABLE.writers:
        own = getattr(model, name)
        if own is not UNSET:
            yield wire, own, hints[name]


def _below(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name


def named_headers(headers: Any) -> httpx.Headers:
    """The headers of a request, by names in any letter case.

    Those of one name are joined by commas (RFC 9110).
    """
    pairs = headers.items() if hasattr(headers, "items") else headers or ()
    return httpx.Headers([(name, _encoded(value)) for name, value in pairs])


def _encoded(text: str | bytes) -> bytes:
    """Any text: a server decides how it reads the bytes of a header."""
    return text.encode("utf-8", "surrogateescape") if isinstance(text, str) else text
