"""What a refusal says of an earlier use of the idempotency key, or of the request: it never proves that nothing exists.

Words decide, because few providers document their statuses. What names the idempotency key proves nothing, except a
complaint about the key's form (missing, too short, no UUID). Without that name, the words have to say that something
was there before. `tests/runtime/loop/words_about_keys.txt` has those of many providers, and refusals that only look so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum, auto
from typing import Any

import httpx

from victor_ext.privacy import body_of
from victor_ext.runtime.core.json_values import NOT_JSON, is_list, is_object, json_of
from victor_ext.runtime.core.response import OPERATION

from .idempotency_keys import KeyPlace
from .operations import of_no_table

_MOST_TEXT = 20_000


class Use(Enum):
    """What is said of an earlier use. To repeat the call with the same key and body is safe after each."""

    IN_PROGRESS = auto()
    OTHER_VALUES = auto()
    UNSAID = auto()


# Texts, which `re` compiles and keeps when the first refusal comes: most processes see none. They match `_words`.
_RUNNING = (
    r"(?:in ?progress|being (?:process|handl)\w*"
    r"|(?:still|currently|already) (?:being )?(?:process(?:ing|ed)|running|pending|handled))"
)
_IN_PROGRESS = rf"{_RUNNING}|concurren|outstanding|(?<!not )\bpending"
_ANOTHER = (
    r"(?:other|another|different|previous|earlier|prior|original|first) (?:\w+ )?"
    r"(?:request|payload|bod|value|parameter|operation|call|transaction|payment|content|data|endpoint|attempt|argument)"
)
_DONE = (
    r"(?:use|process|exist|submit|take|seen|sent|creat|receiv|regist|execut|made|complet|perform|captur|refund|cancel"
    r"|paid|accept|respond|answer|handl|consum|settl|initiat|approv|declin|associat)"
)
_ALREADY = (
    rf"(?:(?:already|previously) (?:been |being |in )*{_DONE}"
    rf"|(?:is|was|been|were) {_DONE}\w* (?:before|twice|already|previously))"
)
_EXISTS = r"(?<!not )(?<!n't )\bexists?\b"
_OTHER_VALUES = rf"payload|different|mismatch|not match|\bre ?use|already (?:been )?used|{_ANOTHER}"
_FORM = (
    r"missing|requir|mandatory|blank|empty|too (?:short|long)|length|character|alphanumeric|pattern|regex|format"
    r"|\b[ug]uid|\binvalid\b|not (?:a )?valid|malformed|exceed|maximum|at (?:least|most)"
    r"|must be (?:used|sent|set|provided|present|given)|not (?:provided|present|set|given|supplied|specified|exist)"
)
# A complaint about the form has some of these words: "must be used", "does not exist", "unique and 20 characters".
_USED = (
    rf"{_IN_PROGRESS}|{_ANOTHER}|{_ALREADY}|{_EXISTS}|(?<!be )used\b(?! to)|\breus|\bkey us(?:e|age)\b|\buse of"
    r"|(?<!not )\bin use\b|duplicat|conflict|mismatch|expired|no longer|locked|consumed|belong|replay|chang|\bknown\b"
    r"|previously|(?:not|non) unique|be unique\b(?! and)|same (?:request|param|payload|bod|content)|retries|attempts"
)
_SPENT = rf"(?:{_ALREADY}|used before|(?:was|been) used|\bre ?used|(?<!not )in use|{_ANOTHER})"
_BARE_KEY = rf"(?:\b(?:this|the|same|your|a|given|provided|request)|[\"'>:.(]|^) ?key\b[^.{{}}]{{0,40}}?{_SPENT}"
_SUBJECT = (
    r"(?:request|transaction|payment|transfer|payout|order|operation|submission|charge|refund|invoice|call|reference)"
)
_REPEATED = (
    rf"duplicated? (?:\w+ )?(?:{_SUBJECT}|entry|key)|\breplay(?:ed|s)?\b|\brepeated (?:\w+ )?{_SUBJECT}"
    rf"|(?<!\bno )(?<!such )\b{_SUBJECT}s?\b[^.:;{{}}]{{0,60}}?"
    rf"(?:\b(?:is|was|been) (?:an? )?(?:\w+ )?duplicate|\b{_ALREADY}|\b{_RUNNING}|{_EXISTS}|\b(?:not|non) unique)"
    rf"|{_RUNNING} (?:\w+ )?{_SUBJECT}|{_ALREADY}\w* (?:this|your|the same|that|such an?) {_SUBJECT}"
    rf"|(?:^|[.:;>] ?)(?:duplicated?\W*(?:$|<)|{_ALREADY}|{_RUNNING})"
)


def earlier_use(response: httpx.Response, place: KeyPlace) -> Use | None:
    """What a refusal of a write says of an earlier use of the key or the request; None when it says nothing of that.

    A 409 says that something exists, and a 423 that something is locked, whatever the words. A 401 is about the
    credentials and a 429 about the rate, unless it names the key.
    """
    request, status = response.request, response.status_code
    row = request.extensions.get(OPERATION) or of_no_table(request)
    if row.reads or row.is_secret:
        return None
    key = _words(place.read(request) or "")
    name = re.escape(_words(getattr(place, "name", "")))
    names = rf"(?<![a-z0-9])(?:idempoten\w*(?: key)?{name and '|' + name})(?![a-z0-9])"
    body = json_of(response) if len(body_of(response)) <= _MOST_TEXT else NOT_JSON
    whole = body_of(response)[:_MOST_TEXT].decode("utf-8", "replace")
    texts = [_words(text) for text in ([whole] if body is NOT_JSON else _texts(body, names, key))]
    if status not in (409, 423) and not _is_of_key(texts, names, key):
        is_elsewhere = status in (401, 407, 429)
        if is_elsewhere or not any(re.search(_REPEATED, text) or re.search(_BARE_KEY, text) for text in texts):
            return None
    if "retry-after" in response.headers or any(re.search(_IN_PROGRESS, text) for text in texts):
        return Use.IN_PROGRESS
    return Use.OTHER_VALUES if any(re.search(_OTHER_VALUES, text) for text in texts) else Use.UNSAID


def _is_of_key(texts: list[str], names: str, key: str) -> bool:
    """Whether something is said of the key that is no complaint about its form, or of its value that it was used."""
    named = ". ".join(text for text in texts if re.search(names, text))
    if named and (re.search(_USED, named) or not re.search(_FORM, named)):
        return True
    near, value, said = r".{0,160}?", rf"(?<!\w){re.escape(key)}(?!\w)", rf"(?:{_USED}|{_REPEATED})"
    return bool(key) and any(re.search(f"{value}{near}{said}|{said}{near}{value}", text, re.DOTALL) for text in texts)


def _texts(value: Any, names: str, key: str, member: str = "") -> Iterator[str]:
    """What JSON says, sentence by sentence: an echo of the key beside a sentence about something else is none.

    An object with a member such as `"field": "idempotency_key"` is one sentence. The value of a member that is named
    like the key is about the key, unless it is one word: a key.
    """
    if is_object(value):
        leaves = [text for text in value.values() if isinstance(text, str)]
        if any(re.fullmatch(rf"\W*(?:\w+\W*[./]\W*)?{names}\W*", _words(text)) for text in leaves):
            yield "; ".join(leaves)
            value = {name: each for name, each in value.items() if not isinstance(each, str)}
        for name, each in value.items():
            yield from _texts(each, names, key, name if re.search(names, _words(name)) else member)
    elif is_list(value):
        for each in value:
            yield from _texts(each, names, key, member)
    elif isinstance(value, str) and _words(value) != key:
        is_sentence = " " in value.strip() or re.search(_USED, _words(value))
        if not member or is_sentence:
            yield f"{member}: {value}" if member else value


def is_about_earlier(text: str) -> bool:
    """Whether the words for a result say that the request was made before, or is being made."""
    return re.search(f"duplicat|{_REPEATED}", _words(text[:_MOST_TEXT])) is not None


def _words(text: str) -> str:
    """`IDEMPOTENCY_KEY_REUSED` and `idempotencyKeyReused` as `idempotency key reused`."""
    return re.sub(r"[\s_-]+", " ", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text)).lower()
