"""What a refusal says of an earlier use of the idempotency key, or of the request: it never proves that nothing exists.

A complaint about the key's form (missing, too short, no UUID) does. Words decide, because few providers document
their statuses. `tests/runtime/loop/words_about_keys.txt` has those of many.
"""

from __future__ import annotations

import re
from enum import Enum, auto

import httpx

from victor_ext.privacy import HOLDS_SECRETS, body_of

from .idempotency_keys import KeyPlace
from .profile import SAFE_METHODS

_MOST_TEXT = 20_000


class Use(Enum):
    """What is said of an earlier use. To repeat the call with the same key and body is safe after each."""

    IN_PROGRESS = auto()
    OTHER_VALUES = auto()
    UNSAID = auto()


# Texts, which `re` compiles and keeps when the first refusal comes: most processes see none. They match `_words`.
_IN_PROGRESS = (
    r"in ?progress|being processed|(?:still|currently|already) (?:being )?(?:processing|running|processed)"
    r"|concurren|outstanding"
)
_ANOTHER = (
    r"(?:other|another|different|previous|earlier|prior|original|first) (?:\w+ )?"
    r"(?:request|payload|bod|value|parameter|operation|call|transaction|payment|content|data|endpoint|attempt|argument)"
)
_ALREADY = (
    r"(?:already|previously) (?:been |being |in )*"
    r"(?:use|process|exist|submit|taken|seen|sent|creat|receiv|associat|register|execut|made|complet|perform)"
)
_OTHER_VALUES = rf"payload|different|mismatch|not match|\bre ?use|already (?:been )?used|{_ANOTHER}"
# A complaint about the form has some of these words: "must be used", "does not match the pattern", "a unique id".
_USED = (
    rf"{_IN_PROGRESS}|{_ANOTHER}|{_ALREADY}|(?<!be )used\b(?! to)|\breus|\bin use\b|(?<!not )\bexist|duplicat|conflict"
    r"|mismatch|(?:not|n't) match(?! (?:the )?(?:\w+ )?(?:pattern|format|regex))|\bsame\b|previously|\bbe unique\b"
)
_BARE_KEY = (
    r"(?:\b(?:this|the|same|your|a|given|provided|request)|[\"'>:.(]|^) ?key\b[^.{}]{0,40}?"
    rf"(?:{_ALREADY}|used before|\bre ?used|in use|{_ANOTHER})"
)
_SUBJECT = r"(?:request|transaction|payment|transfer|payout|order|operation|submission|charge|refund|invoice|call)"
_REPEATED = (
    rf"duplicated? (?:\w+ )?(?:{_SUBJECT}|reference)"
    rf"|\b(?:{_SUBJECT}|reference|id|number)\b[^.{{}}]{{0,60}}?\b"
    rf"(?:(?:is|was|been) (?:an? )?(?:\w+ )?duplicate|{_ALREADY})"
    r"|already exist|in ?progress|being processed"
)


def earlier_use(response: httpx.Response, place: KeyPlace) -> Use | None:
    """What a refusal of a write says of an earlier use of the key or the request; None when it says nothing of that.

    A 409 says that something exists, whatever its words. A 401 is about the credentials and a 429 about the rate,
    unless it names the key.
    """
    request, status = response.request, response.status_code
    if request.method in SAFE_METHODS or HOLDS_SECRETS in request.extensions:
        return None
    text = _words(body_of(response)[:_MOST_TEXT].decode("utf-8", "replace"))
    if status != 409 and not _is_about_key(text, request, place):
        is_elsewhere = status in (401, 407, 429)
        if is_elsewhere or not (re.search(_REPEATED, text) or re.search(_BARE_KEY, text)):
            return None
    if "retry-after" in response.headers or re.search(_IN_PROGRESS, text):
        return Use.IN_PROGRESS
    return Use.OTHER_VALUES if re.search(_OTHER_VALUES, text) else Use.UNSAID


def _is_about_key(text: str, request: httpx.Request, place: KeyPlace) -> bool:
    """Whether a text says of the key that it was used: it names the key, or has its value, near to such words."""
    names = filter(None, (getattr(place, "name", None), place.read(request)))
    key = "|".join((r"idempoten\w*", *(re.escape(_words(name)) for name in names)))
    near = r".{0,160}?"
    return re.search(rf"(?:{key}){near}(?:{_USED})|(?:{_USED}){near}(?:{key})", text, re.DOTALL) is not None


def _words(text: str) -> str:
    """`IDEMPOTENCY_KEY_REUSED` and `idempotencyKeyReused` as `idempotency key reused`."""
    return re.sub(r"[\s_-]+", " ", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text)).lower()
