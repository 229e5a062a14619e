"""What a refusal says of an earlier use of the idempotency key, or of the request: it never proves
that nothing exists.

Words decide, because few providers document their statuses, and any word for "it was there before"
counts: a doubt too many costs a look, one too few a second payment. Words of many are in
`tests/runtime/loop/words_about_keys.txt`.
"""

import re
from collections.abc import Iterator
from enum import Enum, auto
from typing import Any, NamedTuple

import httpx

from victor_ext._privacy import body_of
from victor_ext._runtime.core.json_values import NOT_JSON, is_list, is_object, json_of
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


# Texts, which `re` compiles and keeps when the first refusal comes: most processes see none. They
# match `_words`.
_IN_PROGRESS = (
    r"in ?progress|in ?flight|being (?:process|handl|execut|creat|submit)|concurren|(?<!not "
    r")\bpending"
    r"|(?:is|still|currently|already) (?:process(?:ing|ed)|running|handled)"
)
_ANOTHER = (
    r"(?:other|different|previous|earlier|prior|original) (?:\w+ )?"
    r"(?:request|payload|bod(?:y|ies)\b|call\b|operation|attempt|parameter|content\b|endpoint)"
    r"|(?:other|previous|earlier|prior) (?:\w+ )?(?:transaction|payment(?! method))"
)
_OTHER_VALUES = rf"payload|different|mismatch|not match|\breus|already (?:been )?used|{_ANOTHER}"
_BEFORE = (
    r"dupl|already|previously|\bexists\b|\bearlier\b(?! "
    rf"than)|conflict|replay|\breus|\brepeated\b|{_IN_PROGRESS}"
    rf"|{_ANOTHER}|same (?:request|payload|body|key)|(?:(?:is|was|were|been) \w+|used) "
    r"(?:before|twice)|\baborted\b"
    r"|(?:has|have|had|was) (?:been )?(?:process|execut|complet|settl|paid)|\bkey\b[^.]{0,40} "
    r"(?:was|been) used"
    r"|(?:not|non|must be|should be) unique\b(?! and)|unique "
    r"(?:constr|ind|key|viol)|\b(?:am05|du0[1-5]\b|lock timeout)"
)
"""That something was there before. AM05 and DU01 to DU05 are duplicates in ISO 20022."""
_PARTY = (
    r"(?:account|payee|payer|payor|counterparty|customer|merchant|biller|user|card|token|date|api "
    r"key)"
)
_SOMETHING_ELSE = (
    r"(?:\bno (?:(?!longer)\w+ ){1,2}|nothing |not )(?:exists|(?:has|have|was|were) (?:been )?\w+)"
    r"|(?:check|ensure|sure|verify|if) [^.]{1,60}? exists|conflicting "
    r"(?:field|parameter|option|argument)"
    r"|dupl\w* (?:field|remote ?id)\b[^.]* in (?:body|row)"
    rf"|^(?:(?:the|this|your|an?|bank|due) )*{_PARTY}(?: {_PARTY}| number| id| nonce)* "
    r"(?:(?:is|has|been|already) )*"
    r"(?:exists|in use|associated "
    r"with|linked|registered|verified|closed|disabled|blocked|locked|suspended|past|passed"
    r"|(?<=nonce already )used)\b|^(?:kyc |scheduled )?(?:review|maintenance) (?:is )?(?:in "
    r"progress|pending)"
)
"""Such words for nothing that exists, for the body's form, and for an account or a party: not
"payer already asked".
"""
_RATE = r"^.*(?:too many|limit|quota|\brate|throttl).*"
_FORM = (
    r"missing|requir|mandatory|blank|empty|too "
    r"(?:short|long)|length|character|alphanumeric|pattern|regex|format"
    r"|\b[ug]uid|\binvalid\b|not (?:a )?valid|malformed|exceed|maximum|at (?:least|most)"
    r"|must be (?:used|sent|set|provided|present|given)|not "
    r"(?:provided|present|set|given|supplied|specified|exist)"
)
_OF_KEY = (
    rf"{_BEFORE}|(?<!be )used\b(?! to)|\bkey us(?:e|age)\b|\buse of|(?<!not )\bin "
    r"use\b|mismatch|expired|no longer"
    r"|locked|consumed|belong|chang|\bknown\b|be unique\b(?! and)|retries|attempts|outstanding"
)
"""What a text about the key says of its use.

A complaint about its form has some of these words: "must be used".
"""


_SPEAKING_NAME = "dupl|already|conflict|existing|replay"
"""A member with one of these in its name speaks by its name."""


def earlier_use(response: httpx.Response, place: KeyPlace) -> EarlierUse | None:
    """What a refusal of a write says of an earlier use of the key or the request; None when it says
    nothing of that.

    A 409 says that something exists, and a 423 that something is locked, whatever the words. A 401
    is about the credentials, unless it names the key.
    """
    request = response.request
    status = response.status_code
    row = request.extensions.get(OPERATION) or of_no_table(request)
    if row.reads or row.is_secret:
        return None
    name = re.escape(_words(getattr(place, "name", "")))
    own_name = f"|{name}" if name else ""
    names = rf"(?<![a-z0-9])(?:idempoten\w*(?: key)?{own_name})(?![a-z0-9])"
    key = _Key(names, _words(place.read(request) or ""))
    content = body_of(response)
    body = json_of(response) if len(content) <= _MOST_TEXT else NOT_JSON
    if body is NOT_JSON:
        sentences = [_words(content[:_MOST_TEXT].decode("utf-8", "replace"))]
    else:
        sentences = list(map(_words, _sentences(body, key)))
    names_key = _is_of_key(sentences, key)
    if status not in (409, 423) and not names_key:
        others = rf"{_SOMETHING_ELSE}|{_RATE}" if status == 429 else _SOMETHING_ELSE
        is_earlier = any(is_about_earlier(sentence, others) for sentence in sentences)
        if status in (401, 407) or not is_earlier:
            return None
    if "retry-after" in response.headers or _any_matches(_IN_PROGRESS, sentences):
        use = Use.IN_PROGRESS
    elif _any_matches(_OTHER_VALUES, sentences):
        use = Use.OTHER_VALUES
    else:
        use = Use.UNSAID
    return EarlierUse(use, names_key)


class _Key(NamedTuple):
    """The key of a request, as `_words` has it."""

    names: str  # a pattern of what it is called
    value: str  # empty: it has none


def _any_matches(pattern: str, sentences: list[str]) -> bool:
    return any(re.search(pattern, sentence) for sentence in sentences)


def is_about_earlier(text: str, others: str = _SOMETHING_ELSE) -> bool:
    """Whether words say that the request was made before, or is being made.

    `others`: such words for something else.
    """
    for sentence in re.split(r"[.:;<>{}]", _words(text[:_MOST_TEXT])):
        if re.search(_BEFORE, re.sub(others, "", sentence.strip())):
            return True
    return False


def _is_of_key(sentences: list[str], key: _Key) -> bool:
    """Whether something is said of the key that is no complaint about its form, or of its value
    that it was used.
    """
    named = ". ".join(sentence for sentence in sentences if re.search(key.names, sentence))
    if named and (re.search(_OF_KEY, named) or not re.search(_FORM, named)):
        return True
    if not key.value:
        return False
    value = rf"(?<!\w){re.escape(key.value)}(?!\w)"
    return any(re.search(value, text) and re.search(_OF_KEY, text) for text in sentences)


def _sentences(said: Any, key: _Key, named: str = "") -> Iterator[str]:
    """The sentences in JSON. What is said of the key begins with its name: `named` is that of the
    member around, if it is called like the key.

    The key itself is no sentence, nor is one word in a member that is called like it: an echo of
    the key beside a sentence about something else says nothing of the key.
    """
    if is_object(said):
        yield from _sentences_of_object(said, key, named)
    elif is_list(said):
        for item in said:
            yield from _sentences(item, key, named)
    elif isinstance(said, str) and _words(said) != key.value:
        if not named:
            yield said
        elif " " in said.strip() or re.search(_OF_KEY, _words(said)):
            yield f"{named}: {said}"


def _sentences_of_object(body: dict[str, Any], key: _Key, named: str) -> Iterator[str]:
    """The sentences in an object. With a member such as `"field": "idempotency_key"` all of it is
    one sentence. A name such as `isDuplicate` says "already" where its value is neither false nor
    empty.
    """
    texts = [value for value in body.values() if isinstance(value, str)]
    is_name_of_key = re.compile(rf"\W*(?:\w+\W*[./]\W*)?{key.names}\W*").fullmatch
    is_one_sentence = any(is_name_of_key(_words(text)) for text in texts)
    if is_one_sentence:
        yield "; ".join(texts)
    for name, value in body.items():
        if is_one_sentence and isinstance(value, str):
            continue
        words = _words(name)
        if value and value != "false" and re.search(_SPEAKING_NAME, words):
            yield "already"
        yield from _sentences(value, key, name if re.search(key.names, words) else named)


def _words(text: str) -> str:
    """`IDEMPOTENCY_KEY_REUSED` and `idempotencyKeyReused` as `idempotency key reused`."""
    return re.sub(r"[\s_-]+", " ", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text)).lower()
