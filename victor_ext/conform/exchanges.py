"""One exchange with the provider at a time, never repeated, and the redacted journal of all of them."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any

import httpx

from victor_ext import zulu
from victor_ext.privacy import is_object, is_sequence, redact_excerpt, short_mask

Query = Sequence[tuple[str, str | int]]
_SHOWN_ITEMS = 3
_SHOWN_HEADERS = ("date", "content-type", "connection", "keep-alive", "retry-after", "x-request-id")
_SHOWN_MEMBERS = frozenset(
    (
        *("direction", "status", "page", "page_size", "payment_network", "amount", "original_amount"),
        *("modified_amount", "biller_type", "due_date", "created_at", "approved_at", "amount_modification_allowed"),
        *("token_type", "expires", "code", "codes", "message", "field", "error", "defaultMessage", "objectName"),
    )
)
"""Members whose values are shown, with long digits masked in texts. Of any other member, only the kind is."""


class Unmeasured(Exception):
    """Why something could not be measured now.

    `is_failure`: it may succeed later. `is_unsent`: nothing has left this machine.
    """

    def __init__(self, reason: str, *, is_failure: bool = False, is_unsent: bool = False) -> None:
        super().__init__(reason)
        self.is_failure, self.is_unsent = is_failure, is_unsent


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

    def __init__(self, http: httpx.Client) -> None:
        self._http = http

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return self._http.send(request, auth=None, stream=True)


class Exchanges:
    """Sends each request once, and keeps a journal.

    Args:
        http: What sends.
        authorization: The value of the header of a request that is made now.
        base_url: What paths are below.
        journal: The entries so far. New ones are added, with how long each call took and the connection that it used.
        is_own: Whether a text was made here: it is shown in full.
        takes_any: A good answer need not be an object, and a 403 may be the answer to an unknown id: of other systems.
    """

    def __init__(
        self,
        http: httpx.Client,
        authorization: Callable[[], str],
        base_url: str,
        journal: list[dict[str, Any]],
        is_own: Callable[[str], bool],
        *,
        takes_any: bool = False,
    ) -> None:
        self._http, self._authorization, self._base = http, authorization, base_url.rstrip("/")
        self.journal, self._is_own, self._takes_any, self._lock = journal, is_own, takes_any, Lock()

    def send(
        self,
        method: str,
        path: str,
        *,
        query: Query = (),
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
            "authorization": self._authorization() if token is None else token,
            "content-type": "" if body is None else "application/json",
            "idempotency-key": key,
        }
        request = self._http.build_request(
            method,
            self._base + path,
            params=tuple(query) or None,
            headers={name: value for name, value in headers.items() if value},
            content=None if body is None else json.dumps(body, ensure_ascii=False).encode(),
        )
        shown = {"method": method, "path": path, "query": [*map(list, query)], "key": key, "body": self._redacted(body)}
        with self._lock:
            entry: dict[str, Any] = {"call": len(self.journal) + 1, "request": shown}
            self.journal.append(entry)
        entry |= {"at": zulu.format(zulu.now()), "sent": time.time()}
        try:
            response = self._http.send(request, follow_redirects=False, stream=True)
            stream = response.extensions.get("network_stream")  # a closed one says nothing of itself
            entry["connection"] = str(stream and stream.get_extra_info("client_addr"))
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
        no_rules = (408, 425, 429, *(() if token is not None else (401,) if self._takes_any else (401, 403)))
        is_damaged = answer.body is None and "json" in response.headers.get("content-type", "")
        is_refusal = 400 <= status < 500 and status not in no_rules and not is_damaged
        if not is_refusal and not (status < 300 and not is_damaged and (self._takes_any or is_object(answer.body))):
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
            shown = redact_excerpt(value) if name in _SHOWN_MEMBERS else f"text of {len(value)} characters"
            return value if self._is_own(value) or name.startswith("victor_payment_request") else shown
        return value if value is None or isinstance(value, bool) or name in _SHOWN_MEMBERS else "number"
