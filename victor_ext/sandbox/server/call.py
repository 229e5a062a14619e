"""One call as a provider sees it, and where the calls of a provider carry their idempotency key."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TypeAlias, cast
from urllib.parse import parse_qsl

from victor_ext.sandbox.server.jsontypes import JsonObject, JsonValue
from victor_ext.sandbox.server.received import Received, ReceivedLog


class Call:
    """A request, and how the provider reports the work that it did."""

    __slots__ = ("_json", "_log", "body", "exchange", "headers", "key_count", "owner", "params", "query")

    def __init__(
        self, exchange: Received, log: ReceivedLog, headers: dict[bytes, bytes], query: bytes, params: dict[str, str]
    ) -> None:
        self.exchange = exchange
        """Its line in the record."""
        self.headers = headers
        """By name in lower case. Of a header that was sent twice, the last."""
        self.query = query
        """The query as it was sent, without the question mark."""
        self.params = params
        """The values of the names in braces in the operation's path, decoded."""
        self.body = b""
        self.key_count = 0
        """How often the header of the key was sent."""
        self.owner = ""
        """The authenticated caller, once the provider has set it."""
        self._log = log
        self._json: tuple[JsonValue] | None = None

    @property
    def key(self) -> str | None:
        """The idempotency key, where the provider has keys."""
        return self.exchange.idempotency_key

    def header(self, name: str) -> str | None:
        """A header's value, or None."""
        found = self.headers.get(name.lower().encode("latin-1"))
        return None if found is None else found.decode("latin-1")

    @property
    def bearer_token(self) -> str:
        """The token of an `Authorization` header with the scheme `Bearer`; empty for any other header."""
        scheme, _, token = (self.header("authorization") or "").partition(" ")
        return token.strip() if scheme == "Bearer" else ""

    @property
    def content_type(self) -> str:
        """The media type of the body in lower case and without parameters; empty when there is none."""
        return (self.header("content-type") or "").partition(";")[0].strip().lower()

    def json(self) -> JsonValue:
        """The body as JSON; `ValueError` when it is not JSON."""
        if self._json is None:
            try:
                self._json = (json.loads(self.body.decode("utf-8")),)
            except RecursionError:
                raise ValueError("the body is nested too deeply") from None
        return self._json[0]

    def form(self) -> dict[str, str]:
        """The body as `application/x-www-form-urlencoded`; `ValueError` when it is not a form.

        Values may be empty. Of a name that is there twice, the last counts.
        """
        text = self.body.decode("ascii")
        return dict(parse_qsl(text, keep_blank_values=True, strict_parsing=bool(text), errors="strict"))

    def query_values(self) -> dict[str, str]:
        """The query; `ValueError` when it is not UTF-8. Of a name that is there twice, the last counts."""
        return dict(parse_qsl(self.query.decode("ascii"), keep_blank_values=True, errors="strict"))

    def refers_to(self, reference: str) -> None:
        """Set the caller's reference for the work. It is counted, with 0 until the work is done."""
        self.exchange.reference = reference
        self._log.add_reference(reference)

    def did_work(self, *references: str) -> None:
        """Record that this call changed something, for one reference of the caller or for each of several."""
        self.exchange.work_done = True
        if references and self.exchange.reference is None:
            self.exchange.reference = references[0]
        self._log.count_work(self.exchange.idempotency_key, references)


@dataclass(frozen=True)
class HeaderKey:
    """The key is the value of a header."""

    name: str

    @property
    def header(self) -> bytes:
        """The name in lower case, as in `Call.headers`."""
        return self.name.lower().encode("ascii")

    def in_request(self, request: bytes) -> str | None:
        """The key in the bytes of a request that was cut off, if they hold it."""
        found = re.search(rb"\r\n%b:[ \t]*([^\r\n]*?)[ \t]*\r\n" % re.escape(self.header), request, re.IGNORECASE)
        return None if found is None else found[1].decode("latin-1")


@dataclass(frozen=True)
class BodyKey:
    """The key is a member of the JSON body."""

    member: str

    def in_body(self, body: JsonValue) -> str | None:
        """The key in a body."""
        found = cast("JsonObject", body).get(self.member) if isinstance(body, dict) else None
        return found if isinstance(found, str) and found else None

    def in_request(self, request: bytes) -> str | None:
        """The key in the bytes of a request that was cut off, if its body is whole."""
        try:
            return self.in_body(json.loads(request.partition(b"\r\n\r\n")[2]))
        except (ValueError, RecursionError):
            return None


KeyLocation: TypeAlias = HeaderKey | BodyKey | None
"""None: the provider has no keys."""
