"""The client's sentences as the author of a file reads them: its messages name Python's types and arguments.

What is not known here stays as the client said it.
"""

from __future__ import annotations

import re

_PHRASES = (
    (r"\bpass a date, such as date(\.today)?\([0-9, ]*\)", "write YYYY-MM-DD, today or tomorrow"),
    (r"\bwrite Decimal\('44\.23'\)( or '44\.23')?", "write 44.23"),
    (r"\bsuch as '44\.23'", "such as 44.23"),
    (r"\bmust be Decimal, str or int, not \w+", "must be a number"),
    (r"\bmust be (str|text|text or a whole number), not \w+", r"must be \1"),
    (r"\bmust be str\b", "must be text"),
    (r"\A(\w+ is )True\b", r"\1true"),
    (r"\A(\w+ is )False\b", r"\1false"),
    (r"\bmust be True or False, not .*\.\Z", "must be true or false."),
    (r"\bbiller_type='BUSINESS'", "biller_type BUSINESS"),
)
_COMPILED = tuple((re.compile(pattern, re.DOTALL), replacement) for pattern, replacement in _PHRASES)


def in_a_file(message: str) -> str:
    """What a message of the client says, in the words of a file."""
    for pattern, replacement in _COMPILED:
        message = pattern.sub(replacement, message)
    return message
