"""What a sandbox received: every exchange, and what each key and each reference of a caller led to."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable


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
    """Whether this very exchange changed something, such as making a request or answering one. A replay did no work."""
    replayed: bool = False
    """Whether the answer was that of an earlier exchange with the same key."""
    fault: str | None = None
    """The kind of fault that was applied."""
    request_id: str | None = None
    """The provider's id of what the exchange made, answered or read, such as a payment request."""
    milliseconds: float | None = None
    """From the head of the request to the answer; None while the exchange is in hand."""
    reference: str | None = None
    """The caller's own name for the work, such as an invoice; of a call about several, the first."""


class ReceivedLog:
    """The last exchanges one by one, and counts by key and reference for all of them, each in constant time."""

    def __init__(self, keep: int) -> None:
        self._kept: deque[Received] = deque(maxlen=keep)
        self._number = 0
        self.attempts: dict[str, int] = {}
        """How often each idempotency key was seen."""
        self.work_by_key: dict[str, int] = {}
        """How often work was done under a key."""
        self.work_by_reference: dict[str, int] = {}
        """How often work was done for what callers call by their own names; 0 for what was only tried."""

    def begin(self, at: float, method: str, path: str, operation: str, key: str | None) -> Received:
        """Remember an exchange whose head has arrived; the caller fills in the rest."""
        self._number += 1
        exchange = Received(self._number, at, method, path, operation, None, None)
        if key is not None:
            self.count_attempt(exchange, key)
        self._kept.append(exchange)
        return exchange

    def count_attempt(self, exchange: Received, key: str) -> None:
        """Note under which key an exchange runs."""
        exchange.idempotency_key = key
        exchange.attempt = self.attempts[key] = self.attempts.get(key, 0) + 1

    def know(self, reference: str) -> None:
        """Begin to count the work for a reference."""
        self.work_by_reference.setdefault(reference, 0)

    def count_work(self, key: str | None, references: Iterable[str]) -> None:
        """Count work that was done."""
        if key is not None:
            self.work_by_key[key] = self.work_by_key.get(key, 0) + 1
        for reference in references:
            self.work_by_reference[reference] = self.work_by_reference.get(reference, 0) + 1

    def after(self, number: int) -> list[Received]:
        """The remembered exchanges with a larger number, oldest first."""
        return [exchange for exchange in self._kept if exchange.number > number]

    def clear(self) -> None:
        """Forget all of them; numbers go on."""
        self._kept.clear()
        for counts in (self.attempts, self.work_by_key, self.work_by_reference):
            counts.clear()


def to_dict(exchange: Received) -> dict[str, Any]:
    """The exchange as JSON."""
    return {name: getattr(exchange, name) for name in Received.__slots__}
