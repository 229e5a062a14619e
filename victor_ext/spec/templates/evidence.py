"""Whether a body that was posted is what the document declares. Anybody can post, so this is stricter than `decoding`.

- each required member is there, and an object that declares members has a value for at least one of them;
- a value has its declared type, at any depth; a null is an absent member; what JSON has no number for is no number;
- a discriminator, a constant and an enum of one word have a value that the document names, in any letter case;
- unknown members, unknown words of other enums, and unknown variants within the body are no fault.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from . import decoding
from .decoding import LEVELS, MISMATCH, Array, Either, Object, Reader, Word

Words = tuple[str | int, ...]
"""The values of a member that select a class; texts are in lower case."""

Headers = Mapping[str, str] | Iterable[tuple[str | bytes, str | bytes]]
"""The headers of a request, as frameworks have them."""


class Member(NamedTuple):
    """A declared member of an object."""

    attribute: str
    reader: Reader[Any]
    required: bool = False


class Declared(NamedTuple):
    """What the document declares of a model; `others` reads what its additional properties are."""

    members: Mapping[str, Member]
    words: Mapping[str, Words]
    """The words that select it, by the member that has them."""
    others: Reader[Any] | None = None


Models = Mapping[type, Declared]


def complaint(value: Any, decoded: Any, reader: Reader[Any] | None, models: Models) -> str | None:
    """Why a body is not what its reader declares, or None. `decoded` is what the reader made of it."""
    return next(_complaints(value, decoded, reader, models, "", LEVELS), None)


def _complaints(
    value: Any, decoded: Any, reader: Reader[Any] | None, models: Models, place: str, left: int
) -> Iterator[str]:
    model = models.get(type(decoded))
    if model is not None and isinstance(value, Mapping):
        excluded = excluding(value, model.words, place, is_known=False)
        yield from (excluded,) if excluded else _of_object(value, decoded, model, models, place, left)
    elif isinstance(value, list) and isinstance(decoded, list):
        of = reader.of if isinstance(reader, Array) else None
        for number, (item, read) in enumerate(zip(value, decoded, strict=True)):
            yield from _complaints(item, read, of, models, f"{place}[{number}]", left - 1)
    elif reader is None:
        if model is not None:
            yield f"{_named(place)} is {kind(value)}, but an object is declared"
    elif reader.read(value, left) is MISMATCH:
        yield f"{_named(place)} is nested too deep" if left <= 0 else f"{_named(place)} is {_but(value, reader)}"
    elif isinstance(decoded, float) and not math.isfinite(decoded) and reader is not decoding.ANYTHING:
        yield f"{_named(place)} is a number that is too large"
    elif not place and isinstance(value, Mapping) and type(decoded) is not dict:
        yield "it is no variant that the document declares"


def _of_object(
    value: Mapping[str, Any], decoded: Any, model: Declared, models: Models, place: str, left: int
) -> Iterator[str]:
    for name, member in model.members.items():
        given, path = value.get(name), f"{place}.{name}" if place else name
        if given is not None:
            if name not in model.words:
                read = getattr(decoded, member.attribute)
                yield from _complaints(given, read, member.reader, models, path, left - 1)
        elif member.required and name not in value:
            yield f"{_named(path)} is missing"
        elif member.required and not _takes_null(member.reader):
            yield f"{_named(path)} is null"
    for name in [name for name in value if name not in model.members] if model.others else ():
        path, read = f"{place}.{name}" if place else name, decoded.additional_properties.get(name)
        yield from _complaints(value[name], read, model.others, models, path, left - 1)
    if (
        not place
        and model.members
        and not any(_tells(value, name, member, selected=name in model.words) for name, member in model.members.items())
    ):
        yield "it has no value of a member that the document declares"


def _takes_null(reader: Reader[Any]) -> bool:
    """Whether the document allows a null, as far as the reader shows: an object and an enum drop theirs."""
    return isinstance(reader, (Object, Word)) or reader.read(None, LEVELS) is not MISMATCH


def _tells(value: Mapping[str, Any], name: str, member: Member, *, selected: bool) -> bool:
    """Whether a member has a value: no null, no blanks, no unknown word of an enum."""
    given = value.get(name)
    is_blank = given is None or (isinstance(given, str) and not given.strip())
    return not is_blank and (selected or member.reader.read(given, LEVELS, exact=True) is not MISMATCH)


# ---- The words that select a class ----


def excluding(
    value: Mapping[str, Any], words: Mapping[str, Words], place: str = "", *, is_known: bool = True
) -> str | None:
    """Why an object is not what these words select, or None. With `is_known=False`, an absent member is no reason."""
    for name, known in words.items():
        given, path = value.get(name), f"{place}.{name}" if place else name
        if given is None and not is_known:
            continue
        if given is None:
            return f"{_named(path)} is missing"
        if not selects(given, known):
            return f"{_named(path)} is {_shown(given)}, but the document declares {shown(known)}"
    return None


def selects(given: Any, known: Words) -> bool:
    """Whether a value is one of the words: of the same type, and a text in any letter case."""
    return any(_folded(given) == word and type(given) is type(word) for word in known)


def _folded(given: Any) -> Any:
    return given.casefold() if isinstance(given, str) else given


MOST_SHOWN: Final = 60
"""Characters of a word that a message has."""


def shown(known: Iterable[str | int]) -> str:
    return ", ".join(map(_shown, known))


def _shown(given: Any) -> str:
    if not isinstance(given, (str, int)):
        return kind(given)
    return json.dumps(given if isinstance(given, int) or len(given) <= MOST_SHOWN else f"{given[:MOST_SHOWN]}...")


# ---- Words for messages ----


KINDS: Final[tuple[tuple[Any, str], ...]] = (
    (bool, "a boolean"),
    ((int, float), "a number"),
    (str, "a string"),
    (list, "an array"),
    (Mapping, "an object"),
)
DECLARED: Final[dict[Any, str]] = {
    decoding.TEXT: "a string",
    decoding.FLAG: "a boolean",
    decoding.WHOLE: "an integer",
    decoding.NUMBER: "a number",
    decoding.DECIMAL: "a number",
    decoding.INSTANT: "a date-time",
    decoding.DAY: "a date",
    decoding.UNIQUE_ID: "a UUID",
    decoding.NOTHING: "null",
    Object: "an object",
    Array: "an array",
    Word: "a word of an enum",
    Either: "another type",
}
"""What the readers declare, by themselves or by their class."""


def kind(value: Any) -> str:
    """What a value of JSON is."""
    return next((name for of, name in KINDS if isinstance(value, of)), "null")


def _but(value: Any, reader: Reader[Any]) -> str:
    what, declared = kind(value), DECLARED.get(reader) or DECLARED.get(type(reader), "a constant")
    return f"{what}, but {declared} is declared" if declared != what else f"{what} that is not what is declared"


def _named(place: str) -> str:
    return f"`{place}`" if place else "it"


# ---- Headers ----


class NamedHeaders(dict[str, str]):
    """Headers as text, found by their names in any letter case."""

    def __getitem__(self, name: str) -> str:
        return super().__getitem__(name.lower())

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and super().__contains__(name.lower())

    def get(self, name: str, default: Any = None) -> Any:
        return super().get(name.lower(), default)


def named_headers(headers: Headers | None) -> NamedHeaders:
    """The headers of a request by their names. Values of one name are joined by commas (RFC 9110, 5.3)."""
    named = NamedHeaders()
    try:
        for name, value in headers.items() if isinstance(headers, Mapping) else headers or ():
            key, text = _text(name).lower(), _text(value)
            named[key] = f"{named[key]}, {text}" if key in named else text
    except (TypeError, ValueError):
        what = type(headers).__name__
        raise TypeError(f"headers must be a mapping, or pairs of name and value: not {what}.") from None
    return named


def _text(part: Any) -> str:
    return part.decode("latin-1") if isinstance(part, bytes) else str(part)
