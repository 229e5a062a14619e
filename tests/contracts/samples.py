"""Values that a document allows: what a test sends where nobody has written a value for it."""

from __future__ import annotations

import re
import string
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from functools import cache
from re import _constants as codes  # type: ignore[attr-defined] # hypothesis reads them, too
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

from victor_ext import Word

DAY = date(2026, 3, 4)
MOMENT = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
TEXTS = {
    "date-time": "2026-03-04T05:06:07Z",
    "date": "2026-03-04",
    "uuid": "5b0c7a5e-3d1f-4f0a-9a43-0f9d2f1c8e77",
    "uri": "https://example.com/",
    "email": "ada@example.com",
}
"""By format. Those of a URL and an address may be longer."""
_LETTERS = string.ascii_letters + "1234567890" + " .-_" + string.punctuation
_USUAL = 11
"""The characters of a text that has a pattern, if the pattern lets it have so many."""
_LONGEST = 64
"""The most characters of a text whose length is free."""


def text_of_length(schema: Mapping[str, Any], length: int) -> str | None:
    """A text of so many characters with the pattern and the format of a schema; None: there is
    none.
    """
    if "pattern" in schema:
        return matching(schema["pattern"], length)
    text = TEXTS.get(schema.get("format", ""))
    if text is None:
        return "1" * length
    if schema["format"] == "email":
        text = text.rjust(length, "a")
    if schema["format"] == "uri":
        text = text.ljust(length, "a")
    return text if len(text) == length else None


def text_within(schema: Mapping[str, Any], usual: str) -> str:
    """A text that a schema allows: the usual one, if its limits let it be."""
    least, most = schema.get("minLength", 0), schema.get("maxLength", _LONGEST)
    if "pattern" in schema:
        shortest = max(least, 1)
        lengths = sorted(
            range(shortest, max(shortest, min(most, _LONGEST)) + 1),
            key=lambda length: abs(length - _USUAL),
        )
        fitting = (matching(schema["pattern"], length) for length in lengths)
        return next((text for text in fitting if text is not None), usual)
    text = TEXTS.get(schema.get("format", ""), usual)
    return text if "format" in schema else text[: schema.get("maxLength")].ljust(least, "1")


@cache
def matching(pattern: str, length: int) -> str | None:
    """A text of so many characters that a pattern matches as a whole; None: none is found."""
    try:
        nodes = parser.parse(pattern)
    except re.error:
        return None
    for text in _texts([*nodes], length):
        if re.search(pattern, text):
            return text
    return None


def _texts(nodes: Sequence[tuple[Any, Any]], length: int) -> Iterator[str]:
    """The texts of so many characters that a parsed pattern makes, one of each way to share the
    length among its parts.
    """
    if not nodes:
        if length == 0:
            yield ""
        return
    (kind, what), *rest = nodes
    if kind in (codes.MAX_REPEAT, codes.MIN_REPEAT):
        least, most, inner = what
        yield from _repeated([*inner], least, most, rest, length)
    elif kind is codes.SUBPATTERN:
        yield from _texts([*what[-1], *rest], length)
    elif kind is codes.BRANCH:
        for branch in what[1]:
            yield from _texts([*branch, *rest], length)
    elif kind in (codes.AT, codes.ASSERT, codes.ASSERT_NOT):
        yield from _texts(rest, length)
    elif length > 0:
        letter = _letter(kind, what)
        for text in _texts(rest, length - 1) if letter else ():
            yield letter + text


def _repeated(
    inner: list[tuple[Any, Any]], least: int, most: int, rest: list[tuple[Any, Any]], length: int
) -> Iterator[str]:
    letters = [_letter(*inner[0])] if len(inner) == 1 else []
    if letters and letters[0]:  # so many of one letter, without a step for each
        for count in range(min(int(most), length), least - 1, -1):
            for text in _texts(rest, length - count):
                yield letters[0] * count + text
        return
    for count in range(least, min(int(most), least + length) + 1):
        yield from _texts([*inner * count, *rest], length)


def _letter(kind: Any, what: Any) -> str:
    """A character that one part of a pattern matches; empty for a part that is not one
    character.
    """
    if kind is codes.LITERAL:
        return chr(what)
    if kind is codes.ANY:
        return "a"
    if kind is codes.NOT_LITERAL:
        return next(letter for letter in _LETTERS if ord(letter) != what)
    if kind is codes.IN:
        is_negated = what[0][0] is codes.NEGATE
        return next((each for each in _LETTERS if _is_in(what, each) != is_negated), "")
    return ""


def _is_in(items: Sequence[tuple[Any, Any]], letter: str) -> bool:
    for kind, what in items:
        if kind is codes.LITERAL and ord(letter) == what:
            return True
        if kind is codes.RANGE and what[0] <= ord(letter) <= what[1]:
            return True
        if kind is codes.CATEGORY and re.fullmatch(_CATEGORIES.get(what, "(?!)"), letter):
            return True
    return False


_CATEGORIES = {
    codes.CATEGORY_DIGIT: r"\d",
    codes.CATEGORY_NOT_DIGIT: r"\D",
    codes.CATEGORY_SPACE: r"\s",
    codes.CATEGORY_NOT_SPACE: r"\S",
    codes.CATEGORY_WORD: r"\w",
    codes.CATEGORY_NOT_WORD: r"\W",
}


def arguments_for(value: Any) -> list[Any]:
    """What an argument may take for a value of the wire, the likeliest first."""
    if isinstance(value, bool | int | float):
        return [value]
    if isinstance(value, list):
        return [[given] for item in value[:1] for given in arguments_for(item)]
    if not isinstance(value, str):
        return [value]
    days = [DAY, MOMENT] if value[:10] == TEXTS["date"] else []
    return [*days, value, Word(value), *([] if days else [DAY, MOMENT, "1"])]
