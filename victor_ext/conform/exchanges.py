"""What sends, what comes back, how it is read, and how it is redacted."""

import re
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from victor_ext import zulu
from victor_ext.privacy import is_object, is_sequence, redact_excerpt, short_mask

_TOKEN_PATH = "/v2/auth/token"  # noqa: S105 - a path, not a secret
_SHOWN_ITEMS = 3
_SHOWN_HEADERS = ("date", "content-type", "connection", "keep-alive", "retry-after", "x-request-id")
_SHOWN_MEMBERS = frozenset(
    (
        "amount",
        "amount_modification_allowed",
        "approved_at",
        "biller_type",
        "code",
        "codes",
        "created_at",
        "direction",
        "due_date",
        "expires",
        "field",
        "modified_amount",
        "objectName",
        "original_amount",
        "page",
        "page_size",
        "payment_network",
        "status",
        "token_type",
    )
)
"""Members whose values are shown, with long digits masked in texts.

Of any other member, only the kind is.
"""
_SENTENCES = frozenset(("message", "error", "defaultMessage"))
"""Members that are shown if they are a word, such as `error.amount.invalid`: a sentence may name a
person.
"""


class Unmeasured(Exception):
    """Why something could not be measured now.

    `is_failure`: it may succeed later. `is_unsent`: nothing has left this machine.
    """

    def __init__(self, reason: str, *, is_failure: bool = False, is_unsent: bool = False) -> None:
        super().__init__(reason)
        self.is_failure = is_failure
        self.is_unsent = is_unsent


def stamp(moment: datetime | None = None) -> str:
    """A Zulu time, by default now, as the file has it: always with milliseconds, so that texts
    compare as times do.
    """
    moment = moment or datetime.now(UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass(frozen=True, slots=True)
class Answer:
    """A response. `call` is its number in the journal.

    Of one in an earlier run, the body is as the journal has it.
    """

    call: int
    status: int
    body: Any

    @property
    def is_good(self) -> bool:
        return 200 <= self.status < 300

    @property
    def id(self) -> str | None:
        """The id of the payment request that it is about."""
        return self.body.get("victor_payment_request_id") if is_object(self.body) else None

    @property
    def items(self) -> list[dict[str, Any]]:
        """The items of a list."""
        if not self.is_good:
            return []
        results = self.body.get("results") or ()
        return [item for item in results if is_object(item)]

    @property
    def ids(self) -> list[Any]:
        return [item.get("victor_payment_request_id") for item in self.items]


class Over(httpx.BaseTransport):
    """Sends over an httpx client that is known to send once, so that a client of the provider
    believes its errors.
    """

    token_life: float | None = None
    """Seconds that the last token lives which the provider issued."""

    def __init__(self, http: httpx.Client) -> None:
        self._http = http

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = self._http.send(request, auth=None, stream=True)
        if request.url.path.endswith(_TOKEN_PATH):
            response.read()
            with suppress(ValueError, KeyError, TypeError):
                self.token_life = response.json()["expires"] / 1000 - time.time()
        return response


def redacted(value: Any, own: tuple[str, ...], name: str = "") -> Any:
    """A JSON value without what belongs to others: of most texts and numbers only the kind is left.

    Texts that begin with one of `own` were made here.
    """
    if is_object(value):
        return {key: redacted(member, own, key) for key, member in value.items()}
    if is_sequence(value):
        items = [redacted(item, own, name) for item in value[:_SHOWN_ITEMS]]
        if len(value) > _SHOWN_ITEMS:
            items.append(f"and {len(value) - _SHOWN_ITEMS} more")
        return items
    if name == "account_number":
        return short_mask(str(value))
    if isinstance(value, str):
        return _redacted_text(value, own, name)
    if value is None or isinstance(value, bool) or name in _SHOWN_MEMBERS:
        return value
    return "number"


def _redacted_text(text: str, own: tuple[str, ...], name: str) -> str:
    if text.strip().startswith(own) or name.startswith("victor_payment_request"):
        return text
    is_word = name in _SENTENCES and re.fullmatch(r"[\w.-]+", text)
    if is_word or name in _SHOWN_MEMBERS:
        return redact_excerpt(text)
    return f"text of {len(text)} characters"


def shown(response: httpx.Response, body: Any, own: tuple[str, ...]) -> dict[str, Any]:
    """A response as the journal has it. A `body` of None is no JSON."""
    headers = response.headers
    shown_body = redacted(body, own)
    if body is None:
        shown_body = f"{len(response.content)} bytes, no JSON"
    return {
        "status": response.status_code,
        "http": response.http_version,
        "headers": {name: headers[name] for name in _SHOWN_HEADERS if name in headers},
        "body": shown_body,
    }


def moment(seconds: float, later: float = 0) -> str:
    """A Zulu time of epoch seconds or milliseconds."""
    return zulu.format(zulu.from_epoch(seconds) + timedelta(seconds=later))


def edge(
    is_good: Callable[[int], bool], documented: int, safe: int, beyond: int = 0, farthest: int = 0
) -> int:
    """The last number that is good: the `documented` one, if it is and `beyond` is not. `safe` is
    known to be good.

    `farthest` is the last one that is tried beyond; 0: none is.
    """
    if not is_good(documented):
        good, bad = safe, documented
    elif not beyond or not is_good(beyond):
        return documented
    elif is_good(farthest):
        return farthest
    else:
        good, bad = beyond, farthest
    while abs(good - bad) > 1:
        middle = (bad + good) // 2
        if is_good(middle):
            good = middle
        else:
            bad = middle
    return good


def word(value: object) -> str:
    """A word of status in the letters of the document."""
    return str(value).lower().replace("_", "-").replace(" ", "-")


def member(value: Any, *path: str) -> Any:
    """A member of a body, or of an answer's, at any depth; None where it is not."""
    if isinstance(value, Answer):
        value = value.body
    for name in path:
        value = value.get(name) if is_object(value) else None
    return value
