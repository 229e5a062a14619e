"""The names that handlers are registered for: one that was mistyped would never be called."""

import re
from collections.abc import Iterable

_SEPARATORS = re.compile(r"[\s._:-]+")
_SHORTEST = 4
"""Letters of a word in which one wrong letter shows what was meant."""


def meant_by(name: str, known: Iterable[str]) -> str | None:
    """The known name that a name is a slip of: one letter is missing, wrong or too much, two are
    swapped, or a separator is another one. None: it is known itself, or like none.
    """
    words = {word.casefold(): word for word in known}
    if name.casefold() in words:
        return None
    return next((word for folded, word in words.items() if _is_slip(name.casefold(), folded)), None)


def _is_slip(name: str, word: str) -> bool:
    name, word = _SEPARATORS.sub("", name), _SEPARATORS.sub("", word)
    if name == word:
        return True
    if min(len(name), len(word)) < _SHORTEST:
        return False
    rest, wanted = _differing_parts(name, word)
    if len(rest) <= 1 and len(wanted) <= 1:
        return True
    return len(rest) == len(wanted) == 2 and rest == wanted[::-1]


def _differing_parts(first: str, second: str) -> tuple[str, str]:
    """Both texts without what they begin and end with alike."""
    start = 0
    while start < min(len(first), len(second)) and first[start] == second[start]:
        start += 1
    first, second = first[start:], second[start:]
    while first and second and first[-1] == second[-1]:
        first, second = first[:-1], second[:-1]
    return first, second
