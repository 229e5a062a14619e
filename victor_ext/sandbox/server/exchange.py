"""One call as a provider sees it, the place of its idempotency key, and the response before it is sent."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from email.utils import formatdate
from typing import TYPE_CHECKING, Any, TypeAlias, cast
from urllib.parse import parse_qsl

from victor_ext.sandbox.server.faults import Fault
from victor_ext.sandbox.server.operations import JsonObject, JsonValue
from victor_ext.sandbox.server.privacy import body_text

if TYPE_CHECKING:
    from victor_ext.sandbox.server.context import Received, SandboxContext

JSON_TYPE = (b"content-type", b"application/json")
_HTML = "<!DOCTYPE html><html><head><title>{status}</title></head><body><h1>Sorry</h1></body></html>"
_WITHOUT_BODY = (204, 304)
"""Statuses without a body (RFC 9110, section 6.4.1)."""


@dataclass(slots=True)
class Call:
    """A request, and how the provider reports the work that it did."""

    exchange: Received
    _context: SandboxContext
    headers: Sequence[tuple[bytes, bytes]]
    """As they were sent, the names in lower case."""
    query: bytes
    """The query as it was sent, without the question mark."""
    params: dict[str, str]
    """The values of the names in braces in the operation's path, decoded."""
    body: bytes = b""
    owner: str = ""
    """The authenticated caller, once the provider has set it."""

    @property
    def key(self) -> str | None:
        """The idempotency key, where the provider has keys."""
        return self.exchange.idempotency_key

    def header(self, name: str) -> str | None:
        """A header; of one that was sent twice, the last."""
        value = dict(self.headers).get(name.lower().encode("latin-1"))
        return None if value is None else value.decode("latin-1")

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
        """The body as JSON; `ValueError` when it is not JSON. Half of a surrogate pair is not text."""
        try:
            body = json.loads(self.body.decode("utf-8"), parse_constant=_no_constant)
            json.dumps(body, ensure_ascii=False).encode("utf-8")  # else it could be neither stored nor sent back
        except RecursionError:
            raise ValueError("the body is nested too deeply") from None
        return body

    def json_object(self) -> JsonObject | None:
        """The body as a JSON object; None for any other body."""
        try:
            body = self.json()
        except ValueError:
            return None
        return cast("JsonObject", body) if isinstance(body, dict) else None

    def form(self) -> dict[str, str]:
        """The body as a form, whose values may be empty; `ValueError` when it is none. Of one name, the last counts."""
        text = self.body.decode("ascii")
        return dict(parse_qsl(text, keep_blank_values=True, strict_parsing=bool(text), errors="strict"))

    def query_values(self) -> dict[str, str]:
        """The query; `ValueError` when it is not UTF-8. Of a name that is given twice, the last counts."""
        return dict(parse_qsl(self.query.decode("ascii"), keep_blank_values=True, errors="strict"))

    def refers_to(self, reference: str) -> None:
        """Set the caller's reference for the work. It is counted, with 0 until the work is done."""
        self.exchange.reference = reference
        self._context.work_by_reference.setdefault(reference, 0)

    def did_work(self, *references: str) -> None:
        """Record that this call changed something, for one reference of the caller or for each of several."""
        self.exchange.work_done = True
        if references and self.exchange.reference is None:
            self.exchange.reference = references[0]
        self._context.count_work(self.exchange.idempotency_key, references)


def _no_constant(name: str) -> JsonValue:
    raise ValueError(f"{name} is not JSON")


@dataclass(frozen=True)
class HeaderKey:
    """The key is the value of a header."""

    name: str

    def find(self, headers: dict[bytes, bytes], _body: bytes) -> str | None:
        key = headers.get(self.name.lower().encode("ascii"))
        return None if key is None else key.decode("latin-1")


@dataclass(frozen=True)
class BodyKey:
    """The key is a member of the JSON body."""

    member: str

    def find(self, _headers: dict[bytes, bytes], body: bytes) -> str | None:
        try:
            members = json.loads(body)
        except (ValueError, RecursionError):
            return None
        key = cast("JsonObject", members).get(self.member) if isinstance(members, dict) else None
        return key if isinstance(key, str) and key else None


KeyLocation: TypeAlias = HeaderKey | BodyKey | None
"""None: the provider has no keys."""


@dataclass(frozen=True, slots=True)
class Response:
    status: int
    body: bytes
    headers: tuple[tuple[bytes, bytes], ...] = (JSON_TYPE,)

    def text(self) -> str:
        return body_text(self.body, dict(self.headers).get(b"content-type", b"").decode("latin-1"))

    def messages(self, exchange: Received, date: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
        body = b"" if self.status in _WITHOUT_BODY else self.body
        headers = [(b"date", date), *self.headers]
        if self.status not in _WITHOUT_BODY:
            headers.append((b"content-length", b"%d" % len(body)))
        # Not the provider's: it joins a response to its line in /_sandbox/received.
        headers.append((b"x-request-id", b"sandbox-%d" % exchange.number))
        start = {"type": "http.response.start", "status": self.status, "headers": headers}
        return start, {"type": "http.response.body", "body": body}


def json_response(status: int, body: object, headers: Mapping[str, str] | None = None) -> Response:
    content = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8")
    return Response(status, content, (JSON_TYPE, *_encoded(headers or {})))


def empty_response(status: int, headers: Mapping[str, str] | None = None) -> Response:
    return Response(status, b"", _encoded(headers or {}))


def error_response(status: int, code: str, message: str) -> Response:
    """An error whose format the provider does not document: a code and a sentence."""
    return json_response(status, {"error": code, "message": message})


def injected_response(fault: Fault, response: Response, wall: float) -> Response:
    """The provider's error as a `status`, `rate_limit` or `html` fault changes it. `wall` is the server's clock."""
    if fault.kind == "html":
        page = _HTML.format(status=fault.status).encode()
        response = Response(fault.status, page, ((b"content-type", b"text/html"),))
    headers = dict(response.headers)
    if fault.retry_after is not None:
        moment = formatdate(math.ceil(wall + fault.retry_after), usegmt=True)
        text = moment if fault.retry_after_format == "date" else f"{fault.retry_after:g}"
        headers[b"retry-after"] = text.encode("ascii")
    headers |= dict(_encoded(fault.headers))
    body = response.body if fault.body is None else fault.body.encode("utf-8", "replace")
    return replace(response, body=body, headers=tuple(headers.items()))


def damaged(response: Response, kind: str) -> Response:
    """What a fault makes of a real response. A truncated body is as long as its head announces."""
    if kind == "truncated_json":
        return replace(response, body=response.body[: len(response.body) // 2])
    return replace(response, body=response.body.replace(b'"', b"'")) if kind == "malformed_json" else response


def _encoded(headers: Mapping[str, str]) -> tuple[tuple[bytes, bytes], ...]:
    return tuple((name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items())
