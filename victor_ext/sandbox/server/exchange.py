"""Where a request carries its idempotency key, and the response before it is sent."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from email.utils import formatdate
from typing import Any, TypeAlias, cast

from victor_ext.sandbox.server.faults import Fault
from victor_ext.sandbox.server.operations import JsonObject
from victor_ext.sandbox.server.privacy import body_text

JSON_TYPE = (b"content-type", b"application/json")
_HTML = "<!DOCTYPE html><html><head><title>{status}</title></head><body><h1>Sorry</h1></body></html>"
_WITHOUT_BODY = (204, 304)
"""Statuses without a body (RFC 9110, section 6.4.1)."""


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

    def messages(self, number: int, date: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
        body = b"" if self.status in _WITHOUT_BODY else self.body
        headers = [(b"date", date), *self.headers]
        if self.status not in _WITHOUT_BODY:
            headers.append((b"content-length", b"%d" % len(body)))
        # Not the provider's: it joins a response to its line in /_sandbox/received.
        headers.append((b"x-request-id", b"sandbox-%d" % number))
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
