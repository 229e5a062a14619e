"""What a request sent of credentials and accounts, which a text about its response may repeat."""

import re
from contextvars import ContextVar
from typing import Any
from weakref import ref

from .hiding import body_of, mask

_SHORTEST_TOKEN = 8
_NAME = (
    r"(?:account|acct|card|routing|transit)[\w.\[\]-]{0,20}?(?:number|num|no)"
    r"|(?:account|acct|bank|card)\w{0,20}\"\s*:\s*\{[^{}]*?\"(?:number|num|no)"
    r"|account|routing|iban|bban|clabe|sort[_-]?code"
)
_IBAN = r"[a-z]{2}\d\d[a-z\d +-]{8,40}"
# A number in JSON, a form or a query, under the name of that of an account, a card or a bank.
_NUMBER = rf"(?:{_NAME})[\"\]]*\s*[:=]\s*\"?({_IBAN}|\d[\d +-]{{4,34}})(?![\w-])"

_last: ContextVar[Any] = ContextVar("victor_ext.sent", default=(lambda: None, []))
# The last request of this thread or task, and in the list what it sent, with how that is shown. The
# weak reference lets the request go, whoever has a copy of the variable.


def quote_response_to(request: Any) -> None:
    """What this thread or task shows from now on is about the response to this request."""
    _last.set((ref(request), []))


def without_sent(text: str) -> str:
    """The text without the `Authorization` of its request, and with the account and routing numbers
    that it sent masked, also where the text has them in groups.
    """
    request, kept = _last.get()
    if not kept:  # once: an error may have 1,000 texts
        kept.append(_sent_by(request()))
    plain = _plain(text)
    for value, shown in kept[0].items():
        if value in plain:
            written = r"[ +\\-]*".join(map(re.escape, value))
            text = re.sub(rf"(?i)(?<!\d){written}(?!\d)", shown, text)
    return text


def _sent_by(request: Any) -> dict[str, str]:
    if request is None:
        return {}
    body = body_of(request).decode("latin-1")
    numbers = re.findall(_NUMBER, f"{request.url.query!r} {body}".lower())
    shown = {number: mask(number) for number in map(_plain, numbers)}
    token = _plain(request.headers.get("authorization", "").rpartition(" ")[2])
    if len(token) >= _SHORTEST_TOKEN:
        shown[token] = "[secret]"
    return shown


def _plain(text: str) -> str:
    """Without what stands between groups of digits, and before a slash in JSON."""
    return re.sub(r"[ +\\-]", "", text).upper()
