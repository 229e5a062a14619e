"""What a 409 says: that the key is being worked on, or that it was used with other values.

Providers give it both meanings, and hardly any says how to tell them apart. To ask again with the same key and the same
body is harmless in either case; to take "in progress" for a refusal is not.
"""

from __future__ import annotations

import re

import httpx

_MOST_TEXT = 20_000

_IN_PROGRESS = re.compile(
    r"in[ _-]?progress|being processed|(?:still|currently|already) (?:being )?(?:processing|running|processed)"
    r"|concurrent"
)
# Words that may as well stand in a text about other values, or in a refusal.
_UNFINISHED = re.compile(
    r"(?<!not )(?<!no longer )\bpending\b"
    r"|\b(?:has|have|had|is|was|did) ?n[o']t (?:yet )?(?:been )?(?:complete|finish|processed|done)"
    r"|(?<!error )(?<!while )\bprocessing\b(?! (?:error|fail))"
    r"|\bexecuting\b|being executed|in[ -]flight"
    r"|(?<!account )(?<!account is )(?<![a-z])locked\b"
    r"|(?:try|retry)(?: again)? later"
)
_OTHER_VALUES = re.compile(
    r"payload|different|mismatch|not match|(?:re-?|already )used|(?:other|another) (?:body|value|parameter)"
    r"|(?:with|for|by|of) (?:other|another) request"
)


def in_progress(answer: httpx.Response) -> bool:
    """Whether a 409 says that the same call is being worked on, or when to come back for it."""
    if answer.status_code != 409:
        return False
    text = _text(answer)
    if "retry-after" in answer.headers or _IN_PROGRESS.search(text):
        return True
    return _UNFINISHED.search(text) is not None and not _OTHER_VALUES.search(text)


def may_be_in_progress(answer: httpx.Response) -> bool:
    """Whether a 409 leaves that open: it does not speak of other values, or speaks of progress as well."""
    return answer.status_code == 409 and (in_progress(answer) or not _OTHER_VALUES.search(_text(answer)))


def _text(answer: httpx.Response) -> str:
    return answer.content[:_MOST_TEXT].decode("utf-8", "replace").lower()
