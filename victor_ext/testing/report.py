"""What a test that failed has said to the sandbox, for pytest's report. Bodies, tokens and keys are not in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from victor_ext.sandbox import SandboxCommands

_MOST = 30


def describe(sandbox: SandboxCommands) -> str:
    """The last calls as the sandbox saw them, the faults that wait, and the last payment requests."""
    calls = [f"{each.number}  {each.summary()}" for each in sandbox.received()]
    requests = [_request(each) for each in sandbox.requests()]
    faults = [f"{each['kind']}  met by {each['met']} calls" for each in sandbox.faults()]
    parts = [("calls", calls), ("faults that still wait", faults), ("payment requests", requests)]
    return "\n".join(line for title, lines in parts for line in _part(title, lines))


def _part(title: str, lines: list[str]) -> list[str]:
    if not lines:
        return [] if title.startswith("faults") else [f"{title}: none"]
    left_out = len(lines) - _MOST
    head = f"{title} (the last {_MOST}; {left_out} before them):" if left_out > 0 else f"{title}:"
    return [head, *(f"  {line}" for line in lines[-_MOST:])]


def _request(request: Mapping[str, Any]) -> str:
    key = request.get("idempotency_key")
    shown = "" if key is None else f"  key={key[:8]}…"
    return f"{request['id']}  {request['direction']}  {request['status']}  {request['amount']}{shown}"
