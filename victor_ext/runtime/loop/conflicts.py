"""Classification of conflicts: the same call is in progress, or its key was used with other values.

Few providers document the difference. To repeat the call with the same key and body is safe in both cases; to read "in
progress" as a rejection is not.
"""

from __future__ import annotations

import re

import httpx

_MOST_TEXT = 20_000

# Texts, which `re` compiles and keeps when the first 409 comes: most processes see none.
_IN_PROGRESS = (
    r"in[ _-]?progress|being processed|(?:still|currently|already) (?:being )?(?:processing|running|processed)"
    r"|concurrent"
)
_OTHER_VALUES = (
    r"payload|different|mismatch|not match|(?:re-?|already )used|(?:other|another) (?:body|value|parameter)"
    r"|(?:with|for|by|of) (?:other|another) request"
)

_USED = r"conflict|duplicat|already|in use|exist"


def is_conflict(answer: httpx.Response) -> bool:
    """Whether a response is a 409, or a 400 or 422 that says of the idempotency key that it was used before."""
    if answer.status_code not in (400, 422):
        return answer.status_code == 409
    text = _text(answer)
    return "idempoten" in text and re.search(f"{_USED}|{_IN_PROGRESS}|{_OTHER_VALUES}", text) is not None


def in_progress(answer: httpx.Response) -> bool:
    """Whether a response is a conflict that reports a call in progress, or has a Retry-After header."""
    if not is_conflict(answer):
        return False
    return "retry-after" in answer.headers or re.search(_IN_PROGRESS, _text(answer)) is not None


def may_be_in_progress(answer: httpx.Response) -> bool:
    """Whether a response is a conflict that reports a call in progress, or does not report other values."""
    return is_conflict(answer) and (in_progress(answer) or not re.search(_OTHER_VALUES, _text(answer)))


def _text(answer: httpx.Response) -> str:
    return answer.content[:_MOST_TEXT].decode("utf-8", "replace").lower()
