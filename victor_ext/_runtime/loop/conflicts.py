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

from .idempotency_keys import KeyPlace

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


# Texts, which `re` compiles and keeps when the first refusal comes: most processes see none. They
# match `_words`.
_IN_PROGRESS = (
    r"in ?progress|in ?flight|being (?:process|handl|execut|creat|submit)|concurren|lock timeout"
    r"|in process\b|request is outstanding"
    r"|(?<!not )\bpending|(?:is|still|currently|already) (?:process(?:ing|ed)|running|handled)"
)
_ANOTHER = (
    r"(?:other|different|previous|earlier|prior|original) (?:\w+ )?(?:request|payload|body\b|bodies"
    r"|call\b|operation|attempt|parameter|content\b|endpoint|transaction|payment(?! method))"
)
_OTHER_VALUES = rf"payload|different|mismatch|not match|\breus|already (?:been )?used|{_ANOTHER}"
# That something was there before. AM05 and DU01 to DU05 are duplicates in ISO 20022.
_EARLIER = (
    r"dupl|already|previously|\bexists\b|\bexisting (?:\w+ id|payment|request)|conflict\b|replay"
    r"|\bearlier\b(?! than)|\breus|\brepeated\b|same (?:request|payload|body|key)|\baborted\b"
    r"|\b(?:am05|du0[1-5])\b|\b(?:double|second) sub"
    r"|(?:(?:is|was|were|been) \w+|used) (?:before|twice)|(?:was|been) used\b(?! to)"
    r"|(?:has|have|had|was) (?:been )?(?:process|execut|complet|settl|paid)|(?<!not )\bin use\b"
    r"|(?:not|non|must be|should be) unique\b(?! and)|unique (?:constr|ind|key|viol)"
    rf"|{_IN_PROGRESS}|{_ANOTHER}"
)
# Such words for nothing that exists, for the form of a body, for an account or a party (not "payer
# already asked"), for other work, and for a rate; and a member that is false.
_SOMETHING_ELSE = (
    r"(?:\bno (?:(?!longer)\w+ ){1,2}|nothing |not )(?:exists|(?:has|have|was) (?:been )?\w+)"
    r"|(?:check|ensure|sure|verify|if) [^.\"]{1,60}? exists|dupl\w* (?:field|remote ?id)\b"
    r"|(?<!\w )\b(?:the |this |your |an? |bank |due )*(?:account|payee|payer|payor|counterparty"
    r"|customer|merchant|biller|user|card|token|date|api key)(?: account| number| id| nonce)*"
    r"(?: is| has| been| already)* (?:exists|in use|associated with|linked|registered|verified"
    r"|closed|disabled|blocked|locked|suspended|past|passed|(?<=nonce already )used)\b"
    r"|(?:review|maintenance) (?:is )?(?:in progress|pending)"
    r'|(?:already made [^."]{1,60})?too many [^."]*|"[^"]*": ?(?:false|null)'
)
# What a text that names the key says of its use, whatever it says of its form; and what it says of
# its form. Any other text that names it says that it was used.
_USE_OF_KEY = (
    r"(?<!be )used\b(?! to)|\bkey use|expired|no longer|any ?more|taken|consumed|\bchanged\b"
    r"|\bidentical\b|\bnew for each|\bbelongs to|(?:one|two|single) requests?\b"
    rf"|{_EARLIER}"
)
_FORM = (
    r"missing|requir|mandatory|blank|empty|too (?:short|long)|length|character|pattern|format|uuid"
    r"|valid\b|malformed|exceed|must be used|not (?:provided|present|set|given|exist)"
)


def earlier_use(response: httpx.Response, place: KeyPlace) -> EarlierUse | None:
    """What a refusal of a write says of an earlier use of the key or the request; None when it says
    nothing of that.

    A 409 says that something exists, and a 423 that something is locked, whatever the words. A 401
    is about the credentials, unless it names the key.
    """
    text = _words(body_of(response).decode("utf-8", "replace"))
    text = text.replace(_words(place.read(response.request) or ""), "")
    own_name = re.escape(_words(getattr(place, "name", ""))) or "idempoten"
    # what is called like the key, and no echo of it
    name = rf'(?:idempoten\w*|{own_name})\b(?! ?(?:key)?": ?"")'
    # in one text with the name, or in one object with a text that is the name
    of_form = (
        rf'(?:(?:^|[".<>])(?=[^".<>]*{name})[^".<>]*'
        rf'|{{(?=[^{{}}]*"(?:[\w/.]*[/.])?{name}(?: key)?")[^{{}}]*)(?:{_FORM})'
    )
    used = rf"^(?=.*{name})(?:.*(?:{_USE_OF_KEY})|(?!.*{of_form}))"
    names_key = re.search(used, text) is not None
    is_earlier = response.status_code != 401 and is_about_earlier(text)
    if not (response.status_code in (409, 423) or names_key or is_earlier):
        return None
    use = Use.OTHER_VALUES if re.search(_OTHER_VALUES, text) else Use.UNSAID
    if "retry-after" in response.headers or re.search(_IN_PROGRESS, text):
        use = Use.IN_PROGRESS
    return EarlierUse(use, names_key)


def is_about_earlier(text: str) -> bool:
    """Whether words say that the request was made before, or is being made."""
    return re.search(_EARLIER, re.sub(_SOMETHING_ELSE, "", _words(text))) is not None


def _words(text: str) -> str:
    """`IDEMPOTENCY_KEY_REUSED` and `idempotencyKeyReused` as `idempotency key reused`."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text[:_MOST_TEXT])
    return re.sub(r"[\s_-]+", " ", words).lower()
