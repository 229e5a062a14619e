"""One call, as a stand-in sees it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

if TYPE_CHECKING:
    from victor_ext.sandbox.server.jsontypes import JsonValue
    from victor_ext.sandbox.server.received import Received, ReceivedLog


class Call:
    """What a stand-in may look at, and how it says what it did."""

    __slots__ = ("_json", "_log", "body", "exchange", "headers", "key_count", "owner", "params", "query")

    def __init__(
        self, exchange: Received, log: ReceivedLog, headers: dict[bytes, bytes], query: bytes, params: dict[str, str]
    ) -> None:
        self.exchange = exchange
        """Its line in the record."""
        self.headers = headers
        """By name in lower case; of a header that was sent twice, the last."""
        self.query = query
        """The query as it was sent, without the question mark."""
        self.params = params
        """The parts of the path that stand in braces in the table of operations, decoded."""
        self.body = b""
        self.key_count = 0
        """How often the header of the key was sent."""
        self.owner = ""
        """Who calls, once the stand-in has found out; keys of one owner mean nothing to another."""
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
    def content_type(self) -> str:
        """The media type of the body in lower case and without parameters; empty when there is none."""
        return (self.header("content-type") or "").partition(";")[0].strip().lower()

    def json(self) -> JsonValue:
        """The body as JSON; `ValueError` when it is none. Read once, however often it is asked for."""
        if self._json is None:
            try:
                self._json = (json.loads(self.body.decode("utf-8")),)
            except RecursionError:
                raise ValueError("the body is nested too deeply") from None
        return self._json[0]

    def form(self) -> dict[str, str]:
        """The body as `application/x-www-form-urlencoded`; `ValueError` when it is none.

        Values may be empty; of a name that is there twice, the last counts.
        """
        pairs = parse_qsl(
            self.body.decode("ascii"), keep_blank_values=True, strict_parsing=bool(self.body), errors="strict"
        )
        return dict(pairs)

    def query_values(self) -> dict[str, str]:
        """The query; of a name that is there twice, the last counts. `ValueError` when it is not UTF-8."""
        return dict(parse_qsl(self.query.decode("ascii"), keep_blank_values=True, errors="strict"))

    def refers_to(self, reference: str) -> None:
        """Say by which name of the caller's own the work is known: counted, with 0 until it is done."""
        self.exchange.reference = reference
        self._log.know(reference)

    def did_work(self, *references: str) -> None:
        """Say that this call changed something, for one reference of the caller's or for each of several."""
        self.exchange.work_done = True
        if references and self.exchange.reference is None:
            self.exchange.reference = references[0]
        self._log.count_work(self.exchange.idempotency_key, references)
