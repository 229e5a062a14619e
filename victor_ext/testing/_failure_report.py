"""What a failed test shows of its sandbox: the last calls, and the last payment requests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from victor_ext.sandbox import Received, SandboxCommands

_LISTED = 30
"""The number of calls, and of payment requests, that are shown: the last ones."""
_WITH_BODIES = 8
"""The number of calls, the last ones, that are shown with their bodies: enough for the failure, and
for one screen.
"""


def describe(sandbox: SandboxCommands) -> str:
    """Return the last calls as the sandbox saw them, and the last payment requests, without tokens
    and whole keys.
    """
    received = sandbox.received()
    first_with_body = received[-1].number - _WITH_BODIES if received else 0
    bodies = {call["number"]: call for call in sandbox.bodies(first_with_body)}
    calls = [_call_text(call, bodies.get(call.number, {})) for call in received]
    requests = [_request_text(request) for request in sandbox.requests()]
    return f"{_section('calls', calls)}\n{_section('payment requests', requests)}"


def _section(title: str, entries: Sequence[str]) -> str:
    lines = [f"  {entry}" for entry in entries[-_LISTED:] or ["none"]]
    return "\n".join([f"{title}:", *lines])


def _call_text(call: Received, bodies: Mapping[str, Any]) -> str:
    heading = f"{call.number}  {call.summary()}"
    return "\n".join([heading, *_excerpts(call, bodies)])


def _excerpts(call: Received, bodies: Mapping[str, Any]) -> Iterator[str]:
    """Yield the beginning of each body on a line of its own: the request's, then the response's."""
    for mark, body in ((">", bodies.get("request")), ("<", bodies.get("response"))):
        if body:
            yield f"       {mark} {call.excerpt(body)}"


def _request_text(request: Mapping[str, Any]) -> str:
    facts = (request["id"], request["direction"], request["status"], request["amount"])
    text = "  ".join(map(str, facts))
    if "idempotency_key" in request:
        text = f"{text}  key={request['idempotency_key'][:8]}…"
    return text
