"""Whether a body that was posted is what the document declares. Anybody can post, so this is
stricter than `decoding`.

- each required member is there, and an object that declares members has a value for at least one
  of them;
- a value has its declared type, at any depth; a null is an absent member; what JSON has no number
  for is no number;
- a discriminator, a constant and an enum of one word have a value that the document names, in any
  letter case;
- unknown members, unknown words of other enums, and unknown variants within the body are no fault.
"""

from __future__ import annotations

import json
import math
import typing
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from types import NoneType
from typing import Any, Final, NamedTuple, cast
from uuid import UUID

import httpx

from . import decoding
from .types import UNSET, UnknownVariant, Unset

Words = tuple[str | int, ...]
"""The values of a member that select a class."""

Headers = Mapping[str, str] | Iterable[tuple[str | bytes, str | bytes]]
"""The headers of a request, as frameworks have them."""


class Declared(NamedTuple):
    """What the document declares of a model, beside the types of its attributes."""

    attributes: Mapping[str, str]
    """By the names of the members on the wire."""
    required: tuple[str, ...] = ()
    words: Mapping[str, Words] = {}
    """The words that select it, by the member that has them."""


Models = Mapping[str, Declared]
"""By the names of the classes."""


def complaint(decoded: Any, hint: Any, models: Models) -> str | None:
    """Why a body, as its reader decoded it, is not of its declared type, or None."""
    return next(_complaints(decoded, NoneType if hint is None else hint, models, ""), None)


def _complaints(value: Any, hint: Any, models: Models, place: str) -> Iterator[str]:
    """Why a value, at a place of the body, is not of its declared type: each reason."""
    types = decoding.fitting(hint, value)
    if not types:
        yield f"{_named(place)} is {_but(value, hint)}"
    elif isinstance(value, list):
        # Of several lists, the reader chose one by its items.
        of = typing.get_args(types[0]) if len(types) == 1 else ()
        for number, item in enumerate(cast("Iterable[Any]", value)):
            yield from _complaints(item, of[0] if of else Any, models, f"{place}[{number}]")
    elif (model := models.get(type(value).__name__)) is not None:
        yield from _of_object(value, model, models, place)
    elif isinstance(value, float) and not math.isfinite(value) and Any not in types:
        yield f"{_named(place)} is a number that is too large"
    elif isinstance(value, UnknownVariant) and not place:
        yield "it is no variant that the document declares"


def _of_object(value: Any, model: Declared, models: Models, place: str) -> Iterator[str]:
    """Why an object, at a place of the body, is not what its model declares: each reason."""
    hints, free = decoding.hints(value.__class__), value.additional_properties
    given = {name: getattr(value, attribute) for name, attribute in model.attributes.items()}
    for name, own in given.items():
        path = f"{place}.{name}" if place else name
        if own is UNSET and name in model.required:
            yield f"{_named(path)} is {'null' if name in free else 'missing'}"
        elif name in model.words and not isinstance(own, Unset | None):
            yield from filter(None, [unlike(own, model.words[name], path)])
        elif own is not UNSET:
            yield from _complaints(own, hints[model.attributes[name]], models, path)
    _, others = typing.get_args(hints["additional_properties"])
    for name, own in free.items():
        if name not in given:
            yield from _complaints(own, others, models, f"{place}.{name}" if place else name)
    has_word = any(name in model.words and own not in (None, UNSET) for name, own in given.items())
    if given and not place and not has_word and not decoding.tells(value):
        yield "it has no value of a member that the document declares"


# ---- The words that select a class ----


def excluding(value: Any, words: Mapping[str, Words], *, exact: bool = False) -> str | None:
    """Why the words of its members exclude a value, or None: it is an object, and each of these
    members has one of its words. With `exact`, the letter case of the words counts.
    """
    if words and not isinstance(value, Mapping):
        return f"it is {_called(type(value))}, but an object is declared"
    members = cast("Mapping[str, Any]", value)
    for name, known in words.items():
        reason = unlike(members.get(name), known, name, exact=exact)
        if reason:
            return reason
    return None


def unlike(given: Any, known: Words, place: str, *, exact: bool = False) -> str | None:
    """Why a value is none of the words, or None: one of them is of the same type, and equal. Texts
    are equal in any letter case, unless `exact`.
    """
    words = [decoding.word_of(each) for each in (given, *known)]
    word, *own = words if exact else map(decoding.folded, words)
    if word in own:
        return None
    if given is None:
        return f"{_named(place)} is missing"
    return (
        f"{_named(place)} is {_shown(given)}, but the document declares "
        f"{', '.join(map(_shown, known))}"
    )


MOST_SHOWN: Final = 60
"""Characters of a word that a message has."""


def _shown(given: Any) -> str:
    """A word as a message shows it; of another value, its type."""
    if not isinstance(given, str | int | float):
        return _called(type(given))
    return json.dumps(
        f"{given[:MOST_SHOWN]}..." if isinstance(given, str) and len(given) > MOST_SHOWN else given
    )


# ---- Words for messages ----


KINDS: Final[Mapping[Any, str]] = {
    bool: "a boolean",
    int: "an integer",
    float: "a number",
    Decimal: "a number",
    datetime: "a date-time",
    date: "a date",
    UUID: "a UUID",
    Enum: "a word of an enum",
    str: "a string",
    list: "an array",
    NoneType: "null",
}
"""What types are in JSON; any other is an object."""


def _called(hint: Any) -> str:
    """What the type of a value, or of a field, is called in JSON."""
    origin = typing.get_origin(hint) or hint
    if origin is typing.Literal:
        return "a constant"
    return next((name for each, name in KINDS.items() if issubclass(origin, each)), "an object")


def _but(value: Any, hint: Any) -> str:
    """What a value is, and what is declared instead."""
    what = _called(type(value))
    names = dict.fromkeys(
        map(_called, (each for each in decoding.members_of(hint) if each not in (Unset, NoneType)))
    )
    declared = " or ".join(names) or "null"
    return (
        f"{what} that is not what is declared"
        if what in names
        else f"{what}, but {declared} is declared"
    )


def _named(place: str) -> str:
    """What a message calls a place."""
    return f"`{place}`" if place else "it"


# ---- Headers ----


def named_headers(headers: Any) -> httpx.Headers:
    """The headers of a request, by names in any letter case.

    Those of one name are joined by commas (RFC 9110).
    """
    try:
        pairs = headers.items() if hasattr(headers, "items") else headers or ()
        return httpx.Headers(
            [(_raw(name), _raw(value)) for name, value in pairs], encoding="latin-1"
        )
    except (TypeError, ValueError):
        what = type(headers).__name__
        raise TypeError(
            f"headers must be a mapping, or pairs of name and value: not {what}."
        ) from None


def _raw(part: Any) -> bytes:
    """A part of a header as bytes."""
    return part if isinstance(part, bytes) else str(part).encode("latin-1", "replace")
