"""The sentences in which a generated description says the limits of an argument, and its default.

They come last: `Notes for the payer. Up to 150 characters. (The server's default: none)`.
"""

import re

_NUMBER = r"-?\d[\d.]*"
_LIMIT = rf"(?:Up to |At least |At most )?{_NUMBER}(?: to {_NUMBER})?(?: characters| items)?\."
_DEFAULT = r"\(The server's default: [^()]*\)\.?"
_LAST = re.compile(rf"(?:^|(?<=[.?!):]) )({_LIMIT})$|(?:^| )({_DEFAULT})$")


def limits_in(description: str) -> list[str]:
    """The limits that a description ends with, and then the server's default, each a sentence."""
    limits: list[str] = []
    last = _LAST.search(description)
    while last is not None:
        limits.insert(0, last[1] or last[2])
        description = description[: last.start()]
        last = _LAST.search(description)
    return sorted(limits, key=is_default)


def is_default(sentence: str) -> bool:
    """Whether a sentence of `limits_in` is the server's default."""
    return sentence.startswith("(")
