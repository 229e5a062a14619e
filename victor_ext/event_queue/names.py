"""Slips in the names that handlers are registered for: the handler of a mistyped name would never
be called.
"""

import re
from collections.abc import Iterable

_SEPARATORS = re.compile(r"[\s._:-]+")
_SHORTEST = 4
"""The minimum letters of a word of which a name with one other letter is a slip."""


def meant_by(name: str, known: Iterable[str]) -> str | None:
    """The known name of which a name is a slip; None: the name is known, or like no known name.

    In a slip one letter is missing, wrong or too much, two letters are swapped, or separators
    differ.
    """
    words = {word.casefold(): word for word in known}
    if name.casefold() in words:
        return None
    for folded, word in words.items():
        if _is_slip(name.casefold(), folded):
            return word
    return None


def _is_slip(name: str, word: str) -> bool:
    """Whether a name is a slip of a word. Both are in lower case."""
    letters = _SEPARATORS.sub("", name)
    right = _SEPARATORS.sub("", word)
    if letters == right:
        return True
    if min(len(letters), len(right)) < _SHORTEST:
        return False
    written, meant = _differing_parts(letters, right)
    if len(written) <= 1 and len(meant) <= 1:
        return True
    are_swapped = written == meant[::-1]
    return are_swapped and len(written) == 2


def _differing_parts(first: str, second: str) -> tuple[str, str]:
    """Both texts without their common beginning and their common end."""
    start = 0
    while start < min(len(first), len(second)) and first[start] == second[start]:
        start += 1
    first, second = first[start:], second[start:]
    while first and second and first[-1] == second[-1]:
        first, second = first[:-1], second[:-1]
    return first, second
