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
    for folded, word in words.items():
        if _is_slip(name.casefold(), folded):
            return word
    return None


def _is_slip(name: str, word: str) -> bool:
    letters = _SEPARATORS.sub("", name)
    right = _SEPARATORS.sub("", word)
    if letters == right:
        return True
    if min(len(letters), len(right)) < _SHORTEST:
        return False
    rest, wanted = _differing_parts(letters, right)
    if len(rest) <= 1 and len(wanted) <= 1:
        return True
    are_swapped = rest == wanted[::-1]
    return are_swapped and len(rest) == 2


def _differing_parts(first: str, second: str) -> tuple[str, str]:
    """Both texts without what they begin and end with alike."""
    start = 0
    while start < min(len(first), len(second)) and first[start] == second[start]:
        start += 1
    first, second = first[start:], second[start:]
    while first and second and first[-1] == second[-1]:
        first, second = first[:-1], second[:-1]
    return first, second
