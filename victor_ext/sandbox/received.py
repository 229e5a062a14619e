"""What the sandbox received: every exchange, and what each idempotency key led to."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Any

OPERATIONS = ("list", "create", "get", "respond", "token", "other")
"""What a call can be, in one word each."""

DOCUMENTED = {
    "list": "listPaymentRequests",
    "create": "createRequestPayment",
    "get": "getPaymentRequest",
    "respond": "respondToPaymentRequest",
}
"""The same words and the document's `operationId`."""

_ROOT = "/v2/payment-requests"


def operation_of(method: str, path: str) -> str:
    """Which operation a request line asks for."""
    if path == "/v2/auth/token":
        return "token" if method == "POST" else "other"
    if path == _ROOT:
        return "list" if method == "GET" else "other"
    if not path.startswith(_ROOT + "/"):
        return "other"
    if method == "POST":
        if path == f"{_ROOT}/request-payment":
            return "create"
        return "respond" if path.startswith(f"{_ROOT}/respond-to-request/") else "other"
    return "get" if method == "GET" else "other"


@dataclass(slots=True)
class Received:
    """One exchange as the sandbox saw it."""

    number: int
    at: float
    """Epoch seconds of the sandbox's wall clock."""
    method: str
    path: str
    operation: str
    idempotency_key: str | None
    attempt: int | None
    """Which attempt under this key it was, from 1; None without a key."""
    status: int | None = None
    """What the sandbox answered, even when a fault kept the answer from arriving; None: nothing."""
    work_done: bool = False
    """Whether this very exchange made a request or answered one. A replay did no work."""
    replayed: bool = False
    """Whether the answer was that of an earlier exchange with the same key."""
    fault: str | None = None
    """The kind of fault that was applied."""
    request_id: str | None = None
    """The payment request that it made, answered or read."""
    milliseconds: float | None = None
    """From the head of the request to the answer; None while the exchange is in hand."""


class ReceivedLog:
    """The last exchanges one by one, and counts by key for all of them, each in constant time."""

    def __init__(self, keep: int) -> None:
        self._kept: deque[Received] = deque(maxlen=keep)
        self._number = 0
        self.attempts: dict[str, int] = {}
        """How often each idempotency key was seen."""

    def begin(self, at: float, method: str, path: str, operation: str, key: str | None) -> Received:
        """Remember an exchange whose head has arrived; the caller fills in the rest."""
        self._number += 1
        attempt = None
        if key is not None:
            attempt = self.attempts[key] = self.attempts.get(key, 0) + 1
        exchange = Received(self._number, at, method, path, operation, key, attempt)
        self._kept.append(exchange)
        return exchange

    def after(self, number: int) -> list[Received]:
        """The remembered exchanges with a larger number, oldest first."""
        return [exchange for exchange in self._kept if exchange.number > number]

    def clear(self) -> None:
        """Forget all of them; numbers go on."""
        self._kept.clear()
        self.attempts.clear()


def to_dict(exchange: Received) -> dict[str, Any]:
    """The exchange as JSON."""
    return {name: getattr(exchange, name) for name in Received.__slots__}
