"""The calls of a failed test to the sandbox, for pytest's report. Tokens and whole keys are not in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from victor_ext.sandbox import Received, SandboxCommands

_MOST = 30
_WITH_BODIES = 8
"""The number of calls, the last ones, that are shown with their bodies: enough for the failure, and for one screen."""


def describe(sandbox: SandboxCommands) -> str:
    """The last calls as the sandbox saw them, the faults that wait, and the last payment requests."""
    received = sandbox.received()
    bodies = {call["number"]: call for call in sandbox.bodies(received[-1].number - _WITH_BODIES if received else 0)}
    calls = [
        "\n".join([f"{call.number}  {call.summary()}", *_excerpts(call, bodies.get(call.number, {}))])
        for call in received
    ]
    requests = [_request(request) for request in sandbox.requests()]
    faults = [f"{fault['kind']}  applied to {fault['applied']} calls" for fault in sandbox.faults()]
    parts = [("calls", calls), ("faults that still wait", faults), ("payment requests", requests)]
    return "\n".join(line for title, lines in parts for line in _part(title, lines))


def _part(title: str, lines: list[str]) -> list[str]:
    if not lines:
        return [] if title.startswith("faults") else [f"{title}: none"]
    left_out = len(lines) - _MOST
    head = f"{title} (the last {_MOST}; {left_out} before them):" if left_out > 0 else f"{title}:"
    return [head, *(f"  {line}" for line in lines[-_MOST:])]


def _excerpts(call: Received, bodies: Mapping[str, Any]) -> Iterator[str]:
    """The beginning of each body on a line of its own: the request's, then the response's."""
    for mark, body in ((">", bodies.get("request")), ("<", bodies.get("response"))):
        if body:
            yield f"       {mark} {call.excerpt(body)}"


def _request(request: Mapping[str, Any]) -> str:
    key = request.get("idempotency_key")
    shown = "" if key is None else f"  key={key[:8]}…"
    return f"{request['id']}  {request['direction']}  {request['status']}  {request['amount']}{shown}"
