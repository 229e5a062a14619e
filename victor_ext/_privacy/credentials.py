"""Text about a response, without the credentials of its request."""

import base64
import json
from collections.abc import Iterator
from contextlib import suppress
from contextvars import ContextVar
from typing import Any
from urllib.parse import quote, quote_plus
from weakref import ref

from .hiding import Secret, SecretBytes

CREDENTIALS = "victor_ext.credentials"
"""The extension of a request with the credentials that sign it.

Their method `secret_texts`, if they have one, says which texts are not shown.
"""

QUOTED: ContextVar[ref[Any] | None] = ContextVar("victor_ext.quoted", default=None)
"""The request of the call that this thread or task makes, until the call ends: no text about its
response repeats its credentials. A weak reference, because a task that begins meanwhile has a copy
of this variable, and may outlive the call."""
_DERIVED = "victor_ext.derived_credentials"
"""The extension of a request with its plain credentials, and all their forms, which are derived
once: an error may have 1,000 texts.
"""
_SHORTEST_CREDENTIAL = 6  # characters; a shorter one is a word that occurs by chance
_MASKED = "[secret]"
_CREDENTIAL_HEADERS = frozenset({b"authorization", b"cookie"})


def without_credentials(text: str) -> str:
    """The text with the credentials of the request that it is about (`QUOTED`) masked; so is the
    first half of a credential, or more.
    """
    parts = text.split(_MASKED)  # a credential may be a part of that word
    for credential in _credentials():
        parts = [piece for part in parts for piece in _pieces_around(part, credential)]
    return _MASKED.join(parts)


def _pieces_around(text: str, credential: Secret) -> Iterator[str]:
    """The pieces that are left of a text without a credential, or the beginning of one, in any
    letter case.
    """
    folded = _folded(text)
    half = (len(credential) + 1) // 2
    beginning = credential[: max(_SHORTEST_CREDENTIAL, half)]
    end = 0
    start = folded.find(beginning)
    while start >= 0:
        yield text[end:start]
        end = start + len(beginning)
        for letter in credential[len(beginning) :]:
            if folded[end : end + 1] != letter:
                break
            end += 1
        start = folded.find(beginning, end)
    yield text[end:]


def _credentials() -> list[Secret]:
    """The credentials of the request in `QUOTED`, in all forms of `_forms`; the longest first.

    They are kept with the request, until its plain credentials are others: a token was renewed.
    """
    quoted = QUOTED.get()
    request = None if quoted is None else quoted()
    if request is None:
        return []
    plain = _plain_credentials(request)
    kept: tuple[list[Secret], list[Secret]] | None = request.extensions.get(_DERIVED)
    if kept is not None:
        kept_plain, kept_forms = kept
        if kept_plain == plain:
            return kept_forms
    forms = {form for text in plain for form in _forms(text)}
    longest_first = sorted(forms, key=len, reverse=True)
    request.extensions[_DERIVED] = plain, longest_first
    return longest_first


def _plain_credentials(request: Any) -> list[Secret]:
    """The credentials of a request as they are: those that sign it, and those in its headers."""
    secret_texts = getattr(request.extensions.get(CREDENTIALS), "secret_texts", None)
    plain: list[Secret] = [] if secret_texts is None else [*secret_texts(request)]
    for name, value in request.headers.raw:
        if isinstance(value, SecretBytes) or name.lower() in _CREDENTIAL_HEADERS:
            plain += _credentials_in_header(SecretBytes(value).decode("latin-1"))
    return plain


def _credentials_in_header(header: Secret) -> Iterator[Secret]:
    """The value of a header; what follows its scheme; of Basic authentication, the user and the
    password, too.
    """
    yield header
    scheme, _, token = map(Secret, header.partition(" "))
    yield token
    if scheme.lower() == "basic":
        with suppress(ValueError):
            pair = SecretBytes(base64.b64decode(token)).decode("latin-1")
            yield from map(Secret, pair.split(":", 1))


def _forms(text: Secret) -> Iterator[Secret]:
    """A credential in the forms in which a text may repeat it: plain, percent-encoded, in JSON and
    in Base64. A form that is too short is left out: it would occur by chance.
    """
    encoded = text.encode("utf-8", "replace")
    forms = (
        text,
        quote(text, safe=""),
        quote_plus(text),
        json.dumps(text)[1:-1],
        base64.b64encode(encoded).decode().rstrip("="),
        base64.urlsafe_b64encode(encoded).decode().rstrip("="),
    )
    for form in forms:
        if len(form) >= _SHORTEST_CREDENTIAL:
            yield _folded(form)


def _folded(text: str) -> Secret:
    """The text in small letters, with the length that it had: a place in both is the same one."""
    # The capital I with a dot is the only letter that would become two.
    return Secret(text.replace("\u0130", "i").lower())
