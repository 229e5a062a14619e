"""What a refusal says of an earlier use of the idempotency key, or of the request itself.

Providers say it in a thousand ways. What sounds like it is a `Conflict` with the outcome
`unknown`: a look-up is cheap, and a second request for money is not.
"""

from __future__ import annotations

import re
from enum import Enum, auto
from typing import NamedTuple

import httpx

from victor_ext._privacy import body_of
from victor_ext._runtime.core.response import OPERATION

from .idempotency_keys import KeyPlace
from .operations import of_no_table

_MOST_TEXT = 20_000


class Use(Enum):
    """What is said of an earlier use.

    To repeat the call with the same key and body is safe after each.
    """

    IN_PROGRESS = auto()
    OTHER_VALUES = auto()
    UNSAID = auto()


class EarlierUse(NamedTuple):
    """An earlier use of the key or the request.

    `names_key`: The provider says so of the key. Other words, and a 409 or a 423 without any, may
    be about anything else: they are a reason to look, and no evidence.
    """

    use: Use
    names_key: bool


# Texts, which `re` compiles and keeps when the first refusal comes: most processes see none.
_IN_PROGRESS = (
    r"in ?progress|in ?flight|being \w+ed|concurren|\bpending|(?:is|still) (?:process|runn)"
)
_OTHER_VALUES = r"payload|different|mismatch|not match|other (?:request|payment)|\bre-?us|\bused"
_EARLIER = (
    r"dupl(?!\w* (?:field|remote))|previous|earlier(?! than)|replay|\bre-?us|repeated|twice"
    r"|already(?! (?:closed|disabled|blocked|locked|suspended|past|passed))"
    r"|\bexists$|\bexisting|conflict\b|aborted|unique\b|original|(?<!not )\bin use\b"
    r"|(?<!not be )\b(?:processed|used|submitted)(?: before)?$|(?:processed|used) before"
    r"|(?:an)?other (?:request|payment(?! method)|transaction)|\bam05\b|\bdu0[1-5]\b"
    rf"|{_IN_PROGRESS}"
)
"""That something was there before. AM05 and DU01 to DU05 are duplicates in ISO 20022."""
_FORM = (
    r"missing|requir|mandatory|blank|empty|too (?:short|long)|length|character|pattern|format|uuid"
    r"|valid\b|malformed|must be (?:used|sent|set)|not (?:provided|present|set|given)|retry"
)
"""What a text that names the key says of its form: else it says that the key was used."""


def earlier_use(response: httpx.Response, place: KeyPlace) -> EarlierUse | None:
    """What a refusal of a write says of an earlier use of the key or the request; None when it says
    nothing of that.

    A 409 says that something exists, and a 423 that something is locked, whatever the words. A 401
    and a 429 say nothing of it, unless they name the key.
    """
    request = response.request
    row = request.extensions.get(OPERATION) or of_no_table(request)
    if row.reads or row.is_secret:
        return None
    text = _words(body_of(response)[:_MOST_TEXT].decode("utf-8", "replace"))
    name = re.escape(_words(getattr(place, "name", ""))) or "idempoten"
    names_key = bool(re.search(rf"idempoten|{name}", text)) and not re.search(_FORM, text)
    is_earlier = response.status_code not in (401, 407, 429) and is_about_earlier(text)
    if not (response.status_code in (409, 423) or names_key or is_earlier):
        return None
    if "retry-after" in response.headers or re.search(_IN_PROGRESS, text):
        return EarlierUse(Use.IN_PROGRESS, names_key)
    is_other = re.search(_OTHER_VALUES, text) is not None
    return EarlierUse(Use.OTHER_VALUES if is_other else Use.UNSAID, names_key)


def is_about_earlier(text: str) -> bool:
    """Whether words say that the request was made before, or is being made."""
    return re.search(_EARLIER, _words(text[:_MOST_TEXT]).rstrip(' ."}')) is not None


def _words(text: str) -> str:
    """`IDEMPOTENCY_KEY_REUSED` and `idempotencyKeyReused` as `idempotency key reused`."""
    return re.sub(r"[\s_-]+", " ", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text)).lower()
