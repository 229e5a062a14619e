"""An HTTP answer before it is sent, and what a fault makes of it."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field, replace
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from victor_ext.sandbox.server.faults import Fault
    from victor_ext.sandbox.server.received import Received

JSON_TYPE = (b"content-type", b"application/json")
_HTML = "<!DOCTYPE html><html><head><title>{status}</title></head><body><h1>Sorry</h1></body></html>"


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, headers and body."""

    status: int
    body: bytes
    headers: tuple[tuple[bytes, bytes], ...] = field(default=(JSON_TYPE,))


def json_answer(status: int, body: object, headers: Mapping[str, str] | None = None) -> Answer:
    """An answer with a JSON body."""
    content = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8")
    return Answer(status, content) if headers is None else Answer(status, content, (JSON_TYPE, *_fields(headers)))


def empty_answer(status: int, headers: Mapping[str, str] | None = None) -> Answer:
    """An answer without a body: a redirect, or a 202 whose `Location` says it all."""
    return Answer(status, b"", _fields(headers or {}))


def _fields(headers: Mapping[str, str]) -> tuple[tuple[bytes, bytes], ...]:
    return tuple((name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items())


def error_answer(status: int, code: str, message: str) -> Answer:
    """An error whose shape the provider does not document: a code and a sentence."""
    return json_answer(status, {"error": code, "message": message})


def instead_of_work(fault: Fault, wall: float, error: Callable[[int, str, str], Answer]) -> Answer:
    """What a call gets that is refused before anything was done.

    `wall` is the server's clock; `error` makes an answer of the provider's shape of a status, a code and a sentence.
    """
    match fault.kind:
        case "html":
            status = fault.status
            body = fault.body if fault.body is not None else _HTML.format(status=status)
            return _with_headers(Answer(status, body.encode("utf-8"), ((b"content-type", b"text/html"),)), fault, wall)
        case _:
            answer = error(fault.status, "injected_fault", f"The sandbox was told to answer {fault.status}.")
            if fault.body is not None:
                answer = replace(answer, body=fault.body.encode("utf-8"))
            return _with_headers(answer, fault, wall)


def spoiled(answer: Answer, fault: Fault, wall: float, error: Callable[[int, str, str], Answer]) -> Answer:
    """What becomes of a real answer on its way out. A truncated body is as long as its head announces."""
    match fault.kind:
        case "truncated_json":
            return replace(answer, body=answer.body[: len(answer.body) // 2])
        case "malformed_json":
            return replace(answer, body=answer.body.replace(b'"', b"'"))
        case "status" | "rate_limit" | "html":
            return instead_of_work(fault, wall, error)
        case _:
            return answer


def _with_headers(answer: Answer, fault: Fault, wall: float) -> Answer:
    headers = dict(answer.headers)
    if fault.retry_after is not None:
        text = (
            formatdate(math.ceil(wall + fault.retry_after), usegmt=True)
            if fault.retry_after_format == "date"
            else f"{fault.retry_after:g}"
        )
        headers[b"retry-after"] = text.encode("ascii")
    headers |= dict(_fields(fault.headers))
    return replace(answer, headers=tuple(headers.items()))


def start_message(answer: Answer, exchange: Received | None, date: bytes) -> dict[str, Any]:
    """The ASGI message that begins the answer."""
    headers = [(b"date", date), *answer.headers]
    if answer.status != 204:
        headers.append((b"content-length", b"%d" % len(answer.body)))
    if exchange is not None:
        # Not the provider's: it joins an answer to its line in /_sandbox/received.
        headers.append((b"x-request-id", b"sandbox-%d" % exchange.number))
    return {"type": "http.response.start", "status": answer.status, "headers": headers}
