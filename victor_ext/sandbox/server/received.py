"""The record of one received call."""

from __future__ import annotations

from dataclasses import dataclass, field

from victor_ext.sandbox.server.operations import JsonObject
from victor_ext.sandbox.server.privacy import one_line


@dataclass(slots=True)
class Received:
    """One call as the sandbox saw it."""

    number: int
    """The number of the call, from 1 on."""
    at: float
    """Epoch seconds of the sandbox's wall clock."""
    method: str
    """Such as `POST`."""
    path: str
    """Without the query."""
    operation: str
    """The name of the operation, such as `create`."""
    idempotency_key: str | None
    """The key of the call, or None."""
    attempt: int | None
    """The number of the attempt under this key, from 1; None without a key."""
    status: int | None = None
    """The status of the sandbox's response, even when a fault kept it from arriving; None: no response."""
    work_done: bool = False
    """Whether this very call changed something, such as making or answering a request. A replay did no work."""
    replayed: bool = False
    """Whether the response repeats that of an earlier call with the same key."""
    fault: str | None = None
    """The kind of fault that was applied."""
    request_id: str | None = None
    """The provider's id of what the call made, answered or read, such as a payment request."""
    milliseconds: float | None = None
    """From the head of the request to the response; None while the call is being served."""
    reference: str | None = None
    """The caller's own reference for the work, such as an invoice; of a call about several, the first."""
    undeclared: list[str] = field(default_factory=list[str])
    """Members of the body, and filters, that the document allows and does not name, such as
    `payment_details.purpose`. Victor's sandbox alone says so."""
    headers: dict[str, str] = field(default_factory=dict[str, str])
    """The headers of the request by name in lower case; credentials are hidden, as in `Token …`. The values of a
    repeated name are joined with a comma."""

    def to_dict(self) -> JsonObject:
        return {name: getattr(self, name) for name in Received.__slots__}

    def summary(self) -> str:
        """The call on one line, without a body, with the beginning of its key and no long number."""
        key = self.idempotency_key
        parts = [
            f"{self.method:<4}",
            one_line(self.path),
            "-" if self.status is None else str(self.status),
            "-" if self.milliseconds is None else f"{self.milliseconds:.1f} ms",
        ]
        if key is not None:
            parts.append(f"key={one_line(key[:8])}{'…' if len(key) > 8 else ''} attempt={self.attempt}")
        if self.replayed:
            parts.append("replayed")
        if self.fault:
            parts.append(f"fault={self.fault}")
        return "  ".join(parts)

    def excerpt(self, body: str) -> str:
        """The beginning of its body, or of that of its response, on one line as in `summary`."""
        key = self.idempotency_key
        hidden = body if key is None else body.replace(key, f"{key[:8]}…")
        return one_line(" ".join(hidden.split()))
