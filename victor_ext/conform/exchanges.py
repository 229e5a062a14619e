"""One exchange with the provider at a time, never repeated, and the redacted journal of all of them."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Lock
from typing import Any

import httpx

from victor_ext import VictorError
from victor_ext.privacy import is_object, is_sequence, redact_excerpt, short_mask

_TOKEN_PATH = "/v2/auth/token"  # noqa: S105 - a path, not a secret
_SHOWN_ITEMS = 3
_SHOWN_HEADERS = ("date", "content-type", "connection", "keep-alive", "retry-after", "x-request-id")
_SHOWN_MEMBERS = frozenset(
    (
        *("direction", "status", "page", "page_size", "payment_network", "amount", "original_amount"),
        *("modified_amount", "biller_type", "due_date", "created_at", "approved_at", "amount_modification_allowed"),
        *("token_type", "expires", "code", "codes", "field", "objectName"),
    )
)
"""Members whose values are shown, with long digits masked in texts. Of any other member, only the kind is."""
_SENTENCES = frozenset(("message", "error", "defaultMessage"))
"""Members that are shown if they are a word, such as `error.amount.invalid`: a sentence may name a person."""


class Unmeasured(Exception):
    """Why something could not be measured now.

    `is_failure`: it may succeed later. `is_unsent`: nothing has left this machine.
    """

    def __init__(self, reason: str, *, is_failure: bool = False, is_unsent: bool = False) -> None:
        super().__init__(reason)
        self.is_failure, self.is_unsent = is_failure, is_unsent


def stamp(moment: datetime | None = None) -> str:
    """A Zulu time, by default now, as the file has it: always with milliseconds, so that texts compare as times do."""
    return (moment or datetime.now(UTC)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass(frozen=True, slots=True)
class Answer:
    """A response. `call` is its number in the journal. Of one in an earlier run, the body is as the journal has it."""

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
        return [item for item in self.body.get("results") or () if is_object(item)] if self.is_good else []

    @property
    def ids(self) -> list[Any]:
        return [item.get("victor_payment_request_id") for item in self.items]


class Over(httpx.BaseTransport):
    """Sends over an httpx client that is known to send once, so that a client of the provider believes its errors."""

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


class Signed(httpx.BaseTransport):
    """Sends what the client signs. A refusal is a response like any other here."""

    def __init__(self, client: Any) -> None:
        self._http: httpx.Client = client.http

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        try:
            answer = self._http.get(request.url, headers={"accept": request.headers["accept"]})
        except VictorError as error:
            if error.response is None:
                raise httpx.ReadError(error.message) from error
            answer = error.response
        headers = [(name, value) for name, value in answer.headers.items() if name != "content-encoding"]
        return httpx.Response(answer.status_code, headers=headers, content=answer.content)


@dataclass
class Exchanges:
    """Sends each request once, and keeps a journal.

    Attributes:
        http: What sends.
        authorization: The value of the header of a request that is made now.
        base_url: What paths are below.
        journal: The entries so far. New ones are added, with how long each call took and the connection that it used.
        is_own: Whether a text was made here: it is shown in full.
        takes_any: A good answer need not be an object, and a 403 may be the answer to an unknown id: of other systems.
    """

    http: httpx.Client
    authorization: Callable[[], str]
    base_url: str
    journal: list[dict[str, Any]]
    is_own: Callable[[str], bool] = lambda _: False
    takes_any: bool = False
    _lock: Lock = field(default_factory=Lock)

    def send(
        self,
        method: str,
        path: str,
        *,
        query: Sequence[tuple[str, str | int]] = (),
        body: Any = None,
        key: str | None = None,
        token: str | None = None,
    ) -> Answer:
        """Send one request.

        `token`: another value of `Authorization` than the client's, which may be refused; empty: none.

        Raises:
            Unmeasured: No answer came, or one that says nothing about the provider's rules, such as a 503.
        """
        headers = {
            "accept": "application/json",
            "authorization": self.authorization() if token is None else token,
            "content-type": "" if body is None else "application/json",
            "idempotency-key": key,
        }
        request = self.http.build_request(
            method,
            self.base_url.rstrip("/") + path,
            params=tuple(query) or None,
            headers={name: value for name, value in headers.items() if value},
            content=None if body is None else json.dumps(body, ensure_ascii=False).encode(),
        )
        shown = {"method": method, "path": path, "query": [*map(list, query)], "key": key, "body": self._redacted(body)}
        with self._lock:
            entry: dict[str, Any] = {"call": len(self.journal) + 1, "request": shown}
            self.journal.append(entry)
        entry |= {"at": stamp(), "sent": time.time()}
        try:
            response = self.http.send(request, follow_redirects=False, stream=True)
            stream = response.extensions.get("network_stream")  # a closed one says nothing of itself
            address = stream and stream.get_extra_info("client_addr")
            entry["connection"] = address and address[1]  # its port; the address is this machine's own affair
            secured = stream and stream.get_extra_info("ssl_object")
            entry["tls"] = secured.version() if secured else "none"
            response.read()
        except httpx.HTTPError as error:
            entry["failed"] = reason = f"call {entry['call']} had no whole answer ({type(error).__name__})"
            unsent = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout)
            raise Unmeasured(reason, is_failure=True, is_unsent=unsent) from error
        entry["received"] = time.time()
        answer = self._answer(response, entry)
        status = answer.status
        no_rules = (408, 425, 429, *(() if token is not None else (401,) if self.takes_any else (401, 403)))
        is_damaged = answer.body is None and "json" in response.headers.get("content-type", "")
        is_rule = 400 <= status < 500 and status not in no_rules
        if is_damaged or not (is_rule or (status < 300 and (self.takes_any or is_object(answer.body)))):
            raise Unmeasured(f"call {answer.call} was answered with {status}, which shows no rule", is_failure=True)
        return answer

    def _answer(self, response: httpx.Response, entry: dict[str, Any]) -> Answer:
        try:
            body = response.json()
        except ValueError:
            body = None
        entry["response"] = {
            "status": response.status_code,
            "http": response.http_version,
            "headers": {name: response.headers[name] for name in _SHOWN_HEADERS if name in response.headers},
            "body": f"{len(response.content)} bytes, no JSON" if body is None else self._redacted(body),
        }
        return Answer(entry["call"], response.status_code, body)

    def _redacted(self, value: Any, name: str = "") -> Any:
        """A JSON value without what belongs to others: of most texts and numbers only the kind is left."""
        if is_object(value):
            return {key: self._redacted(member, key) for key, member in value.items()}
        if is_sequence(value):
            more = [f"and {len(value) - _SHOWN_ITEMS} more"] if len(value) > _SHOWN_ITEMS else []
            return [self._redacted(item, name) for item in value[:_SHOWN_ITEMS]] + more
        if name == "account_number":
            return short_mask(str(value))
        if isinstance(value, str):
            if self.is_own(value) or name.startswith("victor_payment_request"):
                return value
            is_shown = name in _SHOWN_MEMBERS or (name in _SENTENCES and re.fullmatch(r"[\w.-]+", value))
            return redact_excerpt(value) if is_shown else f"text of {len(value)} characters"
        return value if value is None or isinstance(value, bool) or name in _SHOWN_MEMBERS else "number"
