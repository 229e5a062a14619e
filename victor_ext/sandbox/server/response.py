"""An HTTP response before it is sent, and how a fault changes it."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from email.utils import formatdate
from typing import Any

from victor_ext.sandbox.server.faults import Fault
from victor_ext.sandbox.server.received import Received

JSON_TYPE = (b"content-type", b"application/json")
_HTML = "<!DOCTYPE html><html><head><title>{status}</title></head><body><h1>Sorry</h1></body></html>"
_WITHOUT_BODY = (204, 304)
"""Statuses without a body (RFC 9110, section 6.4.1)."""


@dataclass(frozen=True, slots=True)
class Response:
    """Status, body and headers."""

    status: int
    body: bytes
    headers: tuple[tuple[bytes, bytes], ...] = (JSON_TYPE,)

    def messages(self, exchange: Received, date: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
        """The two ASGI messages that send it."""
        body = b"" if self.status in _WITHOUT_BODY else self.body
        headers = [(b"date", date), *self.headers]
        if self.status not in _WITHOUT_BODY:
            headers.append((b"content-length", b"%d" % len(body)))
        # Not the provider's: it joins a response to its line in /_sandbox/received.
        headers.append((b"x-request-id", b"sandbox-%d" % exchange.number))
        start = {"type": "http.response.start", "status": self.status, "headers": headers}
        return start, {"type": "http.response.body", "body": body}


ErrorResponse = Callable[[int, str, str], Response]
"""Makes an error of the provider's format of a status, a code and a sentence."""


def json_response(status: int, body: object, headers: Mapping[str, str] | None = None) -> Response:
    """A response with a JSON body."""
    content = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8")
    return Response(status, content, (JSON_TYPE, *_encoded(headers or {})))


def empty_response(status: int, headers: Mapping[str, str] | None = None) -> Response:
    """A response without a body, such as a redirect."""
    return Response(status, b"", _encoded(headers or {}))


def error_response(status: int, code: str, message: str) -> Response:
    """An error whose format the provider does not document: a code and a sentence."""
    return json_response(status, {"error": code, "message": message})


def injected_response(fault: Fault, wall: float, error: ErrorResponse) -> Response:
    """The response of a `status`, `rate_limit` or `html` fault. `wall` is the server's clock."""
    if fault.kind == "html":
        response = Response(
            fault.status, _HTML.format(status=fault.status).encode(), ((b"content-type", b"text/html"),)
        )
    else:
        response = error(fault.status, "injected_fault", f"An injected fault: status {fault.status}.")
    headers = dict(response.headers)
    if fault.retry_after is not None:
        moment = formatdate(math.ceil(wall + fault.retry_after), usegmt=True)
        text = moment if fault.retry_after_format == "date" else f"{fault.retry_after:g}"
        headers[b"retry-after"] = text.encode("ascii")
    headers |= dict(_encoded(fault.headers))
    body = response.body if fault.body is None else fault.body.encode("utf-8")
    return replace(response, body=body, headers=tuple(headers.items()))


def damaged(response: Response, fault: Fault, wall: float, error: ErrorResponse) -> Response:
    """What a fault makes of a real response. A truncated body is as long as its head announces."""
    match fault.kind:
        case "truncated_json":
            return replace(response, body=response.body[: len(response.body) // 2])
        case "malformed_json":
            return replace(response, body=response.body.replace(b'"', b"'"))
        case "status" | "rate_limit" | "html":
            return injected_response(fault, wall, error)
        case _:
            return response


def _encoded(headers: Mapping[str, str]) -> tuple[tuple[bytes, bytes], ...]:
    return tuple((name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items())
